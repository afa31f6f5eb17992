/** Recordings of a caller, checked once before filters, frames and writers read them, and new recordings. */
import { numberOf, objectOf, upTo, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { EventRecording } from "./recording.ts";

/** Pixels of a side of a sensor. */
export const SIDE = upTo(65_536);

/**
 * The recording with its fields read once, a plain object.
 *
 * @throws TypeError unless the columns are arrays of their types, RangeError unless they have one length, pixels lie on the sensor,
 *   polarities are 0 or 1, and times are finite and in order.
 */
export function checkedRecording(where: string, events: EventRecording): EventRecording {
  const { t, x, y, p, width, height } = objectOf(where, "a recording { t, x, y, p, width, height }", events) as never;
  const own: EventRecording = { t, x, y, p, width, height };
  if (!(own.t instanceof Float64Array)) throw wrongType(where, "t as a Float64Array", own.t);
  if (!(own.x instanceof Uint16Array)) throw wrongType(where, "x as a Uint16Array", own.x);
  if (!(own.y instanceof Uint16Array)) throw wrongType(where, "y as a Uint16Array", own.y);
  if (!(own.p instanceof Uint8Array)) throw wrongType(where, "p as a Uint8Array", own.p);
  numberOf(where, "width", own.width, SIDE);
  numberOf(where, "height", own.height, SIDE);
  const n = own.t.length;
  for (const column of [own.x, own.y, own.p]) {
    if (column.length !== n) throw wrongValue(where, `columns of ${n} events, as t has`, column.length);
  }
  checkEvents(where, own, n);
  return own;
}

function checkEvents(where: string, events: EventRecording, n: number): void {
  if (isSound(events, n) && (events.t[n - 1] ?? 0) < Infinity) return;
  const { t, x, y, p, width, height } = events;
  let last = -Infinity;
  for (let i = 0; i < n; i++) {
    const time = t[i] as number;
    if (!Number.isFinite(time) || time < last) {
      const from = i === 0 ? "a finite time" : `a finite time from ${last} on`;
      throw wrongValue(where, `${from} for event ${i}`, time);
    }
    if (!((x[i] as number) < width && (y[i] as number) < height)) {
      throw wrongValue(where, `event ${i} on a sensor of ${width} × ${height}`, `x ${x[i]}, y ${y[i]}`);
    }
    if ((p[i] as number) > 1) throw wrongValue(where, `the polarity 0 or 1 for event ${i}`, p[i] as number);
    last = time;
  }
}

/** One fast pass over all columns, but for a last time of ∞; the search for the event to name is the slower one. */
function isSound({ t, x, y, p, width, height }: EventRecording, n: number): boolean {
  let last = -Number.MAX_VALUE;
  for (let i = 0; i < n; i++) {
    const time = t[i] as number;
    if (!(time >= last) || (x[i] as number) >= width || (y[i] as number) >= height || (p[i] as number) > 1)
      return false;
    last = time;
  }
  return true;
}

/** A recording of n events that are yet to be written. */
export const unwrittenRecording = (n: number, width: number, height: number): EventRecording => ({
  t: new Float64Array(n),
  x: new Uint16Array(n),
  y: new Uint16Array(n),
  p: new Uint8Array(n),
  width,
  height,
});

/** The recording of the events whose places `choose` writes, in this order; it returns how many there are. */
export function chosen(events: EventRecording, choose: (places: Uint32Array) => number): EventRecording {
  const places = new Uint32Array(events.t.length);
  const made = unwrittenRecording(choose(places), events.width, events.height);
  gatherTimes(made.t, events.t, places);
  gather(made, events, places);
  return made;
}

function gatherTimes(made: Float64Array, t: Float64Array, places: Uint32Array): void {
  for (let k = 0; k < made.length; k++) made[k] = t[places[k] as number] as number;
}

/** Writes pixels and polarities of the events at these places, in this order. */
function gather(made: EventRecording, { x, y, p }: EventRecording, places: Uint32Array): void {
  for (let k = 0; k < made.x.length; k++) {
    const i = places[k] as number;
    made.x[k] = x[i] as number;
    made.y[k] = y[i] as number;
    made.p[k] = p[i] as number;
  }
}

/** Events that are put in order by insertion, before longer runs are merged. */
const RUN = 8;

/**
 * The recording in the order of its times; events of one time keep their order.
 *
 * Times are dealt to buckets first, after which few of them are out of order where they are spread evenly, and runs are merged in place, of
 * which only the part that overlaps moves. Loops over all events have functions of their own, here and elsewhere, which return a number or
 * nothing: an engine that compiles a loop while it runs, and knows nothing yet about the code behind it, would fall back to slow code at its
 * end, call after call.
 */
export function sorted(events: EventRecording): EventRecording {
  const n = events.t.length;
  const made = unwrittenRecording(n, events.width, events.height);
  const { places } = dealt(bucketsOf(events.t), n);
  gatherTimes(made.t, events.t, places);
  sortRuns(made.t, places);
  mergeRuns(made.t, places);
  gather(made, events, places);
  return made;
}

/**
 * The bucket of each time, of as many as there are times, each of an equal part of their span.
 *
 * A larger time never has a smaller bucket, however the products are rounded; all have the first one where the span is 0 or infinite.
 */
function bucketsOf(t: Float64Array): Uint32Array {
  const buckets = new Uint32Array(t.length);
  const least = -largest(t, -1);
  const rate = (t.length - 1) / (largest(t, 1) - least);
  for (let i = 0; i < buckets.length; i++) buckets[i] = ((t[i] as number) - least) * rate;
  return buckets;
}

/** The largest of sign·t. */
function largest(t: Float64Array, sign: number): number {
  let most = -Infinity;
  for (let i = 0; i < t.length; i++) if (sign * (t[i] as number) > most) most = sign * (t[i] as number);
  return most;
}

/** The places of the elements by their buckets, in order, and the end of each bucket. */
export function dealt(
  buckets: Uint32Array,
  count: number,
): { readonly places: Uint32Array; readonly ends: Uint32Array } {
  const places = new Uint32Array(buckets.length);
  const ends = new Uint32Array(count);
  countInto(ends, buckets);
  toStarts(ends);
  deal(places, ends, buckets);
  return { places, ends };
}

function countInto(counts: Uint32Array, buckets: Uint32Array): void {
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i] as number;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
}

