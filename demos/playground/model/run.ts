/** A training run that its configuration alone decides: the same in a worker of any browser and in Node, bit for bit. */
import {
  type Batch,
  crossEntropy,
  DataLoader,
  Generator,
  manualSeed,
  noGrad,
  type Optimizer,
  TensorDataset,
  tape,
  tensor,
} from "jarvis-snn";
import type { Data } from "./data.ts";
import { leaderOf } from "./decision.ts";
import { type CellsOf, encodeSamples, plainCells, SpikingNetwork } from "./network.ts";
import type { TrainConfig } from "./train-fields.ts";

/** Test samples that are looked at in one go. */
const TEST_BATCH = 250;

type OptimizerOf = (config: TrainConfig, model: SpikingNetwork) => Optimizer;

export class Run {
  readonly config: TrainConfig;
  readonly data: Data;
  readonly model: SpikingNetwork;
  /** Steps that led to the weights. */
  steps = 0;
  private readonly optimizer: Optimizer;
  private readonly loader: DataLoader;
  private batches: Iterator<Batch>;
  /** The order of the samples, and their coding. Views of the run draw from generators of their own. */
  private readonly generator: Generator;

  /** Data, optimizer and neurons are the caller's, so that a page loads what it uses. */
  constructor(config: TrainConfig, data: Data, optimizerOf: OptimizerOf, cellsOf: CellsOf = plainCells) {
    this.config = config;
    this.data = data;
    manualSeed(config.seed);
    this.model = new SpikingNetwork(config, this.data.features, this.data.classes, cellsOf);
    this.optimizer = optimizerOf(config, this.model);
    this.generator = new Generator(config.seed);
    const { train, features } = this.data;
    const dataset = new TensorDataset(train.x, train.y, { shape: [features] });
    this.loader = new DataLoader(dataset, { batchSize: config.batch, shuffle: true, generator: this.generator });
    this.batches = this.loader[Symbol.iterator]();
  }

  /** Steps in an epoch. */
  get stepsPerEpoch(): number {
    return this.loader.length;
  }

  /** Samples in a batch. */
  get batchSize(): number {
    return this.loader.batchSize;
  }

  /** Trains on the next batch; its loss. */
  step(): number {
    const { x, y } = this.nextBatch();
    const loss = tape(() => {
      const objective = crossEntropy(this.model.forward(encodeSamples(this.config, x, this.generator)), y);
      this.optimizer.zeroGrad();
      objective.backward();
      return objective.item();
    });
    this.optimizer.step();
    this.steps++;
    return loss;
  }

  /** The share of test samples whose class leads in the end, by the run's weights or others. */
  testAccuracy(model = this.model): number {
    const { test, features, classes } = this.data;
    let hits = 0;
    for (let start = 0; start < test.count; start += TEST_BATCH) {
      const end = Math.min(test.count, start + TEST_BATCH);
      const y = test.y.subarray(start, end);
      const scores = noGrad(() => {
        const x = tensor(test.x.subarray(start * features, end * features), { shape: [end - start, features] });
        return model.forward(encodeSamples(this.config, x, new Generator(start))).toFloat32Array();
      });
      hits += y.filter((label, i) => leaderOf(scores.subarray(i * classes, (i + 1) * classes)) === label).length;
    }
    return hits / test.count;
  }

  /** Frees what lives outside the tapes. */
  dispose(): void {
    this.optimizer.dispose();
    this.loader.dispose();
    this.model.dispose();
  }

  private nextBatch(): Batch {
    const next = this.batches.next();
    if (next.done !== true) return next.value;
    this.batches = this.loader[Symbol.iterator]();
    return this.nextBatch();
  }
}
