/** Windows that move along the axes of an image: sizes, checks, and how convolutions read images. */
import { show, wrongType, wrongValue } from "../arguments.ts";
import { extra } from "../core/backend.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { MAX_ELEMENTS, type Shape, sizeOf } from "../shape.ts";

/** One number for height and width, or [height, width]. */
export type Pair = number | readonly [height: number, width: number];

/** A window along one axis. */
export interface Axis {
  /** Number of values along the axis, and of places of the window. */
  readonly size: number;
  readonly places: number;
  /** Number of values under the window, and the distance between them. */
  readonly kernel: number;
  readonly dilation: number;
  readonly stride: number;
  /** Number of extra places before and after the axis. */
  readonly padding: number;
}

export interface AxisOptions {
  stride?: Pair | undefined;
  padding?: Pair | undefined;
  dilation?: Pair | undefined;
}

/** The vertical axis of a 1-D convolution: one row. */
export const FLAT: Axis = { size: 1, places: 1, kernel: 1, dilation: 1, stride: 1, padding: 0 };

/**
 * An option's value for the height (axis 0) or the width (axis 1).
 *
 * @throws RangeError unless it is an integer from `least` to 2³⁰, since kernels add two of them in 32 bits; TypeError
 *   for anything but a number or a pair.
 */
export function sizeOption(where: string, name: string, value: Pair, axis: number, least: number): number {
  const n: unknown = Array.isArray(value) && value.length === 2 ? value[axis] : value;
  if (typeof n !== "number") throw wrongType(where, `${name} as a number or two of them`, value);
  if (Number.isInteger(n) && n >= least && n <= MAX_ELEMENTS) return n;
  throw wrongValue(where, `${name} to be an integer in [${least}, 2³⁰] or two of them`, show(value));
}

/**
 * The places at which a window fits over `size` values. With `ceil`, one more place, where the window extends beyond
 * the end, if it starts at a value or before one.
 *
 * @throws RangeError if no place fits, or axis and padding have more than 2³⁰ values.
 */
export function windowOver(
  where: string,
  axis: number,
  size: number,
  kernel: number,
  { stride = 1, padding = 0, dilation = 1 }: AxisOptions,
  ceil = false,
): Axis {
  const s = sizeOption(where, "stride", stride, axis, 1);
  const p = sizeOption(where, "padding", padding, axis, 0);
  const d = sizeOption(where, "dilation", dilation, axis, 1);
  const width = d * (kernel - 1) + 1;
  let places = Math.floor((size + 2 * p - width + (ceil ? s - 1 : 0)) / s) + 1;
  if (ceil && (places - 1) * s >= size + p) places--;
  if (places < 1) throw wrongValue(where, `at least ${width} values under a window`, `${size} with padding ${p}`);
  if (size < Infinity && size + 2 * p > MAX_ELEMENTS) {
    throw wrongValue(where, "at most 2³⁰ values along an axis", `${size} with padding ${p}`);
  }
  return { size, places, kernel, dilation: d, stride: s, padding: p };
}

/** Windows along both axes of an image. */
interface Axes {
  readonly y: Axis;
  readonly x: Axis;
}

/** Bytes of an axis's table: nine integers, and three per window. */
export const tableBytes = ({ places }: Axis): number => 4 * (9 + 3 * places);

/**
 * Tables of the values that windows cover along each axis, in the format of the pooling and spike kernels: the table of
 * y, followed by that of x.
 */
export function makeTables({ y, x }: Axes, countPadding = false): number {
  const tables = allocateInScope(tableBytes(y) + tableBytes(x));
  makeTable(tables, y, countPadding);
  makeTable(tables + tableBytes(y), x, countPadding);
  return tables;
}

function makeTable(table: number, axis: Axis, countPadding: boolean): void {
  const { size, places, kernel, stride, padding, dilation } = axis;
  extra().spans(table, size, places, kernel, stride, padding, dilation, countPadding ? 1 : 0);
}

export function recycleTables(tables: number, { y, x }: Axes): void {
  recycle(tables, tableBytes(y) + tableBytes(x));
}

/**
 * How products read the images: "dense" all values, otherwise only non-zeros, by one of two methods (see events.ts).
 */
export type Path = "dense" | "events" | "windows";

/**
 * Sizes of images [groups·channels, y.size, x.size] and of maps [groups·filters, y.places, x.places], which have one
 * value per window.
 */
