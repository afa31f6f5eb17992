/**
 * Calls of the kernels of training until V8 has optimised them, so that a first measured step is as fast as later ones.
 */
import { ATAN, FAST_SIGMOID, SIGMOID, ZERO } from "../kernels/kinds.ts";
import * as layout from "../kernels/lif-layout.ts";
import { simd } from "./backend.ts";
import { extraKernels, memory } from "./wasm.ts";

/** Calls of each kernel, and their sizes: enough work for V8 to replace its baseline code. */
const ROUNDS = 60;
const ROWS = 16;
const COLUMNS = 48;
const TIMESTEPS = 4;

/**
 * Runs the kernels that training and inference spend their time in until the engine has optimised them (some 20 ms). Not needed for
 * results; a first measured or interactive step is then as fast as later ones.
 */
export function warmup(): void {
  const { kernels: k, heap } = simd;
  const n = ROWS * COLUMNS;
  const bytes = 4 * TIMESTEPS * n;
  extraKernels(); // may lack memory, so before any is taken
  const x = heap.allocate(4 * bytes);
  const [y, z, s] = [x + bytes, x + 2 * bytes, x + 3 * bytes] as const;
  k.fill(x, 4 * TIMESTEPS * n, 0.5);
  for (let round = 0; round < ROUNDS; round++) {
    // Widths 48 + 12, 8, 4: every tile of the product, with one row and with two; and a row alone.
    k.gemm(z, x, y, 0, 1, COLUMNS, ROWS, ROWS, 1, 1, ROWS, COLUMNS);
    k.gemm(z, x, y, 0, 1, COLUMNS, ROWS, ROWS, 1, COLUMNS, 1, COLUMNS);
    for (const width of [COLUMNS, 12, 8, 4]) {
      k.gemm(z, x, y, 0, ROWS - 1, width, ROWS, ROWS, 1, width, 1, width);
      k.gemm(z, x, y, 0, ROWS - 1, width, ROWS, 1, ROWS, 1, ROWS, width);
    }
    warmProducts(x, y, z, s, round);
    warmNeurons(x, y, z, s);
    // 32 neurons that feed each other: 4 samples of them.
    k.packForward(z, y, 32);
    k.feedForward(x, y, s, 0, z, 0, s + 128, 4, 32);
    k.packBackward(y, 32);
    k.feedBack(x, z, y, 4, 32);
    k.fill(x, TIMESTEPS * n, 0.5);
    k.fill(y, TIMESTEPS * n, 0.5);
    k.bernoulli(z, x, n, TIMESTEPS, 1, 1, 1, round, 0);
    k.sumAxis(z, x, 1, TIMESTEPS, n);
    k.sumAxisGrad(z, x, 1, TIMESTEPS, n, 0);
    k.adam(z, x, y, s, 0, n, 0, 0.9, 0.999, 1e-8, 0, 0, 1);
    k.add(z, x, y, n);
    k.addTo(z, x, n);
    k.fill(y, TIMESTEPS * n, 0.5);
  }
  heap.release(x, 4 * bytes);
}

/** Neurons over time, forward, and backward from spikes for the surrogates that networks use most; y holds β and θ. */
function warmNeurons(x: number, y: number, z: number, s: number): void {
  const { kernels: k } = simd;
  const n = ROWS * COLUMNS;
  const descriptor = s + 4 * n;
  k.fill(descriptor, layout.words, 0);
  const words = new Uint32Array(memory.buffer, descriptor, layout.words);
  words[layout.T] = TIMESTEPS;
  words[layout.rows] = 1;
  words[layout.n] = n;
  words[layout.beta] = y;
  words[layout.threshold] = y;
  words[layout.reset] = ZERO;
  words[layout.u] = z;
  words[layout.stepU] = n;
  words[layout.current] = x;
  words[layout.stepCurrent] = n;
  words[layout.spikes] = s;
  words[layout.dSpikes] = x;
  words[layout.stepDSpikes] = n;
  words[layout.dU] = x;
  words[layout.stepDU] = n;
  k.lifForward(descriptor);
  for (const kind of [SIGMOID, FAST_SIGMOID, ATAN]) {
    words[layout.kind] = kind;
    k.lifBackward(descriptor);
  }
}

/** Products that follow non-zeros, every second of them binary, and convolutions; x holds numbers, and bits to s. */
function warmProducts(x: number, y: number, z: number, s: number, round: number): void {
  const { kernels: k } = simd;
  const work = s + 4 * ROWS;
  const values = round % 2 === 0 ? x : 0;
  k.packBits(s, x, ROWS, 32);
  k.transposeBits(work, s, ROWS, 32);
  // Rows of B in place, as few events are said to share them, packed by rows and packed by columns; narrow groups too.
  k.gather(z, s, work, values, 0, y, 0, ROWS, ROWS, COLUMNS, 32, COLUMNS, 1);
  k.gather(z, s, work, values, 0, y, 0, 32 * ROWS, ROWS, COLUMNS + 2, 32, COLUMNS + 2, 1);
  k.gather(z, s, work, values, 0, y, 0, 32 * ROWS, ROWS, COLUMNS, 32, 1, 32);
  k.transpose(z, x, ROWS, COLUMNS);
  // A window of 3 × 3 over two channels of 8 × 8: its taps, then its places.
  const images = extraKernels();
  images.grid(s, 2, 3, 3, 64, 8, 1);
  images.grid(work, 1, 6, 6, 0, 8, 1);
  k.gemmGathered(z, x, y, s, work, 0, ROWS, 36, 18);
  k.gemmGathered(z, x, y, work, s, 0, ROWS, 18, 36);
  const windows = s + 64 * ROWS;
  images.spans(windows, 6, 3, 2, 2, 0, 1, 0);
  images.maxPool(z, s, x, windows, windows, ROWS);
  k.sumBits(z, s, TIMESTEPS, COLUMNS);
  k.unpackBits(z, s, COLUMNS);
  // Spikes of a step that come in as masks, for a head and its weights; and maps with zeros.
  k.gemmMasked(z, s, x, 0, 2, 32, ROWS, 1, 2, 1, 2);
  k.gemmMasked(z, s, x, 0, 2, 32, ROWS, ROWS, 1, 32, 1);
  images.listNonZeros(s, x, ROWS, ROWS);
  images.multiplyListed(z, s, y, ROWS, COLUMNS, COLUMNS, COLUMNS);
  const targets = s + 8 * ROWS;
  k.fill(targets, ROWS, 0);
  k.crossEntropy(z, s, x, targets, 0, ROWS, 4, 0);
  k.crossEntropyGrad(z, x, s, targets, 0, y, 1, 0, ROWS, 4, 0);
}
