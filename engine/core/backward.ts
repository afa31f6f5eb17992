/** The reverse pass: one loop over the tape, from the newest record to the oldest. */
import { k } from "./backend.ts";
import { wrongValue } from "./errors.ts";
import { gradientAt, isReached, recycleGradient, releaseGradient, zeroGrad } from "./gradient.ts";
import { checkUnconsumed, dropRecord, partsOf, recordsOf, recycleSaved, SAVES } from "./op.ts";
import { root, type Scope, scope } from "./scope.ts";
import { formatShape, sameShape } from "./shape.ts";
import { alive, checkOwn, forms, type Recorded, ready, rootOf, type Tensor } from "./tensor.ts";

/**
 * Adds ∂loss/∂x into x.grad for every leaf x that requires it, and consumes the records on the way. If the loss has
 * more than one element, `upstream` must give ∂L/∂loss, in the shape of the loss.
 */
export function backward(loss: Tensor, upstream?: Tensor): void {
  checkLoss(loss, upstream);
  run(loss, upstream);
}

/** Whether a backward pass is running. */
export let isRunning = false;

function run(loss: Tensor, upstream: Tensor | undefined): void {
  isRunning = true;
  try {
    const seed = gradientAt(loss);
    if (upstream === undefined) k.affine(seed, seed, 1, 1, 1);
    else k.addTo(seed, upstream.ptr, loss.size);
    if (loss.op !== null) for (let s: Scope | null = scope; s !== null; s = s.parent) walk(recordsOf(s));
  } catch (error) {
    for (let s: Scope | null = scope; s !== null; s = s.parent) abandon(recordsOf(s));
    // Gradients of leaves that this pass began are incomplete or not written yet.
    for (const x of scope.begun as Tensor[]) zeroGrad(x);
    for (const x of scope.buffered as Tensor[]) releaseGradient(x);
    // A frozen record may be the cause; `checkOwn` then throws an error that says so.
    for (const z of recordsOf(scope)) if (z.op !== null) checkOwn("backward", z);
    throw error;
  } finally {
    scope.begun.length = 0;
    scope.buffered.length = 0;
    isRunning = false;
  }
}

/**
 * Consumes every record that has a gradient, newest first. The others move to the end of the list, from index `kept`
 * on.
 */
export function walk(records: Tensor[]): void {
  let kept = records.length;
  let i = kept - 1;
  try {
    for (; i >= 0; i--) {
      const z = records[i] as Tensor;
      if (z.op === null) continue;
      if (!isReached(z)) {
        records[--kept] = z;
        continue;
      }
      checkSaved(z);
      if (z.gradForm !== null) forms.writeOutFor(z);
      (z.op as Recorded<unknown>).backward(z, z.a as Tensor, z.b as Tensor, z.c as Tensor, z.attrs);
      if (z.parts !== null) for (const other of partsOf(z)) consume(other);
      consume(z);
    }
  } finally {
    // After an error, records older than the failed one remain too.
    records.copyWithin(i + 1, kept);
    records.length -= kept - (i + 1);
  }
}

function consume(z: Tensor): void {
  recycleGradient(z);
  if (z.saved !== 0) recycleSaved(z, z.region);
  dropRecord(z, "consumed");
}

/** Frees the gradients of records that were not consumed. */
export function abandon(records: Tensor[]): void {
  for (const z of records) {
    if (z.op === null || Object.isFrozen(z)) continue;
    recycleGradient(z);
    for (const other of partsOf(z)) recycleGradient(other);
  }
}

function checkLoss(loss: Tensor, upstream: Tensor | undefined): void {
  alive(loss, "backward");
  if (isRunning) refuse("expected a call outside of another backward(), got one inside, as in a custom derivative");
  checkUnconsumed(loss);
  if (scope === root)
    refuse("outside of tapes nothing is recorded; compute the loss and call backward() inside tape(() => …)");
  if (loss.state === "returned")
    refuse("the tensor was returned from its tape, which detached it; call backward() inside the tape");
  if (!loss.requiresGrad) refuse("nothing was recorded; was the loss computed under noGrad(), or from constants only?");
  if (upstream === undefined) {
    if (loss.size !== 1) {
      throw wrongValue("backward", "a loss with one element or an upstream gradient", formatShape(loss.sizes));
    }
    return;
  }
  ready("backward", upstream);
  if (!sameShape(loss.sizes, upstream.sizes)) {
    const expected = `an upstream gradient of shape ${formatShape(loss.sizes)}`;
    throw wrongValue("backward", expected, formatShape(upstream.sizes));
  }
}

function refuse(why: string): never {
  throw new Error(`backward: ${why}`);
}

/** Checks every value that z's backward reads. */
function checkSaved(z: Tensor): void {
  const op = z.op as Recorded<unknown>;
  const { saves } = op;
  if (saves === 0) return;
  const more = (saves & SAVES.more) === 0 ? undefined : op.more?.(z.attrs);
  if (more !== undefined) for (let i = 0; i < more.length; i++) checkUnchanged(z, more[i] as Tensor | null);
  if ((saves & SAVES.a) !== 0) checkUnchanged(z, z.a);
  if ((saves & SAVES.b) !== 0) checkUnchanged(z, z.b);
  if ((saves & SAVES.c) !== 0) checkUnchanged(z, z.c);
  if ((saves & SAVES.output) !== 0) checkUnchanged(z, z);
}

/**
 * Throws if x, which the backward of z reads, was overwritten or freed since z was recorded. x may be null: no tensor.
 */
export function checkUnchanged(z: Tensor, x: Tensor | null): void {
  if (x === null) return;
  if (!x.region.open || x.base !== null) alive(x, `backward of ${(z.op as Recorded<never>).name}`);
  if ((x.base === null ? x : rootOf(x)).written > z.born) {
    throw new Error(
      `backward of ${(z.op as Recorded<never>).name}: a value it needs, of shape ${formatShape(x.sizes)}, was overwritten ` +
        "after it was recorded (copyFrom or an optimizer step); overwrite after backward()",
    );
  }
}
