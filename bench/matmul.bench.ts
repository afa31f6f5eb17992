/** Dense products: as shares of the mul+add peak, and with one row, which is bound by memory, of the triad bandwidth. */
import { warmup } from "jarvis-snn";
import { alloc, kernels, PRODUCT_DESCRIPTOR_BYTES, productDescriptor } from "jarvis-snn/kernels";
import { block, uniforms } from "./support/blocks.ts";
import { type Contender, calls, interleave } from "./support/interleave.ts";
import { peakProbe, probes, shareOfPeak } from "./support/probes.ts";
import { type Rows, report } from "./support/report.ts";

const ROUNDS = 15;

/** C [m, n] = A·B over k; a transposed operand is stored [k, m] or [n, k]. */
interface Product {
  m: number;
  n: number;
  k: number;
  transposed?: "A" | "B";
}

const PRODUCTS: Record<string, Product> = {
  "256": { m: 256, n: 256, k: 256 },
  "512": { m: 512, n: 512, k: 512 },
  forward: { m: 128, n: 1000, k: 784, transposed: "B" },
  inputGradient: { m: 128, n: 784, k: 1000 },
  weightGradient: { m: 1000, n: 784, k: 128, transposed: "A" },
  recurrentForward: { m: 6400, n: 256, k: 700, transposed: "B" },
  head: { m: 3200, n: 10, k: 1000, transposed: "B" },
  headInputGradient: { m: 3200, n: 1000, k: 10 },
  headWeightGradient: { m: 10, n: 1000, k: 3200, transposed: "A" },
};

const VECTORS: Record<string, Product> = {
  vector: { m: 1, n: 1000, k: 784, transposed: "B" },
  vectorPlain: { m: 1, n: 1000, k: 784 },
};

const random = uniforms(1);
const values = (n: number) => block(n, () => random() - 0.5);

function product(name: string, { m, n, k, transposed }: Product): Contender {
  const [a, b, c] = [values(m * k), values(k * n), values(m * n)];
  const [aRow, aCol] = transposed === "A" ? [1, m] : [k, 1];
  const [bRow, bCol] = transposed === "B" ? [1, k] : [n, 1];
  const words = { c, m, n, k, a, aRow, aCol, b, bRow, bCol };
  const descriptor = productDescriptor(alloc(PRODUCT_DESCRIPTOR_BYTES), words);
  return calls(name, () => kernels.gemm(descriptor));
}

const contenders = (products: Record<string, Product>) =>
  Object.entries(products).map(([name, sizes]) => product(name, sizes));

warmup();
const rows: Rows = {};

const dense = await interleave([peakProbe, ...contenders(PRODUCTS)], ROUNDS);
for (const [name, { m, n, k }] of Object.entries(PRODUCTS)) {
  rows[name] = { value: shareOfPeak(dense, name, 2 * m * n * k), times: dense.medians(name, peakProbe.name) };
}

/** One row reads all weights once. The triad moves as many bytes: a third of them in each array. */
const WEIGHTS = 784 * 1000;
const third = Math.ceil(WEIGHTS / 3 / 16) * 16;
const [x, y, z] = [values(third), values(third), values(third)] as const;
const triad = calls("triad", () => probes.triad(z, x, y, third));
const narrow = await interleave([triad, ...contenders(VECTORS)], ROUNDS);
for (const name of Object.keys(VECTORS)) {
  const value = (WEIGHTS / (3 * third)) * narrow.ratio("triad", name);
  rows[name] = { value, times: narrow.medians(name, "triad") };
}

report(rows);
