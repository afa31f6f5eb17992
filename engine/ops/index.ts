/**
 * Every op, once: the functions that the package exports, and the methods that tensors have.
 *
 * This is the only registry. A function that takes a tensor first becomes a method by its name in `methods`; the table of
 * op tests is typed by `ops`, so an op without a test row does not compile.
 */
import { backward } from "../backward.ts";
import { Tensor } from "../tensor.ts";
import { add, div, maximum, minimum, mul, neg, type Operand, sub } from "./arithmetic.ts";
import { clone } from "./clone.ts";
import { eq, ge, gt, le, lt } from "./compare.ts";
import { conv1d, conv2d, convTranspose2d } from "./conv.ts";
import { dropout } from "./dropout.ts";
import { expand, tile } from "./expand.ts";
import {
  atan,
  atan2,
  cos,
  elu,
  erf,
  floor,
  gelu,
  leakyRelu,
  log1p,
  logSigmoid,
  pow,
  reciprocal,
  round,
  rsqrt,
  sign,
  silu,
  sin,
  softplus,
} from "./formula.ts";
import { embedding, gather, indexSelect, scatterAdd } from "./indexing.ts";
import { concat, flip, permute, select, slice, split, stack, transpose, unbind } from "./layout.ts";
import { bceWithLogits, crossEntropy, huberLoss, klDiv, l1Loss, mseLoss, nllLoss, smoothL1Loss } from "./loss.ts";
import { linear, matmul } from "./matmul.ts";
import { batchNorm, groupNorm, layerNorm } from "./normalize.ts";
import { pad, tril } from "./pad.ts";
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "./pool.ts";
import { amax, amin, argmax, argmin, cumsum, max, mean, min, prod, sum } from "./reduce.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { logsumexp, norm, std, variance } from "./statistics.ts";
import { abs, clamp, exp, hardtanh, log, relu, sigmoid, sqrt, square, tanh } from "./unary.ts";
import { detach, flatten, reshape, squeeze, unsqueeze } from "./view.ts";
import { maskedFill, where } from "./where.ts";

const methods = {
  add,
  sub,
  mul,
  div,
  pow,
  atan2,
  neg,
  maximum,
  minimum,
  exp,
  log,
  log1p,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  abs,
  sign,
  floor,
  round,
  sin,
  cos,
  erf,
  tanh,
  sigmoid,
  relu,
  atan,
  clamp,
  gt,
  ge,
  lt,
  le,
  eq,
  maskedFill,
  /**
   * z = this tensor where the condition is not 0, else y; all three broadcast, as in PyTorch. No gradient for the condition.
   *
   * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
   */
  where: (x: Tensor, condition: Tensor, y: Operand): Tensor => where(condition, x, y),
  matmul,
  sum,
  mean,
  variance,
  std,
  prod,
  cumsum,
  logsumexp,
  norm,
  amax,
  amin,
  max,
  min,
  argmax,
  argmin,
  softmax,
  logSoftmax,
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  permute,
  expand,
  slice,
  select,
  indexSelect,
  gather,
  scatterAdd,
  split,
  unbind,
  flip,
  tile,
  tril,
  detach,
  clone,
  /**
   * Adds ∂this/∂x into `x.grad` for every leaf x that requires a gradient, and consumes the records on the way.
   * `upstream` is the gradient of whatever follows, in the shape of this tensor; 1 by default, where there is one element.
   *
   * @throws Error where nothing was recorded, the records were consumed by an earlier pass or have left their tape, or a
   *   value that they need was overwritten; RangeError for an `upstream` of another shape, or none for more than one
   *   element. A pass that fails takes back the gradients that began in it.
   */
  backward,
};

// Without the annotation, a bundler would keep all of them for a program that uses a few.
export const ops = /* @__PURE__ */ Object.assign({}, methods, {
  where,
  logSigmoid,
  leakyRelu,
  elu,
  silu,
  gelu,
  softplus,
  hardtanh,
  linear,
  concat,
  stack,
  pad,
  embedding,
  conv1d,
  conv2d,
  convTranspose2d,
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  batchNorm,
  layerNorm,
  groupNorm,
  dropout,
  crossEntropy,
  nllLoss,
  mseLoss,
  l1Loss,
  smoothL1Loss,
  huberLoss,
  bceWithLogits,
  klDiv,
});

type Methods = typeof methods;
/** The method that a function with the tensor as its first argument becomes. */
type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

/** The ops that are methods; the interface of tensors extends it. */
export type TensorMethods = { [Name in keyof Methods]: Method<Methods[Name]> };

type AnyFunction = (x: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;

// The methods are on a prototype of Tensor.prototype: V8 copies all properties of a prototype in use for each one that is added to
// it, which would take a millisecond here.
const table = {};
for (const [name, fn] of Object.entries(methods) as [string, AnyFunction][]) {
  // Four fixed arguments serve every method without an array per call.
  const method = function (this: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) {
    return fn(this, b, c, d, e);
  };
  Object.defineProperty(table, name, { value: method, writable: true, configurable: true });
}
// What console.log shows in Node.
Object.defineProperty(table, Symbol.for("nodejs.util.inspect.custom"), { value: Tensor.prototype.toString });
Object.setPrototypeOf(Tensor.prototype, table);
