/**
 * Ops that are composed of other ops. A tape frees the tensors that they make on the way to their result; at the root, where no tape
 * would, they run in a scope of their own, which frees these tensors when the op returns.
 */
import { root, scope } from "./scope.ts";
import { atRoot } from "./tape.ts";
import type { Tensor } from "./tensor.ts";
import { repeated, repeatsSteps, stepOf } from "./views.ts";

/** At most five arguments: a list of any length would take memory at each call. */
type Fn = (a: never, b: never, c: never, d: never, e: never) => unknown;

const run = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown =>
  scope === root && !scope.recording ? apart(fn, a, b, c, d, e) : fn(a, b, c, d, e);

const apart = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown => atRoot(() => fn(a, b, c, d, e));

/** The function fn over other ops as an op: its intermediate tensors are freed outside of tapes too. At most five arguments. */
/* @__NO_SIDE_EFFECTS__ */
export function composedOp<F>(fn: F): F {
  // A bound on F would have the compiler look for the methods of tensors, which are among these ops.
  return ((a, b, c, d, e) => run(fn as Fn, a, b, c, d, e)) as Fn as F;
}

/** fn(…args) in the same way, for a function that is no op, such as a method. */
export const composed = run as <Args extends unknown[], Z>(fn: (...args: Args) => Z, ...args: Args) => Z;

/**
 * The same for an fn that computes everything before so many last axes of x by itself: of an x that repeats a step along its first axis,
 * fn of the step, repeated. The record of an op says so by its `lifts`.
 */
/* @__NO_SIDE_EFFECTS__ */
export function liftedOp<F>(fn: F, axes: (b: never, c: never, d: never) => number): F {
  return ((x: Tensor, b: never, c: never, d: never) =>
    repeatsSteps(x) && x.ndim > axes(b, c, d)
      ? run(onStep as Fn, fn as never, x as never, b, c, d)
      : (fn as OnStep)(x, b, c, d)) as Fn as F;
}

type OnStep = (x: Tensor, b?: unknown, c?: unknown, d?: unknown) => Tensor;

/** fn of the step that x repeats, as often. */
export function onStep(fn: OnStep, x: Tensor, b?: unknown, c?: unknown, d?: unknown): Tensor {
  const z = fn(stepOf(x), b, c, d);
  return repeated(z, [x.sizes[0] as number, ...z.sizes]);
}
