/** Digits without labels: that a small network learns them, the rule, the votes, the picture, and what is printed. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { Linear, manualSeed, ones, Plastic, TensorDataset, tensor, zeros } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import { mnist } from "../mnist/data.ts";
import type { Samples } from "../training.ts";
import { fieldsSheet } from "./fields.ts";
import { DiehlCookNeuron, DiehlCookRule, DigitNetwork, sumOf } from "./network.ts";
import { learnDigits, measureDigits, type WindowReport } from "./run.ts";
import { Votes } from "./votes.ts";

afterEach(() => vi.restoreAllMocks());

/** The first images of some digits, out of the first 3000 of a part. */
function digits(part: "train" | "t10k", classes: readonly number[], count: number): Samples {
  const { x, y } = mnist(part, 3000);
  const size = 28 * 28;
  const chosen = [...(y as Uint8Array).keys()].filter((i) => classes.includes(y[i] as number)).slice(0, count);
  const images = new Uint8Array(chosen.length * size);
  for (const [i, at] of chosen.entries()) images.set(x.subarray(at * size, (at + 1) * size), i * size);
  const labels = Uint8Array.from(chosen, (i) => y[i] as number);
  return new TensorDataset(images, labels, { shape: [size], scale: 1 / 255 });
}

const FEW = { neurons: 16, timesteps: 150, rateHz: 150, eta: 0.05 };

const all = ({ length }: Samples): number[] => Array.from({ length }, (_, i) => i);

test("diehl-cook: sixteen neurons learn four digits from 600 images without their labels", () => {
  const classes = [0, 1, 4, 7];
  const [train, held] = [digits("train", classes, 600), digits("t10k", classes, 200)];
  const network = new DigitNetwork(FEW);
  const before = measureDigits(network, train, all(held), held);
  const reports: WindowReport[] = [];
  learnDigits(network, train, train.length, { onWindow: (report) => reports.push(report) });
  const { assigned, weighted } = measureDigits(network, train, all(train), held);
  expect(weighted).toBeGreaterThan(0.85);
  expect(assigned).toBeGreaterThan(0.85);
  expect(weighted).toBeGreaterThan(before.weighted + 0.2);
  expect(reports.map(({ done }) => done)).toEqual([150, 300, 450, 600]);
  expect(reports.at(-1)?.accuracy).toBeGreaterThan(0.7);
});

test("diehl-cook: a run has the bits of its seed, whatever else draws random numbers", () => {
  const samples = digits("train", [0, 1], 20);
  const learned = (seed: number) => {
    const network = new DigitNetwork({ ...FEW, neurons: 5, seed });
    learnDigits(network, samples, 20);
    return [network.connection.weight.toFloat32Array(), network.theta.toFloat32Array()];
  };
  const first = learned(0);
  manualSeed(9);
  expect(learned(0)).toEqual(first);
  expect(learned(1)).not.toEqual(first);
});

test("diehl-cook: measuring changes neither weights nor thresholds", () => {
  const samples = digits("train", [0, 1], 20);
  const network = new DigitNetwork({ ...FEW, neurons: 5 });
  learnDigits(network, samples, 20);
  const before = [network.connection.weight, network.theta].map((t) => t.toFloat32Array());
  measureDigits(network, samples, all(samples), samples);
  expect([network.connection.weight, network.theta].map((t) => t.toFloat32Array())).toEqual(before);
  const sums = before[0] as Float32Array;
  for (let j = 0; j < 5; j++) expect(sumOf(sums.subarray(j * 784, (j + 1) * 784))).toBeCloseTo(78.4, 3);
});

test("diehl-cook: a neuron spikes, rests for five steps, inhibits the others, and its threshold has risen", () => {
  const network = new DigitNetwork({ ...FEW, neurons: 2, timesteps: 60, rateHz: 1000 });
  const counts = network.learn(ones([1, 784]));
  // A spike in every sixth step at most.
  expect(Math.max(...counts)).toBeLessThanOrEqual(10);
  expect(counts[0] as number).toBeGreaterThan(0);
  network.theta.toFloat32Array().forEach((theta, j) => {
    expect(theta).toBeCloseTo((20 + 0.05 * (counts[j] as number)) * (1 - 5e-5) ** network.shown, 4);
  });
});

test("diehl-cook: the neuron is one implicit Euler step of the membrane equation", () => {
  const layer = new DiehlCookNeuron({ refractorySteps: 5 });
  let state = layer.initialState([1, 1]);
  let [v, gE, gI] = [-65, 0, 0];
  for (const current of [0.3, 0.8, -5, 0.2, 0]) {
    [, state] = layer.step(tensor([[current]]), state);
    gE = gE * Math.exp(-1) + Math.max(0, current);
    gI = gI * Math.exp(-1 / 2) + Math.max(0, -current);
    // v' − v = (dt/τ)·((rest − v') + gE·(0 − v') + gI·(−100 − v'))
    v = (v + 0.01 * (-65 - 100 * gI)) / (1 + 0.01 * (1 + gE + gI));
    expect(state.v.item()).toBeCloseTo(v, 3);
  }
});

