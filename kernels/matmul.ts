/**
 * Dense product C ← init + A·B for row-major matrices with arbitrary element strides, so that one kernel serves A·B,
 * A·Bᵀ, Aᵀ·B, single rows, accumulation and bias.
 *
 * Summation order. Every element of C has one accumulator that starts at its init value and adds a[i,p]·b[p,j] for p = 0, 1, …, k − 1, also
 * across blocks, since the accumulator is loaded back from C. The result therefore does not depend on block sizes, on m, or on the path
 * taken, and skipping a zero of A would not change it.
 *
 * How it is fast.
 *   - A tile of 2 rows × 16 columns keeps 8 accumulators, 4 vectors of B and 2 broadcasts of A in the 15 vector registers that V8 can use.
 *     Unrolling over k would spill. Tails use tiles of 12 columns, and of 4 rows × 4 columns.
 *   - B is packed into panels of 16 columns that a tile reads sequentially, a block of 256 × 256 at a time, and is transposed on the way if
 *     it is stored by columns. A is packed by pairs of rows, so that one address serves both. A product of fewer columns has a single panel; A
 *     is then read in place through its strides.
 *   - A narrow product reads each row of A once. Since hardware prefetches only within a page, the first lines of the next rows are read in
 *     advance.
 *   - A single row needs no packing (row.ts): rows of B pass over c, columns of B are transposed in registers.
 *   - Addresses are advanced before their use, not after it, so that V8 needs no copies of them.
 *   - The tiles of one panel are one call: V8 replaces its baseline code between calls, never inside one, and a call for every tile would
 *     cost a sixth of the time.
 */

import { madd, padColumns, storeColumns, word } from "./lanes";
import { pack, packGathered, packPairs, pairs, panels, panelWidth } from "./panels";
import * as layout from "./product-layout";
import { rowTimesColumns, rowTimesRows } from "./row";
import { BLOCK_K, panelBytes, startsOf, WIDEST, zeros } from "./starts";

/**
 * Number of elements of B that are packed at once. A block is BLOCK_K rows deep; up to DEEPEST if there is only one panel, and SHALLOWEST
 * if A has few rows, which read each block once.
 */
const BLOCK_B = 65536;
const DEEPEST = 1024;
const SHALLOWEST = 64;
/** Number of elements of A that fit the second-level cache while all panels pass over them. */
const BLOCK_A = 32768;

/** Tiles with a partial vector are computed here, so many rows at a time, and then copied to C. */
const SPARE_ROWS = 32;
const spare = memory.data(2048, 16);
/** The next rows of A are prefetched if a row has at least this length. */
const LONG = 256;
const touched = memory.data(16, 16);
/** Output tile for a single row. */
const edge = memory.data(256, 16);

/**
 * C[i,j] ← init[i,j] + Σₚ A[i,p]·B[p,j]     C: m × n, A: m × k, B: k × n
 *
 * Takes the address of a descriptor with the words of `ProductDescriptor`. C is contiguous along j. init is 0 (the address) for zeros, c
 * to add to C, or a row that all rows start from, such as a bias, whose −0 counts as 0. C must not overlap A or B.
 */
// @costs layout.m * layout.n * layout.k / 8
// @cut layout.m by 2 if layout.m >= layout.n → layout.c * layout.cRow, layout.init * (layout.init == layout.c ? layout.cRow : 0),
//   layout.a * layout.aRow
// @cut layout.n by 16 → layout.c, layout.init, layout.b * layout.bCol
export function gemm(descriptor: usize): void {
  inline.always(multiply(descriptor, false));
}

/**
 * The product with B[p, j] = b[rows[p] + cols[j]], for tables of ascending integers: the values under a window that moves over an image,
 * read in place.
 */
export function gemmGathered(descriptor: usize): void {
  inline.always(multiply(descriptor, true));
}

