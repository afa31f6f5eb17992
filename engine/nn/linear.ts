/** The linear layer, and the uniform initialisation of weights that convolutions share. */
import { withDefaults } from "../arguments.ts";
import { k } from "../core/backend.ts";
import type { Tensor } from "../core/tensor.ts";
import { defaultGenerator, type Generator, generatorOf, uniform } from "../generator.ts";
import { linear } from "../ops/matmul.ts";
import { emptyAtRoot } from "../outside/outside.ts";
import { parameter } from "../outside/persist.ts";
import { checkShape, type Shape } from "../shape.ts";
import { type Loading, Module, traitsOf } from "./module.ts";
import { multiplied, type Weighted } from "./reading.ts";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Whether there is a learned bias, [out]; default true. */
  bias?: boolean;
  /** Generator of the initial values; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS: Required<LinearOptions> = { bias: true, generator: defaultGenerator };

/**
 * z = x·weightᵀ + bias     x: [..., in] → z: [..., out];  weight [out, in], bias [out]
 *
 * Weight and bias start uniform in (−1/√in, 1/√in), as in PyTorch (Kaiming uniform with a = √5).
 *
 * @throws RangeError unless both sizes are positive integers; TypeError for anything but a generator.
 *
 * @example
 * ```ts
 * import { Linear, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(2, 1);
 * layer.weight.copyFrom([2, -1]);
 * layer.bias?.copyFrom([0.5]);
 * console.log(layer.forward(tensor([[1, 1]])).toArray()); // [ [ 1.5 ] ]
 * ```
 */
export class Linear extends Module {
  /** Size of the last axis of x. */
  readonly inFeatures: number;
  /** Size of the last axis of z. */
  readonly outFeatures: number;
  /** Weights, [out, in]. */
  readonly weight: Tensor;
  /** Bias, [out]; null without one. */
  readonly bias: Tensor | null;
  /**
   * Reparametrization of the weight, or null.
   *
   * @internal
   */
  reading: Weighted["reading"] = null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super(TRAITS);
    const { bias, generator } = withDefaults("Linear", DEFAULTS, options);
    const shape = checkShape("Linear", [outFeatures, inFeatures]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    [this.weight, this.bias] = startUniform("Linear", shape, inFeatures, bias, generator);
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return t === this.weight ? this.reading?.connections : undefined;
  }

  /**
   * x [..., in] → z [..., out]; see {@link linear}.
   *
   * @throws RangeError unless the last axis of x has inFeatures values.
   */
  forward(x: Tensor): Tensor {
    return multiplied(linear, this, x);
  }
}

const TRAITS = traitsOf(Linear, "product");

/**
 * A weight of this shape and, if requested, a bias [out], uniform in ±1/√n, where n is the number of inputs per output.
 * Both are allocated before random numbers are drawn.
 */
export function startUniform(
  where: string,
  shape: Shape,
  inputs: number,
  hasBias: boolean,
  generator?: Generator,
): [weight: Tensor, bias: Tensor | null] {
  const from = generatorOf(where, generator);
  const bound = 1 / Math.sqrt(inputs);
  const weight = parameter(emptyAtRoot(shape));
  const made: [Tensor, Tensor | null] = [weight, null];
  try {
    if (hasBias) made[1] = parameter(emptyAtRoot([shape[0] as number]));
  } catch (error) {
    weight.dispose();
    throw error;
  }
  for (const t of made) {
    if (t === null) continue;
    uniform(from, t.ptr, t.size);
    k.affine(t.ptr, t.ptr, t.size, 2 * bound, -bound);
  }
  return made;
}
