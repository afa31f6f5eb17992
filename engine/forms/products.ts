/**
 * Calls of product kernels: dense, and faster ones that skip zeros of x. Spikes are mostly zeros, so most products skip
 * them. All calls share one descriptor.
 */
import * as layout from "../../kernels/product-layout.ts";
import { descriptor, inReference, integers, k, wordsAt, writePair } from "../core/backend.ts";
import { recycleSaved, saveBlock } from "../core/op.ts";
import { allocateInScope, recycle, scope } from "../core/scope.ts";
import type { Shape } from "../core/shape.ts";
import { ready, type Tensor } from "../core/tensor.ts";
import { columnStride, columnsOf } from "./columns.ts";
import type { Factors } from "./shortcuts.ts";

/**
 * Describes C ← init + A·B, with C [m, n], A [m, depth] and B [depth, n] without gaps. `init`: 0 for zeros, c to add to
 * C, or a row to start every row from. Returns the index of the first word in `integers`, valid until memory is
 * allocated, so that callers can change words.
 */
export function describeProduct(
  c: number,
  init: number,
  a: number,
  b: number,
  m: number,
  n: number,
  depth: number,
): number {
  const at = wordsAt(descriptor, layout.words);
  const words = integers;
  words[at + layout.c] = c;
  words[at + layout.init] = init;
  words[at + layout.m] = m;
  words[at + layout.n] = n;
  words[at + layout.k] = depth;
  words[at + layout.a] = a;
  words[at + layout.aRow] = depth;
  words[at + layout.aCol] = 1;
  words[at + layout.b] = b;
  words[at + layout.bRow] = n;
  words[at + layout.bCol] = 1;
  words[at + layout.cRow] = n;
  return at;
}

/** z ← init + x·w, for `rows` rows of x. */
export function times(z: number, init: number, x: number, w: number, rows: number, factors: Factors): void {
  const { depth, outputs, stepIn, stepOut } = factors;
  const at = describeProduct(z, init, x, w, rows, outputs, depth);
  writePair(at + layout.bRow, stepIn, stepOut);
  k.gemm(descriptor);
}

/** dx ← init + dz·wᵀ, for `rows` rows of dz. */
export function timesTransposed(dx: number, init: number, dz: number, w: number, rows: number, factors: Factors): void {
  describeTransposed(dx, init, dz, w, rows, factors);
  k.gemm(descriptor);
}

/** Writes the descriptor of `timesTransposed`. */
export function describeTransposed(
  dx: number,
  init: number,
  dz: number,
  w: number,
  rows: number,
  { depth, outputs, stepOut, stepIn }: Factors,
): void {
  const at = describeProduct(dx, init, dz, w, rows, depth, outputs);
  writePair(at + layout.bRow, stepOut, stepIn);
}

/** dw ← init + xᵀ·dz, in the layout of w. */
export function transposedTimes(dw: number, init: number, x: number, dz: number, rows: number, factors: Factors): void {
  const { depth, outputs, stepOut } = factors;
  const byRows = stepOut === 1;
  const m = byRows ? depth : outputs;
  const at = describeProduct(dw, init, byRows ? x : dz, byRows ? dz : x, m, byRows ? outputs : depth, rows);
  writePair(at + layout.aRow, 1, m);
  k.gemm(descriptor);
}

/**
 * Runs a described product over the `count` set bits of A, which has m rows. If the address of A is 0, its non-zeros are ones.
 */
function follow(bits: number, count: number, m: number, graded: boolean): void {
  // Workspace of the kernel.
  const bytes = 4 * (m + 5 + (graded ? 2 * count : (count + 1) >> 1));
  const work = allocateInScope(bytes);
  const at = wordsAt(descriptor, layout.words);
  integers[at + layout.bits] = bits;
  integers[at + layout.count] = count;
  integers[at + layout.work] = work;
  k.gather(descriptor);
  recycle(work, bytes);
}

/** Bytes of a bit matrix whose rows are whole words. */
export const bitBytes = (rows: number, columns: number): number => 4 * rows * Math.ceil(columns / 32);

/**
 * A product x·w + bias over the last axis of x, and its method: dense, over the non-zeros of x, or with spikes as
 * masks. The strides say whether w is [in, out] or [out, in].
 */
export interface Product extends Factors {
  readonly shape: Shape;
  /** Whether w is [out, in]. */
  readonly turned: boolean;
  /** Address of the bits of the non-zeros of x, [rows, ⌈in/32⌉], or 0: x is treated as dense. */
  bits: number;
  /** Whether `bits` mask a product with all inputs; otherwise the kernel visits only set bits. */
  masks: boolean;
  /** Number of non-zeros of x. */
  count: number;
  /** Whether some non-zeros of x differ from 1. */
  graded: boolean;
}

/**
 * z ← x·w + bias by a faster method than {@link times}: over non-zeros of x, with spikes as masks, or with transposed
 * weights. All give the same bits. Returns false, with z unwritten, if no method is faster.
 */
