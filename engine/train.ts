/**
 * The training loop: `fit` runs epochs of batches through model, loss, backward and optimizer; `evaluate` runs a
 * metric.
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
import { batchOf } from "./data/batch.ts";
import { type Dataset, isDataset } from "./data/dataset.ts";
import { type Batch, DataLoader, type DataLoaderOptions } from "./data/loader.ts";
import { locate, type Module, moduleOf } from "./nn/module.ts";
import { argmax } from "./ops/reduce.ts";
import { targetsOf } from "./ops/tensors.ts";
import type { Optimizer } from "./optim/optimizer.ts";
import type { Scheduler } from "./optim/scheduler.ts";
import { formatShape } from "./shape.ts";
import { noGrad, tape } from "./tape.ts";
import { alive, type Tensor } from "./tensor.ts";

/** Anything that yields batches. */
export type Batches<Y = Batch["y"]> = Iterable<Batch<Y>>;

/** The report that `onBatch` of {@link fit} gets after every batch. */
export interface BatchReport {
  /** Counts from 1. */
  epoch: number;
  /** Batches of this epoch so far. */
  batch: number;
  /** Loss of this batch. */
  loss: number;
  /** Samples in this batch. */
  size: number;
}

/** The report that `progress` of {@link fit} gets after every batch; `progressBar` of `jarvis-snn/node` draws it. */
export interface Progress {
  /** Counts from 1. */
  epoch: number;
  /** Epochs of the training; early stopping may end it before. */
  epochs: number;
  /** Batches of this epoch so far. */
  batch: number;
  /** Batches of an epoch: the length of the loader, undefined where it has none. */
  batches: number | undefined;
  /** Mean of the losses of this epoch so far, weighted by their samples. */
  loss: number;
  /** Learning rate of the optimizer after the batch and `onBatch`. */
  lr: number;
  /** Seconds since the training began, with validation and pauses. */
  seconds: number;
  /** Seconds to the end of all epochs at the mean speed so far, NaN without `batches`. */
  secondsLeft: number;
}

/** The report of {@link fit} on an epoch. */
export interface EpochReport {
  /** Counts from 1. */
  epoch: number;
  /** Mean of the losses of the batches, weighted by their samples. */
  loss: number;
  /** The result of `validate`, undefined without it. */
  validation: number | undefined;
  /** Duration in seconds, with validation and pauses. */
  seconds: number;
}

/** Steps of each sample of a batch, [B], where its samples are sequences of different length. */
export type Lengths = Int32Array | undefined;

/**
 * Options of {@link fit}. Each option that is left out changes nothing. Y is the type of the targets, L the type of the
 * third parameter of the loss, which may also be the options of the loss, as in `crossEntropy`, where no batch has
 * lengths.
 */
export interface FitOptions<Y = Batch["y"], L = Lengths> {
  /** Passes over the loader, an integer ≥ 0. */
  epochs: number;
  /** Updates the parameters after every batch. */
  optimizer: Optimizer;
  /** The loss, one number, of the output of the model for a batch with these targets and, of sequences, these lengths. */
  loss: (output: Tensor, y: Y, lengths?: L) => Tensor;
  /**
   * Turns a batch into the input of the model, as `poissonEncode` does; by default the batch is the input. For a network over
   * time, sequences [B, T, C] of a loader become [T, B, C] by `(x) => x.transpose(0, 1)`.
   */
  encode?: Encode;
  /** Called after every epoch with the model in evaluation mode. */
  validate?: (epoch: number) => number | Promise<number>;
  /** `scheduler.step` is called after every epoch, with the validation result where there is one. */
  scheduler?: Pick<Scheduler, "step">;
  /**
   * Early stopping: the training ends after this many epochs in succession without a better result of `validate`, a positive integer.
   * By default all epochs run. The first number is better than none, NaN never is. As in PyTorch Lightning, and by default in Keras, the
   * weights stay those of the last epoch; `onEpoch` can save the best ones.
   */
  patience?: number;
  /** Which result of `validate` is better for `patience`: "min" (default), the smaller one, as of a loss; "max", as of an accuracy. */
  mode?: "min" | "max";
  /** Called after every batch, behind `onBatch`, with the state of the whole training. */
  progress?: (report: Progress) => void;
  /** Called after every batch. */
  onBatch?: (report: BatchReport) => void;
  /** Called after every epoch, with validation done. */
  onEpoch?: (report: EpochReport) => void;
  /** Ends the training before the next batch. */
  signal?: AbortSignalLike;
}

/** Turns the samples of a batch into the input of the model. */
export type Encode = (x: Tensor, lengths: Lengths) => Tensor;

/** The members of an `AbortSignal` that `fit` reads. */
export interface AbortSignalLike {
  /** Whether the training is to end. */
  readonly aborted: boolean;
  /** The error that `fit` throws then; undefined in old browsers. */
  readonly reason?: unknown;
}

const asItIs: Encode = (x) => x;