function multiply(descriptor: usize, gathered: bool): void {
  let c: usize = word(descriptor, layout.c);
  let init: usize = word(descriptor, layout.init);
  const m = word(descriptor, layout.m);
  let n = word(descriptor, layout.n);
  const k = word(descriptor, layout.k);
  const a: usize = word(descriptor, layout.a);
  const aCol = word(descriptor, layout.aCol);
  let b: usize = word(descriptor, layout.b);
  const bRow = word(descriptor, layout.bRow);
  const bCol = word(descriptor, layout.bCol);
  if (!gathered && m == 1 && n >= 8 && k >= 4 && (bCol == 1 || (bRow == 1 && aCol == 1))) {
    // The last rows of B, and its last columns, are separate products.
    const nc = n & ~7;
    const kc = k & ~3;
    const wide = (<usize>nc) << 2;
    const zero = f32x4.splat(0);
    for (let o: usize = 0; o < wide; o += 16) {
      v128.store(c + o, init == 0 ? zero : f32x4.add(v128.load(init + o), zero));
    }
    if (bCol == 1) rowTimesRows(c, a, b, nc, kc, (<usize>aCol) << 2, (<usize>bRow) << 2);
    else rowTimesColumns(c, a, b, nc, kc, (<usize>bCol) << 2);
    const deep = (<usize>kc) << 2;
    if (kc < k) product(c, a + deep * <usize>aCol, b + deep * <usize>bRow, c, 1, nc, k - kc, descriptor, false);
    c += wide;
    b += wide * <usize>bCol;
    if (init != 0) init += wide;
    n -= nc;
    if (n == 0) return;
  }
  product(c, a, b, init, m, n, k, descriptor, gathered);
}

/** Packs B block by block and multiplies all of A with each block; the descriptor has the strides. */
function product(
  c: usize,
  a: usize,
  b: usize,
  init: usize,
  m: i32,
  n: i32,
  k: i32,
  descriptor: usize,
  gathered: bool,
): void {
  if (m <= 0 || n <= 0) return;
  const aRowBytes = (<usize>word(descriptor, layout.aRow)) << 2;
  const aColBytes = (<usize>word(descriptor, layout.aCol)) << 2;
  const bRow = word(descriptor, layout.bRow);
  const bCol = word(descriptor, layout.bCol);
  const rows: usize = word(descriptor, layout.rows);
  const cols: usize = word(descriptor, layout.cols);
  const cBytes = (<usize>word(descriptor, layout.cRow)) << 2;
  if (k <= 0) return copyInit(c, init, m, n, cBytes);
  const depth = min(k, n <= 16 ? DEEPEST : m <= 16 ? SHALLOWEST : BLOCK_K);
  const width = min(WIDEST, (BLOCK_B / depth) & ~15);
  for (let p = 0; p < k; p += depth) {
    const kc = min(depth, k - p);
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      if (gathered) packGathered(b, rows + ((<usize>p) << 2), cols + ((<usize>j) << 2), kc, nc);
      else pack(panels, b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2), kc, nc, bRow, bCol);
      const to = c + ((<usize>j) << 2);
      const adds = p > 0 || init == c;
      const from = adds ? to : init == 0 ? zeros : startsOf(init + ((<usize>j) << 2), nc);
      block(panels, to, a + <usize>p * aColBytes, from, m, nc, kc, aRowBytes, aColBytes, cBytes, adds ? cBytes : 0);
    }
  }
}

/** Packs all of B, at most 2048 columns and fewer than 64 rows, for {@link multiplyRows}. */
export function packWhole(descriptor: usize): void {
  const b: usize = word(descriptor, layout.b);
  const bRow = word(descriptor, layout.bRow);
  pack(panels, b, word(descriptor, layout.k), word(descriptor, layout.n), bRow, word(descriptor, layout.bCol));
}

/** C ← m rows of A, from value `first` of the whole A on, times B, which is packed already. */
export function multiplyRows(descriptor: usize, first: i32): void {
  const n = word(descriptor, layout.n);
  const k = word(descriptor, layout.k);
  const a = <usize>word(descriptor, layout.a) + ((<usize>((first / n) * k)) << 2);
  const row = (<usize>k) << 2;
  block(panels, word(descriptor, layout.c), a, zeros, word(descriptor, layout.m), n, k, row, 4, (<usize>n) << 2, 0);
}

