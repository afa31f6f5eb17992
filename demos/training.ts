/** The training loop of the demos that train classifiers, and the lines that the loop prints. */
import { existsSync, readFileSync } from "node:fs";
import {
  Adam,
  accuracy,
  crossEntropy,
  DataLoader,
  type Dataset,
  type EpochReport,
  evaluate,
  type FitOptions,
  fit,
  type Module,
  OneCycleLR,
  TensorDataset,
} from "jarvis-snn";
import { resumeCheckpoint, saveCheckpoint } from "jarvis-snn/node";
import { writeWhole } from "./files.ts";
import { FlagError } from "./options.ts";
import { fitBar, line } from "./report.ts";

export type Callbacks = Pick<FitOptions, "onBatch" | "onEpoch" | "progress">;

/** Samples and class indices. */
export type Samples = TensorDataset<Uint8Array>;

export interface Training {
  /** Maps a batch to logits [B, K]. */
  model: Module;
  train: Dataset<Int32Array>;
  test: Dataset<Int32Array>;
  epochs: number;
  batchSize: number;
  /** The largest learning rate of the schedule. */
  lr: number;
  /** The file that keeps the run after each epoch, and from which a run that was stopped continues; no file where the path is empty. */
  checkpoint?: string;
  /** Values of the flags that the run depends on, by name. A checkpoint with other values is refused. */
  settings?: Settings;
}

/** Values of flags by name. */
export type Settings = Readonly<Record<string, string | number>>;

/** Samples of a test batch: activations of all time steps of a batch are in memory at once. */
const TEST_BATCH = 250;

/**
 * Trains by cross-entropy with Adam. The learning rate rises for a fifth of all steps and then falls to zero, so that the last epoch takes
 * small steps. The reports of the epochs carry the test accuracy as `validation`. A run that continues from its checkpoint gives the same
 * bits as a run without a stop, and reports the epochs that it trains.
 *
 * @throws FlagError where the checkpoint has all epochs already, or other settings; RangeError for a checkpoint of another model.
 */
export async function trainClassifier(training: Training, callbacks: Callbacks = {}): Promise<EpochReport[]> {
  const { model, train, test, epochs, batchSize, lr, checkpoint = "", settings = {} } = training;
  const { onBatch, onEpoch, progress } = callbacks;
  const loader = new DataLoader(train, { batchSize, shuffle: true, dropLast: train.length >= batchSize });
  const testLoader = new DataLoader(test, { batchSize: TEST_BATCH });
  const optimizer = new Adam(model.parameters(), { lr });
  const stepsPerEpoch = loader.length;
  const schedule = { maxLr: lr, epochs, stepsPerEpoch, pctStart: 0.2, divFactor: 10, cycleMomentum: false };
  const scheduler = new OneCycleLR(optimizer, schedule);
  const run = { model, optimizer, scheduler };
  if (checkpoint !== "") checkSettings(checkpoint, settings);
  const done = existsSync(checkpoint) ? resumeCheckpoint(checkpoint, run).epoch : 0;
  if (done >= epochs) {
    throw new FlagError(
      `checkpoint: expected fewer than ${epochs} epochs in ${checkpoint}, got ${done}: the run is done`,
    );
  }
  const counted = <Report extends { epoch: number }>(report: Report) => ({ ...report, epoch: done + report.epoch });
  const history = await fit(model, loader, {
    epochs: epochs - done,
    optimizer,
    loss: (logits, y) => crossEntropy(logits, y),
    validate: () => evaluate(model, testLoader, accuracy),
    onBatch(report) {
      scheduler.step();
      onBatch?.(counted(report));
    },
    progress: (report) => progress?.({ ...counted(report), epochs }),
    onEpoch(report) {
      if (checkpoint !== "") saveCheckpoint(checkpoint, { ...run, epoch: done + report.epoch });
      onEpoch?.(counted(report));
    },
  });
  return history.map(counted);
}

/** Keeps the settings of a new run beside its checkpoint, and compares those of a run that goes on. */
function checkSettings(checkpoint: string, settings: Settings): void {
  const path = `${checkpoint}.json`;
  if (!existsSync(checkpoint)) {
    writeWhole(path, JSON.stringify(settings));
    return;
  }
  if (!existsSync(path)) throw new FlagError(`checkpoint: expected the settings of the run in ${path}, got no file`);
  const saved = JSON.parse(readFileSync(path, "utf8")) as Settings;
  for (const name of new Set([...Object.keys(saved), ...Object.keys(settings)])) {
    if (saved[name] === settings[name]) continue;
    throw new FlagError(`--${name}: expected ${saved[name]}, as in ${path}, got ${settings[name]}`);
  }
}

/** The flags that a run depends on: all but its files. Of the folder of a data set, whether there is one counts. */
export function settingsOf({ cache, checkpoint, svg, data = "", ...flags }: Settings): Settings {
  return { ...flags, data: data === "" ? "none" : "files" };
}

/** Samples at the end of a training set that serve to choose settings. */
const HELD = 5000;

/** The flag that chooses the samples on which accuracy is measured. Settings of the demos were chosen on the validation set. */
export const MEASURE = {
  kind: "choice",
  default: "test" as string,
  of: ["test", "validation"],
  help: "measure on the test set, or on training samples left out",
} as const;

/** The flag that names the file of the checkpoint. */
export const CHECKPOINT = {
  kind: "text",
  default: "" as string,
  help: "keep the run there after each epoch, and go on from there (safetensors)",
} as const;

/**
 * A training set in two parts: `test` has its last 5000 samples, or half of a set with fewer than 10 000, and `train` the samples before.
 */
export function holdOut(samples: Samples): { train: Samples; test: Samples } {
  const at = heldFrom(samples.length);
  return { train: part(samples, 0, at), test: part(samples, at, samples.length) };
}

/** The index of the first sample that {@link holdOut} holds out, of a set of this length. */
export const heldFrom = (length: number): number => length - Math.min(HELD, Math.floor(length / 2));

/** The samples from … to − 1, without a copy. */
export function part({ x, y, length, shape, scale }: Samples, from: number, to: number): Samples {
  const size = x.length / length;
  const labels = y as Uint8Array;
  return new TensorDataset(x.subarray(from * size, to * size), labels.subarray(from, to), { shape, scale });
}

/** Batches of an epoch of {@link trainClassifier}. */
export const batchesOf = ({ train, batchSize }: Training): number => Math.max(1, Math.floor(train.length / batchSize));

/** How {@link epochPrinter} names the accuracy, and the digits of its training time in seconds. */
export interface LineOptions {
  measure?: string;
  digits?: number;
}

/** Shows a bar while an epoch runs, and says a line behind it. */
export function epochPrinter(batches: number, options: LineOptions = {}): Required<Callbacks> {
  const { measure = "test", digits = 1 } = options;
  let start = performance.now();
  let trained = start;
  return {
    progress: fitBar(),
    onBatch({ batch }) {
      if (batch === batches) trained = performance.now();
    },
    onEpoch({ epoch, loss, validation = Number.NaN }) {
      const seconds = (trained - start) / 1000;
      line({
        epoch,
        loss: loss.toFixed(4),
        [`${measure}_acc`]: validation.toFixed(4),
        train_s: seconds.toFixed(digits),
      });
      start = performance.now();
    },
  };
}

/** Measures CPU seconds from now on; each call gives those so far, rounded. */
export function cpuTimer(): () => string {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return ((user + system) / 1e6).toFixed(0);
  };
}
