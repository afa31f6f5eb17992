/**
 * Memory outside of tapes whose owner, a tensor or an optimizer, was collected as garbage without being disposed of.
 *
 * The platform tells of it between two tasks of the event loop, never while a function runs, so that an address which code holds on
 * its stack stays good. Platforms without FinalizationRegistry keep such memory.
 */
import { wasmHeap } from "./memory.ts";

/**
 * Blocks, as pairs of an address and bytes, of the owner that has this object in a field. The blocks go when this object is garbage:
 * a proxy of the owner keeps this object alive, too.
 */
export class Held {
  private readonly blocks: number[] = [];

  constructor() {
    registry?.register(this, this.blocks, this);
  }

  add(p: number, bytes: number): void {
    this.blocks.push(p, bytes);
  }

  /** The block at p is the owner's no more, or was given back. */
  remove(p: number): void {
    const { blocks } = this;
    for (let i = 0; i < blocks.length; i += 2) {
      if (blocks[i] === p) blocks.splice(i, 2);
    }
  }

  /** The owner has given everything back. */
  end(): void {
    this.blocks.length = 0;
    registry?.unregister(this);
  }

  /** Gives back the rest. */
  release(): void {
    release(this.blocks);
  }
}

function release(blocks: number[]): void {
  for (let i = 0; i < blocks.length; i += 2) wasmHeap.release(blocks[i] as number, blocks[i + 1] as number);
  blocks.length = 0;
}

const registry = typeof FinalizationRegistry === "undefined" ? null : new FinalizationRegistry(release);
