/**
 * An op is one record: its name, the values that backward reads, forward and backward. `applyOp` runs an op.
 *
 * If a gradient is needed, the output stores a record of the call: op, inputs, memory that forward saved, and further
 * outputs. Only this file assigns these fields of a tensor.
 */
import { nothing } from "./saves.ts";
import { allocateInScope, outside, type Region, recycleIn, root, type Scope, scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import { alive, emptyLike, emptyOf, forms, type Op, type Recorded, ready, type Tensor, tick } from "./tensor.ts";

/**
 * Flags for `saves` of an op, to be added up: the values that its backward reads. `backward()` throws if one of them was overwritten
 * before.
 */
export * as SAVES from "./saves.ts";
export { type Op, type Recorded, ready } from "./tensor.ts";

const NONE = null as unknown as Tensor;

/** z = op(a, b, c), recorded if an input requires a gradient. */
export const applyOp = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor =>
  scope === root ? applyAtRoot(op, attrs, a, b, c) : run(op, attrs, a, b, c);

/** Runs an op outside of tapes. If the op fails, this frees its blocks, since no tape does. */
const applyAtRoot = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor =>
  outside.allOrNothing(() => run(op, attrs, a, b, c));

function run<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  if (!isFloats(a)) {
    alive(a, op.name);
    if (a.ptr === 0) return forms.apply(op, attrs, a, b, c);
  }
  if (b !== null && !isFloats(b)) ready(op.name, b);
  if (c !== null && !isFloats(c)) ready(op.name, c);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  const z = shape === undefined ? emptyLike(a) : emptyOf(shape);
  op.forward(z, a, b, c, attrs);
  return recorded(op, attrs, z, a, b, c);
}

/** Whether x owns floats and belongs to this scope or to the caller, which is the common case. */
const isFloats = (x: Tensor): boolean =>
  typeof x === "object" &&
  x !== null &&
  x.self === x &&
  x.ptr !== 0 &&
  x.base === null &&
  (x.region === scope.region || x.region === root.region);

/** Memory that forward writes for backward. It is freed with the record of z, or after forward if z has no record. */
export function saveBlock(z: Tensor, bytes: number): number {
  z.saved = allocateInScope(bytes);
  z.savedBytes = bytes;
  return z.saved;
}

/** Frees the memory that forward saved on z while `region` was current. */
export function recycleSaved(z: Tensor, region: Region): void {
  if (z.saved !== 0) recycleIn(region, z.saved, z.savedBytes);
  z.saved = 0;
}

/** Value of `saves` for an op without gradient, which is never recorded. */
export const NO_GRADIENT = -1;

type Input = Tensor | null;

/** Records z, the new output of op on a, b, c, if an input requires a gradient and a tape records. Returns z. */
export function recorded<Attrs>(op: Recorded<Attrs>, attrs: Attrs, z: Tensor, a: Tensor, b: Input, c: Input): Tensor {
  const wanted = a.requiresGrad || b?.requiresGrad || c?.requiresGrad;
  if (wanted && scope.recording && op.saves !== NO_GRADIENT) recordOp(z, op as Recorded<never>, attrs, a, b, c);
  else if (z.saved !== 0) recycleSaved(z, scope.region);
  return z;
}

/** Makes z the recorded output of op on a, b, c, on the tape that owns z. */
export function recordOp(z: Tensor, op: Recorded<never>, attrs: unknown, a: Input, b: Input, c: Input): void {
  fillRecord(z, op, attrs, a, b, c);
  z.region.scope.records.push(z);
}

/** `recordOp` without adding z to the tape, for an output that another record lists in `parts`. */
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

/** Replaces the op of z's record; inputs and attributes remain. */
export function replaceOp(z: Tensor, op: Recorded<unknown>): void {
  z.op = op as Recorded<never>;
}

/** Records of a scope, oldest first. */
export const recordsOf = ({ records }: Scope): Tensor[] => records as Tensor[];

/** Ends the record of z and of its further outputs. The tape frees memory that the record still holds. */
export function dropRecord(z: Tensor, state: Tensor["state"]): void {
  // A part's gradient flows through the record of z; without that record, backward of the part throws.
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

/** Op of a further output. Its gradient is read by the backward of the first output. */
const partOp: Recorded<null> = { name: "part", saves: nothing, backward: () => {} };

/**
 * Makes z a further output, with this index, of the op that recorded `main`, the first output. If the record of `main`
 * was consumed, backward from z throws. Returns z.
 */
export function recordPart(main: Tensor, index: number, z: Tensor): Tensor {
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

/** Whether z is still a further output, and was not made a parameter: a leaf with its own gradient. */
export const isPart = (z: Tensor | undefined): z is Tensor => z?.op === (partOp as Recorded<never>);

/** The further outputs of a record. */
export const partsOf = ({ parts }: Tensor): Tensor[] => (parts ?? []).filter(isPart);

/** Throws an Error if the record of x was consumed. */
export function checkUnconsumed(x: Tensor): void {
  if (x.state !== "consumed") return;
  throw new Error(
    "backward: this graph was consumed by an earlier backward(), or the first output of its op was disposed, returned or made a parameter",
  );
}
