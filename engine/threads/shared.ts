/**
 * Kernels whose calls threads share. The line above each kernel says how calls are cut; the build collects these lines
 * in a table.
 */
import { type Cut, type Cuts, cuts } from "../../kernels/build/cuts.ts";
import type { ExtraKernels } from "../../kernels/build/types.ts";
import * as conv from "../../kernels/conv-layout.ts";
import { integers, wordsAt } from "../core/backend.ts";
import type { Parts } from "./parts.ts";
import type { Kernel } from "./pool.ts";

/** One way to cut a kernel; the entry before the ways is the kernel's cost. */
type Way = Cuts[1];

/** Word i of a descriptor or table. `wordsAt` comes first, because it renews views after memory has grown. */
const word = (address: number, i: number): number => {
  const at = wordsAt(address, i + 1) + i;
  return integers[at] as number;
};

/** The kernels of `k` that can be cut; threads share their calls while a pool runs. */
export function shared<K extends object>(k: K, running: () => Parts | null): Partial<K> {
  const all: Record<string, Kernel> = {};
  for (const [name, kernel] of Object.entries(k)) {
    const own = cuts[name];
    if (own !== undefined) all[name] = (...args) => share(kernel as Kernel, own, running(), args);
  }
  return all as Partial<K>;
}

/** Runs a call in parts, by the first cut that gives the most parts; undivided if its cost is small. */
function share(f: Kernel, cuts: Cuts, parts: Parts | null, args: readonly number[]): unknown {
  if (parts === null || cuts[0](word, ...args) < parts.least.work) return f(...args);
  let count = 1;
  let best: Cut | null = null;
  for (let i = 1; i < cuts.length; i++) {
    const cut = (cuts[i] as Way)(word, ...args);
    const most = cut === null ? 1 : parts.countOf(cut[0], cut[1]);
    if (most > count) [count, best] = [most, cut];
  }
  if (best === null) return f(...args);
  const [n, unit, changesOf] = best;
  const range = rangesOf(n, unit, count);
  const argumentsOf = (part: number): number[] => {
    const own = args.slice();
    const changes = changesOf(range(part), range(part + 1), parts.own(part));
    for (let i = 0; i < changes.length; i += 2) own[changes[i] as number] = changes[i + 1] as number;
    return own;
  };
  return joined(parts.run(f, count, argumentsOf));
}

/** First position of each part, a multiple of `unit`; n for part `count`. */
export const rangesOf =
  (n: number, unit: number, count: number) =>
  (part: number): number =>
    part === count ? n : unit * Math.round((part * n) / count / unit);

/** Combines results: a kernel returns nothing, or a count whose highest bit is a flag (packBits). */
const joined = (results: readonly number[]): number =>
  results.reduce((sum, each) => (sum + (each & 0x7fffffff)) | ((sum | each) & -0x80000000), 0);

/** Most map values that are transposed for all threads, before weight gradients are computed from them. */
const SIDES = 1 << 20;

/**
 * `spreadMaps` in two cuts: first by images, which also transposes maps; then weight gradients from these maps, by
 * taps.
 */
export function sharedSpread(k: ExtraKernels, parts: Parts): Pick<ExtraKernels, "spreadMaps"> {
  const { spreadMaps } = shared({ spreadMaps: k.spreadMaps }, () => parts) as Pick<ExtraKernels, "spreadMaps">;
  return {
    spreadMaps(g, work, first, end, from, to, spreads) {
      const each = word(g, conv.groups) * word(g, conv.filters) * word(g, conv.places);
      const cost = (end - first) * each * (1 + word(g, conv.taps) / 64);
      if (from >= to || end - first < 2 || cost < parts.least.work) {
        return spreadMaps(g, work, first, end, from, to, spreads, 0, 0, 0);
      }
      const span = Math.min(end - first, Math.max(parts.count, Math.floor(SIDES / each)));
      const sides = parts.work(parts.count, 4 * span * each);
      for (let base = first; base < end; base += span) {
        const stop = Math.min(base + span, end);
        spreadMaps(g, work, base, stop, 0, 0, 1, sides, base, span);
        spreadMaps(g, work, base, stop, from, to, 0, sides, base, span);
      }
    },
  };
}
