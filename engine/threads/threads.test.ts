/** Training with threads: the bits of one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Adam, crossEntropy, Linear, type Module, manualSeed, rand, Sequential, tape } from "../../engine/index.ts";
import { AdaptiveLIF, ExponentialIF, LIF, poissonEncode, RecurrentLIF, Synaptic, surrogate } from "../../snn/index.ts";
import { ALL } from "../../test/support/threads.ts";
import { threads } from "./index.ts";
import { start } from "./start.ts";

const [T, B] = [7, 33];

/** Losses, and parameters after three steps. */
function train(make: () => Module): ArrayLike<number>[] {
  manualSeed(5);
  const net = make();
  const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
  const x = poissonEncode(rand([B, 100]).mul(0.4), { timesteps: T });
  const targets = Array.from({ length: B }, (_, i) => i % 10);
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    tape(() => {
      const loss = crossEntropy((net as Sequential).forward(x).sum({ axis: 0 }), targets);
      losses.push(loss.item());
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  return [losses, ...net.parameters().map((p) => p.toFloat32Array())];
}

const between =
  (make: () => Module, n = 160) =>
  () =>
    new Sequential(new Linear(100, n), make(), new Linear(n, 10), new LIF());

const NETWORKS: Readonly<Record<string, () => Module>> = {
  LIF: between(() => new LIF()),
  "LIF of 224": between(() => new LIF({ beta: 0.9, reset: "zero" }), 224),
  "LIF with a β for each": between(() => new LIF({ beta: rand([128]) }), 128),
  Synaptic: between(() => new Synaptic()),
  AdaptiveLIF: between(() => new AdaptiveLIF()),
  "ExponentialIF, in pieces": between(() => new ExponentialIF()),
  RecurrentLIF: between(() => new RecurrentLIF({ features: 160 })),
  "RecurrentLIF, dense backward": between(() => new RecurrentLIF({ features: 270, surrogate: surrogate.atan() }), 270),
};

const COUNTS = [1, 2, 3, 4, 7];

/** Losses and parameters of each network, by the number of threads: these start once for all networks. */
const trained = new Map<number, Map<string, ArrayLike<number>[]>>();

beforeAll(async () => {
  for (const n of COUNTS) {
    await start(n, ALL);
    trained.set(n, new Map(Object.entries(NETWORKS).map(([name, make]) => [name, train(make)])));
  }
});

afterAll(() => threads(1));

test.each(Object.keys(NETWORKS))("threads: %s trains to the same bits with 1, 2, 3, 4 and 7", (name) => {
  const alone = trained.get(1)?.get(name);
  expect(alone?.length).toBeGreaterThan(1);
  for (const n of COUNTS) expect(trained.get(n)?.get(name)).toEqual(alone);
});
