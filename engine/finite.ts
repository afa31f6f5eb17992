/**
 * Errors for infinite or NaN values, which would spoil the weights, and for missing gradients, without which training
 * changes nothing. If all is fine, a check costs one sum per tensor.
 */
import { ensure, FINITE, numberOf } from "./arguments.ts";
import { descriptor, floats, k, valuesAt, wordsAt } from "./core/backend.ts";
import { holds } from "./core/gradient.ts";
import { type Recorded, recordsOf } from "./core/op.ts";
import { scope } from "./core/scope.ts";
import { rootOf, type Tensor } from "./core/tensor.ts";

/** Maps each parameter of a model to its name. */
export type Names = ReadonlyMap<Tensor | null, string>;

/** Throws a RangeError unless the n values at address p are finite. `name` describes them. */
function checkAt(where: string, name: string, p: number, n: number): void {
  k.sumAxis(descriptor, p, 1, n, 1, 0);
  const at = wordsAt(descriptor, 1);
  // Infinite or NaN values make the sum infinite or NaN. Finite values may overflow in the sum, so a look at each value
  // follows.
  if (FINITE.fits(floats[at] as number)) return;
  for (const value of valuesAt(p, n)) numberOf(where, name, value, FINITE);
}

/** `checkAt` for a tensor. Packed spikes are always finite; for a repeated step, the step is checked. */
export function checkFinite(where: string, name: string, t: Tensor): void {
  const { ptr, size } = t.ptr === 0 ? rootOf(t) : t;
  if (ptr !== 0) checkAt(where, name, ptr, size);
}

/**
 * `checkFinite` for a loss, before backward: the records still show which op first gave such a value, and which
 * parameter was read last.
 */
export function checkLoss(where: string, loss: Tensor, names: Names): void {
  try {
    checkFinite(where, "the loss", loss);
  } catch (error) {
    for (const [p, name] of names) checkFinite(where, `the parameter ${name}`, p as Tensor);
    let last = "";
    for (const z of recordsOf(scope)) {
      const { name } = (z.op ?? {}) as Recorded<never>;
      last = names.get(z.b) ?? last;
      if (z.region.open) checkFinite(where, `the output of ${name}${last && ` after ${last}`}`, z);
    }
    throw error;
  }
}

/** `checkFinite` for gradients. With `isFirst`, also throws a RangeError if no parameter has a gradient. */
export function checkGradients(where: string, params: readonly Tensor[], names: Names, isFirst: boolean): void {
  const isReached = !isFirst || params.some(holds);
  ensure(isReached, where, "expected parameters of the optimizer with a gradient (is it that of another model?)", 0);
  for (const p of params) {
    const name = names.get(p) ?? "a parameter outside of the model";
    if (holds(p)) checkAt(where, `the gradient of ${name}`, p.gradPtr, p.size);
  }
}
