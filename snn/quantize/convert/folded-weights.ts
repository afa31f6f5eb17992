/** Weights of a layer as they are scaled and shifted, in float64. */
import { Conv1d, Conv2d, Generator, Linear, type Module } from "../../../engine/index.ts";
import { weightOf } from "../../../engine/protocol.ts";

/** A layer that multiplies by weights. */
export type WeightLayer = Linear | Conv1d | Conv2d;

export const isWeightLayer = (layer: Module): layer is WeightLayer =>
  layer instanceof Linear || layer instanceof Conv1d || layer instanceof Conv2d;

/** Where a layer has its channels, counted from the end. */
export const weightChannelAxis = (layer: WeightLayer): number =>
  layer instanceof Linear ? -1 : layer instanceof Conv1d ? -2 : -3;

/** z ← scale·z + shift for each channel; one number of the scale serves all channels, and without a shift nothing is added. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array | null;
}

/** A copy of the weights of a layer, into which scales and shifts of its inputs and outputs are multiplied. */
export class FoldedWeights {
  readonly layer: WeightLayer;
  private readonly weight: Float64Array;
  private readonly bias: Float64Array;
  private hasBias: boolean;

  constructor(layer: WeightLayer) {
    this.layer = layer;
    this.weight = Float64Array.from(weightOf(layer).toFloat32Array());
    this.hasBias = layer.bias !== null;
    this.bias = Float64Array.from(layer.bias?.toFloat32Array() ?? new Float32Array(layer.weight.sizes[0] as number));
  }

  /** Scale and shift of the outputs: w ← scale·w, b ← scale·b + shift, for each output. */
  takeOutputs({ scale, shift }: Affine): void {
    const { weight, bias } = this;
    const inputs = weight.length / bias.length;
    for (let i = 0; i < weight.length; i++)
      weight[i] = (weight[i] as number) * channelValue(scale, Math.floor(i / inputs), bias.length);
    for (let o = 0; o < bias.length; o++) {
      bias[o] =
        (bias[o] as number) * channelValue(scale, o, bias.length) +
        (shift === null ? 0 : channelValue(shift, o, bias.length));
    }
    this.hasBias ||= shift !== null;
  }

  /** Scale and shift of the inputs: w ← w·scale, b ← b + w·shift; of a convolution with padding there is no shift. */
  takeInputs({ scale, shift }: Affine): void {
    const { weight, bias, layer } = this;
    const [outputs, inputs, ...kernel] = layer.weight.sizes as [number, number, ...number[]];
    const size = kernel.reduce((product, n) => product * n, 1);
    const groups = layer instanceof Linear ? 1 : layer.groups;
    for (let i = 0; i < weight.length; i++) {
      const output = Math.floor(i / (inputs * size));
      const group = Math.floor((output * groups) / outputs);
      const input = group * inputs + (Math.floor(i / size) % inputs);
      const before = weight[i] as number;
      if (shift !== null)
        bias[output] = (bias[output] as number) + before * channelValue(shift, input, inputs * groups);
      weight[i] = before * channelValue(scale, input, inputs * groups);
    }
    this.hasBias ||= shift !== null;
  }

  /** The layer with these weights. */
  made(): Module {
    const { layer, weight, bias } = this;
    const [outputs, inputs, ...kernel] = layer.weight.sizes as [number, number, ...number[]];
    // The layer draws weights, which are overwritten, from a generator of its own, so that the default one stays as it
    // is.
    const common = { bias: this.hasBias, generator: new Generator(0) };
    let made: WeightLayer;
    if (layer instanceof Linear) made = new Linear(inputs, outputs, common);
    else {
      const { stride, padding, dilation, groups } = layer;
      const options = { ...common, stride, padding, dilation, groups };
      made =
        layer instanceof Conv1d
          ? new Conv1d(inputs * groups, outputs, kernel[0] as number, options as typeof common)
          : new Conv2d(inputs * groups, outputs, kernel as [number, number], options as typeof common);
    }
    made.weight.copyFrom(weight);
    made.bias?.copyFrom(bias);
    return made;
  }
}

/** The value for channel i of n; an array of fewer values has each for as many channels in a row. */
export const channelValue = (values: Float64Array, i: number, n: number): number =>
  values[Math.floor((i * values.length) / n)] as number;
