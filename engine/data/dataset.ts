/**
 * Datasets: samples with targets, by index. `DataLoader`, `fit` and profiles read them through `lengthOf` and
 * `samplesOf`.
 */
import {
  COUNT,
  FINITE,
  functionOf,
  INTEGER,
  integersOf,
  MAX_INTEGER,
  numberOf,
  objectOf,
  show,
  WHOLE,
  withDefaults,
  wrongType,
  wrongValue,
} from "../arguments.ts";
import { checkShape, type Shape, sizeOf } from "../shape.ts";
import { alive, empty, peek, steady, Tensor, touch, valuesIn } from "../tensor.ts";

/** Samples with their targets, as a {@link Dataset} gives them. */
export interface Samples<Y = Int32Array | Tensor> {
  /** The samples in the form that the model, or `encode`, takes: [B, …], or time first, [T, B, …]. */
  x: Tensor;
  /** The targets in the form that the loss takes: class indices [B] in an array, a tensor, or anything else. */
  y: Y;
  /** Steps of each sample, [B], integers ≥ 1, where the samples are sequences of different length. */
  lengths?: ArrayLike<number> | Tensor | undefined;
}

/**
 * Samples in any form, which {@link DataLoader}, {@link fit} and {@link evaluate} take: how many there are, and a
 * function that gives the samples of a list of indices.
 *
 * Memory: `batch` runs as in `noGrad`. Tensors in the result that it has made belong to the loader, which frees them when the next batch
 * is asked for; all others that it has made are freed at once. A tensor that was there before, such as one that the dataset keeps, stays
 * as it is.
 */
export interface Dataset<Y = Int32Array | Tensor> {
  /** Number of samples, an integer ≥ 1. */
  readonly length: number;
  /** The samples with these indices, in this order. The list is the callee's. */
  batch(indices: readonly number[]): Samples<Y>;
}

/** Whether the value is a dataset, and no loader or list of batches. */
export const isDataset = <Y>(value: unknown): value is Dataset<Y> =>
  typeof value === "object" && value !== null && typeof (value as Dataset).batch === "function";

/** The length of a dataset as it is now. */
export function lengthOf(where: string, dataset: Dataset<unknown>): number {
  const { batch, length } = objectOf(where, "a dataset { length, batch }", dataset);
  functionOf(where, "batch of the dataset", batch);
  return numberOf(where, "length of the dataset", length, COUNT);
}

/** Samples that a dataset has given for n indices, checked, with lengths in an array of their own. */
export function samplesOf<Y>(
  where: string,
  samples: Samples<Y>,
  n: number,
): Samples<Y> & { lengths: Int32Array | undefined } {
  const { x, y, lengths } = objectOf(where, "a batch { x, y }", samples) as unknown as Samples<Y>;
  alive(x, `${where}: x of a batch`);
  if (lengths === undefined || lengths === null) return { x, y, lengths: undefined };
  const steps = stepsOf(where, lengths);
  if (steps.length !== n) throw wrongValue(where, `${n} lengths`, steps.length);
  return { x, y, lengths: steps };
}

/** A copy of lengths of sequences, integers from 1 to `most`. */
export function stepsOf(where: string, lengths: unknown, most = MAX_INTEGER): Int32Array {
  const steps = integersOf(where, "lengths", valuesIn(where, lengths), most + 1);
  const at = steps.indexOf(0);
  if (at >= 0) throw wrongValue(where, "lengths of at least one step", `0 at ${at}`);
  return steps;
}

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
 * The arrays are not copied, so a later change of their values shows in later batches; lists of another kind are read once.
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
 *
 * @example
 * ```ts
 * import { TensorDataset } from "jarvis-snn";
 *
 * const pixels = Uint8Array.of(0, 255, 255, 0); // two samples of two pixels
 * const data = new TensorDataset(pixels, [0, 1], { shape: [2], scale: 1 / 255 });
 * const { x, y } = data.batch([1]);
 * console.log(data.length, x.toArray(), y); // 2 [ [ 1, 0 ] ] Int32Array(1) [ 1 ]
 * ```
 */
export class TensorDataset<Y extends Targets = Targets> implements Dataset<BatchOf<Y>> {
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
    // A list that is no array is read once.
    this.y = y instanceof Tensor ? y.toFloat32Array() : steady("at" in y ? y : Array.from(y as ArrayLike<number>));
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

  /**
   * The samples with these indices: x [B, …sample], y class indices [B] or a tensor [B, …target].
   *
   * @throws RangeError for an index that is no integer in [0, length), no index at all, or an array that has lost values since.
   */
  batch(indices: readonly number[]): Samples<BatchOf<Y>> {
    const chosen = integersOf(WHERE, "indices", indices, this.length);
    const n = chosen.length;
    if (n === 0) throw wrongValue(WHERE, "at least one index", "none");
    checkStored(WHERE, this);
    const { x, scale, y, shape, targetShape } = this;
    const samples = rowsInto(empty([n, ...shape]), x, scale, chosen);
    if (targetShape === null) {
      return { x: samples, y: labelsInto(new Int32Array(n), WHERE, y, chosen) as ArrayLike<number> as BatchOf<Y> };
    }
    return { x: samples, y: rowsInto(empty([n, ...targetShape]), y, 1, chosen) as BatchOf<Y> };
  }
}

/** Throws where an array of the dataset was detached or made shorter: its missing values would read as NaN. */
export function checkStored(where: string, { x, y, length, shape, targetShape }: TensorDataset): void {
  checkLength(where, x, length * sizeOf(shape));
  checkLength(where, y, length * sizeOf(targetShape ?? []));
}

function checkLength(where: string, values: ArrayLike<number>, size: number): void {
  if (values.length === size) return;
  throw wrongValue(where, `${size} values in the dataset, as when it was made`, values.length);
}

/** to[b] ← scale·from[chosen[b]], rows of a tensor [≥ B, …]. */
export function rowsInto(to: Tensor, from: ArrayLike<number>, scale: number, chosen: ArrayLike<number>): Tensor {
  const size = to.size / (to.sizes[0] as number);
  const data = peek(to);
  for (let b = 0; b < chosen.length; b++) {
    const row = (chosen[b] as number) * size;
    for (let i = 0; i < size; i++) data[b * size + i] = (from[row + i] as number) * scale;
  }
  touch(to);
  return to;
}

/** to[b] ← the class index of sample chosen[b]. */
export function labelsInto(to: Int32Array, where: string, y: ArrayLike<number>, chosen: ArrayLike<number>): Int32Array {
  for (let b = 0; b < chosen.length; b++) to[b] = classAt(where, y, chosen[b] as number);
  return to;
}

/** The name of the kind of a typed array, also of one from another realm; empty for anything else. */
const kindOf = (values: unknown): string =>
  ArrayBuffer.isView(values) ? (values as Float32Array)[Symbol.toStringTag] : "";

/** Class index i. Throws for anything but an integer of 32 bits. */
function classAt(where: string, labels: ArrayLike<number>, i: number): number {
  const label = labels[i] as number;
  if (INTEGER.fits(label)) return label;
  const got = `${show(label)} at ${i}; values for regression come as a Float32Array`;
  throw wrongValue(where, "class indices", got);
}
