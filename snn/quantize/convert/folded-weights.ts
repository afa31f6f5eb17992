/** Weights of a layer in float64, into which scales and shifts are folded. */
import { Conv1d, Conv2d, Generator, Linear, type Module } from "../../../engine/index.ts";
import { weightOf } from "../../../engine/protocol.ts";

/** A layer that multiplies by weights. */
export type WeightLayer = Linear | Conv1d | Conv2d;

export const isWeightLayer = (layer: Module): layer is WeightLayer =>
  layer instanceof Linear || layer instanceof Conv1d || layer instanceof Conv2d;

/** Axis of a layer's channels, counted from the end. */
export const weightChannelAxis = (layer: WeightLayer): number =>
  layer instanceof Linear ? -1 : layer instanceof Conv1d ? -2 : -3;

/** z ← scale·z + shift for each channel; a scale of one number applies to all channels, and without a shift nothing is added. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array | null;
}

/** A copy of a layer's weights, into which scales and shifts of its inputs and outputs are folded. */
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

  /** Folds scale and shift of the outputs: w ← scale·w, b ← scale·b + shift, for each output. */
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

  /** Folds scale and shift of the inputs: w ← w·scale, b ← b + w·shift; a convolution with padding allows no shift. */
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

  /** Makes the layer with these weights. */
  made(): Module {
    const { layer, weight, bias } = this;
    const [outputs, inputs, ...kernel] = layer.weight.sizes as [number, number, ...number[]];
    // The initial weights, which are overwritten, come from a separate generator, so that the default one does not advance.
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

/** The value for channel i of n; each of fewer values applies to consecutive channels. */
export const channelValue = (values: Float64Array, i: number, n: number): number =>
  values[Math.floor((i * values.length) / n)] as number;