export interface Windows extends Axes {
  /** Shape of the result. */
  readonly shape: Shape;
  /** Number of values of the result per image. */
  readonly each: number;
  readonly groups: number;
  readonly channels: number;
  readonly filters: number;
  /** Number of values under a window: in one channel, and in all channels of a group. */
  readonly kernel: number;
  readonly taps: number;
  /** Number of windows over an image, and of values in a plane. */
  readonly places: number;
  readonly size: number;
  /** Where the used taps are in the weights; null if all taps are used. */
  readonly live: LiveTaps | null;
  /** Whether gradients of images may be computed in tiles, see `fitsTiles`. */
  readonly isTiled: boolean;
  /** Method that the values of the images call for. */
  path: Path;
  /** Share of spikes among packed values. */
  density: number;
}

/**
 * The taps of a kernel that meet a value somewhere; the others meet only padding. They start at value `first`, in rows
 * of `row` values.
 */
interface LiveTaps {
  readonly first: number;
  readonly row: number;
  /** Number of values of the whole kernel in a channel. */
  readonly kernel: number;
}

/** The axis without taps at its ends that meet only padding, and the number of such taps at the beginning. */
function liveAxis(axis: Axis): [axis: Axis, first: number] {
  const { size, places, kernel, stride, padding, dilation } = axis;
  /** Whether this tap meets a value at some place of the window. */
  const meets = (tap: number): boolean => {
    const from = tap * dilation - padding;
    const place = Math.max(0, Math.ceil(-from / stride));
    return place < places && from + place * stride < size;
  };
  let first = 0;
  let end = kernel;
  const most = Math.min(Math.floor(padding / dilation), kernel - 1);
  while (first < most && !meets(first)) first++;
  while (end > first + 1 && !meets(end - 1)) end--;
  const live = { ...axis, kernel: end - first, padding: padding - first * dilation };
  const reach = (places - 1) * stride + (live.kernel - 1) * dilation + 1;
  // Padding has equal width at both ends, so the shorter window must still fit.
  return live.kernel < kernel && reach <= size + 2 * live.padding ? [live, first] : [axis, 0];
}

/**
 * Channels and filters of tiles are multiples of LANES, because the loops of their kernel have no tails. An image has at
 * least LEAST values, because a smaller one has few tiles for the weights that must be laid out. Its tiles take at most
 * MOST products a value, where windows take nine.
 */
const LANES = 16;
const LEAST = 16;
const MOST = 6;

/**
 * Whether gradients of images under these windows may be computed in tiles of 2 × 2 (kernels/conv-tiles.ts). Only sizes
 * decide, because tiles round differently, and bits must not depend on how values are stored.
 */
function fitsTiles(groups: number, channels: number, filters: number, { y, x }: Axes): boolean {
  if (groups > 1 || channels % LANES !== 0 || filters % LANES !== 0) return false;
  const size = y.size * x.size;
  const products = 16 * Math.ceil(y.size / 2) * Math.ceil(x.size / 2);
  return size >= LEAST && products <= MOST * size && isTileAxis(y) && isTileAxis(x);
}

const isTileAxis = ({ kernel, stride, dilation, padding }: Axis): boolean =>
  kernel === 3 && stride === 1 && dilation === 1 && padding <= 2;

/**
 * Windows along both axes, for weights [groups·filters, channels, kernel height, kernel width]. Taps that meet no value
 * are left out.
 */
export function windows(shape: Shape, each: number, groups: number, weight: Shape, down: Axis, across: Axis): Windows {
  const [all, channels] = weight as [number, number];
  const [y, top] = liveAxis(down);
  const [x, left] = liveAxis(across);
  const kernel = y.kernel * x.kernel;
  const whole = down.kernel * across.kernel;
  return {
    shape,
    each,
    groups,
    channels,
    filters: all / groups,
    y,
    x,
    kernel,
    taps: channels * kernel,
    places: y.places * x.places,
    size: y.size * x.size,
    isTiled: fitsTiles(groups, channels, all / groups, { y, x }),
    live: kernel === whole ? null : { first: top * across.kernel + left, row: across.kernel, kernel: whole },
    path: "dense",
    density: 0,
  };
}

/** Number of images. */
export const imagesIn = ({ shape, each }: Windows): number => sizeOf(shape) / each;

/** A frozen copy of a pair, so that callers cannot change it; anything else is returned unchanged. */
export function frozenPair<Size>(value: Size): Size {
  if (!Array.isArray(value)) return value;
  // Up to three entries are copied: a third one shows that this is not a pair.
  const length = Math.min(value.length, 3);
  return Object.freeze(Array.from({ length }, (_, i) => value[i])) as Size;
}
