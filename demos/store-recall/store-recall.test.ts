/** Store and recall: its trials, that networks of adaptive neurons alone learn it, and what the program prints. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator, manualSeed } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { INPUTS, Lsnn, NONE, stepsOf, type Trials } from "../lsnn/network.ts";
import { measure, trainMemory } from "../lsnn/training.ts";
import { CHARACTER_MS, charactersFor, type Delays, storeRecall, TRAINED } from "./data.ts";

afterEach(() => vi.restoreAllMocks());

const CHARACTER = stepsOf(CHARACTER_MS);

/** For each character of each trial the groups that fire, and the answer that its steps ask for. */
function read({ x, answers }: Trials): { groups: string; answer: number }[][] {
  const [T, B] = x.shape as [number, number];
  const s = x.toFloat32Array();
  const characterOf = (sample: number, c: number) => {
    const counts = [0, 0, 0, 0];
    const asked = new Set<number>();
    for (let t = c * CHARACTER; t < (c + 1) * CHARACTER; t++) {
      asked.add(answers[t * B + sample] as number);
      for (let j = 0; j < INPUTS; j++) {
        const group = Math.floor(j / 10);
        counts[group] = (counts[group] as number) + (s[(t * B + sample) * INPUTS + j] as number);
      }
    }
    expect(asked.size).toBe(1);
    // A group that is shown has 10 neurons · 50 Hz · 0.2 s = 100 spikes, give or take 10.
    expect(counts.every((count) => count === 0 || Math.abs(count - 100) < 50)).toBe(true);
    return { groups: counts.map((count) => (count > 0 ? "1" : "0")).join(""), answer: [...asked][0] as number };
  };
  return Array.from({ length: B }, (_, sample) =>
    Array.from({ length: T / CHARACTER }, (_, c) => characterOf(sample, c)),
  );
}

