/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + A·B, where bits tell which A[i, p] are not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and takes the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product, as long as B is finite.
 *
 * The bits of each row become a list of their places, with the values of A beside them unless these are ones. There are two
 * ways to walk over the lists:
 *
 *   panels   B is packed, 32 columns wide and so many rows deep that a panel stays in the caches while all rows of A pass
 *            it. A row of C keeps its 32 accumulators in registers: an addition costs little more than a load. Of a few
 *            columns two rows take turns, or each addition would wait for the one before.
 *   rows     where few events share a row of B, packing does not pay. Four rows of B at a time are added to a row of C,
 *            which stays in the first-level cache.
 */
import { madd, one, padColumns, storeColumns, word } from "./lanes";
import { areFew, listFewPlaces, listPlaces, listValues } from "./listed-places";
import { plus, rowOf, sum16, sum16Graded, sum24, sum32, sum32Graded, twoSums4, twoSums12 } from "./listed-sums";
import { BLOCK_FLOATS, packWide, panels, startsOf, WIDEST, zeros } from "./panels";
import * as layout from "./product-layout";

/** Events that a row of B must have on average for packing to pay. */
const SHARED = 8;
/** Bytes of a panel that stay in the first-level cache; but lists of fewer events than LONG cost more to begin. */
const NEAR = 24576;
/** Rows of B in a panel. */
const DEEPEST = 1024;
const LONG: f64 = 100;
/** Floats that are packed before they are used: with the rows they come from they stay in the second-level cache until then. */
const PACKED = 32768;
/** Rows of B that 16 bits can tell apart. */
const FARTHEST = 65536;
/** Columns that are summed at once where a panel has 17 to 24. */
const MIDDLE = 24;
/** Columns of a panel; a B that has no more than half as many is packed in panels of half the width, or of 12. */
const PANEL = 32;

/**
 * Many short rows begin alike: the sum of init and the first TABLED_BITS of a row is looked up. The table lies at the
 * end of the workspace.
 */
const TABLED_BITS: u32 = 8;
const TABLED_ROWS: i32 = 4 << TABLED_BITS;
const LOWEST: u32 = (1 << TABLED_BITS) - 1;
const TABLE_FLOATS = PANEL << TABLED_BITS;
const table = panels + ((BLOCK_FLOATS - TABLE_FLOATS) << 2);

/** Fewer than 16 columns of two rows, or fewer than 24 of one, are computed here and copied. */
const spare = memory.data(128, 16);
const other = spare + 64;

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} A[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * Takes the address of a descriptor with the words of `ProductDescriptor`: `count` bits are set, and init is as in gemm. C may be columns
 * of a wider matrix, from a multiple of 32 on: it has rows of cRow values, and B has the same columns of its rows.
 * a = 0 (the address): A is 1 where a bit is set. `work` is room for m + 5 words and half of one for every set bit, two unless a is 0.
 * Where bCol = 1 and bRow ≥ cRow has room for them, whole groups of 16 columns of B are read.
 */
export function gather(descriptor: usize): void {
  const c: usize = word(descriptor, layout.c);
  const init: usize = word(descriptor, layout.init);
  const m = word(descriptor, layout.m);
  const n = word(descriptor, layout.n);
  const k = word(descriptor, layout.k);
  const a: usize = word(descriptor, layout.a);
  const aRow = (<usize>word(descriptor, layout.aRow)) << 2;
  const aCol = (<usize>word(descriptor, layout.aCol)) << 2;
  const b: usize = word(descriptor, layout.b);
  const bRow = word(descriptor, layout.bRow);
  const bCol = word(descriptor, layout.bCol);
  const bits: usize = word(descriptor, layout.bits);
  const count = word(descriptor, layout.count);
  const work: usize = word(descriptor, layout.work);
  const words = (k + 31) >> 5;
  const bitsRow = (<usize>words) << 2;
  const cRow = word(descriptor, layout.cRow);
  const cBytes = (<usize>cRow) << 2;
  const wide = bCol == 1 && wholeGroups(cRow) <= bRow && (m == 1 || count < SHARED * k);
  const unit: usize = wide ? (<usize>bRow) << 2 : n > PANEL / 2 ? PANEL << 2 : n > 12 ? PANEL << 1 : 48;
  const lists = (LONG * <f64>m * <f64>k) / <f64>max(1, count);
  const depth = share(k, wide ? FARTHEST : <i32>max(<f64>(NEAR / <i32>unit), min(lists, <f64>DEEPEST)));
  const width = wide ? WIDEST : share(n, max(PANEL, PACKED / depth));
  const tabled = !wide && k <= 32 && m >= TABLED_ROWS && a == 0 && init != c;
  const few = a == 0 && !tabled && areFew(count, m, words);
  for (let p = 0, kc = 0; p < k; p += kc) {
    kc = min(depth, k - p);
    const rows = bits + ((<usize>p >> 5) << 2);
    const kw = (kc + 31) >> 5;
    if (few) listFewPlaces(work, rows, bitsRow, m, kw);
    else if (a == 0) listPlaces(work, rows, bitsRow, m, kw, tabled ? ~LOWEST : u32.MAX_VALUE);
    else listValues(work, rows, bitsRow, m, kw, a + <usize>p * aCol, aRow, aCol);
    const adds = p > 0 || init == c;
    const startBytes = adds ? cBytes : 0;
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      const at = (<usize>j) << 2;
      const first = adds ? c + at : init == 0 ? zeros : startsOf(init + at, nc);
      const bp = b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2);
      if (wide) {
        wideRows(c + at, work, bp, unit, first, m, nc, a != 0, cBytes, startBytes);
        continue;
      }
      packWide(panels, unit, bp, kc, nc, bRow, bCol);
      let panel = panels;
      for (let q = 0; q < nc; q += PANEL, panel += <usize>kc * unit) {
        const to = c + ((<usize>(j + q)) << 2);
        const start = first + ((<usize>q) << 2);
        const columns = min(PANEL, nc - q);
        if (tabled) {
          tabulate(panel, unit, start, columns);
          panelRows(to, work, bits, panel, unit, table, m, columns, false, cBytes, 0);
        } else panelRows(to, work, 0, panel, unit, start, m, columns, a != 0, cBytes, startBytes);
      }
    }
  }
}

