/**
 * Elementary kernels on values in the first-level cache, against the same loops in plain JavaScript; kernels that wait for
 * memory on arrays that no cache holds, against the triad; cross-entropy, against the exponentials in it.
 */
import { warmup } from "jarvis-snn";
import { kernels, memory } from "jarvis-snn/kernels";
import { block, uniforms } from "./support/blocks.ts";
import { calls, interleave } from "./support/interleave.ts";
import { probes } from "./support/probes.ts";
import { type Measured, report } from "./support/report.ts";

const N = 2048;
const TURN = { repeat: 50, sliceMs: 10 };
const ROUNDS = 15;

const random = uniforms(1);
const [x, y] = [block(N, random), block(N, random)];
const z = block(N);
const [a, b, out] = [x, y, z].map((p) => new Float32Array(memory.buffer, p, N).slice()) as [
  Float32Array,
  Float32Array,
  Float32Array,
];

/** One loop each, so that V8 compiles each for itself. */
const loops: Record<string, [kernel: () => void, plain: () => void]> = {
  add: [
    () => kernels.add(z, x, y, N),
    () => {
      for (let i = 0; i < N; i++) out[i] = (a[i] as number) + (b[i] as number);
    },
  ],
  exp: [
    () => kernels.exp(z, x, N),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.exp(a[i] as number);
    },
  ],
  log: [
    () => kernels.log(z, x, N),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.log(a[i] as number);
    },
  ],
  tanh: [
    () => kernels.tanh(z, x, N),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.tanh(a[i] as number);
    },
  ],
  sigmoid: [
    () => kernels.sigmoid(z, x, N),
    () => {
      for (let i = 0; i < N; i++) out[i] = 1 / (1 + Math.exp(-(a[i] as number)));
    },
  ],
  uniform: [
    () => kernels.uniform(z, N, 1, 2, 3, 4),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.random();
    },
  ],
  bernoulli: [
    () => kernels.bernoulli(z, x, N, 1, 1, 1, 2, 3, 4, 0, 0),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.random() < (a[i] as number) ? 1 : 0;
    },
  ],
};

/** Planes of 2 × 2 windows side by side; 33 MB in all. */
const [PLANES, SIZE] = [2048, 64];
const LARGE = PLANES * SIZE ** 2;
const HALF = SIZE / 2;
const images = block(LARGE, random);
const gradients = block(LARGE);
const [m, v] = [block(LARGE), block(LARGE)];
const [pooled, places] = [block(LARGE / 4, random), block(LARGE / 4)];
const windows = block(9 + 3 * HALF);
kernels.spans(windows, SIZE, HALF, 2, 2, 0, 1, 1);

/** The logits of tutorial 5, all time steps of a batch. */
const [ROWS, CLASSES] = [3200, 10];
const [logits, probabilities] = [block(ROWS * CLASSES, random), block(ROWS * CLASSES)];
const [losses, sums, targets] = [block(ROWS), block(2 * ROWS), block(ROWS)];

/** The first step of Adam with a rate of 10⁻³, as float32: shrink, decay, β₁, 1 − β₁, β₂, 1 − β₂, rate, scale, ε. */
const numbers = block(9);
new Float32Array(memory.buffer, numbers, 9).set([1, 0, 0.9, 0.1, 0.999, 1e-3, 1e-3, 1, 1e-8]);

/** What waits for memory, and how many arrays of LARGE values it reads and writes. */
const streams: Record<string, [arrays: number, kernel: () => void]> = {
  adam: [7, () => kernels.adam(images, gradients, m, v, 0, LARGE, numbers)],
  maxPool: [1.25, () => kernels.maxPool(pooled, 0, images, windows, windows, PLANES)],
  maxPlaces: [1.25, () => kernels.maxPool(0, places, images, windows, windows, PLANES)],
  avgPool: [1.25, () => kernels.avgPool(pooled, images, windows, windows, PLANES)],
  avgPoolGrad: [2.25, () => kernels.avgPoolGrad(gradients, pooled, windows, windows, PLANES)],
};
/** The triad reads two arrays and writes one. */
const TRIAD_ARRAYS = 3;
const STREAM_ROUNDS = 9;

warmup();
const contenders = Object.entries(loops).flatMap(([name, [kernel, plain]]) => [
  calls(name, kernel, TURN),
  calls(`${name} in JavaScript`, plain, TURN),
]);
const run = await interleave(contenders, ROUNDS);
const rows: Record<string, Measured> = {};
for (const name of Object.keys(loops)) {
  const plain = `${name} in JavaScript`;
  rows[name] = { value: run.ratio(plain, name), times: run.medians(name, plain) };
}

const triad = calls("triad", () => probes.triad(gradients, m, v, LARGE));
const streamed = await interleave(
  [triad, ...Object.entries(streams).map(([name, [, kernel]]) => calls(name, kernel))],
  STREAM_ROUNDS,
);
for (const [name, [arrays]] of Object.entries(streams)) {
  const value = (streamed.ratio("triad", name) * arrays) / TRIAD_ARRAYS;
  rows[name] = { value, times: streamed.medians(name, "triad") };
}

const exponentials = calls("exp", () => kernels.exp(probabilities, logits, ROWS * CLASSES), TURN);
const entropy = {
  crossEntropy: () => kernels.crossEntropy(losses, sums, logits, targets, 0, ROWS, CLASSES, 0),
  crossEntropyGrad: () =>
    kernels.crossEntropyGrad(probabilities, logits, sums, targets, 0, losses, 1, 1, ROWS, CLASSES, 0),
};
const entropies = await interleave(
  [exponentials, ...Object.entries(entropy).map(([name, kernel]) => calls(name, kernel, TURN))],
  ROUNDS,
);
for (const name of Object.keys(entropy)) {
  rows[name] = { value: entropies.ratio("exp", name), times: entropies.medians(name, "exp") };
}
report(rows);
