/**
 * The record of an output: the op and its inputs, memory that the record keeps for backward, and the further outputs that share it. This
 * file alone assigns these fields of a tensor.
 */
import { nothing } from "./saves.ts";
import { allocate, type Region, recycleIn, type Scope, scope } from "./scope.ts";
import { type Recorded, type RecordState, type Tensor, tick } from "./tensor.ts";

/** Memory that forward writes for backward, freed with the record of z, or after forward where there is none. */
export function saveFor(z: Tensor, bytes: number): number {
  z.saved = allocate(bytes);
  z.savedBytes = bytes;
  return z.saved;
}

/** The address of the block that forward saved on z. The record does not give it back any more: the caller does. */
export function takeSaved(z: Tensor): number {
  const p = z.saved;
  z.saved = 0;
  return p;
}

/** Gives back the memory that forward saved on z while `region` was current. */
export function recycleSaved(z: Tensor, region: Region): void {
  if (z.saved !== 0) recycleIn(region, z.saved, z.savedBytes);
  z.saved = 0;
}

/** In the place of a sum of SAVES: the op has no gradient and is never recorded. */
export const NO_GRADIENT = -1;

type Input = Tensor | null;

/** z, the output that the op has just made of a, b and c: on record where one of them requires a gradient and a tape records. */
export function recorded<Attrs>(op: Recorded<Attrs>, attrs: Attrs, z: Tensor, a: Tensor, b: Input, c: Input): Tensor {
  const wanted = a.requiresGrad || b?.requiresGrad || c?.requiresGrad;
  if (wanted && scope.recording && op.saves !== NO_GRADIENT) record(z, op as Recorded<never>, attrs, a, b, c);
  else recycleSaved(z, scope.region);
  return z;
}

/** Makes z the recorded output of op on a, b, c, on the tape that owns z. */
export function record(z: Tensor, op: Recorded<never>, attrs: unknown, a: Input, b: Input, c: Input): void {
  fillRecord(z, op, attrs, a, b, c);
  z.region.scope.records.push(z);
}

/** The same, but the record is on no tape: another one has it in its `parts`. */
function fillRecord(z: Tensor, op: Recorded<never>, attrs: unknown, a: Input, b: Input, c: Input): void {
  z.op = op;
  z.attrs = attrs;
  z.a = a;
  z.b = b;
  z.c = c;
  z.requiresGrad = true;
  z.state = "recorded";
  z.born = tick();
}

/** z, which is on record, with another op over the same inputs and attributes. */
export function replaceOp(z: Tensor, op: Recorded<unknown>): void {
  z.op = op as Recorded<never>;
}

/** The records of a scope, the oldest first. */
export const recordsOf = ({ records }: Scope): Tensor[] => records as Tensor[];

/** Ends the record of z and of its parts. Memory that it saved and has not given back is freed with the tape. */
export function dropRecord(z: Tensor, state: RecordState): void {
  // Gradients of parts pass through the record of z: without it, parts refuse backward.
  if (z.parts !== null) for (const other of z.parts) if (other?.a === z) dropRecord(other, "consumed");
  z.op = null;
  z.attrs = null;
  z.a = null;
  z.b = null;
  z.c = null;
  z.parts = null;
  z.saved = 0;
  z.state = state;
}

/** The record of an output besides the first, whose gradient waits for the backward pass of the first one. */
const partOp: Recorded<null> = { name: "part", saves: nothing, backward: () => {} };

/**
 * Makes z the output of this index, besides the first, of the op that recorded `main`; where that record was consumed, backward refuses
 * z too. Returns z.
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

/** Throws where the record of x was consumed. */
export function checkUnconsumed(x: Tensor): void {
  if (x.state !== "consumed") return;
  throw new Error(
    "backward: this graph was consumed by an earlier backward(), or the first output of its op was disposed, returned or made a parameter",
  );
}
