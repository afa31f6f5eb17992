/**
 * Tests of the demo of saccades: its camera and recordings, files of N-MNIST, the learning of a small version, and the program's output.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed } from "jarvis-snn";
import type { EventRecording } from "jarvis-snn/events";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { mnist } from "../mnist/data.ts";
import type { Recordings } from "../recordings.ts";
import { trainClassifier } from "../training.ts";
import { DURATION, framesOf, POSES, record, SIDE } from "./camera.ts";
import { nmnist, simulated } from "./data.ts";
import { SaccadesNetwork, USUAL } from "./network.ts";

const root = mkdtempSync(join(tmpdir(), "saccades-"));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const digits = mnist("train", 20);
const digit = (i: number): Uint8Array => digits.x.subarray(784 * i, 784 * (i + 1)) as Uint8Array;

describe("camera", () => {
  test("saccades: three saccades of 100 ms go around an isosceles triangle, at equal distances from frame to frame", () => {
    const corners = POSES.filter(({ t }) => t % 100_000 === 0);
    expect(corners.map(({ t }) => t)).toEqual([0, 100_000, 200_000, DURATION]);
    const [a, b, c, d] = corners.map(({ x, y }) => ({ x, y })) as [Point, Point, Point, Point];
    expect(d).toEqual(a);
    expect(distance(a, b)).toBe(distance(b, c));
    expect(distance(c, d)).not.toBe(distance(a, b));
    for (const [i, pose] of POSES.entries()) {
      const before = POSES[i - 1];
      if (before === undefined) continue;
      expect(Number.isInteger(pose.t) && pose.t > before.t).toBe(true);
      const whole = i <= 16 ? distance(a, b) : i <= 32 ? distance(b, c) : distance(c, d);
      expect(distance(pose, before)).toBeCloseTo(whole / 16, 12);
    }
  });

  test("saccades: the speed rises evenly to the middle of a saccade and falls as evenly behind it", () => {
    for (const [i, { t }] of POSES.entries()) {
      const s = (i % 16) / 16;
      const u = (t % 100_000) / 100_000;
      // Times are rounded down to a microsecond, 10⁻⁵ of a saccade, and s changes at most twice as fast as time.
      expect(Math.abs((u < 0.5 ? 2 * u ** 2 : 1 - 2 * (1 - u) ** 2) - s)).toBeLessThan(2.1e-5);
    }
  });

  test("saccades: frames show the digit moved by parts of a pixel, with bilinear interpolation", () => {
    const frames = framesOf(digit(0));
    let worst = 0;
    const pixel = (x: number, y: number) =>
      x < 0 || y < 0 || x >= 28 || y >= 28 ? 0 : (digit(0)[28 * y + x] as number) / 255;
    for (const [f, pose] of POSES.entries()) {
      for (let i = 0; i < SIDE * SIDE; i++) {
        const [x, y] = [(i % SIDE) - pose.x, Math.floor(i / SIDE) - pose.y];
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const [u, v] = [x - left, y - top];
        const expected =
          (1 - v) * ((1 - u) * pixel(left, top) + u * pixel(left + 1, top)) +
          v * ((1 - u) * pixel(left, top + 1) + u * pixel(left + 1, top + 1));
        worst = Math.max(worst, Math.abs((frames[f * SIDE * SIDE + i] as number) - expected));
      }
    }
    // Sums of at most four float32, none above 1.
    expect(worst).toBeLessThan(2.4e-7);
  });

  test("saccades: in front of a bright square that moves down and right pixels turn on, behind the square off", () => {
    const square = new Uint8Array(784);
    for (let y = 10; y < 18; y++) square.fill(255, 28 * y + 10, 28 * y + 18);
    const { t, x, y, p } = record(square);
    const centre = (polarity: number) => {
      const of = Array.from(t.keys()).filter((i) => (t[i] as number) < 100_000 && p[i] === polarity);
      return { x: mean(of.map((i) => x[i] as number)), y: mean(of.map((i) => y[i] as number)) };
    };
    const [off, on] = [centre(0), centre(1)];
    expect(on.x).toBeGreaterThan(off.x + 1);
    expect(on.y).toBeGreaterThan(off.y + 1);
  });

  test("saccades: a recording has 800 to 2000 events in the mean, none of them outside of its 300 ms", () => {
    const recordings = Array.from({ length: 20 }, (_, i) => record(digit(i)));
    const events = mean(recordings.map(({ t }) => t.length));
    expect(events).toBeGreaterThan(800);
    expect(events).toBeLessThan(2000);
    for (const { t } of recordings) expect(t.every((time) => time >= 0 && time < DURATION)).toBe(true);
  });

  test("saccades: recordings have the same bits on every engine", () => {
    const events = [record(digit(0)), record(digit(1))];
    expect(events.map(({ t }) => t.length)).toEqual([1490, 1563]);
    const words = events.flatMap(({ t, x, y, p }) =>
      Array.from(t, (time, i) => time * 2 ** 13 + ((y[i] as number) << 7) + ((x[i] as number) << 1) + (p[i] as number)),
    );
    expect(words.reduce((hash, word) => (Math.imul(hash, 31) + word) | 0, 0)).toBe(-1146277277);
  });
});

interface Point {
  readonly x: number;
  readonly y: number;
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("data", () => {
  const contents = (set: Recordings) => set.labels.map((label, i) => [label, set.get(i)]);

  test("saccades: every digit has its recording, and a second run reads the recordings from the files", async () => {
    const folder = join(root, "twice");
    const { x, y } = mnist("t10k", 3);
    const digits = [0, 1, 2].map((i) => [y[i], record(x.subarray(784 * i, 784 * (i + 1)) as Uint8Array)]);
    expect(contents(await simulated("test", folder, 3))).toEqual(digits);
    expect(readdirSync(folder)).toEqual(["saccades-test-0-3.safetensors"]);
    const written = statSync(join(folder, "saccades-test-0-3.safetensors")).mtimeMs;
    expect(contents(await simulated("test", folder, 3))).toEqual(digits);
    expect(statSync(join(folder, "saccades-test-0-3.safetensors")).mtimeMs).toBe(written);
  });

  test("saccades: files of N-MNIST, records of five bytes, give the recordings that were written into them", async () => {
    const folder = join(root, "n-mnist");
    const recordings = Array.from({ length: 12 }, (_, i) => record(digit(i)));
    putNmnist(folder, "Train", recordings);
    for (const name of ["Thumbs.db", "._00001.bin", "copy.bin"])
      writeFileSync(join(folder, "Train", "5", name), "no recording");
    const expected = recordings.map((events, i) => [digits.y[i], events]);
    const cache = join(root, "n-mnist-cache");
    expect(contents(await nmnist("train", folder, cache))).toEqual(expected);
    expect(contents(await nmnist("train", folder, cache, 5))).toEqual(expected.slice(0, 5));
  });

  test("saccades: files of N-MNIST are read once, and again where one was written", async () => {
    const [folder, cache] = [join(root, "n-mnist-once"), join(root, "n-mnist-once-cache")];
    const recordings = Array.from({ length: 3 }, (_, i) => record(digit(i)));
    putNmnist(folder, "Train", recordings);
    const read = async () => contents(await nmnist("train", folder, cache));
    const path = join(folder, "Train", String(digits.y[0]), "00001.bin");
    const { size } = statSync(path);
    utimesSync(path, 1000, 1000);
    const [first] = await read();
    writeFileSync(path, new Uint8Array(size));
    utimesSync(path, 1000, 1000);
    expect((await read())[0]).toEqual(first);
    writeFileSync(path, fileOf(recordings[1] as EventRecording));
    expect((await read())[0]).toEqual([digits.y[0], recordings[1]]);
  });

  test("saccades: a folder without recordings, and a damaged recording, are errors with the path", async () => {
    const folder = join(root, "damaged");
    await expect(nmnist("test", folder, join(root, "damaged-cache"))).rejects.toThrow(
      `--data: expected recordings such as ${join(folder, "Test", "0", "00002.bin")}, got none`,
    );
    const path = join(folder, "Test", "7", "00001.bin");
    mkdirSync(join(folder, "Test", "7"), { recursive: true });
    writeFileSync(path, Uint8Array.of(3, 4, 0x80, 0, 9, 40));
    await expect(nmnist("test", folder, join(root, "damaged-cache"))).rejects.toThrow(
      `${path}: readEvents: expected an event of 5 bytes`,
    );
    writeFileSync(path, Uint8Array.of(3, 34, 0x80, 0, 9));
    await expect(nmnist("test", folder, join(root, "damaged-cache"))).rejects.toThrow(
      `${path}: readEvents: expected a pixel of a sensor of 34 × 34`,
    );
    writeFileSync(path, "");
    await expect(nmnist("test", folder, join(root, "damaged-cache"))).rejects.toThrow(
      `${path}: expected events, got an empty file`,
    );
  });
});

/** Writes recordings of digits into the files of a part of N-MNIST, the first of which has the number 1. */
function putNmnist(folder: string, part: "Train" | "Test", recordings: readonly EventRecording[]): void {
  for (const [i, recording] of recordings.entries()) {
    const to = join(folder, part, String(digits.y[i]));
    mkdirSync(to, { recursive: true });
    writeFileSync(join(to, `${String(i + 1).padStart(5, "0")}.bin`), fileOf(recording));
  }
}

