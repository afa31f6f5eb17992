/** Products. Every element is summed in ascending order with one accumulator, whatever path computes it. */
import { k } from "../backend.ts";
import { composed } from "../composed.ts";
import { accumulates, apply, applyOwning, freshGradOf, gradOf, type Op, ready, SAVES_A, SAVES_B } from "../op.ts";
import { allocate, type Region, recycle, scope } from "../scope.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import { alive, type Tensor } from "../tensor.ts";
import { broadcastTo, once } from "./expand.ts";
import { reshape } from "./view.ts";

/** `batches` products of [m, k] · [k, n]. */
interface Product {
  readonly shape: Shape;
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const matmulOp: Op<Product> = {
  name: "matmul",
  saves: SAVES_A | SAVES_B,
  shape: ({ shape }) => shape,
  forward(z, a, b, _w, { batches, m, n, k: depth }) {
    for (let i = 0; i < batches; i++) {
      const c = z.ptr + 4 * i * m * n;
      k.gemm(c, a.ptr + 4 * i * m * depth, b.ptr + 4 * i * depth * n, 0, m, n, depth, depth, 1, n, 1, n, 0, 0);
    }
  },
  backward(z, a, b, _w, { batches, m, n, k: depth }) {
    const da = freshGradOf(a);
    if (da !== 0) {
      const sum = accumulates;
      for (let i = 0; i < batches; i++) {
        const c = da + 4 * i * m * depth;
        const dz = z.gradPtr + 4 * i * m * n;
        k.gemm(c, dz, b.ptr + 4 * i * depth * n, sum ? c : 0, m, depth, n, n, 1, 1, n, depth, depth, 1);
      }
    }
    const db = freshGradOf(b);
    if (db !== 0) {
      const sum = accumulates;
      for (let i = 0; i < batches; i++) {
        const c = db + 4 * i * depth * n;
        const dz = z.gradPtr + 4 * i * m * n;
        k.gemm(c, a.ptr + 4 * i * m * depth, dz, sum ? c : 0, depth, n, m, 1, depth, n, 1, n, n, 1);
      }
    }
  },
};

/** A product with weights; where x has many zeros, their places. */
interface Weighting {
  readonly shape: Shape;
  /** Address of the bits of the non-zeros of x, [rows, ⌈in/32⌉], or 0: x is treated as dense. */
  readonly bits: number;
  /** How many non-zeros x has. */
  readonly count: number;
  /** Some non-zeros of x are not 1. */
  readonly graded: boolean;
  /** The bits were made for this product, not for x. */
  readonly owned: boolean;
}

const linearOp: Op<Weighting> = {
  name: "linear",
  saves: SAVES_A | SAVES_B,
  takesBits: true,
  shape: ({ shape }) => shape,
  forward(z, x, w, bias, { bits, count, graded }) {
    const [outputs, inputs] = w.shape as [number, number];
    const start = bias === null ? 0 : bias.ptr;
    const rows = z.size / outputs;
    if (bits === 0) k.gemm(z.ptr, x.ptr, w.ptr, start, rows, outputs, inputs, inputs, 1, 1, inputs, outputs, 0, 1);
    else {
      const values = graded ? x.ptr : 0;
      const work = allocate(workBytes(rows, count));
      k.gather(z.ptr, bits, work, values, w.ptr, start, rows, outputs, inputs, inputs, 1, 1, inputs, outputs, 0, 1);
      recycle(work, workBytes(rows, count), scope.region);
    }
  },
  backward(z, x, w, bias, weighting) {
    const [outputs, inputs] = w.shape as [number, number];
    const rows = z.size / outputs;
    const dz = z.gradPtr;
    const dx = freshGradOf(x);
    if (dx !== 0)
      k.gemm(dx, dz, w.ptr, accumulates ? dx : 0, rows, inputs, outputs, outputs, 1, inputs, 1, inputs, inputs, 1);
    const dw = freshGradOf(w);
    if (dw !== 0) {
      const { bits, count, graded } = weighting;
      if (bits !== 0) gatherWeightGradient(dw, dz, bits, count, graded ? x.ptr : 0, outputs, inputs, rows);
      else k.gemm(dw, dz, x.ptr, accumulates ? dw : 0, outputs, inputs, rows, 1, outputs, inputs, 1, inputs, inputs, 1);
    }
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, dz, 1, rows, outputs, 1);
    giveBack(weighting, x, z.region);
  },
  drop: giveBack,
};

/**
 * dw [out, in] ← or += (as `accumulates` says) dzᵀ·x, as the sum of the rows of dz at which each column of x is not 0:
 * [in, out], transposed. `bits` are the places of the `count` non-zeros of x [rows, in], `values` is 0 if they are ones.
 */
export function gatherWeightGradient(
  dw: number,
  dz: number,
  bits: number,
  count: number,
  values: number,
  outputs: number,
  inputs: number,
  rows: number,
): void {
  const bytes = bitBytes(inputs, rows);
  const columns = allocate(bytes);
  k.transposeBits(columns, bits, rows, inputs);
  const size = 4 * inputs * outputs;
  const sum = allocate(size);
  if (accumulates) k.transpose(sum, dw, outputs, inputs);
  const start = accumulates ? sum : 0;
  const work = allocate(workBytes(inputs, count));
  k.gather(sum, columns, work, values, dz, start, inputs, outputs, rows, 1, inputs, outputs, 1, outputs, outputs, 1);
  k.transpose(dw, sum, inputs, outputs);
  recycle(work, workBytes(inputs, count), scope.region);
  recycle(sum, size, scope.region);
  recycle(columns, bytes, scope.region);
}

/** What the kernel `gather` wants to work in. */
export const workBytes = (rows: number, count: number): number => 4 * (2 * rows + 8 + count);

