/** Slices of a recording: by time, by number of events, or into a number of bins. */
import { COUNT, FINITE, listed, NOT_NEGATIVE, numberOf, POSITIVE, wrongValue } from "../../engine/arguments.ts";
import type { EventRecording } from "./recording.ts";

/** How to cut a recording: exactly one of `timeWindow`, `eventCount`, `nTimeBins` and `nEventBins`. */
export interface SliceOptions {
  /** Duration of a slice, µs; finite and > 0. */
  timeWindow?: number;
  /** Number of events in a slice, a positive integer. */
  eventCount?: number;
  /** Number of slices of equal duration, a positive integer: each lasts ⌊(last − first time)/n⌋ µs, so the last event is in none. */
  nTimeBins?: number;
  /** Number of slices with equally many events, a positive integer: each has ⌊events/n⌋. */
  nEventBins?: number;
  /**
   * Overlap of neighbouring slices, default 0: µs with timeWindow, events with eventCount, both less than the slice; for bins, the share of a
   * bin, in [0, 1), by which it grows.
   */
  overlap?: number;
  /** Whether to keep an incomplete last slice, with timeWindow or eventCount; default false. */
  includeIncomplete?: boolean;
  /** Start of the first slice, µs, with timeWindow; default: the first event. */
  startTime?: number;
  /** End of the last slice, µs, with timeWindow; default: the last event. */
  endTime?: number;
}

export const SLICES = {
  timeWindow: undefined as number | undefined,
  eventCount: undefined as number | undefined,
  nTimeBins: undefined as number | undefined,
  nEventBins: undefined as number | undefined,
  overlap: 0,
  includeIncomplete: false,
  startTime: undefined as number | undefined,
  endTime: undefined as number | undefined,
} satisfies Record<keyof SliceOptions, unknown>;

const WAYS = ["timeWindow", "eventCount", "nTimeBins", "nEventBins"] as const;

/** Largest number of slices of a recording; each is a pair of numbers in a list. */
const MOST = 2 ** 24;

/** Indices of the first event of a slice and of the first event after it. */
export type Slice = readonly [from: number, to: number];

/**
 * Cuts a recording into slices.
 *
 * @throws RangeError unless exactly one way to cut is given, and for options out of range or without effect.
 */
export function slicesOf(where: string, events: EventRecording, options: typeof SLICES): Slice[] {
  const ways = WAYS.filter((way) => options[way] !== undefined);
  const [way] = ways;
  if (way === undefined || ways.length > 1) throw wrongValue(where, `one of ${WAYS.join(", ")}`, listed(ways));
  const isBins = way === "nTimeBins" || way === "nEventBins";
  const size = numberOf(where, way, options[way], way === "timeWindow" ? POSITIVE : COUNT);
  const overlap = numberOf(where, "overlap", options.overlap, NOT_NEGATIVE);
  const most = isBins ? 1 : size;
  if (!(overlap < most)) throw wrongValue(where, `an overlap less than ${most} with ${way} ${size}`, overlap);
  if (isBins && options.includeIncomplete)
    throw wrongValue(where, "includeIncomplete with timeWindow or eventCount", way);
  for (const name of ["startTime", "endTime"] as const) {
    if (options[name] === undefined) continue;
    if (way !== "timeWindow") throw wrongValue(where, `timeWindow with ${name}`, way);
    numberOf(where, name, options[name], FINITE);
  }
  if (way === "timeWindow") return byTime(where, events, size, options);
  if (way === "eventCount") return byCount(events.t.length, options, size);
  return isBins && way === "nTimeBins"
    ? byTimeBins(events, size, overlap)
    : byEventBins(events.t.length, size, overlap);
}

/** Index of the first time ≥ `time`; with `behind`, of the first time > `time`. */
export function firstNotBefore(t: Float64Array, time: number, behind = false): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = t[middle] as number;
    if (at < time || (behind && at === time)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** n slices with the times [first + i·stride, first + i·stride + window). */
const between = ({ t }: EventRecording, n: number, first: number, stride: number, window: number): Slice[] =>
  Array.from({ length: n }, (_, i): Slice => {
    const from = first + i * stride;
    return [firstNotBefore(t, from), firstNotBefore(t, from + window)];
  });

function byTime(where: string, events: EventRecording, timeWindow: number, options: typeof SLICES): Slice[] {
  const { t } = events;
  const { overlap, includeIncomplete } = options;
  const { startTime = t[0] ?? 0, endTime = t[t.length - 1] ?? startTime } = options;
  if (endTime < startTime) throw wrongValue(where, `an endTime from ${startTime} on`, endTime);
  const stride = timeWindow - overlap;
  const rest = (endTime - startTime - timeWindow) / stride;
  const n = Math.max((includeIncomplete ? Math.ceil(rest) : Math.floor(rest)) + 1, 1);
  if (!(n <= MOST)) throw wrongValue(where, `at most ${MOST} slices`, n);
  return between(events, n, startTime, stride, timeWindow);
}

function byCount(events: number, { overlap, includeIncomplete }: typeof SLICES, size: number): Slice[] {
  const count = Math.min(size, events);
  const stride = size - overlap;
  const rest = (events - count) / stride;
  const n = (includeIncomplete ? Math.ceil(rest) : Math.floor(rest)) + 1;
  return Array.from({ length: n }, (_, i): Slice => {
    const from = Math.floor(i * stride);
    return [from, Math.min(from + count, events)];
  });
}

function byTimeBins(events: EventRecording, bins: number, overlap: number): Slice[] {
  const { t } = events;
  const [first = 0] = t;
  const window = Math.floor(((t[t.length - 1] ?? 0) - first) / bins) * (1 + overlap);
  return between(events, bins, first, window * (1 - overlap), window);
}

function byEventBins(events: number, bins: number, overlap: number): Slice[] {
  const count = Math.floor(Math.floor(events / bins) * (1 + overlap));
  const stride = Math.floor(count * (1 - overlap));
  return Array.from({ length: bins }, (_, i): Slice => [i * stride, Math.min(i * stride + count, events)]);
}
