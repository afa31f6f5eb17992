/**
 * The products of a convolution. The values under the windows are a matrix, places in a window × places of the window;
 * three products tie it to weights and maps:
 *
 *   maps = bias + weights · patches        weights += maps · patchesᵀ        images += the patches weightsᵀ · maps
 *
 * For the first two the patches are tables of offsets (kernels/patches.ts); small images are taken several at a time. What
 * has many zeros is not multiplied as a whole: see events.ts for images, and `spreadMaps` for maps. The loops over images are
 * kernels (kernels/conv.ts); on the float64 backend each of the three is `convolve`, a plain loop.
 */
import * as layout from "../../kernels/conv-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { convolution, extra, integers, k } from "../backend.ts";
import { recycle } from "../scope.ts";
import type { Follower } from "./events.ts";
import { bytesOfParts, carve, describeImages, imagesIn, type Windows } from "./windows.ts";

/** Places of the window that are worked on at a time: all places of several small images, or some of a large one. */
const BLOCK = 256;
/** Values of the patches that are spread over images at a time. */
const PATCHES = 131072;
/**
 * Values of the maps whose gradient of weights is taken at a time, where these follow non-zeros, and how many times as many images that
 * are at most: a few events in a row of bits by taps cost little more than none.
 */
const FOLLOWED = 65536;
const BATCHES = 8;
/** Words of work where no non-zeros are followed. */
const NO_WORK = [0, 0, 0] as const;

/**
 * Places of the window × filters as maps, or weights += maps · patchesᵀ. Maps are overwritten unless `adds`. Takes the
 * addresses of the maps and images of all samples, of the weights, and of the bias or 0.
 */
export function multiplyPatches(
  result: "maps" | "weights",
  g: Windows,
  maps: number,
  weights: number,
  images: number,
  bias = 0,
  adds = false,
): void {
  const total = imagesIn(g);
  const { groups, channels, filters, y, x, taps, places, size, width, plane } = g;
  const convolve = convolution();
  if (convolve !== undefined) {
    if (bias !== 0) fillChannels(maps, bias, total, groups * filters, places);
    else if (result === "maps" && !adds) k.fill(maps, total * groups * filters * places, 0);
    return convolve(result, { ...g, images: total }, maps, weights, images);
  }
  const planes = groups * channels;
  const batch = Math.max(1, Math.min(total, Math.floor(BLOCK / places)));
  // Tables of taps and of places; to work in, images with their padding, and their maps side by side.
  const words = [
    layout.words,
    taps,
    batch * places,
    product.words,
    plane > size ? batch * planes * plane : 0,
    batch > 1 ? batch * places * groups * filters : 0,
  ] as const;
  const [p, tapTable, placeTable, work, padded, side] = carve(words);
  const bytes = bytesOfParts(words);
  const { convMaps, convWeights, grid } = extra();
  grid(tapTable, channels, y.kernel, x.kernel, plane, y.dilation * width, x.dilation);
  grid(placeTable, batch, y.places, x.places, planes * plane, y.stride * width, x.stride);
  const at = describeImages(p, g, batch, p + bytes - work);
  integers[at + layout.images] = images;
  integers[at + layout.maps] = maps;
  integers[at + layout.weights] = weights;
  integers[at + layout.bias] = bias;
  integers[at + layout.adds] = adds ? 1 : 0;
  integers[at + layout.tapTable] = tapTable;
  integers[at + layout.placeTable] = placeTable;
  integers[at + layout.padded] = padded - work;
  integers[at + layout.side] = side - work;
  if (result === "maps") convMaps(p, work, 0, total);
  else convWeights(p, work, 0, taps);
  recycle(p, bytes);
}

/** images [count, channels, size] ← the bias of each channel */
export function fillChannels(images: number, bias: number, count: number, channels: number, size: number): void {
  for (let i = 0; i < count; i++) k.expandAxis(images + 4 * i * channels * size, bias, channels, size, 1);
}

/** A row of `values` values in whole lines of the cache, and room behind it that `multiplyListed` may read or write. */
const roomFor = (values: number): number => (values + 31) & ~15;

/** The maps that `spreadMaps` takes. */
export interface Maps {
  /** Where all of them lie, or only the values at so many places of each; an address of these places, or 0. */
  readonly values: number;
  readonly places: number;
  readonly each: number;
  /** Where the sum of each goes, or 0. */
  readonly sums: number;
}

