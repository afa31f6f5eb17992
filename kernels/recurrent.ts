/**
 * One time step of fully connected recurrent spiking neurons: products of W [n, n] with spikes, and of gradients with W in backward. W is
 * packed once for all steps, and arrays of a step are [rows, n].
 *
 * W·s is the sum of the columns of W of the neurons that fired, in ascending order. Wᵀ is packed in panels of 32 columns, so that one panel
 * stays in the first-level cache while all rows pass over it.
 */

import { $alignFrom, $block, $listFewPlaces, $listPlaces, $pack, $packWide, $panelRows } from "./build/core";
import { addTo } from "./elementwise";
import { word } from "./lanes";
import * as layout from "./product-layout";
import { areFew, BLOCK_K, panelBytes, startsOf, zeros } from "./starts";

/** Columns of a panel. */
const PANEL = 32;

/** panels ← Wᵀ in the layout of `feedForward`, n·32·⌈n/32⌉ values */
export function packForward(panels: usize, weight: usize, n: i32): void {
  $packWide(panels, PANEL << 2, weight, n, n, 1, n);
}

/**
 * z ← (b + W·s) + current for the spikes s of the previous step: a stream of bits from bit `first` on, or none for s = 0 (the address).
 * bias = 0 means zeros. `work` has room for rows·(n + 36) + 64 words.
 */
// @costs 8 * rows * n
// @cut rows → z * n, current * n, first = first + low * n, work = area(work, 4 * (rows * (n + 36) + 64))
export function feedForward(
  z: usize,
  current: usize,
  s: usize,
  first: i32,
  panels: usize,
  bias: usize,
  work: usize,
  rows: i32,
  n: i32,
): void {
  const row = (<usize>n) << 2;
  const words = (n + 31) >> 5;
  // Workspace: the sums of a panel, the spikes as rows of words, their lists.
  const sums = work;
  const bits = sums + ((<usize>rows) << 7);
  const lists = bits + ((<usize>(rows * words)) << 2);
  let count = 0;
  if (s != 0) count = $alignFrom(bits, s, <usize>first, rows, n);
  else memory.fill(bits, 0, (<usize>(rows * words)) << 2);
  if (areFew(count, rows, words)) $listFewPlaces(lists, bits, (<usize>words) << 2, rows, words);
  else $listPlaces(lists, bits, (<usize>words) << 2, rows, words);
  // Copied sequentially first, since the current is not in the cache.
  memory.copy(z, current, <usize>rows * row);
  for (let j = 0; j < n; j += PANEL, panels += (<usize>n) << 7, z += 128) {
    const width = min(PANEL, n - j);
    // Columns beyond the bias may start from any values, since they are unused.
    const start = bias == 0 ? zeros : startsOf(bias + ((<usize>j) << 2), width);
    $panelRows(sums, lists, panels, 128, start, rows, PANEL, false, 128, 0);
    let to = z;
    for (let sum = sums, end = sums + ((<usize>rows) << 7); sum != end; sum += 128, to += row)
      inline.always(addTo(to, sum, width));
  }
}

/** packed ← W in the layout of `feedBack`, in blocks of 256 rows: ⌈n/16⌉ panels of 16 columns, each with one row more than the block */
export function packBackward(packed: usize, weight: usize, n: i32): void {
  const row = (<usize>n) << 2;
  for (let p = 0; p < n; p += BLOCK_K) {
    const kc = min(BLOCK_K, n - p);
    $pack(packed, weight + <usize>p * row, kc, n, n, 1);
    packed += panelBytes(kc) * (<usize>(n + 15) >> 4);
  }
}

/**
 * The product of `gemm` with W as B, both contiguous and with init = c: ds += dI·W, for the gradient dI of the next step's currents. b is W
 * as packed by `packBackward`.
 */
// @costs layout.m * layout.n * layout.n / 8
// @cut layout.m by 2 → layout.c * layout.cRow, layout.init * (layout.init == layout.c ? layout.cRow : 0), layout.a * layout.aRow
export function feedBack(descriptor: usize): void {
  const ds: usize = word(descriptor, layout.c);
  const m = word(descriptor, layout.m);
  const n = word(descriptor, layout.n);
  const row = (<usize>n) << 2;
  let packed: usize = word(descriptor, layout.b);
  let dI: usize = word(descriptor, layout.a);
  for (let p = 0; p < n; p += BLOCK_K, dI += BLOCK_K << 2) {
    const kc = min(BLOCK_K, n - p);
    $block(packed, ds, dI, ds, m, n, kc, row, 4, row, row);
    packed += panelBytes(kc) * (<usize>(n + 15) >> 4);
  }
}
