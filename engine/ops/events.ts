/**
 * Decides whether a convolution reads only the non-zeros of its images, and by which of two methods
 * (kernels/events.ts):
 *
 *   events    each non-zero adds to all windows that contain it
 *   windows   for spikes: a row of bits per window, one word per channel, gives the product the weights to add
 *
 * Both add in the order of the dense products. `followPatches` and `spreadMaps` of patches.ts run them.
 */
import { inReference, k } from "../core/backend.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { formOf } from "../forms/values.ts";
import type { Axis, Path, Windows } from "./windows.ts";

/** Number of values whose non-zeros are counted at a time. */
const COUNTED = 65536;
/** Smallest density of spikes for which rows of bits pay. */
const WINDOWED = 0.04;

/** Costs that `limitOf` counts: for four values of a product, and for four transposed weights. */
const DENSE = 0.58;
const TURNING = 2;

/** Chooses how a convolution reads x, by sizes and values only. The reference is always dense. */
export function choosePath(x: Tensor, g: Windows): void {
  if (!inReference()) g.path = pathOf(x, g);
}

function pathOf(x: Tensor, g: Windows): Path {
  const { y: down, x: across } = g;
  const limit = limitOf(x, g);
  if (formOf(x) === "bits") {
    const count = k.countBits(x.bits, Math.ceil(x.size / 32));
    g.density = count / x.size;
    if (count >= limit) return "dense";
    return count >= WINDOWED * x.size && fitsWords(down, across) ? "windows" : "events";
  }
  const bits = allocateInScope(COUNTED / 8);
  let count = 0;
  for (let i = 0; i < x.size && count < limit; i += COUNTED) {
    count += k.packBits(bits, x.ptr + 4 * i, 1, Math.min(COUNTED, x.size - i)) & 0x7fffffff;
  }
  recycle(bits, COUNTED / 8);
  return count < limit ? "events" : "dense";
}

/**
 * Number of non-zeros that cost as much as a dense product. The unit of cost is one addition of four values in memory:
 *
 *   a non-zero       all filters of each window that contains it, and the start of each run of neighbours
 *   dense product    four values of each filter, for all taps at all places, padding included
 *   turning          non-zeros need weights with filters as last axis: transposed in forward, twice for the gradient
 */
function limitOf(x: Tensor, { filters, groups, places, kernel, taps, size, y: down, x: across }: Windows): number {
  const vectors = Math.ceil(filters / 4);
  const columns = meetings(across) / across.size;
  const rows = meetings(down) / down.size;
  const runs = across.stride * across.dilation === 1 ? rows : rows * columns;
  const event = rows * columns * vectors + 8 * runs + 17;
  const dense = DENSE * vectors * kernel * places * (x.size / size);
  const turning = TURNING * vectors * taps * groups;
  // V8 stores an integer without allocating an object.
  return Math.ceil((dense - turning) / event);
}

/** Number of pairs (place, tap) that meet a value along an axis, not padding. */
function meetings({ size, places, kernel, stride, padding, dilation }: Axis): number {
  let count = 0;
  for (let place = 0; place < places; place++) {
    const start = place * stride - padding;
    const first = start < 0 ? Math.ceil(-start / dilation) : 0;
    const end = Math.min(kernel, Math.ceil((size - start) / dilation));
    count += Math.max(0, end - first);
  }
  return count;
}

/** Whether `windowBits` supports these sizes. */
function fitsWords(down: Axis, across: Axis): boolean {
  const height = down.size + 2 * down.padding;
  const width = across.size + 2 * across.padding;
  const small = down.kernel * across.kernel <= 32 && across.size <= 32 && height <= 64 && width <= 64;
  return small && 3 * across.stride + across.kernel <= 32 && down.dilation === 1 && across.dilation === 1;
}
