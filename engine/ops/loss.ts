/** Losses. */
import { integersAt, k } from "../backend.ts";
import { apply, gradOf, type Op, ready, SAVES_A, SAVES_B, SAVES_C } from "../op.ts";
import { allocate, recycle, root, scope } from "../scope.ts";
import { broadcastShapes, formatShape, type Shape, sameShape } from "../shape.ts";
import { empty, steady, Tensor } from "../tensor.ts";
import { sub } from "./arithmetic.ts";
import { mean, sum } from "./reduce.ts";
import { square } from "./unary.ts";

/** How the losses of the elements are combined. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  reduction?: Reduction;
}

export interface CrossEntropyOptions extends LossOptions {
  /** One weight per class, [K]. */
  weight?: Tensor | null;
  /** ε in [0, 1]: the target becomes (1 − ε)·target + ε/K. */
  labelSmoothing?: number;
  /** Rows with this class index count nothing. */
  ignoreIndex?: number;
}

function checkReduction(where: string, reduction: Reduction): void {
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return;
  throw new RangeError(`${where}: expected the reduction "mean", "sum" or "none", got ${JSON.stringify(reduction)}`);
}

function reduced(x: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return x;
  return reduction === "sum" ? sum(x) : mean(x);
}

/**
 * (input − target)², averaged, summed or as it is. The target is broadcast.
 */
export function mseLoss(input: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  checkReduction("mseLoss", reduction);
  broadcastShapes("mseLoss", input.shape, target.shape);
  return reduced(square(sub(input, target)), reduction);
}

/** One loss per row; log Σ exp of each row is kept for backward. */
interface CrossEntropy {
  readonly shape: Shape;
  readonly rows: number;
  readonly classes: number;
  readonly smoothing: number;
  readonly ignoreIndex: number;
  /** Indices as integers; unused where the target is a tensor of probabilities. */
  readonly indices: Tensor | null;
  readonly logSumExp: Tensor;
  /** Factor of every row, and whether the rows are summed. */
  readonly scale: number;
  readonly total: boolean;
}

const crossEntropyOp: Op<CrossEntropy> = {
  name: "crossEntropy",
  saves: SAVES_A | SAVES_B | SAVES_C,
  shape: ({ shape }) => shape,
  forward(z, x, weight, target, a) {
    const bytes = 4 * a.rows;
    const losses = a.total ? allocate(bytes) : z.ptr;
    const w = weight === null ? 0 : weight.ptr;
    if (a.indices === null)
      k.crossEntropyDense(losses, a.logSumExp.ptr, x.ptr, target.ptr, w, a.rows, a.classes, a.smoothing);
    else {
      k.crossEntropy(losses, a.logSumExp.ptr, x.ptr, a.indices.ptr, w, a.rows, a.classes, a.smoothing, a.ignoreIndex);
    }
    if (!a.total) return;
    k.sumAxis(z.ptr, losses, 1, a.rows, 1);
    k.affine(z.ptr, z.ptr, 1, a.scale, 0);
    recycle(losses, bytes, scope.region);
  },
  backward(z, x, weight, target, a) {
    const dx = gradOf(x);
    if (dx === 0) return;
    const w = weight === null ? 0 : weight.ptr;
    const step = a.total ? 0 : 1;
    const lse = a.logSumExp.ptr;
    const { rows, classes, smoothing } = a;
    if (a.indices === null) {
      k.crossEntropyDenseGrad(dx, x.ptr, lse, target.ptr, w, z.gradPtr, step, a.scale, rows, classes, smoothing);
    } else {
      k.crossEntropyGrad(
        dx,
        x.ptr,
        lse,
        a.indices.ptr,
        w,
        z.gradPtr,
        step,
        a.scale,
        rows,
        classes,
        smoothing,
        a.ignoreIndex,
      );
    }
  },
};

/**
 * Cross-entropy of softmax(logits) with the target, over the last axis.
 *
 *   lossᵢ = −Σ_c a_c·log softmax(xᵢ)_c     a_c = w_c·((1 − ε)·t_c + ε/K)
 *
 * For class indices t is one-hot (the weight of its class applies to the first term, as in PyTorch). "mean" divides by the
 * summed weights of the targets that count, for probabilities by the number of rows.
 *
 * Shapes: logits [..., K]; target: indices of the other axes in row-major order, or probabilities [..., K].
 *
 * @throws RangeError for a wrong number of targets, an index outside 0 … K − 1, or labelSmoothing outside [0, 1].
 */
export function crossEntropy(
  logits: Tensor,
  target: ArrayLike<number> | Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { weight = null, labelSmoothing = 0, ignoreIndex = -100, reduction = "mean" } = options;
  if (logits.ndim === 0) throw new RangeError("crossEntropy: expected logits [..., K], got a scalar");
  const classes = logits.shape[logits.ndim - 1] as number;
  const rows = logits.size / classes;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(`crossEntropy: labelSmoothing must lie in [0, 1], got ${labelSmoothing}`);
  }
  if (weight !== null && weight.size !== classes) {
    throw new RangeError(`crossEntropy: expected ${classes} class weights, got ${formatShape(weight.shape)}`);
  }
  checkReduction("crossEntropy", reduction);
  if (weight !== null) ready("crossEntropy", weight);
  ready("crossEntropy", logits);
  const dense = target instanceof Tensor && sameShape(target.shape, logits.shape) ? target : null;
  const labels = dense === null ? checkedLabels(target, rows, classes, ignoreIndex) : null;
  const indices = labels === null ? null : integers(labels);
  const total = reduction !== "none";
  let scale = 1;
  if (reduction === "mean") {
    const w = weight === null ? 0 : weight.ptr;
    scale = 1 / (indices === null ? rows : k.targetWeight(indices.ptr, w, rows, ignoreIndex));
  }
  const shape = total ? [] : logits.shape.slice(0, -1);
  const attrs = {
    shape,
    rows,
    classes,
    smoothing: labelSmoothing,
    ignoreIndex,
    indices,
    logSumExp: empty([rows]),
    scale,
    total,
  };
  const loss = apply(crossEntropyOp, attrs, logits, weight as Tensor, dense as Tensor);
  if (loss.op === null && scope === root) {
    indices?.dispose();
    attrs.logSumExp.dispose();
  }
  return loss;
}

function checkedLabels(
  target: ArrayLike<number> | Tensor,
  rows: number,
  classes: number,
  ignoreIndex: number,
): ArrayLike<number> {
  const labels = steady(target instanceof Tensor ? target.data : target);
  if (labels.length !== rows) throw new RangeError(`crossEntropy: expected ${rows} targets, got ${labels.length}`);
  for (let i = 0; i < rows; i++) {
    const label = labels[i] as number;
    if (label !== ignoreIndex && !(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new RangeError(`crossEntropy: expected class indices in [0, ${classes - 1}], got ${label} at ${i}`);
    }
  }
  return labels;
}

/** Labels as the kernels read them. */
function integers(labels: ArrayLike<number>): Tensor {
  const t = empty([labels.length]);
  const view = integersAt(t.ptr, t.size);
  for (let i = 0; i < labels.length; i++) view[i] = labels[i] as number;
  return t;
}
