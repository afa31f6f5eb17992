/**
 * Ops that are composed of other ops. What they make on the way to their result goes with the tape; at the root, where a
 * tensor lives until somebody disposes of it and nobody else could reach these, it goes with the result.
 */
import { free, making, root, scope, setMaking } from "./scope.ts";
import { bases, parts, type Tensor } from "./tensor.ts";

/**
 * fn(a, b, …), a function over other ops. At the root, what fn makes besides its result is freed at once where nothing
 * needs it any more, else by `backward()` over the result or with its `dispose()`.
 */
export function composed<A, Z extends Tensor>(fn: (a: A) => Z, a: A): Z;
export function composed<A, B, Z extends Tensor>(fn: (a: A, b: B) => Z, a: A, b: B): Z;
export function composed<A, B, C, Z extends Tensor>(fn: (a: A, b: B, c: C) => Z, a: A, b: B, c: C): Z;
export function composed<A, B, C, D, Z extends Tensor>(fn: (a: A, b: B, c: C, d: D) => Z, a: A, b: B, c: C, d: D): Z;
export function composed<A, B, C, D, E, Z extends Tensor>(
  fn: (a: A, b: B, c: C, d: D, e: E) => Z,
  a: A,
  b: B,
  c: C,
  d: D,
  e: E,
): Z;
export function composed(
  fn: (...args: unknown[]) => Tensor,
  a: unknown,
  b?: unknown,
  c?: unknown,
  d?: unknown,
  e?: unknown,
): Tensor {
  return scope === root ? atRoot(fn, [a, b, c, d, e]) : fn(a, b, c, d, e);
}

function atRoot(fn: (...args: unknown[]) => Tensor, args: unknown[]): Tensor {
  const mine: Tensor[] = [];
  const z = collecting(mine, () => fn(...args));
  const isNew = mine.includes(z);
  const looksInto = bases(z);
  const needed = [...(parts.get(z) ?? [])];
  for (const t of mine) {
    if (t === z) continue;
    if (looksInto.has(t) || (isNew && z.op !== null)) needed.push(t);
    else {
      // What z looks into stays, though it came as a part of t.
      const all = parts.get(t) ?? [];
      needed.push(...all.filter((part) => looksInto.has(part)));
      parts.set(
        t,
        all.filter((part) => !looksInto.has(part)),
      );
      t.dispose();
    }
  }
  if (needed.length > 0) parts.set(z, needed);
  if (isNew) making?.tensors.push(z);
  return z;
}

/** Where the record of z is gone: frees the parts of z, but not what z looks into. */
export function releaseParts(z: Tensor): void {
  const all = parts.get(z);
  if (all === undefined) return;
  const looksInto = bases(z);
  const needed: Tensor[] = [];
  for (const t of all) {
    if (looksInto.has(t)) needed.push(t);
    else t.dispose();
  }
  parts.set(z, needed);
}

/** fn(), which makes tensors of the root, parameters for instance: all that it returns, or, where it throws, none. */
export function allOrNothing<Z>(fn: () => Z): Z {
  const mine: Tensor[] = [];
  const z = collecting(mine, fn);
  making?.tensors.push(...mine);
  return z;
}

function collecting<Z>(tensors: Tensor[], fn: () => Z): Z {
  const outer = making;
  const memory = new Map<number, number>();
  setMaking({ tensors, memory, outer });
  try {
    return fn();
  } catch (error) {
    for (const t of tensors) t.dispose();
    for (const [p, bytes] of memory) free(p, bytes);
    throw error;
  } finally {
    setMaking(outer);
  }
}
