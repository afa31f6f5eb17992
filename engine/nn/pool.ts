import { type AvgPoolOptions, avgPool2d, checkWindow, type MaxPoolOptions, maxPool2d } from "../ops/pool.ts";
import type { Pair } from "../ops/windows.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/**
 * The maximum under each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link maxPool2d}.
 *
 * @throws RangeError for an option out of range.
 */
export class MaxPool2d extends Module {
  /** Size of the window. */
  readonly kernel: Pair;
  /** The other options, as given. */
  readonly options: MaxPoolOptions;

  constructor(kernel: Pair, options: MaxPoolOptions = {}) {
    super();
    checkWindow("MaxPool2d", kernel, options);
    this.kernel = kernel;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernel, this.options);
  }
}

/**
 * The mean under each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link avgPool2d}.
 *
 * @throws RangeError for an option out of range.
 */
export class AvgPool2d extends Module {
  /** Size of the window. */
  readonly kernel: Pair;
  /** The other options, as given. */
  readonly options: AvgPoolOptions;

  constructor(kernel: Pair, options: AvgPoolOptions = {}) {
    super();
    checkWindow("AvgPool2d", kernel, options);
    this.kernel = kernel;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernel, this.options);
  }
}
