/** A run of everything that has a state: parameters, moments, orders and spikes from two generators. */
import {
  Adam,
  crossEntropy,
  DataLoader,
  fit,
  Generator,
  LIF,
  Linear,
  Module,
  meanOverTime,
  type Optimizer,
  poissonEncode,
  type Scheduler,
  type Tensor,
  TensorDataset,
} from "jarvis-snn";
import { numbers } from "./sides.ts";

export class Network extends Module {
  readonly fc1: Linear;
  readonly lif = new LIF({ learnBeta: true, learnThreshold: true });
  readonly fc2: Linear;

  constructor(generator: Generator, hidden = 16) {
    super();
    this.fc1 = new Linear(12, hidden, { generator });
    this.fc2 = new Linear(hidden, 3, { generator });
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(meanOverTime(this.lif.forward(this.fc1.forward(x))));
  }
}

const SAMPLES = 50;
const samples = Float32Array.from(numbers(12 * SAMPLES, 3, 0, 1));
const labels = Int32Array.from({ length: SAMPLES }, (_, i) => (i * 7) % 3);

/**
 * A run whose initial state depends on the seed. Order from a generator of its own, spikes from the default one. With a
 * scheduler, what it is told as metric is the training loss.
 */
export function makeRun(seed: number, schedule?: (optimizer: Optimizer) => Scheduler) {
  const generator = new Generator(seed);
  const model = new Network(new Generator(seed + 100));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 + seed / 1000, amsgrad: seed % 2 === 0 });
  const scheduler = schedule?.(optimizer);
  const loader = new DataLoader(new TensorDataset(samples, labels), { batchSize: 16, shuffle: true, generator });
  const train = async (epochs: number): Promise<number[]> => {
    const encode = (x: Tensor) => poissonEncode(x, { timesteps: 7 });
    const losses: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const [report] = await fit(model, loader, { epochs: 1, optimizer, loss: crossEntropy, encode });
      losses.push(report?.loss as number);
      scheduler?.step(report?.loss);
    }
    return losses;
  };
  return { generator, model, optimizer, loader, train, ...(scheduler === undefined ? {} : { scheduler }) };
}
