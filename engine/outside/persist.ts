/** Parameters and buffers: tensors in persistent memory, wherever they were made. */
import { heap, simd } from "../core/backend.ts";
import { dropRecord } from "../core/op.ts";
import { root } from "../core/scope.ts";
import { settle } from "../core/tape.ts";
import { alive, checkOwn, forms, type Tensor } from "../core/tensor.ts";

/**
 * Makes t a parameter: a leaf that requires a gradient, in persistent memory, and listed by Module. Returns t itself.
 * If the tape in which it was made throws, the tape frees it; `gradcheck` frees parameters that were made inside.
 *
 * @throws Error if t was freed.
 *
 * @example
 * ```ts
 * import { Module, parameter, type Tensor, tensor } from "jarvis-snn";
 *
 * class Scale extends Module {
 *   readonly factor = parameter(tensor([2]));
 *
 *   forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 * console.log(new Scale().namedParameters().map(([name]) => name)); // [ 'factor' ]
 * ```
 */
export function parameter<T extends Tensor>(t: T): T {
  persist(t);
  t.requiresGrad = true;
  t.isParameter = true;
  return t;
}

/**
 * Makes t a buffer: persistent like a parameter, a part of a Module's state, but not trained. Returns t itself.
 *
 * @throws as {@link persist}.
 */
export function buffer<T extends Tensor>(t: T): T {
  persist(t);
  t.isBuffer = true;
  return t;
}

/**
 * Moves t into persistent memory until it is disposed, and detaches it. Returns t itself.
 *
 * @throws Error if t was freed; or inside `gradcheck`, if t was made outside of it.
 */
export function persist<T extends Tensor>(t: T): T {
  alive(t, "parameter");
  checkOwn("parameter", t);
  const { region } = t;
  const moves = region.scope !== root || !t.owned;
  if (moves && heap !== simd.heap && t.ptr > 0) {
    throw new Error("parameter: a tensor from outside of gradcheck cannot become persistent inside of it");
  }
  if (t.ptr === 0) forms.materialise(t);
  if (moves) settle(t, root.region);
  if (region.scope !== root) region.scope.persisted.push(t);
  dropRecord(t, "none");
  t.requiresGrad = false;
  return t;
}
