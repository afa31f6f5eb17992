/** Windows that move along the axes of an image: sizes, checks, and the ways in which convolutions pass over images. */

import * as layout from "../../kernels/conv-layout.ts";
import { show, wrongType, wrongValue } from "../arguments.ts";
import { extra, integers, wordsAt } from "../backend.ts";
import { allocate, recycle } from "../scope.ts";
import { MAX_ELEMENTS, type Shape, sizeOf } from "../shape.ts";

/** One number for height and width, or [height, width]. */
export type Pair = number | readonly [height: number, width: number];

/** A window along one axis. */
export interface Axis {
  /** Values along the axis, and places of the window. */
  readonly size: number;
  readonly places: number;
  /** Values under the window, and how far they lie apart. */
  readonly kernel: number;
  readonly dilation: number;
  readonly stride: number;
  /** Values beyond either end that the window may cover. */
  readonly padding: number;
}

export interface AxisOptions {
  stride?: Pair | undefined;
  padding?: Pair | undefined;
  dilation?: Pair | undefined;
}

/** The vertical axis of a 1-D convolution: one row, one window. */
export const FLAT: Axis = { size: 1, places: 1, kernel: 1, dilation: 1, stride: 1, padding: 0 };

/**
 * The height (axis 0) or the width (axis 1) that an option gives.
 *
 * @throws RangeError unless it is an integer, at least `least` and at most 2³⁰: kernels add two of them in 32 bits; TypeError
 *   for anything but a number or two.
 */
export function sizeOption(where: string, name: string, value: Pair, axis: number, least: number): number {
  const n: unknown = Array.isArray(value) && value.length === 2 ? value[axis] : value;
  if (typeof n !== "number") throw wrongType(where, `${name} as a number or two of them`, value);
  if (Number.isInteger(n) && n >= least && n <= MAX_ELEMENTS) return n;
  throw wrongValue(where, `${name} to be an integer in [${least}, 2³⁰] or two of them`, show(value));
}

/**
 * The places of a window over `size` values, as far as it fits. With `ceil` also a place where it reaches out at the
 * end, if it starts on a value or before it.
 *
 * @throws RangeError if there is none, or the axis has more than 2³⁰ values with its padding.
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

/** Bytes of the table of an axis: nine integers, and three for each window. */
export const tableBytes = ({ places }: Axis): number => 4 * (9 + 3 * places);

/** The cells that windows cover along an axis, as kernels of pools and of spikes take it: a table for y, and behind it one for x. */
export function makeTables({ y, x }: Axes, countPadding = false): number {
  const tables = allocate(tableBytes(y) + tableBytes(x));
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

/** How products take the images: whole, or their non-zeros, in one of two ways (events.ts). */
export type Path = "dense" | "events" | "windows";

/** Images [groups·channels, y.size, x.size], and the maps [groups·filters, y.places, x.places] of windows over them. */
export interface Windows extends Axes {
  /** The result's. */
  readonly shape: Shape;
  /** Values of the result in an image. */
  readonly each: number;
  readonly groups: number;
  readonly channels: number;
  readonly filters: number;
  /** Values under a window: of a channel, of all of a group. */
  readonly kernel: number;
  readonly taps: number;
  /** Windows over an image, and values of a plane. */
  readonly places: number;
  readonly size: number;
  /** A row and a plane with their padding. */
  readonly width: number;
  readonly plane: number;
  /** How the values ask for it. */
  path: Path;
  /** Share of the values that are spikes, where they are bits. */
  density: number;
}

export function windows(shape: Shape, each: number, groups: number, weight: Shape, y: Axis, x: Axis): Windows {
  const [all, channels] = weight as [number, number];
  const kernel = y.kernel * x.kernel;
  const size = y.size * x.size;
  const width = x.size + 2 * x.padding;
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
    size,
    width,
    plane: width * (y.size + 2 * y.padding),
    path: "dense",
    density: 0,
  };
}

/**
 * Describes the loop over the images of g at p (kernels/conv-layout.ts): sizes, so many images at a time, and a work area of so many bytes;
 * other words are 0. Returns the index of the first word in `integers`, which holds until memory is allocated.
 */
export function describeImages(p: number, g: Windows, batch: number, bytes: number): number {
  const at = wordsAt(p, layout.words);
  const { y, x, width } = g;
  integers.fill(0, at, at + layout.words);
  integers[at + layout.groups] = g.groups;
  integers[at + layout.channels] = g.channels;
  integers[at + layout.filters] = g.filters;
  integers[at + layout.kernel] = g.kernel;
  integers[at + layout.taps] = g.taps;
  integers[at + layout.places] = g.places;
  integers[at + layout.size] = g.size;
  integers[at + layout.plane] = g.plane;
  integers[at + layout.height] = y.size;
  integers[at + layout.columns] = x.size;
  integers[at + layout.width] = width;
  integers[at + layout.inner] = y.padding * width + x.padding;
  integers[at + layout.total] = imagesIn(g);
  integers[at + layout.batch] = batch;
  integers[at + layout.bytes] = bytes;
  return at;
}

/** How many images there are. */
export const imagesIn = ({ shape, each }: Windows): number => sizeOf(shape) / each;

/** The parts of a block of memory, one behind the other, each in whole lines of the cache. */
class Parts {
  /** Bytes of all parts so far. */
  bytes = 0;

  /** Begins a block: its first part has so many words, and the offset 0. */
  begin(words: number): void {
    this.bytes = 0;
    this.take(words);
  }

  /** The offset in bytes of a part of so many words. */
  take(words: number): number {
    const at = this.bytes;
    this.bytes += 4 * ((words + 15) & ~15);
    return at;
  }
}

/** The parts of the block that a convolution lays out now: one object for all, as a step of a stream makes none. */
export const parts = new Parts();

/** A frozen copy of a pair, which the caller may change later; anything else as it is. */
export function frozenPair<Size>(value: Size): Size {
  if (!Array.isArray(value)) return value;
  // A third entry shows that it is none.
  const length = Math.min(value.length, 3);
  return Object.freeze(Array.from({ length }, (_, i) => value[i])) as Size;
}
