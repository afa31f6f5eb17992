/** Trainings on a budget of synaptic operations, by a cost of operations beyond the budget, by pruning, or by both. */
import {
  Adam,
  accuracy,
  crossEntropy,
  DataLoader,
  evaluate,
  manualSeed,
  OneCycleLR,
  type Tensor,
  tape,
} from "jarvis-snn";
import { type Profile, profile, prune, synapticCost } from "jarvis-snn/quantize";
import { part, type Samples } from "../training.ts";
import { EnergyNetwork, type EnergyOptions } from "./network.ts";

/** Ways to fewer operations. */
export interface Budget {
  readonly name: string;
  /** Operations of a sample, as a share of those of a training without a budget: beyond them spikes have a cost. */
  readonly activity?: number;
  /** The share of weights that is pruned in each layer. */
  readonly pruned?: number;
}

export const BUDGETS: readonly Budget[] = [
  { name: "activity 1/2", activity: 1 / 2 },
  { name: "pruning 3/5", pruned: 0.6 },
  { name: "both 1/2", activity: 1 / 2, pruned: 0.5 },
  { name: "both 1/4", activity: 1 / 4, pruned: 0.7 },
];

export interface EnergyTraining extends EnergyOptions {
  train: Samples;
  test: Samples;
  epochs: number;
  batchSize: number;
  /** The top of the one cycle of the learning rate. */
  lr: number;
  seed: number;
}

/** A training: the network, its accuracy and its cost on the test data. */
export interface Outcome {
  readonly name: string;
  readonly model: EnergyNetwork;
  readonly accuracy: number;
  readonly cost: Profile;
}

/** Images of the training set that tell the operations of a network. */
const PROBE = 1000;
/** Batches between two steps of a budget. */
const EACH = 20;
/** The share of the training over which a budget narrows, fast at first; what is left learns on. */
const NARROW = 0.6;
const TEST_BATCH = 250;

/** Operations of a sample that take a joule. */
export const operationsOf = ({ total }: Profile): number =>
  total.synapticOperations.effectiveMACs + total.synapticOperations.effectiveACs;

/** Operations of the pixels, which no training on activity changes. */
const pixelsOf = ({ layers }: Profile): number => layers["features.0"]?.synapticOperations.effectiveMACs as number;

/** A profile of images of the training set. */
export const probe = (model: EnergyNetwork, { train }: EnergyTraining): Profile =>
  profile(model, new DataLoader(part(train, 0, Math.min(PROBE, train.length)), { batchSize: TEST_BATCH }));

/**
 * Trains a network on a budget. `usual` is the profile of the training images without a budget, of which the budget is a share. All
 * trainings of a seed start at the same weights and see the same batches.
 */
export function trainOn(
  budget: Budget,
  training: EnergyTraining,
  usual: Profile | null,
  onBatch: (batch: number, batches: number) => void = () => {},
): Outcome {
  const { train, test, epochs, batchSize, lr, seed } = training;
  manualSeed(seed);
  const model = new EnergyNetwork(training);
  const loader = new DataLoader(train, { batchSize, shuffle: true, dropLast: train.length >= batchSize });
  const optimizer = new Adam(model.parameters(), { lr });
  const schedule = {
    maxLr: lr,
    epochs,
    stepsPerEpoch: loader.length,
    pctStart: 0.2,
    divFactor: 10,
    cycleMomentum: false,
  };
  const scheduler = new OneCycleLR(optimizer, schedule);
  const steps = epochs * loader.length;
  const { pruned = 0, activity } = budget;
  let target = Number.POSITIVE_INFINITY;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { x, y } of loader) {
      if (step % EACH === 0) {
        const ramp = 1 - (1 - Math.min(1, step / (NARROW * steps))) ** 3;
        const amount = pruned * ramp;
        if (pruned > 0) prune(model, { amount });
        if (activity !== undefined && usual !== null) {
          const share = 1 - (1 - activity) * ramp;
          target = Math.max(1, share * operationsOf(usual) - (1 - amount) * pixelsOf(usual));
        }
      }
      tape(() => {
        const loss = lossOf(model, x, y as Int32Array, target);
        optimizer.zeroGrad();
        loss.backward();
      });
      optimizer.step();
      scheduler.step();
      onBatch(++step, steps);
    }
  }
  model.eval();
  const testLoader = new DataLoader(test, { batchSize: TEST_BATCH });
  return {
    name: budget.name,
    model,
    accuracy: evaluate(model, testLoader, accuracy),
    cost: profile(model, testLoader),
  };
}

/** The cross-entropy, and the cost of operations behind the pixels beyond the target. */
function lossOf(model: EnergyNetwork, x: Tensor, y: Int32Array, target: number): Tensor {
  if (target === Number.POSITIVE_INFINITY) return crossEntropy(model.forward(x), y);
  const { output, cost } = synapticCost(model, x, { target, batchAxis: 0 });
  return crossEntropy(output, y).add(cost);
}
