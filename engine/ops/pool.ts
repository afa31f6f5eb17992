/** Pooling: windows over [..., C, H, W], reduced to one value each. All leading axes are a batch, time among them. */
import { k } from "../backend.ts";
import { apply, gradOf, type Op, SAVES_A, SAVES_NOTHING } from "../op.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { once } from "./expand.ts";
import { type Axis, along, type Pair, windowOver } from "./windows.ts";

interface PoolOptions {
  /** Steps of the window; by default its size. */
  stride?: Pair;
  /** Values beyond either end that the window may cover, at most half of it; default 0. */
  padding?: Pair;
  /** A last window may reach out at the end; default false. */
  ceilMode?: boolean;
}

/** Options of {@link maxPool2d}. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance of the values under the window; default 1. */
  dilation?: Pair;
}

/** Options of {@link avgPool2d}. */
export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts as zeros; default true. If not, the mean is over the values under the window. */
  countIncludePad?: boolean;
}

interface Pooling {
  readonly shape: Shape;
  readonly y: Axis;
  readonly x: Axis;
  readonly countPadding: boolean;
}

/** Values of a plane, and windows over it. */
const sizeOf = ({ y, x }: Pooling): number => y.size * x.size;
const windowsOf = ({ y, x }: Pooling): number => y.places * x.places;

/** Windows whose maxima are found again at a time. */
const BLOCK = 16384;

/** maxima [planes, windows] of planes at address x, and their places unless the address is 0 */
function findMaxima(maxima: number, places: number, x: number, planes: number, { y, x: q }: Pooling): void {
  k.maxPool(
    maxima,
    places,
    x,
    planes,
    y.size,
    q.size,
    y.places,
    q.places,
    y.kernel,
    q.kernel,
    y.stride,
    q.stride,
    y.padding,
    q.padding,
    y.dilation,
    q.dilation,
  );
}

const maxPoolOp: Op<Pooling> = {
  name: "maxPool2d",
  saves: SAVES_A,
  shape: ({ shape }) => shape,
  forward: (z, x, _y, _w, p) => findMaxima(z.ptr, 0, x.ptr, x.size / sizeOf(p), p),
  /** Finds the places of the maxima again, some planes at a time, rather than to keep them. */
  backward(z, x, _y, _w, p) {
    const dx = gradOf(x);
    if (dx === 0) return;
    const size = sizeOf(p);
    const windows = windowsOf(p);
    const planes = x.size / size;
    const step = Math.min(planes, Math.ceil(BLOCK / windows));
    const bytes = 4 * step * windows;
    const maxima = allocate(2 * bytes);
    for (let first = 0; first < planes; first += step) {
      const count = Math.min(step, planes - first);
      findMaxima(maxima, maxima + bytes, x.ptr + 4 * first * size, count, p);
      k.addAtPlaces(dx + 4 * first * size, z.gradPtr + 4 * first * windows, maxima + bytes, count, size, windows);
    }
    recycle(maxima, 2 * bytes, scope.region);
  },
};

const avgPoolOp: Op<Pooling> = {
  name: "avgPool2d",
  saves: SAVES_NOTHING,
  shape: ({ shape }) => shape,
  forward: (z, x, _y, _w, p) => average("avgPool", z.ptr, x.ptr, x.size, p),
  backward(z, x, _y, _w, p) {
    const dx = gradOf(x);
    if (dx !== 0) average("avgPoolGrad", dx, z.gradPtr, x.size, p);
  },
};

/** Runs the kernel with the tables of the windows. */
function average(kernel: "avgPool" | "avgPoolGrad", to: number, from: number, values: number, p: Pooling): void {
  const { y, x, countPadding } = p;
  const bytes = 12 * (y.places + x.places);
  const down = allocate(bytes);
  const across = down + 12 * y.places;
  const counted = countPadding ? 1 : 0;
  k.spans(down, y.size, y.places, y.kernel, y.stride, y.padding, counted);
  k.spans(across, x.size, x.places, x.kernel, x.stride, x.padding, counted);
  k[kernel](to, from, down, across, values / sizeOf(p), y.size, x.size, y.places, x.places);
  recycle(down, bytes, scope.region);
}

