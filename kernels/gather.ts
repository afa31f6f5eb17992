/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + X·B, where bits tell which X[i, p] are not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and takes the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product, as long as B is finite.
 *
 * The bits of each row become a list of what they name: rows of B, as offsets, with the values of X beside them unless these
 * are ones. There are two ways to walk over the lists:
 *
 *   panels   B is packed, 32 columns wide and so many rows deep that a panel stays in the caches while all rows of X pass
 *            it. A row of C keeps its 32 accumulators in registers: an addition costs little more than a load.
 *   rows     where few events share a row of B, packing does not pay. Four rows of B at a time are added to a row of C,
 *            which stays in the first-level cache.
 */
import { countBits } from "./bits";
import { one } from "./lanes";
import { BLOCK_FLOATS, packWide, panels, storeTransposed } from "./panels";

/** Events that a row of B must have on average for packing to pay. */
const SHARED = 8;
/** Most rows of B in a panel, and most columns of a B that is read where it is. */
const DEEPEST = 1024;
const WIDEST = 4096;
/** Columns of a panel; a B that has no more than half as many is packed in panels of half the width. */
const PANEL = 32;

/**
 * Many short rows share how they begin: what the first TABLED_BITS of a row add to init is looked up. The table lies at the
 * end of the workspace.
 */
const TABLED_BITS: u32 = 8;
const TABLED_ROWS: i32 = 4 << TABLED_BITS;
const LOWEST: u32 = (1 << TABLED_BITS) - 1;
const TABLE_FLOATS = PANEL << TABLED_BITS;
const table = panels + ((BLOCK_FLOATS - TABLE_FLOATS) << 2);

const zeros = memory.data(128, 16);
/** Fewer than 16 columns of one row are computed here and copied. */
const spare = memory.data(64, 16);
/** What is stored here nobody reads. */
const spill = memory.data(16, 16);
/** For each byte the places of its set bits, ascending, a byte each; made when it is first needed. */
const placesOf = memory.data(2048, 16);

function makePlaces(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let to = placesOf + (byte << 3);
    for (let bit: u32 = 0; bit < 8; bit++) if (((byte >> bit) & 1) != 0) store<u8>(to++, <u8>bit);
  }
}

/**
 * lists ← m + 1 addresses, where the list of each row begins and the last one ends, then the lists: for each bit p its offset
 * p·unit and, if x is not 0, the value X[i, p] behind it. Of the first word of a row only the bits of `mask` count. Up to
 * eight words behind the last list are written too.
 */
function listOffsets(
  lists: usize,
  bits: usize,
  bitsRow: usize,
  m: i32,
  words: i32,
  mask: u32,
  unit: i32,
  x: usize,
  xRow: usize,
  xStep: usize,
): void {
  let to = lists + ((<usize>m + 1) << 2);
  for (let i = 0; i < m; i++, lists += 4, bits += bitsRow, x += xRow) {
    store<u32>(lists, <u32>to);
    for (let w = 0; w < words; w++) {
      let word = load<u32>(bits + ((<usize>w) << 2));
      if (w == 0) word &= mask;
      if (xStep != 0) {
        for (; word != 0; word &= word - 1, to += 8) {
          const p = (w << 5) + <i32>ctz<u32>(word);
          store<i32>(to, p * unit);
          store<f32>(to, load<f32>(x + <usize>p * xStep), 4);
        }
        continue;
      }
      to = inline.always(offsetsOf(to, word, w << 5, unit));
    }
  }
  store<u32>(lists, <u32>to);
}

/**
 * Writes the offsets of the set bits of a word whose first bit is number `first`, and others behind them. Four or fewer are
 * found one by one, always four times: a processor foresees that. More are looked up, for a byte at a time.
 */
