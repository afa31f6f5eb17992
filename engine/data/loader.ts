import { type Generator, generatorOf } from "../generator.ts";
import { checkOptions } from "../options.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { persist } from "../tape.ts";
import { empty, type Tensor, touch, viewOf } from "../tensor.ts";
import { TensorDataset } from "./dataset.ts";

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
export interface Batch {
  /** The samples, [B, …sample]. */
  x: Tensor;
  /** Class indices, or a tensor [B, …target]. */
  y: Int32Array | Tensor;
}

/**
 * Batches of a dataset, one epoch an iteration.
 *
 * A batch is the loader's: its tensors are filled anew for the next one, so an epoch allocates nothing.
 *
 * Shapes: x [B, …sample]; y Int32Array [B], or a tensor [B, …target]. B is smaller in a last batch that is not full.
 *
 * @throws RangeError unless batchSize is a positive integer and at least one batch results; TypeError for another dataset
 *   than a {@link TensorDataset}, or a generator that is none.
 */
export class DataLoader implements Iterable<Batch> {
  /** The dataset that the batches are from. */
  readonly dataset: TensorDataset;
  /** Samples in a full batch; at most as many as the dataset has. */
  readonly batchSize: number;
  private readonly shuffle: boolean;
  private readonly dropLast: boolean;
  private readonly generator: Generator;
  private x: Tensor | null = null;
  private target: Tensor | null = null;

  constructor(dataset: TensorDataset, options: DataLoaderOptions = {}) {
    if (!(dataset instanceof TensorDataset)) throw new TypeError("DataLoader: expected a TensorDataset");
    checkOptions("DataLoader", options, "batchSize shuffle dropLast generator");
    const { batchSize = 32, shuffle = false, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`DataLoader: batchSize must be a positive integer, got ${batchSize}`);
    }
    this.dataset = dataset;
    this.batchSize = Math.min(batchSize, dataset.length);
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.generator = generatorOf("DataLoader", options.generator);
    if (dropLast && batchSize > dataset.length) {
      throw new RangeError(
        `DataLoader: no full batch of ${batchSize} in ${dataset.length} samples; dropLast leaves none`,
      );
    }
  }

  /** Batches in an epoch. */
  get length(): number {
    const count = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(count) : Math.ceil(count);
  }

  /** The batches of one epoch; with `shuffle` in an order of its own. */
  *[Symbol.iterator](): IterableIterator<Batch> {
    const { dataset, batchSize } = this;
    const order = this.shuffle ? this.generator.permutation(dataset.length) : null;
    this.x ??= persist(empty([batchSize, ...dataset.shape]));
    if (dataset.targetShape !== null) this.target ??= persist(empty([batchSize, ...dataset.targetShape]));
    const labels = new Int32Array(dataset.targetShape === null ? batchSize : 0);
    for (let i = 0; i < this.length; i++) {
      const start = i * batchSize;
      const n = Math.min(batchSize, dataset.length - start);
      const x = fill(this.x, n, dataset.x, dataset.scale, order, start);
      if (this.target !== null) {
        yield { x, y: fill(this.target, n, dataset.y, 1, order, start) };
      } else {
        for (let b = 0; b < n; b++)
          labels[b] = dataset.y[order === null ? start + b : (order[start + b] as number)] as number;
        yield { x, y: n === batchSize ? labels : labels.subarray(0, n) };
      }
    }
  }

  /** Frees the tensors of the batches; the next epoch makes new ones. */
  dispose(): void {
    this.x?.dispose();
    this.target?.dispose();
    this.x = null;
    this.target = null;
  }
}

/** Writes n samples from `start` on into the buffer; returns it, or a view of its first rows. */
function fill(
  buffer: Tensor,
  n: number,
  from: ArrayLike<number>,
  scale: number,
  order: Uint32Array | null,
  start: number,
): Tensor {
  const shape: Shape = buffer.shape.slice(1);
  const size = sizeOf(shape);
  const { data } = buffer;
  for (let b = 0; b < n; b++) {
    const sample = (order === null ? start + b : (order[start + b] as number)) * size;
    for (let i = 0; i < size; i++) data[b * size + i] = (from[sample + i] as number) * scale;
  }
  touch(buffer);
  return n === buffer.shape[0] ? buffer : viewOf(buffer, [n, ...shape], n * size, 0);
}
