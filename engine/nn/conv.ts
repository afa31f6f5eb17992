/** Convolutions as modules: weights, bias and options around the ops of ops/conv.ts. */
import type { Tensor } from "../core/tensor.ts";
import { convolve1d, convolve2d } from "../ops/conv.ts";
import { type Pair, sizeOption } from "../ops/windows.ts";
import { type ConvLayerOptions, Convolution } from "./convolution.ts";
import { traitsOf } from "./module.ts";
import { multiplied } from "./reading.ts";

export type { ConvLayerOptions } from "./convolution.ts";

/**
 * A convolution over signals, see {@link conv1d}: x [..., in, L] → z [..., out, L′];  weight [out, in / groups, k], bias [out]
 *
 * Weight and bias start uniform in (−1/√n, 1/√n) with n = in / groups·k, as in PyTorch (Kaiming uniform with a = √5).
 *
 * Defaults are those of {@link conv1d}: stride 1, padding 0, dilation 1, groups 1.
 *
 * @throws RangeError unless sizes are positive integers that the groups divide, and options are in range; TypeError for anything but a generator.
 *
 * @example
 * ```ts
 * import { Conv1d, rand } from "jarvis-snn";
 *
 * const layer = new Conv1d(2, 8, 5, { padding: 2 });
 * console.log(layer.forward(rand([4, 2, 100])).shape); // [ 4, 8, 100 ]
 * ```
 */
export class Conv1d extends Convolution<number> {
  constructor(inChannels: number, outChannels: number, kernel: number, options: ConvLayerOptions<number> = {}) {
    super("Conv1d", OF_CONV1D, inChannels, outChannels, [sizeOption("Conv1d", "kernel", kernel, 0, 1)], options);
  }

  /**
   * x [..., in, L] → z [..., out, L′].
   *
   * @throws RangeError unless x has these channels, and a window fits.
   */
  forward(x: Tensor): Tensor {
    return multiplied(convolve1d, this, x);
  }
}

const OF_CONV1D = traitsOf(Conv1d, "product");

/**
 * A convolution over images, see {@link conv2d}: x [..., in, H, W] → z [..., out, H′, W′];  weight [out, in / groups, kH, kW],
 * bias [out]. Leading axes are a batch: [T, B, in, H, W] runs all time steps at once.
 *
 * Weight and bias start uniform in (−1/√n, 1/√n) with n = in / groups·kH·kW, as in PyTorch (Kaiming uniform with a =
 * √5).
 *
 * Defaults are those of {@link conv2d}: stride 1, padding 0, dilation 1, groups 1.
 *
 * @throws RangeError unless sizes are positive integers that the groups divide, and options are in range; TypeError for anything but a generator.
 *
 * @example
 * ```ts
 * import { Conv2d, rand } from "jarvis-snn";
 *
 * const layer = new Conv2d(1, 8, 3, { stride: 2, padding: 1 });
 * console.log(layer.forward(rand([25, 4, 1, 28, 28])).shape); // [ 25, 4, 8, 14, 14 ]
 * ```
 */
export class Conv2d extends Convolution<Pair> {
  constructor(inChannels: number, outChannels: number, kernel: Pair, options: ConvLayerOptions = {}) {
    const sizes = [0, 1].map((axis) => sizeOption("Conv2d", "kernel", kernel, axis, 1));
    super("Conv2d", OF_CONV2D, inChannels, outChannels, sizes, options);
  }

  /**
   * x [..., in, H, W] → z [..., out, H′, W′].
   *
   * @throws RangeError unless x has these channels, and a window fits.
   */
  forward(x: Tensor): Tensor {
    return multiplied(convolve2d, this, x);
  }
}

const OF_CONV2D = traitsOf(Conv2d, "product");
