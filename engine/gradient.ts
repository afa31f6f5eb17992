/**
 * Where the gradient of a tensor lies while backward runs: of a leaf in its buffer, of the output of an op in memory that the op before
 * it has filled, or that an input has taken over from the output. Forms shorter than an element a float are written out for an op that
 * does not read them. This file alone assigns the fields of gradients.
 */
import { wrongType } from "./arguments.ts";
import { heapOf, inReference, k } from "./backend.ts";
import { timesTransposed } from "./products.ts";
import { checkUnconsumed, isPart } from "./record.ts";
import { allocate, allocateIn, disposed, hold, moveTo, type Region, recycle, root, scope } from "./scope.ts";
import { alive, checkOwn, type GradientForm, lookAt, type Tensor, tensorAt, touch } from "./tensor.ts";

type ProductForm = Extract<GradientForm, { kind: "product" }>;

/**
 * Address of the gradient of x to add into, 0 where none is wanted. A first gradient is zeros; with `isWritten` it is anything, as the
 * caller, who has asked {@link holds} before, writes every element of it.
 */
export function gradOf(x: Tensor, isWritten = false): number {
  if (!wantsGradient(x)) return 0;
  if (x.gradPtr === 0) {
    x.gradPtr = x.op === null ? leafGradient(x) : allocate(4 * x.size);
    if (!isWritten) k.fill(x.gradPtr, x.size, 0);
    return x.gradPtr;
  }
  writeOutGradient(x);
  // A record may have saved the tensor that `grad` gave.
  if (x.gradTensor !== null) touch(x.gradTensor);
  return x.gradPtr;
}

/** Whether a gradient has reached x. */
export const holds = (x: Tensor): boolean => x.gradPtr !== 0;

/** Whether backward computes a gradient for x. */
export const wantsGradient = (x: Tensor): boolean => x.requiresGrad && !isOutside(x);

/** Tensors of linear memory are constants for the float64 kernels, whose own addresses are negative. */
export const isOutside = (x: Tensor): boolean => inReference() && x.ptr > 0;

/** Address of the gradient of a leaf that has none yet. */
function leafGradient(x: Tensor): number {
  alive(x, "backward");
  checkUnconsumed(x);
  if (x.gradBuffer === 0) {
    checkOwn("backward", x);
    x.gradBuffer = allocateIn(x.region, 4 * x.size);
    if (x.region.scope === root) hold(x, x.gradBuffer, 4 * x.size);
    scope.buffered.push(x);
  }
  scope.begun.push(x);
  return x.gradBuffer;
}

/** Whether x can take over the buffer of another's gradient: it wants one, has none yet, and is not a leaf. */
export const canTakeOver = (x: Tensor): boolean => x.gradPtr === 0 && x.op !== null && wantsGradient(x);

/** Whether the op that made x reads the gradient of x in this form. */
export const readsGradient = ({ op }: Tensor, kind: GradientForm["kind"]): boolean =>
  op?.reads?.gradient?.includes(kind) === true;

/** Makes z's gradient, in this form, the gradient of x, which can take it over. */
export function handOver(z: Tensor, x: Tensor, form: GradientForm | null): void {
  x.gradPtr = z.gradPtr;
  x.gradForm = form;
  z.gradPtr = 0;
}

/** Writes out part of a gradient that is a product: `size` values in whole rows, from value `first` on. */
export function multiplyGradient(to: number, x: Tensor, form: ProductForm, first: number, size: number): void {
  const { depth, outputs } = form.factors;
  const from = x.gradPtr + 4 * (first / depth) * outputs;
  timesTransposed(to, 0, from, form.weights, size / depth, form.factors);
}

/** Writes out a gradient of any form. */
export function writeOutGradient(x: Tensor): void {
  const form = x.gradForm;
  if (form === null) return;
  const p = allocate(4 * x.size);
  if (form.kind === "product") multiplyGradient(p, x, form, 0, x.size);
  else if (form.kind === "repeats") k.expandAxis(p, x.gradPtr, 1, form.steps, x.size / form.steps);
  else form.writeOut(p, x, form);
  recycleGradient(x);
  x.gradPtr = p;
}

/** How many values lie at the gradient's address. */
export function gradientSize({ size, gradForm: form }: Tensor): number {
  if (form === null) return size;
  if (form.kind === "places") return form.windows;
  return form.kind === "repeats" ? size / form.steps : (size / form.factors.depth) * form.factors.outputs;
}

