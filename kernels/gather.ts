/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + X·B, where bits tell which X[i, p] are not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and takes the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product, as long as B is finite.
 *
 * Bits of a row fill whole 32-bit words. The product walks over the set bits of a word and adds the packed row of B that
 * each of them names, 16 columns at a time: no multiplication where X is binary. While few columns are wanted, all their
 * panels stay in the first-level cache and a word is walked for one panel after the other, so that the processor can
 * predict its end.
 */
import { BLOCK_K, BLOCK_N, pack, panels } from "./panels";

/**
 * Many short rows share how they begin: what the first TABLED_BITS of a row add to init is looked up. The table takes the
 * half of the workspace for packed panels that so few rows of B leave free.
 */
const TABLED_BITS: u32 = 8;
const TABLED_COLUMNS: i32 = 128;
const TABLED_ROWS: i32 = 4 << TABLED_BITS;
const LOWEST: u32 = (1 << TABLED_BITS) - 1;
const table = panels + 131072;

/** Bytes of B that are walked over for one row of X after the other: the size of a first-level cache. */
const CACHED = 32768;

const zeros = memory.data(64, 16);
/** One row of a panel with fewer than 16 columns is computed here and copied. */
const spare = memory.data(64, 16);

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} X[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * Strides count elements, as in gemm. x = 0 (the address): X is 1 where a bit is set. init = 0: zeros.
 */
export function gather(
  c: usize,
  bits: usize,
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
  const wordBytes = (<usize>((k + 31) >> 5)) << 2;
  let initBytes = (<usize>initRow) << 2;
  let initStep: usize = initCol == 0 ? 0 : 16;
  if (init == 0) {
    init = zeros;
    initBytes = 0;
    initStep = 0;
  }
  const widest = min(n, BLOCK_N);
  const cached = max(32, (CACHED / ((widest + 15) & ~15) / 4) & ~31);
  const rowsFirst = cached >= min(k, 32) && widest << 7 <= CACHED;
  const kBlock = rowsFirst ? min(cached, BLOCK_K) : BLOCK_K;
  for (let p = 0; p < k; p += kBlock) {
    const kc = min(kBlock, k - p);
    const words = (kc + 31) >> 5;
    for (let j = 0; j < n; j += BLOCK_N) {
      const nc = min(BLOCK_N, n - j);
      const bp = b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2);
      // Rows of whole panels that lie in the cache anyway are read where they are.
      const inPlace = rowsFirst && bCol == 1 && (nc & 15) == 0;
      if (!inPlace) pack(bp, kc, nc, bRow, bCol, 16);
      const first = inPlace ? bp : panels;
      const rowBytes: usize = inPlace ? (<usize>bRow) << 2 : 64;
      const panelBytes: usize = inPlace ? 64 : (<usize>kc) << 6;
      const cj = c + ((<usize>j) << 2);
      const ij = p > 0 ? cj : init + <usize>(j >> 2) * initStep;
      const ib = p > 0 ? cBytes : initBytes;
      const is: usize = p > 0 ? 16 : initStep;
      const words0 = bits + ((<usize>(p >> 5)) << 2);
      const xp = x == 0 ? 0 : x + ((<usize>p * <usize>xCol) << 2);
      const xRowBytes = (<usize>xRow) << 2;
      const xColBytes = (<usize>xCol) << 2;
      const whole = nc >> 4;
      const rest = nc & 15;
      const o = (<usize>whole) << 6;
      if (rowsFirst) {
        const tabled = k <= 32 && m >= TABLED_ROWS && x == 0 && initBytes == 0 && nc <= TABLED_COLUMNS && rest == 0;
        if (tabled) tabulate(first, rowBytes, panelBytes, ij, is, whole);
        for (let i: usize = 0; i < <usize>m; i++) {
          const to = cj + i * cBytes;
          const word = words0 + i * wordBytes;
          if (tabled) {
            const set = load<u32>(word);
            store<u32>(spare, set & ~LOWEST);
            const start = table + <usize>(set & LOWEST) * ((<usize>whole) << 6);
            sumPanels(to, spare, 0, 0, first, rowBytes, panelBytes, start, 16, 1, whole);
            continue;
          }
          const xi = xp == 0 ? 0 : xp + i * xRowBytes;
          const from = ij + i * ib;
          if (whole > 0) sumPanels(to, word, xi, xColBytes, first, rowBytes, panelBytes, from, is, words, whole);
          if (rest > 0) {
            const panel = panels + <usize>whole * ((<usize>kc) << 6);
            sumNarrow(
              to + o,
              words0 + i * wordBytes,
              xi,
              xColBytes,
              panel,
              from + <usize>whole * (is << 2),
              is,
              rest,
              words,
            );
          }
        }
      } else {
        let panel = panels;
        for (let q = 0; q < nc; q += 16, panel += (<usize>kc) << 6) {
          const to = cj + ((<usize>q) << 2);
          const from = ij + <usize>(q >> 2) * is;
          for (let i: usize = 0; i < <usize>m; i++) {
            const xi = xp == 0 ? 0 : xp + i * xRowBytes;
            const row = to + i * cBytes;
            if (nc - q >= 16)
              sumPanels(row, words0 + i * wordBytes, xi, xColBytes, panel, 64, 0, from + i * ib, is, words, 1);
            else sumNarrow(row, words0 + i * wordBytes, xi, xColBytes, panel, from + i * ib, is, rest, words);
          }
        }
      }
    }
  }
}

