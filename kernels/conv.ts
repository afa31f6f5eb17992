/**
 * Convolutions as loops over images. A call takes a range of images, or for the gradient of the weights a range of taps (channel, row and
 * column of a window), so that threads share them: every sum belongs to one call, which takes its terms in the order of all images.
 *
 * All take a descriptor (conv-layout.ts), which stays as it is, and a work area, which begins with the descriptor of a product.
 */
import * as layout from "./conv-layout";
import {
  addBlocks,
  addTo,
  copyBlocks,
  countBits,
  expandAxis,
  gather,
  gemm,
  gemmGathered,
  packBits,
  sumAxis,
  transpose,
  transposeBits,
} from "./core";
import { addEvents, windowBits } from "./events";
import { word } from "./lanes";
import { listNonZeros, multiplyListed } from "./listed";
import { addPatches } from "./patches";
import { addAtPlaces } from "./pool";
import * as product from "./product-layout";

/** Places of windows whose patches are made at a time. */
const BLOCK = 256;
/** Density of maps below which it is faster to multiply non-zeros alone, for wide rows. */
const LISTED_DENSITY: f64 = 0.7;

/** The address of element i of an array of words. */
function at(array: usize, i: i32): usize {
  return array + ((<usize>i) << 2);
}

/** The address at which a part of the work area begins. */
function areaOf(g: usize, work: usize, part: i32): usize {
  return work + <usize>word(g, part);
}

/** Describes C ← init + A·B at `p`, with A [m, k] without gaps, and rows of B and C that are so many elements apart. */
function describe(
  p: usize,
  c: usize,
  init: usize,
  a: usize,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  bRow: i32,
  cRow: i32,
): void {
  store<usize>(p, c, product.c << 2);
  store<usize>(p, init, product.init << 2);
  store<i32>(p, m, product.m << 2);
  store<i32>(p, n, product.n << 2);
  store<i32>(p, k, product.k << 2);
  store<usize>(p, a, product.a << 2);
  store<i32>(p, k, product.aRow << 2);
  store<i32>(p, 1, product.aCol << 2);
  store<usize>(p, b, product.b << 2);
  store<i32>(p, bRow, product.bRow << 2);
  store<i32>(p, 1, product.bCol << 2);
  store<i32>(p, cRow, product.cRow << 2);
}

/** Copies channels `from` to `to` of all groups of images into planes with padding, which is there. */
function pad(g: usize, padded: usize, images: usize, count: i32, from: i32, to: i32): void {
  const channels = word(g, layout.channels);
  const size = word(g, layout.size);
  const plane = word(g, layout.plane);
  const columns = word(g, layout.columns);
  const inner = at(padded, word(g, layout.inner));
  for (let i = 0, n = count * word(g, layout.groups) * channels; i < n; i += channels) {
    for (let c = i + from; c < i + to; c++) {
      copyBlocks(
        at(inner, c * plane),
        at(images, c * size),
        word(g, layout.height),
        columns,
        word(g, layout.width),
        columns,
      );
    }
  }
}

/** maps ← bias (or 0, the address) + weights · patches, or += where the descriptor says so, of images `first` to `end`. */
export function convMaps(g: usize, work: usize, first: i32, end: i32): void {
  const groups = word(g, layout.groups);
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const taps = word(g, layout.taps);
  const places = word(g, layout.places);
  const size = word(g, layout.size);
  const plane = word(g, layout.plane);
  const batch = word(g, layout.batch);
  const adds = word(g, layout.adds);
  const bias: usize = word(g, layout.bias);
  const weights: usize = word(g, layout.weights);
  const padded = areaOf(g, work, layout.padded);
  const rows = groups * filters;
  const planes = groups * channels;
  if (plane > size) memory.fill(padded, 0, (<usize>(batch * planes * plane)) << 2);
  store<i32>(work, word(g, layout.tapTable), product.rows << 2);
  store<i32>(work, word(g, layout.placeTable), product.cols << 2);
  for (; first < end; first += batch) {
    const count = min(batch, end - first);
    const n = count * places;
    let image = at(word(g, layout.images), first * planes * size);
    const map = at(word(g, layout.maps), first * rows * places);
    const side = count > 1 ? areaOf(g, work, layout.side) : map;
    if (plane > size) {
      pad(g, padded, image, count, 0, channels);
      image = padded;
    }
    if (bias != 0) expandAxis(side, bias, rows, n, 1);
    const startsFromMap = bias != 0 || (adds != 0 && count == 1);
    for (let i = 0; i < groups; i++) {
      const c = at(side, i * filters * n);
      const a = at(weights, i * filters * taps);
      describe(work, c, startsFromMap ? c : 0, a, at(image, i * channels * plane), filters, n, taps, n, n);
      gemmGathered(work);
    }
    for (let i = 0; count > 1 && i < count; i++) {
      const to = at(map, i * rows * places);
      const from = at(side, i * places);
      if (adds != 0) addBlocks(to, from, rows, places, places, n);
      else copyBlocks(to, from, rows, places, places, n);
    }
  }
}

