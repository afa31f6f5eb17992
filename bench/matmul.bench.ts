/** Dense products as a share of the mul+add peak of the same run. */
import { warmup } from "jarvis-snn";
import { alloc, free, kernels, memory } from "jarvis-snn/kernels";
import { median, table } from "./support/interleave.ts";
import { peakProbe } from "./support/probe.ts";

const ROUNDS = 31;
/** m, n, k and the share of the peak that must be reached, where there is one. */
const SHAPES: readonly (readonly [m: number, n: number, k: number, must: number | null])[] = [
  [256, 256, 256, 0.8],
  [512, 512, 512, 0.75],
  [128, 1000, 784, 0.75],
  [3200, 128, 32, null],
  [3200, 10, 1000, 0.5],
];

const peak = await peakProbe();
warmup();
const rows = [["m × n × k", "GFLOP/s", "peak", "share", "must"]];
for (const [m, n, k, must] of SHAPES) {
  const sizes = [4 * m * k, 4 * k * n, 4 * m * n] as const;
  const [a, b, c] = sizes.map((bytes) => {
    const p = alloc(bytes);
    new Float32Array(memory.buffer, p, bytes / 4).fill(0.5);
    return p;
  }) as [number, number, number];
  const calls = Math.max(1, Math.round(2e7 / (m * n * k)));
  const shares: number[] = [];
  const rates: number[] = [];
  const peaks: number[] = [];
  for (let round = -5; round < ROUNDS; round++) {
    const limit = peak();
    const start = performance.now();
    for (let i = 0; i < calls; i++) kernels.gemm(c, a, b, 0, m, n, k, k, 1, n, 1, n, 0, 0);
    const rate = (2 * m * n * k * calls) / ((performance.now() - start) * 1e6);
    if (round < 0) continue;
    shares.push(rate / limit);
    rates.push(rate);
    peaks.push(limit);
  }
  rows.push([
    `${m} × ${n} × ${k}`,
    median(rates).toFixed(1),
    median(peaks).toFixed(1),
    median(shares).toFixed(2),
    must === null ? "" : must.toFixed(2),
  ]);
  [a, b, c].forEach((p, i) => {
    free(p, sizes[i] as number);
  });
}
console.log(table(rows));
