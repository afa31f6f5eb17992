import { checkOptions } from "../options.ts";
import { checkShape, type Shape, sizeOf } from "../shape.ts";
import { steady, Tensor } from "../tensor.ts";

/** Options of {@link TensorDataset}. */
export interface TensorDatasetOptions {
  /** Shape of one sample; by default one axis that holds all values of a sample. */
  shape?: readonly number[];
  /** Factor of every value of x, as 1/255 for bytes; finite, default 1. */
  scale?: number;
}

/**
 * Samples x with targets y, kept outside linear memory: bytes stay bytes until a batch is made.
 *
 * y holds one class index a sample (integer arrays, or any array of plain numbers), or, as a Float32Array or a tensor,
 * values for regression, which become tensors.
 *
 * Shapes: x [n, …sample], as a tensor or flat; y n indices, or [n, …target]. By default a sample has one axis, as a tensor
 * all axes but the first.
 *
 * @throws RangeError if x does not divide into as many samples as y holds, the shape is not of positive integers, a class
 *   index is not an integer, or scale is not finite.
 * @throws TypeError if x is something else than a Float32Array, a Uint8Array or a tensor, or y neither an array nor a
 *   tensor.
 */
export class TensorDataset {
  /** The values of all samples, one sample after the other. */
  readonly x: Float32Array | Uint8Array;
  /** The targets: one class index a sample, or the values of all targets. */
  readonly y: ArrayLike<number>;
  /** Shape of one sample. */
  readonly shape: Shape;
  /** Factor of every value of x on its way into a batch. */
  readonly scale: number;
  /** Number of samples. */
  readonly length: number;
  /** Shape of one target, or null for class indices. */
  readonly targetShape: Shape | null;

  constructor(
    x: Float32Array | Uint8Array | Tensor,
    y: ArrayLike<number> | Tensor,
    options: TensorDatasetOptions = {},
  ) {
    const values = x instanceof Tensor ? x.toFloat32Array() : x;
    if (!(values instanceof Float32Array || values instanceof Uint8Array)) {
      throw new TypeError("TensorDataset: expected x as a Float32Array, a Uint8Array or a tensor");
    }
    if (typeof y !== "object" || !(y instanceof Tensor || typeof y?.length === "number")) {
      throw new TypeError(`TensorDataset: expected y as an array or a tensor, got ${y === null ? y : typeof y}`);
    }
    checkOptions("TensorDataset", options, "shape scale");
    const sample = options.shape ?? (x instanceof Tensor ? x.shape.slice(1) : null);
    this.x = steady(values) as Float32Array | Uint8Array;
    this.y = y instanceof Tensor ? y.toFloat32Array() : steady(y);
    const targetRows = y instanceof Tensor ? (y.shape[0] ?? 1) : y.length;
    this.length = sample === null ? targetRows : values.length / sizeOf(checkShape("TensorDataset", sample));
    this.shape = sample ?? [values.length / this.length];
    this.scale = options.scale ?? 1;
    if (!Number.isInteger(this.length) || !Number.isInteger(this.shape[0] ?? 1) || values.length === 0) {
      throw new RangeError(
        `TensorDataset: expected whole samples, got ${values.length} values for ${this.y.length} targets`,
      );
    }
    if (targetRows % this.length !== 0 || targetRows === 0 || (y instanceof Tensor && targetRows !== this.length)) {
      throw new RangeError(`TensorDataset: expected targets for ${this.length} samples, got ${targetRows}`);
    }
    if (!Number.isFinite(this.scale)) throw new RangeError(`TensorDataset: scale must be finite, got ${this.scale}`);
    const targets = this.y.length / this.length;
    if (y instanceof Tensor) this.targetShape = y.shape.slice(1);
    else if (y instanceof Float32Array) this.targetShape = targets === 1 ? [] : [targets];
    else if (targets === 1) this.targetShape = checkIndices(this.y);
    else
      throw new RangeError(`TensorDataset: expected one class index a sample, got ${this.y.length} for ${this.length}`);
  }
}

/** Throws unless all labels are class indices; null, the target shape of indices. */
function checkIndices(labels: ArrayLike<number>): null {
  for (let i = 0; i < labels.length; i++) {
    if (Number.isInteger(labels[i])) continue;
    throw new RangeError(
      `TensorDataset: expected class indices, got ${labels[i]} at ${i}; values for regression come as a Float32Array`,
    );
  }
  return null;
}
