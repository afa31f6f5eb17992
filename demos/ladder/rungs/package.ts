/**
 * Rung 7: the package. It does what the rungs do, for any network: it chooses how to multiply by the data, runs what is the same in all steps
 * once, checks shapes and lifetimes, and keeps a record of one object an op.
 */
import {
  Adam,
  constantEncode,
  crossEntropy,
  Generator,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  type Optimizer,
  poissonEncode,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { MnistNetwork, membraneLoss } from "../../mnist/network.ts";
import { type Make, TOY, TUTORIAL5 } from "../rung.ts";

/** A step of the loss that `lossOf` computes. */
const stepOf =
  (inputs: number, optimizer: Optimizer, lossOf: (x: Tensor, y: Uint8Array) => Tensor) =>
  (x: Float32Array, y: Uint8Array): number => {
    const loss = tape(() => {
      const loss = lossOf(tensor(x, { shape: [y.length, inputs] }), y);
      optimizer.zeroGrad();
      loss.backward();
      return loss.item();
    });
    optimizer.step();
    return loss;
  };

export const toy: Make = (seed, { T: timesteps = TOY.T } = {}) => {
  const { inputs, hidden, classes, lr } = TOY;
  const generator = new Generator(seed);
  const [fc1, lif] = [new Linear(inputs, hidden, { generator }), new LIF({ beta: 0.95 })];
  const fc2 = new Linear(hidden, classes, { generator });
  const weights = [...fc1.parameters(), ...fc2.parameters()];
  const step = stepOf(inputs, new Adam(weights, { lr }), (x, y) => {
    const spikes = lif.forward(fc1.forward(poissonEncode(x, { timesteps, generator })));
    return crossEntropy(fc2.forward(meanOverTime(spikes)), y);
  });
  return { weights, step };
};

export const tutorial5: Make = (seed, { T: timesteps = TUTORIAL5.T } = {}) => {
  const { inputs, hidden, lr } = TUTORIAL5;
  manualSeed(seed);
  const model = new MnistNetwork(inputs, hidden, 1);
  const weights = model.parameters();
  const step = stepOf(inputs, new Adam(weights, { lr }), (x, y) =>
    membraneLoss(model.forward(constantEncode(x, { timesteps })), y),
  );
  return { weights, step };
};
