/**
 * Images in Poisson spikes through the network of tutorial 5, trained for a while on such: with float weights and with those of
 * 8 bits, in turns. All time steps in one call, and step by step as a stream comes in.
 */
import {
  Adam,
  DataLoader,
  keep,
  manualSeed,
  noGrad,
  poissonEncode,
  Sequential,
  Stream,
  spikeCount,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { Int8 } from "jarvis-snn/quantize";
import { mnist } from "../demos/mnist/data.ts";
import { MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { calls, interleave } from "./support/interleave.ts";
import { type Rows, report } from "./support/report.ts";
import { serve, whole } from "./support/serve.ts";
import { trainingStep } from "./support/training.ts";

const T = 25;
const INPUTS = 784;
const CLASSES = 10;
const IMAGES = 20;
const STEPS = 300;
const BATCH = 128;
const ROUNDS = 41;

manualSeed(0);
const model = new MnistNetwork(INPUTS, 1000, 1);
const layers = model.linears.flatMap((linear, i) => [linear, model.neurons[i] as (typeof model.neurons)[number]]);

const encode = (x: Tensor): Tensor => poissonEncode(x, { timesteps: T });
const pictures = [...new DataLoader(mnist("t10k", IMAGES), { batchSize: 1 })].map(({ x }) =>
  keep((x as Tensor).clone()),
);
const spikes = pictures.map(encode);
/** Step by step, as a stream takes them. */
const frames = pictures.map((x) => {
  const all = encode(x).toFloat32Array();
  return Array.from({ length: T }, (_, t) => all.slice(t * INPUTS, (t + 1) * INPUTS));
});

function train(): void {
  const optimizer = new Adam(model.parameters(), { lr: 5e-4 });
  const loader = new DataLoader(mnist("train", STEPS * BATCH), { batchSize: BATCH });
  for (const { x, y } of loader) {
    trainingStep(() => membraneLoss(model.forward(encode(x as Tensor)), y as ArrayLike<number>), optimizer)();
  }
}
train();

const float = new Sequential(...layers);
const int8 = new Int8(layers);
let next = 0;

/** Spike counts of an image after the other, of the whole sequence. */
const forward = (network: Sequential | Int8) => (): void => {
  noGrad(() => spikeCount(network.forward(spikes[next++ % IMAGES] as Tensor)).toFloat32Array());
};

/** The coding belongs to the time. */
const encoded = (network: Sequential | Int8) => (): void => {
  noGrad(() => {
    spikeCount(network.forward(encode(pictures[next++ % IMAGES] as Tensor))).toFloat32Array();
  });
};

/** Every step is read out before the next one comes. */
function stream(network: Sequential | Int8): () => void {
  const steps = new Stream(network, [1, INPUTS]);
  const counts = new Float32Array(CLASSES);
  return () => {
    const image = frames[next++ % IMAGES] as Float32Array[];
    counts.fill(0);
    steps.reset();
    for (let t = 0; t < T; t++) {
      const out = steps.step(image[t] as Float32Array);
      for (let i = 0; i < CLASSES; i++) counts[i] = (counts[i] as number) + (out[i] as number);
    }
  };
}

const ways = { forward, stream, encoded };

/** All images, as they differ in their spikes. */
const images = (step: () => void) => () => {
  for (let i = 0; i < IMAGES; i++) step();
};

async function rows(): Promise<Rows> {
  const contenders = Object.entries(ways).flatMap(([way, make]) => [
    calls(`${way}, float`, make(float), { repeat: IMAGES }),
    calls(`${way}, 8 bits`, make(int8), { repeat: IMAGES }),
  ]);
  const run = await interleave(contenders, ROUNDS);
  return Object.fromEntries(
    Object.keys(ways).map((way) => {
      const names = [`${way}, float`, `${way}, 8 bits`] as const;
      return [way, { value: run.ratio(...names), times: run.medians(...names) }];
    }),
  );
}

warmup();
await serve(
  Object.fromEntries(
    Object.entries(ways).flatMap(([way, make]) => [
      [`${way}, float`, whole(() => images(make(float)))],
      [`${way}, 8 bits`, whole(() => images(make(int8)))],
    ]),
  ),
);
report(await rows());
