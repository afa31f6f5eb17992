/** Float32 functions against the exact ones, counted in units in the last place. */
import { expect } from "vitest";
import { numbers } from "./sides.ts";

/** Every 16411th bit pattern (a prime: all exponents, both signs, infinities, NaN) and 100 k numbers where it matters. */
export function samples(low: number, high: number): Float32Array {
  const patterns = Uint32Array.from({ length: Math.floor(2 ** 32 / 16411) }, (_, i) => i * 16411);
  const edges = [0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-45, 1.17549435e-38, 3.4028235e38, -3.4028235e38];
  return Float32Array.from([...new Float32Array(patterns.buffer), ...numbers(100_000, 7, low, high), ...edges]);
}

/** Maps float32 numbers to integers such that neighbours differ by one. */
function ordinals(x: Float32Array): Int32Array {
  return new Int32Array(x.buffer).map((bits) => (bits < 0 ? -(bits & 0x7fffffff) : bits));
}

/** Fails where z is more than `ulp` float32 numbers away from f(x), with the worst x. NaN belongs to NaN. */
export function expectUlp(what: string, z: Float32Array, x: Float32Array, f: (x: number) => number, ulp: number): void {
  const expected = x.map((value) => f(value));
  const a = ordinals(z);
  const b = ordinals(expected);
  let worst = 0;
  let where = 0;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(expected[i])) {
      if (!Number.isNaN(z[i])) expect.fail(`${what}(${x[i]}): got ${z[i]}, expected NaN`);
      continue;
    }
    const distance = Number.isNaN(z[i]) ? Infinity : Math.abs((a[i] as number) - (b[i] as number));
    if (distance <= worst) continue;
    worst = distance;
    where = x[i] as number;
  }
  expect(worst, `${what}(${where})`).toBeLessThanOrEqual(ulp);
}
