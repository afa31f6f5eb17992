/** Delayed XOR: its samples, that a small network learns it, what is saved of it, and what the program prints. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSafetensors, manualSeed, noGrad, rand, saveSafetensors } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { bits } from "../../test/support/tensors.ts";
import { trainClassifier } from "../training.ts";
import { delayedXor, INPUTS, TIMESTEPS } from "./data.ts";
import { SequenceNetwork } from "./network.ts";

afterEach(() => vi.restoreAllMocks());

describe("data", () => {
  /** The spikes of a group, "zero" or "one", in the steps from … to − 1 of a sample. */
  function spikes(x: ArrayLike<number>, sample: number, group: number, from: number, to: number): number {
    let sum = 0;
    for (let t = from; t < to; t++) {
      for (let j = 0; j < INPUTS / 2; j++)
        sum += x[(sample * TIMESTEPS + t) * INPUTS + (group * INPUTS) / 2 + j] as number;
    }
    return sum;
  }

  test("sequence: spikes are zeros and ones, half of the labels are ones, and the seed alone decides", () => {
    manualSeed(1);
    const { train, test } = delayedXor({ train: 1000, test: 10 }, 3);
    expect([train.length, test.length, train.shape]).toEqual([1000, 10, [TIMESTEPS, INPUTS]]);
    expect(new Set(train.x)).toEqual(new Set([0, 1]));
    const ones = Array.from(train.y).reduce((sum, label) => sum + label);
    expect(Math.abs(ones - 500)).toBeLessThan(5 * Math.sqrt(250));
    manualSeed(2);
    const isSame = (seed: number) =>
      Buffer.compare(delayedXor({ train: 1000, test: 10 }, seed).train.x as Uint8Array, train.x as Uint8Array) === 0;
    expect([isSame(3), isSame(4)]).toEqual([true, false]);
  });

  test("sequence: the label tells whether the bit of the first steps and the bit behind the delay differ", () => {
    const { x, y, length } = delayedXor({ train: 500, test: 1 }, 5).train;
    let agree = 0;
    for (let i = 0; i < length; i++) {
      const first = spikes(x, i, 1, 0, 6) > spikes(x, i, 0, 0, 6) ? 1 : 0;
      const second = spikes(x, i, 1, 16, TIMESTEPS) > spikes(x, i, 0, 16, TIMESTEPS) ? 1 : 0;
      if ((first ^ second) === y[i]) agree++;
    }
    // Twelve spikes of a bit against two of the background behind it.
    expect(agree).toBeGreaterThan(0.98 * length);
  });

  test("sequence: neither bit alone tells the label", () => {
    const { x, y, length } = delayedXor({ train: 2000, test: 1 }, 6).train;
    let same = 0;
    for (let i = 0; i < length; i++) {
      if (spikes(x, i, 1, 0, 6) > spikes(x, i, 0, 0, 6) === (y[i] === 1)) same++;
    }
    expect(Math.abs(same - length / 2)).toBeLessThan(5 * Math.sqrt(length / 4));
  });
});

test("sequence: a small network keeps the first bit until the second, and a saved one gives the same bits", async () => {
  const { train, test } = delayedXor({ train: 2048, test: 400 }, 1);
  manualSeed(0);
  const model = new SequenceNetwork(32);
  const before = model.parameters().map(bits);
  const history = await trainClassifier({ model, train, test, epochs: 6, batchSize: 32, lr: 5e-3 });
  expect(history.at(-1)?.validation).toBeGreaterThan(0.9);

  // Decays and thresholds of each neuron are learned too.
  const names = model.namedParameters().map(([name]) => name);
  for (const name of [
    "recurrent1.beta",
    "recurrent1.threshold",
    "recurrent2.beta",
    "recurrent2.threshold",
    "readout.beta",
  ]) {
    expect(names).toContain(name);
  }
  for (const [i, values] of model.parameters().map(bits).entries()) expect(values, names[i]).not.toEqual(before[i]);

  const loaded = new SequenceNetwork(32);
  loaded.loadStateDict(loadSafetensors(saveSafetensors(model.stateDict())).tensors);
  const [given, again] = [model, loaded].map((network) => {
    manualSeed(5);
    return bits(noGrad(() => network.forward(rand([3, TIMESTEPS, INPUTS]).gt(0.9))));
  });
  expect(again).toEqual(given);
});

test("npm run demo -- sequence: a line an epoch, one for what was loaded, and the file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sequence-"));
  const file = join(folder, "net.safetensors");
  const flags = ["--epochs=1", "--hidden=4", "--batch-size=1024", `--save=${file}`];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  expect(lines.length).toBe(3);
  expect(lines[0]).toMatch(/^epoch=1 loss=\d\.\d{4} test_acc=[01]\.\d{4} train_s=\d+\.\d$/);
  expect(lines[1]).toMatch(/^saved_bytes=\d+ acc_before_loading=[01]\.\d{4} acc_loaded=[01]\.\d{4} same=true$/);
  expect(lines[2]).toBe(`saved=${file}`);
  const { tensors } = loadSafetensors(readFileSync(file));
  expect(Object.keys(tensors)).toEqual(new SequenceNetwork(4).namedParameters().map(([name]) => name));
  rmSync(folder, { recursive: true });
});
