import { simd } from "./backend.ts";

/** Calls of each kernel, and their sizes: enough work for V8 to replace its baseline code. */
const ROUNDS = 60;
const ROWS = 16;
const COLUMNS = 48;
const TIMESTEPS = 4;

/**
 * Runs the kernels that training spends its time in until the engine has optimised them (some 20 ms). Not needed for
 * results; a first measured or interactive step is then as fast as later ones.
 */
export function warmup(): void {
  const { kernels: k, heap } = simd;
  const n = ROWS * COLUMNS;
  const bytes = 4 * TIMESTEPS * n;
  const [x, y, z, s] = [0, 0, 0, 0].map(() => {
    const p = heap.allocate(bytes);
    k.fill(p, TIMESTEPS * n, 0.5);
    return p;
  }) as [number, number, number, number];
  for (let round = 0; round < ROUNDS; round++) {
    // Widths 48 + 12, 8, 4: every tile of the product, with one row and with two.
    for (const width of [COLUMNS, 12, 8, 4]) {
      k.gemm(z, x, y, 0, ROWS - 1, width, ROWS, ROWS, 1, width, 1, width, 0, 0);
      k.gemm(z, x, y, 0, ROWS - 1, width, ROWS, 1, ROWS, 1, ROWS, width, 0, 0);
    }
    k.lifForward(z, s, x, 0, y, y, TIMESTEPS, 1, n, n, n, 0, 0, 2, 0, 0, 0, 0);
    for (const kind of [0, 1, 2]) {
      k.fill(s, n, 0);
      k.lifBackward(x, x, z, 0, y, y, s, 0, 0, 0, TIMESTEPS, 1, n, n, n, n, 0, 0, 2, 0, 0, 0, kind, 1);
    }
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
  for (const p of [x, y, z, s]) heap.release(p, bytes);
}
