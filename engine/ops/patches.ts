/**
 * The three products of a convolution. `patches` is the matrix of values under the windows, [values of a window, places
 * of the window]:
 *
 *   maps = bias + weights · patches        weights += maps · patchesᵀ        images += the patches weightsᵀ · maps
 *
 * The first two read patches through tables of offsets (kernels/patches.ts), for several small images at a time.
 * Products skip zeros if there are many: zeros of images as events.ts decides, zeros of maps in `spreadMaps`. The
 * loops over images are kernels (kernels/conv.ts), whose memory kernels/conv-plan.ts lays out. On the float64 kernels,
 * each product is the plain loop `convolve`.
 */
import * as layout from "../../kernels/conv-layout.ts";
import { convolution, descriptor, extra, floats, integers, k, wordsAt } from "../core/backend.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { formOf } from "../forms/values.ts";
import { type Axis, imagesIn, type Windows } from "./windows.ts";

/**
 * Describes the loop over the images of g for `convPlan`; other words are 0. Returns the index of the first word in
 * `integers`, valid until memory is allocated.
 */
function describe(g: Windows): number {
  const at = wordsAt(descriptor, layout.words);
  integers.fill(0, at, at + layout.words);
  integers[at + layout.groups] = g.groups;
  integers[at + layout.channels] = g.channels;
  integers[at + layout.filters] = g.filters;
  integers[at + layout.total] = imagesIn(g);
  describeAxis(at + layout.y, g.y);
  describeAxis(at + layout.x, g.x);
  return at;
}

function describeAxis(at: number, { size, places, kernel, stride, padding, dilation }: Axis): void {
  integers[at + layout.SIZE] = size;
  integers[at + layout.PLACES] = places;
  integers[at + layout.KERNEL] = kernel;
  integers[at + layout.STRIDE] = stride;
  integers[at + layout.PADDING] = padding;
  integers[at + layout.DILATION] = dilation;
}

/**
 * Address of the weights of the live taps of g: `weights` itself if all taps are live, else a copy, which `leaveTaps`
 * frees. Address 0 remains 0.
 */
function takeTaps(g: Windows, weights: number): number {
  if (g.live === null || weights === 0) return weights;
  const taps = allocateInScope(tapBytes(g));
  const { first, row, kernel } = g.live;
  const { groups, channels, filters, x, y } = g;
  for (let i = 0; i < y.kernel; i++) {
    const from = weights + 4 * (first + i * row);
    k.copyBlocks(taps + 4 * i * x.kernel, from, groups * filters * channels, x.kernel, g.kernel, kernel);
  }
  return taps;
}

/** Frees the copy of `takeTaps`. `isWritten`: first copies it back to the weights. */
function leaveTaps(g: Windows, weights: number, taps: number, isWritten: boolean): void {
  if (g.live === null || weights === 0) return;
  const { first, row, kernel } = g.live;
  const { groups, channels, filters, x, y } = g;
  for (let i = 0; isWritten && i < y.kernel; i++) {
    const to = weights + 4 * (first + i * row);
    k.copyBlocks(to, taps + 4 * i * x.kernel, groups * filters * channels, x.kernel, kernel, g.kernel);
  }
  recycle(taps, tapBytes(g));
}

const tapBytes = ({ groups, filters, taps }: Windows): number => 4 * groups * filters * taps;

/** Bytes of the described loop over images, for `layOut`. */
const bytesOfLoop = (): number => extra().convPlan(descriptor, 0);

/** Lays out the memory of the described loop and returns its address. `bytes` is an argument, since a step of a stream makes no objects. */
function layOut(bytes: number): number {
  const block = allocateInScope(bytes);
  extra().convPlan(descriptor, block);
  return block;
}

/** Writes the words of a loop over the non-zeros of x. */
function describeNonZeros(at: number, g: Windows, x: Tensor): void {
  const areWindows = g.path === "windows";
  // Rows of bits need packed spikes, which remain even if an op has written out floats since forward.
  const isFloats = !areWindows && formOf(x) === "floats";
  integers[at + layout.images] = isFloats ? x.ptr : 0;
  integers[at + layout.bits] = isFloats ? 0 : x.bits;
  integers[at + layout.follows] = areWindows ? layout.WINDOWS : layout.EVENTS;
  floats[at + layout.density] = g.density;
}

