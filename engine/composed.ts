/**
 * Ops that are composed of other ops. A tape frees the tensors that they make on the way to their result; at the root, where no tape
 * would, they run in a scope of their own, which frees these tensors when the op returns.
 */
import { root, scope } from "./scope.ts";
import { atRoot } from "./tape.ts";

/** fn(a, b, …), a function over other ops. */
export function composed<A, Z>(fn: (a: A) => Z, a: A): Z;
export function composed<A, B, Z>(fn: (a: A, b: B) => Z, a: A, b: B): Z;
export function composed<A, B, C, Z>(fn: (a: A, b: B, c: C) => Z, a: A, b: B, c: C): Z;
export function composed<A, B, C, D, Z>(fn: (a: A, b: B, c: C, d: D) => Z, a: A, b: B, c: C, d: D): Z;
export function composed<A, B, C, D, E, Z>(fn: (a: A, b: B, c: C, d: D, e: E) => Z, a: A, b: B, c: C, d: D, e: E): Z;
export function composed(
  fn: (...args: unknown[]) => unknown,
  a: unknown,
  b?: unknown,
  c?: unknown,
  d?: unknown,
  e?: unknown,
): unknown {
  return scope === root && !scope.recording ? apart(fn, a, b, c, d, e) : fn(a, b, c, d, e);
}

function apart(fn: (...args: unknown[]) => unknown, ...args: unknown[]): unknown {
  return atRoot(() => fn(...args));
}