/** A file of N-MNIST: records of [x: 8 bits] [y: 8] [p: 1, t: 23], highest byte first. */
function fileOf({ t, x, y, p }: EventRecording): Uint8Array {
  const bytes = new Uint8Array(5 * t.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < t.length; i++) {
    view.setUint8(5 * i, x[i] as number);
    view.setUint8(5 * i + 1, y[i] as number);
    view.setUint8(5 * i + 2, ((p[i] as number) << 7) | ((t[i] as number) >> 16));
    view.setUint16(5 * i + 3, (t[i] as number) & 0xffff);
  }
  return bytes;
}

describe("network", () => {
  test("saccades: the layers are those of 12C5-MP2-32C5-MP2-10", () => {
    const shapes = new SaccadesNetwork(USUAL).namedParameters().map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toMatchObject({
      "features.0.weight": [12, 2, 5, 5],
      "features.4.weight": [32, 12, 5, 5],
      "fc.weight": [10, 800],
    });
  });

  /** Trains a small network on the first recordings, and measures it on later recordings. */
  const small = async (seed: number, train: number, test: number) => {
    const all = await simulated("train", join(root, "small"), 700);
    const spikes = (from: number, to: number) =>
      all.spikes({ bins: 5, binUs: 60_000, indices: Array.from({ length: to - from }, (_, i) => from + i) });
    manualSeed(seed);
    const model = new SaccadesNetwork({ filters: [4, 12], binMs: 60 });
    const data = { train: spikes(0, train), test: spikes(train, train + test) };
    return { model, ...data, epochs: 3, batchSize: 10, lr: 1e-2 };
  };

  test("saccades: three epochs on 500 recordings teach a small version more than eight digits in ten", async () => {
    const history = await trainClassifier(await small(0, 500, 200));
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(history[2]?.validation).toBeGreaterThan(0.8);
  });
});

