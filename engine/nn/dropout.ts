/**
 * Dropout as a module: the op of ops/dropout.ts while training, x itself in evaluation; one mask for all time steps on
 * request.
 */
import { INTEGER, listOf, numberOf, UNIT, withDefaults } from "../arguments.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { dropout } from "../ops/dropout.ts";
import type { Tensor } from "../tensor.ts";
import { Module, traitsOf } from "./module.ts";

/** Options of {@link Dropout}. */
export interface DropoutLayerOptions {
  /** Where the random numbers come from; the default generator if not given. */
  generator?: Generator;
  /** Axes along which all values share one mask; default none. 0: the mask is fixed over time. */
  sharedAxes?: number | readonly number[];
}

const DEFAULTS = {
  generator: defaultGenerator,
  sharedAxes: undefined as number | readonly number[] | undefined,
} satisfies Record<keyof DropoutLayerOptions, unknown>;

/**
 * Zeros with probability p (default 0.5) in training, x as it is in evaluation; see {@link dropout}. The shape stays.
 *
 * Every call of `forward` draws its masks. `new Dropout(0.5, { sharedAxes: 0 })` on a sequence [T, B, …] draws one mask for all T
 * steps (SpikingJelly: `layer.Dropout`), `sharedAxes: [0, -2, -1]` drops whole channels of [T, B, C, H, W] (`layer.Dropout2d`).
 *
 * @throws RangeError unless p lies in [0, 1] and the axes are integers; TypeError for a generator that is none, or axes that are
 *   neither a number nor a list.
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
  /** The probability of a zero. */
  readonly p: number;
  /** Where the random numbers come from; the default generator if not given. */
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
   * x with zeros in training, else x, [...] → [...].
   *
   * @throws RangeError unless x has the shared axes, each named once.
   */
  forward(x: Tensor): Tensor {
    const { p, training, generator, sharedAxes } = this;
    return dropout(x, { p, training, generator, sharedAxes });
  }
}

const TRAITS = /* @__PURE__ */ traitsOf(Dropout, "pure");
