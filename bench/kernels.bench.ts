/** Elementary kernels on values in the first-level cache, in millions of values a second. */
import { warmup } from "jarvis-snn";
import { alloc, codes, free, kernels, memory } from "jarvis-snn/kernels";
import { Bench } from "tinybench";
import { table } from "./support/interleave.ts";

const N = 2048;
const BYTES = 4 * N;
const CALLS = 100;

warmup();
const [x, y, z] = [0, 0, 0].map(() => {
  const p = alloc(BYTES);
  new Float32Array(memory.buffer, p, N).fill(0.5);
  return p;
}) as [number, number, number];

const cases: Record<string, () => void> = {
  add: () => kernels.add(z, x, y, N),
  exp: () => kernels.exp(z, x, N),
  log: () => kernels.log(z, x, N),
  tanh: () => kernels.tanh(z, x, N),
  sigmoid: () => kernels.sigmoid(z, x, N),
  sin: () => kernels.formula(codes.SIN, z, x, 0, N, 0, 0),
  gelu: () => kernels.formula(codes.GELU, z, x, 0, N, 0, 0),
  pow: () => kernels.formula(codes.POW, z, x, y, N, 0, 0),
  "uniform (Philox)": () => kernels.uniform(z, N, 1, 2, 3, 4),
  "bernoulli (Philox)": () => kernels.bernoulli(z, x, N, 1, 1, 1, 2, 3, 4),
};

const bench = new Bench({ time: 200, warmupTime: 100 });
for (const [name, run] of Object.entries(cases)) {
  bench.add(name, () => {
    for (let i = 0; i < CALLS; i++) run();
  });
}
await bench.run();

const rows = bench.tasks.map((task) => {
  const { result } = task;
  if (result.state !== "completed") throw new Error(`bench: ${task.name} did not complete`);
  return [task.name, ((N * CALLS) / (1000 * result.latency.p50)).toFixed(0)];
});
console.log(table([["kernel", "M values/s"], ...rows]));
for (const p of [x, y, z]) free(p, BYTES);
