/**
 * Memory of the reference kernels: float64 cells at the byte addresses that the SIMD kernels use.
 *
 * A cell of four bytes holds one number: a float64 in place of a float32 of the SIMD kernels, or an exact integer in place of an index.
 * Reference addresses are negative (BASE + 4·cell). An address ≥ 0 is in WebAssembly memory and is read there as float32, so that a float64
 * computation can use tensors from outside.
 */

export const BASE = -(2 ** 31);

let cells = new Float64Array(1 << 16);
let wasmFloats: () => Float32Array = () => {
  throw new Error("reference: no WebAssembly memory was bound");
};

/** Sets the memory in which addresses ≥ 0 are read. */
export function bindWasmMemory(floats: () => Float32Array): void {
  wasmFloats = floats;
}

/** Allocates cells up to byte address `end`. */
export function reserve(end: number): void {
  const needed = (end - BASE) / 4;
  if (needed <= cells.length) return;
  const grown = new Float64Array(Math.max(needed, 2 * cells.length));
  grown.set(cells);
  cells = grown;
}

/** n numbers from address p on, as a live view. */
export function view(p: number, n: number): Float64Array {
  const first = (p - BASE) / 4;
  return cells.subarray(first, first + n);
}

/** The number at p[i]. */
export function at(p: number, i: number): number {
  return (p < 0 ? cells[(p - BASE) / 4 + i] : wasmFloats()[p / 4 + i]) as number;
}

/** p[i] ← value */
export function put(p: number, i: number, value: number): void {
  if (p >= 0) throw new Error(`reference: write to WebAssembly address ${p}`);
  cells[(p - BASE) / 4 + i] = value;
}

/** p[i] += value */
export function accumulate(p: number, i: number, value: number): void {
  put(p, i, at(p, i) + value);
}
