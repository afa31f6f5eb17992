/** Products that follow the non-zeros of their left operand, against dense ones; and the density at which these win. */
import { warmup } from "jarvis-snn";
import {
  alloc,
  kernels,
  PRODUCT_DESCRIPTOR_BYTES,
  type ProductDescriptor,
  productDescriptor,
} from "jarvis-snn/kernels";
import { block, uniforms } from "./support/blocks.ts";
import type { DensityCurve } from "./support/density.ts";
import { type Contender, calls, interleave } from "./support/interleave.ts";
import { peakProbe, shareOfPeak } from "./support/probes.ts";
import { type Rows, report } from "./support/report.ts";

/** X [M, K] · Wᵀ with W [N, K], as `linear` does it for 25 steps of a batch of 128. */
const [M, N, K] = [25 * 128, 1000, 784];
const FLOPS = 2 * M * N * K;
/** What a dense product reaches, of the peak. */
const DENSE = 0.85;
const PERCENTS = [50, 10, 5, 1];
const CURVE_PERCENTS = [0.5, 1, 2, 5, 10, 20, 30, 40, 60, 80, 100];
const ROUNDS = 9;
const CURVE_ROUNDS = 5;

const random = uniforms(1);
const weight = block(N * K, () => random() - 0.5);
const bias = block(N, () => random() - 0.5);
const gradient = block(M * N, () => random() - 0.5);
const out = block(M * N);
const rowBits = block(M * Math.ceil(K / 32));
const columnBits = block(K * Math.ceil(M / 32));
const work = block(M + 9 + 2 * M * K);
const sums = block(K * N);

const dw = block(N * K);

/** X with so many percent of ones, or of other numbers. */
const sparse = (percent: number, value = () => 1): number =>
  block(M * K, () => (random() < percent / 100 ? value() : 0));

const descriptor = alloc(PRODUCT_DESCRIPTOR_BYTES);
const product = (words: ProductDescriptor): number => productDescriptor(descriptor, words);
/** X·Wᵀ + b. */
const layer = { c: out, init: bias, m: M, n: N, k: K, b: weight, bRow: 1, bCol: K };

/** From the numbers of X on: finds the non-zeros and adds up the rows of Wᵀ that they choose. */
function forward(x: number): void {
  const found = kernels.packBits(rowBits, x, M, K);
  const count = found & 0x7fffffff;
  kernels.gather(product({ ...layer, a: found < 0 ? x : 0, bits: rowBits, count, work }));
}

/** From the bits of X on, which backward has. */
function weightGradient(bits: number, count: number): void {
  kernels.transposeBits(columnBits, bits, M, K);
  kernels.gather(product({ c: sums, m: K, n: N, k: M, a: 0, b: gradient, bits: columnBits, count, work }));
  kernels.transpose(dw, sums, K, N);
}

const dense = (x: number): void => kernels.gemm(product({ ...layer, a: x }));

async function rows(): Promise<Rows> {
  const contenders = PERCENTS.flatMap((percent) => {
    const x = sparse(percent);
    const bits = block(M * Math.ceil(K / 32));
    const count = kernels.packBits(bits, x, M, K);
    return [
      calls(`forward${percent}`, () => forward(x)),
      calls(`weightGradient${percent}`, () => weightGradient(bits, count)),
    ];
  });
  const run = await interleave([peakProbe, ...contenders], ROUNDS);
  const overDense = (contender: Contender) => {
    const value = shareOfPeak(run, contender.name, FLOPS) / DENSE;
    return [contender.name, { value, times: run.medians(contender.name, peakProbe.name) }] as const;
  };
  return Object.fromEntries(contenders.map(overDense));
}

/** Time against density, of ones and of other numbers, as shares of the time of the dense product of the same run. */
async function curve(): Promise<DensityCurve> {
  const kinds = { binary: () => 1, graded: random };
  const names = (kind: string) => CURVE_PERCENTS.map((percent) => `${kind} ${percent}`);
  const contenders = Object.entries(kinds).flatMap(([kind, value]) =>
    CURVE_PERCENTS.map((percent) => {
      const x = sparse(percent, value);
      return calls(`${kind} ${percent}`, () => forward(x));
    }),
  );
  const x = sparse(100, random);
  const run = await interleave([calls("dense", () => dense(x)), ...contenders], CURVE_ROUNDS);
  const shares = (kind: string) => names(kind).map((name) => run.ratio(name, "dense"));
  return {
    product: `${M} × ${K} → ${N}`,
    percents: CURVE_PERCENTS,
    binary: shares("binary"),
    graded: shares("graded"),
  };
}

warmup();
report(await rows(), await curve());
