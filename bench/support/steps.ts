/** Whole steps of training, each from a seed of its own on: some are rows of their families, all are rows of `--against` and `--without`. */
import {
  Adam,
  AdaptiveLIF,
  AdEx,
  Alpha,
  ConductanceLIF,
  constantEncode,
  crossEntropy,
  full,
  Izhikevich,
  type LIF,
  type Module,
  manualSeed,
  meanOverTime,
  noGrad,
  ParametricLIF,
  parameter,
  poissonEncode,
  rand,
  Stream,
  type Surrogate,
  Synaptic,
  spikeCount,
  surrogate,
  type Tensor,
  tape,
  zeros,
} from "jarvis-snn";
import { encoder, MnistNetwork, membraneLoss } from "../../demos/mnist/network.ts";
import { DEFAULTS, prepareToy } from "../../demos/toy/network.ts";
import { DEEP, type DeepName } from "./deep-training.ts";
import { drawNetworks, stepOf } from "./networks.ts";
import { convNetwork, RecurrentNetwork, smallNetwork } from "./trained.ts";
import { labels, mnistBatch, type Step, trainingStep } from "./training.ts";

/** The step of the toy trainer (`npm start`). */
export function toy(): Step {
  const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
  const [batch] = trainLoader;
  if (batch === undefined) throw new Error("bench: no batch");
  const { x, y } = batch;
  return {
    step: trainingStep(() => crossEntropy(model.forward(encode(x)), y), optimizer),
    leaves: model.parameters(),
  };
}

/** A small network, where everything but arithmetic costs: 20-64-2, T 20, batch 64, spikes of the output counted. */
export function small(): Step {
  manualSeed(0);
  const [T, B] = [20, 64];
  const model = smallNetwork();
  const spikes = noGrad(() => poissonEncode(rand([B, 20]), { timesteps: T }));
  return training(model, 1e-3, () => meanOverTime(model.forward(spikes)), labels(B, 2));
}

/** The step of snnTorch's tutorial 5 on MNIST. */
export function mnist(code: "current" | "poisson", spike?: Surrogate): Step {
  manualSeed(0);
  const { x, y } = mnistBatch(128);
  const encode = encoder(code, 25);
  const model = new MnistNetwork(784, 1000, 1, spike);
  const optimizer = new Adam(model.parameters(), { lr: 5e-4 });
  return {
    step: trainingStep(() => membraneLoss(model.forward(encode(x)), y), optimizer),
    leaves: model.parameters(),
  };
}

/**
 * Recurrent neurons on a long, sparse input, as for spoken digits: 700-256-20, T 100, batch 64, 2 % spikes. Every turn
 * trains on a new batch: one that is learned by heart, of noise, makes the neurons fire in half of all steps.
 */
export function recurrent(spike?: Surrogate): Step {
  manualSeed(0);
  const [T, B, classes] = [100, 64, 20];
  const model = new RecurrentNetwork(spike);
  const rates = full([B, 700], 0.02);
  const batch = () => noGrad(() => poissonEncode(rates, { timesteps: T }));
  let spikes = batch();
  const step = training(model, 1e-3, () => model.forward(spikes).mean({ axis: 0 }), labels(B, classes));
  return {
    ...step,
    prepare() {
      spikes.dispose();
      spikes = batch();
    },
  };
}

/** A network of convolutions that classifies MNIST in each of 50 time steps. */
export function conv(): Step {
  manualSeed(0);
  const [T, B] = [50, 128];
  const model = convNetwork();
  const { x, y } = mnistBatch(B);
  const images = x.reshape([B, 1, 28, 28]);
  const all = Int32Array.from({ length: T * B }, (_, i) => y[i % B] as number);
  return training(model, 1e-2, () => model.forward(constantEncode(images, { timesteps: T })), all);
}

/** A step of a deep network. */
export function deep(name: DeepName): Step {
  const { model, lr, loss } = DEEP[name]();
  return { step: trainingStep(loss, new Adam(model.parameters(), { lr })), leaves: model.parameters() };
}