/** weights += maps · patchesᵀ of all images, for the taps `from` to `to` of each group. */
export function convWeights(g: usize, work: usize, from: i32, to: i32): void {
  const groups = word(g, layout.groups);
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const kernel = word(g, layout.kernel);
  const taps = word(g, layout.taps);
  const places = word(g, layout.places);
  const size = word(g, layout.size);
  const plane = word(g, layout.plane);
  const total = word(g, layout.total);
  const batch = word(g, layout.batch);
  const weights: usize = word(g, layout.weights);
  const padded = areaOf(g, work, layout.padded);
  const rows = groups * filters;
  const planes = groups * channels;
  if (plane > size) memory.fill(padded, 0, (<usize>(batch * planes * plane)) << 2);
  store<i32>(work, word(g, layout.placeTable), product.rows << 2);
  store<usize>(work, at(word(g, layout.tapTable), from), product.cols << 2);
  for (let first = 0; from < to && first < total; first += batch) {
    const count = min(batch, total - first);
    const n = count * places;
    let image = at(word(g, layout.images), first * planes * size);
    let side = at(word(g, layout.maps), first * rows * places);
    if (plane > size) {
      pad(g, padded, image, count, from / kernel, (to + kernel - 1) / kernel);
      image = padded;
    }
    if (count > 1) {
      const map = side;
      side = areaOf(g, work, layout.side);
      for (let i = 0; i < count; i++) {
        copyBlocks(at(side, i * places), at(map, i * rows * places), rows, places, n, places);
      }
    }
    for (let i = 0; i < groups; i++) {
      const c = at(weights, i * filters * taps + from);
      const a = at(side, i * filters * n);
      describe(work, c, c, a, at(image, i * channels * plane), filters, to - from, n, 0, taps);
      gemmGathered(work);
    }
  }
}

/** maps ← bias (or 0, the address) + weights · patches over the non-zeros of images `first` to `end`. */
export function followMaps(g: usize, work: usize, first: i32, end: i32): void {
  const groups = word(g, layout.groups);
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const places = word(g, layout.places);
  const areWindows = word(g, layout.follows) == layout.WINDOWS;
  const batch = word(g, layout.batch);
  const bias: usize = word(g, layout.bias);
  const side = areaOf(g, work, layout.side);
  const depth = 32 * channels;
  for (; first < end; first += batch) {
    const count = min(batch, end - first);
    for (let i = 0; i < groups; i++) {
      const start = bias == 0 ? 0 : at(bias, i * filters);
      if (areWindows) {
        const rows = areaOf(g, work, layout.rows);
        findSpikes(g, rows, first, count, i, 0, channels);
        const turned = at(word(g, layout.turned), i * depth * filters);
        describe(work, side, start, 0, turned, count * places, filters, depth, filters, filters);
        follow(g, work, rows, count * places, channels);
      }
      for (let j = 0; j < count; j++) {
        const n = (first + j) * groups + i;
        const own = at(side, j * places * filters);
        if (!areWindows) {
          if (start == 0) memory.fill(own, 0, (<usize>(places * filters)) << 2);
          else expandAxis(own, start, 1, places, filters);
          followImage(g, work, own, n, i, 0, channels, 0);
        }
        transpose(at(word(g, layout.maps), n * filters * places), own, places, filters, 0);
      }
    }
  }
}

/**
 * Follows the set bits of m rows of A, ones, of so many words each, in a product that is described but for these: in parts where there are
 * more than the lists have room for. The product is described for the next rows then.
 */
function follow(g: usize, work: usize, rows: usize, m: i32, words: i32): void {
  const found = countBits(rows, m * words);
  if (found > word(g, layout.most) && m > 1) {
    const half = m >> 1;
    follow(g, work, rows, half, words);
    return follow(g, work, at(rows, half * words), m - half, words);
  }
  store<i32>(work, m, product.m << 2);
  store<usize>(work, rows, product.bits << 2);
  store<i32>(work, found, product.count << 2);
  store<usize>(work, areaOf(g, work, layout.lists), product.work << 2);
  gather(work);
  const c: usize = word(work, product.c);
  const next = at(c, m * word(work, product.cRow));
  if (word(work, product.init) == <i32>c) store<usize>(work, next, product.init << 2);
  store<usize>(work, next, product.c << 2);
}

