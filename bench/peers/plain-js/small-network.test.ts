import { Adam, crossEntropy, LIF, Linear, meanOverTime, Sequential, surrogate, tape, tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import { initialWeights, smallBatch } from "../data.mjs";
import { SmallNetwork } from "./small-network.mjs";

test("the loops by hand learn what the library learns", () => {
  const sizes: [number, number, number] = [12, 40, 3];
  const size = { sizes, T: 15, B: 8, beta: 0.9 };
  const weights = initialWeights(sizes);
  // Weights large enough for both layers to fire.
  for (const name of ["w1", "w2"] as const) weights[name] = weights[name].map((w) => 4 * w);
  const { x, y } = smallBatch(size);

  const neurons = () =>
    new LIF({ beta: 0.9, reset: "subtract", resetDelay: true, fire: "gt", surrogate: surrogate.atan({ alpha: 2 }) });
  const [fc1, fc2] = [new Linear(12, 40), new Linear(40, 3)];
  fc1.weight.copyFrom(tensor(weights.w1, { shape: [12, 40] }).transpose().data);
  fc2.weight.copyFrom(tensor(weights.w2, { shape: [40, 3] }).transpose().data);
  fc1.bias?.copyFrom(weights.b1);
  fc2.bias?.copyFrom(weights.b2);
  const model = new Sequential(fc1, neurons(), fc2, neurons());
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const input = tensor(x, { shape: [15, 8, 12] });

  const byHand = new SmallNetwork({ ...size, weights, x, y });
  const losses = Array.from({ length: 6 }, () => {
    const theirs = byHand.step();
    const loss = tape(() => {
      const loss = crossEntropy(meanOverTime(model.forward(input)), y);
      optimizer.zeroGrad();
      loss.backward();
      return loss;
    });
    optimizer.step();
    expect(theirs).toBeCloseTo(loss.item(), 6);
    return theirs;
  });
  expect(losses[5]).toBeLessThan(losses[0] as number);
  // Six steps of 0.001 move a weight by 0.006; Adam magnifies the rounding of tiny gradients.
  const last = fc1.weight.transpose().toFloat32Array();
  weights.w1.forEach((w, i) => {
    expect(Math.abs(w - (last[i] as number))).toBeLessThan(2e-4);
  });
});
