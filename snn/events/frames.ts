/** Recordings as tensors: frames of counts, spikes, voxel grids, and frames of few bits. */
import { COUNT, numberOf, type Range, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive, composed, inReference, integersAt, peek, spikesAt, streamBytes } from "../../engine/extend.ts";
import { div, gt, mul, noGrad, sum, type Tensor, tensor, zeros } from "../../engine/index.ts";
import { checkSize, formatShape, type Shape, sizeOf } from "../../engine/shape.ts";
import { emptyOf, emptySpikesOf } from "../../engine/unchecked.ts";
import { checkedRecording } from "./checked.ts";
import type { EventRecording } from "./recording.ts";
import { SLICES, type Slice, type SliceOptions, slicesOf } from "./slices.ts";

/** Options of {@link toFrames} and {@link toSpikes}. */
export interface FrameOptions extends SliceOptions {
  /** P, the number of channels: 2 (default), OFF and ON; or 1 for both polarities together. */
  polarities?: 1 | 2;
}

const FRAMES = { ...SLICES, polarities: 2 };
const POLARITIES: Range = { expected: "1 or 2", fits: (n) => n === 1 || n === 2 };

/** One or more recordings, cut into T slices each. */
interface Cut {
  readonly recordings: readonly { readonly events: EventRecording; readonly slices: readonly Slice[] }[];
  /** [T, P, H, W], or [T, B, P, H, W] for a list. */
  readonly shape: Shape;
  readonly polarities: number;
}

/** Cuts recordings of one sensor by the options; recordings with fewer slices than others are padded with empty slices. */
function cut(where: string, given: EventRecording | readonly EventRecording[], options: FrameOptions): Cut {
  const asked = withDefaults(where, FRAMES, options) as typeof FRAMES;
  const polarities = numberOf(where, "polarities", asked.polarities, POLARITIES);
  const isList = Array.isArray(given);
  const list = isList ? Array.from(given as readonly EventRecording[]) : [given as EventRecording];
  if (list.length === 0) throw wrongValue(where, "one recording or more", "none");
  const recordings = list.map((each) => {
    const events = checkedRecording(where, each);
    return { events, slices: slicesOf(where, events, asked) };
  });
  const { width, height } = (recordings[0] as (typeof recordings)[0]).events;
  for (const { events } of recordings) {
    if (events.width === width && events.height === height) continue;
    throw wrongValue(where, `recordings of one sensor, ${width} × ${height}`, `${events.width} × ${events.height}`);
  }
  const T = Math.max(...recordings.map(({ slices }) => slices.length));
  const shape = [T, ...(isList ? [list.length] : []), polarities, height, width];
  checkSize(where, shape, sizeOf(shape));
  return { recordings, shape, polarities };
}

const NO_EVENTS: Slice = [0, 0];

/**
 * Calls `write` for each frame, in the order of memory, with the events of its slice and the index of its first element. Padding frames have
 * no events.
 */
function eachFrame(
  { recordings, shape }: Cut,
  write: (events: EventRecording, slice: Slice, at: number) => void,
): void {
  const size = sizeOf(shape.slice(-3));
  let at = 0;
  for (let t = 0; t < (shape[0] as number); t++) {
    for (const { events, slices } of recordings) {
      write(events, slices[t] ?? NO_EVENTS, at);
      at += size;
    }
  }
}

/**
 * Counts the events of each slice, pixel and polarity.
 *
 * Shapes: a recording → [T, P, H, W]; a list of B recordings of one sensor → [T, B, P, H, W], with T of the longest recording and zeros after the end
 * of the others. Slices are cut as in tonic: by time from the first event on, by number of events, or into bins.
 *
 * @throws RangeError unless exactly one way to cut is given and options are in range; for an empty list, recordings of several sensors, or events off
 *   the sensor or out of order; TypeError for anything but a recording, or an unknown option or a value of the wrong type.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { toFrames } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 40, 40, 130),
 *   x: Uint16Array.of(0, 1, 1, 0),
 *   y: Uint16Array.of(0, 0, 0, 0),
 *   p: Uint8Array.of(1, 0, 0, 1),
 *   width: 2,
 *   height: 1,
 * };
 * const frames = toFrames(events, { timeWindow: 100, includeIncomplete: true }); // OFF, then ON
 * console.log(frames.shape, frames.select(0, 0).toArray()); // [ 2, 2, 1, 2 ] [ [ [ 0, 2 ] ], [ [ 1, 0 ] ] ]
 * ```
 */
