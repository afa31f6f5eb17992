/** Time surfaces: tensors of the time since the last events. */
import { COUNT, choiceOf, numberOf, POSITIVE, type Range, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { k, peek } from "../../engine/extend.ts";
import { exp, noGrad, type Tensor, tensor } from "../../engine/index.ts";
import { checkSize, sizeOf } from "../../engine/shape.ts";
import { emptyOf } from "../../engine/unchecked.ts";
import { checkedRecording, dealt } from "./checked.ts";
import type { EventRecording } from "./recording.ts";
import { SLICES, slicesOf } from "./slices.ts";

/** Options of {@link toTimesurface}. */
export interface TimesurfaceOptions {
  /** Microseconds between two surfaces; finite and > 0. */
  dt: number;
  /** τ, the time constant in µs; finite and > 0. */
  tau: number;
  /** Whether to keep a last surface that the recording does not reach; default false. */
  includeIncomplete?: boolean;
}

const TIMESURFACE = { dt: Number.NaN, tau: Number.NaN, includeIncomplete: false };

/**
 * Time surfaces of the whole sensor: the exponentially decayed time since the last event of each pixel.
 *
 *   z[n] = exp(−(t₀ + (n + 1)·dt − t_last)/τ), 0 for a pixel without an event so far
 *
 * Shapes: a recording → [N, 2, H, W], a channel for each polarity. t₀ is the time of the first event; N as for {@link toFrames} with the
 * time window dt.
 *
 * @throws RangeError unless dt and tau are finite and > 0, or for a recording with events off the sensor or out of order; TypeError for anything but
 *   a recording, or an unknown option or a value of the wrong type.
 * @see Lagorce et al. (2017), HOTS: A Hierarchy of Event-Based Time-Surfaces for Pattern Recognition, IEEE Transactions on Pattern Analysis
 *   and Machine Intelligence 39(7).
 *
 * @example
 * ```ts
 * import { toTimesurface } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 50),
 *   x: Uint16Array.of(0, 1),
 *   y: Uint16Array.of(0, 0),
 *   p: Uint8Array.of(1, 1),
 *   width: 2,
 *   height: 1,
 * };
 * const surface = toTimesurface(events, { dt: 60, tau: 50, includeIncomplete: true }); // the later event is brighter
 * console.log(surface.shape, `${surface.select(0, 0).select(0, 1)}`);
 * // [ 1, 2, 1, 2 ] Tensor([1, 2], [0.30119, 0.81873])
 * ```
 */
export function toTimesurface(events: EventRecording, options: TimesurfaceOptions): Tensor {
  const where = "toTimesurface";
  const { dt, tau, includeIncomplete } = withDefaults(where, TIMESURFACE, options);
  numberOf(where, "dt", dt, POSITIVE);
  numberOf(where, "tau", tau, POSITIVE);
  const recording = checkedRecording(where, events);
  const { t, width, height } = recording;
  const slices = slicesOf(where, recording, { ...SLICES, timeWindow: dt, includeIncomplete });
  const shape = [slices.length, 2, height, width];
  checkSize(where, shape, sizeOf(shape));
  const size = 2 * width * height;
  const last = new Float64Array(size).fill(-Infinity);
  const z = emptyOf(shape);
  const values = peek(z);
  const [first = 0] = t;
  slices.forEach(([from, to], n) => {
    setTimes(last, recording, from, to);
    negativeAges(values.subarray(n * size, (n + 1) * size), last, first + (n + 1) * dt, tau);
    // The exponentials overwrite the ages of a surface while it is in the cache.
    const at = z.ptr + 4 * n * size;
    k.exp(at, at, size);
  });
  return z;
}

/** Writes the times of the events [from, to) at their pixels. */
function setTimes(last: Float64Array, { t, x, y, p, width, height }: EventRecording, from: number, to: number): void {
  const plane = width * height;
  for (let i = from; i < to; i++) {
    last[Math.imul(p[i] as number, plane) + Math.imul(y[i] as number, width) + (x[i] as number)] = t[i] as number;
  }
}

function negativeAges(ages: Float32Array | Float64Array, last: Float64Array, now: number, tau: number): void {
  const rate = 1 / tau;
  // Two values per iteration, since the loop costs as much as a value; with two polarities, the number of values is even.
  for (let i = 0; i < ages.length; i += 2) {
    ages[i] = ((last[i] as number) - now) * rate;
    ages[i + 1] = ((last[i + 1] as number) - now) * rate;
  }
}

/** Options of {@link toAveragedTimesurface}. */
export interface AveragedTimesurfaceOptions {
  /** Pixels of the side of a cell, an integer ≥ surfaceSize; default 10. */
  cellSize?: number;
  /** S, pixels of the side of a surface, an odd positive integer; default 5. */
  surfaceSize?: number;
  /** Time window before an event in which earlier events count, µs; finite and > 0, default 1000. */
  timeWindow?: number;
  /** τ, the time constant in µs; finite and > 0, default 100. */
  tau?: number;
  /** "exp" (default): e^−Δt/τ; "lin": 1 − Δt/3τ. */
  decay?: "exp" | "lin";
}

const AVERAGED = {
  cellSize: 10,
  surfaceSize: 5,
  timeWindow: 1000,
  tau: 100,
  decay: "exp" as "exp" | "lin",
};
const ODD: Range = { expected: "an odd positive integer", fits: (n) => COUNT.fits(n) && n % 2 === 1 };

/** Number of pairs of events whose decays are computed at once. */
const PAIRS = 2 ** 16;

/**
 * Histograms of averaged time surfaces: the sensor is divided into cells, and each cell has, for each polarity, the mean surface of its events. The
 * surface of an event is 1 at its centre, plus e^−Δt/τ at the offset of each earlier event of the same cell and polarity within the time window.
 *
 * Shapes: a recording → [cells, 2, S, S], with cells in rows from the top left; cells at the right and bottom edges may be smaller.
 *
 * @throws RangeError for an option out of range, surfaces larger than cells, or a recording with events off the sensor or out of order; TypeError for
 *   anything but a recording, or an unknown option or a value of the wrong type.
 * @see Sironi, Brambilla, Bourdis, Lagorce and Benosman (2018), HATS: Histograms of Averaged Time Surfaces for Robust Event-Based Object
 *   Classification, CVPR.
 *
 * @example
 * ```ts
 * import { toAveragedTimesurface } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 1000),
 *   x: Uint16Array.of(4, 5),
 *   y: Uint16Array.of(4, 4),
 *   p: Uint8Array.of(1, 1),
 *   width: 20,
 *   height: 10,
 * };
 * console.log(toAveragedTimesurface(events, { cellSize: 10, surfaceSize: 5 }).shape); // [ 2, 2, 5, 5 ]
 * ```
 */
export function toAveragedTimesurface(events: EventRecording, options: AveragedTimesurfaceOptions = AVERAGED): Tensor {
  const where = "toAveragedTimesurface";
  const { cellSize, surfaceSize, timeWindow, tau, decay } = withDefaults(where, AVERAGED, options);
  numberOf(where, "surfaceSize", surfaceSize, ODD);
  numberOf(where, "cellSize", cellSize, COUNT);
  if (cellSize < surfaceSize) throw wrongValue(where, `a cellSize of at least surfaceSize, ${surfaceSize}`, cellSize);
  numberOf(where, "timeWindow", timeWindow, POSITIVE);
  numberOf(where, "tau", tau, POSITIVE);
  choiceOf(where, "decay", decay, ["exp", "lin"]);
  const recording = checkedRecording(where, events);
  const { t, x, y, width, height } = recording;
  const columns = Math.ceil(width / cellSize);
  const shape = [columns * Math.ceil(height / cellSize), 2, surfaceSize, surfaceSize];
  checkSize(where, shape, sizeOf(shape));
  const area = surfaceSize * surfaceSize;
  const radius = (surfaceSize - 1) / 2;
  const sums = new Float64Array(sizeOf(shape));
  const decays = new Decays(sums, decay === "exp");
  const { places, ends } = placesOf(recording, cellSize, columns, shape[0] as number);
  ends.forEach((end, memory) => {
    const centre = memory * area + radius * surfaceSize + radius;
    const first = memory === 0 ? 0 : (ends[memory - 1] as number);
    let from = first;
    for (let k = first; k < end; k++) {
      const i = places[k] as number;
      const time = t[i] as number;
      while ((t[places[from] as number] as number) < time - timeWindow) from++;
      sums[centre] = (sums[centre] as number) + 1;
      for (let h = from; h < k; h++) {
        const j = places[h] as number;
        const dx = (x[j] as number) - (x[i] as number);
        const dy = (y[j] as number) - (y[i] as number);
        if (dx > radius || dx < -radius || dy > radius || dy < -radius) continue;
        decays.add(centre + dy * surfaceSize + dx, (time - (t[j] as number)) / tau);
      }
    }
  });
  decays.flush();
  ends.forEach((end, memory) => {
    const events = end - (memory === 0 ? 0 : (ends[memory - 1] as number));
    for (let i = memory * area; i < (memory + 1) * area; i++) sums[i] = (sums[i] as number) / Math.max(events, 1);
  });
  return tensor(new Float32Array(sums), { shape });
}

/** Indices of the events, in order, by cell and polarity, and the end of each cell and polarity. */
function placesOf(
  { t, x, y, p }: EventRecording,
  side: number,
  columns: number,
  cells: number,
): { readonly places: Uint32Array; readonly ends: Uint32Array } {
  const memories = new Uint32Array(t.length);
  for (let i = 0; i < t.length; i++) {
    const cell = Math.floor((y[i] as number) / side) * columns + Math.floor((x[i] as number) / side);
    memories[i] = 2 * cell + (p[i] as number);
  }
  return dealt(memories, 2 * cells);
}

/** Accumulates decays, which the exp kernel computes in bulk. */
class Decays {
  private readonly sums: Float64Array;
  private readonly isExponential: boolean;
  private readonly ages = new Float32Array(PAIRS);
  private readonly places = new Uint32Array(PAIRS);
  private count = 0;

  constructor(sums: Float64Array, isExponential: boolean) {
    this.sums = sums;
    this.isExponential = isExponential;
  }

  /** Adds the decay of an age, in time constants, to the sum at a place. */
  add(place: number, age: number): void {
    const { sums } = this;
    if (!this.isExponential) {
      sums[place] = (sums[place] as number) + 1 - age / 3;
      return;
    }
    if (this.count === PAIRS) this.flush();
    this.places[this.count] = place;
    this.ages[this.count++] = -age;
  }

  flush(): void {
    const { sums, places, ages, count } = this;
    if (count === 0) return;
    const decays = noGrad(() => exp(tensor(ages.subarray(0, count))).toFloat32Array());
    for (let i = 0; i < count; i++) {
      const place = places[i] as number;
      sums[place] = (sums[place] as number) + (decays[i] as number);
    }
    this.count = 0;
  }
}
