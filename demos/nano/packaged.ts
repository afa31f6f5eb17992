/** The network of nano.ts in the package: the same weights, draws and steps, to compare with. */
import {
  Adam,
  crossEntropy,
  LIF,
  Linear,
  Module,
  manualSeed,
  meanOverTime,
  poissonEncode,
  surrogate,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import type { toy } from "./nano.ts";

const [INPUTS, HIDDEN, CLASSES, T] = [32, 128, 2, 25];

/** Linear → LIF → mean over time → Linear, which takes spikes [T, B, 32]. */
class Network extends Module {
  readonly fc1 = new Linear(INPUTS, HIDDEN);
  readonly lif = new LIF({ beta: 0.95, surrogate: surrogate.sigmoid({ slope: 10 }) });
  readonly fc2 = new Linear(HIDDEN, CLASSES);

  forward(x: Tensor): Tensor {
    return this.fc2.forward(meanOverTime(this.lif.forward(this.fc1.forward(x))));
  }
}

/** Seeds the default generator, which weights and spikes are drawn from. */
export function packaged(seed: number) {
  manualSeed(seed);
  const model = new Network();
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  /** Poisson spikes of B rows of inputs. */
  const encode = (x: Float32Array): Tensor =>
    poissonEncode(tensor(x, { shape: [x.length / INPUTS, INPUTS] }), { timesteps: T });

  /** Trains on rows of inputs with their classes, and returns the loss. */
  function step(x: Float32Array, y: ArrayLike<number>): number {
    const loss = tape(() => {
      const loss = crossEntropy(model.forward(encode(x)), Uint8Array.from(y));
      optimizer.zeroGrad();
      loss.backward();
      return loss.item();
    });
    optimizer.step();
    return loss;
  }

  return { model, encode, step };
}

/** How many weights of nano have the bits of the package, and how many weights there are. */
export function equalWeights(one: ReturnType<typeof toy>, other: ReturnType<typeof packaged>) {
  const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);
  const theirs = other.model.parameters().map((w) => bitsOf(w.toFloat32Array()));
  const counts = one.weights.map(({ data }, i) => bitsOf(data).filter((bits, j) => bits === theirs[i]?.[j]).length);
  return { equal: sum(counts), of: sum(one.weights.map(({ size }) => size)) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
