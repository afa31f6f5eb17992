/**
 * Scopes own tensors and blocks, and determine their lifetime.
 *
 * The root scope belongs to the caller. Its tensors are blocks that live until `dispose()` or garbage collection
 * (engine/outside/). Each `tape` or `noGrad` opens an inner scope on the arena. Each depth reuses one Scope object; a
 * region is one run of a scope. Every tensor points to its region, so one load shows whether the tensor is alive.
 */

import { heap, heapOf } from "./backend.ts";
import { Mark } from "./memory.ts";

export interface Region {
  open: boolean;
  scope: Scope;
}

/**
 * Fields of a tensor that scopes read. Only this file and engine/outside/ assign those about lifetime. The lists of a scope hold tensors,
 * by this type because tensor.ts imports this file.
 */
export interface Owned {
  readonly ptr: number;
  readonly size: number;
  region: Region;
  owned: boolean;
  held: Holder | null;
  dispose(): void;
}

/** Blocks of a tensor outside of tapes, freed when the tensor is collected. */
export interface Holder {
  add(p: number, bytes: number): void;
  remove(p: number): void;
  end(): void;
}

export class Scope {
  readonly parent: Scope | null;
  region: Region;
  recording = true;
  /** Recorded tensors, oldest first. */
  readonly records: Owned[] = [];
  readonly mark = new Mark();
  /** Tensors of this scope that own blocks, and further blocks as pairs (address, bytes). */
  readonly adopted: Owned[] = [];
  readonly blocks: number[] = [];
  /**
   * Leaves whose gradient, or gradient buffer, was created by the running backward pass. A pass that fails undoes both.
   */
  readonly begun: Owned[] = [];
  readonly buffered: Owned[] = [];
  /** Tensors named to `keep`, and tensors that were moved out at the end of this scope. */
  readonly kept: Owned[] = [];
  readonly moved: Owned[] = [];
  /**
   * Persistent tensors and other owners of memory that were made in this scope. They outlive it unless it ends with an
   * error.
   */
  readonly persisted: { dispose(): void }[] = [];
  child: Scope | null = null;

  constructor(parent: Scope | null) {
    this.parent = parent;
    this.region = { open: true, scope: this };
  }

  /** The next inner scope. */
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

/**
 * Functions of engine/outside/ for tensors outside of tapes. Without that module, only `dispose` frees such tensors.
 */
export interface Outside {
  /** Bytes by address of the blocks allocated inside `allOrNothing`; null outside. */
  readonly taken: Map<number, number> | null;
  /** Frees the block at p when t is collected. */
  hold(t: Owned, p: number, bytes: number): void;
  /** Notes that t was made at the root, with the block at p. */
  noteMade(t: Owned, p: number, bytes: number): void;
  /** Calls fn at the root; if fn throws, frees all memory that fn allocated. */
  allOrNothing<R>(fn: () => R): R;
}

export let outside: Outside = { taken: null, hold() {}, noteMade() {}, allOrNothing: (fn) => fn() };

export function fillOutside(by: Outside): void {
  outside = by;
}

/** Makes t the owner of the block at p, with the lifetime of `region`. */
export function adopt(t: Owned, region: Region, p: number, bytes: number): void {
  if (t.owned) takeOut(t.region.scope.adopted, t);
  if (region.scope === root) outside.hold(t, p, bytes);
  else region.scope.adopted.push(t);
  t.owned = true;
  t.region = region;
}

/** Gives t the lifetime of `region`. */
export function moveTo(t: Owned, region: Region): void {
  t.region = region;
}

/** Marks t as disposed; its blocks are free already. */
export function end(t: Owned): void {
  if (t.owned) takeOut(t.region.scope.adopted, t);
  t.held?.end();
  t.held = null;
  t.region = disposed;
}

function takeOut(list: Owned[], t: Owned): void {
  const i = list.lastIndexOf(t);
  if (i >= 0) list.splice(i, 1);
}

/** Whether `other` is a scope, not a proxy of one. */
export function isScope(other: Scope): boolean {
  for (let s: Scope | null = root; s !== null; s = s.child) if (s === other) return true;
  return false;
}

/**
 * Opens a scope. `region` may be an ended region in which no tensor was made; it is then used again instead of a new
 * object.
 */
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

/** Makes an open scope current. */
export function resume(open: Scope): void {
  scope = open;
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
  // The enclosing scope, too, disposes of them if it ends with an error.
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

/** Empties a list. Reads the length first: most lists are empty, and assigning a length costs more than reading it. */
function clear(list: unknown[]): void {
  if (list.length > 0) list.length = 0;
}

/** Memory that lives as long as the current scope: from the arena inside a tape, a block at the root. */
export function allocateInScope(bytes: number): number {
  if (scope !== root) return heap.arenaAllocate(bytes, scope.mark);
  const p = heap.allocate(bytes);
  outside.taken?.set(p, bytes);
  return p;
}

/** Memory that lives as long as `region`, which may be an outer one. */
export function allocateIn(region: Region, bytes: number): number {
  if (region === scope.region && scope !== root) return heap.arenaAllocate(bytes, scope.mark);
  const p = heap.allocate(bytes);
  if (region.scope !== root) region.scope.blocks.push(p, bytes);
  return p;
}

/** Frees memory of `allocateInScope` within the same forward or backward; `bytes` as requested. */
export function recycle(p: number, bytes: number): void {
  if (scope === root) freeBlock(p, bytes);
  else heap.recycle(p, bytes, scope.mark);
}

/** `recycle` for memory that was allocated while `region` was current. */
export function recycleIn(region: Region, p: number, bytes: number): void {
  if (region.scope === root) freeBlock(p, bytes);
  else heap.recycle(p, bytes, scope.mark);
}

/** Frees a block. */
export function freeBlock(p: number, bytes: number): void {
  outside.taken?.delete(p);
  heapOf(p).release(p, bytes);
}
