/**
 * The parts of a user's fused layer: an op with a forward and a backward of its own, over the addresses of tensors.
 *
 * `apply` runs an op and records it where a gradient is wanted; `backward()` then calls the op's backward, which adds to the
 * gradients at the addresses that `gradOf` gives. The numbers lie in linear memory. There the kernels `k` compute, a loop over
 * `valuesAt`, or a WebAssembly module over the `memory` of {@link jarvis-snn/kernels}. Inside of `gradcheck` they are float64 at
 * negative addresses, which `k` and `valuesAt` know and a user's module does not: `inReference` tells.
 *
 * Addresses are not checked, as in kernels: a loop that writes beyond its tensor overwrites another one.
 *
 * @module jarvis-snn/extend
 */
import { COUNT, numberOf, wrongType } from "./arguments.ts";
import { isRunning } from "./backward.ts";
import type { Op, Recorded } from "./op.ts";
import {
  apply as applied,
  bitsOf as bits,
  gradOf as gradientOf,
  part as partOf,
  ready,
  saveFor as savedFor,
} from "./op.ts";
import { recorded, record as recordOf, recycleSaved } from "./record.ts";
import { allocate as allocated, scope } from "./scope.ts";
import { checkShape, type Shape } from "./shape.ts";
import { alive, emptyLike, empty as emptyOf, emptySpikes as spikesOf, Tensor } from "./tensor.ts";

export type { CoreKernels, ExtraKernels } from "../kernels/build/types.ts";
export { extra, inReference, integersAt, k, valuesAt } from "./backend.ts";
export { composed, composedOp } from "./composed.ts";
export { generatorOf } from "./generator.ts";
export { gradOfPart, NO_GRADIENT, type Op, passGradient, type Recorded, ready } from "./op.ts";
/** For `saves` of an op, added up: which values its backward reads. Writing to one before `backward()` is an error then. */
export * as SAVES from "./saves.ts";
export { recycle } from "./scope.ts";
export { checkShape } from "./shape.ts";
export { buffer, persist } from "./tape.ts";
export type { Form, Reads } from "./tensor.ts";
export { alive, constantSource, peek, spikesAt, streamBytes, touch } from "./tensor.ts";

/**
 * z = op(a, b, c), of the shape `attrs.shape`, or else the shape of a; on record where an input requires a gradient and a
 * tape records.
 *
 * @throws TypeError for inputs that are no tensors; Error for one that was freed; RangeError for an impossible shape.
 */
export function apply<Attrs>(
  op: Op<Attrs>,
  attrs: Attrs,
  a: Tensor,
  b: Tensor | null = null,
  c: Tensor | null = null,
): Tensor {
  checkForm(op);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  if (shape !== undefined) checkShape(op.name, shape);
  return applied(op, attrs, a, b as Tensor, c as Tensor);
}

/**
 * Puts z, which the caller has just made of a, b and c, on record where a tape records and one of them requires a gradient: for outputs
 * that `apply` cannot make, such as spikes. `wanted` tells instead whether a gradient is wanted, where tensors in attrs may require one
 * too; `more` of the op lists those. Returns z.
 *
 * @throws Error for a z that an op has recorded already, or of another tape; TypeError for anything but a tensor.
 */
export function record<Attrs>(
  op: Recorded<Attrs>,
  attrs: Attrs,
  z: Tensor,
  a: Tensor,
  b: Tensor | null = null,
  c: Tensor | null = null,
  wanted?: boolean,
): Tensor {
  checkForm(op);
  checkNew("record", z);
  for (const x of [a, b, c]) if (x !== null) alive(x, op.name);
  if (wanted === undefined) return recorded(op, attrs, z, a, b, c);
  if (wanted && scope.recording) recordOf(z, op as Recorded<never>, attrs, a, b, c);
  else recycleSaved(z, scope.region);
  return z;
}