/** table[bits] ← init + Σ of the first rows of B that the bits name, for every combination of TABLED_BITS. */
function tabulate(panel: usize, rowBytes: usize, panelBytes: usize, init: usize, initStep: usize, whole: i32): void {
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
    let row = panel + <usize>last * rowBytes;
    for (let q = 0; q < whole; q++, row += panelBytes) {
      for (let o: usize = 0; o < 64; o += 16, to += 16, from += 16) {
        v128.store(to, f32x4.add(v128.load(from), v128.load(row + o)));
      }
    }
  }
}

/** Fewer than 16 columns of one row. */
function sumNarrow(
  c: usize,
  bits: usize,
  x: usize,
  xCol: usize,
  panel: usize,
  init: usize,
  initStep: usize,
  n: i32,
  words: i32,
): void {
  const step: usize = initStep == 0 ? 0 : 4;
  for (let q = 0; q < n; q++) store<f32>(spare + ((<usize>q) << 2), load<f32>(init + <usize>q * step));
  sumPanels(spare, bits, x, xCol, panel, 64, 0, spare, 16, words, 1);
  for (let q = 0; q < n; q++) store<f32>(c + ((<usize>q) << 2), load<f32>(spare + ((<usize>q) << 2)));
}

/** 16 columns from each of `count` panels, for one row of X. */
function sumPanels(
  c: usize,
  bits: usize,
  x: usize,
  xCol: usize,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  words: i32,
  count: i32,
): void {
  if (x == 0) sumRows(c, bits, panel, rowBytes, panelBytes, init, initStep, words, count);
  else sumScaledRows(c, bits, x, xCol, panel, rowBytes, panelBytes, init, initStep, words, count);
}

