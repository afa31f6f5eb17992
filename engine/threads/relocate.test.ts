/** Copies of the kernels with constants at other addresses. */
import { expect, test } from "vitest";
import { core, extra, heapBase, rare } from "../../kernels/build/release.ts";
import { relocations } from "../../kernels/build/relocations-release.ts";
import { moduleBytes } from "../core/wasm.ts";
import { overShared, relocated } from "./relocate.ts";

type Exports = Record<string, (...args: number[]) => number>;

function instance(bytes: Uint8Array, memory: WebAssembly.Memory, core: Exports = {}): Exports {
  const imports = { env: { memory, abort() {} }, core };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes as never), imports).exports as Exports;
}

const shared = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 128, maximum: 65536, shared: true });

test("relocated: the constants lie higher by the distance, and nothing is written below", () => {
  for (const distance of [1 << 20, 3_000_016]) {
    const memory = shared();
    const bytes = new Uint8Array(memory.buffer);
    const kernels = { ...instance(relocated(moduleBytes(core), relocations.core, distance), memory) };
    for (const [module, places] of [
      [rare, relocations.rare],
      [extra, relocations.extra],
    ] as const) {
      Object.assign(kernels, instance(relocated(moduleBytes(module), places, distance), memory, kernels));
    }
    const plain = shared();
    const others = instance(overShared(moduleBytes(core)), plain);
    for (const module of [rare, extra]) instance(overShared(moduleBytes(module)), plain, others);
    const constants = new Uint8Array(plain.buffer, 0, heapBase);
    expect(bytes.slice(0, Math.min(distance, heapBase)).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.compare(bytes.slice(distance, distance + heapBase), constants.slice())).toBe(0);

    const at = distance + 2 * heapBase + (-(distance + 2 * heapBase) & 15);
    const values = new Float32Array(memory.buffer, at, 64).map((_, i) => Math.sin(i));
    new Float32Array(memory.buffer, at, 64).set(values);
    (kernels.exp as (...args: number[]) => number)(at + 256, at, 64);
    const z = new Float32Array(memory.buffer, at + 256, 64);
    for (let i = 0; i < 64; i++) expect(z[i]).toBeCloseTo(Math.exp(values[i] as number), 5);
  }
});
