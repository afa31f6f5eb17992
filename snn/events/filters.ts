/** Filters of recordings: by neighbours, refractory period, pixels, polarity. */
import {
  listOf,
  NOT_NEGATIVE,
  numberOf,
  UNIT,
  WHOLE,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { generatorOf } from "../../engine/extend.ts";
import { checkedRecording, chosen } from "./checked.ts";
import { RANDOM_OPTIONS, type RandomEventOptions } from "./random.ts";
import { type EventRecording, largest } from "./recording.ts";

/** Options of {@link denoise}. */
export interface DenoiseOptions {
  /** Time after an event during which it supports its neighbours, µs; finite and ≥ 0, default 10 000. */
  filterTime?: number;
}

const DENOISE = { filterTime: 10_000 };

/**
 * Keeps the events with a recent neighbour: the pixel to the left, right, top or bottom had an event less than filterTime before. As in tonic, all
 * pixels within the bounds of the events count as active at time 0.
 *
 * @throws RangeError for a filterTime that is not finite and ≥ 0, or a recording with events off the sensor or out of order; TypeError for anything
 *   but a recording, or an unknown option or a value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { denoise } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(50_000, 50_010, 90_000),
 *   x: Uint16Array.of(4, 5, 9), // the second pixel is a neighbour of the first
 *   y: Uint16Array.of(4, 4, 9),
 *   p: Uint8Array.of(1, 1, 1),
 *   width: 10,
 *   height: 10,
 * };
 * console.log([...denoise(events, { filterTime: 10_000 }).t]); // [ 50010 ]
 * ```
 */
export function denoise(events: EventRecording, options: DenoiseOptions = DENOISE): EventRecording {
  const { filterTime } = withDefaults("denoise", DENOISE, options);
  numberOf("denoise", "filterTime", filterTime, NOT_NEGATIVE);
  const recording = checkedRecording("denoise", events);
  const { t, x, y } = recording;

  // A border of pixels that never count as active.
  const row = largest(x) + 3;
  const rows = largest(y) + 3;
  const until = new Float64Array(row * rows).fill(-Infinity);
  for (let i = 1; i < rows - 1; i++) until.fill(filterTime, i * row + 1, (i + 1) * row - 1);
  return chosen(recording, (places) => {
    let count = 0;
    for (let i = 0; i < t.length; i++) {
      const time = t[i] as number;
      const at = ((y[i] as number) + 1) * row + (x[i] as number) + 1;
      until[at] = time + filterTime;
      places[count] = i;
      count +=
        Number((until[at - 1] as number) > time) |
        Number((until[at + 1] as number) > time) |
        Number((until[at - row] as number) > time) |
        Number((until[at + row] as number) > time);
    }
    return count;
  });
}

/** Options of {@link refractoryPeriod}. */
export interface RefractoryPeriodOptions {
  /** Refractory period, µs; finite and ≥ 0. */
  refractoryPeriod: number;
}

const REFRACTORY = { refractoryPeriod: Number.NaN };

/**
 * Keeps the events that come more than refractoryPeriod after the previous event of their pixel, even if that event is
 * dropped.
 *
 * @throws RangeError for a refractoryPeriod that is not finite and ≥ 0, or a recording with events off the sensor or out of order; TypeError for
 *   anything but a recording, or an unknown option or a value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { refractoryPeriod } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 50, 500),
 *   x: Uint16Array.of(1, 1, 1),
 *   y: Uint16Array.of(0, 0, 0),
 *   p: Uint8Array.of(1, 1, 1),
 *   width: 4,
 *   height: 2,
 * };
 * console.log([...refractoryPeriod(events, { refractoryPeriod: 100 }).t]); // [ 0, 500 ]
 * ```
 */
export function refractoryPeriod(events: EventRecording, options: RefractoryPeriodOptions): EventRecording {
  const where = "refractoryPeriod";
  const { refractoryPeriod: period } = withDefaults(where, REFRACTORY, options);
  numberOf(where, "refractoryPeriod", period, NOT_NEGATIVE);
  const recording = checkedRecording(where, events);
  const { t, x, y, width, height } = recording;
  const last = new Float64Array(width * height).fill(-Infinity);
  return chosen(recording, (places) => {
    let count = 0;
    for (let i = 0; i < t.length; i++) {
      const at = (y[i] as number) * width + (x[i] as number);
      const time = t[i] as number;
      places[count] = i;
      count += Number(time - (last[at] as number) > period);
      last[at] = time;
    }
    return count;
  });
}

/** Options of {@link dropPixels}: exactly one must be given. */
export interface DropPixelsOptions extends RandomEventOptions {
  /** Pixels [x, y] to drop. */
  coordinates?: readonly (readonly number[])[];
  /** Drops hot pixels, those with more events per second than this over the whole recording. Finite and ≥ 0. */
  hotPixelFrequency?: number;
  /** Drops a random share of the pixels of the sensor, in [0, 1]. */
  probability?: number;
}

const DROP_PIXELS = {
  coordinates: undefined as DropPixelsOptions["coordinates"],
  hotPixelFrequency: undefined as number | undefined,
  probability: undefined as number | undefined,
  ...RANDOM_OPTIONS,
};

/**
 * Drops the events of some pixels: given ones, hot ones, or a random share.
 *
 * @throws RangeError unless exactly one of the three is given, for coordinates off the sensor, a frequency that is not finite and ≥ 0, a probability
 *   outside [0, 1], or a recording with events off the sensor or out of order; TypeError for anything but a recording, or an unknown option or a
 *   value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { dropPixels } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 10, 20),
 *   x: Uint16Array.of(0, 3, 1),
 *   y: Uint16Array.of(0, 1, 0),
 *   p: Uint8Array.of(1, 1, 0),
 *   width: 4,
 *   height: 2,
 * };
 * console.log([...dropPixels(events, { coordinates: [[3, 1]] }).t]); // [ 0, 20 ]
 * ```
 */
export function dropPixels(events: EventRecording, options: DropPixelsOptions): EventRecording {
  const where = "dropPixels";
  const { coordinates, hotPixelFrequency, probability, generator } = withDefaults(where, DROP_PIXELS, options);
  const ways = Object.entries({ coordinates, hotPixelFrequency, probability }).filter(([, way]) => way !== undefined);
  if (ways.length !== 1) {
    const got = ways.map(([name]) => name).join(" and ") || "none";
    throw wrongValue(where, "one of coordinates, hotPixelFrequency and probability", got);
  }
  const from = generatorOf(where, generator);
  const recording = checkedRecording(where, events);
  const { t, x, y, width, height } = recording;
  const pixels = width * height;
  const dropped = new Uint8Array(pixels);
  if (coordinates !== undefined) {
    if (!Array.isArray(coordinates)) throw wrongType(where, "coordinates as a list of pixels [x, y]", coordinates);
    for (const [i, pixel] of coordinates.entries()) {
      const [px, py] = listOf(where, `coordinates[${i}]`, pixel, WHOLE, 2) as [number, number];
      if (!(px < width && py < height)) throw wrongValue(where, `pixels on ${width} × ${height}`, `[${px}, ${py}]`);
      dropped[py * width + px] = 1;
    }
  } else if (hotPixelFrequency !== undefined) {
    numberOf(where, "hotPixelFrequency", hotPixelFrequency, NOT_NEGATIVE);
    const counts = new Uint32Array(pixels);
    for (let i = 0; i < t.length; i++) {
      const at = (y[i] as number) * width + (x[i] as number);
      counts[at] = (counts[at] as number) + 1;
    }
    const most = hotPixelFrequency * ((t[t.length - 1] ?? 0) - (t[0] ?? 0)) * 1e-6;
    for (let at = 0; at < pixels; at++) dropped[at] = Number((counts[at] as number) > most);
  } else {
    const part = numberOf(where, "probability", probability, UNIT);
    for (const at of from.permutation(pixels).subarray(0, Math.round(part * pixels))) dropped[at] = 1;
  }
  return chosen(recording, (places) => {
    let count = 0;
    for (let i = 0; i < x.length; i++) {
      places[count] = i;
      count += (dropped[(y[i] as number) * width + (x[i] as number)] as number) ^ 1;
    }
    return count;
  });
}

/**
 * Sets every polarity to OFF, so that both count alike; `toFrames` with `polarities: 1` does the same.
 *
 * @throws RangeError for a recording with events off the sensor or out of order; TypeError for anything but a recording.
 *
 * @example
 * ```ts
 * import { mergePolarities } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 10),
 *   x: Uint16Array.of(0, 1),
 *   y: Uint16Array.of(0, 0),
 *   p: Uint8Array.of(1, 0),
 *   width: 4,
 *   height: 2,
 * };
 * console.log([...mergePolarities(events).p]); // [ 0, 0 ]
 * ```
 */
export function mergePolarities(events: EventRecording): EventRecording {
  const { t, x, y, p, width, height } = checkedRecording("mergePolarities", events);
  return { t: t.slice(), x: x.slice(), y: y.slice(), p: new Uint8Array(p.length), width, height };
}
