/** What a tape needs: gradients take turns in the same memory, activations go at its end, large tensors are tensors. */
import {
  Adam,
  crossEntropy,
  Generator,
  LIF,
  Linear,
  linear,
  meanOverTime,
  memoryStats,
  noGrad,
  poissonEncode,
  resetPeak,
  type Tensor,
  tape,
} from "jarvis-snn";
import { expect, test } from "vitest";
import { wasmHeap } from "../engine/core/memory.ts";
import { emptyOf } from "../engine/core/tensor.ts";
import { bits, bytesKept, leaf, random } from "./support/tensors.ts";

const SIZE = 65_536;
const BYTES = 4 * SIZE;

/** Links of a chain that keeps the shape [256, 256], and how many buffers backward needs at once. */
const LINKS: [name: string, link: (x: Tensor, i: number) => Tensor, buffers: number][] = [
  ["mul by a number", (x) => x.mul(0.9), 2],
  ["exp", (x) => x.mul(0.1).exp(), 2],
  ["square", (x) => x.square(), 2],
  ["add of a bias", (x) => x.add(bias), 2],
  ["mul with itself", (x) => x.mul(x), 2],
  ["a residual", (x) => x.add(x.tanh()), 3],
  ["reshape and transpose", (x) => x.reshape([128, 512]).transpose().reshape([256, 256]), 2],
  ["softmax", (x) => x.softmax(), 2],
  ["matmul", (x) => x.matmul(weight), 3],
  ["linear", (x) => linear(x, weight), 3],
  ["mean, broadcast", (x) => x.sub(x.mean({ axis: 1, keepdim: true })), 4],
  ["slices", (x) => x.slice(0, 0, 128).mul(x.slice(0, 128)).expand([2, 128, 256]).reshape([256, 256]), 4],
  ["LIF", (x) => lif.forward(x), 3],
];
const bias = leaf([256], 1);
const weight = leaf([256, 256], 2, { low: -0.05, high: 0.05 });
const lif = new LIF();

/** Most bytes in use during backward over a chain of so many links, beyond what forward has left. */
function backwardPeak(link: (x: Tensor, i: number) => Tensor, depth: number): number {
  const x = leaf([256, 256], 3, { low: 0.5, high: 1.5 });
  tape(() => {
    for (const t of [x, bias, weight]) t.sum().backward(); // makes their gradients
  });
  const peak = tape(() => {
    let z = x;
    for (let i = 0; i < depth; i++) z = link(z, i);
    const loss = z.sum();
    resetPeak();
    const { live } = memoryStats();
    loss.backward();
    return memoryStats().peak - live;
  });
  x.dispose();
  return peak;
}

test.each(LINKS)("backward over a deep chain needs a few gradients at a time: %s", (_name, link, buffers) => {
  const [shallow, deep] = [backwardPeak(link, 4), backwardPeak(link, 40)];
  expect(deep).toBeLessThan(shallow + BYTES / 2);
  expect(deep).toBeLessThan((buffers + 0.5) * BYTES);
});

test("a tape gives back its activations, and the next one uses the same memory", () => {
  const x = leaf([256, 256], 4);
  const run = (depth: number) =>
    tape(() => {
      let z = x;
      for (let i = 0; i < depth; i++) z = z.mul(0.9).tanh();
      z.sum().backward();
      expect(memoryStats().live).toBeGreaterThan(2 * depth * BYTES);
    });
  run(20);
  const after = memoryStats();
  for (let i = 0; i < 5; i++) run(20);
  expect(memoryStats()).toEqual(after);
  resetPeak();
  run(5);
  expect(memoryStats().peak - after.live).toBeLessThan(13 * BYTES);
  x.dispose();
});

test("noGrad inside a tape frees what an evaluation needs before training goes on", () => {
  const x = random([256, 256], 5);
  tape(() => {
    const { live } = memoryStats();
    for (let i = 0; i < 10; i++) noGrad(() => x.mul(2).exp().sum().item());
    expect(memoryStats().live).toBe(live);
  });
  x.dispose();
});

/** The bits of some weights after three training steps. */
function train(): number[][] {
  const generator = new Generator(1);
  const [fc1, fc2] = [new Linear(40, 50, { generator }), new Linear(50, 10, { generator })];
  const optimizer = new Adam([...fc1.parameters(), ...fc2.parameters()]);
  const neuron = new LIF();
  const x = random([16, 40], 6, { low: 0, high: 1 });
  for (let step = 0; step < 3; step++) {
    tape(() => {
      optimizer.zeroGrad();
      const spikes = neuron.forward(fc1.forward(poissonEncode(x, { timesteps: 9, generator })));
      const rows = fc2
        .forward(meanOverTime(spikes))
        .softmax(0)
        .matmul(fc2.weight)
        .sum({ axis: [0] });
      const loss = crossEntropy(fc2.forward(meanOverTime(spikes)).add(rows.mean()), new Int32Array(16));
      loss.backward();
    });
    optimizer.step();
  }
  const result = [fc1, fc2].flatMap((fc) => fc.parameters().map(bits));
  for (const t of [x, ...fc1.parameters(), ...fc2.parameters(), neuron.beta, neuron.threshold]) t.dispose();
  optimizer.dispose();
  return result;
}

test("addresses beyond 2 GiB and just below 4 GiB give the same bits as low ones", () => {
  const expected = train();
  // Memory that nobody touches costs nothing.
  const blocks: [address: number, bytes: number][] = [];
  const fill = (end: number) => {
    for (let bytes = 2 ** 30; bytes >= 2 ** 16; bytes /= 2) {
      while (wasmHeap.stats().live + bytes <= end) blocks.push([wasmHeap.allocate(bytes), bytes]);
    }
  };
  try {
    for (const end of [2 ** 31 - 2 ** 18, 2 ** 32 - 3 * 2 ** 20]) {
      fill(end);
      expect(train()).toEqual(expected);
    }
    expect(Math.max(...blocks.map(([address]) => address))).toBeGreaterThan(2 ** 32 - 2 ** 23);
  } finally {
    for (const [address, bytes] of blocks) wasmHeap.release(address, bytes);
  }
});

test("a tensor of more than a gigabyte is a tensor: its ends can be written, read and sliced", () => {
  const kept = bytesKept(() =>
    tape(() => {
      const rows = 270_000;
      const x = emptyOf([rows, 1024]); // not filled: what nobody touches costs nothing
      expect(4 * x.size).toBeGreaterThan(2 ** 30);
      const last = x.slice(0, rows - 1);
      last.copyFrom(random([1024], 7));
      x.slice(0, 0, 1).copyFrom(random([1024], 8));
      expect(x.data[x.size - 1]).toBe(random([1024], 7).data[1023]);
      const z = x.slice(0, 0, 1).mul(x.slice(0, rows - 1));
      expect(bits(z)).toEqual(bits(random([1024], 8).mul(random([1024], 7))));
    }),
  );
  expect(kept).toBe(0);
});