test.each([
  ["simulated", "validation", "train=6 validation=6"],
  ["n-mnist", "validation", "train=6 validation=6"],
  ["n-mnist", "test", "train=12 test=4"],
])("npm run demo -- saccades: recordings, epochs and seconds, %s, measured on %s", async (source, measure, sizes) => {
  const folder = join(root, `${source}-${measure}`);
  if (source === "n-mnist") {
    const recordings = Array.from({ length: 12 }, (_, i) => record(digit(i)));
    putNmnist(folder, "Train", recordings);
    putNmnist(folder, "Test", recordings.slice(0, 4));
  }
  const data = source === "n-mnist" ? [`--data=${folder}`] : [];
  const flags = [
    ...data,
    `--cache=${folder}`,
    "--limit=12",
    "--epochs=2",
    "--bin=150",
    "--batch-size=3",
    `--measure=${measure}`,
  ];
  const lines = await runDemo("saccades", ...flags);
  const epoch = (n: number) => `epoch=${n} loss=\\d+\\.\\d{4} ${measure}_acc=[01]\\.\\d{4} train_s=\\d+\\.\\d`;
  const whole = `^${sizes} events_per_recording=(\\d+) spikes_per_recording=(\\d+) bins=2\n${epoch(1)}\n${epoch(2)}\ncpu_s=\\d+$`;
  expect(lines.join("\n")).toMatch(new RegExp(whole));
  const [events, spikes] = Array.from((lines[0] as string).matchAll(/recording=(\d+)/g), ([, n]) => Number(n));
  // Events of a pixel and polarity within a bin are a single spike.
  expect(spikes).toBeGreaterThan(400);
  expect(spikes).toBeLessThan(events as number);
});
