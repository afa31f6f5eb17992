/** The convolutional demo: the layers of the tutorial, that a small version learns, and what the program prints. */
import { manualSeed, meanOverTime, noGrad, rand } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import { bits } from "../../test/support/tensors.ts";
import { mnist } from "../mnist/data.ts";
import { holdOut, part, trainClassifier } from "../training.ts";
import { ConvNetwork, TUTORIAL } from "./network.ts";

afterEach(() => vi.restoreAllMocks());

/** A small network after one epoch on some digits, and its accuracy on 500 others. */
async function trained(seed: number, count: number): Promise<{ model: ConvNetwork; accuracy: number }> {
  manualSeed(seed);
  const train = part(mnist("train"), 0, count);
  const test = part(mnist("train"), 55000, 55500);
  const model = new ConvNetwork({ filters: [4, 12], timesteps: 6 });
  const [report] = await trainClassifier({ model, train, test, epochs: 1, batchSize: 32, lr: 1e-2 });
  return { model, accuracy: report?.validation as number };
}

test("conv: the layers are those of 12C5-MP2-64C5-MP2-10", () => {
  const shapes = Object.fromEntries(new ConvNetwork(TUTORIAL).namedParameters().map(([name, t]) => [name, t.shape]));
  expect(shapes).toEqual({
    "features.0.weight": [12, 1, 5, 5],
    "features.0.bias": [12],
    "features.3.weight": [64, 12, 5, 5],
    "features.3.bias": [64],
    "fc.weight": [10, 1024],
    "fc.bias": [10],
  });
});

test("conv: spikes of all time steps are zeros and ones, and their rates are the features of the classes", () => {
  manualSeed(1);
  const model = new ConvNetwork({ filters: [6, 5], timesteps: 8 });
  const { spikes, logits, expected } = noGrad(() => {
    const x = rand([2, 784]).mul(4); // strong enough for untrained weights
    const spikes = model.spikes(x);
    return { spikes, logits: model.forward(x), expected: model.fc.forward(meanOverTime(spikes)) };
  });
  expect(spikes.shape).toEqual([8, 2, 80]);
  expect(new Set(spikes.toFloat32Array())).toEqual(new Set([0, 1]));
  expect(bits(logits)).toEqual(bits(expected));
});

test("conv: one epoch on 2000 digits teaches a small version more than eight digits in ten, with the same bits each time", async () => {
  expect((await trained(0, 2000)).accuracy).toBeGreaterThan(0.8);
  const [first, second] = [await trained(0, 320), await trained(0, 320)];
  expect(second.model.parameters().map(bits)).toEqual(first.model.parameters().map(bits));
  expect(second.accuracy).toBe(first.accuracy);
});

test("conv: the validation set is the end of the training set, which has no part in training", () => {
  const all = part(mnist("train"), 0, 12000);
  const { train, test } = holdOut(all);
  expect([train.length, test.length]).toEqual([7000, 5000]);
  expect(test.x.every((value, i) => value === all.x[7000 * 784 + i])).toBe(true);
  expect((test.y as Uint8Array).every((label, i) => label === all.y[7000 + i])).toBe(true);
  expect(train.x.length).toBe(7000 * 784);
  expect(holdOut(part(all, 0, 100)).test.length).toBe(50);
});

test("npm run demo -- conv: one line an epoch, which names the set that was measured", async () => {
  const flags = ["--epochs=2", "--timesteps=2", "--limit=64", "--batch-size=16", "--measure=validation"];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const epoch = /^epoch=(\d) loss=\d+\.\d{4} validation_acc=[01]\.\d{4} train_s=\d+\.\d$/;
  expect(lines.map((line) => line.match(epoch)?.[1])).toEqual(["1", "2"]);
});
