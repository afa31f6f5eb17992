/** Pools as modules, around the ops of ops/pool.ts. */
import { objectOf } from "../arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { type AvgPoolOptions, avgPool2d, checkWindow, type MaxPoolOptions, maxPool2d } from "../ops/pool.ts";
import { frozenPair, type Pair } from "../ops/windows.ts";
import { Module, type Traits, traitsOf } from "./module.ts";

/** A frozen copy of options, each read once. */
function copyOf<Options extends object>(where: string, options: Options): Options {
  const entries = Object.entries(objectOf(where, "options", options));
  return Object.freeze(Object.fromEntries(entries.map(([name, value]) => [name, frozenPair(value)]))) as Options;
}

/** Base class of the pools. */
abstract class Pooling<Options extends object> extends Module {
  /** Size of the window, a number or [height, width]. */
  readonly kernel: Pair;
  /** A copy of the other options. */
  readonly options: Options;

  constructor(where: string, traits: Traits, kernel: Pair, options: Options) {
    super(traits);
    this.kernel = frozenPair(kernel);
    this.options = copyOf(where, options);
    checkWindow(where, this.kernel, this.options);
  }
}

/**
 * Maximum of each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link maxPool2d}. By default the stride is the kernel, padding 0, dilation 1.
 *
 * @throws RangeError for an option out of range.
 *
 * @example
 * ```ts
 * import { MaxPool2d, tensor } from "jarvis-snn";
 *
 * console.log(new MaxPool2d(2).forward(tensor([[[1, 2], [3, 4]]])).toArray()); // [ [ [ 4 ] ] ]
 * ```
 */
export class MaxPool2d extends Pooling<MaxPoolOptions> {
  constructor(kernel: Pair, options: MaxPoolOptions = {}) {
    super("MaxPool2d", OF_MAX_POOL2D, kernel, options);
  }

  /**
   * x [..., C, H, W] → z [..., C, H′, W′].
   *
   * @throws RangeError if x has fewer than three axes or no window fits.
   */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernel, this.options);
  }
}

const OF_MAX_POOL2D = traitsOf(MaxPool2d, "pure");

/**
 * Mean of each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link avgPool2d}. By default the stride is the kernel, padding 0.
 *
 * @throws RangeError for an option out of range.
 *
 * @example
 * ```ts
 * import { AvgPool2d, tensor } from "jarvis-snn";
 *
 * console.log(new AvgPool2d(2).forward(tensor([[[1, 2], [3, 4]]])).toArray()); // [ [ [ 2.5 ] ] ]
 * ```
 */
export class AvgPool2d extends Pooling<AvgPoolOptions> {
  constructor(kernel: Pair, options: AvgPoolOptions = {}) {
    super("AvgPool2d", OF_AVG_POOL2D, kernel, options);
  }

  /**
   * x [..., C, H, W] → z [..., C, H′, W′].
   *
   * @throws RangeError if x has fewer than three axes or no window fits.
   */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernel, this.options);
  }
}

const OF_AVG_POOL2D = traitsOf(AvgPool2d, "pure");
