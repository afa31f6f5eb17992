/** The training loop. */

import type { Batch } from "./data/loader.ts";
import type { Module } from "./nn/module.ts";
import { targetsOf } from "./ops/loss.ts";
import { argmax } from "./ops/reduce.ts";
import type { Optimizer } from "./optim/optimizer.ts";
import type { Scheduler } from "./optim/scheduler.ts";
import { checkOptions } from "./options.ts";
import { noGrad, tape } from "./tape.ts";
import { alive, type Tensor } from "./tensor.ts";

/** Anything that yields batches. */
export type Batches = Iterable<Batch>;

/** What `onBatch` of {@link fit} is told after every batch. */
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

/** What {@link fit} reports of an epoch. */
export interface EpochReport {
  /** Counts from 1. */
  epoch: number;
  /** Mean of the losses of the batches, weighted by their samples. */
  loss: number;
  /** What `validate` returned, undefined without it. */
  validation: number | undefined;
  /** Duration in seconds, with validation and pauses. */
  seconds: number;
}

/** Options of {@link fit}. What is left out is not done. */
export interface FitOptions {
  /** Passes over the loader, an integer ≥ 0. */
  epochs: number;
  /** Updates the parameters after every batch. */
  optimizer: Optimizer;
  /** The loss, one number, of the output of the model for a batch with these targets. */
  loss: (output: Tensor, y: Batch["y"]) => Tensor;
  /** Turns a batch into the input of the model, as `poissonEncode` does; by default the batch is the input. */
  encode?: (x: Tensor) => Tensor;
  /** Called after every epoch with the model in evaluation mode. */
  validate?: (epoch: number) => number | Promise<number>;
  /** Its `step` is called after every epoch, with the validation result where there is one. */
  scheduler?: Pick<Scheduler, "step">;
  /** Called after every batch. */
  onBatch?: (report: BatchReport) => void;
  /** Called after every epoch, with validation done. */
  onEpoch?: (report: EpochReport) => void;
  /** Ends the training before the next batch. */
  signal?: AbortSignalLike;
}

/** What `fit` reads of an `AbortSignal`. */
export interface AbortSignalLike {
  /** Whether the training is to end. */
  readonly aborted: boolean;
  /** What `fit` throws then; undefined in old browsers. */
  readonly reason?: unknown;
}

const asItIs = (x: Tensor): Tensor => x;

/**
 * Trains the model: one tape, one backward pass and one optimizer step a batch, in training mode. Lets other work run
 * between batches. The model is left in evaluation mode. Gives the reports of all epochs.
 *
 * @throws the signal's reason when it is aborted, or what the model or a callback throws; the weights are those after the
 *   last whole step.
 * @throws RangeError if epochs is not an integer ≥ 0, an epoch has no batches, or the loss is more than one number;
 *   TypeError where ReduceLROnPlateau is not told a metric by `validate`.
 */
export async function fit(model: Module, loader: Batches, options: FitOptions): Promise<EpochReport[]> {
  checkOptions("fit", options, "epochs optimizer loss encode validate scheduler onBatch onEpoch signal");
  const { epochs, optimizer, loss, encode = asItIs, validate, scheduler, onBatch, onEpoch, signal } = options;
  if (!Number.isInteger(epochs) || epochs < 0)
    throw new RangeError(`fit: epochs must be an integer ≥ 0, got ${epochs}`);
  const history: EpochReport[] = [];
  let rested = performance.now();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = performance.now();
    let total = 0;
    let samples = 0;
    let batch = 0;
    model.train();
    for (const { x, y } of loader) {
      if (signal?.aborted) throw signal.reason ?? new Error("fit: aborted");
      const size = x.shape[0] as number;
      const value = tape(() => {
        const objective = loss(model.forward(encode(x)), y);
        optimizer.zeroGrad();
        objective.backward();
        return objective.item();
      });
      optimizer.step();
      total += value * size;
      samples += size;
      batch++;
      onBatch?.({ epoch, batch, loss: value, size });
      if (performance.now() - rested > LONGEST_RUN_MS) {
        await yieldToOthers();
        rested = performance.now();
      }
    }
    if (samples === 0) throw new RangeError("fit: the loader gave no batches");
    model.eval();
    const validation = await validate?.(epoch);
    scheduler?.step(validation);
    const report = { epoch, loss: total / samples, validation, seconds: (performance.now() - start) / 1000 };
    history.push(report);
    onEpoch?.(report);
  }
  model.eval();
  return history;
}

/**
 * The mean of a metric over the samples of a loader, Σ Bᵢ·metricᵢ / Σ Bᵢ over batches of Bᵢ samples, in evaluation mode;
 * nothing is recorded. The metric gives the mean over one batch. `encode` turns a batch into the input of the model; by
 * default it is.
 *
 * @throws RangeError if the loader has no batches, and what the model or the metric throws.
 */
export function evaluate(
  model: Module,
  loader: Batches,
  metric: (output: Tensor, y: Batch["y"]) => number,
  options: { encode?: (x: Tensor) => Tensor } = {},
): number {
  checkOptions("evaluate", options, "encode");
  const { encode = asItIs } = options;
  let total = 0;
  let samples = 0;
  model.evaluating(() => {
    for (const { x, y } of loader) {
      const size = x.shape[0] as number;
      total += size * noGrad(() => numberOf(metric(model.forward(encode(x)), y)));
      samples += size;
    }
  });
  if (samples === 0) throw new RangeError("evaluate: the loader gave no batches");
  return total / samples;
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  throw new TypeError(`evaluate: expected the metric to give a number, got ${typeof value}; a loss needs .item()`);
}

/**
 * The share of rows of output [..., K] whose largest entry, the first of equal ones, is at the target's index; the targets
 * are those of the other axes in row-major order.
 *
 * @throws RangeError unless the output has an axis, and there is one target a row.
 */
export function accuracy(output: Tensor, y: ArrayLike<number> | Tensor): number {
  alive(output, "accuracy");
  if (output.ndim === 0) throw new RangeError("accuracy: expected an output [..., K], got []");
  const found = noGrad(() => argmax(output, { axis: -1 }).toFloat32Array());
  const labels = targetsOf("accuracy", output, y);
  return found.reduce((hits, place, row) => (place === labels[row] ? hits + 1 : hits), 0) / found.length;
}

/** Longest time without a pause, so that a page stays responsive. */
const LONGEST_RUN_MS = 12;

function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
