/** The toy by `jarvis-snn/core`, for a page that counts kilobytes: the network and the training of ../network.ts, to the bit. */
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
  ttfsEncode,
} from "jarvis-snn/core";
import { FEATURES, toyData } from "../data.ts";
import { DEFAULTS, type ToyOptions } from "../settings.ts";

/** Settings of the toy; a LIF that rests after spikes is compiled, and no part of the entry. */
export type PageOptions = Omit<ToyOptions, "refractory">;

export const PAGE: PageOptions = DEFAULTS;

const ENCODERS = { poisson: poissonEncode, ttfs: ttfsEncode, constant: constantEncode };

class PageNetwork extends Module {
  readonly fc1: Linear;
  readonly lif: LIF;
  readonly fc2: Linear;

  constructor(hidden: number) {
    super();
    this.fc1 = new Linear(FEATURES, hidden);
    this.lif = new LIF({ beta: 0.95, surrogate: surrogate.sigmoid({ slope: 10 }) });
    this.fc2 = new Linear(hidden, 2);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(meanOverTime(this.lif.forward(this.fc1.forward(x))));
  }
}

/** Seeds the default generator and trains; the reports of the epochs carry the test accuracy as `validation`. */
export async function trainPage(options: PageOptions, callbacks: Pick<FitOptions, "onBatch" | "onEpoch"> = {}) {
  const { timesteps, batchSize, epochs, lr } = options;
  manualSeed(options.seed);
  const { train, test } = toyData(options.dataSeed);
  const model = new PageNetwork(options.hidden);
  const encode = (x: Tensor) => ENCODERS[options.encode](x, { timesteps });
  const testLoader = new DataLoader(test, { batchSize: 512 });
  const history = await fit(model, new DataLoader(train, { batchSize, shuffle: true }), {
    epochs,
    optimizer: new Adam(model.parameters(), { lr }),
    encode,
    loss: (output, y) => crossEntropy(output, y),
    validate: () => evaluate(model, testLoader, accuracy, { encode }),
    ...callbacks,
  });
  return { model, history };
}
