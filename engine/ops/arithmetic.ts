/**
 * Elementwise arithmetic with NumPy broadcasting: an operand of a different shape passes through `expand` before the op.
 */
import { wrongType } from "../arguments.ts";
import { k, valuesAt } from "../core/backend.ts";
import { addsTo, gradientAt, holds, passGradient } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { composedOp } from "../core/tape.ts";
import { alive, Tensor } from "../core/tensor.ts";
import { full } from "../create.ts";
import { noTensor } from "../foreign.ts";
import { broadcastShapes, sameShape } from "../shape.ts";
import { broadcastTo } from "./view.ts";

/** Second operand of an op: a tensor, broadcast as in NumPy, or a number. */
export type Operand = Tensor | number;

/** An op whose operands have equal shapes, or whose second operand may be a single value. */
export interface Pairwise<Attrs> extends Op<Attrs> {
  /**
   * Whether the op reads a single value without repeating it: "constant" only if the value gets no gradient, "any"
   * always. Omitted: never.
   */
  readonly single?: "constant" | "any";
}

/** Argument `single` of kernels: 1 if y is a single value. */
export const isSingle = (z: Tensor, y: Tensor): number => (y.size === z.size ? 0 : 1);

const addOp: Pairwise<null> = {
  name: "add",
  saves: SAVES.nothing,
  single: "any",
  forward: (z, x, y) => k.add(z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward(z, x, y) {
    addSigned(z, y, 1);
    passGradient(z, x);
  },
};

const subOp: Pairwise<null> = {
  name: "sub",
  saves: SAVES.nothing,
  single: "any",
  forward: (z, x, y) => k.sub(z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward(z, x, y) {
    addSigned(z, y, -1);
    passGradient(z, x);
  },
};

/** ∂L/∂y += sign·∂L/∂z */
function addSigned(z: Tensor, y: Tensor, sign: 1 | -1): void {
  const dy = gradientAt(y);
  if (dy === 0) return;
  if (isSingle(z, y)) k.addSumAxis(dy, z.gradPtr, 1, z.size, 1, sign);
  else if (sign === 1) k.addTo(dy, z.gradPtr, z.size);
  else k.addScaled(dy, z.gradPtr, z.size, sign);
}

const mulOp: Pairwise<null> = {
  name: "mul",
  saves: SAVES.a | SAVES.b,
  single: "any",
  forward: (z, x, y) => k.mul(z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward(z, x, y) {
    addProduct(x, z, y);
    if (!isSingle(z, y)) addProduct(y, z, x);
    else addTotal(z, y, 1, (terms) => k.mul(terms, z.gradPtr, x.ptr, z.size));
  },
};

/**
 * ∂L/∂x += ∂L/∂z ⊙ y. If y is a single value, writing a first gradient takes one pass; for a leaf, this pass also adds 0, which turns −0 into +0.
 */
function addProduct(x: Tensor, z: Tensor, y: Tensor): void {
  const single = isSingle(z, y);
  const writes = single ? !holds(x) : !addsTo(x);
  const dx = gradientAt(x, writes);
  if (dx === 0) return;
  if (!writes) return k.mulGrad(dx, z.gradPtr, y.ptr, z.size, single);
  if (single === 0) return k.mul(dx, z.gradPtr, y.ptr, z.size, 0);
  k.affine(dx, z.gradPtr, z.size, valuesAt(y.ptr, 1)[0] as number, x.op === null ? 0 : -0);
}

/** ∂L/∂y += sign·Σ terms for a single value y. `write` computes the terms, one per value of z. */
function addTotal(z: Tensor, y: Tensor, sign: 1 | -1, write: (terms: number) => void): void {
  const dy = gradientAt(y);
  if (dy === 0) return;
  const bytes = 4 * z.size;
  const terms = allocateInScope(bytes);
  write(terms);
  k.addSumAxis(dy, terms, 1, z.size, 1, sign);
  recycle(terms, bytes);
}

const divOp: Pairwise<null> = {
  name: "div",
  saves: SAVES.b | SAVES.output,
  single: "any",
  forward: (z, x, y) => k.div(z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward(z, x, y) {
    const dx = gradientAt(x);
    if (dx !== 0) k.divGrad(dx, z.gradPtr, y.ptr, z.size, isSingle(z, y));
    if (isSingle(z, y)) {
      addTotal(z, y, -1, (terms) => {
        k.mul(terms, z.gradPtr, z.ptr, z.size);
        k.div(terms, terms, y.ptr, z.size, 1);
      });
      return;
    }
    const dy = gradientAt(y);
    if (dy !== 0) k.divisorGrad(dy, z.gradPtr, z.ptr, y.ptr, z.size);
  },
};

/** z = αx + β; β = −0 keeps the sign of 0. */
const affineOp = (name: string): Op<{ alpha: number; beta: number }> => ({
  name,
  saves: SAVES.nothing,
  forward: (z, x, _y, _w, { alpha, beta }) => k.affine(z.ptr, x.ptr, z.size, alpha, beta),
  backward(z, x, _y, _w, { alpha }) {
    if (alpha !== 1) k.affine(z.gradPtr, z.gradPtr, z.size, alpha, -0);
    passGradient(z, x);
  },
});

const addNumberOp = affineOp("add");
const subNumberOp = affineOp("sub");
export const mulNumberOp = affineOp("mul");
const negOp = affineOp("neg");

const tieOps = (name: "maximum" | "minimum"): Pairwise<null> => ({
  name,
  saves: SAVES.a | SAVES.b,
  single: "constant",
  forward: (z, x, y) => k[name](z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward(z, x, y) {
    const grad = name === "maximum" ? k.maximumGrad : k.minimumGrad;
    const dx = gradientAt(x);
    if (dx !== 0) grad(dx, z.gradPtr, x.ptr, y.ptr, z.size, isSingle(z, y));
    const dy = gradientAt(y);
    if (dy !== 0) grad(dy, z.gradPtr, y.ptr, x.ptr, z.size);
  },
});

const maximumOp = tieOps("maximum");
const minimumOp = tieOps("minimum");

/** Broadcasts both operands, unless the op supports them directly, and applies the op. */
export function broadcast<Attrs = null>(op: Pairwise<Attrs>, x: Tensor, y: Operand, attrs = null as Attrs): Tensor {
  const fit = x instanceof Tensor && y instanceof Tensor && (sameShape(x.sizes, y.sizes) || takesSingle(op, x, y));
  return fit ? applyOp(op, attrs, x, y) : broadcastBoth(op, x, y, attrs);
}

/** Whether the op reads the single value y directly; z then has the shape of x. */
const takesSingle = <Attrs>({ single }: Pairwise<Attrs>, x: Tensor, y: Tensor): boolean =>
  y.size === 1 && y.ndim <= x.ndim && (single === "any" || (single === "constant" && !y.requiresGrad));

const broadcastBoth = composedOp(<Attrs>(op: Pairwise<Attrs>, x: Tensor, y: Operand, attrs: Attrs): Tensor => {
  if (typeof x === "number") throw wrongType(op.name, "a tensor as the first operand", x, `; tensor(${x}) is one`);
  alive(x, op.name);
  const other = asTensor(op.name, y);
  if (takesSingle(op, x, other)) return applyOp(op, attrs, x, other);
  const shape = broadcastShapes(op.name, x.sizes, other.sizes);
  return applyOp(op, attrs, broadcastTo(x, shape), broadcastTo(other, shape));
});

/** Returns a tensor unchanged, and a number as a tensor of one element. */
export function asTensor(where: string, x: Operand): Tensor {
  if (typeof x === "number") return full([], x);
  if (!(x instanceof Tensor)) throw noTensor(where, x, " or a number");
  alive(x, where);
  return x;
}

/**
 * z = x + y, broadcast.  ∂L/∂x = ∂L/∂y = ∂L/∂z.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const add = (x: Tensor, y: Operand): Tensor =>
  typeof y === "number" ? applyOp(addNumberOp, { alpha: 1, beta: y }, x) : broadcast(addOp, x, y);

/**
 * z = x − y, broadcast.  ∂L/∂x = ∂L/∂z,  ∂L/∂y = −∂L/∂z.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const sub = (x: Tensor, y: Operand): Tensor =>
  typeof y === "number" ? applyOp(subNumberOp, { alpha: 1, beta: -y }, x) : broadcast(subOp, x, y);

/**
 * z = x ⊙ y, broadcast.  ∂L/∂x = ∂L/∂z ⊙ y,  ∂L/∂y = ∂L/∂z ⊙ x.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const mul = (x: Tensor, y: Operand): Tensor =>
  typeof y === "number" ? applyOp(mulNumberOp, { alpha: y, beta: -0 }, x) : broadcast(mulOp, x, y);

/**
 * z = x / y, broadcast; ±∞ or NaN for y = 0.  ∂L/∂x = ∂L/∂z / y,  ∂L/∂y = −∂L/∂z ⊙ z / y.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const div = (x: Tensor, y: Operand): Tensor => broadcast(divOp, x, y);

/** z = −x, elementwise.  ∂L/∂x = −∂L/∂z. */
export const neg = (x: Tensor): Tensor => applyOp(negOp, { alpha: -1, beta: -0 }, x);

/**
 * z = max(x, y), broadcast; NaN if either is.  ∂L/∂x = ∂L/∂z where x > y, half of it at ties; likewise for y.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const maximum = (x: Tensor, y: Operand): Tensor => broadcast(maximumOp, x, y);

/**
 * z = min(x, y), broadcast; NaN if either is.  ∂L/∂x = ∂L/∂z where x < y, half of it at ties; likewise for y.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const minimum = (x: Tensor, y: Operand): Tensor => broadcast(minimumOp, x, y);