export function toFrames(events: EventRecording | readonly EventRecording[], options: FrameOptions): Tensor {
  const parts = cut("toFrames", events, options);
  const z = emptyOf(parts.shape);
  const values = peek(z);
  eachFrame(parts, (recording, [from, to], at) => {
    const { width, height } = recording;
    // A frame is zeroed just before it is written, so that it is in the cache.
    values.fill(0, at, at + parts.polarities * width * height);
    countEvents(values, at, recording, parts.polarities === 2 ? width * height : 0, from, to);
  });
  return z;
}

/** Adds 1 to an element for each of the events [from, to). `plane` is the distance of the polarities, in elements. */
function countEvents(
  values: Float32Array | Float64Array,
  at: number,
  { x, y, p, width }: EventRecording,
  plane: number,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const place = at + Math.imul(p[i] as number, plane) + Math.imul(y[i] as number, width) + (x[i] as number);
    values[place] = (values[place] as number) + 1;
  }
}

/**
 * Spikes of each slice, pixel and polarity: 1 if there is at least one event. They are stored as bits, like the output of neurons and encoders, so
 * the cost of the next layer follows the number of events.
 *
 * Shapes and slices are those of {@link toFrames}.
 *
 * @throws RangeError and TypeError as {@link toFrames}.
 * @see Lenz et al. (2021), Tonic: event-based datasets and transformations, https://doi.org/10.5281/zenodo.5079802.
 *
 * @example
 * ```ts
 * import { toSpikes } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 40, 40, 130),
 *   x: Uint16Array.of(0, 1, 1, 0),
 *   y: Uint16Array.of(0, 0, 0, 0),
 *   p: Uint8Array.of(1, 0, 0, 1),
 *   width: 2,
 *   height: 1,
 * };
 * const spikes = toSpikes([events, events], { nTimeBins: 20 }); // a batch of two
 * console.log(spikes.shape); // [ 20, 2, 2, 1, 2 ]
 * ```
 */
export function toSpikes(events: EventRecording | readonly EventRecording[], options: FrameOptions): Tensor {
  if (inReference()) return noGrad(() => gt(toFrames(events, options), 0));
  const parts = cut("toSpikes", events, options);
  const z = emptySpikesOf(parts.shape);
  const words = integersAt(spikesAt(z), streamBytes(z.size) / 4);
  let cleared = 0;
  eachFrame(parts, (recording, [from, to], at) => {
    const { width, height } = recording;
    // Words are zeroed just before their frame is written, so that they are in the cache.
    const end = Math.ceil((at + parts.polarities * width * height) / 32);
    words.fill(0, cleared, end);
    cleared = end;
    setBits(words, at, recording, parts.polarities === 2 ? width * height : 0, from, to);
  });
  words.fill(0, cleared);
  return z;
}

/** Sets the bit of each of the events [from, to). Elements are fewer than 2³¹, so that 32-bit products are exact. */
function setBits(
  words: Int32Array | Float64Array,
  at: number,
  { x, y, p, width }: EventRecording,
  plane: number,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const place = at + Math.imul(p[i] as number, plane) + Math.imul(y[i] as number, width) + (x[i] as number);
    words[place >>> 5] = (words[place >>> 5] as number) | (1 << place);
  }
}

/** Options of {@link toVoxelGrid}. */
export interface VoxelOptions {
  /** Bins over the time of the recording, a positive integer; default 10. */
  nTimeBins?: number;
  /** Whether OFF events count as −1, as in the paper; default false: every event counts as 1, as in tonic, where polarities are booleans. */
  signed?: boolean;
}

const VOXELS = { nTimeBins: 10, signed: false };

/**
 * A voxel grid: each event is divided among the two bins next to its time by linear interpolation.
 *
 *   τ = n·(t − t₀)/(t₁ − t₀)      V[⌊τ⌋] += v·(1 − τ + ⌊τ⌋)      V[⌊τ⌋ + 1] += v·(τ − ⌊τ⌋)     bins ≥ n are left out
 *
 * v is 1, or −1 for OFF events with `signed`; t₀ and t₁ are the times of the first and the last event. Shapes: a recording → [n, 1, H, W].
 *
 * @throws RangeError unless nTimeBins is a positive integer, or for a recording with events off the sensor or out of order; TypeError for anything
 *   but a recording, or an unknown option or a value of the wrong type.
 * @see Zhu, Yuan, Chaney and Daniilidis (2019), Unsupervised Event-Based Learning of Optical Flow, Depth, and Egomotion, CVPR.
 *
 * @example
 * ```ts
 * import { toVoxelGrid } from "jarvis-snn/events";
 *
 * const events = {
 *   t: Float64Array.of(0, 25, 100),
 *   x: Uint16Array.of(0, 0, 0),
 *   y: Uint16Array.of(0, 0, 0),
 *   p: Uint8Array.of(1, 1, 1),
 *   width: 1,
 *   height: 1,
 * };
 * console.log(toVoxelGrid(events, { nTimeBins: 2 }).flatten().toArray()); // [ 1.5, 0.5 ]
 * ```
 */
