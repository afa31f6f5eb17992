/**
 * Packing of the right operand of a product. Dense products use blocks in panels of 16 columns, products that follow non-zeros larger blocks
 * in panels of 32.
 */

import { loadTail, storeTransposed } from "./lanes";
import { panelBytes } from "./starts";

export const panels = memory.data(851968, 64);

/**
 * Packed pairs of rows of A, (a[i, p], a[i + 1, p]) for p = 0, 1, …; after the panels of B of a dense product.
 */
export const pairs = panels + 524288;

/** Width of a panel for `columns` columns: 4, 12 or 16. */
export function panelWidth(columns: i32): i32 {
  return columns <= 4 ? 4 : columns <= 12 ? 12 : 16;
}

/**
 * to ← nc columns of kc rows of B in panels of 16 columns that are read sequentially; the last one may be narrower. Values of its columns
 * beyond those of B are unused.
 */
export function pack(to: usize, b: usize, kc: i32, nc: i32, bRow: i32, bCol: i32): void {
  const rowBytes = (<usize>bRow) << 2;
  const colBytes = (<usize>bCol) << 2;
  let q = to;
  const whole = bCol == 1 ? nc & ~15 : 0;
  if (whole > 0) packRows(q, 64, b, kc, (<usize>whole) << 2, rowBytes, panelBytes(kc), panelBytes(kc));
  b += (<usize>whole) << 2;
  q += <usize>(whole >> 4) * panelBytes(kc);
  for (let j = whole; j < nc; j += 16) {
    const left = nc - j;
    if (left >= 16 && bRow == 1) packColumns(q, 64, b, kc, colBytes);
    else packAny(q, (<usize>panelWidth(left)) << 2, b, kc, min(16, left), rowBytes, colBytes);
    q += panelBytes(kc);
    b += colBytes << 4;
  }
}

/** Packs m rows of A, kc columns; if the second row of a pair is missing, the first is repeated. */
export function packPairs(a: usize, m: i32, kc: i32, aRow: usize, aCol: usize): void {
  const next = (<usize>kc) << 3;
  let to = pairs;
  if (aRow == 4) {
    for (; m >= 4; m -= 4, a += 16, to += next << 1) {
      let from = a;
      for (let q = to, end = to + next; q != end; q += 8, from += aCol) {
        const four = v128.load(from);
        v128.store64_lane(q, four, 0);
        v128.store64_lane(q + next, four, 1);
      }
    }
  }
  for (; m > 0; m -= 2, a += aRow << 1, to += next) {
    let from = a;
    let other = m > 1 ? a + aRow : a;
    let q = to;
    const end = to + next;
    if (aCol == 4) {
      for (const stop = to + ((<usize>kc & ~3) << 3); q != stop; q += 32, from += 16, other += 16) {
        const x = v128.load(from);
        const y = v128.load(other);
        v128.store(q, i32x4.shuffle(x, y, 0, 4, 1, 5));
        v128.store(q, i32x4.shuffle(x, y, 2, 6, 3, 7), 16);
      }
    }
    for (; q != end; q += 8, from += aCol, other += aCol) {
      store<f32>(q, load<f32>(from));
      store<f32>(q, load<f32>(other), 4);
    }
  }
}

/**
 * to ← nc columns of kc rows of B in panels whose rows have `unit` bytes, 48, 64 or 128. The last panel is zero-padded to a multiple of 4
 * columns; memory after them is not written.
 */
export function packWide(to: usize, unit: usize, b: usize, kc: i32, nc: i32, bRow: i32, bCol: i32): void {
  const rowBytes = (<usize>bRow) << 2;
  const colBytes = (<usize>bCol) << 2;
  const panel = <usize>kc * unit;
  const whole: usize = bCol == 1 && unit == 128 ? <usize>nc & ~31 : 0;
  if (whole > 0) packRows(to, unit, b, kc, whole << 2, rowBytes, 64, panel - 64);
  b += whole << 2;
  for (let j = whole << 2, left = nc - <i32>whole; left > 0; j += 64, left -= 16, b += colBytes << 4) {
    const q = to + (j / unit) * panel + (j & (unit - 64));
    if (left >= 16 && bCol == 1) packRows(q, unit, b, kc, 64, rowBytes, 0, 0);
    else if (left >= 16 && bRow == 1) packColumns(q, unit, b, kc, colBytes);
    else packAny(q, unit, b, kc, min(16, left), rowBytes, colBytes);
  }
}

/**
 * Copies contiguous rows, one at a time, into panels with rows of `unit` bytes: the second 64 bytes of a row begin `odd` bytes after the
 * first, the third `even` bytes after the second, the fourth again `odd` bytes after the third.
 */
function packRows(
  q: usize,
  unit: usize,
  b: usize,
  kc: i32,
  bytes: usize,
  rowBytes: usize,
  odd: usize,
  even: usize,
): void {
  do {
    let from = b;
    let to = q;
    let step = odd;
    const end = b + bytes;
    do {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
      from += 64;
      to += step;
      step = odd + even - step;
    } while (from != end);
    b += rowBytes;
    q += unit;
  } while (--kc != 0);
}

