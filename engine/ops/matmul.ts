/**
 * Matrix products. Every element is summed in ascending order with one accumulator. The sparse paths in
 * forms/products.ts keep this order.
 */
import { joined, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { canTakeOver, gradientAt, holds } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES } from "../core/op.ts";
import { composedOp } from "../core/tape.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { handOverAs, readsGradient } from "../forms/gradients.ts";
import {
  addWeightGradient,
  multiplyFast,
  type Product,
  times,
  timesTransposed,
  transposedTimes,
} from "../forms/products.ts";
import type { Factors, ShortOp } from "../forms/shortcuts.ts";
import { broadcastShapes, checkOptionalShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { broadcastTo, reshape } from "./view.ts";

const linearOp: ShortOp<Product> = {
  name: "linear",
  saves: SAVES.a | SAVES.b,
  shortcuts: {
    reads: { a: ["bits"] },
    lifts: 1,
    dense: (product) => ({ ...product, bits: 0, masks: false }),
  },
  /** z = x·w + bias */
  forward(z, x, w, bias, product) {
    if (multiplyFast(z, x, w, bias, product)) return;
    ready("linear", x);
    times(z.ptr, bias === null ? 0 : bias.ptr, x.ptr, w.ptr, x.size / product.depth, product);
  },
  /** ∂w += xᵀ·∂z     ∂bias += Σ ∂z     ∂x += ∂z·wᵀ */
  backward(z, x, w, bias, product) {
    const rows = x.size / product.depth;
    const dz = z.gradPtr;
    const start = holds(w) ? gradientAt(w) : 0;
    const dw = gradientAt(w, true);
    if (dw !== 0 && product.bits !== 0) addWeightGradient(dw, start, dz, x, rows, product);
    else if (dw !== 0) transposedTimes(dw, start, x.ptr, dz, rows, product);
    const db = bias === null ? 0 : gradientAt(bias);
    if (db !== 0) k.addSumAxis(db, dz, 1, rows, product.outputs, 1);
    if (isFactored(x, product)) return handOverAs({ kind: "product", weights: w.ptr, factors: product }, z, x);
    const from = holds(x) ? gradientAt(x) : 0;
    const dx = gradientAt(x, true);
    if (dx !== 0) timesTransposed(dx, from, dz, w.ptr, rows, product);
  },
};

/**
 * With fewer outputs, ∂x is much larger than its factors, so computing it where it is needed is faster than writing and
 * reading it.
 */
const FEW_OUTPUTS = 64;
/** Largest number of inputs whose weights a neuron's kernel packs at once. */
const MANY_INPUTS = 2048;

/** Whether the op that made x accepts ∂x as two factors; neurons do, and multiply whole time steps. */
const isFactored = (x: Tensor, { depth, outputs }: Product): boolean =>
  outputs > 0 &&
  outputs < FEW_OUTPUTS &&
  depth <= MANY_INPUTS &&
  // If x is [T], a time step is one number; the product needs a row.
  x.sizes.length > 1 &&
  canTakeOver(x) &&
  readsGradient(x, "product");

const matmulOp: ShortOp<Product> = joined(linearOp, { name: "matmul" });

/** `batches` dense products [rows, depth] · [depth, outputs]. */
interface Batches extends Factors {
  readonly shape: Shape;
  readonly batches: number;
  readonly rows: number;
}

const batchedOp: Op<Batches> = {
  name: "matmul",
  saves: SAVES.a | SAVES.b,
  forward(z, a, b, _w, factors) {
    const { batches, rows, depth, outputs } = factors;
    for (let i = 0; i < batches; i++) {
      const left = a.ptr + 4 * i * rows * depth;
      const right = b.ptr + 4 * i * depth * outputs;
      times(z.ptr + 4 * i * rows * outputs, 0, left, right, rows, factors);
    }
  },
  backward(z, a, b, _w, factors) {
    const { batches, rows, depth, outputs } = factors;
    const left = 4 * rows * depth;
    const right = 4 * depth * outputs;
    const next = 4 * rows * outputs;
    const aAdds = holds(a);
    const da = gradientAt(a, true);
    for (let i = 0; da !== 0 && i < batches; i++) {
      const to = da + i * left;
      timesTransposed(to, aAdds ? to : 0, z.gradPtr + i * next, b.ptr + i * right, rows, factors);
    }
    const bAdds = holds(b);
    const db = gradientAt(b, true);
    for (let i = 0; db !== 0 && i < batches; i++) {
      const to = db + i * right;
      transposedTimes(to, bAdds ? to : 0, a.ptr + i * left, z.gradPtr + i * next, rows, factors);
    }
  },
};

/** Describes x·w, with w [in, out], or [out, in] if `turned`. The method is chosen later, by the values of x. */
function productOf(x: Tensor, w: Tensor, turned: boolean): Product {
  const depth = x.sizes[x.sizes.length - 1] as number;
  const outputs = w.sizes[turned ? 0 : 1] as number;
  const [stepIn, stepOut] = turned ? [1, depth] : [outputs, 1];
  const shape = [...x.sizes.slice(0, -1), outputs];
  return { shape, turned, depth, outputs, stepIn, stepOut, bits: 0, masks: false, count: 0, graded: false };
}

/**
 * z = a·b over the last two axes, [..., m, k]·[..., k, n] → [..., m, n]; other axes are batches and broadcast. As in
 * PyTorch, a 1-D operand counts as a row on the left and as a column on the right; the result lacks that axis.
 *
 *   ∂L/∂a = ∂L/∂z·bᵀ,  ∂L/∂b = aᵀ·∂L/∂z
 *
 * If b has two axes, zeros of a are skipped, as in {@link linear}.
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
  if (b.ndim === 2) return applyOp(matmulOp, productOf(a, b, false), a, b);
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
  return applyOp(batchedOp, sizes, left, right);
});

/**
 * z = x·weightᵀ + bias     x: [..., in], weight: [out, in], bias: [out] or null, the default → z: [..., out]
 *
 *   ∂L/∂x = ∂L/∂z·weight,  ∂L/∂weight = ∂L/∂zᵀ·x,  ∂L/∂bias = Σ ∂L/∂z     over all leading axes
 *
 * If x repeats one step along its first axis, the step is multiplied once, and its gradient is computed once. If x
 * consists of spikes and the surrogate is 0 beyond some distance from the threshold, ∂L/∂x is computed only for neurons
 * within this distance, and is 0 for the others. If x has many zeros, as spikes do, forward and the weight gradient
 * skip them. For finite weights, results have the same bits as dense products; −0 in the bias counts as 0. (0·∞ and
 * 0·NaN are NaN in a dense product, and skipped in a sparse one; in the weight gradient this concerns ∂L/∂z.)
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
  const inputs = x.sizes[x.sizes.length - 1] as number;
  if (weight.sizes.length !== 2 || inputs !== weight.sizes[1]) {
    const got = `${formatShape(x.sizes)} and ${formatShape(weight.sizes)}`;
    throw wrongValue("linear", "x [..., in] and weight [out, in]", `${got}${hintOf(x.sizes, weight.sizes)}`);
  }
  checkOptionalShape("linear", "bias", bias, [weight.sizes[0] as number]);
  return applyOp(linearOp, productOf(x, weight, true), x, weight, bias as Tensor);
}

/** A hint for x and weight of sizes that do not match. */
function hintOf(x: Shape, [outputs, inputs]: Shape): string {
  if (inputs === undefined) return "";
  if (x[x.length - 1] === outputs) return "; transpose the weight?";
  const flat = x.findIndex((_, axis) => sizeOf(x.slice(axis)) === inputs);
  return flat < 0 ? "" : `; flatten(x, ${flat})?`;
}