function offsetsOf(to: usize, word: u32, first: i32, unit: i32): usize {
  const count = popcnt<u32>(word);
  if (count <= 4) {
    store<i32>(to, (first + <i32>ctz<u32>(word)) * unit);
    word &= word - 1;
    store<i32>(to, (first + <i32>ctz<u32>(word)) * unit, 4);
    word &= word - 1;
    store<i32>(to, (first + <i32>ctz<u32>(word)) * unit, 8);
    word &= word - 1;
    store<i32>(to, (first + <i32>ctz<u32>(word)) * unit, 12);
    return to + ((<usize>count) << 2);
  }
  const units = i32x4.splat(unit);
  const eightUnits = i32x4.splat(unit << 3);
  for (let base = i32x4.splat(first * unit); word != 0; word >>= 8, base = i32x4.add(base, eightUnits)) {
    const byte = word & 255;
    const eight = v128.load8x8_u(placesOf + (byte << 3));
    v128.store(to, i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_u(eight), units), base));
    v128.store(to, i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_u(eight), units), base), 16);
    to += (<usize>popcnt<u32>(byte)) << 2;
  }
  return to;
}

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} X[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * Strides count elements, as in gemm. x = 0 (the address): X is 1 where a bit is set. init = 0: zeros. `work` is room for
 * m + 9 words and one for every set bit, two unless x is 0. Where bCol = 1 and bRow ≥ n has room for them, whole groups of
 * 16 columns of B are read.
 */
export function gather(
  c: usize,
  bits: usize,
  work: usize,
  x: usize,
  b: usize,
  init: usize,
  m: i32,
  n: i32,
  k: i32,
  xRow: i32,
  xCol: i32,
  bRow: i32,
  bCol: i32,
  cRow: i32,
  initRow: i32,
  initCol: i32,
): void {
  const words = (k + 31) >> 5;
  const bitsRow = (<usize>words) << 2;
  const cBytes = (<usize>cRow) << 2;
  const xBytes: usize = x == 0 ? 0 : (<usize>xRow) << 2;
  const xStep: usize = x == 0 ? 0 : (<usize>xCol) << 2;
  let initBytes = (<usize>initRow) << 2;
  let initStep: usize = initCol == 0 ? 0 : 16;
  if (init == 0) {
    init = zeros;
    initBytes = 0;
    initStep = 0;
  }
  if (load<u8>(placesOf + 8 * 255 + 7) == 0) makePlaces();
  if (bCol == 1 && wholeGroups(n) <= bRow && (m == 1 || countBits(bits, m * words) < SHARED * k)) {
    listOffsets(work, bits, bitsRow, m, words, u32.MAX_VALUE, bRow << 2, x, xBytes, xStep);
    for (let j = 0; j < n; j += WIDEST) {
      const o = (<usize>j) << 2;
      wideRows(
        c + o,
        work,
        b + o,
        init + (o >> 4) * initStep,
        m,
        min(WIDEST, n - j),
        xStep != 0,
        cBytes,
        initBytes,
        initStep,
      );
    }
    return;
  }
  const unit: usize = n > PANEL / 2 ? PANEL << 2 : PANEL << 1;
  const depth = share(k, DEEPEST);
  const width = share(n, (BLOCK_FLOATS - TABLE_FLOATS) / depth);
  const tabled = k <= 32 && m >= TABLED_ROWS && x == 0 && initBytes == 0;
  for (let p = 0, kc = 0; p < k; p += kc) {
    kc = min(depth, k - p);
    const rows = (kc + 31) >> 5;
    const xp = x + <usize>p * xStep;
    listOffsets(
      work,
      bits + ((<usize>p >> 5) << 2),
      bitsRow,
      m,
      rows,
      tabled ? ~LOWEST : u32.MAX_VALUE,
      <i32>unit,
      xp,
      xBytes,
      xStep,
    );
    const startBytes = p > 0 ? cBytes : initBytes;
    const step: usize = p > 0 ? 16 : initStep;
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      packWide(unit, b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2), kc, nc, bRow, bCol);
      let panel = panels;
      for (let q = 0; q < nc; q += PANEL, panel += <usize>kc * unit) {
        const o = (<usize>(j + q)) << 2;
        const to = c + o;
        const start = p > 0 ? to : init + (o >> 4) * initStep;
        const columns = min(PANEL, nc - q);
        if (tabled) {
          tabulate(panel, unit, start, step, columns);
          tabledRows(to, work, bits, panel, unit, m, columns, cBytes);
        } else panelRows(to, work, panel, start, m, columns, xStep != 0, cBytes, startBytes, step);
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

/** All rows of C over one panel. */
function panelRows(
  c: usize,
  lists: usize,
  panel: usize,
  init: usize,
  m: i32,
  columns: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
  initStep: usize,
): void {
  for (; m > 0; m--, lists += 4, c += cRow, init += initRow) {
    sumPanel(c, load<u32>(lists), load<u32>(lists, 4), panel, init, initStep, columns, graded);
  }
}

/** The same for rows that begin as the table says. */
function tabledRows(
  c: usize,
  lists: usize,
  bits: usize,
  panel: usize,
  unit: usize,
  m: i32,
  columns: i32,
  cRow: usize,
): void {
  for (; m > 0; m--, lists += 4, bits += 4, c += cRow) {
    const start = table + <usize>(load<u32>(bits) & LOWEST) * unit;
    sumPanel(c, load<u32>(lists), load<u32>(lists, 4), panel, start, 16, columns, false);
  }
}

/** table[bits] ← init + Σ of the first rows of a panel that the bits name, for every combination of TABLED_BITS. */
function tabulate(panel: usize, unit: usize, init: usize, initStep: usize, columns: i32): void {
  const step: usize = initStep == 0 ? 0 : 4;
  for (let q = 0; q < columns; q++) store<f32>(table + ((<usize>q) << 2), load<f32>(init + <usize>q * step));
  for (let set: u32 = 1; set <= LOWEST; set++) {
    const last = 31 - clz<u32>(set);
    const to = table + <usize>set * unit;
    addOne(to, to + unit, table + <usize>(set ^ (1 << last)) * unit, 16, panel + <usize>last * unit, one);
  }
}

/** c ← init + Σ over a list, for so many columns of a panel. */
function sumPanel(
  c: usize,
  list: usize,
  end: usize,
  panel: usize,
  init: usize,
  initStep: usize,
  columns: i32,
  graded: bool,
): void {
  if (columns == PANEL && !graded) return sum32(c, list, end, panel, init, initStep);
  for (; columns >= 16; columns -= 16, c += 64, panel += 64, init += initStep << 2) {
    if (graded) sum16Graded(c, list, end, panel, init, initStep);
    else sum16(c, list, end, panel, init, initStep);
  }
  if (columns > 0) sumNarrow(c, list, end, panel, init, initStep, columns, graded);
}

/** Fewer than 16 columns. */
function sumNarrow(
  c: usize,
  list: usize,
  end: usize,
  b: usize,
  init: usize,
  initStep: usize,
  columns: i32,
  graded: bool,
): void {
  const step: usize = initStep == 0 ? 0 : 4;
  for (let q = 0; q < columns; q++) store<f32>(spare + ((<usize>q) << 2), load<f32>(init + <usize>q * step));
  if (graded) sum16Graded(spare, list, end, b, spare, 16);
  else sum16(spare, list, end, b, spare, 16);
  for (let q = 0; q < columns; q++) store<f32>(c + ((<usize>q) << 2), load<f32>(spare + ((<usize>q) << 2)));
}

/**
 * c[0 … 31] ← init + the rows at b + offset.
 *
 * The loads of a loop body are all moved to its front. Eight sums and eight loaded rows are more than there are registers;
 * the store, which nobody reads, makes the first addition come before the other loads.
 */
export function sum32(c: usize, list: usize, end: usize, b: usize, init: usize, initStep: usize): void {
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  let s4 = v128.load(init + 4 * initStep);
  let s5 = v128.load(init + 5 * initStep);
  let s6 = v128.load(init + 6 * initStep);
  let s7 = v128.load(init + 7 * initStep);
  for (; list != end; list += 4) {
    const row = b + load<u32>(list);
    s0 = f32x4.add(s0, v128.load(row));
    v128.store(spill, s0);
    s1 = f32x4.add(s1, v128.load(row, 16));
    s2 = f32x4.add(s2, v128.load(row, 32));
    s3 = f32x4.add(s3, v128.load(row, 48));
    s4 = f32x4.add(s4, v128.load(row, 64));
    s5 = f32x4.add(s5, v128.load(row, 80));
    s6 = f32x4.add(s6, v128.load(row, 96));
    s7 = f32x4.add(s7, v128.load(row, 112));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  v128.store(c, s4, 64);
  v128.store(c, s5, 80);
  v128.store(c, s6, 96);
  v128.store(c, s7, 112);
}

/** The same for 16 columns. */
function sum16(c: usize, list: usize, end: usize, b: usize, init: usize, initStep: usize): void {
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  for (; list != end; list += 4) {
    const row = b + load<u32>(list);
    s0 = f32x4.add(s0, v128.load(row));
    s1 = f32x4.add(s1, v128.load(row, 16));
    s2 = f32x4.add(s2, v128.load(row, 32));
    s3 = f32x4.add(s3, v128.load(row, 48));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** The same for rows times the values beside their offsets. */
function sum16Graded(c: usize, list: usize, end: usize, b: usize, init: usize, initStep: usize): void {
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  for (; list != end; list += 8) {
    const row = b + load<u32>(list);
    const value = v128.load32_splat(list, 4);
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** All rows of C over the rows of B where they are. */
function wideRows(
  c: usize,
  lists: usize,
  b: usize,
  init: usize,
  m: i32,
  n: i32,
  graded: bool,
  cRow: usize,
  initRow: usize,
  initStep: usize,
): void {
  const whole = (<usize>(n & ~15)) << 2;
  for (; m > 0; m--, lists += 4, c += cRow, init += initRow) {
    const list: usize = load<u32>(lists);
    const end: usize = load<u32>(lists, 4);
    if (whole > 0) addRows(c, whole, list, end, b, init, initStep, graded);
    if ((n & 15) != 0) {
      sumNarrow(c + whole, list, end, b + whole, init + (whole >> 4) * initStep, initStep, n & 15, graded);
    }
  }
}

/** c ← init + Σ over a list, for so many bytes of a row: four rows of B at a time, then the others. */
function addRows(
  c: usize,
  bytes: usize,
  list: usize,
  end: usize,
  b: usize,
  init: usize,
  initStep: usize,
  graded: bool,
): void {
  const to = c + bytes;
  if (list == end) for (let o = c; o < to; o += 16, init += initStep) v128.store(o, v128.load(init));
  const four: usize = graded ? 32 : 16;
  while (list != end) {
    const b0 = b + load<u32>(list);
    if (end - list >= four) {
      if (graded) addFourGraded(c, to, init, initStep, list, b);
      else addFour(c, to, init, initStep, b0, b + load<u32>(list, 4), b + load<u32>(list, 8), b + load<u32>(list, 12));
      list += four;
    } else {
      addOne(c, to, init, initStep, b0, graded ? list + 4 : one);
      list += four >> 2;
    }
    init = c;
    initStep = 16;
  }
}

/** c … end ← from + the four rows */
function addFour(c: usize, end: usize, from: usize, step: usize, b0: usize, b1: usize, b2: usize, b3: usize): void {
  do {
    let s = f32x4.add(v128.load(from), v128.load(b0));
    s = f32x4.add(s, v128.load(b1));
    s = f32x4.add(s, v128.load(b2));
    v128.store(c, f32x4.add(s, v128.load(b3)));
    from += step;
    b0 += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    c += 16;
  } while (c != end);
}

/** The same with four entries of a list, offsets and values. */
function addFourGraded(c: usize, end: usize, from: usize, step: usize, list: usize, b: usize): void {
  const v0 = v128.load32_splat(list, 4);
  const v1 = v128.load32_splat(list, 12);
  const v2 = v128.load32_splat(list, 20);
  const v3 = v128.load32_splat(list, 28);
  let b0 = b + load<u32>(list);
  let b1 = b + load<u32>(list, 8);
  let b2 = b + load<u32>(list, 16);
  let b3 = b + load<u32>(list, 24);
  do {
    let s = f32x4.add(v128.load(from), f32x4.mul(v0, v128.load(b0)));
    s = f32x4.add(s, f32x4.mul(v1, v128.load(b1)));
    s = f32x4.add(s, f32x4.mul(v2, v128.load(b2)));
    v128.store(c, f32x4.add(s, f32x4.mul(v3, v128.load(b3))));
    from += step;
    b0 += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    c += 16;
  } while (c != end);
}

/** c … end ← from + the row times the number at x */
function addOne(c: usize, end: usize, from: usize, step: usize, b: usize, x: usize): void {
  const v = v128.load32_splat(x);
  do {
    v128.store(c, f32x4.add(v128.load(from), f32x4.mul(v, v128.load(b))));
    from += step;
    b += 16;
    c += 16;
  } while (c != end);
}

/** z [n, m] ← the transpose of x [m, n], in blocks of 4 × 4 */
export function transpose(z: usize, x: usize, m: i32, n: i32): void {
  const xRow = (<usize>n) << 2;
  const zRow = (<usize>m) << 2;
  const block = (m >> 2) << 2;
  const blockN = (n >> 2) << 2;
  for (let i = 0; i < block; i += 4) {
    let from = x + <usize>i * xRow;
    let to = z + ((<usize>i) << 2);
    for (let j = 0; j < blockN; j += 4, from += 16, to += zRow << 2) {
      const x0 = v128.load(from);
      const x1 = v128.load(from + xRow);
      const x2 = v128.load(from + 2 * xRow);
      const x3 = v128.load(from + 3 * xRow);
      inline.always(storeTransposed(to, zRow, x0, x1, x2, x3));
    }
    for (let r = i; r < i + 4; r++) for (let j = blockN; j < n; j++) inline.always(copyOne(z, x, r, j, xRow, zRow));
  }
  for (let i = block; i < m; i++) for (let j = 0; j < n; j++) inline.always(copyOne(z, x, i, j, xRow, zRow));
}

function copyOne(z: usize, x: usize, i: i32, j: i32, xRow: usize, zRow: usize): void {
  store<f32>(z + <usize>j * zRow + ((<usize>i) << 2), load<f32>(x + <usize>i * xRow + ((<usize>j) << 2)));
}
