/** Blocks of linear memory for kernels to work on; a benchmark process frees nothing. */
import { alloc, memory } from "jarvis-snn/kernels";

/** n values, made by `value` of their index. */
export function block(n: number, value: (i: number) => number = () => 0): number {
  const p = alloc(4 * n);
  const view = new Float32Array(memory.buffer, p, n);
  for (let i = 0; i < n; i++) view[i] = value(i);
  return p;
}

/** Numbers in [0, 1) from a linear congruence, the same in every run. */
export function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
