/**
 * An op is one record: its name, forward and backward. `apply` runs it and, where a gradient is wanted, puts the output on the
 * tape.
 */
import { inReference, k } from "./backend.ts";
import { nothing } from "./saves.ts";
import { allOrNothing, allocate, allocateIn, recycle, root, scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import {
  alive,
  checkOwn,
  empty,
  emptyLike,
  fillRecord,
  type GradientForm,
  hold,
  materialise,
  type Recorded,
  record,
  recycleSaved,
  Tensor,
  touch,
} from "./tensor.ts";

export type { Factors, GradientForm, PlacesForm, Recorded } from "./tensor.ts";

/** In the place of a sum of SAVES: the op has no gradient and is never recorded. */
export const NO_GRADIENT = -1;

/** For `saves` of an op, added up: which values its backward reads. Writing to one before `backward()` is an error then. */
export * as SAVES from "./saves.ts";

/** An op that {@link apply} runs. The output has the shape of attrs if these have one, else the shape of a. */
export interface Op<Attrs> extends Recorded<Attrs> {
  /** Forward takes an a that is spikes in bits as it is; its floats are not written out. */
  readonly takesBits?: true;
  /**
   * z ← op(a, b, c), every element of z; memory that backward needs comes from {@link saveFor}. A choice that depends
   * on the values, such as a sparse path, is made in each call and noted in attrs for backward: a stream calls forward
   * again with other values.
   */
  forward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

type ProductForm = Extract<GradientForm, { kind: "product" }>;

const NONE = null as unknown as Tensor;

/** z = op(a, b, c), recorded if one of them requires a gradient. */
export const apply = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor =>
  scope === root ? applyAtRoot(op, attrs, a, b, c) : run(op, attrs, a, b, c);

/** At the root, no tape frees the blocks that an op has taken before it fails. */
const applyAtRoot = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor =>
  allOrNothing(() => run(op, attrs, a, b, c));

function run<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  if (op.takesBits) readyOrPacked(op.name, a);
  else ready(op.name, a);
  if (b !== NONE) ready(op.name, b);
  if (c !== NONE) ready(op.name, c);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  const z = shape === undefined ? emptyLike(a) : empty(shape);
  op.forward(z, a, b, c, attrs);
  const wanted = a.requiresGrad || (b !== NONE && b.requiresGrad) || (c !== NONE && c.requiresGrad);
  if (wanted && scope.recording && op.saves !== NO_GRADIENT) record(z, op as Recorded<never>, attrs, a, b, c);
  else recycleSaved(z, scope.region);
  return z;
}

/** Memory that forward writes for backward, freed with the record of z, or after forward where there is none. */
export function saveFor(z: Tensor, bytes: number): number {
  z.saved = allocate(bytes);
  z.savedBytes = bytes;
  return z.saved;
}

/** z, which was made of x alone: on record if x requires a gradient. */
export function recorded<Attrs>(op: Recorded<Attrs>, attrs: Attrs, x: Tensor, z: Tensor): Tensor {
  if (scope.recording && x.requiresGrad) record(z, op as Recorded<never>, attrs, x, null, null);
  else recycleSaved(z, scope.region);
  return z;
}

/**
 * The op in the record of an output besides the first: its gradient waits for the backward pass of the first output.
 */
const partOp: Recorded<null> = { name: "part", saves: nothing, backward: () => {} };

/**
 * Makes z the output of this index, besides the first, of the op that recorded `main`: if the record was consumed, z is
 * one that backward refuses. Returns z.
 */
export function part(main: Tensor, index: number, z: Tensor): Tensor {
  if (main.op === null) {
    if (main.state !== "consumed") return z;
    z.state = "consumed";
    z.requiresGrad = true;
    return z;
  }
  main.parts ??= [];
  main.parts[index] = z;
  fillRecord(z, partOp as Recorded<never>, null, main, null, null);
  return z;
}

/** Whether this output is a part still: a part that was made a parameter is a leaf, with a gradient of its own. */
export const isPart = (z: Tensor | undefined): z is Tensor => z?.op === (partOp as Recorded<never>);

/** The further outputs of a record. */
export const partsOf = ({ parts }: Tensor): Tensor[] => (parts ?? []).filter(isPart);

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

/** Throws for anything but a tensor, and when x is freed; writes out spikes and constant expansions. */
export function ready(where: string, x: Tensor): void {
  if (!(x instanceof Tensor) || !x.region?.open || x.base !== null) alive(x, where);
  if (x.ptr === 0) materialise(x);
}

/** `ready` for an op that reads bits: spikes stay packed, but for the float64 kernels, which read numbers alone. */
export function readyOrPacked(where: string, x: Tensor): void {
  if (x?.bits !== 0 && !inReference()) alive(x, where);
  else ready(where, x);
}

/** Address of the gradient of x to add into, 0 where none is wanted. */
export function gradOf(x: Tensor): number {
  const start = startOf(x);
  const p = freshGradOf(x, start);
  if (p !== start) k.fill(p, x.size, 0);
  return p;
}

/** Address of the sum that the gradient of x holds so far, which a kernel that writes every element starts from; 0: of zeros. */
export function startOf(x: Tensor): number {
  if (x.gradPtr === 0 || !x.requiresGrad || isOutside(x)) return 0;
  writeOutGradient(x);
  // A record may have saved the tensor that `grad` gave.
  if (x.gradTensor !== null) touch(x.gradTensor);
  return x.gradPtr;
}

/**
 * As `gradOf`, but a first gradient is not zeroed: the caller writes every element, starting from the result of {@link
 * startOf}.
 */
export function freshGradOf(x: Tensor, start: number): number {
  if (start !== 0) return start;
  if (!x.requiresGrad || isOutside(x)) return 0;
  x.gradPtr = x.op === null ? leafGradient(x) : allocate(4 * x.size);
  return x.gradPtr;
}

/** Tensors of linear memory are constants for the float64 kernels, whose own addresses are negative. */
export const isOutside = (x: Tensor): boolean => inReference() && x.ptr > 0;

/** Throws where the record of x was consumed. */
export function checkUnconsumed(x: Tensor): void {
  if (x.state !== "consumed") return;
  throw new Error(
    "backward: this graph was consumed by an earlier backward(), or the first output of its op was disposed, returned or made a parameter",
  );
}

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
export const canTakeOver = (x: Tensor): boolean => x.requiresGrad && x.gradPtr === 0 && x.op !== null && !isOutside(x);

/** Whether x can take over the buffer of another's gradient, and the op that made x reads it in this form. */
export const canTake = (x: Tensor, kind: GradientForm["kind"]): boolean =>
  x.op?.takes?.includes(kind) === true && canTakeOver(x);

/** Makes z's gradient, in this form, the gradient of x, which can take it over. */
export function handOver(z: Tensor, x: Tensor, form: GradientForm | null = null): void {
  x.gradPtr = z.gradPtr;
  x.gradForm = form;
  z.gradPtr = 0;
}

/** Writes out part of a gradient that is a product: `size` values in whole rows, from value `first` on. */
export function multiplyGradient(to: number, x: Tensor, form: ProductForm, first: number, size: number): void {
  const { depth, outputs, stepIn, stepOut } = form.factors;
  const from = x.gradPtr + 4 * (first / depth) * outputs;
  k.gemm(to, from, form.weights, 0, size / depth, depth, outputs, outputs, 1, stepOut, stepIn, depth);
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
  if (z.gradPtr !== 0) recycle(z.gradPtr, bytes, scope.region);
  if (z.gradForm?.kind === "places") recycle(z.gradForm.places, bytes, scope.region);
  z.gradPtr = 0;
  z.gradForm = null;
}

/** Hands z's gradient over to x, its only input: no copy where x has none yet. */
export function passGradient(z: Tensor, x: Tensor): void {
  if (canTakeOver(x)) return handOver(z, x);
  const dx = gradOf(x);
  if (dx !== 0) k.addTo(dx, z.gradPtr, z.size);
}
