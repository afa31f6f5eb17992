/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + X·B, where bits tell which X[i, p] are not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and takes the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product, as long as B is finite.
 *
 * The bits of each row become a list of their places. The product walks over the list and adds the rows of B that it names,
 * 32 columns at a time: no multiplication where X is binary. So many columns of B as fit are packed as panels, all rows
 * of X pass, and each element of C is written once.
 */
import { BLOCK_K, PANEL_FLOATS, pack, panels, storeTransposed } from "./panels";

/** Bytes of B that are walked over for one row of X after the other: a good part of a first-level cache. */
const CACHED = 32768;
/** Rows of X that pass a pair of panels before the next pair. */
const STRIP = 64;
/** Not more rows of X than these: B is not worth packing and is read where it is. */
const FEW_ROWS = 64;
/** Places of a row, on average, in one block of B (read in place, or packed): more would leave the cache without need. */
const PLACES = 32;
const PLACES_PACKED = 128;
/** Most rows of a packed block of B: one panel of 16 columns fills the workspace. */
const LONGEST = PANEL_FLOATS >> 4;

/**
 * Many short rows share how they begin: what the first TABLED_BITS of a row add to init is looked up. The table takes the
 * half of the workspace for packed panels that so few rows of B leave free.
 */
const TABLED_BITS: u32 = 8;
const TABLED_COLUMNS: i32 = 128;
const TABLED_ROWS: i32 = 4 << TABLED_BITS;
const LOWEST: u32 = (1 << TABLED_BITS) - 1;
const table = panels + (PANEL_FLOATS << 1);

const zeros = memory.data(64, 16);
/** One row of a panel with fewer than 16 columns is computed here and copied. */
const spare = memory.data(64, 16);
/** For each byte the places of its set bits, ascending, a byte each; made when it is first needed. */
const placesOf = memory.data(2048, 16);

function makePlaces(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let to = placesOf + (byte << 3);
    for (let bit: u32 = 0; bit < 8; bit++) if (((byte >> bit) & 1) != 0) store<u8>(to++, <u8>bit);
  }
}

/**
 * work ← m addresses, then the lists of the places of the bits of each row, each with 2³² − 1 at its end. Eight places
 * are written at a time, so that seven more follow the last list. Returns how many places there are.
 */