/**
 * maps ← bias + weights · patches (+= if `adds`), or weights += maps · patchesᵀ. The arguments are addresses: maps and
 * images of all samples, weights, and the bias or 0.
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
  const { groups, filters, taps, places } = g;
  const convolve = convolution();
  const live = takeTaps(g, weights);
  if (convolve !== undefined) {
    if (bias !== 0) fillChannels(maps, bias, total, groups * filters, places);
    else if (result === "maps" && !adds) k.fill(maps, total * groups * filters * places, 0);
    convolve(result, { ...g, images: total }, maps, live, images);
  } else {
    const at = describe(g);
    integers[at + layout.images] = images;
    integers[at + layout.maps] = maps;
    integers[at + layout.weights] = live;
    integers[at + layout.bias] = bias;
    integers[at + layout.adds] = adds ? 1 : 0;
    const bytes = bytesOfLoop();
    const block = layOut(bytes);
    if (result === "maps") extra().convMaps(descriptor, block, 0, total);
    else extra().convWeights(descriptor, block, 0, taps);
    recycle(block, bytes);
  }
  leaveTaps(g, weights, live, result === "weights");
}

/** maps ← bias + weights · patches, over the non-zeros of the images x by the method of g. Address 0: no bias. */
export function followPatches(g: Windows, maps: number, weights: number, x: Tensor, bias: number): void {
  const { convTurn, followMaps } = extra();
  const live = takeTaps(g, weights);
  const at = describe(g);
  describeNonZeros(at, g, x);
  integers[at + layout.maps] = maps;
  integers[at + layout.weights] = live;
  integers[at + layout.bias] = bias;
  const bytes = bytesOfLoop();
  const block = layOut(bytes);
  convTurn(descriptor, 0, g.groups * g.filters);
  followMaps(descriptor, block, 0, imagesIn(g));
  recycle(block, bytes);
  leaveTaps(g, weights, live, false);
}

/** images [count, channels, size] ← the bias of each channel */
export function fillChannels(images: number, bias: number, count: number, channels: number, size: number): void {
  for (let i = 0; i < count; i++) k.expandAxis(images + 4 * i * channels * size, bias, channels, size, 1);
}

/** Maps that `spreadMaps` reads. */
export interface Maps {
  /**
   * Address of all values. With `places` ≠ 0 there are only `each` values per map, at integer places from that address
   * on.
   */
  readonly values: number;
  readonly places: number;
  readonly each: number;
  /** Address to write the sum of each map to; 0 for none. */
  readonly sums: number;
}

/** Addresses of what `spreadMaps` computes: gradients of images from weights and, unless x is null, of weights from x. */
export interface Spread {
  readonly weights: number;
  /** 0 for none. */
  readonly images: number;
  /** Whether the gradients of images are added to values that are there. */
  readonly adds: boolean;
  readonly x: Tensor | null;
  readonly dWeights: number;
}

/**
 * images ← the patches weightsᵀ · maps, or += if `adds`; nothing if `images` is 0. Channels and filters are the last
 * axes here: a window then covers runs of neighbours, and a place is a row of the product. Zeros of maps are skipped if
 * there are many. If `x` is given, also dWeights += maps · patchesᵀ over the non-zeros of x.
 */
export function spreadMaps(g: Windows, maps: Maps, to: Spread): void {
  const followed = to.x === null ? 0 : to.dWeights;
  const live = takeTaps(g, to.weights);
  const dLive = takeTaps(g, followed);
  spread(g, maps, { ...to, weights: live, dWeights: dLive });
  leaveTaps(g, followed, dLive, true);
  leaveTaps(g, to.weights, live, false);
}

/** Images from the first number to before the second. */
type Run = readonly [first: number, end: number];

/**
 * Share of non-zeros of an image's maps from which tiles are faster than products that skip zeros. Each image decides
 * for itself, so that its gradient does not depend on the others.
 */
