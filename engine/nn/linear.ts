/** The linear layer, and the uniform start of weights that convolutions share. */
import { withDefaults } from "../arguments.ts";
import { k } from "../backend.ts";
import { defaultGenerator, type Generator, generatorOf, uniform } from "../generator.ts";
import { linear } from "../ops/matmul.ts";
import { checkShape, type Shape } from "../shape.ts";
import { noGrad, parameter } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { type Loading, Module, traitsOf } from "./module.ts";
import { multiplied, type Weighted } from "./reading.ts";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Adds a learned bias, [out]; default true. */
  bias?: boolean;
  /** Where the initial values come from; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS: Required<LinearOptions> = { bias: true, generator: defaultGenerator };

/**
 * z = x·weightᵀ + bias     x: [..., in] → z: [..., out];  weight [out, in], bias [out]
 *
 * Both start uniform in (−1/√in, 1/√in), as in PyTorch (Kaiming uniform with a = √5).
 *
 * @throws RangeError unless both sizes are positive integers; TypeError for a generator that is none.
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
  /** The factors, [out, in]. */
  readonly weight: Tensor;
  /** The bias, [out], or null without one. */
  readonly bias: Tensor | null;
  /**
   * How forward reads the weight.
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

const TRAITS = /* @__PURE__ */ traitsOf(Linear, "product");

/**
 * A weight of this shape and, where there is one, its bias [out], uniform in ±1/√n for n inputs of an output. Both have their
 * memory before the first number is drawn.
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
  const made = noGrad((): [Tensor, Tensor | null] => [
    parameter(empty(shape)),
    hasBias ? parameter(empty([shape[0] as number])) : null,
  ]);
  for (const t of made) {
    if (t === null) continue;
    uniform(from, t.ptr, t.size);
    k.affine(t.ptr, t.ptr, t.size, 2 * bound, -bound);
  }
  return made;
}