/** C ← init, for k = 0. */
function copyInit(c: usize, init: usize, m: i32, n: i32, cBytes: usize): void {
  if (init == c) return;
  for (const bytes = (<usize>n) << 2; m > 0; m--, c += cBytes) {
    if (init == 0) memory.fill(c, 0, bytes);
    else memory.copy(c, init, bytes);
  }
}

/** Multiplies A, block by block, with all packed panels. Rows start from those at init, `initRow` bytes apart. */
export function block(
  packed: usize,
  c: usize,
  a: usize,
  init: usize,
  m: i32,
  nc: i32,
  kc: i32,
  aRow: usize,
  aCol: usize,
  cRow: usize,
  initRow: usize,
): void {
  const last = nc & 15;
  const pairRow = (<usize>kc) << 2;
  const most = max(2, (BLOCK_A / kc) & ~1);
  for (; m > 0; m -= most) {
    const rows = min(m, most);
    if (nc > 12) packPairs(a, rows, kc, aRow, aCol);
    let panel = packed;
    let to = c;
    let from = init;
    for (let j = nc; j >= 16; j -= 16, panel += panelBytes(kc), to += 64, from += 64) {
      tiles(16, rows, kc, pairs, pairRow, 8, panel, to, cRow, from, initRow);
    }
    if (last > 12) narrow(to, pairs, from, panel, rows, last, kc, pairRow, 8, cRow, initRow);
    else if (last > 0) narrow(to, a, from, panel, rows, last, kc, aRow, aCol, cRow, initRow);
    const done = <usize>rows;
    a += done * aRow;
    c += done * cRow;
    init += done * initRow;
  }
}

/** The last 1 … 15 columns: whole vectors in place, a partial one through spare rows. */
function narrow(
  c: usize,
  a: usize,
  init: usize,
  panel: usize,
  m: i32,
  n: i32,
  kc: i32,
  aRow: usize,
  aCol: usize,
  cRow: usize,
  initRow: usize,
): void {
  const width = panelWidth(n);
  if (width == n) return tiles(width, m, kc, a, aRow, aCol, panel, c, cRow, init, initRow);
  for (; m > 0; m -= SPARE_ROWS) {
    const rows = min(m, SPARE_ROWS);
    const end = spare + ((<usize>rows) << 6);
    for (let to = spare; to < end; to += 64, init += initRow) inline.always(padColumns(to, init, n));
    tiles(width, rows, kc, a, aRow, aCol, panel, spare, 64, spare, 64);
    for (let from = spare; from < end; from += 64, c += cRow) inline.always(storeColumns(c, from, n));
    a += <usize>rows * aRow;
  }
}

/** Computes full tiles first. Each remaining row gets its own tile, whose other rows are discarded. */
function tiles(
  width: i32,
  m: i32,
  kc: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  init: usize,
  initRow: usize,
): void {
  const height = width > 4 ? 2 : 4;
  const whole = m & -height;
  if (whole > 0) {
    if (width == 16) inline.always(tiles2(true, whole, kc, a, 4, 8, panel, c, cRow, init, initRow));
    else if (width == 12) inline.always(tiles2(false, whole, kc, a, aRow, aCol, panel, c, cRow, init, initRow));
    else tiles4(whole, kc, a, aRow, aCol, panel, c, cRow, init, initRow);
  }
  for (let i = <usize>whole; i < <usize>m; i++) {
    padColumns(edge, init + i * initRow, width);
    tiles(width, height, kc, a + i * aRow, 0, aCol, panel, edge, 64, edge, 0);
    storeColumns(c + i * cRow, edge, width);
  }
}

/*
 * The tiles: c[r, 0 … w−1] ← init[r, …] + Σₚ a[r]·panel[p, …], for two or four rows r at a time; m is a multiple of two or four. At least
 * four sums must be in flight, since an addition takes three or four cycles. Registers cannot be indexed, so each sum is written out. Tiles
 * of 16 columns read rows of A as packed pairs.
 */

