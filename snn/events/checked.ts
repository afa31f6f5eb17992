/** Recordings that a caller hands in. */
import { COUNT, numberOf, objectOf, type Range, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { EventRecording } from "./recording.ts";

const SIDE: Range = { expected: "an integer in [1, 65536]", fits: (n) => COUNT.fits(n) && n <= 65_536 };

/**
 * The recording with its fields read once, a plain object.
 *
 * @throws TypeError unless the columns are arrays of their types, RangeError unless they have one length, pixels lie on the sensor,
 *   polarities are 0 or 1, and times are finite and in order.
 */
export function recordingOf(where: string, events: EventRecording): EventRecording {
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

/** Reads all columns once; a second pass, which names the first wrong event, follows where one is wrong. */
function checkEvents(where: string, { t, x, y, p, width, height }: EventRecording, n: number): void {
  let i = 0;
  let last = -Number.MAX_VALUE;
  for (; i < n; i++) {
    const time = t[i] as number;
    if (!(time >= last) || (x[i] as number) >= width || (y[i] as number) >= height || (p[i] as number) > 1) break;
    last = time;
  }
  if (i === n && last < Infinity) return;
  last = -Infinity;
  for (i = 0; i < n; i++) {
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

/** The recording of the events for which `keep` holds. */
export function filtered(events: EventRecording, keep: (i: number) => boolean): EventRecording {
  const { t, x, y, p, width, height } = events;
  const kept = new Uint32Array(t.length);
  let n = 0;
  for (let i = 0; i < t.length; i++) {
    kept[n] = i;
    if (keep(i)) n++;
  }
  return chosen({ t, x, y, p, width, height }, kept.subarray(0, n));
}

/** The recording of the events at these places, in this order. */
export function chosen({ t, x, y, p, width, height }: EventRecording, places: Uint32Array): EventRecording {
  const n = places.length;
  const made = {
    t: new Float64Array(n),
    x: new Uint16Array(n),
    y: new Uint16Array(n),
    p: new Uint8Array(n),
    width,
    height,
  };
  for (let k = 0; k < n; k++) {
    const i = places[k] as number;
    made.t[k] = t[i] as number;
    made.x[k] = x[i] as number;
    made.y[k] = y[i] as number;
    made.p[k] = p[i] as number;
  }
  return made;
}

/** The recording in the order of its times; events of one time keep their order. */
export function sorted(events: EventRecording): EventRecording {
  const { t } = events;
  const places = Uint32Array.from(t, (_, i) => i);
  return chosen(
    events,
    places.sort((a, b) => (t[a] as number) - (t[b] as number) || a - b),
  );
}
