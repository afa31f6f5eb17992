/** A backward pass inside of another one. */
import { abandon, walk } from "../core/backward.ts";
import { recordsOf } from "../core/op.ts";
import { type Scope, scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * In the backward of an op: consumes the records of the current scope, from the gradients that the op gave to their outputs. Gradients of leaves
 * outside of the scope count as those of the pass that runs.
 */
export function backwardWithin(): void {
  const { records, parent, begun, buffered } = scope;
  try {
    walk(recordsOf(scope));
  } catch (error) {
    abandon(records as Tensor[]);
    throw error;
  } finally {
    const pass = parent as Scope;
    for (const x of begun.splice(0)) pass.begun.push(x);
    for (const x of buffered.splice(0)) pass.buffered.push(x);
  }
}
