/** Convolutions as modules: weights, bias and options around the ops of ops/conv.ts. */
import { COUNT, joined, numberOf, withDefaults, wrongValue } from "../arguments.ts";
import { defaultGenerator, type Generator } from "../generator.ts";
import { CONV, type ConvOptions, convolve1d, convolve2d } from "../ops/conv.ts";
import { frozenPair, type Pair, sizeOption, windowOver } from "../ops/windows.ts";
import { checkShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { startUniform } from "./linear.ts";
import { Module, type Traits, traitsOf } from "./module.ts";
import { multiplied, type Weighted } from "./reading.ts";

/** Options of {@link Conv1d} and {@link Conv2d}. */
export interface ConvLayerOptions<Size = Pair> extends ConvOptions<Size> {
  /** Adds a learned bias, [out]; default true. */
  bias?: boolean;
  /** Where the initial values come from; the default generator if not given. */
  generator?: Generator;
}

/** The sizes that are undefined are numbers or pairs, which `windowOver` checks. */
const DEFAULTS: Required<ConvLayerOptions> = /* @__PURE__ */ joined(CONV, { bias: true, generator: defaultGenerator });

/** The common part of the convolutions; `kernel` has the last axes of the weight. */
abstract class Convolution<Size extends Pair> extends Module {
  /** Steps of the window. */
  readonly stride: Size;
  /** Zeros before and behind each axis. */
  readonly padding: Size;
  /** Distance of the values under the window. */
  readonly dilation: Size;
  /** Groups of channels and filters that do not see each other. */
  readonly groups: number;
  /** The filters, [out, in / groups, k] or [out, in / groups, kH, kW]. */
  readonly weight: Tensor;
  /** The bias, [out], or null without one. */
  readonly bias: Tensor | null;
  /**
   * How forward reads the weight.
   *
   * @internal
   */
  reading: Weighted["reading"] = null;

  constructor(
    where: string,
    traits: Traits,
    inChannels: number,
    outChannels: number,
    kernel: readonly number[],
    options: ConvLayerOptions<Size>,
  ) {
    super(traits);
    const given = withDefaults(where, DEFAULTS, options);
    const { stride = 1, padding = 0, dilation = 1, groups, bias, generator } = given;
    numberOf(where, "inChannels", inChannels, COUNT);
    numberOf(where, "outChannels", outChannels, COUNT);
    numberOf(where, "groups", groups, COUNT);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw wrongValue(where, "channels that the groups divide", `${inChannels} and ${outChannels} in ${groups}`);
    }
    this.stride = frozenPair(stride) as Size;
    this.padding = frozenPair(padding) as Size;
    this.dilation = frozenPair(dilation) as Size;
    this.groups = groups;
    // Any size will do to check the options.
    for (const axis of [0, 1]) windowOver(where, axis, Infinity, 1, this);
    const shape = checkShape(where, [outChannels, inChannels / groups, ...kernel]);
    const inputs = sizeOf(shape.slice(1));
    [this.weight, this.bias] = startUniform(where, shape, inputs, bias, generator);
  }
}

/**
 * A convolution over signals, see {@link conv1d}: x [..., in, L] → z [..., out, L′];  weight [out, in / groups, k], bias [out]
 *
 * Both start uniform in (−1/√n, 1/√n) with n = in / groups·k, as in PyTorch (Kaiming uniform with a = √5).
 *
 * Defaults as in {@link conv1d}: stride 1, padding 0, dilation 1, groups 1.
 *
 * @throws RangeError unless sizes are positive integers that go with the groups, and options are in range; TypeError for a
 *   generator that is none.
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

const OF_CONV1D = /* @__PURE__ */ traitsOf(Conv1d, "product");

/**
 * A convolution over images, see {@link conv2d}: x [..., in, H, W] → z [..., out, H′, W′];  weight [out, in / groups, kH, kW],
 * bias [out]. Leading axes are a batch: [T, B, in, H, W] runs all time steps at once.
 *
 * Both start uniform in (−1/√n, 1/√n) with n = in / groups·kH·kW, as in PyTorch (Kaiming uniform with a = √5).
 *
 * Defaults as in {@link conv2d}: stride 1, padding 0, dilation 1, groups 1.
 *
 * @throws RangeError unless sizes are positive integers that go with the groups, and options are in range; TypeError for a
 *   generator that is none.
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

const OF_CONV2D = /* @__PURE__ */ traitsOf(Conv2d, "product");
