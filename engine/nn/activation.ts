/** Activations as modules, for `Sequential`. */

import type { Tensor } from "../core/tensor.ts";
import { relu } from "../ops/unary.ts";
import { Module, traitsOf } from "./module.ts";

/**
 * The rectified linear unit as a layer, z = max(x, 0), elementwise; see {@link relu}.
 *
 * @see Nair, Hinton (2010), Rectified Linear Units Improve Restricted Boltzmann Machines, ICML.
 *
 * @example
 * ```ts
 * import { ReLU, tensor } from "jarvis-snn";
 *
 * console.log(new ReLU().forward(tensor([-1, 0.5])).toArray()); // [ 0, 0.5 ]
 * ```
 */
export class ReLU extends Module {
  constructor() {
    super(TRAITS);
  }

  /** max(x, 0), [...] → [...]. */
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

// Not pure: backward reads the output, so the next layer must not overwrite it.
const TRAITS = traitsOf(ReLU, "stepwise");