/** Counts become the places where buckets begin. */
function toStarts(counts: Uint32Array): void {
  let before = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] as number;
    counts[bucket] = before;
    before += count;
  }
}

/** Writes each place to the next element of its bucket; the places where buckets begin move on to their ends. */
function deal(places: Uint32Array, next: Uint32Array, buckets: Uint32Array): void {
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i] as number;
    const place = next[bucket] as number;
    next[bucket] = place + 1;
    places[place] = i;
  }
}

/** Puts each run of times in order, by insertion, and their places with them. */
function sortRuns(t: Float64Array, places: Uint32Array): void {
  for (let first = 0; first < t.length; first += RUN) {
    const end = Math.min(first + RUN, t.length);
    for (let i = first + 1; i < end; i++) {
      const time = t[i] as number;
      const place = places[i] as number;
      let to = i;
      for (; to > first && (t[to - 1] as number) > time; to--) {
        t[to] = t[to - 1] as number;
        places[to] = places[to - 1] as number;
      }
      t[to] = time;
      places[to] = place;
    }
  }
}

function mergeRuns(t: Float64Array, places: Uint32Array): void {
  const n = t.length;
  const held = { t: new Float64Array(n), places: new Uint32Array(n) };
  for (let run = RUN; run < n; run *= 2) {
    for (let middle = run; middle < n; middle += 2 * run) {
      merge(t, places, middle - run, middle, Math.min(middle + run, n), held);
    }
  }
}

/** Merges the neighbouring runs [from, middle) and [middle, to); `held` has room for the first. */
function merge(
  t: Float64Array,
  places: Uint32Array,
  from: number,
  middle: number,
  to: number,
  held: { readonly t: Float64Array; readonly places: Uint32Array },
): void {
  const second = t[middle] as number;
  if ((t[middle - 1] as number) <= second) return;
  let first = middle - 1;
  while (first > from && (t[first - 1] as number) > second) first--;
  const count = middle - first;
  held.t.set(t.subarray(first, middle));
  held.places.set(places.subarray(first, middle));
  let next = middle;
  let k = first;
  for (let i = 0; i < count; k++) {
    const time = held.t[i] as number;
    if (next < to && (t[next] as number) < time) {
      t[k] = t[next] as number;
      places[k] = places[next++] as number;
    } else {
      t[k] = time;
      places[k] = held.places[i++] as number;
    }
  }
}
