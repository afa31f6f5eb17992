/** The associative memory: its weights and cues, that it recalls by its spikes and up to a load, and what the program prints. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import { patternsOf, recallAt } from "./capacity.ts";
import { binaryRecall, damaged, overlaps, randomPatterns, recalledOf, SpikingMemory } from "./network.ts";
import { stored } from "./store.ts";

afterEach(() => vi.restoreAllMocks());

test("associative: weights are sums over patterns of the products of bits, without the mean of the sender and the diagonal", () => {
  const patterns = randomPatterns(3, 8, new Generator(1));
  const bits = patterns.toArray() as number[][];
  const weights = stored(patterns).toArray() as number[][];
  for (const [k, row] of weights.entries()) {
    for (const [j, weight] of row.entries()) {
      const sum = bits.reduce((total, bit) => {
        const mean = bit.reduce((all, x) => all + x, 0) / 8;
        return total + (bit[k] as number) * ((bit[j] as number) - mean);
      }, 0);
      expect(weight).toBeCloseTo(k === j ? 0 : sum / 8, 6);
    }
  }
});

test("associative: patterns are random signs, and cues have exactly the flips that were asked for, at other places for each", () => {
  const generator = new Generator(2);
  const patterns = randomPatterns(50, 400, generator);
  const values = patterns.toFloat32Array();
  expect(new Set(values)).toEqual(new Set([-1, 1]));
  expect(Math.abs(values.reduce((sum, x) => sum + x, 0))).toBeLessThan(4 * Math.sqrt(values.length));
  const cues = damaged(patterns, 0.3, generator);
  expect(overlaps(cues, patterns)).toEqual(Array(50).fill(0.4));
  const flipped = cues.toFloat32Array().map((x, i) => (x === values[i] ? 0 : 1));
  expect(flipped.subarray(0, 400)).not.toEqual(flipped.subarray(400, 800));
});

test("associative: a pattern is recalled from an overlap of 0.95 on", () => {
  const pattern = randomPatterns(1, 400, new Generator(3));
  const found = [10, 11].map(
    (wrong) => overlaps(damaged(pattern, wrong / 400, new Generator(3)), pattern)[0] as number,
  );
  expect(found).toEqual([0.95, 0.945]);
  expect(recalledOf([1, -1, ...found])).toBe(0.5);
  expect([patternsOf(0.05, 400), patternsOf(0.05, 512), patternsOf(0.001, 20), patternsOf(0.14, 500)]).toEqual([
    20, 26, 1, 70,
  ]);
});

test("associative: the binary network is that of a loop over signs", () => {
  const generator = new Generator(4);
  const patterns = randomPatterns(6, 40, generator);
  const cues = damaged(patterns, 0.2, generator);
  const bits = patterns.toArray() as number[][];
  const expected = (cues.toArray() as number[][]).map((cue) => {
    let state = cue;
    for (let step = 0; step < 50; step++) {
      const now = state;
      state = now.map((_, k) => {
        let sum = 0;
        for (const bit of bits) {
          for (const [j, x] of now.entries()) if (j !== k) sum += (bit[k] as number) * (bit[j] as number) * x;
        }
        return sum >= 0 ? 1 : -1;
      });
    }
    return state;
  });
  expect(binaryRecall(patterns, cues).toArray()).toEqual(expected);
});

const SIZES = { neurons: 400, gain: 8, noise: 0.5 };

test("associative: three networks of 400 neurons recall 0.05 N patterns from cues with 30 % wrong bits", () => {
  const all = [0, 1, 2].map((seed) => recallAt({ ...SIZES, load: 0.05, seed }, [0.3])[0]);
  expect(all.map((recall) => recall?.patterns)).toEqual([20, 20, 20]);
  expect(all.reduce((sum, recall) => sum + (recall?.recalled as number), 0) / 3).toBeGreaterThanOrEqual(0.95);
});

test("associative: neither too many patterns nor cues without a pattern in them are recalled", () => {
  const [full, noise] = [
    recallAt({ ...SIZES, load: 0.2, seed: 0 }, [0.3]),
    recallAt({ ...SIZES, load: 0.05, seed: 0 }, [0.5]),
  ];
  expect(full[0]?.recalled).toBeLessThan(0.1);
  expect(noise[0]?.recalled).toBe(0);
});

test("associative: the answer comes from the weights: a network that has stored other patterns gives none of the cues back", () => {
  const generator = new Generator(5);
  const [own, others] = [randomPatterns(20, 400, generator), randomPatterns(20, 400, generator)];
  const { answers, spikes } = new SpikingMemory(others, { gain: 8, noise: 0.5, generator }).recall(own);
  expect(spikes.shape).toEqual([500, 1, 400]);
  expect(Math.max(...overlaps(answers, own))).toBeLessThan(0.8);
  const known = new SpikingMemory(own, { gain: 8, noise: 0.5, generator }).recall(own);
  expect(Math.min(...overlaps(known.answers, own))).toBeGreaterThan(0.95);
});

test("associative: seeds decide patterns, cues and noise", () => {
  const run = (seed: number) =>
    recallAt({ neurons: 60, gain: 8, noise: 1, load: 0.1, seed }, [0.2])[0]?.spikes.toFloat32Array();
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

test("npm run demo -- associative: a line for each load and part of wrong bits, one for what was asked, and the picture", async () => {
  const folder = mkdtempSync(join(tmpdir(), "associative-"));
  const path = join(folder, "capacity.svg");
  const flags = ["--neurons=60", "--load=0.04", "--flips=0.1", `--svg=${path}`];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  expect(lines[0]).toBe("neurons=60 gain=8 noise=0.5 recalled_from_overlap=0.95");
  const row =
    /^load=0\.\d+ patterns=\d+ flips=0(\.\d+)? recalled=[01]\.\d{3} overlap=-?[01]\.\d{3} binary=[01]\.\d{3}$/;
  expect(lines.filter((line) => row.test(line)).length).toBe(1 + 10 + 8 * 4);
  expect(lines.at(-2)).toMatch(/^recalled=[01]\.\d{3} of 3 patterns flips=0.1 run_s=\d+\.\d$/);
  expect(lines.at(-1)).toBe(`saved=${path}`);
  const svg = readFileSync(path, "utf8");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  for (const text of ["A cue with 10 % wrong bits", "Capacity", "binary network", "part recalled"])
    expect(svg).toContain(text);
  rmSync(folder, { recursive: true });
});