/**
 * Makes z, which the caller has just made, the further output of this index, 1, 2, …, of the op that gave `main`. A gradient that
 * reaches one of the outputs is enough for its backward to run, where `gradOfPart` gives the gradient of z. Returns z.
 *
 * @throws Error for a z that an op has recorded already, or of another tape; RangeError for an index below 1.
 */
export function part(main: Tensor, index: number, z: Tensor): Tensor {
  alive(main, "part");
  checkNew("part", z);
  return partOf(main, numberOf("part", "index", index, COUNT), z);
}

/** Throws for a record in the form of before `reads` named forms. */
function checkForm(op: Recorded<never>): void {
  if ("takesBits" in op) throw new TypeError(`${op.name}: expected reads: { a: ["bits"] }, got takesBits`);
  if (typeof op.reads !== "function") return;
  throw new TypeError(`${op.name}: expected more(attrs) to list further tensors that backward reads, got reads(attrs)`);
}

function checkNew(where: string, z: Tensor): void {
  alive(z, where);
  if (z.op === null && z.region === scope.region) return;
  const got = z.op === null ? "one of another tape" : `the output of ${(z.op as Recorded<never>).name}`;
  throw new Error(`${where}: expected an output that was just made, by empty or the like, got ${got}`);
}

/**
 * In a backward, the address of the gradient of an input, to add to, or of the output, to read. 0 where no gradient is wanted, and for
 * an input that is not there, null.
 *
 * @throws Error outside of a backward; TypeError for anything but a tensor.
 */
export function gradOf(x: Tensor | null): number {
  if (x === null) return 0;
  if (!(x instanceof Tensor)) throw wrongType("gradOf", "a tensor", x);
  if (!isRunning) throw new Error("gradOf: no backward() is running; call it in the backward of an op");
  return gradientOf(x);
}

/**
 * The address of the values of x. Spikes and expansions that were kept in a short form are written out.
 *
 * @throws Error if x was freed; TypeError for anything but a tensor.
 */
export function addressOf(x: Tensor): number {
  ready("addressOf", x);
  return x.ptr;
}

/**
 * The address of the values of x as a stream of bits, where they are spikes that have not been written out, else 0.
 *
 * @throws as {@link addressOf}.
 */
export function bitsOf(x: Tensor): number {
  alive(x, "bitsOf");
  return bits(x);
}

/**
 * A tensor with unwritten values, of a shape or of the shape of a tensor: an output, or numbers that forward keeps for backward. It belongs to
 * the tape that runs.
 *
 * @throws RangeError for an impossible shape, or where memory runs out.
 */
export const empty = (like: Shape | Tensor): Tensor =>
  like instanceof Tensor ? emptyLike(like) : emptyOf(checkShape("empty", like));

/**
 * The same for spikes, whose bits, at `spikesAt`, are to be written: `Math.ceil(size / 32)` words of 32, the first spike lowest. Inside
 * of `gradcheck` spikes are numbers, 0 or 1, at the same address.
 *
 * @throws as {@link empty}.
 */
export const emptySpikes = (like: Shape | Tensor): Tensor =>
  spikesOf(like instanceof Tensor ? like.sizes : checkShape("emptySpikes", like));

/** Whether the tape that runs records: where it does not, no backward comes, and forward has nothing to keep. */
export const isRecording = (): boolean => scope.recording;

/**
 * In a forward, the address of a block that it writes for backward, once for each call: note the address in attrs. The block is
 * freed with the record of the output z, and right after forward where nothing is recorded, as in a `Stream`.
 *
 * @throws RangeError unless bytes is a positive integer, or where memory runs out; TypeError for anything but a tensor.
 */
export function saveFor(z: Tensor, bytes: number): number {
  alive(z, "saveFor");
  return savedFor(z, numberOf("saveFor", "bytes", bytes, COUNT));
}

/**
 * The address of a buffer to work in, until `recycle` or the end of the tape; its content is anything.
 *
 * @throws RangeError unless bytes is a positive integer, or where memory runs out.
 */
export const allocate = (bytes: number): number => allocated(numberOf("allocate", "bytes", bytes, COUNT));
