/** Two spiking networks of the site and the dense networks beside them, each trained on the same batches as its neighbours. */
import {
  crossEntropy,
  DataLoader,
  fit,
  Generator,
  Linear,
  lastMembrane,
  type Module,
  manualSeed,
  ReLU,
  Sequential,
  type Tensor,
  TensorDataset,
} from "jarvis-snn";
import { seen } from "../playground/figures/digit/ink.ts";
import { trained } from "../playground/figures/digit/learn.ts";
import { batchOf, DIGITS, DigitNetwork, HIDDEN, TIMESTEPS } from "../playground/figures/digit/net.ts";
import { type PenDigits, strokesOf } from "../playground/figures/digit/pen-digits.ts";
import { makeData } from "../playground/model/data.ts";
import { PIXELS } from "../playground/model/image.ts";
import { encodeSamples, makeOptimizer } from "../playground/model/network.ts";
import { Run } from "../playground/model/run.ts";
import { featuresOf, type TrainConfig, trainFields } from "../playground/model/train-fields.ts";
import { defaults } from "../playground/state/fields.ts";
import type { Network } from "./energy.ts";

/** A trained network with the samples that it is tested on. */
export interface Trained extends Network {
  readonly test: TensorDataset;
  /** Scores [B, K] of the output of the model. */
  scoresOf(output: Tensor): Tensor;
}

/** Networks of one task: a spiking one first, then dense ones, of which the first is its opponent. */
export interface Case {
  readonly name: string;
  /** The largest share of a dense pass at which spikes pay. */
  readonly bound: number;
  readonly networks: readonly {
    readonly name: string;
    train(seed: number): Promise<Trained>;
  }[];
}

/** Linear layers with biases, and ReLU between them. */
const dense = (sizes: readonly number[]): Sequential =>
  new Sequential(
    ...sizes.slice(1).flatMap((size, i) => [...(i > 0 ? [new ReLU()] : []), new Linear(sizes[i] as number, size)]),
  );

const denseName = (sizes: readonly number[]): string => `${sizes.join("-")} ReLU`;
const spikingName = (sizes: readonly number[], timesteps: number): string => `${sizes.join("-")} LIF, T ${timesteps}`;
const same = (x: Tensor): Tensor => x;

/**
 * Hidden neurons of dense networks of digits: the fewest of 24, 32, 48 and 64 whose accuracy on held-out training digits is at most half a
 * point below that of the spiking network, and the fewest that equal it.
 */
const DENSE_HIDDEN = [32, 48];

/** The network of the first page of the site: 14 × 14 pixels, of which each fires once. */
export function digitCase(train: PenDigits, test: PenDigits, epochs: number): Case {
  const pictures = batchOf(test.skeletons.map((skeleton) => seen(strokesOf(skeleton))));
  const data = new TensorDataset(pictures.toFloat32Array(), test.labels, { shape: [PIXELS] });
  pictures.dispose();
  const network = (make: () => Module, timesteps: number, scoresOf: Trained["scoresOf"]) => async (seed: number) => ({
    ...{ timesteps, scoresOf, test: data, encode: same },
    model: await trained({ make, scoresOf }, train, { seed, epochs }),
  });
  return {
    name: "digits",
    bound: 0.5,
    networks: [
      {
        name: spikingName([PIXELS, HIDDEN, DIGITS], TIMESTEPS),
        train: network(() => new DigitNetwork(), TIMESTEPS, lastMembrane),
      },
      ...DENSE_HIDDEN.map((hidden) => [PIXELS, hidden, DIGITS]).map((sizes) => ({
        name: denseName(sizes),
        train: network(() => dense(sizes), 1, same),
      })),
    ],
  };
}

/** Hidden layers of dense networks of moons: as many parameters as the spiking network has at most, and the fewest that do. */
const DENSE_LAYERS = [[22, 16], [2]];

/** The network that Train opens with. */
export function trainCase(epochs: number): Case {
  const config = defaults(trainFields);
  const sizesOf = (layers: readonly number[]) => [featuresOf(config), ...layers, 2];
  return {
    name: "moons",
    bound: 0.8,
    networks: [
      {
        name: spikingName(sizesOf(config.layers), config.timesteps),
        train: async (seed) => spikingMoons({ ...config, seed }, epochs),
      },
      ...DENSE_LAYERS.map(sizesOf).map((sizes) => ({
        name: denseName(sizes),
        train: (seed: number) => denseMoons({ ...config, seed }, sizes, epochs),
      })),
    ],
  };
}

function spikingMoons(config: TrainConfig, epochs: number): Trained {
  const data = makeData(config, null);
  const run = new Run(config, data, makeOptimizer);
  while (run.steps < epochs * run.stepsPerEpoch) run.step();
  return {
    ...{ model: run.model, timesteps: config.timesteps, scoresOf: same },
    test: new TensorDataset(data.test.x, data.test.y, { shape: [data.features] }),
    encode: (x) => encodeSamples(config, x, new Generator(0)),
  };
}

async function denseMoons(config: TrainConfig, sizes: readonly number[], epochs: number): Promise<Trained> {
  const { train, test, features } = makeData(config, null);
  manualSeed(config.seed);
  const model = dense(sizes);
  const loader = new DataLoader(new TensorDataset(train.x, train.y, { shape: [features] }), {
    ...{ batchSize: config.batch, shuffle: true, generator: new Generator(config.seed) },
  });
  await fit(model, loader, {
    epochs,
    optimizer: makeOptimizer(config, model),
    loss: (scores, y) => crossEntropy(scores, y),
  });
  return {
    ...{ model, timesteps: 1, scoresOf: same, encode: same },
    test: new TensorDataset(test.x, test.y, { shape: [features] }),
  };
}
