/** Products. Every element is summed in ascending order with one accumulator, on the dense and on the sparse path. */
import * as layout from "../../kernels/product-layout.ts";
import { wrongValue } from "../arguments.ts";
import { descriptor, inReference, integers, k, writePair } from "../backend.ts";
import { columnStride, columnsOf } from "../columns.ts";
import { composedOp } from "../composed.ts";
import type { Factors, Op } from "../op.ts";
import {
  apply,
  canTakeOver,
  gradOf,
  handOver,
  holds,
  readsGradient,
  ready,
  recycleSaved,
  SAVES,
  saveFor,
} from "../op.ts";
import { describeProduct, follow, timesTransposed, transposedTimes } from "../products.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import { alive, formOf, type Tensor } from "../tensor.ts";
import { checkOptionalShape } from "./tensors.ts";
import { broadcastTo, reshape } from "./view.ts";

/**
 * x·w + bias over the last axis of x, where w is [in, out] or, by its strides, [out, in]; and how it is computed: dense, by
 * following the non-zeros of x, or with its spikes as masks.
 */
interface Product extends Factors {
  readonly shape: Shape;
  /** w is [out, in]. */
  readonly turned: boolean;
  /** Address of the bits of the non-zeros of x, [rows, ⌈in/32⌉], or 0: x is treated as dense. */
  bits: number;
  /** They are masks for a product with all of x, not places to follow. */
  masks: boolean;
  /** How many non-zeros x has. */
  count: number;
  /** Some non-zeros of x are not 1. */
  graded: boolean;
}

const linearOp: Op<Product> = {
  name: "linear",
  saves: SAVES.a | SAVES.b,
  reads: { a: ["bits"] },
  lifts: 1,
  dense: (product) => ({ ...product, bits: 0, masks: false }),
  forward(z, x, w, bias, product) {
    choosePath(product, z, x);
    const { depth, outputs, stepIn, stepOut, bits, masks, count, graded } = product;
    if (bits === 0) ready("linear", x);
    const start = bias === null ? 0 : bias.ptr;
    const rows = x.size / depth;
    const columns = product.turned && rows <= FEW_ROWS && !isRecorded(x, w, bias) ? columnsOf(w) : 0;
    const from = columns === 0 ? w.ptr : columns;
    const row = columns === 0 ? stepIn : columnStride(outputs);
    const column = columns === 0 ? stepOut : 1;
    if (masks) {
      const turned = allocate(bitBytes(depth, rows));
      k.transposeBits(turned, bits, rows, depth);
      const at = describeProduct(z.ptr, start, w.ptr, 0, outputs, rows, depth);
      writePair(at + layout.aRow, stepOut, stepIn);
      multiplyMasked(at, turned, 1, outputs);
      recycle(turned, bitBytes(depth, rows));
      return;
    }
    const at = describeProduct(z.ptr, start, bits === 0 || graded ? x.ptr : 0, from, rows, outputs, depth);
    writePair(at + layout.bRow, row, column);
    if (bits === 0) k.gemm(descriptor);
    else follow(bits, count, rows, graded);
  },
  backward(z, x, w, bias, product) {
    const { depth, outputs, stepIn, stepOut, bits, masks, count, graded } = product;
    const rows = x.size / depth;
    const dz = z.gradPtr;
    const start = holds(w) ? gradOf(w) : 0;
    const dw = gradOf(w, true);
    if (dw !== 0) {
      if (masks) {
        const at = describeProduct(dw, start, dz, 0, outputs, depth, rows);
        writePair(at + layout.aRow, 1, outputs);
        multiplyMasked(at, bits, stepOut, stepIn);
      } else if (bits !== 0) gatherWeightGradient(dw, start, dz, bits, count, graded ? x.ptr : 0, rows, product);
      else transposedTimes(dw, start, x.ptr, dz, rows, product);
    }
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, dz, 1, rows, outputs, 1);
    inputGradient(z, x, w.ptr, product);
  },
};

