/** Dropout as a module: in training the op of ops/dropout.ts, in evaluation x itself. */
import { INTEGER, listOf, numberOf, UNIT, withDefaults } from "../arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { dropout } from "../ops/dropout.ts";
import { Module, traitsOf } from "./module.ts";

/** Options of {@link Dropout}. */
export interface DropoutLayerOptions {
  /** Source of random numbers; the default generator if not given. */
  generator?: Generator;
  /** Axes along which all values share one mask; default none. With 0, the mask is fixed over time. */
  sharedAxes?: number | readonly number[];
}

const DEFAULTS = {
  generator: defaultGenerator,
  sharedAxes: undefined as number | readonly number[] | undefined,
} satisfies Record<keyof DropoutLayerOptions, unknown>;

/**
 * Zeroes values with probability p (default 0.5) in training, and returns x in evaluation; see {@link dropout}. z has the shape of x.
 *
 * Every call of `forward` draws new masks. `new Dropout(0.5, { sharedAxes: 0 })` on a sequence [T, B, …] draws one mask
 * for all T steps, as SpikingJelly's `layer.Dropout`. `sharedAxes: [0, -2, -1]` drops whole channels of [T, B, C, H,
 * W], as its `layer.Dropout2d`.
 *
 * @throws RangeError unless p lies in [0, 1] and the axes are integers; TypeError for anything but a generator, or axes that are neither a number nor
 *   a list.
 *
 * @example
 * ```ts
 * import { Dropout, Generator, ones } from "jarvis-snn";
 *
 * const layer = new Dropout(0.5, { generator: new Generator(1) });
 * console.log(layer.forward(ones([6])).toArray()); // [ 2, 2, 2, 0, 2, 0 ]
 * console.log(layer.eval().forward(ones([6])).toArray()); // [ 1, 1, 1, 1, 1, 1 ]
 * ```
 */
export class Dropout extends Module {
  /** Probability of a zero. */
  readonly p: number;
  /** Source of random numbers. */
  readonly generator: Generator;
  /** Axes along which all values share one mask. */
  readonly sharedAxes: readonly number[];

  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super(TRAITS);
    this.p = numberOf("Dropout", "p", p, UNIT);
    const { generator, sharedAxes = [] } = withDefaults("Dropout", DEFAULTS, options);
    this.generator = generatorOf("Dropout", generator);
    const list = typeof sharedAxes === "number" ? [sharedAxes] : sharedAxes;
    this.sharedAxes = Object.freeze(listOf("Dropout", "sharedAxes", list, INTEGER));
  }

  /**
   * Drops values of x in training, otherwise returns x; [...] → [...].
   *
   * @throws RangeError unless x has the shared axes, each given once.
   */
  forward(x: Tensor): Tensor {
    const { p, training, generator, sharedAxes } = this;
    return dropout(x, { p, training, generator, sharedAxes });
  }
}

const TRAITS = traitsOf(Dropout, "pure");
