/**
 * Building blocks for fused layers of users: ops with their own forward and backward over addresses of tensors.
 *
 * `apply` runs an op and records it if a gradient is needed; `backward()` then calls the op's backward, which adds to
 * the gradients at the addresses that `gradOf` returns. Numbers are in linear memory. An op computes them by the
 * kernels `k`, by a loop over `valuesAt`, or by a WebAssembly module over the `memory` of {@link jarvis-snn/kernels}.
 * Inside `gradcheck` (`inReference()` is true), numbers are float64 at negative addresses. `k` and `valuesAt` support
 * these; your own module does not.
 *
 * Addresses are not checked: a loop that writes beyond its tensor overwrites other tensors.
 *
 * @module jarvis-snn/extend
 */
import { COUNT, numberOf, wrongType } from "./arguments.ts";
import { isRunning } from "./core/backward.ts";
import { gradientAt } from "./core/gradient.ts";
import { applyOp, ready, recorded, recordOp, recordPart, recycleSaved, saveBlock } from "./core/op.ts";
import { allocateInScope, scope } from "./core/scope.ts";
import { alive, emptyLike, emptyOf, Tensor } from "./core/tensor.ts";
import type { Reads } from "./forms/shortcuts.ts";
import { emptySpikesOf, packedAt } from "./forms/values.ts";
import { checkShape, type Shape } from "./shape.ts";

export type { CoreKernels, ExtraKernels, RareKernels } from "../kernels/build/types.ts";
export { extra, inReference, integersAt, k, rare, valuesAt } from "./core/backend.ts";
export { gradOfPart, passGradient } from "./core/gradient.ts";
export { NO_GRADIENT, ready } from "./core/op.ts";
/**
 * Flags for `saves` of an op, to be added up: values that its backward reads. Overwriting one before `backward()` is
 * then an error.
 */
export * as SAVES from "./core/saves.ts";
export { recycle } from "./core/scope.ts";
export { composed, composedOp } from "./core/tape.ts";
export { alive, peek, streamBytes, touch } from "./core/tensor.ts";
export type { Form, Reads } from "./forms/shortcuts.ts";
export { constantSource, spikesAt } from "./forms/values.ts";
export { generatorOf } from "./generator.ts";
export { nearest } from "./nearest.ts";
export { buffer, persist } from "./outside/persist.ts";
export { checkShape } from "./shape.ts";

