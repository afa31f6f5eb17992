/** Reductions over axes, ties among extremes included, against PyTorch. */
import {
  amax,
  amin,
  argmax,
  argmin,
  max,
  mean,
  min,
  norm,
  prod,
  type ReduceOptions,
  std,
  sum,
  type Tensor,
  variance,
} from "jarvis-snn";
import { present } from "../support/close.ts";
import { numberOf, type OpAttrs, type OpCase, type OpTolerance, opSuite, reduceOptions } from "./op-suite.ts";

/** Options of an op that takes one axis. */
function searchOptions(attrs: OpAttrs): { axis: number; keepdim: boolean } {
  return { axis: numberOf(attrs, "dim", 0), keepdim: attrs.keepdim ?? false };
}

const reduction =
  (op: (x: Tensor, options: ReduceOptions) => Tensor): OpCase =>
  (inputs, attrs) =>
    op(present(inputs, "a"), reduceOptions(attrs));

const find =
  (op: typeof argmax): OpCase =>
  (inputs, attrs) =>
    op(
      present(inputs, "a"),
      typeof attrs.dim === "number" ? searchOptions(attrs) : { keepdim: attrs.keepdim ?? false },
    );

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
  argmax: find(argmax),
  argmin: find(argmin),
  prod: reduction(prod),
  norm2: reduction(norm),
  ...Object.fromEntries(
    [true, false].flatMap((unbiased): [string, OpCase][] => {
      const name = unbiased ? "unbiased" : "biased";
      return [
        [`var_${name}`, reduction((x, options) => variance(x, { ...options, unbiased }))],
        [`std_${name}`, reduction((x, options) => std(x, { ...options, unbiased }))],
      ];
    }),
  ),
};

/** Sums of deviations that cancel, and products, in another order; their gradients are products with such a result. */
const summing: OpTolerance = {
  forward: { absolute: 2e-6, relative: 1e-6 },
  gradient: { absolute: 2e-6, relative: 2e-6 },
};

opSuite({
  file: "torch/ops_reduce",
  cases,
  leftOut: {},
  tolerance: {
    // Sums of a few dozen values in another order.
    forward: { absolute: 2e-6, relative: 1e-6 },
    // Copies, divided at most by a count: rounded a few times.
    gradient: { absolute: 0, relative: 3e-7 },
  },
  exceptions: {
    var_unbiased: summing,
    var_biased: summing,
    std_unbiased: summing,
    std_biased: summing,
    norm2: summing,
    prod: summing,
  },
});
