/** Memory of a plastic connection or a rule, outside of tapes; freed when its owner is garbage-collected. */

import { Held, memory, simd } from "../../engine/lasting.ts";

export class Workspace {
  private readonly held = new Held();

  /** Allocates persistent zeros. */
  take = (bytes: number): number => {
    const p = simd.heap.allocate(bytes);
    this.held.add(p, bytes);
    new Uint8Array(memory.buffer, p, bytes).fill(0);
    return p;
  };

  /** Frees everything. */
  free(): void {
    this.held.release();
  }

  /** Frees memory of `take`. */
  give(p: number, bytes: number): void {
    this.held.remove(p);
    simd.heap.release(p, bytes);
  }
}

export const floatsAt = (p: number, n: number): Float32Array => new Float32Array(memory.buffer, p, n);

export const int32At = (p: number, n: number): Int32Array => new Int32Array(memory.buffer, p, n);
