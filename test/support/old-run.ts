/**
 * The run of test/fixtures/checkpoints, with the names that version 0.1 of the package had. Gradients of a learned β of recurrent and
 * leaky neurons are summed in another order since then, so that plain LIF alone learns one here. Those files were written there, at commit
 * b08c5ac, by this file as a program, beside which the package was built:
 *
 *   node old-run.js 3 v0.1.safetensors             three epochs from the start, and a checkpoint
 *   node old-run.js 5 v0.1-after.safetensors       five
 */
import {
  Adam,
  BatchNorm1d,
  CosineAnnealingLR,
  crossEntropy,
  Dropout,
  Generator,
  LeakyIntegrator,
  LIF,
  Linear,
  Module,
  manualSeed,
  maxMembrane,
  poissonEncode,
  RecurrentLIF,
  rand,
  type Tensor,
  tape,
} from "jarvis-snn";
import { saveCheckpoint } from "jarvis-snn/node";

const HIDDEN = 12;

export class OldNetwork extends Module {
  readonly fc1: Linear;
  readonly norm: BatchNorm1d;
  readonly lif: LIF;
  readonly dropout: Dropout;
  readonly learned: LIF;
  readonly recurrent: RecurrentLIF;
  readonly fc2: Linear;
  readonly readout: LeakyIntegrator;

  // All fields are set here: files of version 0.1 know the parameters of the optimizer by their order.
  constructor(generator: Generator) {
    super();
    this.fc1 = new Linear(6, HIDDEN, { generator });
    this.norm = new BatchNorm1d(HIDDEN);
    this.lif = new LIF({ beta: 0.85, threshold: 0.6, reset: "subtract" });
    this.dropout = new Dropout(0.2);
    this.learned = new LIF({ threshold: 0.5, learnBeta: true });
    this.recurrent = new RecurrentLIF({ features: HIDDEN, threshold: 0.4, generator });
    this.fc2 = new Linear(HIDDEN, 3, { generator });
    this.readout = new LeakyIntegrator({ beta: 0.7 });
  }

  forward(x: Tensor): Tensor {
    const [T, B] = x.shape as [number, number, number];
    const current = this.norm.forward(this.fc1.forward(x).reshape([T * B, HIDDEN])).reshape([T, B, HIDDEN]);
    const first = this.dropout.forward(this.lif.forward(current));
    const spikes = this.recurrent.forward(this.learned.forward(first.mul(2)));
    return maxMembrane(this.readout.forward(this.fc2.forward(spikes)));
  }
}

/** The run before its first epoch, with the default generator at a seed. */
export function makeOldRun(seed: number) {
  manualSeed(seed);
  const generator = new Generator(seed);
  const model = new OldNetwork(new Generator(seed + 1));
  const optimizer = new Adam(model.parameters(), { lr: 0.02, amsgrad: true, weightDecay: 0.01 });
  const scheduler = new CosineAnnealingLR(optimizer, { tMax: 8 });
  const train = (epochs: number): void => {
    for (let step = 0; step < 4 * epochs; step++) {
      tape(() => {
        const x = poissonEncode(rand([8, 6], { generator }), { timesteps: 10 });
        const loss = crossEntropy(
          model.forward(x),
          Int32Array.from({ length: 8 }, (_, i) => (i + step) % 3),
        );
        optimizer.zeroGrad();
        loss.backward();
      });
      optimizer.step();
      if (step % 4 === 3) scheduler.step();
    }
  };
  return { model, optimizer, scheduler, generator, train };
}

const [epochs, path] = process.argv.slice(2);
if (path?.startsWith("v0.1")) {
  const run = makeOldRun(11);
  run.train(Number(epochs));
  saveCheckpoint(path, { ...run, epoch: Number(epochs) });
}
