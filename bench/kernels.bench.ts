/** Elementary kernels on values in the first-level cache, against the same loops in plain JavaScript. */
import { warmup } from "jarvis-snn";
import { kernels, memory } from "jarvis-snn/kernels";
import { block, uniforms } from "./support/blocks.ts";
import { calls, interleave } from "./support/interleave.ts";
import { report } from "./support/report.ts";

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
    () => kernels.bernoulli(z, x, N, 1, 1, 1, 2, 3, 4),
    () => {
      for (let i = 0; i < N; i++) out[i] = Math.random() < (a[i] as number) ? 1 : 0;
    },
  ],
};

warmup();
const contenders = Object.entries(loops).flatMap(([name, [kernel, plain]]) => [
  calls(name, kernel, TURN),
  calls(`${name} in JavaScript`, plain, TURN),
]);
const run = await interleave(contenders, ROUNDS);
const rows = Object.keys(loops).map((name) => {
  const plain = `${name} in JavaScript`;
  return [name, { value: run.ratio(plain, name), times: run.medians(name, plain) }] as const;
});
report(Object.fromEntries(rows));