describe("trials", () => {
  test("store-recall: a recall asks for the value that was shown with the last command to store, after the delay", () => {
    const [least, greatest] = [2, 5];
    const trials = storeRecall(60, 14, [least, greatest], new Generator(1));
    const delays = new Map<number, number>();
    const stored = [0, 0];
    for (const characters of read(trials)) {
      let at = Number.NaN;
      let value = NONE;
      for (const [c, { groups, answer }] of characters.entries()) {
        if (groups[3] === "1") {
          expect(groups).toBe("0001");
          expect(answer).toBe(value);
          const delay = c - at - 1;
          delays.set(delay, (delays.get(delay) ?? 0) + 1);
          value = NONE;
        } else {
          expect(["10", "01"]).toContain(groups.slice(0, 2));
          expect(answer).toBe(NONE);
          if (groups[2] === "1") {
            expect(value).toBe(NONE);
            at = c;
            value = groups[1] === "1" ? 1 : 0;
            stored[value] = (stored[value] as number) + 1;
          }
        }
      }
    }
    expect([...delays.keys()].sort()).toEqual([2, 3, 4, 5]);
    for (const count of delays.values()) expect(count).toBeGreaterThan(10);
    const [zeros, ones] = stored as [number, number];
    expect(Math.abs(zeros - ones)).toBeLessThan(5 * Math.sqrt(zeros + ones));
  });

  test("store-recall: trials of one delay have a single recall each, and values in between tell nothing of it", () => {
    const trials = storeRecall(100, charactersFor(3), [3, 3], new Generator(2));
    let same = 0;
    for (const characters of read(trials)) {
      const recalls = characters.flatMap(({ answer }, c) => (answer === NONE ? [] : [c]));
      expect(recalls.length).toBe(1);
      const last = characters[(recalls[0] as number) - 1]?.groups as string;
      if ((last[1] === "1" ? 1 : 0) === characters[recalls[0] as number]?.answer) same++;
    }
    expect(Math.abs(same - 50)).toBeLessThan(25);
  });

  test("store-recall: the generator alone decides", () => {
    const draw = (seed: number) => storeRecall(3, 8, [1, 4], new Generator(seed));
    manualSeed(1);
    const [first, second, other] = [draw(5), draw(5), draw(6)].map(({ x, answers }) => [x.toFloat32Array(), answers]);
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

describe("learning", () => {
  const DELAYS: Delays = [1, 3];
  /** Few steps for e-prop, which take as long for many trials as for few. */
  const SIZES = {
    bptt: { characters: 8, iterations: 60, batchSize: 16, lr: 2e-2 },
    eprop: { characters: 6, iterations: 20, batchSize: 64, lr: 3e-2 },
  };

  /** Errors for delays that were trained, and for one that was not, of a small network. */
  function errorsOf(rule: "bptt" | "eprop", adaptive: number): [trained: number, unseen: number] {
    manualSeed(0);
    const model = new Lsnn({ regular: 20 - adaptive, adaptive, tauAdaptationMs: 3000, kappa: 0.14 });
    const [generator, fresh] = [new Generator(1), new Generator(2)];
    const { characters, ...sizes } = SIZES[rule];
    const draw = (batch: number) => storeRecall(batch, characters, DELAYS, generator);
    trainMemory({ model, draw, rule, feedback: "symmetric", ...sizes });
    const errorAt = (...delays: Delays) =>
      measure(model, 250, (batch) => storeRecall(batch, charactersFor(delays[1]), delays, fresh));
    return [errorAt(...DELAYS), errorAt(5, 5)];
  }

  test("store-recall: by backpropagation through time a small network recalls values, after longer delays too", () => {
    const [trained, unseen] = errorsOf("bptt", 10);
    expect(trained).toBeLessThan(0.05);
    expect(unseen).toBeLessThan(0.08);
  });

  test("store-recall: by e-prop a small network recalls values, after longer delays too", () => {
    const [trained, unseen] = errorsOf("eprop", 10);
    expect(trained).toBeLessThan(0.08);
    expect(unseen).toBeLessThan(0.12);
  });

  test("store-recall: without adaptive neurons a network learns no more than chance", () => {
    expect(errorsOf("bptt", 0)[0]).toBeGreaterThan(0.4);
  });
});

test.each([
  ["bptt", 20, 10],
  ["eprop", 2, 2],
])(
  "npm run demo -- store-recall --rule=%s --iterations=%i: %i lines, errors by delay, and a picture",
  async (rule, iterations, count) => {
    const folder = mkdtempSync(join(tmpdir(), "store-recall-"));
    const path = join(folder, "sheet.svg");
    const flags = [`--rule=${rule}`, `--iterations=${iterations}`, "--batch-size=2", "--test=4", `--svg=${path}`];
    const lines = await runDemo("store-recall", ...flags);
    const iteration = /^iteration=(\d+) loss=\d\.\d{4} error=[01]\.\d{4} rate_hz=\d+\.\d train_s=\d+\.\d$/;
    expect(lines.slice(0, count).map((line) => line.match(iteration)?.[1])).toEqual(
      Array.from({ length: count }, (_, i) => `${((i + 1) * iterations) / count}`),
    );
    const delay = /^delay_ms=(\d+) trained=(true|false) error=[01]\.\d{4}$/;
    const [least, greatest] = TRAINED;
    const delays = Array.from({ length: greatest + 4 }, (_, i) => i + least);
    expect(lines.slice(count, count + 10).map((line) => line.match(delay)?.slice(1))).toEqual(
      delays.map((d) => [`${d * CHARACTER_MS}`, `${d <= greatest}`]),
    );
    expect(lines[count + 10]).toMatch(
      new RegExp(`^rule=${rule} error_trained=[01]\\.\\d{4} error_unseen=[01]\\.\\d{4} total_s=\\d+\\.\\d$`),
    );
    expect(lines.slice(count + 11)).toEqual([`saved=${path}`]);
    const svg = readFileSync(path, "utf8");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    for (const part of ["Loss", "Error", "value 0", "LIF neurons", "adaptive LIF neurons", "threshold", "asked for"]) {
      expect(svg).toContain(part);
    }
    rmSync(folder, { recursive: true });
  },
);
