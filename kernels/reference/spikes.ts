/** Spikes of the float64 backend: numbers, 0 or 1, where the SIMD kernels have a stream of bits. */
import { put } from "./memory.ts";

/** n spikes ← whether `fires` holds for each. */
export function putSpikes(spikes: number, n: number, fires: (i: number) => boolean): void {
  for (let i = 0; i < n; i++) put(spikes, i, fires(i) ? 1 : 0);
}