/** Multiplies with bits as masks, in a product that is described but for the steps of C. */
function multiplyMasked(at: number, bits: number, cRow: number, cCol: number): void {
  writePair(at + layout.cRow, cRow, cCol);
  integers[at + layout.bits] = bits;
  k.gemmMasked(descriptor);
}

/** With fewer outputs the product is over before its result, so much larger, is written and read again. */
const FEW_OUTPUTS = 64;
/** A neuron packs the weights of so many inputs at once. */
const MANY_INPUTS = 2048;

/** The gradient of x is dz·wᵀ: passed on as two factors, sampled, or written out. */
function inputGradient(z: Tensor, x: Tensor, w: number, product: Product): void {
  const { depth, outputs } = product;
  // A neuron multiplies whole time steps. Where x is [T] alone, a step is one number, less than a row of the product.
  const isFew = outputs > 0 && outputs < FEW_OUTPUTS && depth <= MANY_INPUTS;
  if (isFew && x.ndim > 1 && canTakeOver(x) && readsGradient(x, "product")) {
    return handOver(z, x, { kind: "product", weights: w, factors: product });
  }
  const start = holds(x) ? gradOf(x) : 0;
  const dx = gradOf(x, true);
  if (dx === 0 || sampled(dx, start, z.gradPtr, x, w, product)) return;
  timesTransposed(dx, start, z.gradPtr, w, x.size / depth, product);
}

/** Share of the groups of four below which a product of only those is faster, measured. */
const SAMPLED_DENSITY = 0.5;

/**
 * dx ← start + dz·wᵀ, from 0 where start is 0, where the op that made x has a use for it, and 0 elsewhere. False, with nothing
 * done, if that is nearly everywhere.
 */
function sampled(dx: number, start: number, dz: number, x: Tensor, w: number, product: Product): boolean {
  const { depth, outputs, stepIn, stepOut } = product;
  const { op } = x;
  if (op?.support === undefined || outputs < FEW_OUTPUTS || depth % 4 !== 0 || inReference()) return false;
  const rows = x.size / depth;
  const bytes = bitBytes(rows, depth);
  const bits = allocate(bytes);
  const groups = op.support(x.attrs as never, bits, depth);
  const isSparse = groups >= 0 && 4 * groups < SAMPLED_DENSITY * x.size;
  if (isSparse) {
    if (start === 0) k.fill(dx, x.size, 0);
    const at = describeProduct(dx, dx, dz, w, rows, depth, outputs);
    writePair(at + layout.bRow, stepOut, stepIn);
    integers[at + layout.bits] = bits;
    k.gemmSampled(descriptor);
  }
  recycle(bits, bytes);
  return isSparse;
}

const matmulOp: Op<Product> = { ...linearOp, name: "matmul" };

/** `batches` dense products of [rows, depth] · [depth, outputs]. */
interface Batches extends Factors {
  readonly shape: Shape;
  readonly batches: number;
  readonly rows: number;
}

const batchedOp: Op<Batches> = {
  name: "matmul",
  saves: SAVES.a | SAVES.b,
  forward(z, a, b, _w, { batches, rows, depth, outputs }) {
    for (let i = 0; i < batches; i++) {
      const left = a.ptr + 4 * i * rows * depth;
      const right = b.ptr + 4 * i * depth * outputs;
      describeProduct(z.ptr + 4 * i * rows * outputs, 0, left, right, rows, outputs, depth);
      k.gemm(descriptor);
    }
  },
  backward(z, a, b, _w, factors) {
    const { batches, rows, depth, outputs } = factors;
    const left = 4 * rows * depth;
    const right = 4 * depth * outputs;
    const next = 4 * rows * outputs;
    const aAdds = holds(a);
    const da = gradOf(a, true);
    for (let i = 0; da !== 0 && i < batches; i++) {
      const to = da + i * left;
      timesTransposed(to, aAdds ? to : 0, z.gradPtr + i * next, b.ptr + i * right, rows, factors);
    }
    const bAdds = holds(b);
    const db = gradOf(b, true);
    for (let i = 0; db !== 0 && i < batches; i++) {
      const to = db + i * right;
      transposedTimes(to, bAdds ? to : 0, a.ptr + i * left, z.gradPtr + i * next, rows, factors);
    }
  },
};

