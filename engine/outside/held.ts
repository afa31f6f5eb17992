/**
 * Frees memory outside of tapes after its owner, a tensor or an optimizer, was garbage-collected without `dispose()`.
 *
 * The platform reports collections only between tasks of the event loop. So addresses that running code uses remain
 * valid. Without FinalizationRegistry, such memory is never freed.
 */
import { wasmHeap } from "../core/memory.ts";
import type { Holder } from "../core/scope.ts";

/**
 * Blocks of one owner, as pairs (address, bytes). The owner refers to this object; when this object is collected, its
 * blocks are freed.
 */
export class Held implements Holder {
  private readonly blocks: number[];

  constructor(...blocks: number[]) {
    this.blocks = blocks;
    registry?.register(this, blocks, this);
  }

  add(p: number, bytes: number): void {
    this.blocks.push(p, bytes);
  }

  /** Removes the block at p, which the owner has passed on or freed. */
  remove(p: number): void {
    const { blocks } = this;
    for (let i = 0; i < blocks.length; i += 2) {
      if (blocks[i] === p) blocks.splice(i, 2);
    }
  }

  /** Called after the owner has freed all its blocks. */
  end(): void {
    this.blocks.length = 0;
    registry?.unregister(this);
  }

  /** Frees the remaining blocks. */
  release(): void {
    release(this.blocks);
  }
}

function release(blocks: number[]): void {
  for (let i = 0; i < blocks.length; i += 2) wasmHeap.release(blocks[i] as number, blocks[i + 1] as number);
  blocks.length = 0;
}

const registry = typeof FinalizationRegistry === "undefined" ? null : new FinalizationRegistry(release);
