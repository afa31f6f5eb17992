/** The entry without the compiler: a network that trains, and the error of an option that is compiled. */
import {
  Adam,
  crossEntropy,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  rand,
  Sequential,
  surrogate,
  tape,
} from "jarvis-snn/core";

function errorOf(fn) {
  try {
    fn();
  } catch ({ name, message }) {
    return `${name}: ${message}`;
  }
  return "no error";
}

manualSeed(1);
const model = new Sequential(new Linear(6, 12), new LIF({ surrogate: surrogate.atan() }), new Linear(12, 2));
const optimizer = new Adam(model.parameters(), { lr: 0.05 });
const current = rand([5, 4, 6]).mul(2);
const losses = Array.from({ length: 20 }, () =>
  tape(() => {
    const loss = crossEntropy(meanOverTime(model.forward(current)), [0, 1, 1, 0]);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.item();
  }),
);

export const result = {
  learned: losses.at(-1) < 0.8 * losses[0],
  option: errorOf(() => new LIF({ refractorySteps: 2 })),
  // A bundle has a short name of the class.
  line: String(new LIF()).replace(/^\w+/, "LIF"),
};
