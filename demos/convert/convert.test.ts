/** The demo of a conversion: a small version that learns and keeps its accuracy, what a run counts, and what the program prints. */
import { accuracy, evaluate, manualSeed, noGrad, record, type Sequential, type Tensor } from "jarvis-snn";
import { toSpiking } from "jarvis-snn/quantize";
import { afterEach, expect, test, vi } from "vitest";
import { bits } from "../../test/support/tensors.ts";
import { mnist } from "../mnist/data.ts";
import { part, type Samples, trainClassifier } from "../training.ts";
import { images, reluNetwork, runOverTime } from "./network.ts";

afterEach(() => vi.restoreAllMocks());

const digits = images(mnist("train"));
const test500 = part(digits, 55000, 55500);

/** A small network after one epoch on some digits. */
async function trained(count: number): Promise<{ model: Sequential; data: Samples }> {
  manualSeed(0);
  const train = part(digits, 0, count);
  const model = reluNetwork([4, 8]);
  await trainClassifier({ model, train, test: test500, epochs: 1, batchSize: 32, lr: 1e-2 });
  return { model, data: part(train, 0, 200) };
}

test("convert: a small network learns without spikes, and 16 steps of spikes lose at most one point in a hundred", async () => {
  const { model, data } = await trained(2000);
  const without = evaluate(model, test500, accuracy);
  expect(without).toBeGreaterThan(0.85);
  const spiking = toSpiking(model, { data, timesteps: 16 });
  const reached = runOverTime(spiking, test500);
  expect(reached.accuracy).toHaveLength(16);
  expect(reached.accuracy[15]).toBeGreaterThan(without - 0.01);
  expect(reached.accuracy[0]).toBeLessThan(without);
});

test("convert: a run counts the spikes and the right answers of each step", () => {
  manualSeed(1);
  const model = reluNetwork([3, 4]);
  const few = part(digits, 0, 130);
  const spiking = toSpiking(model, { data: part(digits, 0, 20), timesteps: 5 });
  const reached = runOverTime(spiking, few);
  const { x, y } = noGrad(() => few.batch(Array.from({ length: 130 }, (_, i) => i)));
  const { output, layers } = record(spiking, x);
  for (let t = 1; t <= 5; t++) {
    const count = (spikes: Tensor | null) => noGrad(() => spikes?.slice(0, 0, t).sum().item() ?? 0);
    const spikes = Object.values(layers).reduce((sum, layer) => sum + count(layer.spikes), 0);
    expect(spikes).toBeGreaterThan(0);
    expect(reached.spikes[t - 1]).toBeCloseTo(spikes / 130, 6);
    expect(reached.accuracy[t - 1]).toBeCloseTo(accuracy(output.select(0, t - 1), y as Int32Array), 6);
  }
});

test("convert: training and conversion give the same bits each time", async () => {
  const convert = async () => {
    const { model, data } = await trained(320);
    return toSpiking(model, { data, timesteps: 16 }).parameters().map(bits);
  };
  expect(await convert()).toEqual(await convert());
});

test("convert: the program prints the accuracy without spikes, and a line for each number of steps", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const argv = process.argv;
  process.argv = ["node", "main", "--limit=400", "--epochs=1", "--timesteps=6", "--samples=50", "--measure=validation"];
  try {
    await import("./main.ts");
  } finally {
    process.argv = argv;
  }
  expect(lines[0]).toMatch(/^epoch=1 loss=\d\.\d{4} validation_acc=0\.\d{4} train_s=\d+\.\d$/);
  expect(lines[1]).toMatch(/^without_spikes_acc=0\.\d{4} converted_s=\d+\.\d\d$/);
  expect(lines.slice(2).map((line) => line.split(" ")[0])).toEqual([1, 2, 3, 4, 6].map((t) => `timesteps=${t}`));
  for (const line of lines.slice(2)) {
    expect(line).toMatch(/^timesteps=\d validation_acc=0\.\d{4} lost_points=-?\d+\.\d\d spikes_per_image=\d+$/);
  }
});