/** Bytes of bits in rows of whole words. */
export const bitBytes = (rows: number, columns: number): number => 4 * rows * Math.ceil(columns / 32);

/** Densities below which walking over non-zeros is faster, measured for whole panels of 16 columns. */
export const BINARY_DENSITY = 0.6;
const GRADED_DENSITY = 0.4;

/** Finds the non-zeros of x; the bits are kept if they are few enough for `outputs` columns. Depends on the data only. */
function weightingOf(x: Tensor, shape: Shape, inputs: number, outputs: number): Weighting {
  const rows = x.size / inputs;
  const spikes = x.ptr === 0;
  const owned = !(spikes && inputs % 32 === 0);
  const bits = owned ? allocate(bitBytes(rows, inputs)) : x.bits;
  const found = !spikes
    ? k.packBits(bits, x.ptr, rows, inputs)
    : owned
      ? k.alignBits(bits, x.bits, rows, inputs)
      : k.countBits(bits, x.size / 32);
  const graded = found < 0;
  const count = found & 0x7fffffff;
  // A gather always pays for 16 columns, a dense product for the next multiple of 4.
  const width = Math.ceil(outputs / 4) / (4 * Math.ceil(outputs / 16));
  const limit = (graded ? GRADED_DENSITY : BINARY_DENSITY) * width;
  if (count < limit * x.size) return { shape, bits, count, graded, owned };
  if (owned) recycle(bits, bitBytes(rows, inputs), scope.region);
  ready("linear", x);
  return { shape, bits: 0, count, graded, owned: false };
}

/**
 * z = a·b over the last two axes, [..., m, k]·[..., k, n] → [..., m, n]; other axes are batches and broadcast. A 1-D operand
 * is a row on the left and a column on the right, and its axis is dropped from the result, as in PyTorch.
 *
 *   ∂L/∂a = ∂L/∂z·bᵀ,  ∂L/∂b = aᵀ·∂L/∂z
 *
 * @throws RangeError if the inner sizes differ, the batch axes do not broadcast, or an operand has no axis.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) {
    throw new RangeError(`matmul: expected at least one axis, got ${formatShape(a.shape)} · ${formatShape(b.shape)}`);
  }
  const depth = a.shape[a.ndim - 1] as number;
  if (depth !== b.shape[Math.max(b.ndim - 2, 0)]) {
    throw new RangeError(
      `matmul: inner sizes differ, got ${formatShape(a.shape)} · ${formatShape(b.shape)}; transpose the second operand?`,
    );
  }
  if (a.ndim === 1 || b.ndim === 1) return composed(withVector, a, b, depth);
  const n = b.shape[b.ndim - 1] as number;
  if (b.ndim === 2) {
    const rows = a.size / depth;
    return apply(matmulOp, { shape: [...a.shape.slice(0, -1), n], batches: 1, m: rows, n, k: depth }, a, b);
  }
  return composed(batched, a, b, depth);
}

function withVector(a: Tensor, b: Tensor, depth: number): Tensor {
  const row = a.ndim === 1 ? reshape(a, [1, depth]) : a;
  const column = b.ndim === 1 ? reshape(b, [depth, 1]) : b;
  const z = matmul(row, column);
  const shape = z.shape.slice(0, -2);
  if (a.ndim > 1) shape.push(z.shape[z.ndim - 2] as number);
  if (b.ndim > 1) shape.push(z.shape[z.ndim - 1] as number);
  return reshape(z, shape);
}

function batched(a: Tensor, b: Tensor, depth: number): Tensor {
  const m = a.shape[a.ndim - 2] as number;
  const n = b.shape[b.ndim - 1] as number;
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = broadcastTo(a, [...batch, m, depth]);
  const right = broadcastTo(b, [...batch, depth, n]);
  return apply(matmulOp, { shape: [...batch, m, n], batches: sizeOf(batch), m, n, k: depth }, left, right);
}

/**
 * z = x·weightᵀ + bias     x: [..., in], weight: [out, in], bias: [out] or null, the default → z: [..., out]
 *
 *   ∂L/∂x = ∂L/∂z·weight,  ∂L/∂weight = ∂L/∂zᵀ·x,  ∂L/∂bias = Σ ∂L/∂z     over all leading axes
 *
 * An x that is constant over its first axis is multiplied once, and its gradient is taken once. An x with many zeros, as
 * spikes are, costs what its non-zeros cost, forward and for the weight gradient; for finite weights the bits of the result
 * are those of the dense product. (A zero times an infinite weight is NaN in a dense product and skipped in a sparse one.)
 *
 * @throws RangeError if the sizes do not match.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const inputs = x.shape[x.ndim - 1] as number;
  if (weight.ndim !== 2 || inputs !== weight.shape[1]) {
    throw new RangeError(
      `linear: expected x [..., in] and weight [out, in], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  }
  const outputs = weight.shape[0] as number;
  if (bias !== null && (bias.ndim !== 1 || bias.size !== outputs)) {
    throw new RangeError(`linear: expected a bias [${outputs}], got ${formatShape(bias.shape)}`);
  }
  const constant = once(linear, 1, x, weight, bias);
  if (constant !== null) return constant;
  if (x.bits === 0) ready("linear", x);
  else alive(x, "linear");
  const weighting = weightingOf(x, [...x.shape.slice(0, -1), outputs], inputs, outputs);
  return applyOwning(linearOp, weighting, x, weight, bias as Tensor);
}

/** Gives back the bits of x, taken while `region` was current. */
function giveBack({ bits, owned }: Weighting, x: Tensor, region: Region): void {
  const inputs = x.shape[x.ndim - 1] as number;
  if (owned) recycle(bits, bitBytes(x.size / inputs, inputs), region);
}
