/**
 * The training loop: `fit` runs epochs of batches through model, loss, backward and optimizer; `evaluate` computes a metric.
 */

import {
  COUNT,
  choiceOf,
  functionOf,
  iterableOf,
  numberOf,
  WHOLE,
  withDefaults,
  wrongType,
  wrongValue,
} from "./arguments.ts";
import { noGrad, tape } from "./core/tape.ts";
import { alive, type Tensor } from "./core/tensor.ts";
import { batchOf } from "./data/batch.ts";
import { type Dataset, isDataset } from "./data/dataset.ts";
import { type Batch, DataLoader, type DataLoaderOptions } from "./data/loader.ts";
import { checkFinite, checkGradients, checkLoss } from "./finite.ts";
import { locate, type Module, moduleOf } from "./nn/module.ts";
import { argmax } from "./ops/reduce.ts";
import { Optimizer } from "./optim/optimizer.ts";
import type { Scheduler } from "./optim/scheduler.ts";
import { formatShape, targetsOf } from "./shape.ts";

/** An iterable of batches. */
export type Batches<Y = Batch["y"]> = Iterable<Batch<Y>>;

/** Report for `onBatch` of {@link fit}, after every batch. */
export interface BatchReport {
  /** Epoch, counted from 1. */
  epoch: number;
  /** Number of batches of this epoch so far. */
  batch: number;
  /** Loss of this batch. */
  loss: number;
  /** Number of samples in this batch. */
  size: number;
}

/** Report for `progress` of {@link fit}, after every batch; `progressBar` of `jarvis-snn/node` draws it. */
export interface Progress {
  /** Epoch, counted from 1. */
  epoch: number;
  /** Number of epochs; early stopping may end the training earlier. */
  epochs: number;
  /** Number of batches of this epoch so far. */
  batch: number;
  /** Number of batches in an epoch, the length of the loader; undefined if the loader has no length. */
  batches: number | undefined;
  /** Mean of the losses of this epoch so far, weighted by their samples. */
  loss: number;
  /** Learning rate after this batch and `onBatch`. */
  lr: number;
  /** Seconds since the training began, including validation and pauses. */
  seconds: number;
  /** Estimated seconds until all epochs are done, at the mean speed so far; NaN without `batches`. */
  secondsLeft: number;
}

/** Report of {@link fit} after an epoch. V is the type of `validation`: number if `validate` is given. */
export interface EpochReport<V extends number | undefined = number | undefined> {
  /** Epoch, counted from 1. */
  epoch: number;
  /** Mean of the losses of the batches, weighted by their samples. */
  loss: number;
  /** Result of `validate`; undefined without it. */
  validation: V;
  /** Duration in seconds, including validation and pauses. */
  seconds: number;
}

/** Number of time steps of each sample in a batch, [B]; undefined unless samples are sequences of different lengths. */
export type Lengths = Int32Array | undefined;

/**
 * Options of {@link fit}; omitted options have no effect. Y is the type of the targets. V is the type of `validation`
 * in reports: number if `validate` is given. L is the type of the loss's third parameter: lengths, or if no batch has
 * lengths also the loss's options, as in `crossEntropy`.
 */
export interface FitOptions<Y = Batch["y"], L = Lengths, V extends number | undefined = number | undefined> {
  /** Number of passes over the loader, an integer ≥ 0. */
  epochs: number;
  /** Optimizer, which updates the parameters after every batch. */
  optimizer: Optimizer;
  /**
   * Computes the loss of a batch, one number, from the model's output, the targets and, for sequences, their lengths.
   */
  loss: (output: Tensor, y: Y, lengths?: L) => Tensor;
  /**
   * Makes the model's input from a batch, for example by `poissonEncode`; default: the batch itself. For networks over
   * time, `(x) => x.transpose(0, 1)` turns sequences [B, T, C] of a loader into [T, B, C].
   */
  encode?: Encode;
  /** Called after every epoch, with the model in evaluation mode. */
  validate?: (epoch: number) => NonNullable<V> | Promise<NonNullable<V>>;
  /** Scheduler whose `step` is called after every epoch, with the validation result if there is one. */
  scheduler?: Pick<Scheduler, "step">;
  /**
   * Early stopping: ends the training after this many consecutive epochs (an integer ≥ 1) without a better result of
   * `validate`. By default all epochs run. The first number counts as better, NaN never does. The weights remain those
   * of the last epoch, as in PyTorch Lightning and by default in Keras; `onEpoch` can save the best ones.
   */
  patience?: number;
  /**
   * Which result is better for `patience`: "min" (default) smaller, as for a loss; "max" larger, as for an accuracy.
   */
  mode?: "min" | "max";
  /** Called after every batch, after `onBatch`, with the state of the whole training. */
  progress?: (report: Progress) => void;
  /** Called after every batch. */
  onBatch?: (report: BatchReport) => void;
  /** Called after every epoch and its validation. */
  onEpoch?: (report: EpochReport<V>) => void;
  /** Ends the training before the next batch. */
  signal?: AbortSignalLike;
}

