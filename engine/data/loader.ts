import { COUNT, numberOf, withDefaults, wrongType, wrongValue } from "../arguments.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { persist } from "../tape.ts";
import { empty, peek, type Tensor, touch, viewOf } from "../tensor.ts";
import { type BatchOf, classAt, type Targets, TensorDataset } from "./dataset.ts";

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Samples in a batch, an integer ≥ 1; default 32 (PyTorch: 1). */
  batchSize?: number;
  /** A new order every epoch; default false. */
  shuffle?: boolean;
  /** Leaves out a last batch that is not full; default false. */
  dropLast?: boolean;
  /** Where the order comes from; the default generator if not given. */
  generator?: Generator;
}

/** Samples with their targets. They are filled anew for the next batch. */
export interface Batch<Y = Int32Array | Tensor> {
  /** The samples, [B, …sample]. */
  x: Tensor;
  /** Class indices, or a tensor [B, …target]. */
  y: Y;
}

const WHERE = "DataLoader";
const DEFAULTS = { batchSize: 32, shuffle: false, dropLast: false, generator: defaultGenerator };

/**
 * Batches of a dataset, one epoch an iteration.
 *
 * A batch is the loader's: its tensors are filled anew for the next one, so an epoch allocates nothing.
 *
 * Shapes: x [B, …sample]; y Int32Array [B], or a tensor [B, …target]. B is smaller in a last batch that is not full.
 * Sequences come as [B, T, C]; `x.transpose(0, 1)` puts time in front, in `fit` and `evaluate` as the option `encode`.
 *
 * @throws RangeError unless batchSize is a positive integer and at least one batch results; TypeError for another dataset
 *   than a {@link TensorDataset}, or a generator that is none.
 */
export class DataLoader<Y extends Targets = Targets> implements Iterable<Batch<BatchOf<Y>>> {
  /** The dataset that the batches are from. */
  readonly dataset: TensorDataset<Y>;
  /** Samples in a full batch; at most as many as the dataset has. */
  readonly batchSize: number;
  private readonly options: typeof DEFAULTS;
  private x: Tensor | null = null;
  private target: Tensor | null = null;

  constructor(dataset: TensorDataset<Y>, options: DataLoaderOptions = {}) {
    if (!(dataset instanceof TensorDataset)) throw wrongType(WHERE, "a TensorDataset", dataset);
    this.options = withDefaults(WHERE, DEFAULTS, options);
    const { batchSize, dropLast, generator } = this.options;
    generatorOf(WHERE, generator);
    numberOf(WHERE, "batchSize", batchSize, COUNT);
    this.dataset = dataset;
    this.batchSize = Math.min(batchSize, dataset.length);
    if (dropLast && batchSize > dataset.length) {
      throw new RangeError(
        `DataLoader: no full batch of ${batchSize} in ${dataset.length} samples; dropLast leaves none`,
      );
    }
  }

  /** Batches in an epoch. */
  get length(): number {
    const count = this.dataset.length / this.batchSize;
    return this.options.dropLast ? Math.floor(count) : Math.ceil(count);
  }

  /**
   * The batches of one epoch; with `shuffle` in an order of its own.
   *
   * @throws RangeError where an array of the dataset has lost values since, or has a class index that is none.
   */
  *[Symbol.iterator](): IterableIterator<Batch<BatchOf<Y>>> {
    const { dataset, batchSize, length } = this;
    const { shuffle, generator } = this.options;
    this.buffers(); // may lack memory, so before an order is drawn
    const order = shuffle ? generator.permutation(dataset.length) : null;
    const labels = new Int32Array(dataset.targetShape === null ? batchSize : 0);
    for (let i = 0; i < length; i++) {
      const { x, target } = this.buffers();
      const start = i * batchSize;
      const n = Math.min(batchSize, dataset.length - start);
      const samples = fill(x, n, dataset.x, dataset.scale, order, start);
      if (target === null) {
        for (let b = 0; b < n; b++) labels[b] = classAt(WHERE, dataset.y, order?.[start + b] ?? start + b);
        yield { x: samples, y: (n === batchSize ? labels : labels.subarray(0, n)) as BatchOf<Y> };
      } else {
        yield { x: samples, y: fill(target, n, dataset.y, 1, order, start) as BatchOf<Y> };
      }
    }
  }

  /**
   * The tensors that batches are written into. They are made anew where they were disposed of, or freed with the tape that they were
   * made in, and the dataset is unchanged.
   */
  private buffers(): { x: Tensor; target: Tensor | null } {
    const { dataset, batchSize } = this;
    const { x, y, length, shape, targetShape } = dataset;
    checkLength(x, length * sizeOf(shape));
    checkLength(y, length * sizeOf(targetShape ?? []));
    this.x = bufferOf(this.x, batchSize, shape);
    if (targetShape !== null) this.target = bufferOf(this.target, batchSize, targetShape);
    return { x: this.x, target: this.target };
  }

  /** Frees the tensors of the batches; the next epoch makes new ones. */
  dispose(): void {
    this.x?.dispose();
    this.target?.dispose();
    this.x = null;
    this.target = null;
  }
}

/** Throws where an array of the dataset was detached or made shorter: what it lacks would read as NaN. */
function checkLength(values: ArrayLike<number>, size: number): void {
  if (values.length === size) return;
  throw wrongValue(WHERE, `${size} values in the dataset, as when it was made`, values.length);
}

const bufferOf = (buffer: Tensor | null, batchSize: number, shape: Shape): Tensor =>
  buffer?.region.open ? buffer : persist(empty([batchSize, ...shape]));

/** Writes n samples from `start` on into the buffer; returns it, or a view of its first rows. */
function fill(
  buffer: Tensor,
  n: number,
  from: ArrayLike<number>,
  scale: number,
  order: Uint32Array | null,
  start: number,
): Tensor {
  const shape: Shape = buffer.sizes.slice(1);
  const size = sizeOf(shape);
  const data = peek(buffer);
  for (let b = 0; b < n; b++) {
    const sample = (order?.[start + b] ?? start + b) * size;
    for (let i = 0; i < size; i++) data[b * size + i] = (from[sample + i] as number) * scale;
  }
  touch(buffer);
  return n === buffer.sizes[0] ? buffer : viewOf(buffer, [n, ...shape], n * size, 0);
}
