/**
 * Gradients with fewer numbers than elements: one step for all steps, values of a pool with their places, or factors of
 * a product. If the next op would only reduce a gradient, it is never written out.
 */
import { k } from "../core/backend.ts";
import { canTakeOver, gradientAt } from "../core/gradient.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { timesTransposed } from "./products.ts";
import type { GradientForm, ProductForm, ShortRecorded } from "./shortcuts.ts";

/** Whether the op that made x reads its gradient in this form. */
export const readsGradient = ({ op }: Tensor, kind: GradientForm["kind"]): boolean =>
  (op as Partial<ShortRecorded<never>> | null)?.shortcuts?.reads?.gradient?.includes(kind) === true;

/** Passes z's gradient to x in this form; `canTakeOver(x)` must hold. */
export function handOverAs(form: GradientForm, z: Tensor, x: Tensor): void {
  x.gradPtr = z.gradPtr;
  x.gradForm = form;
  z.gradPtr = 0;
}

/** Gives x the values at p, in memory of the pass, as its gradient, or adds them to it. */
export function giveGradient(x: Tensor, p: number): void {
  if (canTakeOver(x)) {
    x.gradPtr = p;
    return;
  }
  const dx = gradientAt(x);
  if (dx !== 0) k.addTo(dx, p, x.size);
  recycle(p, 4 * x.size);
}

/** Writes out `size` values of a gradient that is a product, from value `first` on, in whole rows. */
export function multiplyGradient(to: number, x: Tensor, form: ProductForm, first: number, size: number): void {
  const { depth, outputs } = form.factors;
  const from = x.gradPtr + 4 * (first / depth) * outputs;
  timesTransposed(to, 0, from, form.weights, size / depth, form.factors);
}

/** Writes out a gradient of any form. */
export function writeOutGradient(x: Tensor): void {
  const form = x.gradForm as GradientForm | null;
  if (form === null) return;
  const p = allocateInScope(4 * x.size);
  if (form.kind === "product") multiplyGradient(p, x, form, 0, x.size);
  else if (form.kind === "repeats") k.expandAxis(p, x.gradPtr, 1, form.steps, x.size / form.steps);
  else form.writeOut(p, x, form);
  recycleForm(x);
  x.gradPtr = p;
}

/** Writes out the gradient of z, unless the op that made z reads its form. */
export function writeOutFor(z: Tensor): void {
  if (!readsGradient(z, (z.gradForm as GradientForm).kind)) writeOutGradient(z);
}

/** Number of values at `gradPtr`. */
export function gradientSize(x: Tensor): number {
  const form = x.gradForm as GradientForm | null;
  if (form === null) return x.size;
  if (form.kind === "places") return form.windows;
  return form.kind === "repeats" ? x.size / form.steps : (x.size / form.factors.depth) * form.factors.outputs;
}

/** Frees a gradient in a short form. */
export function recycleForm(z: Tensor): void {
  const bytes = 4 * gradientSize(z);
  if (z.gradPtr !== 0) recycle(z.gradPtr, bytes);
  const form = z.gradForm as GradientForm;
  if (form.kind === "places") recycle(form.places, bytes);
  z.gradForm = null;
}
