/**
 * The training loop: `fit` runs epochs of batches through model, loss, backward and optimizer; `evaluate` runs a
 * metric.
 */

import { functionOf, iterableOf, numberOf, WHOLE, withDefaults, wrongType, wrongValue } from "./arguments.ts";
import { batchOf } from "./data/batch.ts";
import { type Dataset, isDataset } from "./data/dataset.ts";
import { type Batch, DataLoader } from "./data/loader.ts";
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
  validate: (() => undefined) as (epoch: number) => number | undefined | Promise<number | undefined>,
  scheduler: { step() {} } as Pick<Scheduler, "step">,
  onBatch(_report: BatchReport) {},
  onEpoch(_report: EpochReport) {},
  signal: { aborted: false } as AbortSignalLike,
};

/**
 * Trains the model: one tape, one backward pass and one optimizer step a batch, in training mode. Lets other work run
 * between batches. The model is left in evaluation mode. Gives the reports of all epochs.
 *
 * A dataset instead of the loader stands for `new DataLoader(dataset, { shuffle: true })`.
 *
 * @throws the signal's reason when it is aborted, or an error of the model or a callback; the weights stay as the last
 *   whole step left them.
 * @throws RangeError if epochs is not an integer ≥ 0, an epoch has no batches, or the loss is more than one number;
 *   TypeError for an argument or option of another kind, batches that are none, an `encode` or a `loss` that returns no tensor,
 *   and where ReduceLROnPlateau is not told a metric by `validate`.
 */
export async function fit<Y = Batch["y"], L = Lengths>(
  model: Module,
  loader: Batches<Y> | Dataset<Y>,
  options: FitOptions<Y, L>,
): Promise<EpochReport[]> {
  if (!isDataset<Y>(loader)) return train(model, loader, options);
  const batches = new DataLoader(loader, { shuffle: true });
  try {
    return await train(model, batches, options);
  } finally {
    batches.dispose();
  }
}

async function train<Y, L>(model: Module, loader: Batches<Y>, options: FitOptions<Y, L>): Promise<EpochReport[]> {
  const where = "fit";
  const given = withDefaults(where, DEFAULTS, options);
  const { optimizer, encode, validate, scheduler, onBatch, onEpoch, signal } = given;
  const epochs = numberOf(where, "epochs", given.epochs, WHOLE);
  const loss = functionOf(where, "loss", given.loss as FitOptions<Y, Lengths>["loss"]);
  functionOf(where, "optimizer.step", optimizer?.step);
  functionOf(where, "optimizer.zeroGrad", optimizer?.zeroGrad);
  functionOf(where, "scheduler.step", scheduler.step);
  if (typeof signal.aborted !== "boolean") throw wrongType(where, "signal as an AbortSignal", signal);
  moduleOf(where, model);
  iterableOf(where, "a loader, or batches in a list", loader);
  const history: EpochReport[] = [];
  let rested = performance.now();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    let total = 0;
    let samples = 0;
    let batch = 0;
    model.train();
    for (const each of loader) {
      if (signal.aborted) throw signal.reason ?? new Error("fit: aborted");
      const { x, y, lengths, size } = batchOf(where, each);
      const value = tape(() => {
        const output = outputOf(where, model, encode, x, lengths);
        const objective = ofSamples(where, output, size, () => loss(output, y, lengths));
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
      if (performance.now() - rested > LONGEST_RUN_MS) {
        await yieldToOthers();
        rested = performance.now();
      }
    }
    if (samples === 0) throw noBatches(where);
    model.eval();
    const validation = await validate(epoch);
    scheduler.step(validation);
    const report = { epoch, loss: total / samples, validation, seconds: (performance.now() - start) / 1000 };
    history.push(report);
    onEpoch(report);
  }
  model.eval();
  return history;
}

function outputOf(where: string, model: Module, encode: Encode, x: Tensor, lengths: Lengths): Tensor {
  const input = encode(x, lengths);
  alive(input, `${where}: encode`);
  try {
    return model.forward(input);
  } catch (error) {
    throw locate(error, "", model);
  }
}

/** fn(), which reads the output for a batch: its RangeError says first where the output has not `size` samples. */
function ofSamples<R>(where: string, output: Tensor, size: number, fn: () => R): R {
  try {
    return fn();
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
 * The mean of a metric over the samples of a loader, Σ Bᵢ·metricᵢ / Σ Bᵢ over batches of Bᵢ samples, in evaluation mode;
 * nothing is recorded. The metric gives the mean over one batch. `encode` turns a batch into the input of the model, as in
 * {@link fit}; by default the batch is the input. A dataset instead of the loader stands for `new DataLoader(dataset)`.
 *
 * @throws RangeError if the loader has no batches, TypeError for an argument of another kind, batches that are none, an `encode`
 *   that returns no tensor or a metric that gives no number; and errors of the model or the metric.
 */
export function evaluate<Y = Batch["y"], L = Lengths>(
  model: Module,
  loader: Batches<Y> | Dataset<Y>,
  metric: (output: Tensor, y: Y, lengths?: L) => number,
  options: { encode?: Encode } = {},
): number {
  if (!isDataset<Y>(loader)) return measure(model, loader, metric, options);
  const batches = new DataLoader(loader);
  try {
    return measure(model, batches, metric, options);
  } finally {
    batches.dispose();
  }
}

function measure<Y, L>(
  model: Module,
  loader: Batches<Y>,
  metric: (output: Tensor, y: Y, lengths?: L) => number,
  options: { encode?: Encode },
): number {
  const where = "evaluate";
  const { encode } = withDefaults(where, { encode: asItIs }, options);
  functionOf(where, "metric", metric);
  moduleOf(where, model);
  iterableOf(where, "a loader, or batches in a list", loader);
  let total = 0;
  let samples = 0;
  model.evaluating(() => {
    for (const batch of loader) {
      const { x, y, lengths, size } = batchOf(where, batch);
      total += noGrad(() => {
        const output = outputOf(where, model, encode, x, lengths);
        return size * measured(ofSamples(where, output, size, () => metric(output, y, lengths as L)));
      });
      samples += size;
    }
  });
  if (samples === 0) throw noBatches(where);
  return total / samples;
}

function measured(value: unknown): number {
  if (typeof value === "number") return value;
  throw wrongType("evaluate", "the metric to give a number (a loss needs .item())", value);
}

/**
 * The share of rows of output [..., K] whose largest entry, the first of equal ones, is at the target's index; the
 * targets follow the other axes in row-major order.
 *
 * @throws RangeError unless the output has an axis, and there is one target a row.
 */
export function accuracy(output: Tensor, y: ArrayLike<number> | Tensor): number {
  alive(output, "accuracy");
  if (output.ndim === 0) throw wrongValue("accuracy", "an output [..., K]", "[]");
  const found = noGrad(() => argmax(output, { axis: -1 }).toFloat32Array());
  const labels = targetsOf("accuracy", output, y);
  return found.reduce((hits, place, row) => (place === labels[row] ? hits + 1 : hits), 0) / found.length;
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
