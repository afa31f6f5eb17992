/** The probe kernels, compiled now: what this machine can do at most, and what they are compared with. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { memory } from "jarvis-snn/kernels";
import { type Comparison, type Contender, calls } from "./interleave.ts";

const NAMES = ["peak", "triad", "textbook"] as const;

interface Probes {
  peak(turns: number): number;
  triad(a: number, b: number, c: number, n: number): void;
  lifStep(u: number, s: number, v: number, current: number, n: number, beta: number, theta: number): void;
}

/** They work in the memory of the kernels, and use none of their own. */
async function compile(): Promise<Probes> {
  const folder = new URL("../../../bench/probes/", import.meta.url);
  const sources = Object.fromEntries(
    NAMES.map((name) => [`${name}.ts`, readFileSync(fileURLToPath(new URL(`${name}.ts`, folder)), "utf8")]),
  );
  const { binary, error, stderr } = await asc.compileString(sources, {
    optimizeLevel: 3,
    noAssert: true,
    runtime: "stub",
    enable: ["simd"],
    importMemory: true,
  });
  if (error !== null || binary === null) throw new Error(`bench: the probes do not compile: ${stderr}`);
  const { instance } = await WebAssembly.instantiate(binary.slice(), { env: { memory } });
  return instance.exports as unknown as Probes;
}

export const probes = await compile();

/** Thirteen chains of four lanes, two operations each: 104 operations a turn. */
const PEAK_TURNS = 2 ** 16;
const PEAK_FLOPS = 104 * PEAK_TURNS;

/** One turn of the mul+add peak loop. */
export const peakProbe: Contender = calls("mul+add peak", () => probes.peak(PEAK_TURNS));

/** The share of the peak that a contender with so many operations reaches. */
export const shareOfPeak = (run: Comparison, name: string, flops: number): number =>
  (flops / PEAK_FLOPS) * run.ratio(peakProbe.name, name);

/** Additions that the peak loop makes in a millisecond, half of its operations; in one turn, as fast as the machine is now. */
export function additionsAtPeak(): number {
  const start = performance.now();
  probes.peak(PEAK_TURNS);
  return PEAK_FLOPS / 2 / (performance.now() - start);
}
