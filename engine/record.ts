/** The record of an output: memory that it keeps for backward, and the further outputs that share it. */

import { nothing } from "./saves.ts";
import { allocate, scope } from "./scope.ts";
import { fillRecord, type Recorded, record, recycleSaved, type Tensor } from "./tensor.ts";

/** Memory that forward writes for backward. It goes with the record of z, or with forward where there is none. */
export function saveFor(z: Tensor, bytes: number): number {
  z.saved = allocate(bytes);
  z.savedBytes = bytes;
  return z.saved;
}

/** In the place of a sum of SAVES: the op has no gradient and is never recorded. */
export const NO_GRADIENT = -1;

type Input = Tensor | null;

/** z, the output that the op has just made of a, b and c: on record where one of them requires a gradient and a tape records. */
export function recorded<Attrs>(
  op: Recorded<Attrs>,
  attrs: Attrs,
  z: Tensor,
  a: Tensor,
  b: Input = null,
  c: Input = null,
): Tensor {
  const wanted = a.requiresGrad || b?.requiresGrad || c?.requiresGrad;
  if (wanted && scope.recording && op.saves !== NO_GRADIENT) record(z, op as Recorded<never>, attrs, a, b, c);
  else recycleSaved(z, scope.region);
  return z;
}

/** The record of an output besides the first, whose gradient waits for the backward pass of the first one. */
const partOp: Recorded<null> = { name: "part", saves: nothing, backward: () => {} };

/**
 * Makes z the output of this index, besides the first, of the op that recorded `main`: of a record that was consumed, one that
 * backward refuses. Returns z.
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

/** Whether this output is a part still: one that was made a parameter is a leaf, with a gradient of its own. */
export const isPart = (z: Tensor | undefined): z is Tensor => z?.op === (partOp as Recorded<never>);

/** The further outputs of a record. */
export const partsOf = ({ parts }: Tensor): Tensor[] => (parts ?? []).filter(isPart);

/** Throws where the record of x was consumed. */
export function checkUnconsumed(x: Tensor): void {
  if (x.state !== "consumed") return;
  throw new Error(
    "backward: this graph was consumed by an earlier backward(), or the first output of its op was disposed, returned or made a parameter",
  );
}
