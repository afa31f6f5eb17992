/**
 * All ops: the functions that the package exports (`public.ts`), and the methods of tensors.
 *
 * A function whose first argument is a tensor becomes a method through its name in `methods`. The table of op tests has
 * the type of `ops`, so an op without a test row does not compile.
 */
import { backward } from "../core/backward.ts";
import { gradientTensor, setGradient, zeroGrad } from "../core/gradient.ts";
import { dispose } from "../core/tape.ts";
import { methodOf, Tensor, type TensorFunction } from "../core/tensor.ts";
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
   * z = this tensor where the condition is not 0, else y; all three broadcast, as in PyTorch. The condition gets no gradient.
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
   * Adds ∂this/∂x to `x.grad` for every leaf x that requires a gradient, and consumes the records. `upstream` is the
   * gradient with respect to this tensor, in its shape; default 1 if it has one element.
   *
   * @throws Error if nothing was recorded, an earlier pass consumed the records, their tape has ended, or a value that
   *   they need was overwritten; RangeError if `upstream` has the wrong shape, or is missing for more than one element.
   *   A pass that fails removes the gradients that it created.
   */
  backward,
  /** Sets `grad` to null; the buffer is kept for the next gradient. */
  zeroGrad,
  /**
   * Frees memory and record of a tensor that the caller owns; a second call does nothing. Inside a tape it is not
   * needed: the tape frees its tensors.
   */
  dispose,
};

// Without this annotation, bundlers would keep all ops in a program that uses few.
export const ops = /* @__PURE__ */ Object.assign({ backward }, functions);

type Methods = typeof methods;
/** Type of the method for a function whose first argument is a tensor. */
type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

/** Ops that are methods. */
type TensorMethods = { [Name in keyof Methods]: Method<Methods[Name]> };

// Declared here, because the ops import the class, so the class cannot import them.
declare module "../core/tensor.ts" {
  export interface Tensor extends TensorMethods {
    /**
     * ∂loss/∂this after `backward`, in the shape of this leaf, or null. It is a live view: later gradients are added to
     * it. Only null can be assigned, which calls `zeroGrad`.
     */
    grad: Tensor | null;
  }
}

// The methods are on a prototype of Tensor.prototype, because V8 copies a prototype in use whenever a property is
// added: here that would take a millisecond.
const table = {};
for (const [name, fn] of Object.entries(methods) as [string, TensorFunction][]) {
  Object.defineProperty(table, name, { value: methodOf(fn), writable: true, configurable: true });
}
Object.defineProperty(table, "grad", { get: methodOf(gradientTensor), set: methodOf(setGradient), configurable: true });
// Node's console.log calls this.
Object.defineProperty(table, Symbol.for("nodejs.util.inspect.custom"), { value: Tensor.prototype.toString });
Object.setPrototypeOf(Tensor.prototype, table);
