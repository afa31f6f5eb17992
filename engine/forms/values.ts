/**
 * Values in short forms: packed spikes, one bit each, and one step that repeats over time. Packed spikes take 1/32 of
 * the memory; an op on a repeated step runs once. An op's shortcuts name the forms that it reads; other forms are
 * written out as floats.
 */
import { heap, inReference, k, simd, useBackend } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, recorded } from "../core/op.ts";
import { nothing } from "../core/saves.ts";
import { adopt, allocateIn, allocateInScope, outside, root, scope } from "../core/scope.ts";
import { checkSize, type Shape, sizeOf } from "../core/shape.ts";
import { composed } from "../core/tape.ts";
import {
  alive,
  checkOwn,
  emptyOf,
  fillForms,
  KEY,
  type Op,
  ready,
  streamBytes,
  Tensor,
  touch,
  unwritten,
} from "../core/tensor.ts";
import { reshaped } from "../core/views.ts";
import { dropColumns, exposeValues } from "./columns.ts";
import { recycleForm, writeOutFor, writeOutGradient } from "./gradients.ts";
import type { Form, Shortcuts, ShortOp } from "./shortcuts.ts";

/** The form of x; "floats" if x has floats and bits. */
export const formOf = (x: Tensor): Form => (x.ptr !== 0 ? "floats" : x.bits !== 0 ? "bits" : "repeats");

/** Address of packed spikes; 0 if x has floats or no bits. */
export const packedAt = (x: Tensor): number => (x.ptr === 0 ? x.bits : 0);

/** Whether a value of any type is a tensor that repeats one step along its first axis. */
export const repeatsSteps = (x: Tensor): boolean =>
  x?.ptr === 0 && x.bits === 0 && x.base?.size === x.size / (x.sizes[0] as number);

/** The step that t repeats along its first axis, or null if it repeats none. */
export function constantSource(t: Tensor): Tensor | null {
  if (t.ptr !== 0 || t.bits !== 0) return null;
  alive(t, "expand");
  return t.base;
}

/** Output of an op for packed spikes, or for a repeated step: then the op runs once and its output is repeated. */
function applyShort<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  const shortcuts: Shortcuts<Attrs> = (op as Partial<ShortOp<Attrs>>).shortcuts ?? {};
  const { lifts = Infinity, reads } = shortcuts;
  const { shape = a.sizes } = (attrs ?? {}) as { shape?: Shape };
  if (repeatsSteps(a) && a.ndim > lifts) {
    const ofStep = attrs && { ...attrs, shape: shape.slice(1) };
    return composed(onStep, (x: Tensor) => applyOp(op, ofStep, x, b, c), a);
  }
  const keeps = shortcuts.keepsBits?.(attrs);
  ready(op.name, a, reads?.a !== undefined && keeps !== false);
  if (a.ptr !== 0) return applyOp(op, attrs, a, b, c);
  if (b !== null) ready(op.name, b);
  if (c !== null) ready(op.name, c);
  const z = keeps ? emptySpikesOf(shape) : emptyOf(shape);
  op.forward(z, a, b, c, attrs);
  return recorded(op, attrs, z, a, b, c);
}

/** Unwritten spikes of the current scope: packed, or numbers for the float64 kernels. */
export function emptySpikesOf(shape: Shape): Tensor {
  const size = sizeOf(shape);
  checkSize("spikes", shape, size);
  if (inReference()) return unwritten(shape, size);
  const z = new Tensor(shape, size, 0, scope.region, scope === root, KEY);
  z.bits = allocateInScope(streamBytes(size));
  if (scope === root) outside.noteMade(z, z.bits, streamBytes(size));
  return z;
}

/** Where a kernel writes the spikes of a tensor that `emptySpikesOf` made. */
export const spikesAt = (z: Tensor): number => z.bits || z.ptr;

/** Gives t, which is outside of tapes, packed bits beside its floats: those of x or, without x, uninitialised ones. */
export function addBits(t: Tensor, x?: Tensor): void {
  const bytes = streamBytes(t.size);
  t.bits = x?.bits ?? allocateIn(root.region, bytes);
  if (x === undefined) outside.hold(t, t.bits, bytes);
}