/** For contiguous columns: reads 4 × 4 blocks and writes them transposed, a row of four blocks at a time. */
function packColumns(q: usize, step: usize, b: usize, kc: i32, colBytes: usize): void {
  let p = kc;
  for (; p >= 4; p -= 4, q += step << 2, b += 16) {
    let from = b;
    for (const end = q + 64; q < end; q += 16, from += colBytes << 2) {
      const x0 = v128.load(from);
      const x1 = v128.load(from + colBytes);
      const x2 = v128.load(from + 2 * colBytes);
      const x3 = v128.load(from + 3 * colBytes);
      inline.always(storeTransposed(q, step, x0, x1, x2, x3));
    }
    q -= 64;
  }
  for (; p > 0; p--, q += step, b += 4) {
    let from = b;
    for (let j: usize = 0; j < 64; j += 4, from += colBytes) store<f32>(q + j, load<f32>(from));
  }
}

/** For any strides; zero-padded to a multiple of 4 columns. */
function packAny(q: usize, step: usize, b: usize, kc: i32, columns: i32, rowBytes: usize, colBytes: usize): void {
  for (; columns > 0; columns -= 4, q += 16, b += colBytes << 2) {
    packFour(q, step, b, kc, min(4, columns), rowBytes, colBytes);
  }
}

/** Four columns, of which the last ones may be missing. */
function packFour(q: usize, step: usize, b: usize, kc: i32, columns: i32, rowBytes: usize, colBytes: usize): void {
  if (columns == 4 && rowBytes == 4) {
    for (; kc >= 4; kc -= 4, q += step << 2, b += 16) {
      const x2 = v128.load(b + 2 * colBytes);
      const x3 = v128.load(b + 3 * colBytes);
      inline.always(storeTransposed(q, step, v128.load(b), v128.load(b + colBytes), x2, x3));
    }
  }
  for (; kc > 0; kc--, q += step, b += rowBytes) {
    let four = i32x4.splat(0);
    if (colBytes == 4) four = columns == 4 ? v128.load(b) : inline.always(loadTail(b, columns));
    else {
      four = v128.load32_zero(b);
      if (columns > 1) four = v128.load32_lane(b + colBytes, four, 1);
      if (columns > 2) four = v128.load32_lane(b + 2 * colBytes, four, 2);
      if (columns > 3) four = v128.load32_lane(b + 3 * colBytes, four, 3);
    }
    v128.store(q, four);
  }
}

/**
 * Packs B[p, j] = x[rows[p] + cols[j]], where both tables hold ascending integers: four table entries whose ends differ by 3 are four
 * consecutive values.
 */
export function packGathered(x: usize, rows: usize, cols: usize, kc: i32, nc: i32): void {
  let q = panels;
  for (let j = nc; j > 0; j -= 16, cols += 64) {
    const width = panelWidth(j);
    if (j >= 16 && inARow(cols) && inARow(cols + 16) && inARow(cols + 32) && inARow(cols + 48)) {
      packRuns(q, x, rows, cols, kc);
    } else {
      for (let i = 0; i < min(16, j); i += 4) {
        packQuad(q + ((<usize>i) << 2), (<usize>width) << 2, x, rows, cols + ((<usize>i) << 2), kc, j - i);
      }
    }
    q += panelBytes(kc);
  }
}

function inARow(table: usize): bool {
  return load<i32>(table, 12) - load<i32>(table) == 3;
}

/** Address of entry i of the table. */
function named(x: usize, table: usize, i: i32): usize {
  return x + ((<usize>load<i32>(table + ((<usize>i) << 2))) << 2);
}

/** Packs 16 columns that are four runs of four. */
function packRuns(q: usize, x: usize, rows: usize, cols: usize, kc: i32): void {
  const x0 = named(x, cols, 0);
  const x1 = named(x, cols, 4);
  const x2 = named(x, cols, 8);
  const x3 = named(x, cols, 12);
  do {
    const o = named(0, rows, 0);
    v128.store(q, v128.load(x0 + o));
    v128.store(q, v128.load(x1 + o), 16);
    v128.store(q, v128.load(x2 + o), 32);
    v128.store(q, v128.load(x3 + o), 48);
    q += 64;
    rows += 4;
  } while (--kc != 0);
}

/** Packs four columns; if fewer are left, the last one is repeated. */
function packQuad(q: usize, step: usize, x: usize, rows: usize, cols: usize, kc: i32, left: i32): void {
  const x0 = named(x, cols, 0);
  const x1 = named(x, cols, min(1, left - 1));
  const x2 = named(x, cols, min(2, left - 1));
  const x3 = named(x, cols, min(3, left - 1));
  const run = left >= 4 && x3 - x0 == 12;
  while (kc > 0) {
    const o = named(0, rows, 0);
    if (run) v128.store(q, v128.load(x0 + o));
    else if (kc >= 4 && inARow(rows)) {
      storeTransposed(q, step, v128.load(x0 + o), v128.load(x1 + o), v128.load(x2 + o), v128.load(x3 + o));
      q += step << 2;
      rows += 16;
      kc -= 4;
      continue;
    } else {
      store<f32>(q, load<f32>(x0 + o));
      store<f32>(q, load<f32>(x1 + o), 4);
      store<f32>(q, load<f32>(x2 + o), 8);
      store<f32>(q, load<f32>(x3 + o), 12);
    }
    q += step;
    rows += 4;
    kc--;
  }
}
