/** Pooling: windows over [..., C, H, W], each reduced to one value. All leading axes, including time, are a batch. */
import { allOptions, withDefaults, wrongValue } from "../arguments.ts";
import { extra, k } from "../core/backend.ts";
import { canTakeOver, gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { handOverAs, readsGradient } from "../forms/gradients.ts";
import type { PlacesForm, ShortOp } from "../forms/shortcuts.ts";
import { formOf, spikesAt } from "../forms/values.ts";
import { formatShape, type Shape } from "../shape.ts";
import { type Axis, makeTables, type Pair, recycleTables, sizeOption, tableBytes, windowOver } from "./windows.ts";

interface PoolOptions {
  /** Step between windows; default: the size of the window. */
  stride?: Pair | undefined;
  /** Number of extra places before and after each axis, at most half of the window; default 0. */
  padding?: Pair | undefined;
  /** Whether the last window may extend beyond the end; default false. */
  ceilMode?: boolean;
}

/** Options of {@link maxPool2d}. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between neighbouring values in a window; default 1. */
  dilation?: Pair | undefined;
}

/** Options of {@link avgPool2d}. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros; default true. If false, the mean is over the values in the window. */
  countIncludePad?: boolean;
}

interface Pooling {
  readonly shape: Shape;
  readonly y: Axis;
  readonly x: Axis;
  readonly countPadding: boolean;
}

/** Number of values of a plane, and of windows over it. */
const sizeOf = ({ y, x }: Pooling): number => y.size * x.size;
const windowsOf = ({ y, x }: Pooling): number => y.places * x.places;

/** Approximate number of windows whose maxima backward recomputes at a time. */
const BLOCK = 16384;

/** Writes the maxima [planes, windows] and their places, for planes of x from `first` on. Address 0 skips either. */
function findMaxima(maxima: number, places: number, x: Tensor, first: number, planes: number, p: Pooling): void {
  const at = first * sizeOf(p);
  const down = makeTables(p, p.countPadding);
  const across = down + tableBytes(p.y);
  // Packed spikes are pooled without padding only.
  if (formOf(x) === "bits") extra().maxPoolBits(maxima, places, x.bits + at / 8, down, across, planes);
  else extra().maxPool(maxima, places, x.ptr + 4 * at, down, across, planes);
  recycleTables(down, p);
}

/** Writes out a gradient that consists of values and places as floats. */
function writeOut(to: number, x: Tensor, { places, windows }: PlacesForm): void {
  const [height, width] = x.sizes.slice(-2) as [number, number];
  const planes = x.size / (height * width);
  k.fill(to, x.size, 0);
  extra().addAtPlaces(to, x.gradPtr, places, planes, height * width, windows / planes);
}

/** Whether packed spikes can be pooled as bits: no window may be empty, or wider than a word. */
const keepsBits = ({ y, x }: Pooling): boolean => y.padding + x.padding === 0 && (x.kernel - 1) * x.dilation < 32;

const maxPoolOp: ShortOp<Pooling> = {
  name: "maxPool2d",
  saves: SAVES.a,
  shortcuts: { reads: { a: ["bits"] }, lifts: 3, keepsBits },
  forward: (z, x, _y, _w, p) => findMaxima(spikesAt(z), 0, x, 0, x.size / sizeOf(p), p),
  /**
   * Recomputes the places of the maxima instead of storing them. If the op that made x reads its gradient
   * as values and places, all planes are done at once; otherwise one block of planes at a time.
   */
  backward(z, x, _y, _w, p) {
    const size = sizeOf(p);
    const windows = windowsOf(p);
    const planes = x.size / size;
    if (canTakeOver(x) && readsGradient(x, "places")) {
      const places = allocateInScope(4 * z.size);
      findMaxima(0, places, x, 0, planes, p);
      return handOverAs({ kind: "places", places, windows: z.size, writeOut }, z, x);
    }
    const dx = gradientAt(x);
    if (dx === 0) return;
    // Blocks start at whole words of spikes.
    const step = 32 * Math.ceil(BLOCK / windows / 32);
    const bytes = 4 * Math.min(planes, step) * windows;
    const places = allocateInScope(bytes);
    for (let first = 0; first < planes; first += step) {
      const count = Math.min(step, planes - first);
      findMaxima(0, places, x, first, count, p);
      extra().addAtPlaces(dx + 4 * first * size, z.gradPtr + 4 * first * windows, places, count, size, windows);
    }
    recycle(places, bytes);
  },
};

