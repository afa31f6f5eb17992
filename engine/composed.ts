/**
 * Ops that are composed of other ops. A tape frees the tensors that they make on the way to their result; at the root, where no tape
 * would, they run in a scope of their own, which frees these tensors when the op returns.
 */
import { root, scope } from "./scope.ts";
import { atRoot } from "./tape.ts";

/** At most five arguments: a list of any length would take memory at each call. */
type Fn = (a: never, b: never, c: never, d: never, e: never) => unknown;

const run = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown =>
  scope === root && !scope.recording ? apart(fn, a, b, c, d, e) : fn(a, b, c, d, e);

const apart = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown => atRoot(() => fn(a, b, c, d, e));

/** The op that fn, a function over other ops, is: the same function, whose intermediate tensors are freed outside of tapes too. */
/* @__NO_SIDE_EFFECTS__ */
export function composedOp<F>(fn: F): F {
  // A bound on F would have the compiler look for the methods of tensors, which are among these ops.
  return ((a, b, c, d, e) => run(fn as Fn, a, b, c, d, e)) as Fn as F;
}

/** fn(…args) in the same way, for a function that is no op, such as a method. */
export const composed = run as <Args extends unknown[], Z>(fn: (...args: Args) => Z, ...args: Args) => Z;
