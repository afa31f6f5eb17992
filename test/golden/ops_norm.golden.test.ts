/** Normalisation and dropout, running statistics included, against PyTorch. */
import { batchNorm, dropout, Generator, groupNorm, layerNorm, type Tensor } from "jarvis-snn";
import { k } from "../../engine/core/backend.ts";
import { present } from "../support/close.ts";
import { type Inputs, numberOf, type OpAttrs, type OpCase, opSuite } from "./op-suite.ts";

/** A generator whose draw is this mask. */
const drawing = (mask: Tensor): Generator =>
  Object.assign(new Generator(), { bernoulli: (z: number) => void k.packBits(z, mask.ptr, 1, mask.size) });

const affine = (inputs: Inputs, attrs: OpAttrs) => ({
  weight: inputs.weight ?? null,
  bias: inputs.bias ?? null,
  eps: numberOf(attrs, "eps", 1e-5),
});

const cases: Record<string, OpCase> = {
  batch_norm(inputs, attrs) {
    const runningMean = inputs.running_mean ?? null;
    const runningVar = inputs.running_var ?? null;
    const out = batchNorm(present(inputs, "input"), {
      ...affine(inputs, attrs),
      runningMean,
      runningVar,
      training: attrs.training === true,
      momentum: numberOf(attrs, "momentum", 0.1),
      axis: 1,
    });
    return { out, new_running_mean: runningMean as Tensor, new_running_var: runningVar as Tensor };
  },
  layer_norm: (inputs, attrs) =>
    layerNorm(present(inputs, "input"), attrs.normalized_shape as number[], affine(inputs, attrs)),
  group_norm: (inputs, attrs) =>
    groupNorm(present(inputs, "input"), numberOf(attrs, "num_groups", 1), { ...affine(inputs, attrs), axis: 1 }),
  dropout_mask: (inputs, attrs) =>
    dropout(present(inputs, "input"), { p: numberOf(attrs, "p", 0.5), generator: drawing(present(inputs, "mask")) }),
};

opSuite({
  file: "torch/ops_norm",
  cases,
  leftOut: {},
  // PyTorch subtracts the mean after scaling; gradients are differences of sums.
  tolerance: {
    forward: { absolute: 1e-5, relative: 1e-5 },
    gradient: { absolute: 2e-5, relative: 2e-5 },
  },
});
