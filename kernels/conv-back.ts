/**
 * The backward pass of a convolution (conv.ts): sums of maps, gradients of images, and gradients of weights over the
 * non-zeros of images. Channels and filters are the innermost axes: a window then covers runs of neighbours, and a
 * place is a row of the product.
 */

import { addBlocks, addTo, copyBlocks, gemm, sumAxis, transpose } from "./build/core";
import { followWeights } from "./conv-follow";
import * as layout from "./conv-layout";
import { BLOCK } from "./conv-plan";
import { areaOf, describe } from "./conv-work";
import { at, word } from "./lanes";
import { listNonZeros, multiplyListed } from "./listed";
import { addPatches } from "./patches";
import { addAtPlaces } from "./pool";
import * as product from "./product-layout";

/** Density of maps below which products of wide rows are faster over the non-zeros alone. */
const LISTED_DENSITY: f64 = 0.7;
/**
 * Windows are processed place by place if an image has at most FEW_PLACES places, there are at least MANY_IMAGES
 * images, and a smaller share than LIVE of the taps lies on values.
 */
const FEW_PLACES = 16;
const MANY_IMAGES = 8;
const LIVE: f64 = 0.8;

/**
 * Computes up to three results from the maps [filters, places] of images `first` to `end`. If `spreads`: the sums of
 * the maps, and gradients ← (or += if the descriptor says so) the patches weightsᵀ · maps, unless the address of
 * gradients is 0. For the taps `from` to `to`: the gradient of the weights over the non-zeros of images.
 *
 * `sides`, if not 0, has the maps of the `span` images from `base` on with the filters innermost, [groups, span,
 * places, filters]. A call that `spreads` writes its images there; other calls read them.
 */
// @costs (end - first) * layout.groups * layout.filters * layout.places * (1 + layout.taps / 64)
// @cut end - first if from >= to → first = first + low, end = first + high, work = area(work, layout.bytes)
// @cut to - from by layout.follows == conv.EVENTS || layout.channels > 1 ? layout.kernel : 1 if spreads == 0 → from = from + low, to =
//   from + high, work = area(work, layout.bytes)
export function spreadMaps(
  g: usize,
  work: usize,
  first: i32,
  end: i32,
  from: i32,
  to: i32,
  spreads: i32,
  sides: usize,
  base: i32,
  span: i32,
): void {
  const groups = word(g, layout.groups);
  const size = word(g, layout.filters) * word(g, layout.places);
  const batch = word(g, layout.batch);
  const follows = from < to;
  const spread = spreads != 0 && word(g, layout.gradients) != 0;
  const chunk = follows ? word(g, layout.chunk) : batch;
  for (; first < end; first += chunk) {
    const count = min(chunk, end - first);
    const isMade = sides != 0 && spreads == 0;
    const map = isMade ? 0 : takeMaps(g, work, first, count, spreads != 0);
    if (!spread && !follows && sides == 0) continue;
    for (let i = 0; i < groups; i++) {
      const side = sides == 0 ? areaOf(g, work, layout.side) : at(sides, (i * span + first - base) * size);
      for (let j = 0; !isMade && j < count; j++) {
        const own = at(map, (j * groups + i) * size);
        transpose(at(side, j * size), own, word(g, layout.filters), word(g, layout.places), 0, 0);
      }
      if (follows) followWeights(g, work, side, first, count, i, from, to);
      for (let j = 0; spread && j < count; j += batch) {
        spreadGroup(g, work, at(side, j * size), first + j, min(batch, count - j), i);
      }
    }
  }
}

/**
 * Address of the maps of some images. If they are stored as values at places, writes them out. If `sums`, also computes
 * the sum of each map, unless the address of sums is 0.
 */
function takeMaps(g: usize, work: usize, first: i32, count: i32, sums: bool): usize {
  const rows = word(g, layout.groups) * word(g, layout.filters);
  const places = word(g, layout.places);
  const each = word(g, layout.each);
  let map = at(word(g, layout.maps), first * rows * (each != 0 ? each : places));
  if (each != 0) {
    const values = map;
    map = areaOf(g, work, layout.block);
    memory.fill(map, 0, (<usize>(count * places * rows)) << 2);
    addAtPlaces(map, values, at(word(g, layout.mapPlaces), first * rows * each), count * rows, places, each);
  }
  const to: usize = word(g, layout.sums);
  if (sums && to != 0) sumAxis(at(to, first * rows), map, count * rows, places, 1, 0);
  return map;
}

/** Adds the patches of maps, filters innermost, to a group of channels of some images. */
function spreadGroup(g: usize, work: usize, maps: usize, first: i32, count: i32, group: i32): void {
  const groups = word(g, layout.groups);
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const size = word(g, layout.size);
  const plane = word(g, layout.plane);
  const height = word(g, layout.height);
  const columns = word(g, layout.columns);
  const width = word(g, layout.width);
  const adds = word(g, layout.adds) != 0;
  const isPadded = plane > size;
  const spaces = areaOf(g, work, layout.spaces);
  const cut = areaOf(g, work, layout.cut);
  const plain = areaOf(g, work, layout.plain);
  const image = at(word(g, layout.gradients), (first * groups + group) * channels * size);
  const next = groups * channels * size;
  const n = count * word(g, layout.places);
  if (isPadded || !adds) memory.fill(spaces, 0, (<usize>(count * channels * plane)) << 2);
  else
    for (let j = 0; j < count; j++)
      transpose(at(spaces, j * channels * size), at(image, j * next), channels, size, 0, 0);
  for (let place = 0; place < n; place += BLOCK) {
    addWindows(g, work, at(maps, place * filters), place, min(BLOCK, n - place), group);
  }
  for (let j = 0; j < count; j++) {
    let from = at(spaces, j * channels * plane);
    const to = at(image, j * next);
    if (isPadded) {
      from = at(from, channels * word(g, layout.inner));
      copyBlocks(cut, from, height, columns * channels, columns * channels, width * channels);
      from = cut;
    }
    const added = isPadded && adds;
    transpose(added ? plain : to, from, size, channels, 0, 0);
    if (added) addTo(to, plain, size * channels);
  }
}