/** What the tape stores of an op: its name, and backward for output z, inputs a, b, c and attributes. */
export interface Recorded<Attrs> {
  /** Name of the op for errors. */
  readonly name: string;
  /** Which values backward reads: a sum of SAVES. */
  readonly saves: number;
  /** Short forms that the op reads; the engine writes out all others as floats. */
  readonly reads?: Reads;
  /** Further tensors that backward reads, if `saves` contains `SAVES.more`. */
  more?(attrs: Attrs): readonly (Tensor | null)[];
  /**
   * Adds to the gradients of a, b and c; a missing input is null. Reads the gradients of z and of its parts. z's
   * gradient has address 0 if only parts have one.
   */
  backward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

/** An op that `apply` runs. Its output has the shape `attrs.shape`, else the shape of a. */
export interface Op<Attrs> extends Recorded<Attrs> {
  /**
   * Number of trailing axes that the op mixes; leading axes are a batch. If a repeats one step along its first axis,
   * the op runs once, for this step. Attributes may depend on the batch only in `shape`, whose first axis is that of a.
   */
  readonly lifts?: number;
  /**
   * Writes every element of z ← op(a, b, c). `saveFor` allocates memory for backward. Streams call forward repeatedly
   * with other values, so each call repeats choices that depend on values, such as a sparse path, and stores them in
   * attrs.
   */
  forward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

/**
 * z = op(a, b, c) with the shape `attrs.shape`, else the shape of a. Recorded if an input requires a gradient and a
 * tape records.
 *
 * @throws TypeError for inputs that are not tensors; Error for a freed input; RangeError for an impossible shape.
 */
export function apply<Attrs>(
  op: Op<Attrs>,
  attrs: Attrs,
  a: Tensor,
  b: Tensor | null = null,
  c: Tensor | null = null,
): Tensor {
  const own = coreOp(op);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  if (shape !== undefined) checkShape(op.name, shape);
  return applyOp(own, attrs, a, b as Tensor, c as Tensor);
}

/**
 * Records z, which the caller has just made from a, b and c, if a tape records and one of a, b, c requires a gradient.
 * Use it for outputs that `apply` cannot make, such as spikes. If attrs contain tensors with gradients, the op's `more`
 * lists them, and `wanted` says whether a gradient is needed. Returns z.
 *
 * @throws Error for a z that an op has recorded already, or that belongs to a different tape; TypeError for anything but a tensor.
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
  const own = coreOp(op);
  checkNew("record", z);
  for (const x of [a, b, c]) if (x !== null) alive(x, op.name);
  if (wanted === undefined) return recorded(own, attrs, z, a, b, c);
  if (wanted && scope.recording) recordOp(z, own as Recorded<never>, attrs, a, b, c);
  else recycleSaved(z, scope.region);
  return z;
}

/**
 * Makes z, which the caller has just made, output number `index` (1, 2, …) of the op that made `main`. The op's
 * backward runs if any output has a gradient; there `gradOfPart` returns that of z. Returns z.
 *
 * @throws Error for a z that an op has recorded already, or that belongs to a different tape; RangeError for an index below 1.
 */
export function part(main: Tensor, index: number, z: Tensor): Tensor {
  alive(main, "part");
  checkNew("part", z);
  return recordPart(main, numberOf("part", "index", index, COUNT), z);
}

/** Maps each op with shortcuts to the object that `withShortcuts` made of it. */
const split = new WeakMap<object, object>();

/** Converts an op to core's form: `reads` and `lifts` move to a second record, `shortcuts`. */
function coreOp<O extends Recorded<never> & { readonly lifts?: number }>(op: O): O {
  const { reads, lifts } = op;
  if (typeof reads === "function" || "takesBits" in op) throw oldForm(op);
  return reads === undefined && lifts === undefined ? op : withShortcuts(op, { reads, lifts });
}

function withShortcuts<O extends Recorded<never>>(op: O, shortcuts: object): O {
  if (!split.has(op)) split.set(op, Object.create(op, { shortcuts: { value: shortcuts } }));
  return split.get(op) as O;
}

/** The error for an op in the former format, whose `reads` did not name forms. */
const oldForm = (op: Recorded<never>): TypeError =>
  "takesBits" in op
    ? new TypeError(`${op.name}: expected reads: { a: ["bits"] }, got takesBits`)
    : new TypeError(`${op.name}: expected more(attrs) to list further tensors that backward reads, got reads(attrs)`);

function checkNew(where: string, z: Tensor): void {
  alive(z, where);
  if (z.op === null && z.region === scope.region) return;
  const got = z.op === null ? "one of another tape" : `the output of ${(z.op as Recorded<never>).name}`;
  throw new Error(`${where}: expected an output that was just made, by empty or the like, got ${got}`);
}

/**
 * For use in a backward: the address of the gradient of an input, which the op adds to, or of the output, which the op
 * reads; 0 if no gradient is needed, or for a missing input (null).
 *
 * @throws Error outside of a backward; TypeError for anything but a tensor.
 */
export function gradOf(x: Tensor | null): number {
  if (x === null) return 0;
  if (!(x instanceof Tensor)) throw wrongType("gradOf", "a tensor", x);
  if (!isRunning) throw new Error("gradOf: no backward() is running; call it in the backward of an op");
  return gradientAt(x);
}

/**
 * Address of the values of x. Packed spikes and repeated steps are written out as floats first.
 *
 * @throws Error if x was freed; TypeError for anything but a tensor.
 */
export function addressOf(x: Tensor): number {
  ready("addressOf", x);
  return x.ptr;
}

/**
 * Address of the bits of x if x is packed spikes, else 0.
 *
 * @throws as {@link addressOf}.
 */
export function bitsOf(x: Tensor): number {
  alive(x, "bitsOf");
  return packedAt(x);
}

/**
 * An uninitialised tensor of the current tape, with the given shape or the shape of a tensor. Use it for an output, or
 * for numbers that forward saves for backward.
 *
 * @throws RangeError for an impossible shape, or if memory runs out.
 */
export const empty = (like: Shape | Tensor): Tensor =>
  like instanceof Tensor ? emptyLike(like) : emptyOf(checkShape("empty", like));

/**
 * `empty` for spikes. The caller writes their bits at `spikesAt`: `Math.ceil(size / 32)` 32-bit words, first spike in
 * the lowest bit. Inside `gradcheck`, spikes are numbers, 0 or 1, at that address.
 *
 * @throws as {@link empty}.
 */
export const emptySpikes = (like: Shape | Tensor): Tensor =>
  emptySpikesOf(like instanceof Tensor ? like.sizes : checkShape("emptySpikes", like));

/** Whether the current tape records. If false, no backward follows, so forward need not save anything. */
export const isRecording = (): boolean => scope.recording;

/**
 * For use in a forward: allocates a block that forward writes for backward. Each call returns a new address; store it
 * in attrs. The block is freed with the record of output z, or right after forward if nothing is recorded, as in a
 * `Stream`.
 *
 * @throws RangeError unless bytes is a positive integer, or if memory runs out; TypeError for anything but a tensor.
 */
export function saveFor(z: Tensor, bytes: number): number {
  alive(z, "saveFor");
  return saveBlock(z, numberOf("saveFor", "bytes", bytes, COUNT));
}

/**
 * Address of an uninitialised workspace, valid until `recycle` or the end of the tape.
 *
 * @throws RangeError unless bytes is a positive integer, or if memory runs out.
 */
export const allocate = (bytes: number): number => allocateInScope(numberOf("allocate", "bytes", bytes, COUNT));
