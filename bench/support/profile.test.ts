import { afterAll, expect, test } from "vitest";
import { countKernels, profileOf } from "./profile.ts";

const { Instance } = WebAssembly;
afterAll(() => {
  WebAssembly.Instance = Instance;
});

/** A module with two functions: `f` gives 7 and `gemm` gives 8. */
const MODULE = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  [0x03, 0x03, 0x02, 0x00, 0x00],
  [0x07, 0x0c, 0x02, 0x01, 0x66, 0x00, 0x00, 0x04, 0x67, 0x65, 0x6d, 0x6d, 0x00, 0x01],
  [0x0a, 0x0b, 0x02, 0x04, 0x00, 0x41, 0x07, 0x0b, 0x04, 0x00, 0x41, 0x08, 0x0b],
].flat();

/** A descriptor of a product in a memory that is as good as that of the kernels: 2·3·4 additions. */
const PRODUCT = 16;
const memory = new WebAssembly.Memory({ initial: 1 });
new Uint32Array(memory.buffer, PRODUCT).set([0, 0, 2, 3, 4]);

const PEAK = 1000;
const peak = () => PEAK;

test("profileOf: the kernels of a step, and not those before it", () => {
  countKernels();
  const { f, gemm } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(MODULE)), { env: { memory } })
    .exports as {
    f: () => number;
    gemm: (...args: number[]) => number;
  };
  let [prepared, sum] = [0, 0];
  const step = () => {
    for (let i = 0; i < 1000; i++) sum += f();
  };
  const prepare = () => {
    prepared++;
    sum += gemm();
  };
  const profile = profileOf(step, peak, prepare, 20);
  expect(prepared).toBeGreaterThan(3);
  expect(sum).toBe(7008 * prepared);
  expect(Object.keys(profile.kernels)).toEqual(["f"]);
  expect(profile.step).toBeGreaterThan(0);
  const { share = 0, peak: none } = profile.kernels.f ?? {};
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(1);
  expect(none).toBeUndefined();

  const products = profileOf(() => void gemm(PRODUCT), peak, undefined, 20);
  expect(Object.keys(products.kernels)).toEqual(["gemm"]);
  const { share: part = 0, peak: reached = 0 } = products.kernels.gemm ?? {};
  expect(reached * PEAK * part * products.step).toBeCloseTo(2 * 3 * 4);
});
