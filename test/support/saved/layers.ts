/** Modules of the engine, recurrent layers and layers through time, with options that commit 3c77a22 has. */
import {
  AdaptiveLIF,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  BatchNormTT1d,
  BatchNormTT2d,
  Conv1d,
  Conv2d,
  CurrentNoise,
  Delay,
  DelayedLinear,
  Dropout,
  Embedding,
  Flatten,
  GroupNorm,
  LayerNorm,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  PSN,
  Recurrent,
  RecurrentLIF,
  ReLU,
  Sequential,
  SpikingLSTM,
  Synaptic,
  type Tensor,
  ThresholdDependentBatchNorm1d,
  ThresholdDependentBatchNorm2d,
} from "jarvis-snn";
import { type Cases, each, FEATURES, fed, maps, NEURONS, STEPS } from "./cases.ts";

/** A vector of each whole number that an input in [0, 1) becomes. */
class Lookup extends Module {
  readonly embedding: Embedding;

  constructor(embedding: Embedding) {
    super();
    this.embedding = embedding;
  }

  forward(x: Tensor): Tensor {
    return this.embedding.forward(x.mul(5).round());
  }
}

export const MODULES: Cases = {
  Linear: (generator) => new Linear(FEATURES, 3, { generator }),
  "Linear without a bias": (generator) => new Linear(FEATURES, 3, { bias: false, generator }),
  Conv1d: fed((generator) => new Conv1d(2, 3, 3, { padding: 1, generator }), 1, [2, 5]),
  Conv2d: maps((generator) => new Conv2d(2, 4, 3, { stride: 2, padding: [1, 0], groups: 2, generator })),
  Embedding: (generator) => new Lookup(new Embedding(6, 3, { generator })),
  "Embedding with padding": (generator) => new Lookup(new Embedding(6, 3, { paddingIdx: 2, generator })),
  BatchNorm1d: fed(() => new BatchNorm1d(NEURONS, { axis: -1 })),
  "BatchNorm1d without momentum": fed(() => new BatchNorm1d(NEURONS, { axis: -1, momentum: null, affine: false })),
  BatchNorm2d: maps(() => new BatchNorm2d(2)),
  GroupNorm: maps(() => new GroupNorm(2, 2)),
  LayerNorm: fed(() => new LayerNorm(NEURONS)),
  "layers without a state": maps(
    () => new Sequential(new ReLU(), new MaxPool2d(2), new Dropout(0.3), new AvgPool2d(2), new Flatten(2)),
  ),
};

export const RECURRENT: Cases = {
  RecurrentLIF: fed((generator) => new RecurrentLIF({ features: NEURONS, generator })),
  "RecurrentLIF of its own spikes": fed(
    (generator) => new RecurrentLIF({ features: NEURONS, connection: "one", reset: "subtract", generator }),
  ),
  "RecurrentLIF learned": fed(
    (generator) =>
      new RecurrentLIF({
        features: NEURONS,
        beta: each(0.5, 0.1),
        refractorySteps: 1,
        learnBeta: true,
        learnThreshold: true,
        generator,
      }),
  ),
  "AdaptiveLIF all": fed((generator) => {
    const neurons = new AdaptiveLIF({ kappa: 0.3, learn: ["beta", "rho"] });
    return new Recurrent(neurons, { features: NEURONS, generator });
  }),
  "AdaptiveLIF one": fed((generator) => {
    return new Recurrent(new AdaptiveLIF({ kappa: 0.3 }), { features: NEURONS, connection: "one", generator });
  }),
  "Synaptic without a bias": fed((generator) => {
    return new Recurrent(new Synaptic(), { features: NEURONS, bias: false, generator });
  }),
  "LIF by a convolution": maps((generator) => {
    return new Recurrent(new LIF(), { connection: new Conv2d(2, 2, 3, { padding: 1, generator }) });
  }),
  "PSN all": fed((generator) => {
    return new Recurrent(new PSN({ kind: "sliding", order: 2, generator }), { features: NEURONS, generator });
  }, 3),
  SpikingLSTM: (generator) => new SpikingLSTM(FEATURES, 3, { threshold: 0.1, reset: "subtract", generator }),
  "SpikingLSTM learned": (generator) =>
    new SpikingLSTM(FEATURES, 3, {
      ...{ threshold: 0.1, resetValue: 0.05, reset: "zero", bias: false, refractorySteps: 1 },
      learn: ["threshold", "resetValue"],
      generator,
    }),
};

export const TEMPORAL: Cases = {
  PSN: fed((generator) => new PSN({ timesteps: STEPS, generator }), 3),
  "PSN masked": fed((generator) => new PSN({ kind: "masked", timesteps: STEPS, order: 3, generator }), 6),
  "PSN sliding": fed((generator) => new PSN({ kind: "sliding", order: 3, generator }), 2),
  "PSN sliding from random weights": fed(
    (generator) => new PSN({ kind: "sliding", order: 3, expInit: false, spiking: false, generator }),
  ),
  Delay: fed(() => new Delay([0, 2, 1, 0, 3])),
  "Delay of channels": maps(() => new Delay([1, 2], { axis: -3 })),
  DelayedLinear: fed((generator) => new DelayedLinear(NEURONS, 3, { maxDelay: 4, generator })),
  "DelayedLinear without a bias": fed(
    (generator) => new DelayedLinear(NEURONS, 3, { maxDelay: 2, sigma: 1, finalSigma: 0.3, bias: false, generator }),
  ),
  CurrentNoise: fed(() => new CurrentNoise({ std: each(0.1, 0.1) })),
  "CurrentNoise learned": fed(() => new CurrentNoise({ learnStd: true })),
  ThresholdDependentBatchNorm1d: fed(() => new ThresholdDependentBatchNorm1d(NEURONS, { alpha: 0.7, threshold: 0.5 })),
  ThresholdDependentBatchNorm2d: maps(() => new ThresholdDependentBatchNorm2d(2)),
  BatchNormTT1d: fed(() => new BatchNormTT1d(NEURONS, STEPS)),
  BatchNormTT2d: maps(() => new BatchNormTT2d(2, STEPS, { momentum: null })),
};
