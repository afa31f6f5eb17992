import { k } from "../backend.ts";
import { allOrNothing } from "../composed.ts";
import { type Generator, generatorOf } from "../generator.ts";
import { linear } from "../ops/matmul.ts";
import { checkOptions } from "../options.ts";
import { checkShape } from "../shape.ts";
import { parameter } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { forwardOf, Module } from "./module.ts";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Adds a learned bias, [out]; default true. */
  bias?: boolean;
  /** Where the initial values come from; the default generator if not given. */
  generator?: Generator;
}

/**
 * z = x·weightᵀ + bias     x: [..., in] → z: [..., out];  weight [out, in], bias [out]
 *
 * Both start uniform in (−1/√in, 1/√in), as in PyTorch (Kaiming uniform with a = √5).
 *
 * @throws RangeError unless both sizes are positive integers; TypeError for a generator that is none.
 */
export class Linear extends Module {
  /** Size of the last axis of x. */
  readonly inFeatures: number;
  /** Size of the last axis of z. */
  readonly outFeatures: number;
  /** The factors, [out, in]. */
  readonly weight: Tensor;
  /** What is added, [out], or null without a bias. */
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, "bias generator");
    const { bias = true } = options;
    const generator = generatorOf("Linear", options.generator);
    const shape = checkShape("Linear", [outFeatures, inFeatures]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(inFeatures);
    [this.weight, this.bias] = allOrNothing(() => [
      uniformParameter(shape, bound, generator),
      bias ? uniformParameter([outFeatures], bound, generator) : null,
    ]);
  }

  /** @internal */
  override get isPure(): boolean {
    return this.forward === FORWARD;
  }

  /**
   * x [..., in] → z [..., out]; see {@link linear}.
   *
   * @throws RangeError unless the last axis of x has inFeatures values.
   */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Linear);

/** A parameter that is uniform in [−bound, bound). */
export function uniformParameter(shape: readonly number[], bound: number, generator: Generator): Tensor {
  const t = parameter(empty(shape));
  generator.uniform(t.ptr, t.size);
  k.affine(t.ptr, t.ptr, t.size, 2 * bound, -bound);
  return t;
}
