/** Reductions composed of other reductions: variance, norms, log Σ exp. */
import { withDefaults, wrongValue } from "../arguments.ts";
import { composedOp, noGrad } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { axesOf } from "../shape.ts";
import { add, mul, neg, sub } from "./arithmetic.ts";
import { eq } from "./compare.ts";
import { slice } from "./layout.ts";
import { amax, mean, type ReduceOptions, sum } from "./reduce.ts";
import { abs, clamp, exp, log, sqrt, square } from "./unary.ts";
import { reshape } from "./view.ts";

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReduceOptions {
  /** Whether to divide by n − 1 instead of n; default true. */
  unbiased?: boolean;
}

const REDUCE: Required<ReduceOptions> = { axis: undefined, keepdim: false };
const VARIANCE: Required<VarianceOptions> = { ...REDUCE, unbiased: true };

/**
 * z = Σᵢ (xᵢ − mean x)² / (n − 1) over the axes, by default all, in two passes; NaN for n = 1. `unbiased: false`
 * divides by n instead. ∂L/∂xᵢ = 2(xᵢ − mean x)/(n − 1)·∂L/∂z. Shapes as in {@link sum}.
 *
 * The mean is computed relative to the first element, so equal values have a variance of exactly 0.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const variance = composedOp(
  (x: Tensor, options: VarianceOptions = VARIANCE): Tensor => varianceOf("variance", x, options),
);

/**
 * z = √variance, see {@link variance}.  ∂L/∂xᵢ = (xᵢ − mean x)/((n − 1)·z)·∂L/∂z, 0 where z = 0.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const std = composedOp(
  (x: Tensor, options: VarianceOptions = VARIANCE): Tensor => safeRoot(varianceOf("std", x, options)),
);

function varianceOf(where: string, x: Tensor, options: VarianceOptions): Tensor {
  alive(x, where);
  const { axis, keepdim, unbiased } = withDefaults(where, VARIANCE, options);
  const axes = axesOf(where, axis, x.ndim);
  // The mean needs no gradient, because deviations from the mean sum to 0.
  const centre = noGrad(() => {
    const first = axes.reduce((part, at) => slice(part, at, 0, 1), x);
    return add(first, mean(sub(x, first), { axis: axes, keepdim: true }));
  });
  const squares = sum(square(sub(x, centre)), { axis: axes, keepdim });
  return mul(squares, 1 / (x.size / squares.size - (unbiased ? 1 : 0)));
}

/** √x with the gradient 0 at 0. */
function safeRoot(x: Tensor): Tensor {
  const zero = eq(x, 0);
  return mul(sqrt(add(x, zero)), add(neg(zero), 1));
}

/** Options of {@link norm}. */
export interface NormOptions extends ReduceOptions {
  /** 1: Σ|xᵢ|,  2 (default): √Σxᵢ²,  Infinity: max |xᵢ|. */
  p?: number;
}

const NORM: Required<NormOptions> = { ...REDUCE, p: 2 };

/**
 * The p-norm over the axes, by default all: z = (Σ |xᵢ|ᵖ)^(1/p), max |xᵢ| for p = Infinity. Shapes as in {@link sum}.
 * ∂L/∂x = x/z·∂L/∂z for p = 2, 0 where z = 0; sign x·∂L/∂z for p = 1; for p = Infinity, the largest |xᵢ| share ∂L/∂z
 * evenly.
 *
 * @throws RangeError unless p is 1, 2 or Infinity, or for axes that x does not have.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * console.log(tensor([3, 4]).norm().item()); // 5
 * ```
 */
export const norm = composedOp((x: Tensor, options: NormOptions = NORM): Tensor => {
  alive(x, "norm");
  const { p, axis, keepdim } = withDefaults("norm", NORM, options);
  const over = { axis: axesOf("norm", axis, x.ndim), keepdim };
  if (p === 1) return sum(abs(x), over);
  if (p === Infinity) return amax(abs(x), over);
  if (p !== 2) throw wrongValue("norm", "p to be 1, 2 or Infinity", p);
  return safeRoot(sum(square(x), over));
});

const LARGEST = 3.4028234663852886e38;

/**
 * z = log Σ exp(xᵢ) over the axes, by default all, without overflow:  m + log Σ exp(xᵢ − m),  m = max x.
 * ∂L/∂xᵢ = exp(xᵢ − z)·∂L/∂z. Shapes as in {@link sum}.
 *
 * −∞ if every xᵢ is −∞, and ∞ if one is ∞.
 *
 * @throws RangeError unless x has the axes, each given once.
 */
export const logsumexp = composedOp((x: Tensor, options: ReduceOptions = REDUCE): Tensor => {
  alive(x, "logsumexp");
  const { axis, keepdim } = withDefaults("logsumexp", REDUCE, options);
  const axes = axesOf("logsumexp", axis, x.ndim);
  // A finite m avoids ∞ − ∞.
  const m = noGrad(() => clamp(amax(x, { axis: axes, keepdim: true }), -LARGEST, LARGEST));
  const sums = sum(exp(sub(x, m)), { axis: axes, keepdim });
  return add(log(sums), reshape(m, sums.sizes));
});
