/**
 * Normalisation of x [outer, groups, n]: sums over each group [:, g, :], and an affine map with constants for each group. A group is a channel
 * of a batch [N, C, L], a channel of a sample [1, N·C, L] or a row [1, rows, n]. Threads divide the groups: `apart` is the number of groups in
 * memory per index of outer, or 0 for `groups`.
 *
 * Sums are computed in float64, two of them side by side, in an order that depends only on outer and n.
 */

const sums = memory.data(32, 16);

/** mean[g] and variance[g] (biased) of x[:, g, :], in two passes */
// @costs outer * groups * n
// @cut groups → mean, variance, x * n, apart = apart || groups
export function moments(mean: usize, variance: usize, x: usize, outer: i32, groups: i32, n: i32, apart: i32): void {
  const count = <f64>outer * <f64>n;
  const step = stepOf(groups, n, apart);
  for (let g = 0; g < groups; g++, x += (<usize>n) << 2, mean += 4, variance += 4) {
    sumGroup(x, x, outer, step, n, 0, 0);
    const m = first() / count;
    sumGroup(x, x, outer, step, n, m, m);
    store<f32>(mean, <f32>m);
    store<f32>(variance, <f32>(second() / count));
  }
}

/** p[g] ← Σ y and q[g] ← Σ y·(x − mean[g]) over [:, g, :] */
// @costs outer * groups * n
// @cut groups → p, q, y * n, x * n, mean, apart = apart || groups
export function momentSums(
  p: usize,
  q: usize,
  y: usize,
  x: usize,
  mean: usize,
  outer: i32,
  groups: i32,
  n: i32,
  apart: i32,
): void {
  const row = (<usize>n) << 2;
  const step = stepOf(groups, n, apart);
  for (let g = 0; g < groups; g++, p += 4, q += 4, mean += 4, y += row, x += row) {
    sumGroup(y, x, outer, step, n, 0, <f64>load<f32>(mean));
    store<f32>(p, <f32>first());
    store<f32>(q, <f32>second());
  }
}

function first(): f64 {
  return load<f64>(sums) + load<f64>(sums, 8);
}

function second(): f64 {
  return load<f64>(sums, 16) + load<f64>(sums, 24);
}

/** Bytes between indices of outer. */
function stepOf(groups: i32, n: i32, apart: i32): usize {
  return (<usize>(apart != 0 ? apart : groups) * <usize>n) << 2;
}

/** sums ← Σ (y − c) and Σ (y − c)·(x − m) over one group */
function sumGroup(y: usize, x: usize, outer: i32, step: usize, n: i32, c: f64, m: f64): void {
  memory.fill(sums, 0, 32);
  for (; outer > 0; outer--, y += step, x += step) sumRun(y, x, n, c, m);
}

function sumRun(y: usize, x: usize, n: i32, c: f64, m: f64): void {
  const cs = f64x2.splat(c);
  const ms = f64x2.splat(m);
  let p = v128.load(sums);
  let q = v128.load(sums, 16);
  for (; n >= 2; n -= 2, y += 8, x += 8) {
    const d = f64x2.sub(pair(y), cs);
    p = f64x2.add(p, d);
    q = f64x2.add(q, f64x2.mul(d, f64x2.sub(pair(x), ms)));
  }
  if (n > 0) {
    const d = <f64>load<f32>(y) - c;
    p = f64x2.replace_lane(p, 0, f64x2.extract_lane(p, 0) + d);
    q = f64x2.replace_lane(q, 0, f64x2.extract_lane(q, 0) + d * (<f64>load<f32>(x) - m));
  }
  v128.store(sums, p);
  v128.store(sums, q, 16);
}

function pair(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

/**
 * constants ← for each group its mean, then a = weight / √(variance + eps), then its bias, for `normalize`. `perStat` consecutive groups share
 * a mean and a variance. weight (0, the address: ones) and bias (0: zeros) have values for `channels` groups, which repeat.
 */
export function normConstants(
  constants: usize,
  mean: usize,
  variance: usize,
  weight: usize,
  bias: usize,
  eps: f64,
  groups: i32,
  perStat: i32,
  channels: i32,
): void {
  const all = (<usize>groups) << 2;
  for (let g = 0; g < groups; g++, constants += 4) {
    const stat = (<usize>(g / perStat)) << 2;
    const c = (<usize>(g % channels)) << 2;
    const factor = weight == 0 ? 1 : <f64>load<f32>(weight + c);
    store<f32>(constants, load<f32>(mean + stat));
    store<f32>(constants + all, <f32>(factor / sqrt<f64>(<f64>load<f32>(variance + stat) + eps)));
    store<f32>(constants + 2 * all, bias == 0 ? 0 : load<f32>(bias + c));
  }
}

/**
 * z[o, g, i] ← a·(x − mean) + b or, unless y is 0 (the address), z[o, g, i] += a·(x − mean) + b + c·y, with the constants of group g:
 * `constants` holds all means, then all a, all b and all c.
 */
// @costs outer * groups * n
// @cut groups → z * n, x * n, y * n, constants, apart = apart || groups
export function normalize(
  z: usize,
  x: usize,
  y: usize,
  constants: usize,
  outer: i32,
  groups: i32,
  n: i32,
  apart: i32,
): void {
  const row = (<usize>n) << 2;
  const step = stepOf(groups, n, apart);
  const all = (<usize>(apart != 0 ? apart : groups)) << 2;
  const adds = y != 0;
  for (const end = constants + ((<usize>groups) << 2); constants < end; constants += 4, z += row, x += row, y += row) {
    const m = load<f32>(constants);
    const a = load<f32>(constants + all);
    const b = load<f32>(constants + 2 * all);
    const c: f32 = adds ? load<f32>(constants + 3 * all) : 0;
    for (let o: usize = 0; o < step * <usize>outer; o += step)
      inline.always(normalizeRun(z + o, x + o, y + o, n, m, a, b, c, adds));
  }
}

function normalizeRun(z: usize, x: usize, y: usize, n: i32, m: f32, a: f32, b: f32, c: f32, adds: bool): void {
  const ms = f32x4.splat(m);
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  const cs = f32x4.splat(c);
  for (; n >= 4; n -= 4, z += 16, x += 16, y += 16) {
    let s = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), ms), as), bs);
    if (adds) s = f32x4.add(v128.load(z), f32x4.add(s, f32x4.mul(cs, v128.load(y))));
    v128.store(z, s);
  }
  for (; n > 0; n--, z += 4, x += 4, y += 4) {
    let s = (load<f32>(x) - m) * a + b;
    if (adds) s = load<f32>(z) + (s + c * load<f32>(y));
    store<f32>(z, s);
  }
}
