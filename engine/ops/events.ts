/** Convolutions of images with many zeros: what is not 0, one event after the other, adds to the windows over it. */
import { k } from "../backend.ts";
import { allocate, recycle, scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { type Axis, bytesOf, carve, type Windows } from "./windows.ts";

/** The events of images, and the weights they meet, with the filters innermost and the taps in reverse. */
export interface Events {
  readonly g: Windows;
  readonly images: Tensor;
  readonly turned: number;
  readonly down: number;
  readonly across: number;
  /** Bits of the non-zeros of an image, if it is floats. */
  readonly bits: number;
  readonly bytes: number;
}

/** Values that are looked through at a time. */
const COUNTED = 65536;
/** Whether x has so many zeros that a convolution follows the rest. Depends on sizes and values only. */
export function isSparse(x: Tensor, filters: number, down: Axis, across: Axis): boolean {
  // What an event costs: vectors under the windows over it, runs of neighbours, and itself. A dense product works on as many
  // vectors for every value, in a little more than half the time.
  const windows = (down.kernel * across.kernel) / (down.stride * across.stride);
  const runs = across.stride * across.dilation === 1 ? down.kernel / down.stride : windows;
  const vectors = windows * Math.ceil(filters / 4);
  const limit = ((0.58 * vectors) / (vectors + 8 * runs + 17)) * x.size;
  if (x.ptr === 0) return k.countBits(x.bits, Math.ceil(x.size / 32)) < limit;
  const bits = allocate(COUNTED / 8);
  let count = 0;
  for (let i = 0; i < x.size && count < limit; i += COUNTED) {
    count += k.packBits(bits, x.ptr + 4 * i, 1, Math.min(COUNTED, x.size - i)) & 0x7fffffff;
  }
  recycle(bits, COUNTED / 8, scope.region);
  return count < limit;
}

export function startEvents(g: Windows, weights: number, images: Tensor): Events {
  const { groups, channels, filters, y, x } = g;
  const taps = channels * y.kernel * x.kernel;
  const words = [
    groups * filters * taps,
    5 * y.size,
    5 * x.size,
    Math.ceil((channels * y.size * x.size) / 32) + 1,
  ] as const;
  const [turned, down, across, bits] = carve(words);
  const unit = 4 * filters;
  k.overlaps(down, y.size, y.places, y.kernel, y.stride, y.padding, y.dilation, x.kernel * unit, x.places * unit);
  k.overlaps(across, x.size, x.places, x.kernel, x.stride, x.padding, x.dilation, unit, unit);
  k.copyStrided(turned, weights + 4 * (taps - 1), 1, groups, taps, filters, 0, filters * taps, -1, taps);
  return { g, images, turned, down, across, bits, bytes: bytesOf(words) };
}

/** maps [places, filters] of a group of channels of an image, the n-th of all, += weights · x, or with `toWeights` = 1 the other way. */
export function addEvents(
  { g, images, turned, down, across, bits }: Events,
  maps: number,
  n: number,
  toWeights: 0 | 1,
): void {
  const { groups, channels, filters, y, x } = g;
  const kernel = y.kernel * x.kernel;
  const values = channels * y.size * x.size;
  const weights = turned + 4 * (n % groups) * channels * kernel * filters;
  let stream = images.bits;
  let first = n * values;
  let image = 0;
  if (images.ptr !== 0) {
    image = images.ptr + 4 * first;
    stream = bits;
    first = 0;
    k.packBits(bits, image, 1, values);
  }
  k.addEvents(maps, weights, stream, first, image, down, across, channels, y.size, x.size, kernel, filters, toWeights);
}

/** Gives back the memory; before that, writes the weights back unless the address is 0. */
export function endEvents({ g, turned, bytes }: Events, weights: number): void {
  const { groups, channels, filters, y, x } = g;
  const taps = channels * y.kernel * x.kernel;
  const last = turned + 4 * (taps - 1) * filters;
  if (weights !== 0) k.copyStrided(weights, last, 1, groups, filters, taps, 0, filters * taps, 1, -filters);
  recycle(turned, bytes, scope.region);
}

/** maps ← bias (or 0, the address) + weights · patches */
export function mapEvents(g: Windows, maps: number, weights: number, images: Tensor, bias: number): void {
  const { groups, filters } = g;
  const places = g.y.places * g.x.places;
  const bytes = 4 * places * filters;
  const events = startEvents(g, weights, images);
  const side = allocate(bytes);
  for (let n = 0; n < g.images * groups; n++) {
    if (bias === 0) k.fill(side, places * filters, 0);
    else k.expandAxis(side, bias + 4 * (n % groups) * filters, 1, places, filters);
    addEvents(events, side, n, 0);
    k.transpose(maps + n * bytes, side, places, filters);
  }
  recycle(side, bytes, scope.region);
  endEvents(events, 0);
}
