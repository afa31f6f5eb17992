/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + A·B. A bit of each A[i, p] is set if it is
 * not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and adds the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product if B is finite.
 *
 * The bits of each row become a list of their places. The values of A stand beside the places unless they are all 1.
 * Two loops use the lists:
 *
 *   panels   B is packed into panels of 32 columns. A panel has few enough rows to stay in the caches while all rows of A
 *            pass it. A row of C keeps its 32 accumulators in registers, so an addition costs little more than a load.
 *            With few columns, two rows alternate; otherwise each addition would wait for the previous one.
 *   rows     Packing does not pay if few events share a row of B. Then four rows of B at a time are added to a row of C,
 *            which stays in the first-level cache.
 */
import { madd, one, padColumns, storeColumns, word } from "./lanes";
import { listFewPlaces, listPlaces, listValues } from "./listed-places";
import { plus, rowOf, sum16, sum16Graded, sum32, sum32Graded, twoSums4, twoSums12 } from "./listed-sums";
import { packWide, panels } from "./panels";
import * as layout from "./product-layout";
import { areFew, startsOf, WIDEST, zeros } from "./starts";

/** Least mean number of events of a row of B for which packing pays. */
const SHARED = 8;
/**
 * Bytes of a panel that stays in the first-level cache. A panel is deeper if its lists would have fewer than LONG
 * events, since starting many short lists costs more.
 */
const NEAR = 24576;
/** Largest number of rows of a panel that is deeper for the sake of longer lists. */
const DEEPEST = 1024;
const LONG: f64 = 100;
/** Floats that are packed at once. They and their rows of B stay in the second-level cache until they are used. */
const PACKED = 32768;
/** Number of rows of B that 16 bits can distinguish. */
const FARTHEST = 65536;
/** Columns of a panel; 16 if B has at most 16 columns, and 12 if it has at most 12. */
const PANEL = 32;

/** Two rows of fewer than 16 columns: computed here, then copied. */
const spare = memory.data(128, 16);
const other = spare + 64;

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} A[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * The descriptor has the words of `ProductDescriptor`. `count` is the number of set bits; init is as in gemm. C may be
 * columns of a wider matrix with rows of cRow values; they start at a multiple of 32, and B has the same columns of its
 * rows. If the address a is 0, A is 1 where a bit is set. `work` has room for m + 5 words, plus half a word for each
 * set bit if a is 0, else two words. If bCol = 1 and bRow has room for cRow rounded up to 16, whole groups of 16
 * columns of B are read.
 */
// @costs layout.count * layout.n / 8
// @let bytes = 4 * (layout.m + 5 + (layout.a == 0 ? layout.count + 1 >> 1 : 2 * layout.count))
// @cut layout.n by 32 → layout.c, layout.init, layout.b * layout.bCol, layout.work = area(layout.work, bytes)
// @cut layout.m by 2 → layout.c * layout.cRow, layout.init * (layout.init == layout.c ? layout.cRow : 0), layout.a * layout.aRow,
//   layout.bits * (layout.k + 31 >> 5), layout.work = area(layout.work, bytes)
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
  const few = a == 0 && areFew(count, m, words);
  for (let p = 0, kc = 0; p < k; p += kc) {
    kc = min(depth, k - p);
    const rows = bits + ((<usize>p >> 5) << 2);
    const kw = (kc + 31) >> 5;
    if (few) listFewPlaces(work, rows, bitsRow, m, kw);
    else if (a == 0) listPlaces(work, rows, bitsRow, m, kw);
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
        panelRows(to, work, panel, unit, start, m, columns, a != 0, cBytes, startBytes);
      }
    }
  }
}

function wholeGroups(n: i32): i32 {
  return (n + 15) & ~15;
}

/** Length of nearly equal parts of n: a multiple of 32, at most `most`. */
function share(n: i32, most: i32): i32 {
  const parts = max(1, (n + most - 1) / most);
  return min(most & ~31, ((n + parts - 1) / parts + 31) & ~31);
}

/** Computes all rows of C with one panel. */
export function panelRows(
  c: usize,
  lists: usize,
  panel: usize,
  unit: usize,
  init: usize,
  m: i32,
  columns: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
): void {
  if (columns >= 16) {
    let to = c;
    let from = init;
    let at = lists;
    for (let left = m; left > 0; left--, at += 4, to += cRow, from += initRow) {
      const list: usize = load<u32>(at);
      const end: usize = load<u32>(at, 4);
      if (columns < PANEL) {
        if (graded) sum16Graded(to, list, end, panel, unit, from);
        else sum16(to, list, end, panel, unit, from);
      } else if (graded) sum32Graded(to, list, end, panel, from);
      else inline.always(sum32(to, list, end, panel, from));
    }
    c += 64;
    panel += 64;
    init += 64;
  }
  const few = columns & 15;
  if (few != 0) fewColumns(c, lists, panel, unit, init, m, few, graded, cRow, initRow);
}

/** `panelRows` for fewer than 16 columns: computes two rows in spare memory and copies them. */
function fewColumns(
  c: usize,
  lists: usize,
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
    inline.always(padColumns(spare, init, columns));
    init += initRow;
    if (m > 1) inline.always(padColumns(other, init, columns));
    init += initRow;
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

/** Computes all rows of C with rows of B that are not packed. */
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
    fewColumns(c + whole, lists, b + whole, unit, start, m, n & 15, graded, cRow, initRow);
  }
  if (whole == 0) return;
  for (; m > 0; m--, lists += 4, c += cRow, init += initRow) {
    addRows(c, whole, load<u32>(lists), load<u32>(lists, 4), b, unit, init, graded);
  }
}

/** c ← init + Σ over a list, for some bytes of a row: adds four rows of B at a time, then single rows. */
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

/**
 * c … end ← from + four rows of B, given by the next four entries; `graded` multiplies each row by the value in its
 * entry.
 */
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
