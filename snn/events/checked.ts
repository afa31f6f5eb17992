/** Checks the recordings of a caller, once, before filters, frames and writers read them. Makes new recordings too. */
import { numberOf, objectOf, upTo, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { EventRecording } from "./recording.ts";

/** Range of a sensor side, in pixels. */
export const SIDE = upTo(65_536);

/**
 * Checks a recording and returns it as a plain object, whose fields were read once.
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

/** Checks all columns in one fast pass, which misses only a last time of ∞. A slower search names the invalid event. */
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

/** A recording with room for n events, not yet written. */
export const unwrittenRecording = (n: number, width: number, height: number): EventRecording => ({
  t: new Float64Array(n),
  x: new Uint16Array(n),
  y: new Uint16Array(n),
  p: new Uint8Array(n),
  width,
  height,
});

/** The events whose indices `choose` writes, in this order; `choose` returns their number. */
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

/** Writes pixels and polarities of the events at these indices, in this order. */
function gather(made: EventRecording, { x, y, p }: EventRecording, places: Uint32Array): void {
  for (let k = 0; k < made.x.length; k++) {
    const i = places[k] as number;
    made.x[k] = x[i] as number;
    made.y[k] = y[i] as number;
    made.p[k] = p[i] as number;
  }
}

/** Length of runs that are sorted by insertion before they are merged. */
const RUN = 8;

/**
 * Sorts a recording by time; events of equal times keep their order.
 *
 * Times are first distributed into buckets, after which evenly spread times are nearly sorted; then runs are merged in place, where only
 * their overlap moves. Here and elsewhere, each loop over all events is a separate function that returns a number or nothing. Otherwise, an
 * engine that compiles a loop while it runs, without knowledge of the code after it, would fall back to slow code at the end of every call.
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
 * Bucket of each time: n times have n buckets, each with an equal part of their span.
 *
 * The bucket never decreases with the time, however products are rounded; with a span of 0 or infinity all times are in the first one.
 */
function bucketsOf(t: Float64Array): Uint32Array {
  const buckets = new Uint32Array(t.length);
  const least = -largest(t, -1);
  const rate = (t.length - 1) / (largest(t, 1) - least);
  for (let i = 0; i < buckets.length; i++) buckets[i] = ((t[i] as number) - least) * rate;
  return buckets;
}

/** Largest sign·t. */
function largest(t: Float64Array, sign: number): number {
  let most = -Infinity;
  for (let i = 0; i < t.length; i++) if (sign * (t[i] as number) > most) most = sign * (t[i] as number);
  return most;
}

/** Indices of the elements sorted by bucket (stable), and the end of each bucket. */
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

/** Turns counts into start indices of the buckets. */
function toStarts(counts: Uint32Array): void {
  let before = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] as number;
    counts[bucket] = before;
    before += count;
  }
}

/** Writes each index to the next element of its bucket; start indices advance to end indices. */
function deal(places: Uint32Array, next: Uint32Array, buckets: Uint32Array): void {
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i] as number;
    const place = next[bucket] as number;
    next[bucket] = place + 1;
    places[place] = i;
  }
}

/** Sorts each run of times by insertion, together with their indices. */
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

/** Merges the neighbouring runs [from, middle) and [middle, to); `held` has room for the overlap of the first. */
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
