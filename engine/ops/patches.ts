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
import { allocate, recycle } from "../scope.ts";
import type { Follower } from "./events.ts";
import { describeImages, imagesIn, parts, type Windows } from "./windows.ts";

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
  parts.begin(layout.words);
  const taps0 = parts.take(taps);
  const places0 = parts.take(batch * places);
  const work0 = parts.take(product.words);
  const padded = parts.take(plane > size ? batch * planes * plane : 0);
  const side = parts.take(batch > 1 ? batch * places * groups * filters : 0);
  const { bytes } = parts;
  const p = allocate(bytes);
  const [tapTable, placeTable, work] = [p + taps0, p + places0, p + work0];
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
  integers[at + layout.padded] = padded - work0;
  integers[at + layout.side] = side - work0;
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
  parts.begin(layout.words);
  const dense0 = parts.take(spreads * rows * denseRow);
  const places0 = parts.take(batch * places);
  const runs0 = parts.take(y.kernel * runs);
  const work0 = parts.take(product.words);
  const side = parts.take(chunk * places * filters);
  const block = parts.take(maps.places === 0 ? 0 : chunk * rows * places);
  const spaces = parts.take(spreads * batch * channels * plane);
  const cut = parts.take(plane > size ? spreads * channels * size : 0);
  const plain = parts.take(isAdded ? spreads * channels * size : 0);
  const patches = parts.take(spreads * most * patchesRow);
  const nonZeros = parts.take(spreads * (most + 3 + 2 * most * filters));
  const byRows = parts.take(follower?.rowWords(chunk) ?? 0);
  const byTaps = parts.take(follower?.tapWords(chunk) ?? 0);
  const lists = parts.take(follower?.listWords(chunk) ?? 0);
  const { bytes } = parts;
  const p = allocate(bytes);
  const [dense, placeTable, runTable, work] = [p + dense0, p + places0, p + runs0, p + work0];
  for (let f = 0; f < spreads * rows; f++) {
    k.copyStrided(dense + 4 * f * denseRow, weights + 4 * f * taps, 1, 1, kernel, channels, 0, 0, 1, kernel);
  }
  grid(placeTable, batch, y.places, x.places, channels * plane, channels * y.stride * width, channels * x.stride);
  grid(runTable, 1, y.kernel, runs, 0, channels * y.dilation * width, channels * x.dilation);
  const at = describeImages(p, g, batch, p + bytes - work);
  follower?.describe(at, chunk, byRows - work0, byTaps - work0, lists - work0);
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
  integers[at + layout.side] = side - work0;
  integers[at + layout.block] = block - work0;
  integers[at + layout.spaces] = spaces - work0;
  integers[at + layout.cut] = cut - work0;
  integers[at + layout.plain] = plain - work0;
  integers[at + layout.patches] = patches - work0;
  integers[at + layout.patchesRow] = patchesRow;
  integers[at + layout.nonZeros] = nonZeros - work0;
  spread(p, work, 0, total, 0, follower === null ? 0 : taps, 1, 0, 0, 0);
  recycle(p, bytes);
}
