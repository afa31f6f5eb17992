import {
  Adam,
  accuracy,
  constantEncode,
  crossEntropy,
  DataLoader,
  evaluate,
  type FitOptions,
  fit,
  LIF,
  Linear,
  Module,
  manualSeed,
  meanOverTime,
  poissonEncode,
  surrogate,
  type Tensor,
  type TensorDataset,
  ttfsEncode,
} from "jarvis-snn";
import { FEATURES, toyData } from "./data.ts";
import { DEFAULTS, type Encoding, type ToyOptions } from "./settings.ts";

export { DEFAULTS, type Encoding, type ToyOptions };

/** Linear → LIF → mean over time → Linear. The mean of the linear outputs is the linear output of the mean. */
class ToyNetwork extends Module {
  readonly fc1: Linear;
  readonly lif: LIF;
  readonly fc2: Linear;

  constructor(hidden: number, refractorySteps: number) {
    super();
    this.fc1 = new Linear(FEATURES, hidden);
    this.lif = new LIF({ beta: 0.95, surrogate: surrogate.sigmoid({ slope: 10 }), refractorySteps });
    this.fc2 = new Linear(hidden, 2);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(meanOverTime(this.lif.forward(this.fc1.forward(x))));
  }

  /** Spikes per hidden neuron and step. */
  firingRate(x: Tensor): number {
    return this.lif.forward(this.fc1.forward(x)).mean().item();
  }
}

export interface ToyRun {
  model: ToyNetwork;
  trainLoader: DataLoader;
  testLoader: DataLoader;
  test: TensorDataset<Uint8Array>;
  encode: (x: Tensor) => Tensor;
  optimizer: Adam;
}

/** Seeds the default generator and sets everything up. */
export function prepareToy(options: ToyOptions): ToyRun {
  const { timesteps, batchSize } = options;
  manualSeed(options.seed);
  const { train, test } = toyData(options.dataSeed);
  const model = new ToyNetwork(options.hidden, options.refractory);
  const encoders: Record<Encoding, (x: Tensor) => Tensor> = {
    poisson: (x) => poissonEncode(x, { timesteps }),
    ttfs: (x) => ttfsEncode(x, { timesteps }),
    constant: (x) => constantEncode(x, { timesteps }),
  };
  return {
    model,
    trainLoader: new DataLoader(train, { batchSize, shuffle: true }),
    test,
    testLoader: new DataLoader(test, { batchSize: 512 }),
    encode: encoders[options.encode],
    optimizer: new Adam(model.parameters(), { lr: options.lr }),
  };
}

/** Trains; the reports of the epochs carry the test accuracy as `validation`. */
export function trainToy(
  run: ToyRun,
  epochs: number,
  callbacks: Pick<FitOptions, "onBatch" | "onEpoch" | "progress"> = {},
) {
  const { model, trainLoader, testLoader, encode, optimizer } = run;
  return fit(model, trainLoader, {
    epochs,
    optimizer,
    encode,
    loss: (output, y) => crossEntropy(output, y),
    validate: () => evaluate(model, testLoader, accuracy, { encode }),
    ...callbacks,
  });
}
