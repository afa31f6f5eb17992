/** Leaky integration over time without spikes: v[t] = β·v[t−1] + I[t]. Arrays are [T, rows, n]; β per column or one. */
import { addTo, affine, mulGrad } from "./elementwise";
import { scalarEnd, vectorEnd } from "./span";

/**
 * v[t] ← β·v[t−1] + I[t], [T, rows, n], from current (stepCurrent = rows·n, or 0 if constant over time) and v0 [rows, n], 0
 * for zeros.
 */
export function leakyForward(
  v: usize,
  current: usize,
  v0: usize,
  beta: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepCurrent: i32,
  stepBeta: i32,
): void {
  const row = (<usize>n) << 2;
  const all = <usize>rows * row;
  for (let t = 0; t < T; t++, v += all, current += (<usize>stepCurrent) << 2) {
    for (let b = 0; b < rows; b++) {
      const at = <usize>b * row;
      const p = t > 0 ? v - all + at : v0 == 0 ? 0 : v0 + at;
      if (p == 0)
        affine(v + at, current + at, n, 1, 0); // like a state of zeros, which turns −0 into 0
      else decayAdd(v + at, current + at, p, beta, n, stepBeta);
    }
  }
}

/** z ← x + β·y */
function decayAdd(z: usize, x: usize, y: usize, beta: usize, n: i32, stepBeta: i32): void {
  const end = scalarEnd(z, n);
  const betaBytes = (<usize>stepBeta) << 2;
  let b = v128.load32_splat(beta);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16, y += 16, beta += betaBytes << 2) {
    if (stepBeta != 0) b = v128.load(beta);
    v128.store(z, f32x4.add(f32x4.mul(b, v128.load(y)), v128.load(x)));
  }
  for (; z < end; z += 4, x += 4, y += 4, beta += betaBytes) {
    store<f32>(z, load<f32>(beta) * load<f32>(y) + load<f32>(x));
  }
}

/**
 * d[t] = dv[t] + β·d[t+1], backwards in time. g: [T, rows, n] holds dv and receives d, the gradient of the current; if
 * `total` is not 0 it only is read and total [rows, n] += Σ_t d[t]. carry [rows, n] must hold zeros and ends as d[0].
 * dBeta [rows, n] += Σ_t d[t]·v[t−1] and dv0 [rows, n] += β·d[0], where the addresses are not 0.
 */
export function leakyBackward(
  g: usize,
  v: usize,
  v0: usize,
  beta: usize,
  carry: usize,
  total: usize,
  dBeta: usize,
  dv0: usize,
  T: i32,
  rows: i32,
  n: i32,
  stepBeta: i32,
): void {
  const row = (<usize>n) << 2;
  const all = <usize>rows * row;
  for (let t = T - 1; t >= 0; t--) {
    for (let b = 0; b < rows; b++) {
      const o = <usize>b * row;
      const at = <usize>t * all + o;
      decayAdd(carry + o, g + at, carry + o, beta, n, stepBeta);
      if (total == 0) memory.copy(g + at, carry + o, row);
      else addTo(total + o, carry + o, n);
      const p = t > 0 ? v + at - all : v0 == 0 ? 0 : v0 + o;
      if (dBeta != 0 && p != 0) mulGrad(dBeta + o, carry + o, p, n, 0);
    }
  }
  if (dv0 == 0) return;
  for (let b = 0; b < rows; b++, dv0 += row, carry += row) decayAdd(dv0, dv0, carry, beta, n, stepBeta);
}
