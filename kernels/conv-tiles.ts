/**
 * Gradients of images of a convolution of 3 × 3 with stride 1, by the minimal filtering of Winograd. A tile of 2 × 2
 * gradients of a channel depends on 4 × 4 values of the map of each filter. In the forms U and V of weights and maps, a
 * pair of a filter and a channel takes 16 products for the four gradients, not 36:
 *
 *   U = G g Gᵀ    V = Bᵀ d B    gradients = Aᵀ (Σ over filters U ⊙ V) A      g: the filter, turned by 180°; d: the maps
 *
 *        ⎡ 1   0   0 ⎤        ⎡ 1   0  −1   0 ⎤        ⎡ 1   1   1   0 ⎤
 *   G =  ⎢ ½   ½   ½ ⎥   Bᵀ = ⎢ 0   1   1   0 ⎥   Aᵀ = ⎣ 0   1  −1  −1 ⎦
 *        ⎢ ½  −½   ½ ⎥        ⎢ 0  −1   1   0 ⎥
 *        ⎣ 0   0   1 ⎦        ⎣ 0   1   0  −1 ⎦
 *
 * Each of the 16 places of a tile has a product V [tiles, filters] · U [filters, channels]. Filters and channels are
 * innermost. A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, arXiv:1509.09308.
 */

import { addTo, copyBlocks, gemm, transpose } from "./build/core";
import * as layout from "./conv-layout";
import { bytesTaken, setWord, takeArea, takeTable } from "./conv-memory";
import { areaOf, describe } from "./conv-work";
import { at, word } from "./lanes";

/** Number of tiles that are multiplied at a time. */
const BLOCK = 128;
/** Unused values between two of the 16 matrices: without them all rows of a tile would fall into one set of the cache. */
const GAP = 16;
/** A filter between the two steps of its form U, and the distance of its columns in bytes. */
const column: usize = 64;
const columns = memory.data(192, 16);

/** Distance of two of the 16 matrices, which have `rows` rows of `values` values. */
function matrixOf(rows: i32, values: i32): i32 {
  return rows * values + GAP;
}

/** Number of tiles along an axis of `size` values. */
function tilesOver(size: i32): i32 {
  return (size + 1) >> 1;
}

/** Number of tiles of an image. */
function tilesOf(g: usize): i32 {
  return tilesOver(word(g, layout.height)) * tilesOver(word(g, layout.columns));
}

/**
 * Lays out the work area and U at `block`; `convPlan` has computed the sizes before. The spaces of maps have a margin,
 * so that all tiles have 4 × 4 places; those of images have whole tiles.
 */
export function planTiles(g: usize, block: usize): void {
  const filters = word(g, layout.filters);
  const channels = word(g, layout.channels);
  const tiles = tilesOf(g);
  const batch = setWord(g, layout.batch, max(1, min(word(g, layout.total), BLOCK / tiles)));
  const width = setWord(g, layout.width, 2 * tilesOver(word(g, layout.columns)) + 2);
  const plane = setWord(g, layout.plane, width * (2 * tilesOver(word(g, layout.height)) + 2));
  setWord(g, layout.inner, (2 - word(g, layout.y + layout.PADDING)) * width + 2 - word(g, layout.x + layout.PADDING));
  const size = channels * word(g, layout.size);
  takeArea(g, layout.spaces, <i64>batch * plane * filters);
  takeArea(g, layout.patches, 16 * <i64>matrixOf(BLOCK, filters));
  takeArea(g, layout.products, 16 * <i64>matrixOf(BLOCK, channels));
  takeArea(g, layout.block, 4 * <i64>batch * tiles * channels);
  takeArea(g, layout.cut, size);
  takeArea(g, layout.plain, word(g, layout.adds) != 0 ? size : 0);
  setWord(g, layout.bytes, <i32>bytesTaken());
  takeTable(g, layout.dense, block, 16 * <i64>matrixOf(filters, channels));
}

/** Writes a, (a + b + c) / 2, (a − b + c) / 2 and c, `step` bytes apart: G times a column. */
function storeHalves(to: usize, step: usize, a: v128, b: v128, c: v128): void {
  const half = f32x4.splat(0.5);
  const outer = f32x4.add(a, c);
  v128.store(to, a);
  v128.store(to + step, f32x4.mul(half, f32x4.add(outer, b)));
  v128.store(to + 2 * step, f32x4.mul(half, f32x4.sub(outer, b)));
  v128.store(to + 3 * step, c);
}

