/**
 * The products of a convolution. The values under the windows are a matrix, places in a window × places of the window;
 * three products tie it to weights and maps:
 *
 *   maps = bias + weights · patches        weights += maps · patchesᵀ        images += the patches weightsᵀ · maps
 *
 * For the first two the patches are tables of offsets (kernels/patches.ts); small images are taken several at a time. What
 * has many zeros is not multiplied as a whole: see events.ts for images, and `spreadMaps` for maps. On the float64 backend
 * each of the three is `convolve`, a plain loop.
 */
import * as layout from "../../kernels/product-layout.ts";
import { convolution, descriptor, extra, integers, k, writePair } from "../backend.ts";
import { describeProduct } from "../products.ts";
import { allocate, recycle } from "../scope.ts";
import { bytesOfParts, carve, type Follower, imagesIn, type Windows } from "./windows.ts";

/** Places of the window that are worked on at a time: all places of several small images, or some of a large one. */
const BLOCK = 256;
/** Values of the patches that are spread over images at a time. */
const PATCHES = 131072;
/** Density of maps below which it is faster to multiply non-zeros alone, for wide rows. */
const LISTED_DENSITY = 0.7;

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
  const rows = groups * filters;
  const planes = groups * channels;
  const isPadded = plane > size;
  const batch = Math.max(1, Math.min(total, Math.floor(BLOCK / places)));
  // The workspace: tables of taps and of places, images with their padding, their maps side by side.
  const paddedAt = 4 * (taps + batch * places);
  const sideAt = paddedAt + (isPadded ? 4 * batch * planes * plane : 0);
  const bytes = sideAt + (batch > 1 ? 4 * batch * places * rows : 0);
  const tapTable = allocate(bytes);
  const placeTable = tapTable + 4 * taps;
  const padded = tapTable + paddedAt;
  const inner = padded + 4 * (y.padding * width + x.padding);
  extra().grid(tapTable, channels, y.kernel, x.kernel, plane, y.dilation * width, x.dilation);
  extra().grid(placeTable, batch, y.places, x.places, planes * plane, y.stride * width, x.stride);
  if (isPadded) k.fill(padded, batch * planes * plane, 0);
  for (let first = 0; first < total; first += batch) {
    const count = Math.min(batch, total - first);
    const n = count * places;
    const image = images + 4 * first * planes * size;
    const map = maps + 4 * first * rows * places;
    const side = count > 1 ? tapTable + sideAt : map;
    for (let i = 0; isPadded && i < count * planes; i++) {
      k.copyBlocks(inner + 4 * i * plane, image + 4 * i * size, y.size, x.size, width, x.size);
    }
    if (count > 1 && result === "weights")
      k.copyStrided(side, map, 1, rows, count, places, 0, places, rows * places, 1);
    if (bias !== 0) k.expandAxis(side, bias, rows, n, 1);
    const startsFromMap = bias !== 0 || (adds && count === 1);
    for (let i = 0; i < groups; i++) {
      const m = side + 4 * i * filters * n;
      const w = weights + 4 * i * filters * taps;
      const p = (isPadded ? padded : image) + 4 * i * channels * plane;
      if (result === "maps") {
        const at = describeProduct(m, startsFromMap ? m : 0, w, p, filters, n, taps);
        writePair(at + layout.rows, tapTable, placeTable);
      } else writePair(describeProduct(w, w, m, p, filters, taps, n) + layout.rows, placeTable, tapTable);
      k.gemmGathered(descriptor);
    }
    if (count > 1 && result === "maps") {
      const move = adds ? k.addBlocks : k.copyBlocks;
      for (let i = 0; i < count; i++) move(map + 4 * i * rows * places, side + 4 * i * places, rows, places, places, n);
    }
  }
  recycle(tapTable, bytes);
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
  const { addPatches, grid, listNonZeros, multiplyListed } = extra();
  const isPadded = plane > size;
  const batch = Math.max(1, Math.min(total, Math.floor(BLOCK / places)));
  const most = Math.min(batch * places, BLOCK);
  // Rows of the window at a time, and the runs of neighbours under one.
  const row = x.kernel * channels;
  const step = Math.max(1, Math.min(y.kernel, Math.floor(PATCHES / (most * row))));
  const runs = x.dilation === 1 ? 1 : x.kernel;
  const limit = (LISTED_DENSITY * taps) / (taps + 8);
  const turnedRow = roomFor(taps);
  const patchesRow = roomFor(step * row);
  const words = [
    rows * turnedRow,
    batch * places,
    y.kernel * runs,
    batch * places * filters,
    batch * channels * plane,
    channels * size,
    channels * size,
    most * patchesRow,
    most + 3 + 2 * most * filters,
    maps.places === 0 ? 0 : batch * rows * places,
  ] as const;
  const [turned, placeTable, runTable, side, spaces, cut, plain, patches, lists, block] = carve(words);
  for (let f = 0; f < rows; f++) {
    k.copyStrided(turned + 4 * f * turnedRow, weights + 4 * f * taps, 1, 1, kernel, channels, 0, 0, 1, kernel);
  }
  grid(placeTable, batch, y.places, x.places, channels * plane, channels * y.stride * width, channels * x.stride);
  grid(runTable, 1, y.kernel, runs, 0, channels * y.dilation * width, channels * x.dilation);
  for (let first = 0; first < total; first += batch) {
    const count = Math.min(batch, total - first);
    const n = count * places;
    let map = maps.values + 4 * first * rows * places;
    if (maps.places !== 0) {
      const at = 4 * first * rows * maps.each;
      map = block;
      k.fill(map, n * rows, 0);
      extra().addAtPlaces(map, maps.values + at, maps.places + at, count * rows, places, maps.each);
    }
    if (maps.sums !== 0) k.sumAxis(maps.sums + 4 * first * rows, map, count * rows, places, 1);
    for (let i = 0; i < groups; i++) {
      for (let j = 0; j < count; j++) {
        const own = side + 4 * j * filters * places;
        k.transpose(own, map + 4 * (j * groups + i) * filters * places, filters, places);
      }
      follower?.addWeights(side, first, count, i);
      if (images === 0) continue;
      const image = images + 4 * (first * groups + i) * channels * size;
      const next = 4 * groups * channels * size;
      if (isPadded || !adds) k.fill(spaces, count * channels * plane, 0);
      else
        for (let j = 0; j < count; j++) k.transpose(spaces + 4 * j * channels * size, image + j * next, channels, size);
      for (let place = 0; place < n; place += BLOCK) {
        const m = Math.min(BLOCK, n - place);
        const values = side + 4 * place * filters;
        const listed = listNonZeros(lists, values, m, filters) < limit * m * filters;
        // Later rows of the window belong to earlier places.
        for (let end = y.kernel; end > 0; end -= step) {
          const r = Math.max(0, end - step);
          const columns = (end - r) * row;
          const b = turned + 4 * (i * filters * turnedRow + r * row);
          if (listed) multiplyListed(patches, lists, b, m, columns, turnedRow, patchesRow);
          else {
            const at = describeProduct(patches, 0, values, b, m, columns, filters);
            integers[at + layout.bRow] = turnedRow;
            integers[at + layout.cRow] = patchesRow;
            k.gemm(descriptor);
          }
          const under = runTable + 4 * r * runs;
          addPatches(spaces, patches, placeTable + 4 * place, under, m, (end - r) * runs, row / runs, patchesRow);
        }
      }
      for (let j = 0; j < count; j++) {
        let from = spaces + 4 * j * channels * plane;
        const to = image + j * next;
        if (isPadded) {
          from += 4 * channels * (y.padding * width + x.padding);
          k.copyBlocks(cut, from, y.size, x.size * channels, x.size * channels, width * channels);
          from = cut;
        }
        const added = isPadded && adds;
        k.transpose(added ? plain : to, from, size, channels);
        if (added) k.addTo(to, plain, size * channels);
      }
    }
  }
  recycle(turned, bytesOfParts(words));
}
