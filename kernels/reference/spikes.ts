/** Spikes of the float64 backend: numbers 0 or 1, where SIMD kernels have a stream of bits. */
import { put } from "./memory.ts";

/** n spikes ← 1 where `fires` holds, else 0. */
export function putSpikes(spikes: number, n: number, fires: (i: number) => boolean): void {
  for (let i = 0; i < n; i++) put(spikes, i, fires(i) ? 1 : 0);
}
