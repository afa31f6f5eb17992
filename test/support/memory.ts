/** Runs things where memory is short. */
import { wasmHeap } from "../../engine/core/memory.ts";
import { memory } from "../../engine/core/wasm.ts";

/** Private fields of a heap: its free spans, the address behind all memory that it uses, and the method that gathers the spans. */
interface Inside {
  spans: { start: number; end: number }[];
  top: number;
  gather(): void;
}

/**
 * Runs fn where the platform gives no more memory, and of what it has given `free` bytes, rounded up to a block, are left in one piece.
 * Afterwards all is as before. The heap is asked once for all of its free spans: taking them block by block would refuse some thirty times.
 */
export function withLittleMemory<R>(free: number, fn: () => R): R {
  const heap = wasmHeap as unknown as Inside;
  const spare = wasmHeap.allocate(free);
  heap.gather();
  const rest = { start: heap.top, end: memory.buffer.byteLength };
  const hoard = [...heap.spans, rest];
  heap.spans = [];
  heap.top = rest.end;
  const refused = new RangeError("refused");
  memory.grow = () => {
    throw refused;
  };
  try {
    wasmHeap.release(spare, free);
    return fn();
  } finally {
    Reflect.deleteProperty(memory, "grow"); // what hid the one of its prototype
    heap.spans.push(...hoard);
  }
}
