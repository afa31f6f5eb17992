import { bitAt, packStream } from "./bits.ts";
import { lifBackward, lifForward } from "./lif.ts";
import { at, put } from "./memory.ts";

export function recurrentForward(
  u: number,
  s: number,
  current: number,
  weight: number,
  bias: number,
  beta: number,
  threshold: number,
  _work: number,
  T: number,
  rows: number,
  n: number,
  all: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  delayed: number,
  strict: number,
  resetValue: number,
): void {
  const size = rows * n;
  const spikes: number[] = [];
  /** The spike of neuron p in row r at step t − 1. */
  const before = (t: number, r: number, p: number): number =>
    t === 0 ? 0 : (spikes[(t - 1) * size + r * n + p] as number);
  for (let t = 0; t < T; t++) {
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < n; j++) {
        const i = t * size + r * n + j;
        let fed = all !== 0 && bias !== 0 ? at(bias, j) : 0;
        if (all === 0) fed = before(t, r, j) * at(weight, j);
        else for (let p = 0; p < n; p++) fed += before(t, r, p) * at(weight, j * n + p);
        put(u, i, fed + at(current, i));
      }
    }
    const now = u + 4 * t * size;
    const v0 = t === 0 ? 0 : now - 4 * size;
    const resumed = t === 0 ? 0 : 1;
    lifForward(
      now,
      s,
      now,
      v0,
      beta,
      threshold,
      1,
      rows,
      n,
      size,
      size,
      stepBeta,
      stepThreshold,
      reset,
      delayed,
      strict,
      resetValue,
      resumed,
    );
    for (let i = 0; i < size; i++) spikes.push(bitAt(s, i));
  }
  packStream(s, T * size, (i) => spikes[i] === 1);
}

export function recurrentBackward(
  du: number,
  u: number,
  weight: number,
  beta: number,
  threshold: number,
  carry: number,
  T: number,
  rows: number,
  n: number,
  all: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  strict: number,
  kind: number,
  slope: number,
): void {
  const size = rows * n;
  for (let t = T - 1; t >= 0; t--) {
    const now = du + 4 * t * size;
    const next = t === T - 1 ? carry : now + 4 * size;
    for (let r = 0; t < T - 1 && r < rows; r++) {
      for (let p = 0; p < n; p++) {
        let sum = at(now, r * n + p);
        if (all === 0) sum += at(next, r * n + p) * at(weight, p);
        else for (let j = 0; j < n; j++) sum += at(next, r * n + j) * at(weight, j * n + p);
        put(now, r * n + p, sum);
      }
    }
    lifBackward(
      now,
      now,
      u + 4 * t * size,
      0,
      beta,
      threshold,
      next,
      0,
      0,
      0,
      1,
      rows,
      n,
      0,
      0,
      0,
      stepBeta,
      stepThreshold,
      reset,
      0,
      strict,
      0,
      kind,
      slope,
    );
  }
}