/** The defaults of the options that have one. */
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
 * Trains the model: one tape, one backward pass and one optimizer step a batch, in training mode. Lets other work run
 * between batches. The model is left in evaluation mode. Gives the reports of all epochs.
 *
 * A dataset as the source stands for `new DataLoader(dataset, { shuffle: true })`.
 *
 * @throws the signal's reason when it is aborted, or an error of the model or a callback; the weights stay as the last
 *   whole step left them.
 * @throws RangeError if epochs is not an integer ≥ 0, patience not a positive one, mode another word, an epoch has no batches, or the
 *   loss is more than one number; TypeError for an argument or option of another kind, batches that are none, an `encode` or a `loss` that
 *   returns no tensor, patience without `validate`, and where ReduceLROnPlateau is not told a metric by `validate`.
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
export async function fit<Y = Batch["y"], L = Lengths>(
  model: Module,
  source: Batches<Y> | Dataset<Y>,
  options: FitOptions<Y, L>,
): Promise<EpochReport[]> {
  const where = "fit";
  const given = withDefaults(where, DEFAULTS, options);
  const { optimizer, encode, validate, scheduler, patience, progress, onBatch, onEpoch, signal } = given;
  const epochs = numberOf(where, "epochs", given.epochs, WHOLE);
  const loss = functionOf(where, "loss", given.loss as FitOptions<Y, Lengths>["loss"]);
  functionOf(where, "optimizer.step", optimizer?.step);
  functionOf(where, "optimizer.zeroGrad", optimizer?.zeroGrad);
  functionOf(where, "scheduler.step", scheduler.step);
  if (typeof signal.aborted !== "boolean") throw wrongType(where, "signal as an AbortSignal", signal);
  const sign = choiceOf(where, "mode", given.mode, ["min", "max"]) === "min" ? 1 : -1;
  if (patience !== undefined) numberOf(where, "patience", patience, COUNT);
  if ((patience as unknown) !== validate) functionOf(where, "validate", validate); // unless both are left out
  const loader = loaderOf(where, model, source, { shuffle: true });
  const batches = (loader as { length?: number }).length;
  const history: EpochReport[] = [];
  const began = performance.now();
  let rested = began;
  let best = Infinity;
  let waited = 0;
  try {
    for (let epoch = 1; epoch <= epochs && waited !== patience; epoch++) {
      const start = performance.now();
      let total = 0;
      let samples = 0;
      let batch = 0;
      model.train();
      for (const each of loader) {
        if (signal.aborted) throw signal.reason ?? new Error("fit: aborted");
        const given = batchOf(where, each);
        const { size } = given;
        const value = tape(() => {
          const objective = ofOutput(where, model, encode, given, loss);
          alive(objective, "fit: loss");
          optimizer.zeroGrad();
          objective.backward();
          return objective.item();
        });
        optimizer.step();
        total += value * size;
        samples += size;
        batch++;
        onBatch({ epoch, batch, loss: value, size });
        const seconds = (performance.now() - began) / 1000;
        progress({
          epoch,
          batch,
          loss: total / samples,
          epochs,
          batches,
          lr: optimizer.lr,
          seconds,
          secondsLeft: seconds * (epochs / (epoch - 1 + batch / (batches as number)) - 1),
        });
        if (performance.now() - rested > LONGEST_RUN_MS) {
          await yieldToOthers();
          rested = performance.now();
        }
      }
      if (samples === 0) throw noBatches(where);
      model.eval();
      const validation = await validate?.(epoch);
      scheduler.step(validation);
      const report = { epoch, loss: total / samples, validation, seconds: (performance.now() - start) / 1000 };
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

/** The batches, of a dataset by a loader of its own; checks the model too. */
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
 * fn(output, y, lengths) for the output of the model for a batch. Its RangeError says first where the output has not as many samples as
 * the batch.
 */
function ofOutput<Y, R>(
  where: string,
  model: Module,
  encode: Encode,
  { x, y, lengths, size }: ReturnType<typeof batchOf<Y>>,
  fn: (output: Tensor, y: Y, lengths: Lengths) => R,
): R {
  const input = encode(x, lengths);
  alive(input, `${where}: encode`);
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
 * The mean of a metric over the samples of a loader or dataset, Σ Bᵢ·metricᵢ / Σ Bᵢ over batches of Bᵢ samples, in evaluation mode;
 * nothing is recorded. The metric gives the mean over one batch. `encode` turns a batch into the input of the model, as in
 * {@link fit}; by default the batch is the input. A dataset as the source stands for `new DataLoader(dataset)`.
 *
 * @throws RangeError if the loader has no batches, TypeError for an argument of another kind, batches that are none, an `encode`
 *   that returns no tensor or a metric that gives no number; and errors of the model or the metric.
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
  try {
    model.evaluating(() => {
      for (const batch of loader) {
        const given = batchOf(where, batch);
        const { size } = given;
        total += noGrad(() => {
          const value = ofOutput<Y, unknown>(
            where,
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
 * The share of rows of output [..., K] whose largest entry, the first of equal ones, is at the target's index; the
 * targets follow the other axes in row-major order.
 *
 * @throws RangeError unless the output has an axis, and there is one target a row.
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

/** Longest time without a pause, so that a page stays responsive. */
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
