/**
 * Turned weights: the weights of a convolution in the layouts of its loops (conv.ts), and the way back for their
 * gradient.
 */

import { transpose } from "./build/core";
import * as layout from "./conv-layout";
import { turnedRows } from "./conv-plan";
import { turnTiles } from "./conv-tiles";
import { at, word } from "./lanes";

/** Number of filters that are turned at a time: their weights fill cache lines. */
const STRIP = 16;

/** The weights of a loop over non-zeros. */
function weightsOf(g: usize): usize {
  return word(g, word(g, layout.order) == layout.CHANNELS ? layout.dWeights : layout.weights);
}

/**
 * Address of filter f of all groups in the turned weights, in the row of the first tap. Loops over events have the taps
 * in reverse order.
 */
function turnedAt(g: usize, f: i32): usize {
  const filters = word(g, layout.filters);
  const group = f / filters;
  const last = word(g, layout.follows) == layout.EVENTS ? word(g, layout.taps) - 1 : 0;
  return at(
    word(g, layout.turned),
    (group * word(g, layout.channels) * turnedRows(g) + last) * filters + (f - group * filters),
  );
}

/** Distance of the rows of two neighbouring taps in the turned weights. */
function turnedRow(g: usize): i32 {
  return word(g, layout.follows) == layout.EVENTS ? -word(g, layout.filters) : word(g, layout.filters);
}

/** End of the filters from f on in the same group, at most `to`. */
function groupEnd(g: usize, f: i32, to: i32): i32 {
  const filters = word(g, layout.filters);
  return min(to, (f / filters + 1) * filters);
}

/**
 * Lays out the weights of filters `from` to `to` of all groups for a planned loop. `spreadMaps` reads filters by taps
 * with the channels innermost. Loops over non-zeros read weights with the filters innermost. For events, the taps are
 * in reverse order. For windows, the weights are [32·channels, filters] with gaps, or without gaps for a gradient.
 */
// @costs (to - from) * layout.taps
// @cut to - from by 4 → from = from + low, to = from + high
export function convTurn(g: usize, from: i32, to: i32): void {
  if (word(g, layout.order) == layout.TILES) return turnTiles(g, from, to);
  const kernel = word(g, layout.kernel);
  const channels = word(g, layout.channels);
  const taps = word(g, layout.taps);
  if (word(g, layout.order) == layout.CHANNELS && word(g, layout.gradients) != 0) {
    const denseRow = word(g, layout.denseRow);
    for (let f = from; f < to; f++) {
      const row = at(word(g, layout.dense), f * denseRow);
      const filter = at(word(g, layout.weights), f * taps);
      if (kernel == 1) memory.copy(row, filter, (<usize>taps) << 2);
      else transpose(row, filter, channels, kernel, 0, 0);
    }
  }
  if (word(g, layout.follows) == 0) return;
  const rows = turnedRows(g);
  const weights = weightsOf(g);
  for (let f = from, next = f; f < to; f = next) {
    next = groupEnd(g, f, to);
    if (rows == kernel) {
      // Without gaps all taps of a group are one matrix.
      transpose(turnedAt(g, f), at(weights, f * taps), next - f, taps, 0, turnedRow(g));
      continue;
    }
    next = min(next, f + STRIP);
    const turned = turnedAt(g, f);
    for (let c = 0; c < channels; c++) {
      const own = at(turned, c * rows * word(g, layout.filters));
      transpose(own, at(weights, f * taps + c * kernel), next - f, kernel, taps, turnedRow(g));
    }
  }
}

/**
 * Copies the gradient of turned weights, which a loop over non-zeros has computed, to the layout of the weights, for
 * filters `from` to `to`, or for all filters if `to` is 0.
 */
// @costs (to - from) * layout.taps
// @cut to - from by 4 → from = from + low, to = from + high
export function convTurnBack(g: usize, from: i32, to: i32): void {
  const taps = word(g, layout.taps);
  if (to == 0) to = word(g, layout.groups) * word(g, layout.filters);
  for (let f = from, next = f; f < to; f = next) {
    next = groupEnd(g, f, to);
    transpose(at(weightsOf(g), f * taps), turnedAt(g, f), taps, next - f, turnedRow(g), 0);
  }
}
