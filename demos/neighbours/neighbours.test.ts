import { createHash } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { smallDigits } from "../mnist/small.ts";
import { Neighbours, SETTINGS } from "./neighbours.ts";
import { pairWindow, RANGE, WEIGHT } from "./window.ts";

afterEach(() => vi.restoreAllMocks());

const [train, test500] = [smallDigits("train"), smallDigits("t10k")];
const FEW = { neurons: 25, timesteps: 80, rateHz: 300 };

const hashOf = ({ network }: Neighbours): string =>
  createHash("sha256").update(new Uint8Array(network.connection.weight.toFloat32Array().buffer)).digest("hex");

function measured(neighbours: Neighbours, count = 100): number {
  const few = { x: test500.x.subarray(0, count * SETTINGS.pixels), y: test500.y.subarray(0, count) };
  const steps = neighbours.measure(few);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** The mean cosine between the fields. */
function likeness({ network }: Neighbours): number {
  const { pixels, neurons } = network.settings;
  const weights = network.connection.weight.toFloat32Array();
  const fields = Array.from({ length: neurons }, (_, j) => weights.subarray(j * pixels, (j + 1) * pixels));
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, w, i) => sum + w * (b[i] as number), 0);
  const pairs = fields.flatMap((a, j) => fields.slice(0, j).map((b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))));
  return pairs.reduce((sum, each) => sum + each, 0) / pairs.length;
}

test("neighbours: fields learn digits without labels, and without inhibition they become one", () => {
  const neighbours = new Neighbours(train, FEW);
  const first = neighbours.next();
  expect(first.said).toBe(-1);
  expect(first.label).toBe(train.y[first.image]);
  while (neighbours.seen < 500) neighbours.next();
  expect(measured(neighbours)).toBeGreaterThan(0.45);
  const apart = likeness(neighbours);
  const { labels, shares } = neighbours.names();
  expect(new Set(labels.filter((label) => label >= 0)).size).toBeGreaterThan(5);
  expect(Math.max(...shares)).toBeLessThanOrEqual(1);
  neighbours.network.inhibit(0);
  while (neighbours.seen < 900) neighbours.next();
  expect(apart).toBeLessThan(0.85);
  expect(likeness(neighbours)).toBeGreaterThan(0.95);
});

test("neighbours: a seed has its bits, whose labels only name the fields, and a raster changes nothing", () => {
  const wrong = { x: train.x, y: train.y.map((label) => 9 - label) };
  const [one, other, third] = [train, wrong, train].map((images) => new Neighbours(images, { ...FEW, seed: 3 }));
  const raster = [1, 2, 3];
  for (let i = 0; i < 15; i++) {
    one?.next();
    other?.next();
    const { counts } = (third as Neighbours).next(raster);
    const told = new Float32Array(FEW.neurons);
    for (let k = 1; k < raster.length; k += 2) (told[raster[k] as number] as number)++;
    expect(told).toEqual(counts);
  }
  expect(hashOf(other as Neighbours)).toBe(hashOf(one as Neighbours));
  expect(hashOf(third as Neighbours)).toBe(hashOf(one as Neighbours));
  expect(hashOf(new Neighbours(train, { ...FEW, seed: 4 }))).not.toBe(
    hashOf(new Neighbours(train, { ...FEW, seed: 3 })),
  );
});

test("neighbours: the largest weight of a field is its largest byte, and measuring changes no weight", () => {
  const neighbours = new Neighbours(train, FEW);
  for (let i = 0; i < 5; i++) neighbours.next();
  const before = hashOf(neighbours);
  const fields = neighbours.fields();
  const { pixels } = SETTINGS;
  for (let j = 0; j < FEW.neurons; j++) expect(Math.max(...fields.subarray(j * pixels, (j + 1) * pixels))).toBe(255);
  const steps = neighbours.measure({ x: test500.x.subarray(0, 45 * pixels), y: test500.y.subarray(0, 45) });
  let count = 0;
  while (steps.next().done !== true) count++;
  expect(count).toBe(3);
  expect(hashOf(neighbours)).toBe(before);
});

test("neighbours: θ rises at a spike and returns to its start", () => {
  const neighbours = new Neighbours(train, FEW);
  const { counts } = neighbours.next();
  const { thetaDecay, thetaPlus, thetaRest } = SETTINGS;
  neighbours.network.theta.toFloat32Array().forEach((theta, j) => {
    const once = thetaPlus * (counts[j] as number) * thetaDecay;
    // A digit that is shown twice adds the spikes of its first time.
    if (neighbours.network.shown === 1) expect(theta).toBeCloseTo(thetaRest + once, 4);
    else expect(theta).toBeGreaterThanOrEqual(thetaRest + once - 1e-4);
  });
});

test("neighbours: the window is the equation of the rule", () => {
  const changes = pairWindow();
  const { eta, target } = SETTINGS;
  expect(changes.length).toBe(2 * RANGE + 1);
  changes.forEach((change, i) => {
    const time = i - RANGE;
    // A pixel that fires in the step of its field fires too late.
    const x = time <= 0 ? 0 : Math.exp(-time / 20);
    expect(change).toBeCloseTo(eta * (x - target) * (1 - WEIGHT), 6);
  });
});

test("npm run demo -- neighbours: six lines on the way, the accuracy and the hash", async () => {
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", "--digits=12"]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const report = /^digits=(\d+) right_as_they_came=[01]\.\d{4} cpu_s=\d+\.\d$/;
  expect(lines.slice(0, 6).map((line) => line.match(report)?.[1])).toEqual(["2", "4", "6", "8", "10", "12"]);
  expect(lines[6]).toMatch(/^test_acc=[01]\.\d{4} cpu_s=\d+\.\d hash=[0-9a-f]{64}$/);
});
