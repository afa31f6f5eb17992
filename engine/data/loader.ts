/** Batches of a dataset, in order or shuffled: `for (const { x, y } of loader)`. Each batch is valid until the next. */
import { COUNT, numberOf, withDefaults } from "../arguments.ts";
import { moveOut, run } from "../core/tape.ts";
import { emptyOf, type Tensor } from "../core/tensor.ts";
import { viewOf } from "../core/views.ts";
import { defaultGenerator, type Generator, generatorOf, upwards } from "../generator.ts";
import { persist } from "../outside/persist.ts";
import type { Shape } from "../shape.ts";
import type { Dataset, Samples } from "./dataset.ts";
import { checkStored, lengthOf, rowsOf, samplesOf, TensorDataset } from "./dataset.ts";

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Number of samples in a batch, an integer ≥ 1; default 32 (PyTorch: 1). */
  batchSize?: number;
  /** Whether to shuffle the order every epoch; default false. */
  shuffle?: boolean;
  /** Whether to drop an incomplete last batch; default false. */
  dropLast?: boolean;
  /** Generator of the order; the default generator if not given. */
  generator?: Generator;
}

/** Samples with their targets. A batch of a loader is valid until the next batch. */
export interface Batch<Y = Int32Array | Tensor> {
  /** Samples, [B, …sample], or in the form of a user's dataset, such as [T, B, …]. */
  x: Tensor;
  /** Class indices [B], a tensor [B, …target], or the targets of a user's dataset. */
  y: Y;
  /** Number of time steps of each sample, [B], if samples are sequences of different lengths. */
  lengths?: Int32Array | undefined;
  /** B, the number of samples; optional in user-made batches. */
  size?: number;
}

const WHERE = "DataLoader";
const DEFAULTS = { batchSize: 32, shuffle: false, dropLast: false, generator: defaultGenerator };

/**
 * Batches of a dataset; each iteration is one epoch.
 *
 * The loader owns its batches. For a {@link TensorDataset}, the next batch overwrites the tensors, so an epoch
 * allocates nothing. For another {@link Dataset}, they are freed before the next batch.
 *
 * Shapes: x [B, …sample]; y Int32Array [B], or a tensor [B, …target]. An incomplete last batch has a smaller B.
 * Sequences of a TensorDataset are [B, T, C]; `x.transpose(0, 1)` makes time the first axis (in `fit` and `evaluate` by
 * the option `encode`). A user's dataset may return x in any shape, such as [T, B, …].
 *
 * @throws RangeError unless batchSize and the length of the dataset are positive integers and at least one batch results; TypeError for anything but
 *   a dataset or a generator.
 *
 * @example
 * ```ts
 * import { DataLoader, Generator, rand, TensorDataset } from "jarvis-snn";
 *
 * const data = new TensorDataset(rand([100, 4]), new Uint8Array(100));
 * const loader = new DataLoader(data, { batchSize: 32, shuffle: true, generator: new Generator(1) });
 * for (const { x, y } of loader) {
 *   // x [B, 4], y Int32Array [B]; both are the loader's until the next batch
 *   if (x.shape[0] !== y.length) throw new Error("as many targets as samples");
 * }
 * console.log(loader.length); // 4
 * ```
 */
export class DataLoader<Y = Int32Array | Tensor> implements Iterable<Batch<Y>> {
  /** Dataset of the batches. */
  readonly dataset: Dataset<Y>;
  /** Number of samples in a full batch, at most the length of the dataset. */
  readonly batchSize: number;
  private readonly options: typeof DEFAULTS;
  private readonly samples: number;
  private x: Tensor | null = null;
  private target: Tensor | null = null;
  private made: Tensor[] | null = null;

