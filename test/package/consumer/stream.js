/** Bytes of JavaScript objects that a step of a stream leaves behind, by network. Needs --expose-gc. */
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GroupNorm,
  LayerNorm,
  LeakyIntegrator,
  LIF,
  Linear,
  MaxPool2d,
  RecurrentLIF,
  Stream,
} from "jarvis-snn";

const STEPS = 100_000;

/** The shape of the input, and the layers. */
const networks = {
  plain: [[1, 4], new Linear(4, 33), new LIF(), new Linear(33, 2), new LIF({ reset: "subtract" })],
  others: [
    [1, 4],
    new Linear(4, 16),
    new RecurrentLIF({ features: 16, threshold: 0.3 }),
    new Linear(16, 8),
    new LIF({ refractorySteps: 2, learnBeta: true }),
    new Linear(8, 2),
    new LeakyIntegrator({ learnBeta: true }),
  ],
  images: [
    [1, 1, 4, 4],
    new Conv2d(1, 4, 3, { padding: 1 }),
    new BatchNorm2d(4),
    new LIF({ threshold: 0.1 }),
    new MaxPool2d(2),
    new Conv2d(4, 4, 1),
    new GroupNorm(2, 4),
    new LIF({ threshold: 0.1 }),
    new Dropout(0.5),
    new AvgPool2d(2),
    new Flatten(2),
    new LayerNorm(4),
    new Linear(4, 2),
  ],
};

function bytesOf([shape, ...layers]) {
  const stream = new Stream(layers, shape);
  const x = new Float32Array(stream.input.size);
  const run = () => {
    for (let i = 0; i < STEPS; i++) {
      x[i % x.length] = i & 1;
      stream.step(x);
    }
  };
  // Code that the engine compiles takes memory of its own, now and then; objects that steps make take it in each run.
  const runs = Array.from({ length: 5 }, () => {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    run();
    return (process.memoryUsage().heapUsed - before) / STEPS;
  });
  return Math.min(...runs);
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(networks).map(([name, net]) => [name, bytesOf(net)]))));