/** Takes back the gradient of a record. */
export function recycleGradient(z: Tensor): void {
  const bytes = 4 * gradientSize(z);
  if (z.gradPtr !== 0) recycle(z.gradPtr, bytes);
  if (z.gradForm?.kind === "places") recycle(z.gradForm.places, bytes);
  z.gradPtr = 0;
  z.gradForm = null;
}

/** The values at p, in memory of the pass, become the gradient of x or a part of it. */
export function giveGradient(x: Tensor, p: number): void {
  if (canTakeOver(x)) {
    x.gradPtr = p;
    return;
  }
  const dx = gradOf(x);
  if (dx !== 0) k.addTo(dx, p, x.size);
  recycle(p, 4 * x.size);
}

/** Hands z's gradient over to x, its only input: no copy where x has none yet. */
export function passGradient(z: Tensor, x: Tensor): void {
  if (canTakeOver(x)) return handOver(z, x, null);
  const dx = gradOf(x);
  if (dx !== 0) k.addTo(dx, z.gradPtr, z.size);
}

/** Address of the gradient of the output of this index, 0 where none has reached it. */
export function gradOfPart(main: Tensor, index: number): number {
  const z = main.parts?.[index];
  if (!isPart(z)) return 0;
  writeOutGradient(z);
  return z.gradPtr;
}

/** Whether a gradient has reached the output of a record, or one of its further outputs. */
export const isReached = ({ gradPtr, parts }: Tensor): boolean =>
  gradPtr !== 0 || parts?.some((z) => isPart(z) && z.gradPtr !== 0) === true;

/** ∂loss/∂x after `backward`, in the shape of the leaf x, else null: a tensor that looks into the live buffer. */
export function gradientTensor(x: Tensor): Tensor | null {
  if (x.gradPtr === 0 || x.op !== null) return null;
  if (x.gradTensor === null || x.gradTensor.ptr !== x.gradPtr || x.gradTensor.region === disposed) {
    x.gradTensor = tensorAt(x, x.gradPtr);
    x.gradTensor.leaf = x;
  }
  return x.gradTensor;
}

/** Only null can be set, which is what {@link zeroGrad} does. */
export function setGradient(x: Tensor, value: unknown): void {
  if (value !== null) throw wrongType("grad", "null; a gradient is added to by backward()", value);
  zeroGrad(x);
}

/** Sets `grad` to null; the buffer is kept for the next gradient. */
export function zeroGrad(x: Tensor): void {
  if (x.gradPtr === 0) return;
  if (x.gradTensor !== null && !x.gradTensor.owned) moveTo(x.gradTensor, disposed);
  x.gradTensor = null;
  x.gradPtr = 0;
}

/** Ends the gradient and gives back its buffer; that of a leaf of a tape ends with the tape. */
export function releaseGradient(x: Tensor): void {
  const { gradBuffer, region } = x;
  zeroGrad(x);
  x.gradBuffer = 0;
  if (gradBuffer === 0 || region.scope !== root) return;
  heapOf(gradBuffer).release(gradBuffer, 4 * x.size);
  x.held?.remove(gradBuffer);
}

/**
 * The gradient of x, which has left its tape for `region`, lies at p from now on, in a block of its own; p is 0 where x has none. The tensor
 * that `grad` gave out goes with it.
 */
export function moveGradient(x: Tensor, p: number, region: Region): void {
  x.gradBuffer = p;
  if (p === 0) return;
  const bytes = 4 * x.size;
  if (region.scope !== root) region.scope.blocks.push(p, bytes);
  else hold(x, p, bytes);
  k.copy(p, x.gradPtr, x.size);
  x.gradPtr = p;
  const given = x.gradTensor;
  if (given === null || given.owned) return;
  lookAt(given, p);
  moveTo(given, region);
}

/**
 * fn() with gradients of their own for these leaves, null at first. Afterwards each leaf has the gradient and the buffer that it had
 * before, and the memory of those that began in fn is given back. Returns the result of fn.
 */
export function withOwnGradients<R>(leaves: readonly Tensor[], fn: () => R): R {
  for (const x of leaves) checkOwn("record", x);
  const before = leaves.map(({ gradPtr, gradBuffer, gradTensor }) => ({ gradPtr, gradBuffer, gradTensor }));
  for (const x of leaves) {
    x.gradTensor = null;
    x.gradPtr = 0;
    x.gradBuffer = 0;
  }
  try {
    return fn();
  } finally {
    for (const [i, x] of leaves.entries()) {
      releaseGradient(x);
      Object.assign(x, before[i]);
      // A leaf that fn has disposed of has given back all blocks but this one.
      if (!x.region.open) releaseGradient(x);
    }
  }
}
