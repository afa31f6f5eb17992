/** Compiles the probe kernels: what this machine can do at most, measured in the same run. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const TURNS = 2 ** 16;
const FLOPS_PER_TURN = 13 * 4 * 2;

/** A function that runs the mul+add peak loop once and gives GFLOP/s. */
export async function peakProbe(): Promise<() => number> {
  const source = readFileSync(fileURLToPath(new URL("../../../bench/probes/peak.ts", import.meta.url)), "utf8");
  const { binary, error, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: "stub",
    enable: ["simd"],
  });
  if (error !== null || binary === null) throw new Error(`bench: the probe does not compile: ${stderr}`);
  const { instance } = await WebAssembly.instantiate(binary.slice(), { env: { abort: () => undefined } });
  const peak = instance.exports.peak as (turns: number) => number;
  return () => {
    const start = performance.now();
    peak(TURNS);
    return (TURNS * FLOPS_PER_TURN) / ((performance.now() - start) * 1e6);
  };
}