export function multiplyFast(z: Tensor, x: Tensor, w: Tensor, bias: Tensor | null, product: Product): boolean {
  choosePath(product, z, x);
  const { depth, outputs, stepIn, stepOut, bits, masks, count, graded } = product;
  const rows = x.size / depth;
  const columns = product.turned && rows <= FEW_ROWS && !isRecorded(x, w, bias) ? columnsOf(w) : 0;
  if (bits === 0 && columns === 0) return false;
  if (bits === 0) ready("linear", x);
  const start = bias === null ? 0 : bias.ptr;
  if (masks) {
    const turned = allocateInScope(bitBytes(depth, rows));
    k.transposeBits(turned, bits, rows, depth);
    const at = describeProduct(z.ptr, start, w.ptr, 0, outputs, rows, depth);
    writePair(at + layout.aRow, stepOut, stepIn);
    multiplyMasked(at, turned, 1, outputs);
    recycle(turned, bitBytes(depth, rows));
    return true;
  }
  const at = describeProduct(z.ptr, start, bits === 0 || graded ? x.ptr : 0, columns || w.ptr, rows, outputs, depth);
  writePair(at + layout.bRow, columns === 0 ? stepIn : columnStride(outputs), columns === 0 ? stepOut : 1);
  if (bits === 0) k.gemm(descriptor);
  else follow(bits, count, rows, graded);
  return true;
}

/** dw ← init + xᵀ·dz by the method that forward chose. */
export function addWeightGradient(
  dw: number,
  init: number,
  dz: number,
  x: Tensor,
  rows: number,
  product: Product,
): void {
  const { depth, outputs, stepIn, stepOut, bits, masks, count, graded } = product;
  if (!masks) return gatherWeightGradient(dw, init, dz, bits, count, graded ? x.ptr : 0, rows, product);
  const at = describeProduct(dw, init, dz, 0, outputs, depth, rows);
  writePair(at + layout.aRow, 1, outputs);
  multiplyMasked(at, bits, stepOut, stepIn);
}

/** Multiplies with bits as masks. The descriptor is complete except for the strides of C. */
function multiplyMasked(at: number, bits: number, cRow: number, cCol: number): void {
  writePair(at + layout.cRow, cRow, cCol);
  integers[at + layout.bits] = bits;
  k.gemmMasked(descriptor);
}

/**
 * dw ← xᵀ·dz, or dw += xᵀ·dz if `from` ≠ 0, over the non-zeros of x. Row i of the sum [in, out] adds the rows of dz at
 * which column i of x is not 0; it is transposed for w [out, in]. `bits` mark the `count` non-zeros of x [rows, in].
 * `values` is 0 if these are all 1.
 */
export function gatherWeightGradient(
  dw: number,
  from: number,
  dz: number,
  bits: number,
  count: number,
  values: number,
  rows: number,
  { depth, outputs, stepOut }: Factors,
): void {
  const bytes = bitBytes(depth, rows);
  const places = allocateInScope(bytes);
  k.transposeBits(places, bits, rows, depth);
  const size = 4 * depth * outputs;
  const asItIs = stepOut === 1;
  const sum = asItIs ? dw : allocateInScope(size);
  if (from !== 0 && !asItIs) k.transpose(sum, dw, outputs, depth);
  const at = describeProduct(sum, from === 0 ? 0 : sum, values, dz, depth, outputs, rows);
  writePair(at + layout.aRow, 1, depth);
  follow(places, count, depth, values !== 0);
  if (!asItIs) {
    k.transpose(dw, sum, depth, outputs);
    recycle(sum, size);
  }
  recycle(places, bytes);
}

/**
 * Largest density of non-zeros at which skipping zeros is faster, for very many outputs. For `half` panels of 16 outputs it is half as
 * large, because the lists cost as much for few outputs as for many. Measured.
 */
const BINARY = { density: 0.8, half: 0.4 };
const GRADED = { density: 0.7, half: 2.5 };

/**
 * Products with at most `outputs` outputs and at least `rows` rows use spikes as masks above a density: `forTwo` for
 * one or two outputs, `forMore` for three or four. Measured.
 */
const MASKED = { outputs: 4, rows: 16, forTwo: 0.06, forMore: 0.25 };

/** Most rows for which a transposed copy of the weights pays. */
const FEW_ROWS = 64;

/**
 * Chooses the method by the number of non-zeros of x: skips zeros if there are few non-zeros, uses many spikes as masks
 * if there are few outputs, else multiplies densely. The reference is always dense. Only the data decide.
 */
function choosePath(product: Product, z: Tensor, x: Tensor): void {
  if (inReference()) return;
  const { depth, outputs } = product;
  const spikes = x.ptr === 0;
  const rows = x.size / depth;
  // Packed spikes can be read in place if x has one row, or rows of whole words.
  const owned = !(spikes && (rows === 1 || depth % 32 === 0));
  const bits = owned ? saveBlock(z, bitBytes(rows, depth)) : x.bits;
  const found = !spikes
    ? k.packBits(bits, x.ptr, rows, depth)
    : owned
      ? k.alignBits(bits, x.bits, rows, depth)
      : k.countBits(bits, Math.ceil(x.size / 32));
  const graded = found < 0;
  const count = found & 0x7fffffff;
  const { density, half } = graded ? GRADED : BINARY;
  // The cost of a dense product.
  const panels = Math.ceil(outputs / 4) / 4;
  const enough = (outputs <= 2 ? MASKED.forTwo : MASKED.forMore) * x.size;
  const masks = spikes && outputs <= MASKED.outputs && rows >= MASKED.rows && count >= enough;
  const dense = !masks && count * (panels + half) >= density * panels * x.size;
  if (dense && owned) recycleSaved(z, scope.region);
  product.bits = dense ? 0 : bits;
  product.masks = masks;
  product.count = count;
  product.graded = graded;
}

/** Whether the product will be recorded; its weights then probably change before the next product. */
const isRecorded = (x: Tensor, w: Tensor, bias: Tensor | null): boolean =>
  scope.recording && (x.requiresGrad || w.requiresGrad || (bias?.requiresGrad ?? false));
