import { type AvgPoolOptions, avgPool2d, checkWindow, type MaxPoolOptions, maxPool2d } from "../ops/pool.ts";
import type { Pair } from "../ops/windows.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** The maximum under each window, see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly kernel: Pair;
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

/** The mean under each window, see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly kernel: Pair;
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
