/**
 * Scopes: the owners of tensors and blocks, and how long these live.
 *
 * The root scope is the caller's: its tensors are blocks that live until `dispose()`, or until they are garbage (held.ts). Each
 * `tape` or `noGrad` opens an inner scope on the arena. A scope object is reused whenever its depth is reached again; a region is one run of it, and
 * every tensor points at the region it belongs to, so that "is it still alive?" is one load.
 */
import { heap, heapOf } from "./backend.ts";
import { Held } from "./held.ts";
import { Mark } from "./memory.ts";

export interface Region {
  open: boolean;
  scope: Scope;
}

/**
 * The fields of a tensor that scopes read, and those that say how long it lives, which this file alone assigns. Every entry of the lists of
 * a scope is a tensor; tensor.ts imports this file, so its type cannot stand here.
 */
export interface Owned {
  readonly ptr: number;
  readonly size: number;
  region: Region;
  owned: boolean;
  held: Held | null;
  dispose(): void;
}

export class Scope {
  readonly parent: Scope | null;
  region: Region;
  recording = true;
  /** Recorded tensors in the order of their creation. */
  readonly records: Owned[] = [];
  readonly mark = new Mark();
  /** Tensors with blocks of their own that end with this scope, and further blocks as pairs (address, bytes). */
  readonly adopted: Owned[] = [];
  readonly blocks: number[] = [];
  /**
   * Leaves whose gradient began in the backward pass that runs, and leaves whose buffer did: a pass that fails takes
   * both back.
   */
  readonly begun: Owned[] = [];
  readonly buffered: Owned[] = [];
  /** Tensors that `keep` named, and those that the end of this scope has moved out of it. */
  readonly kept: Owned[] = [];
  readonly moved: Owned[] = [];
  /**
   * Tensors of this scope that were made persistent, and other owners of memory: they outlive it, unless it ends with
   * an error.
   */
  readonly persisted: { dispose(): void }[] = [];
  child: Scope | null = null;

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

/** Outside of all tapes nothing is recorded. */
export const root = new Scope(null);
root.recording = false;

/** The region of disposed tensors. */
export const disposed: Region = { open: false, scope: root };

export let scope: Scope = root;

/** The block at p is freed when t, a tensor outside of tapes, is collected as garbage. */
export function hold(t: Owned, p: number, bytes: number): void {
  if (p < 0) return; // the reference gives back all that it has
  t.held ??= new Held();
  t.held.add(p, bytes);
}

/** Another tensor owns the block of t from now on. */
export function disown(t: Owned): void {
  t.held?.remove(t.ptr);
  t.owned = false;
}

/** t owns the block at p, and lives as long as `region`, from now on. */
export function adopt(t: Owned, region: Region, p: number, bytes: number): void {
  if (t.owned) takeOut(t.region.scope.adopted, t);
  if (region.scope === root) hold(t, p, bytes);
  else region.scope.adopted.push(t);
  t.owned = true;
  t.region = region;
}

/** t lives as long as `region`. */
export function moveTo(t: Owned, region: Region): void {
  t.region = region;
}

/** t was disposed, and its blocks were given back. */
export function end(t: Owned): void {
  if (t.owned) takeOut(t.region.scope.adopted, t);
  t.held?.end();
  t.held = null;
  t.region = disposed;
}

/** Without the tensor that owns the block of t in the list: t itself, or a proxy of it. */
function takeOut(list: Owned[], { ptr }: Owned): void {
  let i = list.length - 1;
  while (i >= 0 && (list[i] as Owned).ptr !== ptr) i--;
  if (i >= 0) list.splice(i, 1);
}

/** Opens a scope. `region` may be one that has ended, to save the object: safe only if no tensor was made in its last run. */
export function enter(recording: boolean, region: Region = { open: false, scope: root }): Scope {
  const inner = scope.inner();
  region.open = true;
  region.scope = inner;
  inner.region = region;
  inner.recording = recording;
  heap.mark(inner.mark);
  scope = inner;
  return inner;
}

/** Blocks that fn of {@link allOrNothing} has taken at the root and not given back, their bytes by address; null outside of it. */
let taken: Map<number, number> | null = null;
/** The tensors that it has made there. */
const made: Owned[] = [];

/** fn() at the root: where it throws, the tensors that it made there are freed, and all other memory that it took is given back. */
export function allOrNothing<R>(fn: () => R): R {
  if (taken !== null) return fn();
  taken = new Map();
  try {
    return fn();
  } catch (error) {
    for (const t of made) t.dispose();
    for (const [p, bytes] of taken) heapOf(p).release(p, bytes);
    throw error;
  } finally {
    taken = null;
    clear(made);
  }
}

/** t was made at the root, with the block at p. */
export function noteMade(t: Owned, p: number, bytes: number): void {
  hold(t, p, bytes);
  if (taken !== null) made.push(t);
}

/** fn() at the root and recorded, also inside of a tape: its result, and its records, which are the caller's. */
export function recordOutside<R>(fn: () => R): { result: R; records: Owned[] } {
  const inner = scope;
  scope = root;
  root.recording = true;
  try {
    const result = allOrNothing(fn);
    const records = [...root.records];
    if (inner !== root) for (const t of records) inner.persisted.push(t);
    return { result, records };
  } finally {
    root.recording = false;
    root.records.length = 0;
    scope = inner;
  }
}

/** Frees all memory of the current scope and makes its parent current. */
export function leave(): void {
  const { region, records, adopted, blocks, kept, moved, persisted, mark, parent } = scope;
  region.open = false;
  for (const t of adopted) {
    heap.release(t.ptr, 4 * t.size);
    t.region = disposed;
  }
  for (let i = 0; i < blocks.length; i += 2) heap.release(blocks[i] as number, blocks[i + 1] as number);
  // The scope around it may end with an error yet.
  if (parent !== root) for (const t of persisted) (parent as Scope).persisted.push(t);
  clear(persisted);
  clear(records);
  clear(kept);
  clear(moved);
  clear(adopted);
  clear(blocks);
  heap.rewind(mark);
  scope = parent as Scope;
}

/** Most lists are empty, and setting a length costs more than looking at it. */
function clear(list: unknown[]): void {
  if (list.length > 0) list.length = 0;
}

/** Memory that lives as long as the current scope: from the arena inside a tape, a block at the root. */
export function allocate(bytes: number): number {
  if (scope !== root) return heap.arenaAllocate(bytes, scope.mark);
  const p = heap.allocate(bytes);
  taken?.set(p, bytes);
  return p;
}

/** Memory that lives as long as `region`, which may be an outer one. */
export function allocateIn(region: Region, bytes: number): number {
  if (region === scope.region && scope !== root) return heap.arenaAllocate(bytes, scope.mark);
  const p = heap.allocate(bytes);
  if (region.scope !== root) region.scope.blocks.push(p, bytes);
  return p;
}

/** Gives back memory from {@link allocate}, in the same forward or backward; `bytes` as asked for. */
export const recycle = (address: number, bytes: number): void => recycleIn(scope.region, address, bytes);

/** The same for memory that was taken while `region` was current. */
export function recycleIn(region: Region, p: number, bytes: number): void {
  if (region.scope === root) free(p, bytes);
  else heap.recycle(p, bytes, scope.mark);
}

/** Gives back a block. */
export function free(p: number, bytes: number): void {
  taken?.delete(p);
  heapOf(p).release(p, bytes);
}