/** Tiles of 12 columns or, `wide`, of 16. */
function tiles2(
  wide: bool,
  m: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  init: usize,
  initRow: usize,
): void {
  const ahead = !wide && aStep == 4 && k >= LONG;
  do {
    if (ahead && m > 2) {
      inline.always(touch(a + 2 * aRow));
      inline.always(touch(a + 3 * aRow));
    }
    const i1 = init + initRow;
    let s00 = v128.load(init);
    let s01 = v128.load(init, 16);
    let s02 = v128.load(init, 32);
    let s03 = s00;
    if (wide) s03 = v128.load(init, 48);
    let s10 = v128.load(i1);
    let s11 = v128.load(i1, 16);
    let s12 = v128.load(i1, 32);
    let s13 = s10;
    if (wide) s13 = v128.load(i1, 48);
    let a0 = a - aStep;
    let a1 = a0 + aRow;
    let b = panel - (wide ? 64 : 48);
    let p = k;
    do {
      b += wide ? 64 : 48;
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      const b2 = v128.load(b, 32);
      const b3 = wide ? v128.load(b, 48) : b2;
      a0 += aStep;
      const x0 = v128.load32_splat(a0);
      s00 = inline.always(madd(s00, x0, b0));
      s01 = inline.always(madd(s01, x0, b1));
      s02 = inline.always(madd(s02, x0, b2));
      if (wide) s03 = inline.always(madd(s03, x0, b3));
      if (!wide) a1 += aStep;
      const x1 = wide ? v128.load32_splat(a0, 4) : v128.load32_splat(a1);
      s10 = inline.always(madd(s10, x1, b0));
      s11 = inline.always(madd(s11, x1, b1));
      s12 = inline.always(madd(s12, x1, b2));
      if (wide) s13 = inline.always(madd(s13, x1, b3));
    } while (--p != 0);
    const c1 = c + cRow;
    v128.store(c, s00);
    v128.store(c, s01, 16);
    v128.store(c, s02, 32);
    if (wide) v128.store(c, s03, 48);
    v128.store(c1, s10);
    v128.store(c1, s11, 16);
    v128.store(c1, s12, 32);
    if (wide) v128.store(c1, s13, 48);
    a = wide ? a0 + 8 : a + 2 * aRow;
    c += 2 * cRow;
    init += 2 * initRow;
    m -= 2;
  } while (m > 0);
}

/** Reads the first lines of a row, so that the processor prefetches the following ones. */
function touch(p: usize): void {
  const first = v128.or(v128.load(p), v128.load(p, 64));
  v128.store(touched, v128.or(first, v128.or(v128.load(p, 128), v128.load(p, 192))));
}

function tiles4(
  m: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  init: usize,
  initRow: usize,
): void {
  do {
    const i1 = init + initRow;
    const i2 = i1 + initRow;
    const i3 = i2 + initRow;
    let s00 = v128.load(init);
    let s10 = v128.load(i1);
    let s20 = v128.load(i2);
    let s30 = v128.load(i3);
    let a0 = a - aStep;
    let a1 = a0 + aRow;
    let a2 = a1 + aRow;
    let a3 = a2 + aRow;
    let b = panel - 16;
    let p = k;
    do {
      b += 16;
      const b0 = v128.load(b);
      a0 += aStep;
      const x0 = v128.load32_splat(a0);
      s00 = inline.always(madd(s00, x0, b0));
      a1 += aStep;
      const x1 = v128.load32_splat(a1);
      s10 = inline.always(madd(s10, x1, b0));
      a2 += aStep;
      const x2 = v128.load32_splat(a2);
      s20 = inline.always(madd(s20, x2, b0));
      a3 += aStep;
      const x3 = v128.load32_splat(a3);
      s30 = inline.always(madd(s30, x3, b0));
    } while (--p != 0);
    const c1 = c + cRow;
    const c2 = c1 + cRow;
    const c3 = c2 + cRow;
    v128.store(c, s00);
    v128.store(c1, s10);
    v128.store(c2, s20);
    v128.store(c3, s30);
    a += 4 * aRow;
    c += 4 * cRow;
    init += 4 * initRow;
    m -= 4;
  } while (m > 0);
}
