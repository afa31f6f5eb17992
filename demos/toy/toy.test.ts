/** The toy: its data, that a seed fixes every weight, that it learns with every code, and what it prints. */
import { Generator, manualSeed, memoryStats, noGrad } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import { collected } from "../../test/support/garbage.ts";
import { bits } from "../../test/support/tensors.ts";
import { trainPage } from "./core/network.ts";
import { FEATURES, toyData } from "./data.ts";
import { DEFAULTS, prepareToy, type ToyOptions, trainToy } from "./network.ts";

/** Small enough to train several times. */
const SMALL: ToyOptions = { ...DEFAULTS, timesteps: 8, hidden: 32 };

/** All weights, as bits, after some epochs. */
async function trained(options: Partial<ToyOptions>, epochs = 2): Promise<number[][]> {
  const run = prepareToy({ ...SMALL, ...options });
  await trainToy(run, epochs);
  return run.model.parameters().map(bits);
}

test("toy data: 4096 samples in [0, 1], four fifths for training, the classes of about one size", () => {
  const { train, test: rest } = toyData(0);
  expect([train.length, rest.length]).toEqual([3276, 820]);
  expect([train.shape, rest.shape]).toEqual([[FEATURES], [FEATURES]]);
  const all = [...train.x, ...rest.x];
  expect(all.reduce((low, value) => Math.min(low, value), 1)).toBe(0);
  expect(all.reduce((high, value) => Math.max(high, value), 0)).toBeCloseTo(1, 5);
  const ones = Array.from(train.y).filter((label) => label === 1).length;
  // Five standard deviations of a fair coin.
  expect(Math.abs(ones - 3276 / 2)).toBeLessThan(5 * Math.sqrt(3276 / 4));
});

test("toy data: the label says whether the weighted sum of the features is positive", () => {
  const { train } = toyData(3);
  let agree = 0;
  for (let i = 0; i < train.length; i++) {
    let score = 0;
    for (let f = 0; f < FEATURES; f++) {
      score += (train.x[i * FEATURES + f] as number) * (-1 + (2 * f) / (FEATURES - 1));
    }
    if (score > 0 === (train.y[i] === 1)) agree++;
  }
  // Scaling to [0, 1] moves sums by a few times 10⁻⁷: those next to zero may change sides.
  expect(agree).toBeGreaterThan(0.999 * train.length);
});

test("toy data: its seed alone decides", () => {
  manualSeed(1);
  const first = toyData(5).train.x;
  manualSeed(2);
  expect(toyData(5).train.x).toEqual(first);
  expect(toyData(6).train.x).not.toEqual(first);
});

test("toy: two runs with the same seed have the same bits, other seeds other ones", async () => {
  const first = await trained({});
  expect(await trained({})).toEqual(first);
  expect(await trained({ seed: 1 })).not.toEqual(first);
  expect(await trained({ dataSeed: 1 })).not.toEqual(first);
});

test.each(["poisson", "ttfs", "constant"] as const)(
  "toy: the page without the compiler trains the same bits with %s",
  async (encode) => {
    const { model } = await trainPage({ ...SMALL, encode, epochs: 1 });
    expect(model.parameters().map(bits)).toEqual(await trained({ encode }, 1));
  },
);

test("toy: the program of the page prints a line an epoch", async () => {
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", "--encode=constant", "--epochs=1"]);
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((line) => lines.push(line));
  await import("./core/main.ts");
  expect(lines).toEqual([expect.stringMatching(/^epoch=1 loss=0\.\d{4} test_acc=0\.\d{4}$/)]);
});

test("toy: nothing else that draws random numbers before changes a run", async () => {
  const first = await trained({ seed: 4 });
  new Generator(9).permutation(100);
  manualSeed(77);
  expect(await trained({ seed: 4 })).toEqual(first);
});

test("toy: ten epochs with the defaults reach 88 % on the test set", async () => {
  const history = await trainToy(prepareToy(DEFAULTS), DEFAULTS.epochs);
  expect(history.length).toBe(10);
  // Ten data seeds have a mean of 91 % and a standard deviation of 0.9.
  expect(history[9]?.validation).toBeGreaterThanOrEqual(0.88);
  expect(history[9]?.loss).toBeLessThan(history[0]?.loss as number);
});

test.each([
  { encode: "poisson" },
  { encode: "ttfs" },
  { encode: "constant" },
  { encode: "poisson", refractory: 2 },
  { encode: "constant", refractory: 1 },
] satisfies Partial<ToyOptions>[])("toy: it learns with %o", async (options) => {
  const run = prepareToy({ ...SMALL, ...options, lr: 5e-3 });
  const history = await trainToy(run, 6);
  expect(history[5]?.loss).toBeLessThan(0.9 * (history[0]?.loss as number));
  expect(history[5]?.validation).toBeGreaterThan(0.7);
  for (const { x } of run.testLoader) {
    const rate = noGrad(() => run.model.firingRate(run.encode(x)));
    expect(rate).toBeGreaterThan(0);
    expect(rate).toBeLessThan(1);
  }
});

test("toy: a second epoch keeps no more memory than the first", async () => {
  const run = prepareToy(SMALL);
  await trainToy(run, 1);
  await collected();
  const { live } = memoryStats();
  await trainToy(run, 1);
  expect(memoryStats().live).toBe(live);
});

afterEach(() => vi.restoreAllMocks());

test("npm start: one line an epoch, and a last one for the run", async () => {
  const flags = ["--epochs=2", "--timesteps=4", "--hidden=8", "--batch-size=256"];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((line) => lines.push(line));
  await import("./main.ts");
  expect(lines.length).toBe(3);
  const epoch = /^epoch=(\d) loss=0\.\d{4} test_acc=0\.\d{4} train_s=\d+\.\d{3}$/;
  expect(lines.slice(0, 2).map((line) => (line as string).match(epoch)?.[1])).toEqual(["1", "2"]);
  expect(lines[2]).toMatch(/^firing_rate=0\.\d{4} total_s=\d+\.\d{3}$/);
});
