/** Runs things where memory is short. */
import { wasmHeap } from "../../engine/memory.ts";
import { memory } from "../../engine/wasm.ts";

/**
 * Runs fn where the platform gives no more memory, and of what it has given about `free` bytes are left, in one piece.
 * Afterwards all is as before.
 */
export function withLittleMemory<R>(free: number, fn: () => R): R {
  const spare = wasmHeap.allocate(free);
  const hoard: [address: number, bytes: number][] = [];
  memory.grow = () => {
    throw new RangeError("refused");
  };
  try {
    for (let bytes = 2 ** 30; bytes >= 16; bytes /= 2) {
      try {
        for (;;) hoard.push([wasmHeap.allocate(bytes), bytes]);
      } catch {
        // Smaller ones may still fit.
      }
    }
    wasmHeap.release(spare, free);
    return fn();
  } finally {
    Reflect.deleteProperty(memory, "grow"); // what hid the one of its prototype
    for (const [address, bytes] of hoard) wasmHeap.release(address, bytes);
  }
}
