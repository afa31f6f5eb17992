import { numberOf, UNIT, withDefaults } from "../arguments.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { dropout } from "../ops/dropout.ts";
import type { Tensor } from "../tensor.ts";
import { forwardOf, Module } from "./module.ts";

const DEFAULTS = { generator: defaultGenerator };

/**
 * Zeros with probability p (default 0.5) in training, x as it is in evaluation; see {@link dropout}. The shape stays.
 *
 * @throws RangeError unless p lies in [0, 1]; TypeError for a generator that is none.
 */
export class Dropout extends Module {
  /** The probability of a zero. */
  readonly p: number;
  /** Where the random numbers come from; the default generator if not given. */
  readonly generator: Generator;

  constructor(p = 0.5, options: { generator?: Generator } = {}) {
    super(FORWARD);
    this.p = numberOf("Dropout", "p", p, UNIT);
    this.generator = generatorOf("Dropout", withDefaults("Dropout", DEFAULTS, options).generator);
  }

  /** x with zeros in training, else x, [...] → [...]. */
  forward(x: Tensor): Tensor {
    const { p, training, generator } = this;
    return dropout(x, { p, training, generator });
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Dropout);
