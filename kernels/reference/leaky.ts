import { at, put } from "./memory.ts";

export function leakyForward(
  v: number,
  current: number,
  v0: number,
  beta: number,
  T: number,
  rows: number,
  n: number,
  stepCurrent: number,
  stepBeta: number,
): void {
  const size = rows * n;
  for (let i = 0; i < size; i++) {
    let state = v0 === 0 ? 0 : at(v0, i);
    for (let t = 0; t < T; t++) {
      state = at(beta, (i % n) * stepBeta) * state + at(current, t * stepCurrent + i);
      put(v, t * size + i, state);
    }
  }
}

export function leakyBackward(
  g: number,
  v: number,
  v0: number,
  beta: number,
  carry: number,
  total: number,
  dBeta: number,
  dv0: number,
  T: number,
  rows: number,
  n: number,
  stepBeta: number,
): void {
  const size = rows * n;
  for (let i = 0; i < size; i++) {
    let d = at(carry, i);
    for (let t = T - 1; t >= 0; t--) {
      d = at(g, t * size + i) + at(beta, (i % n) * stepBeta) * d;
      if (total === 0) put(g, t * size + i, d);
      else put(total, i, at(total, i) + d);
      if (dBeta === 0 || (t === 0 && v0 === 0)) continue;
      put(dBeta, i, at(dBeta, i) + d * (t > 0 ? at(v, (t - 1) * size + i) : at(v0, i)));
    }
    put(carry, i, d);
    if (dv0 !== 0) put(dv0, i, at(dv0, i) + at(beta, (i % n) * stepBeta) * d);
  }
}
