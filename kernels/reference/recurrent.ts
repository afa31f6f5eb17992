import { bitAt, packStream } from "./bits.ts";
import { lifBackward, lifBackwardAny, lifForward, lifForwardAny } from "./lif.ts";
import { at, put } from "./memory.ts";

export function recurrentForward(
  u: number,
  s: number,
  r: number,
  current: number,
  weight: number,
  bias: number,
  beta: number,
  threshold: number,
  work: number,
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
  rest: number,
  scale: number,
  hold: number,
): void {
  const size = rows * n;
  const spikes: number[] = [];
  /** The spike of neuron p in a row at step t − 1. */
  const before = (t: number, row: number, p: number): number =>
    t === 0 ? 0 : (spikes[(t - 1) * size + row * n + p] as number);
  for (let t = 0; t < T; t++) {
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < n; j++) {
        const i = t * size + row * n + j;
        let fed = all !== 0 && bias !== 0 ? at(bias, j) : 0;
        if (all === 0) fed = before(t, row, j) * at(weight, j);
        else for (let p = 0; p < n; p++) fed += before(t, row, p) * at(weight, j * n + p);
        put(u, i, fed + at(current, i));
      }
    }
    const now = u + 4 * t * size;
    const v0 = t === 0 ? 0 : now - 4 * size;
    const resumed = t === 0 ? 0 : 1;
    if (r === 0) {
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
    } else {
      const counters = r + 4 * t * size;
      lifForwardAny(
        now,
        work,
        counters,
        now,
        v0,
        t === 0 ? 0 : counters - 4 * size,
        beta,
        threshold,
        1,
        rows,
        n,
        size,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        rest,
        scale,
        hold,
        resumed,
      );
      for (let i = 0; i < size; i++) spikes.push(at(work, i));
    }
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
  general: number,
  r: number,
  custom: number,
  dBeta: number,
  dThreshold: number,
  delayed: number,
  resetValue: number,
  rest: number,
  scale: number,
  hold: number,
  attached: number,
): void {
  const size = rows * n;
  const before = (p: number, t: number): number => (p === 0 || t === 0 ? 0 : p + 4 * (t - 1) * size);
  for (let t = T - 1; t >= 0; t--) {
    const now = du + 4 * t * size;
    const next = t === T - 1 ? carry : now + 4 * size;
    for (let row = 0; t < T - 1 && row < rows; row++) {
      for (let p = 0; p < n; p++) {
        let sum = at(now, row * n + p);
        if (all === 0) sum += at(next, row * n + p) * at(weight, p);
        else for (let j = 0; j < n; j++) sum += at(next, row * n + j) * at(weight, j * n + p);
        put(now, row * n + p, sum);
      }
    }
    if (general !== 0) {
      lifBackwardAny(
        now,
        u + 4 * t * size,
        r === 0 ? 0 : r + 4 * t * size,
        before(u, t),
        before(r, t),
        beta,
        threshold,
        carry,
        0,
        custom === 0 ? 0 : custom + 4 * t * size,
        0,
        0,
        dBeta,
        dThreshold,
        0,
        1,
        rows,
        n,
        stepBeta,
        stepThreshold,
        reset,
        delayed,
        strict,
        resetValue,
        rest,
        scale,
        hold,
        attached,
        kind,
        slope,
        t,
      );
      continue;
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