function listPlaces(work: usize, bits: usize, m: i32, words: i32): i32 {
  if (load<u8>(placesOf + 8 * 255 + 7) == 0) makePlaces();
  let to = work + ((<usize>m) << 2);
  for (let i = 0; i < m; i++) {
    store<u32>(work + ((<usize>i) << 2), <u32>to);
    for (let w = 0; w < words; w++, bits += 4) {
      let word = load<u32>(bits);
      let first = i32x4.splat(w << 5);
      while (word != 0) {
        const byte = word & 255;
        const eight = v128.load8x8_u(placesOf + (byte << 3));
        v128.store(to, i32x4.add(i32x4.extend_low_i16x8_u(eight), first));
        v128.store(to, i32x4.add(i32x4.extend_high_i16x8_u(eight), first), 16);
        to += (<usize>popcnt<u32>(byte)) << 2;
        first = i32x4.add(first, i32x4.splat(8));
        word >>= 8;
      }
    }
    store<u32>(to, u32.MAX_VALUE);
    to += 4;
  }
  return <i32>((to - work) >> 2) - 2 * m;
}

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} X[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * Strides count elements, as in gemm. x = 0 (the address): X is 1 where a bit is set. init = 0: zeros. `work` is room for
 * 2·m + 8 words and one for every set bit.
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
  const cBytes = (<usize>cRow) << 2;
  const xBytes = (<usize>xRow) << 2;
  const xStep = (<usize>xCol) << 2;
  const words = (k + 31) >> 5;
  let initBytes = (<usize>initRow) << 2;
  let initStep: usize = initCol == 0 ? 0 : 16;
  if (init == 0) {
    init = zeros;
    initBytes = 0;
    initStep = 0;
  }
  const count = listPlaces(work, bits, m, words);
  const inPlace = m <= FEW_ROWS && bCol == 1 && (n & 15) == 0;
  const places: f64 = inPlace ? PLACES : PLACES_PACKED;
  const enough = <i32>((places * <f64>k * <f64>m) / <f64>count);
  const depth = inPlace ? max(CACHED / (n << 2), enough) : min(min(k, LONGEST), max(BLOCK_K, enough));
  const width = inPlace ? n : min(n, (PANEL_FLOATS / depth) & ~15);
  let kc = 0;
  const tabled = k <= 32 && m >= TABLED_ROWS && x == 0 && initBytes == 0 && n <= TABLED_COLUMNS && (n & 15) == 0;
  for (let p = 0; p < k; p += kc) {
    kc = min(depth, k - p);
    // The last block of columns starts every list anew; between blocks of rows the lists go on where they were.
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      const bp = b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2);
      if (!inPlace) pack(bp, kc, nc, bRow, bCol, 16);
      const rowBytes: usize = inPlace ? (<usize>bRow) << 2 : 64;
      const panelBytes: usize = inPlace ? 64 : (<usize>kc) << 6;
      // Places count from the first row of B.
      const first = (inPlace ? bp : panels) - <usize>p * rowBytes;
      const cj = c + ((<usize>j) << 2);
      const ij = p > 0 ? cj : init + <usize>(j >> 2) * initStep;
      const ib = p > 0 ? cBytes : initBytes;
      const is: usize = p > 0 ? 16 : initStep;
      const whole = nc >> 4;
      const rest = nc & 15;
      if (tabled) tabulate(first, panelBytes, ij, is, whole);
      const group = kc <= CACHED / (nc << 2) ? max(whole, 1) : 2;
      const limit = p + kc;
      const ended = j + width >= n;
      for (let i = 0; i < m; i += STRIP) {
        const end = min(m, i + STRIP);
        for (let q = 0; q < whole; q += group) {
          const panel = first + <usize>q * panelBytes;
          const count = min(group, whole - q);
          const last = ended && rest == 0 && q + group >= whole;
          for (let r = i; r < end; r++) {
            const to = cj + <usize>r * cBytes + ((<usize>q) << 6);
            let list = <usize>load<u32>(work + ((<usize>r) << 2));
            if (tabled) {
              const set = load<u32>(bits + ((<usize>r) << 2)) & LOWEST;
              const start = table + <usize>set * ((<usize>whole) << 6);
              list += (<usize>popcnt<u32>(set)) << 2;
              sumRows(to, list, limit, panel, 64, panelBytes, start, 16, count);
              continue;
            }
            const start = ij + <usize>r * ib + <usize>q * (is << 2);
            const xi = x == 0 ? 0 : x + <usize>r * xBytes;
            list = sumPanels(to, list, limit, xi, xStep, panel, rowBytes, panelBytes, start, is, count);
            if (last) store<u32>(work + ((<usize>r) << 2), <u32>list);
          }
        }
        if (rest == 0) continue;
        for (let r = i; r < end; r++) {
          const to = cj + <usize>r * cBytes + ((<usize>whole) << 6);
          const start = ij + <usize>r * ib + <usize>whole * (is << 2);
          const xi = x == 0 ? 0 : x + <usize>r * xBytes;
          const at = work + ((<usize>r) << 2);
          const list = sumNarrow(
            to,
            <usize>load<u32>(at),
            limit,
            xi,
            xStep,
            first + <usize>whole * panelBytes,
            start,
            is,
            rest,
          );
          if (ended) store<u32>(at, <u32>list);
        }
      }
    }
  }
}

/** table[bits] ← init + Σ of the first rows of B that the bits name, for every combination of TABLED_BITS. */
function tabulate(panel: usize, panelBytes: usize, init: usize, initStep: usize, whole: i32): void {
  let to = table;
  const bytes = (<usize>whole) << 6;
  for (let q = 0; q < whole; q++) {
    for (let o: usize = 0; o < 64; o += 16) v128.store(to + o, v128.load(init + (o >> 4) * initStep));
    to += 64;
    init += initStep << 2;
  }
  for (let set: u32 = 1; set <= LOWEST; set++) {
    const last = 31 - clz<u32>(set);
    let from = table + <usize>(set ^ (1 << last)) * bytes;
    let row = panel + ((<usize>last) << 6);
    for (let q = 0; q < whole; q++, row += panelBytes, to += 64, from += 64) {
      v128.store(to, f32x4.add(v128.load(from), v128.load(row)));
      v128.store(to, f32x4.add(v128.load(from, 16), v128.load(row, 16)), 16);
      v128.store(to, f32x4.add(v128.load(from, 32), v128.load(row, 32)), 32);
      v128.store(to, f32x4.add(v128.load(from, 48), v128.load(row, 48)), 48);
    }
  }
}

/** Fewer than 16 columns of one row. */
function sumNarrow(
  c: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  panel: usize,
  init: usize,
  initStep: usize,
  n: i32,
): usize {
  const step: usize = initStep == 0 ? 0 : 4;
  for (let q = 0; q < n; q++) store<f32>(spare + ((<usize>q) << 2), load<f32>(init + <usize>q * step));
  const at = sumPanels(spare, list, limit, x, xStep, panel, 64, 0, spare, 16, 1);
  for (let q = 0; q < n; q++) store<f32>(c + ((<usize>q) << 2), load<f32>(spare + ((<usize>q) << 2)));
  return at;
}