function wholeGroups(n: i32): i32 {
  return (n + 15) & ~15;
}

/** The length of the parts, not longer than `most`, in which n is best taken: multiples of 32, as equal as can be. */
function share(n: i32, most: i32): i32 {
  const parts = max(1, (n + most - 1) / most);
  return min(most & ~31, ((n + parts - 1) / parts + 31) & ~31);
}

/**
 * All rows of C over one panel. Where `bits` is not 0, init is a table: rows begin as it says for their first bits.
 */
export function panelRows(
  c: usize,
  lists: usize,
  bits: usize,
  panel: usize,
  unit: usize,
  init: usize,
  m: i32,
  columns: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
): void {
  if (columns > 16 && columns <= MIDDLE && !graded) {
    return middleColumns(c, lists, bits, panel, init, m, columns, cRow, initRow);
  }
  if (columns >= 16) {
    let to = c;
    let from = init;
    let set = bits;
    let at = lists;
    for (let left = m; left > 0; left--, at += 4, to += cRow, from += initRow) {
      const start = startOf(from, set, unit);
      if (set != 0) set += 4;
      const list: usize = load<u32>(at);
      const end: usize = load<u32>(at, 4);
      if (columns < PANEL) {
        if (graded) sum16Graded(to, list, end, panel, unit, start);
        else sum16(to, list, end, panel, unit, start);
      } else if (graded) sum32Graded(to, list, end, panel, start);
      else inline.always(sum32(to, list, end, panel, start));
    }
    c += 64;
    panel += 64;
    init += 64;
  }
  const few = columns & 15;
  if (few != 0) fewColumns(c, lists, bits, panel, unit, init, m, few, graded, cRow, initRow);
}

/** Where a row begins. */
function startOf(init: usize, bits: usize, unit: usize): usize {
  return bits == 0 ? init : init + <usize>(load<u32>(bits) & LOWEST) * unit;
}

/** The same for 17 to 24 columns, in one sum: of fewer than 24 it is computed elsewhere and copied. */
function middleColumns(
  c: usize,
  lists: usize,
  bits: usize,
  panel: usize,
  init: usize,
  m: i32,
  columns: i32,
  cRow: usize,
  initRow: usize,
): void {
  const whole = columns == MIDDLE;
  for (; m > 0; m--, lists += 4, c += cRow, init += initRow) {
    let start = startOf(init, bits, PANEL << 2);
    if (bits != 0) bits += 4;
    if (!whole) {
      padColumns(spare, start, columns);
      start = spare;
    }
    sum24(whole ? c : spare, load<u32>(lists), load<u32>(lists, 4), panel, PANEL << 2, start);
    if (!whole) storeColumns(c, spare, columns);
  }
}

