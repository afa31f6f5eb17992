/**
 * Convolutions as loops over images. A call computes a range of images or, for the gradient of the weights, a range of
 * taps (channel, row and column of a window), so threads can share the work. Every sum belongs to one call, which adds
 * its terms in the order of all images.
 *
 * The arguments are a descriptor (conv-layout.ts), which no loop changes, and a work area, which begins with the
 * descriptor of a product. `convPlan` (conv-plan.ts) lays out both.
 */

import { addBlocks, copyBlocks, expandAxis, gemmGathered, transpose } from "./build/core";
import { findSpikes, followEvents, followRows } from "./conv-follow";
import * as layout from "./conv-layout";
import { areaOf, describe } from "./conv-work";
import { at, word } from "./lanes";
import * as product from "./product-layout";

/** Copies channels `from` to `to` of all groups of images into padded planes. The padding is already there. */
function pad(g: usize, padded: usize, images: usize, count: i32, from: i32, to: i32): void {
  const channels = word(g, layout.channels);
  const size = word(g, layout.size);
  const plane = word(g, layout.plane);
  const columns = word(g, layout.columns);
  const inner = at(padded, word(g, layout.inner));
  const height = word(g, layout.height);
  const width = word(g, layout.width);
  for (let i = 0, n = count * word(g, layout.groups) * channels; i < n; i += channels) {
    for (let c = i + from; c < i + to; c++) {
      copyBlocks(at(inner, c * plane), at(images, c * size), height, columns, width, columns);
    }
  }
}

/**
 * For images `first` to `end`: maps ← bias + weights · patches, or += if the descriptor says so. A bias at the address
 * 0 is zeros.
 */
// @costs (end - first) * layout.groups * layout.filters * layout.taps * layout.places / 8
// @cut end - first by layout.adds ? layout.batch : 1 → first = first + low, end = first + high, work = area(work, layout.bytes)
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
// @costs layout.total * layout.groups * layout.filters * layout.taps * layout.places / 8
// @cut to - from by 4 → from = from + low, to = from + high, work = area(work, layout.bytes)
// @cut to - from → from = from + low, to = from + high, work = area(work, layout.bytes)
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

/** For images `first` to `end`: maps ← bias + weights · patches, over non-zeros. A bias at the address 0 is zeros. */
// @costs (end - first) * layout.groups * layout.filters * layout.places * (1 + layout.taps / 64)
// @cut end - first → first = first + low, end = first + high, work = area(work, layout.bytes)
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
        followRows(g, work, rows, count * places, channels);
      } else {
        const values = count * places * filters;
        if (start == 0) memory.fill(side, 0, (<usize>values) << 2);
        else expandAxis(side, start, 1, count * places, filters);
        followEvents(g, work, side, first, count, i, 0, channels, 0);
      }
      for (let j = 0; j < count; j++) {
        const map = at(word(g, layout.maps), ((first + j) * groups + i) * filters * places);
        transpose(map, at(side, j * places * filters), places, filters, 0, 0);
      }
    }
  }
}