/** 16 columns from each of `count` panels, for one row of X. */
function sumPanels(
  c: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  count: i32,
): usize {
  if (x == 0) return sumRows(c, list, limit, panel, rowBytes, panelBytes, init, initStep, count);
  return sumScaledRows(c, list, limit, x, xStep, panel, rowBytes, panelBytes, init, initStep, count);
}

/**
 * c[0 … 15] ← init + Σ of the rows of the panel over the listed places below `limit`, two panels at a time, then the odd one.
 * Returns where the list goes on.
 */
function sumRows(
  c: usize,
  list: usize,
  limit: u32,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  count: i32,
): usize {
  let at = list;
  while (count >= 2) {
    let s0 = v128.load(init);
    let s1 = v128.load(init + initStep);
    let s2 = v128.load(init + 2 * initStep);
    let s3 = v128.load(init + 3 * initStep);
    let s4 = v128.load(init + 4 * initStep);
    let s5 = v128.load(init + 5 * initStep);
    let s6 = v128.load(init + 6 * initStep);
    let s7 = v128.load(init + 7 * initStep);
    at = list;
    for (let p = load<u32>(at); p < limit; p = load<u32>(at)) {
      const row = panel + <usize>p * rowBytes;
      const second = row + panelBytes;
      at += 4;
      s0 = f32x4.add(s0, v128.load(row));
      s1 = f32x4.add(s1, v128.load(row, 16));
      s2 = f32x4.add(s2, v128.load(row, 32));
      s3 = f32x4.add(s3, v128.load(row, 48));
      s4 = f32x4.add(s4, v128.load(second));
      s5 = f32x4.add(s5, v128.load(second, 16));
      s6 = f32x4.add(s6, v128.load(second, 32));
      s7 = f32x4.add(s7, v128.load(second, 48));
    }
    inline.always(store64(c, s0, s1, s2, s3));
    inline.always(store64(c + 64, s4, s5, s6, s7));
    c += 128;
    init += initStep << 3;
    panel += 2 * panelBytes;
    count -= 2;
  }
  if (count == 0) return at;
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  at = list;
  for (let p = load<u32>(at); p < limit; p = load<u32>(at)) {
    const row = panel + <usize>p * rowBytes;
    at += 4;
    s0 = f32x4.add(s0, v128.load(row));
    s1 = f32x4.add(s1, v128.load(row, 16));
    s2 = f32x4.add(s2, v128.load(row, 32));
    s3 = f32x4.add(s3, v128.load(row, 48));
  }
  inline.always(store64(c, s0, s1, s2, s3));
  return at;
}

/**
 * c[0 … 15] ← init + Σ x·(row of the panel) over the listed places below `limit`, two panels at a time, then the odd one.
 * Returns where the list goes on.
 */
function sumScaledRows(
  c: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  count: i32,
): usize {
  let at = list;
  while (count >= 2) {
    let s0 = v128.load(init);
    let s1 = v128.load(init + initStep);
    let s2 = v128.load(init + 2 * initStep);
    let s3 = v128.load(init + 3 * initStep);
    let s4 = v128.load(init + 4 * initStep);
    let s5 = v128.load(init + 5 * initStep);
    let s6 = v128.load(init + 6 * initStep);
    let s7 = v128.load(init + 7 * initStep);
    at = list;
    for (let p = load<u32>(at); p < limit; p = load<u32>(at)) {
      const row = panel + <usize>p * rowBytes;
      const second = row + panelBytes;
      const value = v128.load32_splat(x + p * xStep);
      at += 4;
      s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
      s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
      s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
      s4 = f32x4.add(s4, f32x4.mul(value, v128.load(second)));
      s5 = f32x4.add(s5, f32x4.mul(value, v128.load(second, 16)));
      s6 = f32x4.add(s6, f32x4.mul(value, v128.load(second, 32)));
      s7 = f32x4.add(s7, f32x4.mul(value, v128.load(second, 48)));
    }
    inline.always(store64(c, s0, s1, s2, s3));
    inline.always(store64(c + 64, s4, s5, s6, s7));
    c += 128;
    init += initStep << 3;
    panel += 2 * panelBytes;
    count -= 2;
  }
  if (count == 0) return at;
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  at = list;
  for (let p = load<u32>(at); p < limit; p = load<u32>(at)) {
    const row = panel + <usize>p * rowBytes;
    const value = v128.load32_splat(x + p * xStep);
    at += 4;
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
  }
  inline.always(store64(c, s0, s1, s2, s3));
  return at;
}

function store64(c: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
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