/** The same for fewer than 16 columns, of two rows, which are computed elsewhere and copied. */
function fewColumns(
  c: usize,
  lists: usize,
  bits: usize,
  panel: usize,
  unit: usize,
  init: usize,
  m: i32,
  columns: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
): void {
  for (; m > 0; m -= 2, lists += 8) {
    const list: usize = load<u32>(lists);
    const end: usize = load<u32>(lists, 4);
    const otherEnd: usize = m > 1 ? load<u32>(lists, 8) : end;
    inline.always(padColumns(spare, startOf(init, bits, unit), columns));
    init += initRow;
    if (bits != 0) bits += 4;
    if (m > 1) inline.always(padColumns(other, startOf(init, bits, unit), columns));
    init += initRow;
    if (bits != 0) bits += 4;
    if (graded) {
      sum16Graded(spare, list, end, panel, unit, spare);
      sum16Graded(other, end, otherEnd, panel, unit, other);
    } else if (columns <= 4) twoSums4(spare, list, end, otherEnd, panel, unit);
    else if (columns <= 12) twoSums12(spare, list, end, otherEnd, panel, unit);
    else {
      sum16(spare, list, end, panel, unit, spare);
      sum16(other, end, otherEnd, panel, unit, other);
    }
    inline.always(storeColumns(c, spare, columns));
    c += cRow;
    if (m > 1) inline.always(storeColumns(c, other, columns));
    c += cRow;
  }
}

/** table[bits] ← init + Σ of the first rows of a panel that the bits name, for every combination of TABLED_BITS. */
function tabulate(panel: usize, unit: usize, init: usize, columns: i32): void {
  padColumns(table, init, columns);
  for (let set: u32 = 1; set <= LOWEST; set++) {
    const last = 31 - clz<u32>(set);
    const to = table + <usize>set * unit;
    addOne(to, to + unit, table + <usize>(set ^ (1 << last)) * unit, panel + <usize>last * unit, one);
  }
}

/** All rows of C over the rows of B where they are. */
function wideRows(
  c: usize,
  lists: usize,
  b: usize,
  unit: usize,
  init: usize,
  m: i32,
  n: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
): void {
  const whole = (<usize>(n & ~15)) << 2;
  if ((n & 15) != 0) {
    const start = init + whole;
    fewColumns(c + whole, lists, 0, b + whole, unit, start, m, n & 15, graded, cRow, initRow);
  }
  if (whole == 0) return;
  for (; m > 0; m--, lists += 4, c += cRow, init += initRow) {
    addRows(c, whole, load<u32>(lists), load<u32>(lists, 4), b, unit, init, graded);
  }
}

/** c ← init + Σ over a list, for some bytes of a row: four rows of B at a time, then the others. */
function addRows(
  c: usize,
  bytes: usize,
  list: usize,
  end: usize,
  b: usize,
  unit: usize,
  init: usize,
  graded: bool,
): void {
  const to = c + bytes;
  if (list == end) for (let o = c; o < to; o += 16, init += 16) v128.store(o, v128.load(init));
  const entry: usize = graded ? 8 : 2;
  while (list != end) {
    if (end - list >= 4 * entry) {
      if (graded) inline.always(addFour(true, c, to, init, b, unit, list));
      else inline.always(addFour(false, c, to, init, b, unit, list));
      list += 4 * entry;
    } else {
      inline.always(addOne(c, to, init, rowOf(graded, list, b, unit), graded ? list + 4 : one));
      list += entry;
    }
    init = c;
  }
}

/** c … end ← from + the rows of B that the next four entries name, times the values beside these if there are any. */
function addFour(graded: bool, c: usize, end: usize, from: usize, b: usize, unit: usize, list: usize): void {
  const entry: usize = graded ? 8 : 2;
  let b0 = rowOf(graded, list, b, unit);
  let b1 = rowOf(graded, list + entry, b, unit);
  let b2 = rowOf(graded, list + 2 * entry, b, unit);
  let b3 = rowOf(graded, list + 3 * entry, b, unit);
  const v0 = v128.load32_splat(graded ? list + 4 : one);
  const v1 = v128.load32_splat(graded ? list + 12 : one);
  const v2 = v128.load32_splat(graded ? list + 20 : one);
  const v3 = v128.load32_splat(graded ? list + 28 : one);
  do {
    let s = inline.always(plus(graded, v128.load(from), v0, b0));
    s = inline.always(plus(graded, s, v1, b1));
    s = inline.always(plus(graded, s, v2, b2));
    v128.store(c, inline.always(plus(graded, s, v3, b3)));
    from += 16;
    b0 += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    c += 16;
  } while (c != end);
}

/** c … end ← from + the row times the number at x */
function addOne(c: usize, end: usize, from: usize, b: usize, x: usize): void {
  const v = v128.load32_splat(x);
  do {
    v128.store(c, inline.always(madd(v128.load(from), v, v128.load(b))));
    from += 16;
    b += 16;
    c += 16;
  } while (c != end);
}
