/**
 * Common parts of convolutions: options, weights and bias. This file loads no ops, so testing whether a layer is a convolution needs none.
 */
import { COUNT, joined, numberOf, withDefaults, wrongValue } from "../arguments.ts";
import type { Tensor } from "../core/tensor.ts";
import { defaultGenerator, type Generator } from "../generator.ts";
import { CONV, type ConvOptions } from "../ops/conv.ts";
import { frozenPair, type Pair, windowOver } from "../ops/windows.ts";
import { checkShape, sizeOf } from "../shape.ts";
import { startUniform } from "./linear.ts";
import { Module, type Traits } from "./module.ts";
import type { Weighted } from "./reading.ts";

/** Options of {@link Conv1d} and {@link Conv2d}. */
export interface ConvLayerOptions<Size = Pair> extends ConvOptions<Size> {
  /** Whether there is a learned bias, [out]; default true. */
  bias?: boolean;
  /** Generator of the initial values; the default generator if not given. */
  generator?: Generator;
}

/** Sizes have no default here, since they may be numbers or pairs; `windowOver` checks them. */
const DEFAULTS: Required<ConvLayerOptions> = joined(CONV, { bias: true, generator: defaultGenerator });

/** Base class of the convolutions. `kernel` is the shape of the window: the last axes of the weight. */
export abstract class Convolution<Size extends Pair> extends Module {
  /** Step between windows. */
  readonly stride: Size;
  /** Zeros added at both ends of each axis. */
  readonly padding: Size;
  /** Distance between neighbouring values in a window. */
  readonly dilation: Size;
  /** Number of groups of channels and filters. */
  readonly groups: number;
  /** The filters, [out, in / groups, k] or [out, in / groups, kH, kW]. */
  readonly weight: Tensor;
  /** Bias, [out]; null without one. */
  readonly bias: Tensor | null;
  /**
   * Reparametrization of the weight, or null.
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
    // Checks the options; any size serves for this.
    for (const axis of [0, 1]) windowOver(where, axis, Infinity, 1, this);
    const shape = checkShape(where, [outChannels, inChannels / groups, ...kernel]);
    const inputs = sizeOf(shape.slice(1));
    [this.weight, this.bias] = startUniform(where, shape, inputs, bias, generator);
  }
}
