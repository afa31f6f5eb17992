/** Training with threads: the bits of one. */
import { expect, test } from "vitest";
import { Adam, crossEntropy, Linear, manualSeed, rand, Sequential, tape } from "../../engine/index.ts";
import { LIF } from "../../snn/index.ts";
import { threads } from "./index.ts";

function train(): number[][] {
  manualSeed(5);
  const net = new Sequential(new Linear(300, 400), new LIF(), new Linear(400, 10), new LIF());
  const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
  const x = rand([20, 64, 300]).mul(3);
  const targets = Array.from({ length: 64 }, (_, i) => i % 10);
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    tape(() => {
      const loss = crossEntropy(net.forward(x).sum({ axis: 0 }), targets);
      losses.push(loss.item());
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  return [losses, ...net.parameters().map((p) => [...p.toFloat32Array()])];
}

test("threads: a network trains to the same bits with 1, 2, 3, 4 and 7", async () => {
  const alone = train();
  for (const n of [2, 3, 4, 7, 1]) {
    expect(await threads(n)).toBe(n);
    expect(train()).toEqual(alone);
  }
});