/**
 * dw, stored as w is, ← or, where `from` is not 0, += xᵀ·dz, as the sum of the rows of dz at which each column of x is not 0:
 * [in, out], transposed unless w lies so. `bits` are the places of the `count` non-zeros of x [rows, in], `values` is 0 if they are ones.
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
  const places = allocate(bytes);
  k.transposeBits(places, bits, rows, depth);
  const size = 4 * depth * outputs;
  const asItIs = stepOut === 1;
  const sum = asItIs ? dw : allocate(size);
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

/** Bytes of bits in rows of whole words. */
export const bitBytes = (rows: number, columns: number): number => 4 * rows * Math.ceil(columns / 32);

/**
 * Densities below which a product over non-zeros is faster, for very many outputs, and at how many panels of 16 outputs
 * it is half of that: making the lists costs the same for few. Measured.
 */
const BINARY = { density: 0.8, half: 0.4 };
const GRADED = { density: 0.7, half: 2.5 };

/**
 * Heads of at most `outputs` outputs over at least `rows` rows take spikes as masks from a density on, `forTwo` for one
 * or two outputs and `forMore` for three or four. Measured.
 */
const MASKED = { outputs: 4, rows: 16, forTwo: 0.06, forMore: 0.25 };

/** Not more rows than these are worth a copy of the weights. */
const FEW_ROWS = 64;

/** x·w with w [in, out], or [out, in] where `turned`; the values of x were not looked at yet. */
function productOf(x: Tensor, w: Tensor, turned: boolean): Product {
  const depth = x.sizes[x.ndim - 1] as number;
  const outputs = w.sizes[turned ? 0 : 1] as number;
  const [stepIn, stepOut] = turned ? [1, depth] : [outputs, 1];
  const shape = [...x.sizes.slice(0, -1), outputs];
  return { shape, turned, depth, outputs, stepIn, stepOut, bits: 0, masks: false, count: 0, graded: false };
}

/**
 * Chooses how to multiply, by the number of non-zeros of x, which may be spikes in bits: few are followed, many spikes for a few
 * outputs are masks, else the product is dense, as it always is in the reference. The data alone decides.
 */
