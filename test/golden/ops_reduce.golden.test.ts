/** Reductions over axes, ties among extremes included, against PyTorch. */
import { amax, amin, argmax, argmin, max, mean, min, type ReduceOptions, sum, type Tensor } from "jarvis-snn";
import { present } from "../support/close.ts";
import { later, numberOf, type OpAttrs, type OpCase, opSuite } from "./op-suite.ts";

function reduceOptions({ dim, keepdim = false }: OpAttrs): ReduceOptions {
  return dim === undefined || dim === null ? { keepdim } : { axis: dim, keepdim };
}

/** Options of an op that takes one axis. */
function searchOptions(attrs: OpAttrs): { axis: number; keepdim: boolean } {
  return { axis: numberOf(attrs, "dim", 0), keepdim: attrs.keepdim ?? false };
}

const reduction =
  (op: (x: Tensor, options: ReduceOptions) => Tensor): OpCase =>
  (inputs, attrs) =>
    op(present(inputs, "a"), reduceOptions(attrs));

const cases: Record<string, OpCase> = {
  sum: reduction(sum),
  mean: reduction(mean),
  amax: reduction(amax),
  amin: reduction(amin),
  // PyTorch's max() without an axis shares the gradient among ties, as amax does.
  max_all: reduction(amax),
  min_all: reduction(amin),
  max_dim: (inputs, attrs) => max(present(inputs, "a"), searchOptions(attrs)),
  min_dim: (inputs, attrs) => min(present(inputs, "a"), searchOptions(attrs)),
  argmax: (inputs, attrs) => argmax(present(inputs, "a"), typeof attrs.dim === "number" ? searchOptions(attrs) : {}),
  argmin: (inputs, attrs) => argmin(present(inputs, "a"), typeof attrs.dim === "number" ? searchOptions(attrs) : {}),
};

opSuite({
  file: "torch/ops_reduce",
  cases,
  leftOut: later("var_unbiased", "var_biased", "std_unbiased", "norm2", "prod"),
  tolerance: {
    // Sums of a few dozen values in another order.
    forward: { absolute: 2e-6, relative: 1e-6 },
    // Copies, divided at most by a count: rounded a few times.
    gradient: { absolute: 0, relative: 3e-7 },
  },
});
