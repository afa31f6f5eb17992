/**
 * Calls the kernels of training until V8 has optimised them, so that the first measured step is as fast as later ones.
 */
import { ATAN, FAST_SIGMOID, SIGMOID, ZERO } from "../kernels/kinds.ts";
import * as lif from "../kernels/lif-layout.ts";
import * as product from "../kernels/product-layout.ts";
import { simd } from "./core/backend.ts";
import { extraKernels, memory, rareKernels } from "./core/wasm.ts";

/** Number of calls of each kernel, and sizes of the calls: enough for V8 to replace its baseline code. */
const ROUNDS = 60;
const ROWS = 16;
const COLUMNS = 48;
const TIMESTEPS = 4;

/**
 * Runs the kernels of training and inference until the JavaScript engine has optimised them (some 20 ms). The first
 * measured or interactive step is then as fast as later ones. Results do not change.
 *
 * @example
 * ```ts
 * import { LIF, rand, warmup } from "jarvis-snn";
 *
 * warmup(); // the first step is as fast as the later ones
 * console.log(new LIF().forward(rand([100, 1, 10])).shape); // [ 100, 1, 10 ]
 * ```
 */
export function warmup(): void {
  const { kernels: k, heap } = simd;
  const n = ROWS * COLUMNS;
  const bytes = 4 * TIMESTEPS * n;
  // Comes first, since it may run out of memory.
  extraKernels();
  const { packForward, feedForward, packBackward, feedBack } = rareKernels();
  const x = heap.allocate(4 * bytes);
  const [y, z, s] = [x + bytes, x + 2 * bytes, x + 3 * bytes] as const;
  k.fill(x, 4 * TIMESTEPS * n, 0.5);
  for (let round = 0; round < ROUNDS; round++) {
    // Widths 48 + 12, 8, 4 use every tile of the product, for one row and for two; then a product of a single row.
    describe({ c: z, init: 0, a: x, b: y, m: 1, n: COLUMNS, k: ROWS, cRow: COLUMNS });
    k.gemm(describe({ aRow: ROWS, aCol: 1, bRow: 1, bCol: ROWS }));
    k.gemm(describe({ bRow: COLUMNS, bCol: 1 }));
    for (const width of [COLUMNS, 12, 8, 4]) {
      describe({ m: ROWS - 1, n: width, cRow: width });
      k.gemm(describe({ aRow: ROWS, aCol: 1, bRow: width, bCol: 1 }));
      k.gemm(describe({ aRow: 1, aCol: ROWS, bRow: 1, bCol: ROWS }));
    }
    warmProducts(x, y, z, s, round);
    warmNeurons(x, y, z, s);
    // 32 recurrent neurons, 4 samples.
    packForward(z, y, 32);
    feedForward(x, y, s, 0, z, 0, s + 128, 4, 32);
    packBackward(s, y, 32);
    feedBack(describe({ c: x, a: z, b: s, m: 4, n: 32 }));
    k.fill(x, TIMESTEPS * n, 0.5);
    k.fill(y, TIMESTEPS * n, 0.5);
    k.bernoulli(z, x, n, TIMESTEPS, 1, 1, 1, round, 0, 0, 0);
    k.sumAxis(z, x, 1, TIMESTEPS, n);
    k.sumAxisGrad(z, x, 1, TIMESTEPS, n, 0);
    k.adam(z, x, y, s, 0, n, x);
    k.add(z, x, y, n);
    k.addTo(z, x, n);
    k.fill(y, TIMESTEPS * n, 0.5);
  }
  heap.release(x, 4 * bytes);
}

/** Writes the named words of a descriptor and keeps the others. Returns its address. */
function write(places: Readonly<Record<string, number>>, words: Readonly<Record<string, number>>): number {
  const all = new Uint32Array(memory.buffer, simd.heap.descriptor, lif.words);
  for (const [name, value] of Object.entries(words)) all[places[name] as number] = value;
  return simd.heap.descriptor;
}

const describe = (words: { [name in keyof typeof product]?: number }): number => write(product, words);

/** Runs neurons over time: forward, and backward for the most common surrogates. y holds β and θ. */
function warmNeurons(x: number, y: number, z: number, s: number): void {
  const { kernels: k, heap } = simd;
  const n = ROWS * COLUMNS;
  k.fill(heap.descriptor, lif.words, 0);
  write(lif, { T: TIMESTEPS, rows: 1, n, beta: y, threshold: y, reset: ZERO, u: z, stepU: n });
  k.lifForward(write(lif, { current: x, stepCurrent: n, spikes: s }));
  write(lif, { dSpikes: x, stepDSpikes: n, dU: x, stepDU: n });
  for (const kind of [SIGMOID, FAST_SIGMOID, ATAN]) k.lifBackward(write(lif, { kind }));
}

/**
 * Runs products over non-zeros, binary in every second round, and convolutions. x holds numbers; bits are written to s.
 */
function warmProducts(x: number, y: number, z: number, s: number, round: number): void {
  const { kernels: k } = simd;
  const work = s + 4 * ROWS;
  const values = round % 2 === 0 ? x : 0;
  k.packBits(s, x, ROWS, 32);
  k.transposeBits(work, s, ROWS, 32);
  // Rows of B in place (few non-zeros), packed by rows, and packed by columns; also narrow groups.
  describe({ c: z, init: 0, m: ROWS, k: 32, a: values, aRow: 32, aCol: 1, b: y, bits: s, work });
  k.gather(describe({ n: COLUMNS, bRow: COLUMNS, bCol: 1, count: ROWS }));
  k.gather(describe({ n: COLUMNS + 2, bRow: COLUMNS + 2, count: 32 * ROWS }));
  k.gather(describe({ n: COLUMNS, bRow: 1, bCol: 32 }));
  k.transpose(z, x, ROWS, COLUMNS);
  // A 3 × 3 window over two channels of 8 × 8: its taps, then its places.
  const images = extraKernels();
  images.grid(s, 2, 3, 3, 64, 8, 1);
  images.grid(work, 1, 6, 6, 0, 8, 1);
  k.gemmGathered(describe({ a: x, n: 36, k: 18, aRow: 18, cRow: 36, rows: s, cols: work }));
  k.gemmGathered(describe({ n: 18, k: 36, aRow: 36, cRow: 18, rows: work, cols: s }));
  const windows = s + 64 * ROWS;
  images.spans(windows, 6, 3, 2, 2, 0, 1, 0);
  images.maxPool(z, s, x, windows, windows, ROWS);
  k.sumBits(z, s, TIMESTEPS, COLUMNS);
  k.unpackBits(z, s, COLUMNS);
  // Spikes of a time step as masks, for a product and its weight gradient; and maps with zeros.
  k.gemmMasked(describe({ m: 2, n: 32, k: ROWS, aRow: 1, aCol: 2, cRow: 1, cCol: 2 }));
  k.gemmMasked(describe({ aRow: ROWS, aCol: 1, cRow: 32, cCol: 1 }));
  images.listNonZeros(s, x, ROWS, ROWS);
  images.multiplyListed(z, s, y, ROWS, COLUMNS, COLUMNS, COLUMNS);
  const targets = s + 8 * ROWS;
  k.fill(targets, ROWS, 0);
  k.crossEntropy(z, s, x, targets, 0, ROWS, 4, 0);
  k.crossEntropyGrad(z, x, s, targets, 0, y, 1, 0, ROWS, 4, 0);
}
