/**
 * Products whose cost follows the non-zeros of the left operand: C ← init + X·B, where bits tell which X[i, p] are not 0.
 *
 * Every element of C still has one accumulator that starts at its init value and takes the terms in the order of p. A
 * skipped term would have added 0, so the result has the bits of the dense product, as long as B is finite.
 *
 * The bits of each row become a list of their places. The product walks over the list and adds the rows of B that it names
 * to a row of C, which stays in the first-level cache: four rows at a time, without a multiplication where X is binary.
 * A block of B that fills a good part of the second-level cache is packed by rows, and all rows of X pass it. 16 columns
 * and fewer are kept in registers instead.
 */
import { one } from "./lanes";
import { BLOCK_FLOATS, packWide, panels, storeTransposed } from "./panels";

/** Not more rows of X than these: B is not worth packing and is read where it is. */
const FEW_ROWS = 64;
/** Bytes of B that stay in the first-level cache. */
const CACHED: usize = 32768;
/** Most rows of a packed block of B, and most columns of one that is read where it is. */
const LONGEST = 1536;
const WIDEST = 4096;

/**
 * Many short rows share how they begin: what the first TABLED_BITS of a row add to init is looked up. The table lies behind
 * the few rows of B in the workspace.
 */
const TABLED_BITS: u32 = 8;
const TABLED_COLUMNS: i32 = 128;
const TABLED_ROWS: i32 = 4 << TABLED_BITS;
const LOWEST: u32 = (1 << TABLED_BITS) - 1;
const table = panels + (BLOCK_FLOATS << 1);

const zeros = memory.data(64, 16);
/** Fewer than 16 columns of one row are computed here and copied. */
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
 * are written at a time, so that seven more follow the last list.
 */
function listPlaces(work: usize, bits: usize, m: i32, words: i32): void {
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
}

/**
 * C[i, j] ← init[i, j] + Σ_{p set in row i} X[i, p]·B[p, j]     C: m × n, bits: [m, ⌈k/32⌉], B: k × n
 *
 * Strides count elements, as in gemm. x = 0 (the address): X is 1 where a bit is set. init = 0: zeros. `work` is room for
 * 2·m + 8 words and one for every set bit. Where bCol = 1 and bRow ≥ n has room for them, whole groups of 16 columns of B
 * are read.
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
  listPlaces(work, bits, m, words);
  const fits = bCol == 1 && wholeGroups(n) <= bRow;
  const inPlace = fits && (m <= FEW_ROWS || <f64>k * <f64>bRow <= BLOCK_FLOATS);
  const depth = inPlace ? k : share(k, LONGEST);
  const width = inPlace ? min(n, WIDEST) : share(n, BLOCK_FLOATS / depth);
  const tabled = k <= 32 && m >= TABLED_ROWS && x == 0 && initBytes == 0 && n <= TABLED_COLUMNS && (n & 15) == 0;
  let kc = 0;
  for (let p = 0; p < k; p += kc) {
    kc = min(depth, k - p);
    // The last block of columns starts every list anew; between blocks of rows the lists go on where they were.
    for (let j = 0; j < n; j += width) {
      const nc = min(width, n - j);
      const bp = b + ((<usize>p * <usize>bRow + <usize>j * <usize>bCol) << 2);
      const rowBytes = (<usize>(inPlace ? bRow : wholeGroups(nc))) << 2;
      if (!inPlace) packWide(rowBytes, bp, kc, nc, bRow, bCol);
      // Places count from the first row of B.
      const first = (inPlace ? bp : panels) - <usize>p * rowBytes;
      const whole = (<usize>(nc & ~15)) << 2;
      const rest = nc & 15;
      const limit = p + kc;
      let to = c + ((<usize>j) << 2);
      let start = p > 0 ? to : init + <usize>(j >> 2) * initStep;
      const startBytes = p > 0 ? cBytes : initBytes;
      const step: usize = p > 0 ? 16 : initStep;
      if (tabled) tabulate(first, start, step, whole);
      let xi = x;
      for (let i = 0; i < m; i++, to += cBytes, start += startBytes) {
        const at = work + ((<usize>i) << 2);
        const list = <usize>load<u32>(at);
        let next = list;
        if (tabled) {
          const set = load<u32>(bits + ((<usize>i) << 2)) & LOWEST;
          next += (<usize>popcnt<u32>(set)) << 2;
          addRows(to, whole, next, limit, 0, 0, first, rowBytes, table + <usize>set * whole, 16);
          continue;
        }
        if (whole > 0) next = addRows(to, whole, list, limit, xi, xStep, first, rowBytes, start, step);
        if (rest > 0) {
          const from = start + (whole >> 4) * step;
          next = sumNarrow(to + whole, list, limit, xi, xStep, first + whole, rowBytes, from, step, rest);
        }
        if (j + width >= n) store<u32>(at, <u32>next);
        if (x != 0) xi += xBytes;
      }
    }
  }
}

function wholeGroups(n: i32): i32 {
  return (n + 15) & ~15;
}

/** The length of the parts, not longer than `most`, in which n is best taken: whole groups of 16, as equal as can be. */
function share(n: i32, most: i32): i32 {
  const parts = max(1, (n + most - 1) / most);
  return min(most & ~15, wholeGroups((n + parts - 1) / parts));
}

/**
 * c ← init + Σ x·(row of B) over the listed places below `limit`, for so many bytes of a row: four rows at a time, then the
 * others. Returns where the list goes on.
 */
