/**
 * Convolutions over the non-zeros of images (conv.ts): spikes as rows of bits, one for each window, or events one by
 * one. Here the filters are the innermost axis of maps and of turned weights (conv-turn.ts).
 */

import { countBits, gather, packBits, transposeBits } from "./build/core";
import * as layout from "./conv-layout";
import { areaOf, describe } from "./conv-work";
import { addEvents, windowBits } from "./events";
import { at, word } from "./lanes";
import * as product from "./product-layout";

/** Number of weights that stay in the second-level cache while events of several images are multiplied by them. */
const NEAR = 16384;

/**
 * Runs a described product whose A is given by m rows of bits of `words` words each. Processes the rows in parts if the
 * lists lack room for all bits. Afterwards the descriptor is ready for the next rows.
 */
export function followRows(g: usize, work: usize, rows: usize, m: i32, words: i32): void {
  const found = countBits(rows, m * words);
  if (found > word(g, layout.most) && m > 1) {
    const half = m >> 1;
    followRows(g, work, rows, half, words);
    return followRows(g, work, at(rows, half * words), m - half, words);
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

/** Writes rows of bits of windows over channels `from` to `to` in a group of some images. */
export function findSpikes(g: usize, rows: usize, first: i32, count: i32, group: i32, from: i32, to: i32): void {
  const channels = word(g, layout.channels);
  const step = word(g, layout.places) * (to - from);
  for (let j = 0; j < count; j++, rows = at(rows, step)) {
    const plane = ((first + j) * word(g, layout.groups) + group) * channels + from;
    const bit = plane * word(g, layout.size);
    windowBits(rows, word(g, layout.bits), bit, to - from, word(g, layout.down), word(g, layout.across));
  }
}

/**
 * maps += weights · x for channels `from` to `to` of a group of `count` images; with `toWeights`, weights += maps · x. The weights of a few
 * channels stay in the cache while all images are multiplied by them.
 */
export function followEvents(
  g: usize,
  work: usize,
  maps: usize,
  first: i32,
  count: i32,
  group: i32,
  from: i32,
  to: i32,
  toWeights: i32,
): void {
  const size = word(g, layout.filters) * word(g, layout.places);
  const some = max(1, NEAR / (word(g, layout.kernel) * word(g, layout.filters)));
  for (let c = from; c < to; c += some) {
    const end = min(to, c + some);
    for (let j = 0; j < count; j++) {
      const n = (first + j) * word(g, layout.groups) + group;
      followImage(g, work, at(maps, j * size), n, group, c, end, toWeights);
    }
  }
}

/** `followEvents` for one group of one image; n is its number among the groups of all images. */
function followImage(g: usize, work: usize, maps: usize, n: i32, group: i32, from: i32, to: i32, toWeights: i32): void {
  const channels = word(g, layout.channels);
  const filters = word(g, layout.filters);
  const size = word(g, layout.size);
  const kernel = word(g, layout.kernel);
  // Taps are in reverse order.
  const tap = group * word(g, layout.taps) + (channels - to) * kernel;
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
  const down = word(g, layout.down);
  const across = word(g, layout.across);
  addEvents(maps, turned, bits, first, values, down, across, to - from, kernel, filters, toWeights);
}

/**
 * weights += maps · patchesᵀ over the non-zeros of some images and a group of channels, for the taps `from` to `to`;
 * the filters are the innermost axis of maps.
 */
export function followWeights(
  g: usize,
  work: usize,
  maps: usize,
  first: i32,
  count: i32,
  group: i32,
  from: i32,
  to: i32,
): void {
  const filters = word(g, layout.filters);
  const places = word(g, layout.places);
  const kernel = word(g, layout.kernel);
  const begin = from / kernel;
  const end = (to + kernel - 1) / kernel;
  if (word(g, layout.follows) == layout.EVENTS) {
    return followEvents(g, work, maps, first, count, group, begin, end, 1);
  }
  const n = count * places;
  const rows = areaOf(g, work, layout.rows);
  const byTaps = areaOf(g, work, layout.byTaps);
  findSpikes(g, rows, first, count, group, begin, end);
  transposeBits(byTaps, rows, n, 32 * (end - begin), 0);
  const words = (n + 31) >> 5;
  // A channel has 32 rows. Only the rows of its taps are moved together, since the lists of the others would be empty.
  const bytes = (<usize>(kernel * words)) << 2;
  for (let c = 1; c < end - begin; c++) memory.copy(byTaps + <usize>c * bytes, at(byTaps, 32 * c * words), bytes);
  const turned = at(word(g, layout.turned), (group * word(g, layout.taps) + from) * filters);
  describe(work, turned, turned, 0, maps, to - from, filters, n, filters, filters);
  followRows(g, work, at(byTaps, (from - begin * kernel) * words), to - from, words);
}