test("diehl-cook: at a spike behind, recent inputs gain towards 1 and the others lose", () => {
  const layer = new Linear(3, 1, { bias: false });
  layer.weight.copyFrom([0.5, 0.5, 0.9]);
  const plastic = new Plastic(layer, new DiehlCookRule({ eta: 0.1, target: 0.2 }), { bounds: [0, 1] });
  let state = plastic.initialState(1);
  state = plastic.step(tensor([[1, 0, 0]]), tensor([[0]]), state);
  expect(layer.weight.toArray()).toEqual([[0.5, 0.5, Math.fround(0.9)]]);
  plastic.step(tensor([[0, 0, 0]]), tensor([[1]]), state);
  const x = Math.exp(-1 / 20);
  const expected = [0.5 + 0.1 * (x - 0.2) * 0.5, 0.5 - 0.1 * 0.2 * 0.5, 0.9 - 0.1 * 0.2 * 0.1];
  layer.weight.toFloat32Array().forEach((w, i) => expect(w).toBeCloseTo(expected[i] as number, 5));
});

test("diehl-cook: votes by the class of a neuron, and by the shares of classes in its responses", () => {
  const votes = new Votes(3);
  votes.add(Float32Array.of(4, 0, 3), 7);
  votes.add(Float32Array.of(2, 0, 1), 7);
  votes.add(Float32Array.of(0, 5, 1), 2);
  // Neurons 0 and 2 belong to class 7, neuron 1 to class 2.
  expect(votes.assigned(Float32Array.of(1, 0, 0))).toBe(7);
  expect(votes.assigned(Float32Array.of(1, 2, 1))).toBe(2);
  // Neuron 2 gives a third of its votes to class 2: 3·⅓ + 1 against 3·⅔.
  expect(votes.weighted(Float32Array.of(0, 0, 3))).toBe(7);
  expect(votes.weighted(Float32Array.of(0, 1.5, 3))).toBe(2);
  expect(votes.assigned(Float32Array.of(0, 1.5, 3.5))).toBe(7);
});

test("diehl-cook: the picture is a PNG with the largest weight of each field in black", () => {
  const weights = zeros([3, 784]);
  weights.data.set([0.5], 0);
  weights.data.set([0.25, 0.5], 784);
  const svg = fieldsSheet(weights, "Fields");
  const png = Buffer.from((svg.match(/base64,([^"]+)/) as RegExpMatchArray)[1] as string, "base64");
  expect([png.readUInt32BE(16), png.readUInt32BE(20), png[24]]).toEqual([57, 57, 4]);
  // Behind the header of 33 bytes: length, name, data.
  const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  expect(rows.length).toBe(57 * (1 + 29));
  expect(crc(png.subarray(37, 41 + png.readUInt32BE(33)))).toBe(png.readUInt32BE(41 + png.readUInt32BE(33)));
  const pixel = (x: number, y: number) => ((rows[y * 30 + 1 + (x >> 1)] as number) >> (x % 2 === 0 ? 4 : 0)) & 15;
  expect([pixel(0, 0), pixel(1, 0), pixel(28, 0), pixel(29, 0), pixel(30, 0)]).toEqual([0, 15, 15, 8, 0]);
  expect(svg).toContain("<title>Fields</title>");
});

/** The check of a chunk, bit by bit from the left on reversed bytes: another way than that of the demo. */
function crc(bytes: Buffer): number {
  const reversed = (x: number, bits: number) => {
    let z = 0;
    for (let i = 0; i < bits; i++) z = z * 2 + (Math.floor(x / 2 ** i) % 2);
    return z;
  };
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest = (rest ^ (reversed(byte, 8) * 2 ** 24)) >>> 0;
    for (let i = 0; i < 8; i++) rest = (rest >= 2 ** 31 ? (rest * 2) ^ 0x04c11db7 : rest * 2) >>> 0;
  }
  return reversed(~rest >>> 0, 32);
}

test("npm run demo -- diehl-cook: a line for each window, the accuracy, and the picture", async () => {
  const svg = join(mkdtempSync(join(tmpdir(), "fields-")), "fields.svg");
  const flags = ["--images=8", "--neurons=4", "--timesteps=20", "--labels=8", "--tested=10", `--svg=${svg}`];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const report = /^images=(\d) running_acc=[01]\.\d{4} spikes_per_image=\d+\.\d ms_per_image=\d+\.\d\d$/;
  expect(lines.slice(0, 4).map((line) => line.match(report)?.[1])).toEqual(["2", "4", "6", "8"]);
  expect(lines[4]).toMatch(/^test_acc=[01]\.\d{4} test_acc_assigned=[01]\.\d{4} train_s=\d+\.\d total_s=\d+\.\d$/);
  expect(lines[5]).toBe(`saved=${svg}`);
  expect(readFileSync(svg, "utf8")).toContain("<svg");
});
