/** Values of the neurons on both sides of a convolution, as samples: one for each place of its window. */
import { Conv1d, Conv2d, Flatten, noGrad, type Tensor } from "../../engine/index.ts";

/** The values under the windows, [B·places, in]: those of a convolution with kernels that are 1 at one place. */
export const patchesOf = (layer: Conv1d | Conv2d, x: Tensor): Float32Array =>
  noGrad(() => {
    const [, C = 0, ...kernel] = layer.weight.shape;
    const inputs = kernel.reduce((n, size) => n * size, C);
    const { stride, padding, dilation } = layer;
    const options = { stride, padding, dilation, bias: false };
    const [kH = 0, kW = 0] = kernel;
    const one =
      layer instanceof Conv1d ? new Conv1d(C, inputs, kH, options as never) : new Conv2d(C, inputs, [kH, kW], options);
    one.weight.copyFrom(Float32Array.from({ length: inputs * inputs }, (_, i) => (i % (inputs + 1) === 0 ? 1 : 0)));
    return perPlace(one.forward(x));
  });

/** [B, C, …] as [B·places, C]. */
export const perPlace = (x: Tensor): Float32Array =>
  noGrad(() => new Flatten(2).forward(x).transpose(1, 2).toFloat32Array());
