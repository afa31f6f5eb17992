/** The Fashion-MNIST demo: its split, the mirror, that small versions learn, and what the program prints. */
import { manualSeed, noGrad, rand } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { bits } from "../../test/support/tensors.ts";
import { part, trainClassifier } from "../training.ts";
import { CLASSES, fashion, PIXELS } from "./data.ts";
import { FashionNetwork, type FashionOptions, Mirror } from "./network.ts";

/** The program gets the sets of the tests: reading the files takes longer than training. */
vi.mock("./data.ts", async (original) => {
  const data = await original<typeof import("./data.ts")>();
  const sets = data.fashion();
  return { ...data, fashion: () => sets };
});

const { train, test: rest } = fashion();

const SMALL: Record<"fc" | "conv", FashionOptions> = {
  fc: { network: "fc", timesteps: 6, hidden: 128, filters: [0, 0], mirror: false },
  conv: { network: "conv", timesteps: 3, hidden: 0, filters: [4, 12], mirror: true },
};

afterEach(() => vi.restoreAllMocks());

describe("data", () => {
  test("fashion: 6000 images of each class for training and 1000 for the test, classes in turn", () => {
    expect([train.length, rest.length]).toEqual([60000, 10000]);
    expect([train.shape, rest.shape]).toEqual([[PIXELS], [PIXELS]]);
    for (const { y } of [train, rest]) expect((y as Uint8Array).every((label, i) => label === i % CLASSES)).toBe(true);
  });

  test("fashion: every image has something on it, and ten of the test set are in the training set too", () => {
    const keys = (x: ArrayLike<number>) =>
      Array.from({ length: x.length / PIXELS }, (_, i) =>
        Buffer.from((x as Uint8Array).subarray(i * PIXELS, (i + 1) * PIXELS)).toString("latin1"),
      );
    const known = new Set(keys(train.x));
    const tested = keys(rest.x);
    expect(known.has("\0".repeat(PIXELS))).toBe(false);
    expect(tested.filter((image) => known.has(image)).length).toBe(10);
  });
});

describe("network", () => {
  test("fashion: in training about half of the images are mirrored, in evaluation none", () => {
    manualSeed(3);
    const mirror = new Mirror();
    const x = rand([200, 1, 2, 3]);
    const rows = (values: Float32Array) =>
      Array.from({ length: 200 }, (_, i) => Array.from(values.subarray(6 * i, 6 * i + 6)));
    const before = rows(x.toFloat32Array());
    const after = rows(noGrad(() => mirror.forward(x)).toFloat32Array());
    let mirrored = 0;
    for (const [i, [a, b, c, d, e, f]] of (before as [number, number, number, number, number, number][]).entries()) {
      const swapped = [c, b, a, f, e, d];
      if (after[i]?.[0] === c) mirrored++;
      expect([before[i], swapped]).toContainEqual(after[i]);
    }
    // Five standard deviations of 200 fair coins.
    expect(Math.abs(mirrored - 100)).toBeLessThan(36);
    mirror.eval();
    expect(bits(noGrad(() => mirror.forward(x).clone()))).toEqual(bits(x));
  });

  test.each([
    ["fc", 3000, 0.7],
    ["conv", 2000, 0.65],
  ] as const)("fashion: a small %s learns from %i images", async (network, images, atLeast) => {
    const run = async (images: number) => {
      manualSeed(0);
      const model = new FashionNetwork(SMALL[network]);
      const data = { train: part(train, 0, images), test: part(train, 59000, 60000) };
      const [report] = await trainClassifier({ model, ...data, epochs: 1, batchSize: 32, lr: 5e-3 });
      return { accuracy: report?.validation as number, weights: model.parameters().map(bits) };
    };
    expect((await run(images)).accuracy).toBeGreaterThan(atLeast);
    expect(await run(320)).toEqual(await run(320));
  });
});

test.each([
  ["fc", 3],
  ["conv", 5],
])("npm run demo -- fashion: for %s the split and %i epochs, a line each", async (network, epochs) => {
  const flags = [`--network=${network}`, "--hidden=8", "--timesteps=2", "--limit=40", "--measure=validation"];
  const lines = await runDemo("fashion", ...flags);
  expect(lines[0]).toMatch(/^split: of each class, rows 0 … 999/);
  const epoch = /^epoch=(\d) loss=\d+\.\d{4} validation_acc=[01]\.\d{4} train_s=\d+\.\d$/;
  const expected = Array.from({ length: epochs }, (_, i) => String(i + 1));
  expect(lines.slice(1).map((line) => line.match(epoch)?.[1])).toEqual(expected);
});
