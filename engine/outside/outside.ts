/**
 * Tensors outside of all tapes live until `dispose()` or garbage collection. This file implements `Outside` of
 * core/scope.ts, and makes such tensors from others.
 */
import { heapOf, k } from "../core/backend.ts";
import { releaseGradient } from "../core/gradient.ts";
import { allocateIn, fillOutside, type Outside, type Owned, outside, resume, root, scope } from "../core/scope.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { checkOwn, forms, KEY, Tensor } from "../core/tensor.ts";
import { Held } from "./held.ts";

/** Tensors that fn of `allOrNothing` has made at the root. */
const made: Owned[] = [];

const slot: { -readonly [Name in keyof Outside]: Outside[Name] } = {
  taken: null,
  hold(t, p, bytes) {
    if (p < 0) return; // The reference frees all its memory at its end.
    if (t.held === null) t.held = new Held(p, bytes);
    else t.held.add(p, bytes);
  },
  noteMade(t, p, bytes) {
    slot.hold(t, p, bytes);
    if (slot.taken !== null) made.push(t);
  },
  allOrNothing(fn) {
    if (slot.taken !== null) return fn();
    const taken = new Map<number, number>();
    slot.taken = taken;
    try {
      return fn();
    } catch (error) {
      for (const t of made) t.dispose();
      for (const [p, bytes] of taken) heapOf(p).release(p, bytes);
      throw error;
    } finally {
      slot.taken = null;
      if (made.length > 0) made.length = 0;
    }
  },
};
fillOutside(slot);

/** Calls fn at the root; if fn throws, frees the tensors and all other memory that fn allocated there. */
export const allOrNothing = <R>(fn: () => R): R => outside.allOrNothing(fn);

/**
 * Calls fn at the root with recording on, even inside a tape. Returns the result of fn and the records, which then
 * belong to the caller.
 */
export function recordOutside<R>(fn: () => R): { result: R; records: Owned[] } {
  const inner = scope;
  resume(root);
  root.recording = true;
  try {
    const result = allOrNothing(fn);
    const records = [...root.records];
    if (inner !== root) for (const t of records) inner.persisted.push(t);
    return { result, records };
  } finally {
    root.recording = false;
    root.records.length = 0;
    resume(inner);
  }
}

/**
 * A tensor outside of tapes with the values of t. If t itself is outside of tapes, its memory moves to the result, and
 * t counts as freed. Otherwise the values are copied.
 */
export function takeOver(t: Tensor): Tensor {
  const { sizes, size, ptr, region, owned } = t;
  const isOwn = region === root.region && owned && ptr > 0 && t.bits === 0 && !t.isParameter && !t.isBuffer;
  if (ptr === 0) forms.materialise(t);
  const p = isOwn ? ptr : allocateIn(root.region, 4 * size);
  if (isOwn) {
    t.held?.remove(ptr);
    t.owned = false;
    t.dispose();
  } else k.copy(p, t.ptr, size);
  const z = new Tensor(sizes, size, p, root.region, true, KEY);
  outside.hold(z, p, 4 * size);
  return z;
}

/**
 * An uninitialised tensor outside of tapes, like `persist(empty(shape))`. If the current scope ends with an error, it
 * frees the tensor.
 */
export function emptyAtRoot(shape: Shape): Tensor {
  const size = sizeOf(shape);
  const z = new Tensor(shape, size, allocateIn(root.region, 4 * size), root.region, true, KEY);
  if (scope === root) outside.noteMade(z, z.ptr, 4 * size);
  else {
    outside.hold(z, z.ptr, 4 * size);
    scope.persisted.push(z);
  }
  return z;
}

/**
 * Calls fn with separate gradients for these leaves, null at first; returns its result. Afterwards each leaf has its
 * former gradient and buffer again, and memory of gradients that began in fn is freed.
 */
export function withOwnGradients<R>(leaves: readonly Tensor[], fn: () => R): R {
  for (const x of leaves) checkOwn("record", x);
  const before = leaves.map(({ gradPtr, gradBuffer, gradTensor }) => ({ gradPtr, gradBuffer, gradTensor }));
  for (const x of leaves) {
    x.gradTensor = null;
    x.gradPtr = 0;
    x.gradBuffer = 0;
  }
  try {
    return fn();
  } finally {
    for (const [i, x] of leaves.entries()) {
      releaseGradient(x);
      Object.assign(x, before[i]);
      // If fn disposed of a leaf, this buffer is its only remaining block.
      if (!x.region.open) releaseGradient(x);
    }
  }
}
