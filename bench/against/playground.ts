/**
 * The training step of a page: two moons seen through eight receptive fields a coordinate, 16-24-16-2, T 24, B 32, one spike a value.
 * All layers have biases.
 */
import {
  Adam,
  crossEntropy,
  DataLoader,
  Generator,
  LeakyIntegrator,
  LIF,
  type LIFOptions,
  Linear,
  Module,
  manualSeed,
  maxMembrane,
  noGrad,
  rand,
  randn,
  stack,
  surrogate,
  type Tensor,
  TensorDataset,
  tape,
  tensor,
  ttfsEncode,
  warmup,
} from "jarvis-snn";
import { serve, whole } from "../support/serve.ts";

const [SAMPLES, FIELDS, T, B] = [400, 8, 24, 32];
const FEATURES = 2 * FIELDS;
/** Values up to this give no spike: the tails of receptive fields never end. */
const SILENT = 0.05;

const neurons: LIFOptions = {
  beta: 0.9,
  threshold: 0.5,
  reset: "subtract",
  surrogate: surrogate.fastSigmoid({ slope: 5 }),
};

class Network extends Module {
  readonly fc1 = new Linear(FEATURES, 24);
  readonly hidden1 = new LIF(neurons);
  readonly fc2 = new Linear(24, 16);
  readonly hidden2 = new LIF(neurons);
  readonly head = new Linear(16, 2);
  readonly out = new LeakyIntegrator({ beta: 0.9 });

  /** Scores [B, 2]: the largest membrane of each class. */
  forward(x: Tensor): Tensor {
    const spikes = this.hidden2.forward(this.fc2.forward(this.hidden1.forward(this.fc1.forward(x))));
    return maxMembrane(this.out.forward(this.head.forward(spikes)));
  }
}

/** Points of two moons in the unit square, with noise, as fields exp(−(x − c)²/2σ²), σ the distance of the centres c. */
function moons(generator: Generator): TensorDataset {
  const labels = Uint8Array.from({ length: SAMPLES }, (_, i) => i & 1);
  const fields = noGrad(() => {
    const angle = rand([SAMPLES], { generator }).mul(Math.PI);
    const side = tensor(labels);
    const sign = side.mul(-2).add(1);
    const x = angle.cos().mul(sign).mul(0.25).add(side.mul(0.25)).add(0.375);
    const y = angle.sin().mul(sign).mul(0.25).add(side.mul(0.125)).add(0.4375);
    const noise = randn([SAMPLES, 2], { generator }).mul(0.025);
    const points = stack([x, y], 1).add(noise).clamp(0, 1);
    const centres = tensor(Array.from({ length: FIELDS }, (_, i) => i / (FIELDS - 1)));
    const distance = points
      .unsqueeze(2)
      .sub(centres)
      .mul(FIELDS - 1);
    return distance.square().mul(-0.5).exp().toFloat32Array();
  });
  return new TensorDataset(fields, labels, { shape: [FEATURES] });
}

/** The next batch, the loss, its gradients, its number for the page, the optimizer. */
function training(): () => void {
  manualSeed(0);
  const generator = new Generator(0);
  const loader = new DataLoader(moons(new Generator(0)), { batchSize: B, shuffle: true, generator });
  const model = new Network();
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  let batches = loader[Symbol.iterator]();
  const nextBatch = () => {
    let next = batches.next();
    if (next.done) {
      batches = loader[Symbol.iterator]();
      next = batches.next();
    }
    return next.value as { x: Tensor; y: ArrayLike<number> };
  };
  return () => {
    const { x, y } = nextBatch();
    tape(() => {
      const loss = crossEntropy(model.forward(ttfsEncode(x, { timesteps: T, eps: SILENT })), y);
      optimizer.zeroGrad();
      loss.backward();
      return loss.item();
    });
    optimizer.step();
  };
}

warmup();
await serve({ step: whole(training) });