/** Makes the model's input from the samples of a batch. */
export type Encode = (x: Tensor, lengths: Lengths) => Tensor;

/** Members of an `AbortSignal` that `fit` reads. */
export interface AbortSignalLike {
  /** Whether the training should end. */
  readonly aborted: boolean;
  /** Error that `fit` then throws; undefined in old browsers. */
  readonly reason?: unknown;
}

const asItIs: Encode = (x) => x;

/** Defaults of the options that have one. */
const DEFAULTS = {
  epochs: Number.NaN,
  optimizer: null as unknown as Optimizer,
  loss: null as unknown as FitOptions<never, never>["loss"],
  encode: asItIs,
  validate: undefined as FitOptions["validate"],
  scheduler: { step() {} } as Pick<Scheduler, "step">,
  patience: undefined as number | undefined,
  mode: "min",
  progress(_report: Progress) {},
  onBatch(_report: BatchReport) {},
  onEpoch(_report: EpochReport) {},
  signal: { aborted: false } as AbortSignalLike,
};

/**
 * Trains the model in training mode: one tape, one backward pass and one optimizer step per batch. Other tasks can run
 * between batches. Afterwards the model is in evaluation mode. Returns the reports of all epochs.
 *
 * A dataset as the source means `new DataLoader(dataset, { shuffle: true })`.
 *
 * @throws the signal's reason when it is aborted, or an error of the model or a callback. The weights are then those
 *   after the last complete step.
 * @throws RangeError for an infinite or NaN value in a batch's input (before or after `encode`), loss or gradients, and
 *   if no parameter of the optimizer gets a gradient from the first batch. `diagnose` finds the reason.
 * @throws RangeError unless epochs is an integer ≥ 0 and patience one ≥ 1, or if mode is unknown, an epoch has no
 *   batches, or the loss is more than one number; TypeError for an argument or option of the wrong type, invalid
 *   batches, an `encode` or a `loss` that does not return a tensor, patience without `validate`, and ReduceLROnPlateau
 *   without a metric of `validate`.
 *
 * @example
 * ```ts
 * import { Adam, constantEncode, crossEntropy, fit, LIF, Linear } from "jarvis-snn";
 * import { meanOverTime, rand, Sequential, TensorDataset } from "jarvis-snn";
 *
 * const data = new TensorDataset(rand([64, 4]), Uint8Array.from({ length: 64 }, (_, i) => i % 2));
 * const model = new Sequential(new Linear(4, 16), new LIF(), new Linear(16, 2));
 * const history = await fit(model, data, {
 *   epochs: 3,
 *   optimizer: new Adam(model.parameters(), { lr: 0.01 }),
 *   encode: (x) => constantEncode(x, { timesteps: 10 }),
 *   loss: (z, y) => crossEntropy(meanOverTime(z), y),
 * });
 * console.log(history.map(({ epoch }) => epoch)); // [ 1, 2, 3 ]
 * ```
 */
export async function fit<Y = Batch["y"], L = Lengths, V extends number | undefined = number | undefined>(
  model: Module,
  source: Batches<Y> | Dataset<Y>,
  options: FitOptions<Y, L, V>,
): Promise<EpochReport<V>[]> {
  const where = "fit";
  const given = checkedOptions<Y>(where, options);
  const { epochs, validate, scheduler, patience, sign, onEpoch } = given;
  const loader = loaderOf(where, model, source, { shuffle: true });
  const trainer = new Trainer(where, model, loader, given);
  const history: EpochReport<V>[] = [];
  let best = Infinity;
  let waited = 0;
  try {
    for (let epoch = 1; epoch <= epochs && waited !== patience; epoch++) {
      const start = performance.now();
      model.train();
      const loss = await trainer.run(epoch);
      model.eval();
      const validation = await validate?.(epoch);
      scheduler.step(validation);
      const seconds = (performance.now() - start) / 1000;
      const report = { epoch, loss, validation: validation as V, seconds };
      history.push(report);
      onEpoch(report);
      const result = sign * (validation as number);
      waited++;
      if (result < best) {
        best = result;
        waited = 0;
      }
    }
  } finally {
    if (loader !== source) (loader as DataLoader<Y>).dispose();
  }
  model.eval();
  return history;
}

