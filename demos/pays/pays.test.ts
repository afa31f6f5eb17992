/** The demo of energies: that its counts are those of spikes and products one by one, that small networks learn, and what it prints. */
import { DataLoader, Linear, noGrad, type ReLU, type Tensor, tensor } from "jarvis-snn";
import { afterEach, expect, test, vi } from "vitest";
import type { DigitNetwork } from "../playground/figures/digit/net.ts";
import { penDigits } from "../playground/figures/digit/pen-digits.ts";
import type { SpikingNetwork } from "../playground/model/network.ts";
import { nanojoules, operationsOf } from "./energy.ts";
import { accuracyOf } from "./measure.ts";
import { type Case, digitCase, type Trained, trainCase } from "./networks.ts";

afterEach(() => vi.restoreAllMocks());

/** Pairs of an input that is not 0 and a weight that is not 0, for inputs [..., N] and weights [O, N]. */
function pairs(inputs: Tensor, weight: Tensor): number {
  const [outputs = 0, features = 0] = weight.sizes;
  const w = weight.toFloat32Array();
  const fanOut = Array.from({ length: features }, (_, i) => {
    let count = 0;
    for (let o = 0; o < outputs; o++) if (w[o * features + i] !== 0) count++;
    return count;
  });
  return inputs.toFloat32Array().reduce((sum, x, i) => (x === 0 ? sum : sum + (fanOut[i % features] as number)), 0);
}

const samplesOf = ({ test: data }: Trained): Tensor => data.batch(Array.from({ length: data.length }, (_, i) => i)).x;
const counted = (network: Trained) => operationsOf(network, new DataLoader(network.test, { batchSize: 64 }));
const trainedIn = ({ networks }: Case, i: number) => (networks[i] as Case["networks"][number]).train(0);

/** Expects the counts of a dense network to be those of its weights, and without zeros those of its activations. */
function expectDense(network: Trained): void {
  const layers = network.model.namedModules().flatMap(([name, layer]) => (name === "" ? [] : [layer as Linear | ReLU]));
  const linears = layers.filter((layer) => layer instanceof Linear);
  let [x, macs] = [samplesOf(network), 0];
  for (const layer of layers) {
    if (layer instanceof Linear) macs += pairs(x, layer.weight);
    const input = x;
    x = noGrad(() => layer.forward(input));
  }
  const { full, counted: skipping } = counted(network);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const biases = sum(linears.map(({ outFeatures }) => outFeatures));
  expect(full).toEqual({ macs: sum(linears.map(({ weight }) => weight.size)), acs: 0, updates: 0, biases });
  expect(skipping.macs).toBeCloseTo(macs / network.test.length, 6);
  expect(skipping.biases).toBe(biases);
}

test("pays: a product with its sum takes 4.6 pJ, a sum 0.9 pJ, a step of a neuron a product and a sum", () => {
  expect(nanojoules({ macs: 1000, acs: 0, updates: 0, biases: 0 })).toBeCloseTo(4.6, 10);
  expect(nanojoules({ macs: 0, acs: 1000, updates: 0, biases: 1000 })).toBeCloseTo(1.8, 10);
  expect(nanojoules({ macs: 0, acs: 0, updates: 1000, biases: 0 })).toBeCloseTo(4.6, 10);
});

test("pays: Train's network reads the moons for 0.8 of a dense pass, by a count of its spikes", async () => {
  const moons = trainCase(40);
  const [spiking, dense] = [await trainedIn(moons, 0), await trainedIn(moons, 1)];
  const model = spiking.model as SpikingNetwork;
  const input = noGrad(() => spiking.encode(samplesOf(spiking)));
  const { layers } = noGrad(() => model.trace(input));
  const inputs = [input, ...layers.map(({ spikes }) => spikes)];
  const weights = [...model.linears, model.head].map(({ weight }) => weight);
  const acs = weights.reduce((sum, weight, i) => sum + pairs(inputs[i] as Tensor, weight), 0);
  const updates = spiking.timesteps * weights.reduce((sum, { sizes }) => sum + (sizes[0] as number), 0);
  const { counted: own } = counted(spiking);
  expect(own).toEqual({ macs: 0, acs: expect.closeTo(acs / spiking.test.length, 6), updates, biases: 0 });
  expectDense(dense);
  expect(nanojoules(own)).toBeLessThan(0.8 * nanojoules(counted(dense).full));
  expect(accuracyOf(spiking)).toBeGreaterThan(0.97);
  expect(accuracyOf(dense)).toBeGreaterThan(0.97);
});

test("pays: a network of digits that has learned little has half the energy of a dense pass, by a count of its spikes", async () => {
  const digits = digitCase(penDigits("train", 2000), penDigits("t10k", 300), 3);
  const [spiking, dense] = [await trainedIn(digits, 0), await trainedIn(digits, 1)];
  const model = spiking.model as DigitNetwork;
  const { pixels, spikes } = noGrad(() => model.unroll(samplesOf(spiking)));
  // A pixel fires at most once.
  const perPixel = noGrad(() => pixels.sum({ axis: 0 }).toFloat32Array());
  expect(Math.max(...perPixel)).toBe(1);
  const acs = pairs(pixels, onGrid(model.hidden)) + pairs(spikes, onGrid(model.head));
  const { counted: own } = counted(spiking);
  expect(own).toEqual({ macs: 0, acs: expect.closeTo(acs / spiking.test.length, 6), updates: 16 * 106, biases: 0 });
  expect(nanojoules(own)).toBeLessThan(0.5 * nanojoules(counted(dense).full));
  expect(accuracyOf(spiking)).toBeGreaterThan(0.75);
  expect(accuracyOf(dense)).toBeGreaterThan(0.75);
});

/** Weights as a layer computes with them, a byte each: the outputs for unit inputs. */
function onGrid(layer: Linear): Tensor {
  const n = layer.inFeatures;
  const units = tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    { shape: [n, n] },
  );
  return noGrad(() => layer.forward(units).transpose(0, 1));
}

test("npm run demo -- pays: a line for each network, and a sentence for each case", async () => {
  const flags = ["--epochs=1", "--limit=256", "--tested=40", "--passes=1", "--seeds=1"];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const line =
    /^case=(moons|digits) network="([^"]+)" parameters=\d+ test_acc=[01]\.\d{4} of_seeds="[01]\.\d{4}" macs=\d+ acs=\d+ updates=\d+ biases=\d+ nJ=[\d.]+ (nJ_without_zeros=[\d.]+ )?cpu_us=[\d.]+$/;
  expect(lines.slice(0, -1).map((each) => each.match(line)?.slice(1, 3))).toEqual([
    ["moons", "16-24-16-2 LIF, T 8"],
    ["moons", "16-22-16-2 ReLU"],
    ["moons", "16-2-2 ReLU"],
    ["digits", "196-96-10 LIF, T 16"],
    ["digits", "196-32-10 ReLU"],
    ["digits", "196-48-10 ReLU"],
  ]);
  expect(lines.at(-1)).toMatch(
    /^moons: [\d.]+ of the energy of a dense pass, .*\ndigits: [\d.]+ of the energy of a dense pass, .*$/,
  );
});