/** Writes the floats of a tensor from its packed bits, if it has any. */
export function unpack({ ptr, bits, size }: Tensor): void {
  if (bits !== 0) k.unpackBits(ptr, bits, size);
}

/** Sets the floats of t, and its bits if any, to 0. */
export function clear(t: Tensor): void {
  k.fill(t.ptr, t.size, 0);
  if (t.bits !== 0) k.fill(t.bits, streamBytes(t.size) / 4, 0);
  touch(t);
}

/** If t has bits, drops its floats, so that it is packed. */
export function dropFloats(t: Tensor): void {
  if (t.bits !== 0) t.ptr = 0;
}

/** Writes out packed spikes, or a repeated step as T copies. */
function materialise(z: Tensor): void {
  checkOwn("spikes", z);
  const source = z.base;
  if (source !== null && source.ptr === 0) materialise(source);
  if (source !== null && z.bits !== 0) {
    z.ptr = source.ptr;
    return;
  }
  if (heap !== simd.heap && (source === null ? z.bits : source.ptr) > 0) {
    // z is in linear memory, outside of the float64 run that reads it, and outlives the run.
    const inner = { kernels: k, heap };
    useBackend(simd);
    try {
      return materialise(z);
    } finally {
      useBackend(inner);
    }
  }
  const p = allocateIn(z.region, 4 * z.size);
  if (source === null) k.unpackBits(p, z.bits, z.size);
  else k.expandAxis(p, source.ptr, 1, z.size / source.size, source.size);
  z.ptr = p;
  z.base = null;
  if (z.region.scope === root) adopt(z, z.region, p, 4 * z.size);
}

fillForms({
  materialise,
  apply: applyShort,
  dropCopies: dropColumns,
  expose: exposeValues,
  writeOut: writeOutGradient,
  writeOutFor,
  recycle: recycleForm,
});

/** x as [outer, inner] and z as [outer, times, inner]. */
export interface Repeat {
  readonly shape: Shape;
  readonly outer: number;
  readonly times: number;
  readonly inner: number;
}

/** z[o, r, i] = x[o, i].  ∂L/∂x[o, i] = Σᵣ ∂L/∂z[o, r, i]. */
export const expandOp: Op<Repeat> = {
  name: "expand",
  saves: nothing,
  forward: (z, x, _y, _w, { outer, times, inner }) => k.expandAxis(z.ptr, x.ptr, outer, times, inner),
  backward(z, x, _y, _w, { outer, times, inner }) {
    const dx = gradientAt(x);
    if (dx !== 0) k.addSumAxis(dx, z.gradPtr, outer, times, inner, 1);
  },
};

/** Repeats x along new leading axes, up to `shape`. Floats are written out only when an op needs them. */
export function repeated(x: Tensor, shape: Shape): Tensor {
  ready("expand", x);
  const size = sizeOf(shape);
  const z = new Tensor(shape, size, 0, scope.region, false, KEY);
  z.base = x;
  return recorded(expandOp, { shape, outer: 1, times: size / x.size, inner: x.size }, z, x, null, null);
}

type OnStep = (x: Tensor, b?: unknown, c?: unknown, d?: unknown) => Tensor;

/** Applies fn to the step that the live tensor x repeats, and repeats the result. */
export function onStep(fn: OnStep, x: Tensor, b?: unknown, c?: unknown, d?: unknown): Tensor {
  const z = fn(reshaped(x.base as Tensor, x.sizes.slice(1)), b, c, d);
  return repeated(z, [x.sizes[0] as number, ...z.sizes]);
}

/**
 * Makes an op of fn, which mixes the last `axes` axes of x and treats leading axes as a batch. If x repeats a step
 * along its first axis, fn runs once for this step, and its result is repeated. Ops with a record use `lifts` for this.
 */
/* @__NO_SIDE_EFFECTS__ */
export function liftedOp<F>(fn: F, axes: (b: never, c: never, d: never) => number): F {
  return ((x: Tensor, b: never, c: never, d: never) =>
    repeatsSteps(x) && x.ndim > axes(b, c, d)
      ? composed(onStep, fn as OnStep, x, b, c, d)
      : (fn as OnStep)(x, b, c, d)) as unknown as F;
}
