import { type AvgPoolOptions, avgPool2d, checkWindow, type MaxPoolOptions, maxPool2d } from "../ops/pool.ts";
import type { Pair } from "../ops/windows.ts";
import type { Tensor } from "../tensor.ts";
import { forwardOf, Module } from "./module.ts";

/**
 * The maximum under each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link maxPool2d}. By default the stride is the
 * kernel, padding 0, dilation 1.
 *
 * @throws RangeError for an option out of range.
 */
export class MaxPool2d extends Module {
  /** Size of the window, a number or [height, width]. */
  readonly kernel: Pair;
  /** The other options, as given. */
  readonly options: MaxPoolOptions;

  constructor(kernel: Pair, options: MaxPoolOptions = {}) {
    super();
    checkWindow("MaxPool2d", kernel, options);
    this.kernel = kernel;
    this.options = options;
  }

  /** @internal */
  override get isPure(): boolean {
    return this.forward === MAX_FORWARD;
  }

  /**
   * x [..., C, H, W] → z [..., C, H′, W′].
   *
   * @throws RangeError if x has less than three axes or no window fits.
   */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernel, this.options);
  }
}

const MAX_FORWARD = /* @__PURE__ */ forwardOf(MaxPool2d);

/**
 * The mean under each window, x [..., C, H, W] → z [..., C, H′, W′]; see {@link avgPool2d}. By default the stride is the
 * kernel, padding 0.
 *
 * @throws RangeError for an option out of range.
 */
export class AvgPool2d extends Module {
  /** Size of the window, a number or [height, width]. */
  readonly kernel: Pair;
  /** The other options, as given. */
  readonly options: AvgPoolOptions;

  constructor(kernel: Pair, options: AvgPoolOptions = {}) {
    super();
    checkWindow("AvgPool2d", kernel, options);
    this.kernel = kernel;
    this.options = options;
  }

  /** @internal */
  override get isPure(): boolean {
    return this.forward === AVG_FORWARD;
  }

  /**
   * x [..., C, H, W] → z [..., C, H′, W′].
   *
   * @throws RangeError if x has less than three axes or no window fits.
   */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernel, this.options);
  }
}

const AVG_FORWARD = /* @__PURE__ */ forwardOf(AvgPool2d);