/** Makes rows of bits of windows over channels `from` to `to` in a group of some images. */
function findSpikes(g: usize, rows: usize, first: i32, count: i32, group: i32, from: i32, to: i32): void {
  const channels = word(g, layout.channels);
  const step = word(g, layout.places) * (to - from);
  for (let j = 0; j < count; j++, rows = at(rows, step)) {
    const plane = ((first + j) * word(g, layout.groups) + group) * channels + from;
    const bit = plane * word(g, layout.size);
    windowBits(rows, word(g, layout.bits), bit, to - from, word(g, layout.down), word(g, layout.across));
  }
}

/**
 * maps += weights · x for a group of channels of an image, the n-th of all, or, `toWeights`, the other way round for channels `from` to
 * `to` of the group.
 */
function followImage(g: usize, work: usize, maps: usize, n: i32, group: i32, from: i32, to: i32, toWeights: i32): void {
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const size = word(g, layout.size);
  // Taps lie in reverse.
  const tap = group * word(g, layout.taps) + (channels - to) * word(g, layout.kernel);
  const turned = at(word(g, layout.turned), tap * filters);
  let first = (n * channels + from) * size;
  let bits: usize = word(g, layout.bits);
  let values: usize = 0;
  if (bits == 0) {
    values = at(word(g, layout.images), first);
    bits = areaOf(g, work, layout.rows);
    first = 0;
    packBits(bits, values, 1, (to - from) * size);
  }
  addEvents(
    maps,
    turned,
    bits,
    first,
    values,
    word(g, layout.down),
    word(g, layout.across),
    to - from,
    word(g, layout.kernel),
    filters,
    toWeights,
  );
}

/**
 * weights += maps · patchesᵀ over the non-zeros of some images and a group of channels, for the taps `from` to `to`; maps have the filters
 * innermost.
 */
function followWeights(
  g: usize,
  work: usize,
  maps: usize,
  first: i32,
  count: i32,
  group: i32,
  from: i32,
  to: i32,
): void {
  const groups = word(g, layout.groups);
  const filters = word(g, layout.filters);
  const places = word(g, layout.places);
  const kernel = word(g, layout.kernel);
  const begin = from / kernel;
  const end = (to + kernel - 1) / kernel;
  if (word(g, layout.follows) == layout.EVENTS) {
    for (let j = 0; j < count; j++) {
      followImage(g, work, at(maps, j * places * filters), (first + j) * groups + group, group, begin, end, 1);
    }
    return;
  }
  const n = count * places;
  const rows = areaOf(g, work, layout.rows);
  const byTaps = areaOf(g, work, layout.byTaps);
  findSpikes(g, rows, first, count, group, begin, end);
  transposeBits(byTaps, rows, n, 32 * (end - begin), 0);
  const words = (n + 31) >> 5;
  // A channel has 32 rows, of which those of its taps move together: lists of the others would be empty.
  const bytes = (<usize>(kernel * words)) << 2;
  for (let c = 1; c < end - begin; c++) memory.copy(byTaps + <usize>c * bytes, at(byTaps, 32 * c * words), bytes);
  const turned = at(word(g, layout.turned), (group * word(g, layout.taps) + from) * filters);
  describe(work, turned, turned, 0, maps, to - from, filters, n, filters, filters);
  follow(g, work, at(byTaps, (from - begin * kernel) * words), to - from, words);
}

/**
 * Maps [filters, places] of images `first` to `end` serve three results on their way: their sums, if `spreads`; gradients ← or += (where
 * the descriptor says so) the patches weightsᵀ · maps, if `spreads` and there is an address; and the gradient of the weights over the
 * non-zeros of images, for the taps `from` to `to`.
 *
 * `sides`, if not 0, has the maps of the `span` images from `base` on with the filters innermost, [groups, span, places, filters]: a call
 * that `spreads` writes its images there, another one reads them.
 */
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
        transpose(at(side, j * size), own, word(g, layout.filters), word(g, layout.places), 0);
      }
      if (follows) followWeights(g, work, side, first, count, i, from, to);
      for (let j = 0; spread && j < count; j += batch) {
        spreadGroup(g, work, at(side, j * size), first + j, min(batch, count - j), i);
      }
    }
  }
}

/** The maps of some images, written out where they are values at places, and, if `sums`, the sum of each where it is wanted. */
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
    for (let j = 0; j < count; j++) transpose(at(spaces, j * channels * size), at(image, j * next), channels, size, 0);
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
    transpose(added ? plain : to, from, size, channels, 0);
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
    addPatches(
      areaOf(g, work, layout.spaces),
      patches,
      at(word(g, layout.placeTable), place),
      at(word(g, layout.runTable), r * runs),
      m,
      (end - r) * runs,
      row / runs,
      patchesRow,
    );
  }
}