  constructor(dataset: Dataset<Y>, options: DataLoaderOptions = {}) {
    this.samples = lengthOf(WHERE, dataset);
    this.options = withDefaults(WHERE, DEFAULTS, options);
    const { batchSize, dropLast, generator } = this.options;
    generatorOf(WHERE, generator);
    numberOf(WHERE, "batchSize", batchSize, COUNT);
    this.dataset = dataset;
    this.batchSize = Math.min(batchSize, this.samples);
    if (dropLast && batchSize > this.samples) {
      throw new RangeError(
        `DataLoader: no full batch of ${batchSize} in ${this.samples} samples; dropLast leaves none`,
      );
    }
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const count = this.samples / this.batchSize;
    return this.options.dropLast ? Math.floor(count) : Math.ceil(count);
  }

  /**
   * The batches of one epoch; with `shuffle` in a new order.
   *
   * @throws RangeError if an array of the dataset has become shorter or has an invalid class index, or if lengths of a
   *   user's dataset are not one integer ≥ 1 per sample; TypeError for an invalid batch. Errors of the dataset are
   *   passed on.
   */
  *[Symbol.iterator](): IterableIterator<Batch<Y>> {
    const { dataset, batchSize, samples, length } = this;
    const { shuffle, generator } = this.options;
    const stored = dataset instanceof TensorDataset ? (dataset as TensorDataset) : null;
    if (stored !== null) this.buffers(stored); // Allocates before the order is drawn, since memory may run out.
    const order = shuffle ? generator.permutation(samples) : upwards(samples);
    const labels = new Int32Array(stored?.targetShape === null ? batchSize : 0);
    for (let i = 0; i < length; i++) {
      const chosen = order.subarray(i * batchSize, (i + 1) * batchSize);
      yield stored === null ? this.ask(chosen) : (this.fill(stored, chosen, labels) as Batch<Y>);
    }
  }

  /** Makes a batch from a `TensorDataset` or another `Dataset`. */
  private ask(chosen: Uint32Array): Batch<Y> {
    this.freeMade();
    const made: Tensor[] = [];
    const size = chosen.length;
    const read = (): Samples<Y> & { lengths: Int32Array | undefined } =>
      samplesOf(WHERE, this.dataset.batch(Array.from(chosen)), size);
    // Like noGrad, but the loader frees what the dataset has made for the batch.
    const batch = run(WHERE, false, read, (t, inner) => {
      if (t.region === inner.region) made.push(t);
      moveOut(t, inner);
    });
    this.made = made;
    return { ...batch, size };
  }

  /** Makes a batch from arrays, in the memory of the previous batch. */
  private fill(dataset: TensorDataset, chosen: Uint32Array, labels: Int32Array): Batch {
    const size = chosen.length;
    const { x, target } = this.buffers(dataset);
    const y = target === null ? labels.subarray(0, size) : first(target, size);
    return { ...rowsOf(WHERE, dataset, chosen, first(x, size), y), size };
  }

  /**
   * Tensors into which batches are written. They are made again if the user or an ended tape has freed them. Also
   * checks that the dataset's arrays are unchanged.
   */
  private buffers(dataset: TensorDataset): { x: Tensor; target: Tensor | null } {
    const { batchSize } = this;
    const { shape, targetShape } = dataset;
    checkStored(WHERE, dataset);
    this.x = bufferOf(this.x, batchSize, shape);
    if (targetShape !== null) this.target = bufferOf(this.target, batchSize, targetShape);
    return { x: this.x, target: this.target };
  }

  private freeMade(): void {
    for (const t of this.made ?? []) t.dispose();
  }

  /** Frees the tensors of the batches; the next epoch creates new ones. */
  dispose(): void {
    this.x?.dispose();
    this.target?.dispose();
    this.freeMade();
  }
}

const bufferOf = (buffer: Tensor | null, batchSize: number, shape: Shape): Tensor =>
  buffer?.region.open ? buffer : persist(emptyOf([batchSize, ...shape]));

/** The first n rows. */
function first(buffer: Tensor, n: number): Tensor {
  const [rows, ...shape] = buffer.sizes as [number, ...number[]];
  return n === rows ? buffer : viewOf(buffer, [n, ...shape], (buffer.size / rows) * n, 0);
}
