/** The naive twins of reduce.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

/** Calls f(cell of [o, j], cell of [o, 0, j]) for every o and j. */
function eachOutput(outer: number, n: number, inner: number, f: (output: number, first: number) => void): void {
  for (let o = 0; o < outer; o++) for (let j = 0; j < inner; j++) f(o * inner + j, o * n * inner + j);
}

export const sumAxis: Kernels["sumAxis"] = (z, x, outer, n, inner) => {
  const step = Math.abs(inner);
  eachOutput(outer, n, step, (output, first) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += at(x, first + i * step);
    put(z, output, sum);
  });
};

export const addSumAxis: Kernels["addSumAxis"] = (z, x, outer, n, inner, scale) => {
  eachOutput(outer, n, inner, (output, first) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += at(x, first + i * inner);
    accumulate(z, output, scale * sum);
  });
};

export const sumAxisGrad: Kernels["sumAxisGrad"] = (dx, dz, outer, n, inner, scale) => {
  eachOutput(outer, n, inner, (output, first) => {
    for (let i = 0; i < n; i++) accumulate(dx, first + i * inner, scale * at(dz, output));
  });
};

export const expandAxis: Kernels["expandAxis"] = (z, x, outer, n, inner) => {
  eachOutput(outer, n, inner, (output, first) => {
    for (let i = 0; i < n; i++) put(z, first + i * inner, at(x, output));
  });
};

export const prodAxis: Kernels["prodAxis"] = (z, x, outer, n, inner) => {
  eachOutput(outer, n, inner, (output, first) => {
    let product = 1;
    for (let i = 0; i < n; i++) product *= at(x, first + i * inner);
    put(z, output, product);
  });
};

export const prodAxisGrad: Kernels["prodAxisGrad"] = (dx, dz, x, _rest, outer, n, inner) => {
  eachOutput(outer, n, inner, (output, first) => {
    for (let i = 0; i < n; i++) {
      let others = at(dz, output);
      for (let k = 0; k < n; k++) if (k !== i) others *= at(x, first + k * inner);
      accumulate(dx, first + i * inner, others);
    }
  });
};

export const cumsumAxis: Kernels["cumsumAxis"] = (z, x, outer, n, inner, reverse) => {
  eachOutput(outer, n, inner, (_output, first) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const cell = first + (reverse === 0 ? i : n - 1 - i) * inner;
      sum += at(x, cell);
      put(z, cell, sum);
    }
  });
};

/** The first i with the extreme x[first + i·inner]; NaN wins. */
function search(x: number, first: number, n: number, inner: number, sign: number): number {
  let best = 0;
  for (let i = 1; i < n; i++) {
    const value = sign * at(x, first + i * inner);
    const record = sign * at(x, first + best * inner);
    if (value > record || (Number.isNaN(value) && !Number.isNaN(record))) best = i;
  }
  return best;
}

const extremeAxis =
  /* @__NO_SIDE_EFFECTS__ */
    (sign: 1 | -1) =>
    (z: number, index: number, x: number, outer: number, n: number, inner: number): void => {
      eachOutput(outer, n, inner, (output, first) => {
        const i = search(x, first, n, inner, sign);
        put(index, output, i);
        put(z, output, at(x, first + i * inner));
      });
    };

export const maxAxis = extremeAxis(1);
export const minAxis = extremeAxis(-1);

export const pickAxisGrad: Kernels["pickAxisGrad"] = (dx, dz, index, outer, n, inner) => {
  eachOutput(outer, n, inner, (output, first) => {
    const cell = first + at(index, output) * inner;
    accumulate(dx, cell, at(dz, output));
  });
};

export const amaxGrad: Kernels["amaxGrad"] = (dx, dz, z, x, outer, n, inner) => {
  eachOutput(outer, n, inner, (output, first) => {
    const ties: number[] = [];
    for (let i = 0; i < n; i++) if (at(x, first + i * inner) === at(z, output)) ties.push(first + i * inner);
    for (const cell of ties) accumulate(dx, cell, at(dz, output) / ties.length);
  });
};