/** One image through the network of tutorial 5, all time steps in one call. */
function image(): Step {
  manualSeed(0);
  const { x } = mnistBatch(1);
  const model = new MnistNetwork(784, 1000, 1);
  const counts = zeros([1, 10]);
  const run = () => counts.copyFrom(spikeCount(model.unroll(constantEncode(x, { timesteps: 25 })).spikes));
  return { step: () => void noGrad(run), leaves: [counts] };
}

/** The same image, step by step as a stream comes in. */
function stream(): Step {
  manualSeed(0);
  const { x } = mnistBatch(1);
  const { linears, neurons } = new MnistNetwork(784, 1000, 1);
  const layers = new Stream(
    linears.flatMap((linear, i) => [linear, neurons[i] as LIF]),
    [1, 784],
  );
  const pixels = x.toFloat32Array();
  const counts = zeros([10]);
  const sum = new Float32Array(10);
  const step = (): void => {
    sum.fill(0);
    layers.reset();
    for (let t = 0; t < 25; t++) {
      const spikes = layers.step(pixels);
      for (let i = 0; i < 10; i++) sum[i] = (sum[i] as number) + (spikes[i] as number);
    }
    counts.copyFrom(sum);
  };
  return { step, leaves: [counts] };
}

/** Steps of Adam down the cross-entropy of what `forward` returns. */
function training(model: Module, lr: number, forward: () => Tensor, y: ArrayLike<number>): Step {
  const optimizer = new Adam(model.parameters(), { lr });
  return { step: trainingStep(() => crossEntropy(forward(), y), optimizer), leaves: model.parameters() };
}

/** Layers of neurons, each with its current, which is uniform in [shift, shift + scale). */
const NEURONS = {
  synaptic: () => neurons(new Synaptic({ numerics: "snntorch", alpha: 0.9, beta: 0.95 }), 0.1),
  alpha: () => neurons(new Alpha({ numerics: "snntorch", alpha: 0.9, beta: 0.8 }), 0.5),
  adaptive: () => neurons(new AdaptiveLIF({ fire: "gt", surrogate: surrogate.superSpike() }), 0.25),
  adex: () => neurons(new AdEx({ numerics: "norse" }), 1),
  izhikevich: () => neurons(new Izhikevich({ numerics: "norse", d: 6 }), 20),
  conductance: () =>
    neurons(new ConductanceLIF({ numerics: "norse", capacitance: 2, alphaE: 0.98, alphaI: 0.98 }), 2, -0.5),
  plif: () => neurons(new ParametricLIF({ numerics: "spikingjelly" }), 2),
};

/** Forward, and backward from the mean of the spikes over time. */
function neurons(layer: Module, scale: number, shift = 0): Step {
  const [T, B, N] = [25, 128, 1000];
  const upstream = rand([B, N]);
  const current = parameter(rand([T, B, N]).mul(scale).add(shift));
  const leaves = [current, ...layer.parameters()];
  const step = (): void => {
    for (const leaf of leaves) leaf.zeroGrad();
    tape(() => layer.forward(current).mean({ axis: 0 }).backward(upstream));
  };
  return { step, leaves };
}

/** The rows of the family `models`, made. */
export const models = (): Record<keyof typeof NEURONS, Step> =>
  Object.fromEntries(Object.entries(NEURONS).map(([name, make]) => [name, make()])) as ReturnType<typeof models>;

const SEEDS = [1, 2, 3, 4, 5];
const triangular = () => surrogate.triangular();

/** All steps by name, each made when it is called. */
export const STEPS: Readonly<Record<string, () => Step>> = {
  toy,
  small,
  "mnist static": () => mnist("current"),
  "mnist poisson": () => mnist("poisson"),
  "mnist static, triangular": () => mnist("current", triangular()),
  "mnist poisson, triangular": () => mnist("poisson", triangular()),
  recurrent,
  "recurrent, triangular": () => recurrent(triangular()),
  conv,
  ...Object.fromEntries((Object.keys(DEEP) as DeepName[]).map((name) => [name, () => deep(name)])),
  image,
  stream,
  ...Object.fromEntries(Object.entries(NEURONS).map(([name, make]) => [`models ${name}`, make])),
  ...Object.fromEntries(SEEDS.flatMap(drawNetworks).map((network) => [network.name, () => stepOf(network)])),
};