function addRows(
  c: usize,
  bytes: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  b: usize,
  rowBytes: usize,
  init: usize,
  initStep: usize,
): usize {
  if (x == 0 && rowBytes * <usize>limit <= CACHED) {
    for (; bytes >= 128; bytes -= 128, c += 128, b += 128, init += initStep << 3) {
      const next = sumPairs(c, list, limit, b, rowBytes, init, initStep);
      if (bytes == 128) return next;
    }
  }
  if (bytes == 64) return sumRows(c, list, limit, x, xStep, b, rowBytes, init, initStep);
  const end = c + bytes;
  let p = load<u32>(list);
  if (p >= limit) {
    for (let to = c; to < end; to += 16, init += initStep) v128.store(to, v128.load(init));
    return list;
  }
  do {
    const p1 = load<u32>(list, 4);
    const p2 = load<u32>(list, 8);
    const p3 = load<u32>(list, 12);
    const b0 = b + <usize>p * rowBytes;
    if (max(max(p1, p2), p3) < limit) {
      const b1 = b + <usize>p1 * rowBytes;
      const b2 = b + <usize>p2 * rowBytes;
      const b3 = b + <usize>p3 * rowBytes;
      if (x == 0) addFour(c, end, init, initStep, b0, b1, b2, b3);
      else {
        const x0 = x + <usize>p * xStep;
        const x1 = x + <usize>p1 * xStep;
        addFourScaled(c, end, init, initStep, b0, b1, b2, b3, x0, x1, x + <usize>p2 * xStep, x + <usize>p3 * xStep);
      }
      list += 16;
    } else {
      addOne(c, end, init, initStep, b0, x == 0 ? one : x + <usize>p * xStep);
      list += 4;
    }
    init = c;
    initStep = 16;
    p = load<u32>(list);
  } while (p < limit);
  return list;
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

/** The same with each row times the number at its x. */
function addFourScaled(
  c: usize,
  end: usize,
  from: usize,
  step: usize,
  b0: usize,
  b1: usize,
  b2: usize,
  b3: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
): void {
  const v0 = v128.load32_splat(x0);
  const v1 = v128.load32_splat(x1);
  const v2 = v128.load32_splat(x2);
  const v3 = v128.load32_splat(x3);
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

/** table[bits] ← init + Σ of the first rows of B that the bits name, for every combination of TABLED_BITS. */
function tabulate(b: usize, init: usize, initStep: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16, init += initStep) v128.store(table + o, v128.load(init));
  for (let set: u32 = 1; set <= LOWEST; set++) {
    const last = 31 - clz<u32>(set);
    const to = table + <usize>set * bytes;
    addOne(to, to + bytes, table + <usize>(set ^ (1 << last)) * bytes, 16, b + <usize>last * bytes, one);
  }
}

/** Fewer than 16 columns of one row. */
function sumNarrow(
  c: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  b: usize,
  rowBytes: usize,
  init: usize,
  initStep: usize,
  n: i32,
): usize {
  const step: usize = initStep == 0 ? 0 : 4;
  for (let q = 0; q < n; q++) store<f32>(spare + ((<usize>q) << 2), load<f32>(init + <usize>q * step));
  const at = sumRows(spare, list, limit, x, xStep, b, rowBytes, spare, 16);
  for (let q = 0; q < n; q++) store<f32>(c + ((<usize>q) << 2), load<f32>(spare + ((<usize>q) << 2)));
  return at;
}

/** What addRows does, for 32 columns in registers and ones. */
function sumPairs(c: usize, list: usize, limit: u32, b: usize, rowBytes: usize, init: usize, initStep: usize): usize {
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  let s4 = v128.load(init + 4 * initStep);
  let s5 = v128.load(init + 5 * initStep);
  let s6 = v128.load(init + 6 * initStep);
  let s7 = v128.load(init + 7 * initStep);
  for (let p = load<u32>(list); p < limit; p = load<u32>(list)) {
    const row = b + <usize>p * rowBytes;
    list += 4;
    s0 = f32x4.add(s0, v128.load(row));
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
  return list;
}

/** What addRows does, for 16 columns in registers. */
function sumRows(
  c: usize,
  list: usize,
  limit: u32,
  x: usize,
  xStep: usize,
  b: usize,
  rowBytes: usize,
  init: usize,
  initStep: usize,
): usize {
  let s0 = v128.load(init);
  let s1 = v128.load(init + initStep);
  let s2 = v128.load(init + 2 * initStep);
  let s3 = v128.load(init + 3 * initStep);
  let p = load<u32>(list);
  if (x == 0) {
    for (; p < limit; p = load<u32>(list)) {
      const row = b + <usize>p * rowBytes;
      list += 4;
      s0 = f32x4.add(s0, v128.load(row));
      s1 = f32x4.add(s1, v128.load(row, 16));
      s2 = f32x4.add(s2, v128.load(row, 32));
      s3 = f32x4.add(s3, v128.load(row, 48));
    }
  } else {
    for (; p < limit; p = load<u32>(list)) {
      const row = b + <usize>p * rowBytes;
      const value = v128.load32_splat(x + <usize>p * xStep);
      list += 4;
      s0 = f32x4.add(s0, f32x4.mul(value, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(value, v128.load(row, 16)));
      s2 = f32x4.add(s2, f32x4.mul(value, v128.load(row, 32)));
      s3 = f32x4.add(s3, f32x4.mul(value, v128.load(row, 48)));
    }
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  return list;
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