/** U of the filters `from` to `to`. First copies the nine taps of a filter into the first nine of the 16 matrices. */
export function turnTiles(g: usize, from: i32, to: i32): void {
  const channels = word(g, layout.channels);
  const matrix = matrixOf(word(g, layout.filters), channels);
  const step = (<usize>matrix) << 2;
  for (let f = from; f < to; f++) {
    let u = at(word(g, layout.dense), f * channels);
    transpose(u, at(word(g, layout.weights), 9 * f * channels), channels, 9, 0, matrix);
    for (const end = at(u, channels); u < end; u += 16) {
      // The last tap is the first one of the filter that is turned by 180°.
      let tap = u + 8 * step;
      for (let i: usize = 0; i < 3; i++, tap -= step) {
        const first = v128.load(tap);
        storeHalves(columns + i * column, 16, first, v128.load(tap - 3 * step), v128.load(tap - 6 * step));
      }
      for (let i: usize = 0; i < 4; i++) {
        const row = columns + 16 * i;
        const first = v128.load(row);
        inline.always(storeHalves(u + 4 * i * step, step, first, v128.load(row + column), v128.load(row + 2 * column)));
      }
    }
  }
}

/** Gradients ← (or += if the descriptor says so) the patches weightsᵀ · maps, for the images `first` to `end`. */
// @costs (end - first) * layout.filters * layout.channels * layout.size / 2
// @cut end - first → first = first + low, end = first + high, work = area(work, layout.bytes)
export function spreadTiles(g: usize, work: usize, first: i32, end: i32): void {
  const batch = word(g, layout.batch);
  const filters = word(g, layout.filters);
  const channels = word(g, layout.channels);
  const tiles = tilesOf(g);
  const v = areaOf(g, work, layout.patches);
  const products = areaOf(g, work, layout.products);
  // Maps never overwrite the margin.
  memory.fill(areaOf(g, work, layout.spaces), 0, (<usize>(batch * word(g, layout.plane) * filters)) << 2);
  for (; first < end; first += batch) {
    const count = min(batch, end - first);
    for (let j = 0; j < count; j++) takeMaps(g, work, first + j, j);
    for (let tile = 0, m = 0; tile < count * tiles; tile += m) {
      m = min(BLOCK, count * tiles - tile);
      for (let i = 0; i < m; i++) takeTile(g, work, tile + i, at(v, i * filters));
      for (let q = 0; q < 16; q++) {
        const u = at(word(g, layout.dense), q * matrixOf(filters, channels));
        const from = at(v, q * matrixOf(BLOCK, filters));
        const to = at(products, q * matrixOf(BLOCK, channels));
        describe(work, to, 0, from, u, m, channels, filters, channels, channels);
        gemm(work);
      }
      for (let i = 0; i < m; i++) leaveTile(g, work, tile + i, at(products, i * channels));
    }
    for (let j = 0; j < count; j++) leaveImage(g, work, first + j, j);
  }
}

/** Copies the maps of an image to the j-th space, filters innermost. */
function takeMaps(g: usize, work: usize, image: i32, j: i32): void {
  const filters = word(g, layout.filters);
  const places = word(g, layout.places);
  const row = word(g, layout.x + layout.PLACES);
  const maps = at(word(g, layout.maps), image * filters * places);
  const space = (j * word(g, layout.plane) + word(g, layout.inner)) * filters;
  const to = at(areaOf(g, work, layout.spaces), space);
  for (let i = 0; i * row < places; i++) {
    transpose(at(to, i * word(g, layout.width) * filters), at(maps, i * row), filters, row, places, 0);
  }
}

/** The pixel at which a tile of a batch begins, in images of `plane` pixels with rows of `width` pixels. */
function cornerOf(g: usize, tile: i32, width: i32, plane: i32): i32 {
  const across = tilesOver(word(g, layout.columns));
  const own = tile % tilesOf(g);
  return (tile / tilesOf(g)) * plane + 2 * ((own / across) * width + (own % across));
}

/** The sum of two vectors, or their difference. */
function joined(x: usize, y: usize, adds: bool): v128 {
  return adds ? f32x4.add(v128.load(x), v128.load(y)) : f32x4.sub(v128.load(x), v128.load(y));
}

