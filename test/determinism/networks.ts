/** The networks that every engine has to train to the same bits. */
import {
  AdamW,
  crossEntropy,
  LeakyIntegrator,
  Linear,
  Module,
  manualSeed,
  maxMembrane,
  meanOverTime,
  noGrad,
  RecurrentLIF,
  rand,
  stack,
  surrogate,
  type Tensor,
  tape,
} from "jarvis-snn";
import { DEFAULTS, prepareToy } from "../../demos/toy/network.ts";

export interface Trained {
  readonly model: Module;
  /** Inputs over time, [T, N, …]. */
  readonly inputs: Tensor;
  /** What `model.forward` gives, computed one time step after the other: [T, B, …] → [B, K]. */
  stepwise(x: Tensor): Tensor;
}

/** Samples whose outputs are compared: enough for batches of 1, 2, 3 … 13. */
const SAMPLES = 91;

/** Calls back with each time step and the state that the last one left; the results over time. */
function loop<S>(x: Tensor, state: S, step: (input: Tensor, state: S) => [Tensor, S]): Tensor {
  let carried = state;
  const outputs = x.unbind(0).map((input) => {
    const [output, next] = step(input, carried);
    carried = next;
    return output;
  });
  return stack(outputs);
}

/** The first fifty steps of `npm start`, without the pauses between batches. */
function toy(): Trained {
  const { model, trainLoader, testLoader, encode, optimizer } = prepareToy(DEFAULTS);
  let steps = 50;
  while (steps > 0) {
    for (const { x, y } of trainLoader) {
      if (steps-- === 0) break;
      tape(() => {
        const loss = crossEntropy(model.forward(encode(x)), y);
        optimizer.zeroGrad();
        loss.backward();
      });
      optimizer.step();
    }
  }
  const { fc1, lif, fc2 } = model;
  const [first] = testLoader;
  return {
    model,
    inputs: noGrad(() => encode((first as { x: Tensor }).x.slice(0, 0, SAMPLES))),
    stepwise(x) {
      const state = lif.initialState([x.shape[1] as number, fc1.outFeatures]);
      const spikes = loop(x, state, (input, state) => lif.step(fc1.forward(input), state));
      return fc2.forward(meanOverTime(spikes));
    },
  };
}

class RecurrentNetwork extends Module {
  readonly fc1 = new Linear(12, 40);
  readonly hidden = new RecurrentLIF({
    features: 40,
    reset: "subtract",
    learnBeta: true,
    surrogate: surrogate.atan(),
    refractorySteps: 1,
  });
  readonly fc2 = new Linear(40, 5);
  readonly readout = new LeakyIntegrator({ tau: 10 });

  forward(x: Tensor): Tensor {
    return maxMembrane(this.readout.forward(this.fc2.forward(this.hidden.forward(this.fc1.forward(x)))));
  }
}

/** Recurrence, a learned decay, refractory steps, a membrane as the readout; AdamW. */
function recurrent(): Trained {
  manualSeed(2);
  const model = new RecurrentNetwork();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01, amsgrad: true });
  const labels = Array.from({ length: 24 }, (_, i) => i % 5);
  for (let step = 0; step < 8; step++) {
    tape(() => {
      const loss = crossEntropy(model.forward(rand([11, 24, 12]).mul(2)), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  const { fc1, hidden, fc2, readout } = model;
  return {
    model,
    inputs: rand([11, SAMPLES, 12]),
    stepwise(x) {
      const B = x.shape[1] as number;
      const spikes = loop(x, hidden.initialState([B, 40]), (input, state) => hidden.step(fc1.forward(input), state));
      const zero = readout.initialState([B, 5]);
      return maxMembrane(loop(spikes, zero, (input, state) => readout.step(fc2.forward(input), state)));
    },
  };
}

export const networks: Record<string, () => Trained> = { toy, recurrent };