function checkImages(where: string, x: Tensor): void {
  if (x.ndim < 3) throw new RangeError(`${where}: expected x [..., C, H, W], got ${formatShape(x.shape)}`);
}

/** The window along an axis of `size` values. */
function windowAlong(where: string, axis: number, size: number, kernel: Pair, options: MaxPoolOptions): Axis {
  const { stride = kernel, padding = 0, dilation = 1, ceilMode } = options;
  const n = along(where, "kernel", kernel, axis, 1);
  const window = windowOver(where, axis, size, n, { stride, padding, dilation }, ceilMode);
  if (2 * window.padding > window.dilation * (n - 1) + 1) {
    throw new RangeError(`${where}: expected padding of at most half the kernel ${n}, got ${window.padding}`);
  }
  return window;
}

/** Throws unless the options are in range. Any size will do. */
export function checkWindow(where: string, kernel: Pair, options: MaxPoolOptions): void {
  for (const axis of [0, 1]) windowAlong(where, axis, Infinity, kernel, options);
}

function pool(op: Op<Pooling>, x: Tensor, y: Axis, q: Axis, countPadding: boolean): Tensor {
  const shape = [...x.shape.slice(0, -2), y.places, q.places];
  return apply(op, { shape, y, x: q, countPadding }, x);
}

function poolWindows(op: Op<Pooling>, x: Tensor, kernel: Pair, options: MaxPoolOptions, countPadding: boolean): Tensor {
  const [height, width] = x.shape.slice(-2) as [number, number];
  const y = windowAlong(op.name, 0, height, kernel, options);
  return pool(op, x, y, windowAlong(op.name, 1, width, kernel, options), countPadding);
}

/**
 * The maximum under each window: x [..., C, H, W] → [..., C, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, rounded up with `ceilMode`. Padding never is the maximum,
 * NaN always is; the gradient goes to the first of equal values. All leading axes are a batch; an x that is constant over
 * its first axis is pooled once.
 *
 * @throws RangeError if x has less than three axes, no window fits or an option is out of range.
 */
export function maxPool2d(x: Tensor, kernel: Pair, options: MaxPoolOptions = {}): Tensor {
  checkImages("maxPool2d", x);
  return once(maxPool2d, 3, x, kernel, options) ?? poolWindows(maxPoolOp, x, kernel, options, false);
}

/**
 * The mean under each window: x [..., C, H, W] → [..., C, H′, W′], with sizes as in {@link maxPool2d} for dilation 1.
 * Padding counts as zeros unless `countIncludePad` is false; what a window of `ceilMode` covers beyond the padding does not
 * count. Every value under a window of n gets ∂L/∂z / n.
 *
 * @throws RangeError if x has less than three axes, no window fits or an option is out of range.
 */
export function avgPool2d(x: Tensor, kernel: Pair, options: AvgPoolOptions = {}): Tensor {
  checkImages("avgPool2d", x);
  return (
    once(avgPool2d, 3, x, kernel, options) ??
    poolWindows(avgPoolOp, x, kernel, { ...options, dilation: 1 }, options.countIncludePad ?? true)
  );
}

/**
 * Means over windows that divide [H, W] evenly: x [..., C, H, W] → [..., C, ...outputSize]. Window i of n covers the values
 * from ⌊i·H / n⌋ to ⌈(i + 1)·H / n⌉ − 1, and gives each of them its share of the gradient.
 *
 * @throws RangeError if x has less than three axes, or unless outputSize is a positive integer or two of them.
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  const where = "adaptiveAvgPool2d";
  checkImages(where, x);
  const constant = once(adaptiveAvgPool2d, 3, x, outputSize);
  if (constant !== null) return constant;
  const [y, q] = [0, 1].map((axis) => ({
    size: x.shape[x.ndim - 2 + axis] as number,
    places: along(where, "outputSize", outputSize, axis, 1),
    kernel: 0,
    stride: 0,
    padding: 0,
    dilation: 0,
  })) as [Axis, Axis];
  return pool(avgPoolOp, x, y, q, false);
}
