/**
 * Where the gradient of a tensor is during backward.
 *
 * The gradient of a leaf is in the leaf's own buffer. The gradient of an op's output is in memory that the backward of
 * a later op has filled; an input may take this memory over. engine/forms/ has shorter forms of gradients. An op that
 * cannot read a short form gets floats. Only this file, engine/forms/ and engine/outside/ assign the gradient fields of
 * a tensor.
 */
import { heap, heapOf, k, simd } from "./backend.ts";
import { wrongType } from "./errors.ts";
import { checkUnconsumed, isPart } from "./op.ts";
import { allocateIn, allocateInScope, disposed, moveTo, outside, type Region, recycle, root, scope } from "./scope.ts";
import { alive, checkOwn, forms, KEY, Tensor, touch } from "./tensor.ts";

/**
 * Address of the gradient of x, to add to; 0 if x needs no gradient. A first gradient is filled with zeros.
 * With `isWritten` it is left uninitialised: the caller has asked {@link addsTo} or {@link holds} and overwrites every element.
 */
export function gradientAt(x: Tensor, isWritten = false): number {
  if (!wantsGradient(x)) return 0;
  if (x.gradPtr === 0) {
    x.gradPtr = x.op === null ? leafGradient(x) : allocateInScope(4 * x.size);
    if (!isWritten) k.fill(x.gradPtr, x.size, 0);
    return x.gradPtr;
  }
  if (x.gradForm !== null) forms.writeOut(x);
  // The caller writes here. The write is noted if `grad` has returned this gradient as a tensor, whose old values a record may need.
  if (x.gradTensor !== null) touch(x.gradTensor);
  return x.gradPtr;
}

/** Whether x has a gradient. */
export const holds = (x: Tensor): boolean => x.gradPtr !== 0;

/**
 * Whether an op must add to the gradient of x: if x has a gradient, or is a leaf. Otherwise the op writes the first
 * gradient. Leaf gradients, which users see, always start at +0. Since 0 + (−0) = +0, the sign of a zero then does not
 * depend on the op, kernel or compiled step that wrote it. An op whose kernel starts its own sums at 0 calls
 * {@link holds} instead.
 */
export const addsTo = (x: Tensor): boolean => x.op === null || holds(x);

/** Whether backward computes a gradient for x. */
export const wantsGradient = (x: Tensor): boolean => x.requiresGrad && (heap === simd.heap || x.ptr <= 0);

/**
 * Whether x is in linear memory while the float64 kernels run; x is then a constant. Addresses of float64 cells are
 * negative.
 */
export const isOutside = (x: Tensor): boolean => heap !== simd.heap && x.ptr > 0;

/** Address of the first gradient of a leaf. */
function leafGradient(x: Tensor): number {
  if (!x.region.open || x.base !== null) alive(x, "backward");
  if (x.state === "consumed") checkUnconsumed(x);
  if (x.gradBuffer === 0) {
    checkOwn("backward", x);
    x.gradBuffer = allocateIn(x.region, 4 * x.size);
    if (x.region.scope === root) outside.hold(x, x.gradBuffer, 4 * x.size);
    scope.buffered.push(x);
  }
  scope.begun.push(x);
  return x.gradBuffer;
}

/** Whether x can take over the gradient buffer of another tensor: x wants a gradient, has none yet, and is not a leaf. */
export const canTakeOver = (x: Tensor): boolean => x.gradPtr === 0 && x.op !== null && wantsGradient(x);

/** Frees the gradient of a record. */
export function recycleGradient(z: Tensor): void {
  if (z.gradForm !== null) forms.recycle(z);
  else if (z.gradPtr !== 0) recycle(z.gradPtr, 4 * z.size);
  z.gradPtr = 0;
}

/** Passes the gradient of z to x, its only input, without a copy if x has no gradient yet. */
export function passGradient(z: Tensor, x: Tensor): void {
  if (canTakeOver(x)) {
    x.gradPtr = z.gradPtr;
    z.gradPtr = 0;
    return;
  }
  const dx = gradientAt(x);
  if (dx !== 0) k.addTo(dx, z.gradPtr, z.size);
}

/** Address of the gradient of output `index`, or 0 if it has no gradient. */
export function gradOfPart(main: Tensor, index: number): number {
  const z = main.parts?.[index];
  if (!isPart(z)) return 0;
  if (z.gradForm !== null) forms.writeOut(z);
  return z.gradPtr;
}

/** Whether the output of a record, or one of its further outputs, has a gradient. */
export const isReached = ({ gradPtr, parts }: Tensor): boolean =>
  gradPtr !== 0 || parts?.some((z) => isPart(z) && z.gradPtr !== 0) === true;

/**
 * ∂loss/∂x after `backward`: a tensor that is a view of the live buffer, in the shape of the leaf x; null if there is
 * no gradient.
 */
export function gradientTensor(x: Tensor): Tensor | null {
  if (x.gradPtr === 0 || x.op !== null) return null;
  if (x.gradTensor === null || x.gradTensor.ptr !== x.gradPtr || x.gradTensor.region === disposed) {
    x.gradTensor = new Tensor(x.sizes, x.size, x.gradPtr, x.region, false, KEY);
    x.gradTensor.leaf = x;
  }
  return x.gradTensor;
}

/** The setter of `grad`: accepts only null, and then calls {@link zeroGrad}. */
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

/** Ends the gradient and frees its buffer. If the leaf belongs to a tape, the tape frees the buffer. */
export function releaseGradient(x: Tensor): void {
  const { gradBuffer, region } = x;
  zeroGrad(x);
  x.gradBuffer = 0;
  if (gradBuffer === 0 || region.scope !== root) return;
  heapOf(gradBuffer).release(gradBuffer, 4 * x.size);
  x.held?.remove(gradBuffer);
}

/**
 * Moves the gradient of x to the block at p (0: x has no gradient), after x has moved from its tape to `region`. The
 * tensor that `grad` returned moves too.
 */
export function moveGradient(x: Tensor, p: number, region: Region): void {
  x.gradBuffer = p;
  if (p === 0) return;
  const bytes = 4 * x.size;
  if (region.scope !== root) region.scope.blocks.push(p, bytes);
  else outside.hold(x, p, bytes);
  k.copy(p, x.gradPtr, x.size);
  x.gradPtr = p;
  const given = x.gradTensor;
  if (given === null || given.owned) return;
  given.ptr = p;
  moveTo(given, region);
}