/** c[0 … 15] ← init + Σ of the panel rows whose bits are set, for each panel: two at a time, then the odd one. */
function sumRows(
  c: usize,
  bits: usize,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  words: i32,
  count: i32,
): void {
  const end = bits + ((<usize>words) << 2);
  while (count >= 2) {
    let s0 = v128.load(init);
    let s1 = v128.load(init + initStep);
    let s2 = v128.load(init + 2 * initStep);
    let s3 = v128.load(init + 3 * initStep);
    let s4 = v128.load(init + 4 * initStep);
    let s5 = v128.load(init + 5 * initStep);
    let s6 = v128.load(init + 6 * initStep);
    let s7 = v128.load(init + 7 * initStep);
    let rows = panel;
    let at = bits;
    do {
      let m = load<u32>(at);
      while (m != 0) {
        const row = rows + <usize>ctz<u32>(m) * rowBytes;
        const second = row + panelBytes;
        m &= m - 1;
        s0 = f32x4.add(s0, v128.load(row));
        s1 = f32x4.add(s1, v128.load(row, 16));
        s2 = f32x4.add(s2, v128.load(row, 32));
        s3 = f32x4.add(s3, v128.load(row, 48));
        s4 = f32x4.add(s4, v128.load(second));
        s5 = f32x4.add(s5, v128.load(second, 16));
        s6 = f32x4.add(s6, v128.load(second, 32));
        s7 = f32x4.add(s7, v128.load(second, 48));
      }
      at += 4;
      rows += rowBytes << 5;
    } while (at != end);
    store64(c, s0, s1, s2, s3);
    store64(c + 64, s4, s5, s6, s7);
    c += 128;
    init += initStep << 3;
    panel += 2 * panelBytes;
    count -= 2;
  }
  if (count == 0) return;
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  do {
    let m = load<u32>(bits);
    while (m != 0) {
      const row = panel + <usize>ctz<u32>(m) * rowBytes;
      m &= m - 1;
      s0 = f32x4.add(s0, v128.load(row));
      s1 = f32x4.add(s1, v128.load(row, 16));
      s2 = f32x4.add(s2, v128.load(row, 32));
      s3 = f32x4.add(s3, v128.load(row, 48));
    }
    bits += 4;
    panel += rowBytes << 5;
  } while (bits != end);
  store64(c, s0, s1, s2, s3);
}

function store64(c: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** c[0 … 15] ← init + Σ x·(panel row) over the rows whose bits are set, panel by panel */
function sumScaledRows(
  c: usize,
  bits: usize,
  x: usize,
  xCol: usize,
  panel: usize,
  rowBytes: usize,
  panelBytes: usize,
  init: usize,
  initStep: usize,
  words: i32,
  count: i32,
): void {
  do {
    let s0 = v128.load(init);
    let s1 = v128.load(init + initStep);
    let s2 = v128.load(init + 2 * initStep);
    let s3 = v128.load(init + 3 * initStep);
    let rows = panel;
    let values = x;
    let at = bits;
    const end = bits + ((<usize>words) << 2);
    do {
      let m = load<u32>(at);
      while (m != 0) {
        const p = <usize>ctz<u32>(m);
        const row = rows + p * rowBytes;
        const value = v128.load32_splat(values + p * xCol);
        m &= m - 1;
        s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
        s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
        s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
        s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
      }
      at += 4;
      values += xCol << 5;
      rows += rowBytes << 5;
    } while (at != end);
    v128.store(c, s0);
    v128.store(c, s1, 16);
    v128.store(c, s2, 32);
    v128.store(c, s3, 48);
    c += 64;
    init += initStep << 2;
    panel += panelBytes;
  } while (--count != 0);
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
      const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
      const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
      const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
      const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
      v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(to + zRow, i64x2.shuffle(low01, low23, 1, 3));
      v128.store(to + 2 * zRow, i64x2.shuffle(high01, high23, 0, 2));
      v128.store(to + 3 * zRow, i64x2.shuffle(high01, high23, 1, 3));
    }
    for (let r = i; r < i + 4; r++) for (let j = blockN; j < n; j++) copyOne(z, x, r, j, xRow, zRow);
  }
  for (let i = block; i < m; i++) for (let j = 0; j < n; j++) copyOne(z, x, i, j, xRow, zRow);
}

function copyOne(z: usize, x: usize, i: i32, j: i32, xRow: usize, zRow: usize): void {
  store<f32>(z + <usize>j * zRow + ((<usize>i) << 2), load<f32>(x + <usize>i * xRow + ((<usize>j) << 2)));
}
