/** What a user writes: a small network, a few training steps. The result must not depend on where it runs. */
import { Adam, crossEntropy, LIF, Linear, manualSeed, meanOverTime, rand, Sequential, Tensor, tape } from "jarvis-snn";
import * as engine from "jarvis-snn/engine";
import { memory } from "jarvis-snn/kernels";
import * as snn from "jarvis-snn/snn";

/** The bits of the weights after three steps, in hexadecimal. */
export function train() {
  manualSeed(1);
  const model = new Sequential(new Linear(6, 12), new LIF(), new Linear(12, 3), new LIF());
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < 3; step++) {
    tape(() => {
      const current = rand([5, 4, 6]).mul(2);
      const loss = crossEntropy(meanOverTime(model.forward(current)), [0, 1, 2, 0]);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
    });
  }
  const weights = [...model.parameters()].map((parameter) => new Uint32Array(parameter.toFloat32Array().buffer));
  return weights.map((bits) => Array.from(bits, (word) => word.toString(16).padStart(8, "0")).join("")).join("");
}

/** Whether all entries share one set of classes, and one kernel instance with one memory. */
export function isOneInstance() {
  const tensors = [new snn.LIF().forward(engine.tensor([[[0.5, 2]]])), engine.tensor([1]), rand([2])];
  const classes = Tensor === engine.Tensor && LIF === snn.LIF;
  return classes && tensors.every((x) => x instanceof Tensor && x.data.buffer === memory.buffer);
}
