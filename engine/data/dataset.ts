import { FINITE, INTEGER, numberOf, show, WHOLE, withDefaults, wrongType, wrongValue } from "../arguments.ts";
import { checkShape, type Shape, sizeOf } from "../shape.ts";
import { alive, steady, Tensor } from "../tensor.ts";

/** Options of {@link TensorDataset}. */
export interface TensorDatasetOptions {
  /** Shape of one sample; by default one axis that holds all values of a sample. */
  shape?: readonly number[];
  /** Factor of every value of x, as 1/255 for bytes; finite, default 1. */
  scale?: number;
}

/** Targets as a caller gives them. */
export type Targets = ArrayLike<number> | Tensor;

/** The targets of a batch: a tensor for values of a regression, an Int32Array for class indices, as the type Y of the dataset tells. */
export type BatchOf<Y extends Targets> = Y extends Float32Array | Tensor ? Tensor : Int32Array;

const WHERE = "TensorDataset";
const DEFAULTS: { shape: readonly number[] | null; scale: number } = { shape: null, scale: 1 };

/**
 * Samples x with targets y, kept outside linear memory: bytes stay bytes until a batch is made.
 *
 * The arrays are not copied, so a later change of their values shows in later batches.
 *
 * y holds one class index a sample (integer arrays, or any array of plain numbers), or, as a Float32Array or a tensor,
 * values for regression, which become tensors.
 *
 * Shapes: x [n, …sample], as a tensor or flat; y n indices, or [n, …target]. By default a sample has one axis, as a tensor
 * all axes but the first.
 *
 * @throws RangeError if x does not divide into as many samples as y holds, the shape is not of positive integers, a class
 *   index is not an integer of 32 bits, or scale is not finite.
 * @throws TypeError if x is something else than a Float32Array, a Uint8Array or a tensor, or y neither an array nor a
 *   tensor.
 */
export class TensorDataset<Y extends Targets = Targets> {
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

  constructor(x: Float32Array | Uint8Array | Tensor, y: Y, options: TensorDatasetOptions = {}) {
    const { shape, scale } = withDefaults(WHERE, DEFAULTS, options);
    this.scale = numberOf(WHERE, "scale", scale, FINITE);
    for (const t of [x, y]) if (t instanceof Tensor) alive(t, WHERE);
    const values = x instanceof Tensor ? x.toFloat32Array() : x;
    if (!["Float32Array", "Uint8Array"].includes(kindOf(values))) {
      throw wrongType(WHERE, "x as a Float32Array, a Uint8Array or a tensor", values);
    }
    if (!(y instanceof Tensor) && (typeof y !== "object" || !WHOLE.fits(y?.length))) {
      throw wrongType(WHERE, "y as an array or a tensor", y);
    }
    const sample = shape !== null ? checkShape(WHERE, shape) : x instanceof Tensor ? x.sizes.slice(1) : null;
    this.x = steady(values) as Float32Array | Uint8Array;
    this.y = y instanceof Tensor ? y.toFloat32Array() : steady(y);
    const targetRows = y instanceof Tensor ? (y.sizes[0] ?? 1) : y.length;
    this.length = sample === null ? targetRows : values.length / sizeOf(sample);
    this.shape = Object.freeze(sample ?? [values.length / this.length]);
    if (!Number.isInteger(this.length) || !Number.isInteger(this.shape[0] ?? 1) || values.length === 0) {
      throw wrongValue("TensorDataset", "whole samples", `${values.length} values for ${this.y.length} targets`);
    }
    if (targetRows % this.length !== 0 || targetRows === 0 || (y instanceof Tensor && targetRows !== this.length)) {
      throw wrongValue("TensorDataset", `targets for ${this.length} samples`, targetRows);
    }
    const targets = this.y.length / this.length;
    if (y instanceof Tensor) this.targetShape = Object.freeze(y.sizes.slice(1));
    else if (kindOf(y) === "Float32Array") this.targetShape = Object.freeze(targets === 1 ? [] : [targets]);
    else if (targets === 1) {
      this.targetShape = null;
      for (let i = 0; i < this.length; i++) classAt(WHERE, this.y, i);
    } else {
      throw wrongValue("TensorDataset", "one class index a sample", `${this.y.length} for ${this.length}`);
    }
  }
}

/** The name of the kind of a typed array, also of one from another realm; that of anything else is empty. */
const kindOf = (values: unknown): string =>
  ArrayBuffer.isView(values) ? (values as Float32Array)[Symbol.toStringTag] : "";

/** Class index i. Throws for what is no integer of 32 bits. */
export function classAt(where: string, labels: ArrayLike<number>, i: number): number {
  const label = labels[i] as number;
  if (INTEGER.fits(label)) return label;
  const got = `${show(label)} at ${i}; values for regression come as a Float32Array`;
  throw wrongValue(where, "class indices", got);
}