const TILED_DENSITY = 0.27;

/** Runs of images that tiles suit, and the runs between them. */
function tiledRuns(g: Windows, maps: number): Record<"tiled" | "followed", Run[]> {
  const runs: Record<"tiled" | "followed", Run[]> = { tiled: [], followed: [] };
  const values = g.filters * g.places;
  const bits = allocateInScope(4 * Math.ceil(values / 32));
  const suits = (image: number): boolean =>
    (k.packBits(bits, maps + 4 * image * values, 1, values) & 0x7fffffff) >= TILED_DENSITY * values;
  const total = imagesIn(g);
  for (let first = 0, end = 0; first < total; first = end) {
    const own = suits(first);
    for (end = first + 1; end < total && suits(end) === own; ) end++;
    runs[own ? "tiled" : "followed"].push([first, end]);
  }
  recycle(bits, 4 * Math.ceil(values / 32));
  return runs;
}

/** Describes gradients of images in an order of axes; returns the index of the descriptor's first word. */
function describeSpread(g: Windows, order: number, maps: number, { weights, images, adds }: Spread): number {
  const at = describe(g);
  integers[at + layout.order] = order;
  integers[at + layout.maps] = maps;
  integers[at + layout.weights] = weights;
  integers[at + layout.gradients] = images;
  integers[at + layout.adds] = adds ? 1 : 0;
  return at;
}

/** images ← the patches weightsᵀ · maps, or += if `adds`, in tiles. */
function spreadInTiles(g: Windows, maps: number, to: Spread, runs: readonly Run[]): void {
  const { convTurn, spreadTiles } = extra();
  describeSpread(g, layout.TILES, maps, to);
  const bytes = bytesOfLoop();
  const block = layOut(bytes);
  convTurn(descriptor, 0, g.filters);
  for (const [first, end] of runs) spreadTiles(descriptor, block, first, end);
  recycle(block, bytes);
}

function spread(g: Windows, maps: Maps, to: Spread): void {
  const total = imagesIn(g);
  const { groups, channels, filters, places, size } = g;
  const { images, x } = to;
  const convolve = convolution();
  if (convolve !== undefined) {
    if (!to.adds) k.fill(images, total * groups * channels * size, 0);
    if (maps.sums !== 0) k.sumAxis(maps.sums, maps.values, total * groups * filters, places, 1);
    return convolve("images", { ...g, images: total }, maps.values, to.weights, images);
  }
  const all: Run[] = [[0, total]];
  if (images === 0 || !g.isTiled) return spreadPatches(g, maps, to, all);
  const { tiled, followed } = tiledRuns(g, maps.values);
  if (tiled.length === 0) return spreadPatches(g, maps, to, all);
  spreadInTiles(g, maps.values, to, tiled);
  if (followed.length > 0) spreadPatches(g, { ...maps, sums: 0 }, { ...to, x: null }, followed);
  if (x !== null) spreadPatches(g, maps, { ...to, images: 0 }, all);
  else if (maps.sums !== 0) k.sumAxis(maps.sums, maps.values, total * filters, places, 1);
}

/** The patches of these images; see `spreadMaps`. */
function spreadPatches(g: Windows, maps: Maps, to: Spread, runs: readonly Run[]): void {
  const { groups, filters, taps } = g;
  const { x, dWeights } = to;
  const { convTurn, convTurnBack, spreadMaps: spreadAll } = extra();
  const at = describeSpread(g, layout.CHANNELS, maps.values, to);
  if (x !== null) describeNonZeros(at, g, x);
  integers[at + layout.mapPlaces] = maps.places;
  integers[at + layout.each] = maps.each;
  integers[at + layout.sums] = maps.sums;
  integers[at + layout.dWeights] = dWeights;
  const bytes = bytesOfLoop();
  const block = layOut(bytes);
  convTurn(descriptor, 0, groups * filters);
  for (const [first, end] of runs) spreadAll(descriptor, block, first, end, 0, x === null ? 0 : taps, 1, 0, 0, 0);
  if (x !== null) convTurnBack(descriptor, 0, groups * filters);
  recycle(block, bytes);
}
