/**
 * Scopes: who owns what is allocated now, and for how long.
 *
 * The root scope is the caller's: its tensors are blocks that live until `dispose()`. Each `tape` or `noGrad` opens an
 * inner scope on the arena. A scope object is reused whenever its depth is reached again; a region is one run of it, and
 * every tensor points at the region it belongs to, so that "is it still alive?" is one load.
 */
import { heap } from "./backend.ts";
import { Mark } from "./memory.ts";
import type { Tensor } from "./tensor.ts";

export interface Region {
  open: boolean;
  readonly scope: Scope;
}

export class Scope {
  readonly parent: Scope | null;
  region: Region;
  recording = true;
  /** Recorded tensors in the order of their creation. */
  readonly records: Tensor[] = [];
  readonly mark = new Mark();
  /** Tensors with blocks of their own that end with this scope, and further blocks as pairs (address, bytes). */
  readonly adopted: Tensor[] = [];
  readonly blocks: number[] = [];
  /** Tensors that `keep` named. */
  readonly kept: Tensor[] = [];
  private child: Scope | null = null;

  constructor(parent: Scope | null) {
    this.parent = parent;
    this.region = { open: true, scope: this };
  }

  /** The scope one level in. */
  inner(): Scope {
    if (this.child === null) this.child = new Scope(this);
    return this.child;
  }
}

export const root = new Scope(null);

/** The region of disposed tensors. */
export const disposed: Region = { open: false, scope: root };

export let scope: Scope = root;

export function enter(recording: boolean): Scope {
  const inner = scope.inner();
  inner.region = { open: true, scope: inner };
  inner.recording = recording;
  heap.mark(inner.mark);
  scope = inner;
  return inner;
}

/** Frees what the current scope owns and makes its parent current. */
export function leave(): void {
  const { region, records, adopted, blocks, kept, mark, parent } = scope;
  region.open = false;
  records.length = 0;
  kept.length = 0;
  for (const t of adopted) {
    heap.release(t.ptr, 4 * t.size);
    t.region = disposed;
  }
  adopted.length = 0;
  for (let i = 0; i < blocks.length; i += 2) heap.release(blocks[i] as number, blocks[i + 1] as number);
  blocks.length = 0;
  heap.rewind(mark);
  scope = parent as Scope;
}

/** Memory that lives as long as the current scope: from the arena inside a tape, a block at the root. */
export function allocate(bytes: number): number {
  return scope === root ? heap.allocate(bytes) : heap.arenaAllocate(bytes, scope.mark);
}

/** Memory that lives as long as `region`, which may be an outer one. */
export function allocateIn(region: Region, bytes: number): number {
  if (region === scope.region) return allocate(bytes);
  const p = heap.allocate(bytes);
  if (region.scope !== root) region.scope.blocks.push(p, bytes);
  return p;
}

/** Gives back memory from `allocate` that was taken while `region` was current. */
export function recycle(p: number, bytes: number, region: Region): void {
  if (region.scope === root) heap.release(p, bytes);
  else heap.recycle(p, bytes, scope.mark);
}