const avgPoolOp: ShortOp<Pooling> = {
  name: "avgPool2d",
  saves: SAVES.nothing,
  shortcuts: { reads: { a: ["bits"] }, lifts: 3 },
  forward(z, x, _y, _w, p) {
    const planes = x.size / sizeOf(p);
    const down = makeTables(p, p.countPadding);
    const across = down + tableBytes(p.y);
    if (formOf(x) === "bits") extra().avgPoolBits(z.ptr, x.bits, down, across, planes);
    else extra().avgPool(z.ptr, x.ptr, down, across, planes);
    recycleTables(down, p);
  },
  backward(z, x, _y, _w, p) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    const down = makeTables(p, p.countPadding);
    extra().avgPoolGrad(dx, z.gradPtr, down, down + tableBytes(p.y), x.size / sizeOf(p));
    recycleTables(down, p);
  },
};

function checkImages(where: string, x: Tensor): void {
  alive(x, where);
  if (x.ndim < 3) throw wrongValue(where, "x [..., C, H, W]", formatShape(x.sizes));
}

/** Window along an axis of `size` values. */
function windowAlong(where: string, axis: number, size: number, kernel: Pair, options: MaxPoolOptions): Axis {
  const n = sizeOption(where, "kernel", kernel, axis, 1);
  const { stride = n, padding = 0, dilation = 1, ceilMode } = options;
  const window = windowOver(where, axis, size, n, { stride, padding, dilation }, ceilMode);
  if (2 * window.padding > window.dilation * (n - 1) + 1) {
    throw wrongValue(where, `padding of at most half the kernel ${n}`, window.padding);
  }
  return window;
}

/** Options of both pools; each pool ignores the options of the other. */
const POOL: Required<MaxPoolOptions & AvgPoolOptions> = {
  stride: undefined,
  padding: undefined,
  dilation: undefined,
  ceilMode: false,
  countIncludePad: true,
};

/** Throws unless the options are in range. The check assumes an image of unlimited size. */
export function checkWindow(where: string, kernel: Pair, options: MaxPoolOptions): void {
  const settings = withDefaults(where, POOL, options);
  for (const axis of [0, 1]) windowAlong(where, axis, Infinity, kernel, settings);
}

function pool(op: Op<Pooling>, x: Tensor, y: Axis, q: Axis, countPadding: boolean): Tensor {
  const shape = [...x.sizes.slice(0, -2), y.places, q.places];
  return applyOp(op, { shape, y, x: q, countPadding }, x);
}

function poolWindows(op: Op<Pooling>, x: Tensor, kernel: Pair, options: MaxPoolOptions, countPadding: boolean): Tensor {
  const [height, width] = x.sizes.slice(-2) as [number, number];
  const y = windowAlong(op.name, 0, height, kernel, options);
  return pool(op, x, y, windowAlong(op.name, 1, width, kernel, options), countPadding);
}

/**
 * Maximum of each window: x [..., C, H, W] → [..., C, H′, W′] with H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) /
 * stride⌋ + 1, rounded up with `ceilMode`. Padding is never the maximum; a NaN always is. The first of equal values
 * gets the gradient. All leading axes are a batch. If x repeats one step along its first axis, the step is pooled once.
 * Without padding, packed spikes give packed spikes.
 *
 * @throws RangeError if x has fewer than three axes, no window fits or an option is out of range.
 */
export function maxPool2d(x: Tensor, kernel: Pair, options: MaxPoolOptions = POOL): Tensor {
  checkImages("maxPool2d", x);
  const settings = withDefaults("maxPool2d", POOL, options);
  return poolWindows(maxPoolOp, x, kernel, settings, false);
}

/**
 * Mean of each window: x [..., C, H, W] → [..., C, H′, W′], with the sizes of {@link maxPool2d} for dilation 1. Padding
 * counts as zeros unless `countIncludePad` is false; places beyond the padding, with `ceilMode`, never count. Each
 * value in a window of n values gets ∂L/∂z / n.
 *
 * @throws RangeError if x has fewer than three axes, no window fits or an option is out of range.
 */
export function avgPool2d(x: Tensor, kernel: Pair, options: AvgPoolOptions = POOL): Tensor {
  checkImages("avgPool2d", x);
  const settings = allOptions("avgPool2d", POOL, options);
  return poolWindows(avgPoolOp, x, kernel, { ...settings, dilation: 1 }, settings.countIncludePad);
}

/**
 * Mean of each window, for a given number of windows: x [..., C, H, W] → [..., C, ...outputSize]. Window i of n covers
 * the values from ⌊i·H / n⌋ to ⌈(i + 1)·H / n⌉ − 1, each of which gets an equal share of the gradient.
 *
 * @throws RangeError if x has fewer than three axes, or unless outputSize is a positive integer or two of them.
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  const where = "adaptiveAvgPool2d";
  checkImages(where, x);
  const [y, q] = [0, 1].map((axis) => ({
    size: x.sizes[x.ndim - 2 + axis] as number,
    places: sizeOption(where, "outputSize", outputSize, axis, 1),
    kernel: 0,
    stride: 0,
    padding: 0,
    dilation: 1,
  })) as [Axis, Axis];
  return pool(avgPoolOp, x, y, q, false);
}
