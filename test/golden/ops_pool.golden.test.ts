/** Pooling with every option, ties included, against PyTorch. */
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "jarvis-snn";
import { present } from "../support/close.ts";
import { type OpAttrs, type OpCase, opSuite, pairOf } from "./op-suite.ts";

const flag = (attrs: OpAttrs, name: string, fallback: boolean): boolean => (attrs[name] ?? fallback) === true;

function options(attrs: OpAttrs) {
  const kernel = pairOf(attrs, "kernel_size", 1);
  return {
    stride: attrs.stride === null || attrs.stride === undefined ? kernel : pairOf(attrs, "stride", 1),
    padding: pairOf(attrs, "padding", 0),
    ceilMode: flag(attrs, "ceil_mode", false),
  };
}

const cases: Record<string, OpCase> = {
  max_pool2d: (inputs, attrs) =>
    maxPool2d(present(inputs, "input"), pairOf(attrs, "kernel_size", 1), {
      ...options(attrs),
      dilation: pairOf(attrs, "dilation", 1),
    }),
  avg_pool2d: (inputs, attrs) =>
    avgPool2d(present(inputs, "input"), pairOf(attrs, "kernel_size", 1), {
      ...options(attrs),
      countIncludePad: flag(attrs, "count_include_pad", true),
    }),
  adaptive_avg_pool2d: (inputs, attrs) => adaptiveAvgPool2d(present(inputs, "input"), pairOf(attrs, "output_size", 1)),
};

opSuite({
  file: "torch/ops_pool",
  cases,
  leftOut: {},
  // Maxima are exact; means are sums of a few values of size 1, and sums of shares of windows that overlap.
  tolerance: {
    forward: { absolute: 1e-6, relative: 1e-6 },
    gradient: { absolute: 1e-6, relative: 1e-6 },
  },
});