/** Checked options of {@link fit}, with defaults. */
function checkedOptions<Y>(where: string, options: unknown) {
  const given = withDefaults(where, DEFAULTS, options);
  const { optimizer, validate, scheduler, patience, signal } = given;
  const epochs = numberOf(where, "epochs", given.epochs, WHOLE);
  const loss = functionOf(where, "loss", given.loss as FitOptions<Y, Lengths>["loss"]);
  functionOf(where, "optimizer.step", optimizer?.step);
  functionOf(where, "optimizer.zeroGrad", optimizer?.zeroGrad);
  functionOf(where, "scheduler.step", scheduler.step);
  if (typeof signal.aborted !== "boolean") throw wrongType(where, "signal as an AbortSignal", signal);
  const sign = choiceOf(where, "mode", given.mode, ["min", "max"]) === "min" ? 1 : -1;
  if (patience !== undefined) numberOf(where, "patience", patience, COUNT);
  if ((patience as unknown) !== validate) functionOf(where, "validate", validate); // Skipped if both are undefined.
  const { encode, progress, onBatch, onEpoch } = given;
  return { epochs, optimizer, loss, encode, validate, scheduler, patience, sign, progress, onBatch, onEpoch, signal };
}

/** Runs the epochs of one call of {@link fit}. */
class Trainer<Y> {
  private readonly where: string;
  private readonly model: Module;
  private readonly loader: Batches<Y>;
  private readonly options: ReturnType<typeof checkedOptions<Y>>;
  private readonly names: Map<Tensor, string>;
  private readonly params: readonly Tensor[];
  /** Number of batches in an epoch, if the loader reports it. */
  private readonly batches: number | undefined;
  private readonly began = performance.now();
  /** Time of the last pause for other tasks. */
  private rested = this.began;

  constructor(where: string, model: Module, loader: Batches<Y>, options: ReturnType<typeof checkedOptions<Y>>) {
    this.where = where;
    this.model = model;
    this.loader = loader;
    this.options = options;
    const { optimizer } = options;
    this.names = new Map(model.namedParameters().map(([name, p]) => [p, name]));
    this.params = optimizer instanceof Optimizer ? optimizer.params : [...this.names.keys()];
    this.batches = (loader as { length?: number }).length;
  }

  /** Runs the steps of one epoch, counted from 1; returns the mean loss. */
  async run(epoch: number): Promise<number> {
    const { where, loader } = this;
    const { signal, onBatch } = this.options;
    let total = 0;
    let samples = 0;
    let batch = 0;
    for (const each of loader) {
      if (signal.aborted) throw signal.reason ?? new Error("fit: aborted");
      const given = batchOf(where, each);
      const { size } = given;
      const value = this.step(epoch, ++batch, given);
      total += value * size;
      samples += size;
      onBatch({ epoch, batch, loss: value, size });
      this.report(epoch, batch, total / samples);
      if (performance.now() - this.rested > LONGEST_RUN_MS) {
        await yieldToOthers();
        this.rested = performance.now();
      }
    }
    if (samples === 0) throw noBatches(where);
    return total / samples;
  }

  /** Runs one step; returns its loss, computed before the update. */
  private step(epoch: number, batch: number, given: ReturnType<typeof batchOf<Y>>): number {
    const { where, model, names, params } = this;
    const { optimizer, encode, loss } = this.options;
    const place = `fit: batch ${batch} of epoch ${epoch} (see diagnose)`;
    const value = tape(() => {
      const objective = ofOutput(where, place, model, encode, given, loss);
      alive(objective, "fit: loss");
      checkLoss(place, objective, names);
      optimizer.zeroGrad();
      objective.backward();
      checkGradients(place, params, names, epoch * batch === 1);
      return objective.item();
    });
    optimizer.step();
    return value;
  }

  private report(epoch: number, batch: number, loss: number): void {
    const { batches } = this;
    const { epochs, optimizer, progress } = this.options;
    const seconds = (performance.now() - this.began) / 1000;
    const secondsLeft = seconds * (epochs / (epoch - 1 + batch / (batches as number)) - 1);
    progress({ epoch, batch, loss, epochs, batches, lr: optimizer.lr, seconds, secondsLeft });
  }
}

/** The batches of a source; for a dataset, those of a new loader. Also checks the model. */
function loaderOf<Y>(
  where: string,
  model: Module,
  source: Batches<Y> | Dataset<Y>,
  options?: DataLoaderOptions,
): Batches<Y> {
  moduleOf(where, model);
  return isDataset<Y>(source)
    ? new DataLoader(source, options)
    : iterableOf(where, "a loader, or batches in a list", source);
}

