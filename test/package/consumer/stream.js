/** Bytes of JavaScript objects that a step of a stream leaves behind, by network. Needs --expose-gc. */
import { LeakyIntegrator, LIF, Linear, RecurrentLIF, Stream } from "jarvis-snn";

const STEPS = 100_000;

const networks = {
  plain: [new Linear(4, 33), new LIF(), new Linear(33, 2), new LIF({ reset: "subtract" })],
  others: [
    new Linear(4, 16),
    new RecurrentLIF({ features: 16, threshold: 0.3 }),
    new Linear(16, 8),
    new LIF({ refractorySteps: 2, learnBeta: true }),
    new Linear(8, 2),
    new LeakyIntegrator({ learnBeta: true }),
  ],
};

function bytesOf(layers) {
  const stream = new Stream(layers, [1, 4]);
  const x = new Float32Array(4);
  const run = () => {
    for (let i = 0; i < STEPS; i++) {
      x[i & 3] = i & 1;
      stream.step(x);
    }
  };
  run(); // until the code is optimised, which takes memory of its own
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  run();
  return (process.memoryUsage().heapUsed - before) / STEPS;
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(networks).map(([name, net]) => [name, bytesOf(net)]))));
