/** The demo of budgets: that a small version learns with fewer operations, and what the program prints. */
import { afterEach, expect, test, vi } from "vitest";
import { mnist } from "../mnist/data.ts";
import { part } from "../training.ts";
import { type EnergyTraining, operationsOf, probe, trainOn } from "./training.ts";

afterEach(() => vi.restoreAllMocks());

test("energy: half the weights and a cost of operations leave a third of them, and a small version learns", () => {
  const all = mnist("train");
  const training: EnergyTraining = {
    ...{ filters: [4, 12] as const, timesteps: 3, train: part(all, 0, 3000), test: part(all, 55_000, 55_500) },
    ...{ epochs: 1, batchSize: 32, lr: 1e-2, seed: 3 },
  };
  const first = trainOn({ name: "none" }, training, null);
  const usual = probe(first.model, training);
  const second = trainOn({ name: "both", activity: 1 / 3, pruned: 1 / 2 }, training, usual);
  const [usually, fewer] = [first, second].map(({ cost }) => operationsOf(cost)) as [number, number];
  expect(first.accuracy).toBeGreaterThan(0.85);
  expect(second.accuracy).toBeGreaterThan(0.85);
  expect(fewer).toBeLessThan(0.42 * usually);
  expect(second.cost.total.connectionSparsity).toBeCloseTo(0.5, 2);
  expect(first.cost.total.connectionSparsity).toBeLessThan(0.01);
  // The same bits each time.
  const ofFew = () => {
    const few = { ...training, train: part(all, 0, 320) };
    const { cost, accuracy } = trainOn({ name: "both", activity: 1 / 3, pruned: 1 / 2 }, few, usual);
    return { cost, accuracy };
  };
  expect(ofFew()).toEqual(ofFew());
});

test("npm run demo -- energy: a line for each budget, and tables of the first and the last", async () => {
  const flags = ["--epochs=1", "--timesteps=1", "--limit=64", "--batch-size=16", "--measure=validation"];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const line =
    /^budget="([^"]+)" validation_acc=[01]\.\d{4} ops=\d+ macs=\d+ acs=\d+ spikes=\d+ zero_weights=\d\.\d\d nJ=[\d.]+ cpu_s=\d+$/;
  const names = ["none", "activity 1/2", "pruning 3/5", "both 1/2", "both 1/4"];
  expect(lines.slice(0, 5).map((each) => each.match(line)?.[1])).toEqual(names);
  const [, first, , last] = lines.slice(5);
  expect(lines.slice(5)).toEqual([
    '\nbudget "none", means of an image:',
    first,
    '\nbudget "both 1/4", means of an image:',
    last,
  ]);
  for (const table of [first, last]) expect(table).toMatch(/^layer +spikes +sparsity .*\n(.+\n)+total /);
});
