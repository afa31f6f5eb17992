/** The network that learns by reward: that its inputs and rewards decide, and that it learns, also after a reversal. */
import { noGrad } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import { bits } from "../../test/support/tensors.ts";
import { CUES, RewardNetwork } from "./network.ts";
import { learn, tableOf } from "./trials.ts";

afterEach(() => vi.restoreAllMocks());

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test("reward: a network learns which inputs to take within 150 trials, and again after a reversal", () => {
  const network = new RewardNetwork(5);
  const right = learn(network, 150, 5, () => {});
  expect(meanOf(right.before.slice(0, 20))).toBeLessThan(0.9);
  expect(meanOf(right.before.slice(-50))).toBeGreaterThanOrEqual(0.9);
  // The weights know the old answer: nearly all of the first trials behind the reversal are wrong.
  expect(meanOf(right.after.slice(0, 12))).toBeLessThan(0.5);
  expect(meanOf(right.after.slice(-50))).toBeGreaterThanOrEqual(0.9);
});

test("reward: an input without a reward changes no weight, a trial changes those of its input alone", () => {
  const network = new RewardNetwork(1);
  const { weight } = network.synapses;
  const before = bits(weight);
  for (let cue = 0; cue < CUES; cue++) noGrad(() => network.respond(cue));
  expect(bits(weight)).toEqual(before);
  network.trial(2, true);
  const changed = bits(weight).map((value, i) => (value === before[i] ? -1 : Math.floor((i % 40) / 10)));
  expect(new Set(changed)).toEqual(new Set([-1, 2]));
});

test("reward: the seed alone decides", () => {
  const runs = [3, 3, 4].map((seed) => {
    const network = new RewardNetwork(seed);
    learn(network, 4, seed, () => {});
    return bits(network.synapses.weight);
  });
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).not.toEqual(runs[0]);
});

test("reward: the table has a row for each block of trials", () => {
  const right = { before: new Array(60).fill(1), after: new Array(60).fill(0) };
  expect(tableOf(right)).toEqual([
    ["trials", "before", "after the reversal"],
    ["1-50", "1.00", "0.00"],
    ["51-60", "1.00", "0.00"],
  ]);
});

test("npm run demo -- reward: a table, and a line with what it comes to", async () => {
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", "--trials=4", "--seed=2"]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^trials {2}before {2}after the reversal\n1-4 +[01]\.\d\d +[01]\.\d\d$/);
  expect(lines[1]).toMatch(/^right_before=[01]\.\d{3} right_after=[01]\.\d{3} train_s=\d+\.\d$/);
});
