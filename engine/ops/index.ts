/**
 * Every op, once: the functions that the package exports, which `public.ts` lists, and the methods that tensors have.
 *
 * A function that takes a tensor first becomes a method by its name in `methods`; the table of op tests is typed by `ops`, so an
 * op without a test row does not compile.
 */
import { backward } from "../backward.ts";
import { gradientTensor, setGradient, zeroGrad } from "../op.ts";
import { dispose } from "../tape.ts";
import { Tensor } from "../tensor.ts";
import type { Operand } from "./arithmetic.ts";
import * as functions from "./public.ts";

const methods = {
  add: functions.add,
  sub: functions.sub,
  mul: functions.mul,
  div: functions.div,
  pow: functions.pow,
  atan2: functions.atan2,
  neg: functions.neg,
  maximum: functions.maximum,
  minimum: functions.minimum,
  exp: functions.exp,
  log: functions.log,
  log1p: functions.log1p,
  sqrt: functions.sqrt,
  rsqrt: functions.rsqrt,
  square: functions.square,
  reciprocal: functions.reciprocal,
  abs: functions.abs,
  sign: functions.sign,
  floor: functions.floor,
  round: functions.round,
  sin: functions.sin,
  cos: functions.cos,
  erf: functions.erf,
  tanh: functions.tanh,
  sigmoid: functions.sigmoid,
  relu: functions.relu,
  atan: functions.atan,
  clamp: functions.clamp,
  gt: functions.gt,
  ge: functions.ge,
  lt: functions.lt,
  le: functions.le,
  eq: functions.eq,
  maskedFill: functions.maskedFill,
  /**
   * z = this tensor where the condition is not 0, else y; all three broadcast, as in PyTorch. No gradient for the condition.
   *
   * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
   */
  where: (x: Tensor, condition: Tensor, y: Operand): Tensor => functions.where(condition, x, y),
  matmul: functions.matmul,
  sum: functions.sum,
  mean: functions.mean,
  variance: functions.variance,
  std: functions.std,
  prod: functions.prod,
  cumsum: functions.cumsum,
  logsumexp: functions.logsumexp,
  norm: functions.norm,
  amax: functions.amax,
  amin: functions.amin,
  max: functions.max,
  min: functions.min,
  argmax: functions.argmax,
  argmin: functions.argmin,
  softmax: functions.softmax,
  logSoftmax: functions.logSoftmax,
  reshape: functions.reshape,
  flatten: functions.flatten,
  squeeze: functions.squeeze,
  unsqueeze: functions.unsqueeze,
  transpose: functions.transpose,
  permute: functions.permute,
  expand: functions.expand,
  slice: functions.slice,
  select: functions.select,
  indexSelect: functions.indexSelect,
  gather: functions.gather,
  scatterAdd: functions.scatterAdd,
  split: functions.split,
  unbind: functions.unbind,
  flip: functions.flip,
  tile: functions.tile,
  tril: functions.tril,
  detach: functions.detach,
  clone: functions.clone,
  /**
   * Adds ∂this/∂x into `x.grad` for every leaf x that requires a gradient, and consumes the records on the way.
   * `upstream` is the gradient of the computation behind it, in the shape of this tensor; 1 by default, where there is
   * one element.
   *
   * @throws Error where nothing was recorded, the records were consumed by an earlier pass or have left their tape, or a
   *   value that they need was overwritten; RangeError for an `upstream` of another shape, or none for more than one
   *   element. A pass that fails takes back the gradients that began in it.
   */
  backward,
  /** Sets `grad` to null; the buffer is kept for the next gradient. */
  zeroGrad,
  /**
   * Frees the memory of a tensor that the caller owns, and its record; again, it does nothing. Inside a tape there is
   * nothing to do: the tape frees.
   */
  dispose,
};

// Without the annotation, a bundler would keep all of them for a program that uses a few.
export const ops = /* @__PURE__ */ Object.assign({ backward }, functions);

type Methods = typeof methods;
/** The method that a function with the tensor as its first argument becomes. */
type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

/** The ops that are methods. */
type TensorMethods = { [Name in keyof Methods]: Method<Methods[Name]> };

// The ops import the class, which therefore cannot name them.
declare module "../tensor.ts" {
  export interface Tensor extends TensorMethods {
    /**
     * ∂loss/∂this after `backward`, in the shape of this leaf, else null. It looks into the live buffer, which is added into. Only null can
     * be set, which is what `zeroGrad` does.
     */
    grad: Tensor | null;
  }
}

type AnyFunction = (x: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;

// The methods are on a prototype of Tensor.prototype: V8 copies all properties of a prototype in use whenever a
// property is added to it, which would take a millisecond here.
const table = {};
// Four fixed arguments serve every method without an array per call.
const methodOf = (fn: AnyFunction) =>
  function (this: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) {
    return fn(this, b, c, d, e);
  };
for (const [name, fn] of Object.entries(methods) as [string, AnyFunction][]) {
  Object.defineProperty(table, name, { value: methodOf(fn), writable: true, configurable: true });
}
Object.defineProperty(table, "grad", { get: methodOf(gradientTensor), set: methodOf(setGradient), configurable: true });
// console.log of Node calls this.
Object.defineProperty(table, Symbol.for("nodejs.util.inspect.custom"), { value: Tensor.prototype.toString });
Object.setPrototypeOf(Tensor.prototype, table);