/** Adds the patches of m windows, from number `place` on, to images that have the channels innermost. */
function addWindows(g: usize, work: usize, values: usize, place: i32, m: i32, group: i32): void {
  const filters = word(g, layout.filters);
  const taps = word(g, layout.taps);
  const denseRow = word(g, layout.denseRow);
  const patchesRow = word(g, layout.patchesRow);
  const step = word(g, layout.step);
  const runs = word(g, layout.runs);
  const lists = areaOf(g, work, layout.nonZeros);
  const patches = areaOf(g, work, layout.patches);
  const windowRows = word(g, layout.windowRows);
  const row = taps / windowRows;
  const limit = (LISTED_DENSITY * <f64>taps) / <f64>(taps + 8);
  const listed = <f64>listNonZeros(lists, values, m, filters) < limit * <f64>m * <f64>filters;
  if (!listed && arePlacesApart(g, m)) return addByPlace(g, work, values, m / word(g, layout.places), group);
  // Later rows of the window belong to earlier places.
  for (let end = windowRows; end > 0; end -= step) {
    const r = max(0, end - step);
    const n = (end - r) * row;
    const b = at(word(g, layout.dense), group * filters * denseRow + r * row);
    if (listed) multiplyListed(patches, lists, b, m, n, denseRow, patchesRow);
    else {
      describe(work, patches, 0, values, b, m, n, filters, denseRow, patchesRow);
      gemm(work);
    }
    const spaces = areaOf(g, work, layout.spaces);
    const places = at(word(g, layout.placeTable), place);
    const runTable = at(word(g, layout.runTable), r * runs);
    addPatches(spaces, patches, places, runTable, m, (end - r) * runs, row / runs, patchesRow);
  }
}

/** The first tap of a window at a place that lies on a value of the axis or, with `end`, the tap after the last one. */
function firstLive(g: usize, axis: i32, place: i32, end: bool): i32 {
  const dilation = word(g, axis + layout.DILATION);
  const before = word(g, axis + layout.PADDING) - place * word(g, axis + layout.STRIDE);
  const taps = before + (end ? word(g, axis + layout.SIZE) : 0);
  return taps <= 0 ? 0 : min(word(g, axis + layout.KERNEL), (taps + dilation - 1) / dilation);
}

/** Number of pairs of a place and a tap, along an axis, that lie on a value. */
function meetings(g: usize, axis: i32): i32 {
  let count = 0;
  for (let place = 0; place < word(g, axis + layout.PLACES); place++) {
    count += max(0, firstLive(g, axis, place, true) - firstLive(g, axis, place, false));
  }
  return count;
}

/**
 * Whether separate products for each place pay: m windows cover whole images, images are small and many, and many taps
 * lie on padding.
 */
function arePlacesApart(g: usize, m: i32): bool {
  const places = word(g, layout.places);
  if (places > FEW_PLACES || m < MANY_IMAGES * places || word(g, layout.runs) != 1) return false;
  const live = <f64>(meetings(g, layout.y) * meetings(g, layout.x));
  return live < LIVE * <f64>(places * word(g, layout.kernel));
}

/** Adds the patches of all windows over some images, one place after the other, without taps on padding. */
function addByPlace(g: usize, work: usize, values: usize, count: i32, group: i32): void {
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const places = word(g, layout.places);
  const width = word(g, layout.width);
  const denseRow = word(g, layout.denseRow);
  const patchesRow = word(g, layout.patchesRow);
  const across = word(g, layout.x + layout.PLACES);
  const taps = word(g, layout.x + layout.KERNEL);
  const patches = areaOf(g, work, layout.patches);
  const dense = at(word(g, layout.dense), group * filters * denseRow);
  for (let place = 0; place < places; place++, values = at(values, filters)) {
    const u = place / across;
    const v = place % across;
    const left = firstLive(g, layout.x, v, false);
    const n = (firstLive(g, layout.x, v, true) - left) * channels;
    const end = n > 0 ? firstLive(g, layout.y, u, true) : 0;
    for (let r = firstLive(g, layout.y, u, false); r < end; r++) {
      const row = u * word(g, layout.y + layout.STRIDE) + r * word(g, layout.y + layout.DILATION);
      const first = row * width + v * word(g, layout.x + layout.STRIDE) + left;
      const b = at(dense, (r * taps + left) * channels);
      describe(work, patches, 0, values, b, count, n, filters, denseRow, patchesRow);
      store<i32>(work, places * filters, product.aRow << 2);
      gemm(work);
      const to = at(areaOf(g, work, layout.spaces), first * channels);
      addBlocks(to, patches, count, n, channels * word(g, layout.plane), patchesRow);
    }
  }
}
