/** Convolutions with strides, padding, dilation and groups, and the transposed one, against PyTorch. */
import { conv1d, conv2d, convTranspose2d } from "jarvis-snn";
import { present } from "../support/close.ts";
import { type Inputs, numberOf, type OpAttrs, type OpCase, opSuite, pairOf } from "./op-suite.ts";

const operands = (inputs: Inputs) =>
  [present(inputs, "input"), present(inputs, "weight"), inputs.bias ?? null] as const;

const options = (attrs: OpAttrs) => ({
  stride: pairOf(attrs, "stride", 1),
  padding: pairOf(attrs, "padding", 0),
  dilation: pairOf(attrs, "dilation", 1),
  groups: numberOf(attrs, "groups", 1),
});

/** A number, which PyTorch also takes as a list of one. */
const single = (attrs: OpAttrs, name: string, fallback: number): number =>
  numberOf({ [name]: [attrs[name]].flat()[0] }, name, fallback);

const cases: Record<string, OpCase> = {
  conv1d: (inputs, attrs) =>
    conv1d(...operands(inputs), {
      stride: single(attrs, "stride", 1),
      padding: single(attrs, "padding", 0),
      dilation: single(attrs, "dilation", 1),
      groups: numberOf(attrs, "groups", 1),
    }),
  conv2d: (inputs, attrs) => conv2d(...operands(inputs), options(attrs)),
  conv_transpose2d: (inputs, attrs) =>
    convTranspose2d(...operands(inputs), { ...options(attrs), outputPadding: pairOf(attrs, "output_padding", 0) }),
};

opSuite({
  file: "torch/ops_conv",
  cases,
  leftOut: {},
  // Sums of up to a few hundred products of size 1 in another order, and of a thousand and more for weights.
  tolerance: {
    forward: { absolute: 2e-5, relative: 2e-6 },
    gradient: { absolute: 5e-5, relative: 5e-6 },
  },
});
