/**
 * Datasets: samples with targets, by index. `DataLoader`, `fit` and profiles access them through `lengthOf` and `samplesOf`.
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
import { alive, emptyOf, peek, Tensor, touch } from "../core/tensor.ts";
import { steady } from "../foreign.ts";
import { checkShape, type Shape, sizeOf, valuesIn } from "../shape.ts";

/** Samples with their targets, from a {@link Dataset}. */
export interface Samples<Y = Int32Array | Tensor> {
  /** Samples in the form that the model, or `encode`, expects: [B, …], or time first, [T, B, …]. */
  x: Tensor;
  /** Targets in the form that the loss expects: class indices [B] in an array, a tensor, or anything else. */
  y: Y;
  /** Number of time steps of each sample, [B], integers ≥ 1, if samples are sequences of different lengths. */
  lengths?: ArrayLike<number> | Tensor | undefined;
}

/**
 * Samples in any form for {@link DataLoader}, {@link fit} and {@link evaluate}: their number, and a function from
 * indices to samples.
 *
 * Memory: `batch` runs as in `noGrad`. The loader owns new tensors in the result and frees them before the next batch.
 * Other new tensors are freed at once. Older tensors, such as those of the dataset, are not freed.
 */
export interface Dataset<Y = Int32Array | Tensor> {
  /** Number of samples, an integer ≥ 1. */
  readonly length: number;
  /** Returns the samples with these indices, in this order. May keep the list. */
  batch(indices: readonly number[]): Samples<Y>;
}

/** Whether the value is a dataset, not a loader or a list of batches. */
export const isDataset = <Y>(value: unknown): value is Dataset<Y> =>
  typeof value === "object" && value !== null && typeof (value as Dataset).batch === "function";

/** The current length of a dataset. */
export function lengthOf(where: string, dataset: Dataset<unknown>): number {
  const { batch, length } = objectOf(where, "a dataset { length, batch }", dataset);
  functionOf(where, "batch of the dataset", batch);
  return numberOf(where, "length of the dataset", length, COUNT);
}

/** Checked samples of a dataset for n indices, with a copy of the lengths. */
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

/** A checked copy of lengths of sequences, integers from 1 to `most`. */
export function stepsOf(where: string, lengths: unknown, most = MAX_INTEGER): Int32Array {
  const steps = integersOf(where, "lengths", valuesIn(where, lengths), most + 1);
  const at = steps.indexOf(0);
  if (at >= 0) throw wrongValue(where, "lengths of at least one step", `0 at ${at}`);
  return steps;
}

/** Options of {@link TensorDataset}. */
export interface TensorDatasetOptions {
  /** Shape of one sample; default one axis with all values of a sample. */
  shape?: readonly number[];
  /** Factor of every value of x, such as 1/255 for bytes; finite, default 1. */
  scale?: number;
}

/** Targets of a caller. */
export type Targets = ArrayLike<number> | Tensor;

/** Targets of a batch by type Y of the dataset: a tensor for regression values, an Int32Array for class indices. */
export type BatchOf<Y extends Targets> = Y extends Float32Array | Tensor ? Tensor : Int32Array;

const WHERE = "TensorDataset";
const DEFAULTS: { shape: readonly number[] | null; scale: number } = { shape: null, scale: 1 };

/**
 * Samples x with targets y, stored outside of linear memory: bytes remain bytes until a batch is made.
 *
 * Arrays are not copied: changes of their values appear in later batches. Other lists are read once.
 *
 * y holds one class index per sample, as an integer array or an array of plain numbers. A Float32Array or a tensor
 * holds values for regression; batches return these as tensors.
 *
 * Shapes: x [n, …sample], as a tensor or flat; y n indices, or [n, …target]. By default a sample has one axis, or for a tensor all axes except the
 * first.
 *
 * @throws RangeError if x cannot be divided evenly among the samples of y, a size of the shape is not a positive
 *   integer, a class index is not a 32-bit integer, or scale is not finite.
 * @throws TypeError unless x is a Float32Array, a Uint8Array or a tensor, and y an array or a tensor.
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
  /** Values of all samples, sample after sample. */
  readonly x: Float32Array | Uint8Array;
  /** Targets: one class index per sample, or the values of all targets. */
  readonly y: ArrayLike<number>;
  /** Shape of one sample. */
  readonly shape: Shape;
  /** Factor of the values of x in a batch. */
  readonly scale: number;
  /** Number of samples. */
  readonly length: number;
  /** Shape of one target; null for class indices. */
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
    // A list that is not an array is read once.
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
   * Returns the samples with these indices: x [B, …sample], y class indices [B] or a tensor [B, …target].
   *
   * @throws RangeError for an index that is not an integer in [0, length), an empty list, or an array that has become
   *   shorter.
   */
  batch(indices: readonly number[]): Samples<BatchOf<Y>> {
    const chosen = integersOf(WHERE, "indices", indices, this.length);
    const n = chosen.length;
    if (n === 0) throw wrongValue(WHERE, "at least one index", "none");
    checkStored(WHERE, this);
    const { shape, targetShape } = this;
    const target = targetShape === null ? new Int32Array(n) : emptyOf([n, ...targetShape]);
    return rowsOf(WHERE, this, chosen, emptyOf([n, ...shape]), target) as Samples<BatchOf<Y>>;
  }
}

/** Throws if an array of the dataset was detached or shortened: its missing values would read as NaN. */
export function checkStored(where: string, { x, y, length, shape, targetShape }: TensorDataset): void {
  checkLength(where, x, length * sizeOf(shape));
  checkLength(where, y, length * sizeOf(targetShape ?? []));
}

function checkLength(where: string, values: ArrayLike<number>, size: number): void {
  if (values.length === size) return;
  throw wrongValue(where, `${size} values in the dataset, as when it was made`, values.length);
}

/** The chosen samples in x [B, …sample], and their targets in a tensor [B, …target] or as class indices in an array [B]. */
export function rowsOf(
  where: string,
  dataset: TensorDataset,
  chosen: ArrayLike<number>,
  x: Tensor,
  y: Tensor | Int32Array,
): { x: Tensor; y: Tensor | Int32Array } {
  rowsInto(x, dataset.x, dataset.scale, chosen);
  if (y instanceof Tensor) rowsInto(y, dataset.y, 1, chosen);
  else for (let b = 0; b < chosen.length; b++) y[b] = classAt(where, dataset.y, chosen[b] as number);
  return { x, y };
}

/** to[b] ← scale·from[chosen[b]], for rows of a tensor [B, …]. */
function rowsInto(to: Tensor, from: ArrayLike<number>, scale: number, chosen: ArrayLike<number>): void {
  const size = to.size / (to.sizes[0] as number);
  const data = peek(to);
  for (let b = 0; b < chosen.length; b++) {
    const row = (chosen[b] as number) * size;
    for (let i = 0; i < size; i++) data[b * size + i] = (from[row + i] as number) * scale;
  }
  touch(to);
}

/** Name of a typed array's type, of any realm; empty for anything else. */
const kindOf = (values: unknown): string =>
  ArrayBuffer.isView(values) ? (values as Float32Array)[Symbol.toStringTag] : "";

/** Class index i. Throws unless it is a 32-bit integer. */
function classAt(where: string, labels: ArrayLike<number>, i: number): number {
  const label = labels[i] as number;
  if (INTEGER.fits(label)) return label;
  const got = `${show(label)} at ${i}; values for regression come as a Float32Array`;
  throw wrongValue(where, "class indices", got);
}
