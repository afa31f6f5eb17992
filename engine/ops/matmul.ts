/** Products. Every element is summed in ascending order with one accumulator, whatever path computes it. */
import { k } from "../backend.ts";
import { accumulates, apply, freshGradOf, gradOf, type Op, ready, SAVES_A, SAVES_B } from "../op.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo, constantSource } from "./expand.ts";
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

const linearOp: Op<Shape> = {
  name: "linear",
  saves: SAVES_A | SAVES_B,
  shape: (shape) => shape,
  forward(z, x, w, bias) {
    const [outputs, inputs] = w.shape as [number, number];
    const start = bias === null ? 0 : bias.ptr;
    k.gemm(z.ptr, x.ptr, w.ptr, start, z.size / outputs, outputs, inputs, inputs, 1, 1, inputs, outputs, 0, 1);
  },
  backward(z, x, w, bias) {
    const [outputs, inputs] = w.shape as [number, number];
    const rows = z.size / outputs;
    const dz = z.gradPtr;
    const dx = freshGradOf(x);
    if (dx !== 0) k.gemm(dx, dz, w.ptr, accumulates ? dx : 0, rows, inputs, outputs, outputs, 1, inputs, 1, inputs, inputs, 1);
    const dw = freshGradOf(w);
    if (dw !== 0) k.gemm(dw, dz, x.ptr, accumulates ? dw : 0, outputs, inputs, rows, 1, outputs, inputs, 1, inputs, inputs, 1);
    if (bias === null) return;
    const db = gradOf(bias);
    if (db !== 0) k.addSumAxis(db, dz, 1, rows, outputs, 1);
  },
};

/**
 * z = a·b over the last two axes; other axes are batches and broadcast. A 1-D operand is a row on the left and a column
 * on the right, and its axis is dropped from the result, as in PyTorch.
 *
 *   ∂L/∂a = ∂L/∂z·bᵀ,  ∂L/∂b = aᵀ·∂L/∂z
 *
 * @throws RangeError if the inner sizes differ or the batch axes do not broadcast.
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
  if (a.ndim === 1 || b.ndim === 1) {
    const row = a.ndim === 1 ? reshape(a, [1, depth]) : a;
    const column = b.ndim === 1 ? reshape(b, [depth, 1]) : b;
    const z = matmul(row, column);
    const shape = z.shape.slice(0, -2);
    if (a.ndim > 1) shape.push(z.shape[z.ndim - 2] as number);
    if (b.ndim > 1) shape.push(z.shape[z.ndim - 1] as number);
    return reshape(z, shape);
  }
  const n = b.shape[b.ndim - 1] as number;
  if (b.ndim === 2) {
    const rows = a.size / depth;
    return apply(matmulOp, { shape: [...a.shape.slice(0, -1), n], batches: 1, m: rows, n, k: depth }, a, b);
  }
  const m = a.shape[a.ndim - 2] as number;
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = broadcastTo(a, [...batch, m, depth]);
  const right = broadcastTo(b, [...batch, depth, n]);
  return apply(matmulOp, { shape: [...batch, m, n], batches: sizeOf(batch), m, n, k: depth }, left, right);
}

/**
 * z = x·weightᵀ + bias     x: [..., in], weight: [out, in], bias: [out] → z: [..., out]
 *
 * An x that is constant over its first axis is multiplied once, and its gradient is taken once.
 *
 * @throws RangeError if the sizes do not match.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const inputs = x.shape[x.ndim - 1];
  if (weight.ndim !== 2 || inputs !== weight.shape[1]) {
    throw new RangeError(
      `linear: expected x [..., in] and weight [out, in], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  }
  const outputs = weight.shape[0] as number;
  if (bias !== null && (bias.ndim !== 1 || bias.size !== outputs)) {
    throw new RangeError(`linear: expected a bias [${outputs}], got ${formatShape(bias.shape)}`);
  }
  const source = constantSource(x);
  if (source !== null && source.size === x.size / (x.shape[0] as number) && x.ndim > 1) {
    const once = linear(reshape(source, x.shape.slice(1)), weight, bias);
    return broadcastTo(once, [x.shape[0] as number, ...once.shape]);
  }
  ready("linear", x);
  return apply(linearOp, [...x.shape.slice(0, -1), outputs], x, weight, bias as Tensor);
}