function choosePath(product: Product, z: Tensor, x: Tensor): void {
  if (inReference()) return;
  const { depth, outputs } = product;
  const spikes = formOf(x) === "bits";
  const rows = x.size / depth;
  // A stream that is one row, or rows of whole words, has the bits in their places.
  const owned = !(spikes && (rows === 1 || depth % 32 === 0));
  const bits = owned ? saveFor(z, bitBytes(rows, depth)) : x.bits;
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

/** Whether the product will be on record, so that its weights are likely to be written before the next one. */
const isRecorded = (x: Tensor, w: Tensor, bias: Tensor | null): boolean =>
  scope.recording && (x.requiresGrad || w.requiresGrad || (bias?.requiresGrad ?? false));

/**
 * z = a·b over the last two axes, [..., m, k]·[..., k, n] → [..., m, n]; other axes are batches and broadcast. A 1-D operand
 * is a row on the left and a column on the right, and its axis is dropped from the result, as in PyTorch.
 *
 *   ∂L/∂a = ∂L/∂z·bᵀ,  ∂L/∂b = aᵀ·∂L/∂z
 *
 * Where b has two axes, zeros of a cost nothing, as in {@link linear}.
 *
 * @throws RangeError if the inner sizes differ, the batch axes do not broadcast, or an operand has no axis.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "jarvis-snn";
 *
 * console.log(matmul(tensor([[1, 2]]), tensor([[3], [4]])).toArray()); // [ [ 11 ] ]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  alive(a, "matmul");
  alive(b, "matmul");
  if (a.ndim === 0 || b.ndim === 0) {
    throw wrongValue("matmul", "at least one axis", `${formatShape(a.sizes)} · ${formatShape(b.sizes)}`);
  }
  const depth = a.sizes[a.ndim - 1] as number;
  if (depth !== b.sizes[Math.max(b.ndim - 2, 0)]) {
    const hint = depth === b.sizes[b.ndim - 1] ? "; transpose the second operand?" : "";
    throw new RangeError(`matmul: inner sizes differ, got ${formatShape(a.sizes)} · ${formatShape(b.sizes)}${hint}`);
  }
  if (a.ndim === 1 || b.ndim === 1) return withVector(a, b, depth);
  if (b.ndim === 2) return apply(matmulOp, productOf(a, b, false), a, b);
  return batched(a, b, depth);
}

const withVector = composedOp((a: Tensor, b: Tensor, depth: number): Tensor => {
  const row = a.ndim === 1 ? reshape(a, [1, depth]) : a;
  const column = b.ndim === 1 ? reshape(b, [depth, 1]) : b;
  const z = matmul(row, column);
  const shape = z.sizes.slice(0, -2);
  if (a.ndim > 1) shape.push(z.sizes[z.ndim - 2] as number);
  if (b.ndim > 1) shape.push(z.sizes[z.ndim - 1] as number);
  return reshape(z, shape);
});

const batched = composedOp((a: Tensor, b: Tensor, depth: number): Tensor => {
  const m = a.sizes[a.ndim - 2] as number;
  const n = b.sizes[b.ndim - 1] as number;
  const batch = broadcastShapes("matmul", a.sizes.slice(0, -2), b.sizes.slice(0, -2));
  const left = broadcastTo(a, [...batch, m, depth]);
  const right = broadcastTo(b, [...batch, depth, n]);
  const shape = [...batch, m, n];
  const sizes = { shape, batches: sizeOf(batch), rows: m, depth, outputs: n, stepIn: n, stepOut: 1 };
  return apply(batchedOp, sizes, left, right);
});

/**
 * z = x·weightᵀ + bias     x: [..., in], weight: [out, in], bias: [out] or null, the default → z: [..., out]
 *
 *   ∂L/∂x = ∂L/∂z·weight,  ∂L/∂weight = ∂L/∂zᵀ·x,  ∂L/∂bias = Σ ∂L/∂z     over all leading axes
 *
 * An x that is constant over its first axis is multiplied once, and its gradient is taken once. The gradient of spikes whose
 * surrogate is 0 beyond some distance is taken where it is not, and 0 elsewhere. The cost of an x with many zeros, as
 * spikes are, is the cost of its non-zeros, forward and for the weight gradient; for finite weights the result has the
 * bits of the dense product; −0 in the bias counts as 0. (A zero times a weight, or for the weight gradient times a
 * gradient, that is infinite or NaN is NaN in a dense product and skipped in a sparse one.)
 *
 * @throws RangeError if the sizes do not match.
 *
 * @example
 * ```ts
 * import { linear, tensor } from "jarvis-snn";
 *
 * console.log(linear(tensor([[1, 1]]), tensor([[2, -1]]), tensor([0.5])).toArray()); // [ [ 1.5 ] ]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  alive(x, "linear");
  alive(weight, "linear");
  const inputs = x.sizes[x.ndim - 1] as number;
  if (weight.ndim !== 2 || inputs !== weight.sizes[1]) {
    const got = `${formatShape(x.sizes)} and ${formatShape(weight.sizes)}`;
    throw wrongValue("linear", "x [..., in] and weight [out, in]", `${got}${hintOf(x.sizes, weight.sizes)}`);
  }
  checkOptionalShape("linear", "bias", bias, [weight.sizes[0] as number]);
  return apply(linearOp, productOf(x, weight, true), x, weight, bias as Tensor);
}

/** How x and a weight that do not fit may come to. */
function hintOf(x: Shape, [outputs, inputs]: Shape): string {
  if (inputs === undefined) return "";
  if (x[x.length - 1] === outputs) return "; transpose the weight?";
  const flat = x.findIndex((_, axis) => sizeOf(x.slice(axis)) === inputs);
  return flat < 0 ? "" : `; flatten(x, ${flat})?`;
}