/**
 * images ← or += (if `adds`) the patches weightsᵀ · maps; nothing if `images` is 0. Channels and filters are innermost here: a
 * window covers runs of neighbours, and a place is a row of the product. Of maps with many zeros only the rest is
 * multiplied. The follower takes its part of each map on the way.
 */
export function spreadMaps(
  g: Windows,
  maps: Maps,
  weights: number,
  images: number,
  adds: boolean,
  follower: Follower | null,
): void {
  const total = imagesIn(g);
  const { groups, channels, filters, y, x, kernel, taps, places, size, width, plane } = g;
  const rows = groups * filters;
  const convolve = convolution();
  if (convolve !== undefined) {
    if (!adds) k.fill(images, total * groups * channels * size, 0);
    if (maps.sums !== 0) k.sumAxis(maps.sums, maps.values, total * rows, places, 1);
    return convolve("images", { ...g, images: total }, maps.values, weights, images);
  }
  const { grid, spreadMaps: spread } = extra();
  const batch = Math.max(1, Math.min(total, Math.floor(BLOCK / places)));
  const chunk = batch * Math.max(1, Math.min(BATCHES, Math.floor(FOLLOWED / (batch * places * rows))));
  const most = Math.min(batch * places, BLOCK);
  // Rows of the window at a time, and the runs of neighbours under one.
  const row = x.kernel * channels;
  const step = Math.max(1, Math.min(y.kernel, Math.floor(PATCHES / (most * row))));
  const runs = x.dilation === 1 ? 1 : x.kernel;
  const denseRow = roomFor(taps);
  const patchesRow = roomFor(step * row);
  const spreads = images === 0 ? 0 : 1;
  const isAdded = plane > size && adds;
  const words = [
    layout.words,
    spreads * rows * denseRow,
    batch * places,
    y.kernel * runs,
    product.words,
    chunk * places * filters,
    maps.places === 0 ? 0 : chunk * rows * places,
    spreads * batch * channels * plane,
    plane > size ? spreads * channels * size : 0,
    isAdded ? spreads * channels * size : 0,
    spreads * most * patchesRow,
    spreads * (most + 3 + 2 * most * filters),
    ...(follower?.work(chunk) ?? NO_WORK),
  ] as const;
  const parts = carve(words);
  const [p, dense, placeTable, runTable, work, side, block, spaces, cut, plain, patches, nonZeros] = parts;
  const [, , , , , , , , , , , , byRows, byTaps, lists] = parts;
  const bytes = bytesOfParts(words);
  for (let f = 0; f < spreads * rows; f++) {
    k.copyStrided(dense + 4 * f * denseRow, weights + 4 * f * taps, 1, 1, kernel, channels, 0, 0, 1, kernel);
  }
  grid(placeTable, batch, y.places, x.places, channels * plane, channels * y.stride * width, channels * x.stride);
  grid(runTable, 1, y.kernel, runs, 0, channels * y.dilation * width, channels * x.dilation);
  const at = describeImages(p, g, batch, p + bytes - work);
  follower?.describe(at, chunk, byRows - work, byTaps - work, lists - work);
  integers[at + layout.maps] = maps.values;
  integers[at + layout.mapPlaces] = maps.places;
  integers[at + layout.each] = maps.each;
  integers[at + layout.sums] = maps.sums;
  integers[at + layout.gradients] = images;
  integers[at + layout.adds] = adds ? 1 : 0;
  integers[at + layout.chunk] = chunk;
  integers[at + layout.dense] = dense;
  integers[at + layout.denseRow] = denseRow;
  integers[at + layout.placeTable] = placeTable;
  integers[at + layout.windowRows] = y.kernel;
  integers[at + layout.step] = step;
  integers[at + layout.runs] = runs;
  integers[at + layout.runTable] = runTable;
  integers[at + layout.side] = side - work;
  integers[at + layout.block] = block - work;
  integers[at + layout.spaces] = spaces - work;
  integers[at + layout.cut] = cut - work;
  integers[at + layout.plain] = plain - work;
  integers[at + layout.patches] = patches - work;
  integers[at + layout.patchesRow] = patchesRow;
  integers[at + layout.nonZeros] = nonZeros - work;
  spread(p, work, 0, total, 0, follower === null ? 0 : taps, 1, 0, 0, 0);
  recycle(p, bytes);
}
