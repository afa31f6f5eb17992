/**
 * Batches of a dataset, in order or shuffled: `for (const { x, y } of loader)`. The next batch overwrites or frees the
 * last one.
 */
import { COUNT, numberOf, withDefaults } from "../arguments.ts";
import { defaultGenerator, type Generator, generatorOf, upwards } from "../generator.ts";
import type { Shape } from "../shape.ts";
import { noGradNoting, persist } from "../tape.ts";
import { empty, type Tensor, viewOf } from "../tensor.ts";
import type { Dataset, Samples } from "./dataset.ts";
import { checkStored, labelsInto, lengthOf, rowsInto, samplesOf, TensorDataset } from "./dataset.ts";

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

/** Samples with their targets. A batch of a loader lives until the next batch. */
export interface Batch<Y = Int32Array | Tensor> {
  /** The samples, [B, …sample], or in the form of a user's dataset, such as [T, B, …]. */
  x: Tensor;
  /** Class indices, or a tensor [B, …target], or the targets of a user's dataset. */
  y: Y;
  /** Steps of each sample, [B], where the samples are sequences of different length. */
  lengths?: Int32Array | undefined;
  /** B, the number of samples. Batches that are made by hand may leave it out. */
  size?: number;
}

const WHERE = "DataLoader";
const DEFAULTS = { batchSize: 32, shuffle: false, dropLast: false, generator: defaultGenerator };

/**
 * Batches of a dataset, one epoch an iteration.
 *
 * A batch is the loader's. Of a {@link TensorDataset} its tensors are filled anew for the next one, so an epoch allocates nothing; those
 * of another {@link Dataset} are freed for the next one.
 *
 * Shapes: x [B, …sample]; y Int32Array [B], or a tensor [B, …target]. B is smaller in a last batch that is not full.
 * Sequences of a TensorDataset come as [B, T, C]; `x.transpose(0, 1)` puts time in front, in `fit` and `evaluate` as the option
 * `encode`. A user's dataset gives x in any shape, [T, B, …] for sequences.
 *
 * @throws RangeError unless batchSize and the length of the dataset are positive integers and at least one batch results; TypeError for
 *   anything but a dataset, or a generator that is none.
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
  /** The dataset that the batches are from. */
  readonly dataset: Dataset<Y>;
  /** Samples in a full batch; at most as many as the dataset has. */
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

  /** Batches in an epoch. */
  get length(): number {
    const count = this.samples / this.batchSize;
    return this.options.dropLast ? Math.floor(count) : Math.ceil(count);
  }

  /**
   * The batches of one epoch; with `shuffle` in an order of its own.
   *
   * @throws RangeError where an array of the dataset has lost values since, or has a class index that is none, and for a batch of another
   *   dataset with other lengths than one integer ≥ 1 a sample; TypeError for a batch that is none. Errors of the
   *   dataset pass through.
   */
  *[Symbol.iterator](): IterableIterator<Batch<Y>> {
    const { dataset, batchSize, samples, length } = this;
    const { shuffle, generator } = this.options;
    const stored = dataset instanceof TensorDataset ? (dataset as TensorDataset) : null;
    if (stored !== null) this.buffers(stored); // may lack memory, so before an order is drawn
    const order = shuffle ? generator.permutation(samples) : upwards(samples);
    const labels = new Int32Array(stored?.targetShape === null ? batchSize : 0);
    for (let i = 0; i < length; i++) {
      const chosen = order.subarray(i * batchSize, (i + 1) * batchSize);
      yield stored === null ? this.ask(chosen) : (this.fill(stored, chosen, labels) as Batch<Y>);
    }
  }

  /** A batch, from a `TensorDataset` or another `Dataset`. */
  private ask(chosen: Uint32Array): Batch<Y> {
    this.freeMade();
    const made: Tensor[] = [];
    const size = chosen.length;
    const batch = noGradNoting(WHERE, made, (): Samples<Y> & { lengths: Int32Array | undefined } =>
      samplesOf(WHERE, this.dataset.batch(Array.from(chosen)), size),
    );
    this.made = made;
    return { ...batch, size };
  }

  /** A batch of samples that are stored in arrays, in the memory of the one before. */
  private fill(dataset: TensorDataset, chosen: Uint32Array, labels: Int32Array): Batch {
    const size = chosen.length;
    const { x, target } = this.buffers(dataset);
    const samples = first(rowsInto(x, dataset.x, dataset.scale, chosen), size);
    if (target !== null) return { x: samples, y: first(rowsInto(target, dataset.y, 1, chosen), size), size };
    return { x: samples, y: labelsInto(labels.subarray(0, size), WHERE, dataset.y, chosen), size };
  }

  /**
   * The tensors that batches are written into. They are made anew where they were disposed of, or freed with the tape that they were
   * made in, and the dataset is unchanged.
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

  /** Frees the tensors of the batches; the next epoch makes new ones. */
  dispose(): void {
    this.x?.dispose();
    this.target?.dispose();
    this.freeMade();
  }
}

const bufferOf = (buffer: Tensor | null, batchSize: number, shape: Shape): Tensor =>
  buffer?.region.open ? buffer : persist(empty([batchSize, ...shape]));

/** The first n rows. */
function first(buffer: Tensor, n: number): Tensor {
  const [rows, ...shape] = buffer.sizes as [number, ...number[]];
  return n === rows ? buffer : viewOf(buffer, [n, ...shape], (buffer.size / rows) * n, 0);
}