/**
 * Calls fn(output, y, lengths) with the model's output for a batch. Errors about values name the batch. If fn throws a
 * RangeError and the output has a wrong number of samples, the message begins by saying so.
 */
function ofOutput<Y, R>(
  where: string,
  place: string,
  model: Module,
  encode: Encode,
  { x, y, lengths, size }: ReturnType<typeof batchOf<Y>>,
  fn: (output: Tensor, y: Y, lengths: Lengths) => R,
): R {
  checkFinite(place, "the input", x);
  const input = encode(x, lengths);
  alive(input, `${where}: encode`);
  if (input !== x) checkFinite(place, "the encoded input", input);
  let output: Tensor;
  try {
    output = model.forward(input);
  } catch (error) {
    throw locate(error, "", model);
  }
  try {
    return fn(output, y, lengths);
  } catch (error) {
    const { sizes } = Object(output) as Partial<Tensor>;
    if (!(error instanceof RangeError) || !sizes || sizes.slice(0, 2).includes(size)) throw error;
    const got = `${formatShape(sizes)}; did encode put time first? (${error.message})`;
    throw wrongValue(where, `an output for the ${size} samples of the batch`, got);
  }
}

const noBatches = (where: string): Error =>
  new RangeError(`${where}: the loader gave no batches; a generator gives them once only`);

/**
 * Mean of a metric over all samples, Σ Bᵢ·metricᵢ / Σ Bᵢ, in evaluation mode and without recording. Batch i has Bᵢ
 * samples, and `metric` returns the mean over one batch. `encode` makes the model's input from a batch, as in {@link
 * fit}; default: the batch itself. A dataset as the source means `new DataLoader(dataset)`.
 *
 * @throws RangeError if the loader has no batches, or a value of the input, before or after `encode`, is infinite or NaN; the metric may have any
 *   value. TypeError for an argument of the wrong type, invalid batches, an `encode` that does not return a tensor or a metric that does not return a
 *   number; and errors of the model or the metric.
 *
 * @example
 * ```ts
 * import { accuracy, evaluate, Linear, TensorDataset, tensor } from "jarvis-snn";
 *
 * const model = new Linear(2, 2, { bias: false });
 * model.weight.copyFrom([1, 0, 0, 1]); // the output is the input
 * const data = new TensorDataset(tensor([[1, 0], [0, 1], [1, 0], [0, 1]]), [0, 1, 0, 0]);
 * console.log(evaluate(model, data, accuracy)); // 0.75
 * ```
 */
export function evaluate<Y = Batch["y"], L = Lengths>(
  model: Module,
  source: Batches<Y> | Dataset<Y>,
  metric: (output: Tensor, y: Y, lengths?: L) => number,
  options: { encode?: Encode } = {},
): number {
  const where = "evaluate";
  const { encode } = withDefaults(where, { encode: asItIs }, options);
  functionOf(where, "metric", metric);
  const loader = loaderOf(where, model, source);
  let total = 0;
  let samples = 0;
  let count = 0;
  try {
    model.evaluating(() => {
      for (const batch of loader) {
        const given = batchOf(where, batch);
        const { size } = given;
        total += noGrad(() => {
          const value = ofOutput<Y, unknown>(
            where,
            `evaluate: batch ${++count} (see diagnose)`,
            model,
            encode,
            given,
            metric as (output: Tensor, y: Y, lengths: Lengths) => number,
          );
          if (typeof value === "number") return size * value;
          throw wrongType(where, "the metric to give a number (a loss needs .item())", value);
        });
        samples += size;
      }
    });
  } finally {
    if (loader !== source) (loader as DataLoader<Y>).dispose();
  }
  if (samples === 0) throw noBatches(where);
  return total / samples;
}

/**
 * Share of the rows of output [..., K] whose largest entry is at the target's index; of equal entries the first counts.
 * Targets are in row-major order of the other axes.
 *
 * @throws RangeError unless the output has an axis, and there is one target per row.
 *
 * @example
 * ```ts
 * import { accuracy, tensor } from "jarvis-snn";
 *
 * console.log(accuracy(tensor([[0.1, 0.9], [0.8, 0.2]]), [1, 1])); // 0.5
 * ```
 */
export function accuracy(output: Tensor, y: ArrayLike<number> | Tensor): number {
  alive(output, "accuracy");
  if (output.ndim === 0) throw wrongValue("accuracy", "an output [..., K]", "[]");
  const found = noGrad(() => argmax(output, { axis: -1 }).toFloat32Array());
  const labels = targetsOf("accuracy", output, y);
  return found.filter((place, row) => place === labels[row]).length / found.length;
}

/** Longest run without a pause, so that a page remains responsive. */
const LONGEST_RUN_MS = 12;

const yieldToOthers = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