/** Writes a row of V from a row of Bᵀ d: x + y if `adds`, else x − y. */
function storeRow(to: usize, step: usize, x: usize, y: usize, pixel: usize, adds: bool): void {
  const d0 = inline.always(joined(x, y, adds));
  const d1 = inline.always(joined(x + pixel, y + pixel, adds));
  const d2 = inline.always(joined(x + 2 * pixel, y + 2 * pixel, adds));
  const d3 = inline.always(joined(x + 3 * pixel, y + 3 * pixel, adds));
  v128.store(to, f32x4.sub(d0, d2));
  v128.store(to + step, f32x4.add(d1, d2));
  v128.store(to + 2 * step, f32x4.sub(d2, d1));
  v128.store(to + 3 * step, f32x4.sub(d1, d3));
}

/** V of a tile, for all filters. */
function takeTile(g: usize, work: usize, tile: i32, v: usize): void {
  const filters = word(g, layout.filters);
  const pixel = (<usize>filters) << 2;
  const row = <usize>word(g, layout.width) * pixel;
  const step = (<usize>matrixOf(BLOCK, filters)) << 2;
  const corner = cornerOf(g, tile, word(g, layout.width), word(g, layout.plane));
  let d = at(areaOf(g, work, layout.spaces), corner * filters);
  for (const end = v + pixel; v < end; v += 16, d += 16) {
    inline.always(storeRow(v, step, d, d + 2 * row, pixel, false));
    inline.always(storeRow(v + 4 * step, step, d + row, d + 2 * row, pixel, true));
    inline.always(storeRow(v + 8 * step, step, d + 2 * row, d + row, pixel, false));
    inline.always(storeRow(v + 12 * step, step, d + row, d + 3 * row, pixel, false));
  }
}

/** Aᵀ m A of a tile, for all channels: four pixels. */
function leaveTile(g: usize, work: usize, tile: i32, m: usize): void {
  const channels = word(g, layout.channels);
  const pixel = (<usize>channels) << 2;
  const width = 2 * tilesOver(word(g, layout.columns));
  const row = <usize>width * pixel;
  const step = (<usize>matrixOf(BLOCK, channels)) << 2;
  let to = at(areaOf(g, work, layout.block), cornerOf(g, tile, width, 4 * tilesOf(g)) * channels);
  for (const end = m + pixel; m < end; m += 16, to += 16) {
    const low0 = inline.always(lowOf(m, 4 * step));
    const low1 = inline.always(lowOf(m + step, 4 * step));
    const low2 = inline.always(lowOf(m + 2 * step, 4 * step));
    const low3 = inline.always(lowOf(m + 3 * step, 4 * step));
    v128.store(to, f32x4.add(f32x4.add(low0, low1), low2));
    v128.store(to + pixel, f32x4.sub(f32x4.sub(low1, low2), low3));
    const high0 = inline.always(highOf(m, 4 * step));
    const high1 = inline.always(highOf(m + step, 4 * step));
    const high2 = inline.always(highOf(m + 2 * step, 4 * step));
    const high3 = inline.always(highOf(m + 3 * step, 4 * step));
    v128.store(to + row, f32x4.add(f32x4.add(high0, high1), high2));
    v128.store(to + row + pixel, f32x4.sub(f32x4.sub(high1, high2), high3));
  }
}

/** The first row of Aᵀ times a column. */
function lowOf(m: usize, step: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + step)), v128.load(m + 2 * step));
}

/** The second row of Aᵀ times a column. */
function highOf(m: usize, step: usize): v128 {
  return f32x4.sub(f32x4.sub(v128.load(m + step), v128.load(m + 2 * step)), v128.load(m + 3 * step));
}

/** Copies or adds the j-th image of a batch to the gradients. */
function leaveImage(g: usize, work: usize, image: i32, j: i32): void {
  const channels = word(g, layout.channels);
  const size = word(g, layout.size);
  const height = word(g, layout.height);
  const row = word(g, layout.columns) * channels;
  const whole = 4 * tilesOf(g);
  let from = at(areaOf(g, work, layout.block), j * whole * channels);
  if (whole > size) {
    const cut = areaOf(g, work, layout.cut);
    copyBlocks(cut, from, height, row, row, 2 * tilesOver(word(g, layout.columns)) * channels);
    from = cut;
  }
  const to = at(word(g, layout.gradients), image * channels * size);
  const plain = areaOf(g, work, layout.plain);
  const adds = word(g, layout.adds) != 0;
  transpose(adds ? plain : to, from, size, channels, 0, 0);
  if (adds) addTo(to, plain, size * channels);
}
