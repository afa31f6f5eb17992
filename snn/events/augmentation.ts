/** Augmentations of recordings: crops, rescaling, mirrors, and random losses, shifts and additions of events. */
import {
  COUNT,
  choiceOf,
  listOf,
  NOT_NEGATIVE,
  numberOf,
  POSITIVE,
  type Range,
  SHARE,
  UNIT,
  WHOLE,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { generatorOf } from "../../engine/extend.ts";
import type { Generator } from "../../engine/index.ts";
import { checkedRecording, chosen, sorted, unwrittenRecording } from "./checked.ts";
import { draw, normalNumbers, RANDOM_OPTIONS, type RandomEventOptions, uniformNumbers } from "./random.ts";
import type { EventRecording } from "./recording.ts";
import { firstNotBefore } from "./slices.ts";

/** Options of {@link crop}. */
export interface CropOptions extends RandomEventOptions {
  /** Width and height of the crop: positive integers, at most those of the sensor. */
  targetSize: readonly number[];
  /** Place of the crop: "center" (default), "random", or [x, y] of its first pixel. */
  at?: "center" | "random" | readonly number[];
}

const CROP = {
  targetSize: null as unknown as readonly number[],
  at: undefined as "center" | "random" | readonly number[] | undefined,
  ...RANDOM_OPTIONS,
};

/**
 * Crops a recording to a part of the sensor, whose first pixel becomes (0, 0).
 *
 * @throws RangeError for a part that is not on the sensor, or a recording with events off the sensor or out of order; TypeError for anything but a
 *   recording, or an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { crop } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 10, 20),
 *   x: Uint16Array.of(0, 5, 9),
 *   y: Uint16Array.of(0, 5, 9),
 *   p: Uint8Array.of(1, 0, 1),
 *   width: 10,
 *   height: 10,
 * };
 * const { x, width } = crop(events, { targetSize: [4, 4], at: "center" });
 * console.log([...x], width); // [ 2 ] 4
 * ```
 */
export function crop(events: EventRecording, options: CropOptions): EventRecording {
  const { targetSize, at = "center", generator } = withDefaults("crop", CROP, options);
  const recording = checkedRecording("crop", events);
  const [width, height] = listOf("crop", "targetSize", targetSize, COUNT, 2) as [number, number];
  const room: [number, number] = [recording.width - width, recording.height - height];
  if (room[0] < 0 || room[1] < 0) {
    throw wrongValue("crop", `a part of ${recording.width} × ${recording.height} pixels`, `${width} × ${height}`);
  }
  const [left, top] = placeOf(at, room, generatorOf("crop", generator));
  const part = chosen(recording, (places) => inArea(places, recording, [left, top, width, height], 1));
  moveBack(part.x, left);
  moveBack(part.y, top);
  return { ...part, width, height };
}

function moveBack(coordinates: Uint16Array, by: number): void {
  for (let i = 0; i < coordinates.length; i++) coordinates[i] = (coordinates[i] as number) - by;
}

/**
 * Writes the indices of the events inside an area, or of those outside if `inside` is 0. Returns the number of these
 * events. The loop has no branch: it writes every index, and the next event overwrites the index of a dropped one. A
 * processor cannot predict a branch that depends on random places.
 */
function inArea(
  places: Uint32Array,
  { x, y }: EventRecording,
  [left, top, width, height]: readonly [left: number, top: number, width: number, height: number],
  inside: 0 | 1,
): number {
  const outside = 1 - inside;
  let count = 0;
  for (let i = 0; i < x.length; i++) {
    const column = (x[i] as number) - left;
    const row = (y[i] as number) - top;
    places[count] = i;
    // 1 (the sign bit) if both coordinates lie in [0, size), else 0.
    count += ((~column & (column - width) & ~row & (row - height)) >>> 31) ^ outside;
  }
  return count;
}

function placeOf(at: unknown, room: readonly [number, number], generator: Generator): [number, number] {
  if (Array.isArray(at)) {
    const [left, top] = listOf("crop", "at", at, WHOLE, 2) as [number, number];
    if (left <= room[0] && top <= room[1]) return [left, top];
    throw wrongValue("crop", `at most [${room}] as at`, `[${left}, ${top}]`);
  }
  if (typeof at !== "string") throw wrongType("crop", '"center", "random" or [x, y] as at', at);
  if (choiceOf("crop", "at", at, ["center", "random"]) === "center") return [room[0] >> 1, room[1] >> 1];
  const drawn = uniformNumbers(2, generator);
  return [Math.floor((drawn[0] as number) * (room[0] + 1)), Math.floor((drawn[1] as number) * (room[1] + 1))];
}

/** Options of {@link downsample}. */
export interface DownsampleOptions {
  /** Factor of coordinates, or [x, y]; in (0, 1], default 1. */
  spatialFactor?: number | readonly number[];
  /** Factor of times; finite and > 0, default 1. Times are rounded down to µs. */
  timeFactor?: number;
}

const DOWNSAMPLE = { spatialFactor: undefined as number | readonly number[] | undefined, timeFactor: 1 };

/**
 * Scales coordinates and times of a recording: ⌊x·f⌋, ⌊y·f⌋, ⌊t·f_t⌋. The sensor has ⌈width·f⌉ × ⌈height·f⌉ pixels.
 *
 * @throws RangeError for a factor out of range, or a recording with events off the sensor or out of order; TypeError for anything but a recording, or
 *   an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { downsample } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 10),
 *   x: Uint16Array.of(3, 9),
 *   y: Uint16Array.of(0, 5),
 *   p: Uint8Array.of(1, 0),
 *   width: 10,
 *   height: 10,
 * };
 * const { x, y, width } = downsample(events, { spatialFactor: 0.5 });
 * console.log([...x], [...y], width); // [ 1, 4 ] [ 0, 2 ] 5
 * ```
 */
export function downsample(events: EventRecording, options: DownsampleOptions): EventRecording {
  const where = "downsample";
  const { spatialFactor = 1, timeFactor } = withDefaults(where, DOWNSAMPLE, options);
  const factors = typeof spatialFactor === "number" ? [spatialFactor, spatialFactor] : spatialFactor;
  const [fx, fy] = listOf(where, "spatialFactor", factors, SHARE, 2) as [number, number];
  numberOf(where, "timeFactor", timeFactor, POSITIVE);
  const { t, x, y, p, width, height } = checkedRecording(where, events);
  const smaller = unwrittenRecording(t.length, Math.ceil(width * fx), Math.ceil(height * fy));
  for (let i = 0; i < t.length; i++) {
    smaller.t[i] = Math.floor((t[i] as number) * timeFactor);
    smaller.x[i] = (x[i] as number) * fx;
    smaller.y[i] = (y[i] as number) * fy;
  }
  smaller.p.set(p);
  return smaller;
}

/** Options of {@link flip}. */
export interface FlipOptions extends RandomEventOptions {
  /** "x" exchanges left and right, "y" top and bottom, "polarity" ON and OFF; "time" reverses the order of events and exchanges ON and OFF. */
  axis: "x" | "y" | "polarity" | "time";
  /** Probability of the flip, in [0, 1]; default 1. */
  probability?: number;
}

const FLIP = { axis: "" as FlipOptions["axis"], probability: 1, ...RANDOM_OPTIONS };

/**
 * Mirrors a recording along an axis, with a given probability.
 *
 *   x′ = width − 1 − x      y′ = height − 1 − y      p′ = 1 − p      t′ = last time − t, in reverse order, with p′
 *
 * @throws RangeError for another axis, a probability outside [0, 1], or a recording with events off the sensor or out of order; TypeError for
 *   anything but a recording, or an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { flip } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 10),
 *   x: Uint16Array.of(0, 1),
 *   y: Uint16Array.of(0, 0),
 *   p: Uint8Array.of(1, 0),
 *   width: 4,
 *   height: 2,
 * };
 * console.log([...flip(events, { axis: "x" }).x]); // [ 3, 2 ]
 * ```
 */
export function flip(events: EventRecording, options: FlipOptions): EventRecording {
  const { axis, probability, generator } = withDefaults("flip", FLIP, options);
  choiceOf("flip", "axis", axis, ["x", "y", "polarity", "time"]);
  numberOf("flip", "probability", probability, UNIT);
  const from = generatorOf("flip", generator);
  const { t, x, y, p, width, height } = checkedRecording("flip", events);
  const made = { t: t.slice(), x: x.slice(), y: y.slice(), p: p.slice(), width, height };
  if (probability < 1 && !(draw(from) < probability)) return made;
  if (axis === "x") mirror(made.x, width - 1);
  else if (axis === "y") mirror(made.y, height - 1);
  else mirror(made.p, 1);
  if (axis === "time") {
    mirror(made.t, t[t.length - 1] ?? 0);
    for (const column of [made.t, made.x, made.y, made.p]) column.reverse();
  }
  return made;
}

function mirror(values: Float64Array | Uint16Array | Uint8Array, last: number): void {
  for (let i = 0; i < values.length; i++) values[i] = last - (values[i] as number);
}

/** Options of {@link dropEvents}. */
export interface DropOptions extends RandomEventOptions {
  /** Share of the events to drop, in [0, 1]; for dropPixels, share of the pixels. */
  probability: number;
}

const DROP = { probability: Number.NaN, ...RANDOM_OPTIONS };

/**
 * Drops round(probability·events) events, each with the same probability.
 *
 * @throws RangeError for a probability outside [0, 1], or a recording with events off the sensor or out of order; TypeError for anything but a
 *   recording, or an unknown option or a value of the wrong type.
 * @see Gu, Sng, Hu and Yu (2021), EventDrop: Data Augmentation for Event-based Learning, IJCAI.
 *
 * @example
 * ```ts
 * import { Generator } from "jarvis-snn";
 * import { dropEvents } from "jarvis-snn/events";
 *
 * const [t, x] = [Float64Array.from({ length: 100 }, (_, i) => i), new Uint16Array(100)];
 * const events = { t, x, y: x, p: new Uint8Array(100), width: 4, height: 2 };
 * console.log(dropEvents(events, { probability: 0.25, generator: new Generator(1) }).t.length); // 75
 * ```
 */
export function dropEvents(events: EventRecording, options: DropOptions): EventRecording {
  const { probability, generator } = withDefaults("dropEvents", DROP, options);
  numberOf("dropEvents", "probability", probability, UNIT);
  const from = generatorOf("dropEvents", generator);
  const recording = checkedRecording("dropEvents", events);
  const { length } = recording.t;
  const kept = length - Math.round(probability * length);
  return chosen(recording, (places) => {
    choose(places, uniformNumbers(length, from), kept);
    return kept;
  });
}

/**
 * Selection sampling: keeps event i with probability left / (events − i), where `left` is the number of events still to
 * keep.
 */
function choose(places: Uint32Array, draws: Float32Array, n: number): void {
  let left = n;
  for (let i = 0; i < draws.length; i++) {
    places[n - left] = i;
    left -= Number((draws[i] as number) * (draws.length - i) < left);
  }
}

/** Options of {@link dropEventsByTime}. */
export interface DropByTimeOptions extends RandomEventOptions {
  /** Share of the recording's duration to drop, in [0, 1]; default 0.2. */
  durationRatio?: number;
}

const DROP_TIME = { durationRatio: 0.2, ...RANDOM_OPTIONS };

/**
 * Drops all events in one interval. The interval starts at a random time and lasts a share of the recording.
 *
 * @throws RangeError for a durationRatio outside [0, 1], or a recording with events off the sensor or out of order; TypeError for anything but a
 *   recording, or an unknown option or a value of the wrong type.
 * @see Gu, Sng, Hu and Yu (2021), EventDrop: Data Augmentation for Event-based Learning, IJCAI.
 *
 * @example
 * ```ts
 * import { Generator } from "jarvis-snn";
 * import { dropEventsByTime } from "jarvis-snn/events";
 *
 * const [t, x] = [Float64Array.from({ length: 100 }, (_, i) => i), new Uint16Array(100)];
 * const events = { t, x, y: x, p: new Uint8Array(100), width: 4, height: 2 };
 * const { t: left } = dropEventsByTime(events, { durationRatio: 0.5, generator: new Generator(1) });
 * console.log(left.length); // 51
 * ```
 */
export function dropEventsByTime(events: EventRecording, options: DropByTimeOptions = DROP_TIME): EventRecording {
  const where = "dropEventsByTime";
  const { durationRatio, generator } = withDefaults(where, DROP_TIME, options);
  numberOf(where, "durationRatio", durationRatio, UNIT);
  const from = generatorOf(where, generator);
  const { t, x, y, p, width, height } = checkedRecording(where, events);
  const [first = 0] = t;
  const span = (t[t.length - 1] ?? 0) - first;
  const begin = first + draw(from) * span * (1 - durationRatio);
  const gap = durationRatio === 0 ? 0 : firstNotBefore(t, begin);
  const end = durationRatio === 0 ? 0 : firstNotBefore(t, begin + span * durationRatio, true);
  const kept = unwrittenRecording(t.length - (end - gap), width, height);
  const both = <Column extends { set(from: Column, at?: number): void; subarray(from: number, to?: number): Column }>(
    to: Column,
    column: Column,
  ): void => {
    to.set(column.subarray(0, gap));
    to.set(column.subarray(end), gap);
  };
  both(kept.t, t);
  both(kept.x, x);
  both(kept.y, y);
  both(kept.p, p);
  return kept;
}

/** Options of {@link dropEventsByArea}. */
export interface DropByAreaOptions extends RandomEventOptions {
  /** Share of both sides of the sensor that the area covers, in [0, 1]; default 0.2. */
  areaRatio?: number;
}

const DROP_AREA = { areaRatio: 0.2, ...RANDOM_OPTIONS };

/**
 * Drops the events in one area of ⌊width·areaRatio⌋ × ⌊height·areaRatio⌋ pixels at a random place.
 *
 * @throws RangeError for an areaRatio outside [0, 1], or a recording with events off the sensor or out of order; TypeError for anything but a
 *   recording, or an unknown option or a value of the wrong type.
 * @see Gu, Sng, Hu and Yu (2021), EventDrop: Data Augmentation for Event-based Learning, IJCAI.
 *
 * @example
 * ```ts
 * import { Generator } from "jarvis-snn";
 * import { dropEventsByArea } from "jarvis-snn/events";
 *
 * const t = Float64Array.from({ length: 100 }, (_, i) => i);
 * const x = Uint16Array.from(t, (time) => time % 10);
 * const events = { t, x, y: x, p: new Uint8Array(100), width: 10, height: 10 };
 * console.log(dropEventsByArea(events, { areaRatio: 0.5, generator: new Generator(1) }).t.length); // 50
 * ```
 */
export function dropEventsByArea(events: EventRecording, options: DropByAreaOptions = DROP_AREA): EventRecording {
  const where = "dropEventsByArea";
  const { areaRatio, generator } = withDefaults(where, DROP_AREA, options);
  numberOf(where, "areaRatio", areaRatio, UNIT);
  const from = generatorOf(where, generator);
  const recording = checkedRecording(where, events);
  const { width, height } = recording;
  const [w, h] = [Math.floor(width * areaRatio), Math.floor(height * areaRatio)];
  const drawn = uniformNumbers(2, from);
  const left = Math.floor((drawn[0] as number) * (width - w + 1));
  const top = Math.floor((drawn[1] as number) * (height - h + 1));
  return chosen(recording, (places) => inArea(places, recording, [left, top, w, h], 0));
}

/** Options of {@link jitter}: standard deviations of normal shifts. */
export interface JitterOptions extends RandomEventOptions {
  /** Deviation of times, µs; finite and ≥ 0, default 0. */
  time?: number;
  /** Deviation of columns, pixels; finite and ≥ 0, default 0. */
  x?: number;
  /** Deviation of rows, pixels; finite and ≥ 0, default 0. */
  y?: number;
}

const JITTER = { time: 0, x: 0, y: 0, ...RANDOM_OPTIONS };

/**
 * Shifts events at random in time and place, and sorts them by time: t + ⌊σ_t·n⌉, x + ⌊σ_x·n⌉, y + ⌊σ_y·n⌉ with n ~ 𝒩(0, 1). Events that leave the
 * sensor, or fall before time 0, are dropped.
 *
 * @throws RangeError for a deviation that is not finite and ≥ 0, or a recording with events off the sensor or out of order; TypeError for anything
 *   but a recording, or an unknown option or a value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { Generator } from "jarvis-snn";
 * import { jitter } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 1000, 2000),
 *   x: Uint16Array.of(5, 5, 5),
 *   y: Uint16Array.of(5, 5, 5),
 *   p: Uint8Array.of(1, 0, 1),
 *   width: 10,
 *   height: 10,
 * };
 * const { x, y } = jitter(events, { x: 1, y: 1, generator: new Generator(1) });
 * console.log([...x], [...y]); // [ 5, 5, 5 ] [ 6, 4, 4 ]
 * ```
 */
export function jitter(events: EventRecording, options: JitterOptions): EventRecording {
  const given = withDefaults("jitter", JITTER, options);
  for (const name of ["time", "x", "y"] as const) numberOf("jitter", name, given[name], NOT_NEGATIVE);
  const from = generatorOf("jitter", given.generator);
  const recording = checkedRecording("jitter", events);
  const { t, width, height } = recording;
  const shifts = (deviation: number): Float64Array =>
    deviation > 0 ? rounded(normalNumbers(t.length, from), deviation) : new Float64Array(t.length);
  const moved = unwrittenRecording(t.length, width, height);
  const n = moveInto(moved, recording, shifts(given.time), shifts(given.x), shifts(given.y), given.time > 0);
  const part = <Column extends Float64Array | Uint16Array | Uint8Array>(column: Column) =>
    (given.time > 0 ? column.subarray(0, n) : column.slice(0, n)) as Column;
  const rest = { t: part(moved.t), x: part(moved.x), y: part(moved.y), p: part(moved.p), width, height };
  return given.time > 0 ? sorted(rest) : rest;
}

/**
 * deviation·n for each n, rounded to the nearest integer, halves up. ⌈⌊2·deviation·n⌋ / 2⌉ is the same number, and
 * several times faster than Math.round.
 */
function rounded(normals: Float32Array, deviation: number): Float64Array {
  const shifts = new Float64Array(normals.length);
  for (let i = 0; i < shifts.length; i++) shifts[i] = Math.ceil(Math.floor(2 * deviation * (normals[i] as number)) / 2);
  return shifts;
}

/**
 * Compacts events in place: keeps those on the sensor and, if `isLate`, only those from time 0 on. Returns their
 * number.
 */
function moveInto(
  made: EventRecording,
  { t, x, y, p, width, height }: EventRecording,
  dt: Float64Array,
  dx: Float64Array,
  dy: Float64Array,
  isLate: boolean,
): number {
  const earliest = isLate ? 0 : -Infinity;
  let n = 0;
  for (let i = 0; i < t.length; i++) {
    const time = (t[i] as number) + (dt[i] as number);
    const column = (x[i] as number) + (dx[i] as number);
    const row = (y[i] as number) + (dy[i] as number);
    made.t[n] = time;
    made.x[n] = column;
    made.y[n] = row;
    made.p[n] = p[i] as number;
    n += Number(column >= 0 && column < width && row >= 0 && row < height && time >= earliest);
  }
  return n;
}

/** Options of {@link uniformNoise}. */
export interface UniformNoiseOptions extends RandomEventOptions {
  /** Events to add, an integer in [0, 2³⁰]. */
  n: number;
}

const NOISE = { n: Number.NaN, ...RANDOM_OPTIONS };
const ADDED: Range = { expected: "an integer in [0, 2³⁰]", fits: (n) => WHOLE.fits(n) && n <= 2 ** 30 };

/**
 * Adds n random events and sorts all events by time. Times, pixels and polarities are uniform over the recording.
 *
 * @throws RangeError unless n is an integer in [0, 2³⁰], or for a recording with events off the sensor or out of order; TypeError for anything but a
 *   recording, or an unknown option or a value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { Generator } from "jarvis-snn";
 * import { uniformNoise } from "jarvis-snn/events";
 *
 * const [t, x] = [Float64Array.from({ length: 100 }, (_, i) => i), new Uint16Array(100)];
 * const events = { t, x, y: x, p: new Uint8Array(100), width: 4, height: 2 };
 * console.log(uniformNoise(events, { n: 20, generator: new Generator(1) }).t.length); // 120
 * ```
 */
export function uniformNoise(events: EventRecording, options: UniformNoiseOptions): EventRecording {
  const where = "uniformNoise";
  const { n, generator } = withDefaults(where, NOISE, options);
  numberOf(where, "n", n, ADDED);
  const from = generatorOf(where, generator);
  const recording = checkedRecording(where, events);
  const { t, width, height } = recording;
  const [first = 0] = t;
  const span = (t[t.length - 1] ?? 0) - first;
  const noise = unwrittenRecording(n, width, height);
  const fill = (values: Float64Array | Uint16Array | Uint8Array, size: number, start = 0): void => {
    const drawn = uniformNumbers(n, from);
    for (let i = 0; i < n; i++) values[i] = Math.floor(start + (drawn[i] as number) * size);
  };
  fill(noise.t, span + 1, first);
  fill(noise.x, width);
  fill(noise.y, height);
  fill(noise.p, 2);
  const made = unwrittenRecording(t.length + n, width, height);
  mergeInto(made, recording, sorted(noise));
  return made;
}

/**
 * Merges two recordings by time; at equal times the events of the first come first.
 */
function mergeInto(made: EventRecording, one: EventRecording, two: EventRecording): void {
  let i = 0;
  for (let k = 0; k < made.t.length; k++) {
    const isOne = i < one.t.length && (k - i === two.t.length || (one.t[i] as number) <= (two.t[k - i] as number));
    const { t, x, y, p } = isOne ? one : two;
    const from = isOne ? i++ : k - i;
    made.t[k] = t[from] as number;
    made.x[k] = x[from] as number;
    made.y[k] = y[from] as number;
    made.p[k] = p[from] as number;
  }
}