export function toVoxelGrid(events: EventRecording, options: VoxelOptions = VOXELS): Tensor {
  const where = "toVoxelGrid";
  const { nTimeBins: n, signed } = withDefaults(where, VOXELS, options);
  numberOf(where, "nTimeBins", n, COUNT);
  const { t, x, y, p, width, height } = checkedRecording(where, events);
  const shape = [n, 1, height, width];
  checkSize(where, shape, sizeOf(shape));
  const plane = width * height;
  const z = zeros(shape);
  const grid = peek(z);
  const [first = 0] = t;
  const span = (t[t.length - 1] ?? 0) - first;
  for (let i = 0; i < t.length; i++) {
    const time = span === 0 ? 0 : (n * ((t[i] as number) - first)) / span;
    const bin = Math.floor(time);
    if (bin >= n) continue;
    const value = signed && p[i] === 0 ? -1 : 1;
    const place = bin * plane + (y[i] as number) * width + (x[i] as number);
    grid[place] = (grid[place] as number) + value * (1 - (time - bin));
    if (bin + 1 < n) grid[place + plane] = (grid[place + plane] as number) + value * (time - bin);
  }
  return z;
}

/** Options of {@link toBinaryRepresentation}. */
export interface BinaryOptions {
  /** T, the number of frames of the result, a positive integer; default 1. */
  nFrames?: number;
  /** N, the number of frames that become the bits of one, an integer in [2, 24]; default 8. */
  nBits?: number;
}

const BINARY = { nFrames: 1, nBits: 8 };
const BITS: Range = { expected: "an integer in [2, 24]", fits: (n) => Number.isInteger(n) && n >= 2 && n <= 24 };

/**
 * Bina-Rep frames: N frames become the bits of one frame. The first frame is the highest bit.
 *
 *   z = Σ_b 2^(N − 1 − b)·[x_b > 0] / (2^N − 1)
 *
 * Shapes: frames [T·N, P, H, W], such as those of {@link toFrames} → [T, P, H, W], values in [0, 1].
 *
 * @throws RangeError unless frames have four axes, the first of size T·N; TypeError for anything but a tensor, or an unknown option or a value of the
 *   wrong type.
 * @see Barchid, Mennesson and Djéraba (2022), Bina-Rep Event Frames: A Simple and Effective Representation for Event-Based Cameras, ICIP.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 * import { toBinaryRepresentation } from "jarvis-snn/events";
 *
 * const frames = tensor([3, 0, 1, 0], { shape: [4, 1, 1, 1] }); // [T·N, P, H, W]
 * console.log(`${toBinaryRepresentation(frames, { nFrames: 2, nBits: 2 }).flatten()}`);
 * // Tensor([2], [0.66667, 0.66667])
 * ```
 */
export function toBinaryRepresentation(frames: Tensor, options: BinaryOptions = BINARY): Tensor {
  const where = "toBinaryRepresentation";
  const { nFrames, nBits } = withDefaults(where, BINARY, options);
  numberOf(where, "nFrames", nFrames, COUNT);
  numberOf(where, "nBits", nBits, BITS);
  alive(frames, where);
  if (frames.ndim !== 4 || frames.sizes[0] !== nFrames * nBits) {
    throw wrongValue(where, `frames [${nFrames} · ${nBits}, P, H, W]`, formatShape(frames.sizes));
  }
  return composed(weighed, frames, nFrames, nBits);
}

function weighed(frames: Tensor, nFrames: number, nBits: number): Tensor {
  const weights = tensor(Array.from({ length: nBits }, (_, b) => [[[2 ** (nBits - 1 - b)]]]));
  const bits = frames.gt(0).reshape([nFrames, nBits, ...frames.sizes.slice(1)]);
  return div(sum(mul(bits, weights), { axis: 1 }), 2 ** nBits - 1);
}
