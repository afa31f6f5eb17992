/** Tests of the gesture demo: hands whose movement tells the gesture, slices, the learning of a small version, and the program's output. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad } from "jarvis-snn";
import { type EventRecording, toFrames, toSpikes } from "jarvis-snn/events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { ascii, concat, type Event, HEADER_31, packet31 } from "../../test/support/events.ts";
import { bits } from "../../test/support/tensors.ts";
import { Recordings } from "../recordings.ts";
import { trainClassifier } from "../training.ts";
import { firstOfSlices, type Slicing, samplesOf, type View } from "./data.ts";
import { DURATION_MS, GESTURES, type HandSet, handAt, MOST, SIDE } from "./hands.ts";
import { GestureNetwork } from "./network.ts";
import { pictureOf } from "./picture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gesture-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const SLICING: Slicing = { binUs: 80_000, bins: 10 };

type Place = readonly [x: number, y: number];

/** The mean place of the events of each slice, of both polarities. */
function middles({ t, x, y }: EventRecording, { binUs, bins }: Slicing): Place[] {
  const sums = Array.from({ length: bins }, () => [0, 0, 0] as [number, number, number]);
  for (const [i, time] of t.entries()) {
    const sum = sums[Math.floor(time / binUs)];
    if (sum === undefined) continue;
    sum[0] += x[i] as number;
    sum[1] += y[i] as number;
    sum[2]++;
  }
  return sums.map(([sx, sy, n]) => [sx / n, sy / n] as const);
}

describe("hands", () => {
  test("a recording depends on its number, its set and the seed alone", () => {
    const keyOf = (i: number, set: HandSet, seed: number) => JSON.stringify(handAt(i, set, seed));
    const key = keyOf(1, "train", 0);
    manualSeed(9);
    expect(keyOf(1, "train", 0)).toBe(key);
    const others = [keyOf(7, "train", 0), keyOf(1, "validation", 0), keyOf(1, "test", 0), keyOf(1, "train", 1)];
    expect(new Set([key, ...others]).size).toBe(5);
  });

  test("recordings have the bits that they have on every engine", () => {
    const events = [0, 3].map((i) => handAt(i, "train", 0).events);
    expect(events.map(({ t }) => t.length)).toEqual([5129, 3223]);
    const words = events.flatMap(({ t, x, y, p }) =>
      Array.from(t, (time, i) => time * 2 ** 11 + ((y[i] as number) << 6) + ((x[i] as number) << 1) + (p[i] as number)),
    );
    expect(words.reduce((hash, word) => (Math.imul(hash, 31) + word) | 0, 0)).toBe(-1247777297);
  });

  test("a recording of the next set is none of this one", () => {
    expect(() => handAt(MOST, "train", 0)).toThrow("expected a recording below 1048576, got 1048576");
    expect(handAt(MOST - 1, "train", 0).events.t.length).toBeGreaterThan(500);
  });

  test("gestures take turns, and all events lie on the sensor and in the time of a recording", () => {
    for (let i = 0; i < 24; i++) {
      const { events, label } = handAt(i, "train", 3);
      expect(label).toBe(i % GESTURES.length);
      expect([events.width, events.height]).toEqual([SIDE, SIDE]);
      expect(events.t.length).toBeGreaterThan(500);
      expect(events.t.every((t) => t >= 0 && t <= 1000 * DURATION_MS)).toBe(true);
      expect(events.x.every((x) => x < SIDE) && events.y.every((y) => y < SIDE)).toBe(true);
    }
  });

  test("circles turn as their names say, and waves are fastest in their direction", () => {
    const slicing = { binUs: 40_000, bins: 20 };
    for (let i = 0; i < 10 * GESTURES.length; i++) {
      const { events, label } = handAt(i, "train", 4);
      const places = middles(events, slicing);
      const steps = places.slice(1).map(([x, y], k) => {
        const [px, py] = places[k] as Place;
        return [x - px, y - py] as const;
      });
      // Areas between neighbouring steps; y points down, so those of clockwise turns are positive.
      const turn = steps.slice(1).reduce((sum, [dx, dy], k) => {
        const [ex, ey] = steps[k] as Place;
        return sum + ex * dy - ey * dx;
      }, 0);
      const cubes = (axis: 0 | 1) => steps.reduce((sum, step) => sum + step[axis] ** 3, 0);
      const found = [turn > 0, turn < 0, cubes(0) < 0, cubes(0) > 0, cubes(1) < 0, cubes(1) > 0];
      expect([i, found[label]]).toEqual([i, true]);
    }
  });
});

/** Hands of these gestures. */
function handsOf(labels: readonly number[], set: HandSet, count: number): Recordings {
  const recordings = new Recordings(SIDE, SIDE);
  for (let i = 0; recordings.length < count; i++) {
    const at = GESTURES.length * Math.floor(i / labels.length) + (labels[i % labels.length] as number);
    const { events } = handAt(at, set, 5);
    recordings.add({ events: firstOfSlices(events, SLICING), label: i % labels.length }, 0);
  }
  return recordings;
}

describe("slices", () => {
  const recordings = handsOf([0, 3], "train", 4);
  const batch = (view: View) => samplesOf(recordings, SLICING, view).batch([2, 1]);
  const valuesOf = (view: View) => noGrad(() => batch(view).x.toFloat32Array());
  const SIZE = 2 * SIDE * SIDE;

  test("the first events of slices give the same spikes as all events", () => {
    const { events } = handAt(5, "train", 0);
    const few = firstOfSlices(events, { ...SLICING, bins: 6 });
    const options = { timeWindow: SLICING.binUs, startTime: 0, endTime: 6 * SLICING.binUs };
    expect(bits(toSpikes(few, options))).toEqual(bits(toSpikes(events, options)));
    expect(few.t.length).toBe(toSpikes(few, options).sum().item());
    expect(few.t.length).toBeLessThan(0.8 * events.t.length);
  });

  test("ordered slices keep the order of time; shuffled slices are the same slices in an order of each sample's own", () => {
    expect(batch("ordered").x.shape).toEqual([10, 2, 2, SIDE, SIDE]);
    expect([...batch("shuffled").y]).toEqual([0, 1]);
    const [ordered, shuffled] = [valuesOf("ordered"), valuesOf("shuffled")];
    const slicesOf = (values: Float32Array, b: number) =>
      Array.from({ length: 10 }, (_, t) => values.subarray((2 * t + b) * SIZE, (2 * t + b + 1) * SIZE).join(""));
    const orders = [0, 1].map((b) => slicesOf(shuffled, b).map((slice) => slicesOf(ordered, b).indexOf(slice)));
    for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(orders[0]).not.toEqual([...Array(10).keys()]);
    expect(orders[0]).not.toEqual(orders[1]);
  });

  test("every step of summed slices is their mean", () => {
    const values = valuesOf("summed");
    const expected = [2, 1].flatMap((i) => {
      const frame = toFrames(recordings.get(i), { timeWindow: 800_000, startTime: 0, endTime: 800_000 });
      return Array.from(frame.toFloat32Array(), (n) => Math.fround(n / 10));
    });
    for (const t of [0, 9]) expect(Array.from(values.subarray(t * 2 * SIZE, (t + 1) * 2 * SIZE))).toEqual(expected);
  });
});

describe("network", () => {
  test("channels between the convolutions arrive 0, 40 and 80 ms later, in steps of any length", () => {
    const delays = (stepMs: number, isDelayed = true) => {
      const model = new GestureNetwork({ filters: [3, 4], hidden: 5, classes: 6, side: 32, stepMs, isDelayed });
      return [...(model.stateDict()["features.3.delays"]?.data ?? [])];
    };
    expect(delays(20, false)).toEqual([0, 0, 0]);
    expect([20, 40, 80].map((stepMs) => delays(stepMs))).toEqual([
      [0, 2, 4],
      [0, 1, 2],
      [0, 1, 1],
    ]);
  });
});

/** A small network that has learned clockwise and counter-clockwise circles of these hands, and its accuracy on other hands. */
async function trained(view: View, train: Recordings, others: Recordings) {
  manualSeed(0);
  const model = new GestureNetwork({ filters: [6, 12], hidden: 48, classes: 2, side: SIDE, stepMs: 80 });
  const data = { train: samplesOf(train, SLICING, view), test: samplesOf(others, SLICING, view) };
  const history = await trainClassifier({ model, ...data, epochs: 3, batchSize: 16, lr: 1e-2 });
  return { accuracy: history.at(-1)?.validation as number, weights: model.parameters().map(bits) };
}

test("gesture: a small version learns from movement alone, with the same bits each time; sums and shuffled slices tell nothing", async () => {
  const train = handsOf([0, 1], "train", 160);
  const others = handsOf([0, 1], "validation", 100);
  expect((await trained("ordered", train, others)).accuracy).toBeGreaterThan(0.9);
  const few = handsOf([0, 1], "train", 32);
  expect(await trained("ordered", few, few)).toEqual(await trained("ordered", few, few));
  // Guesses are right 50 times in 100, with a standard deviation of 5.
  for (const view of ["summed", "shuffled"] as const) {
    expect((await trained(view, train, others)).accuracy).toBeLessThan(0.68);
  }
});

test("gesture: a run with shuffled slices that goes on from its checkpoint gives the bits of one that was not stopped", async () => {
  const hands = handsOf([0, 1], "train", 16);
  const run = async (checkpoint: string, stopBehind = 0) => {
    manualSeed(0);
    const model = new GestureNetwork({ filters: [3, 4], hidden: 5, classes: 2, side: SIDE, stepMs: 80 });
    const data = samplesOf(hands, SLICING, "shuffled");
    const training = { model, train: data, test: data, epochs: 3, batchSize: 8, lr: 1e-2, checkpoint };
    const history = await trainClassifier(training, {
      onEpoch({ epoch }) {
        if (epoch === stopBehind) throw new Error("stopped");
      },
    });
    return { last: history.at(-1)?.loss, weights: model.parameters().map(bits) };
  };
  const path = join(folder, "run.safetensors");
  await expect(run(path, 1)).rejects.toThrow("stopped");
  expect(await run(path)).toEqual(await run(""));
});

describe("picture", () => {
  test("a row for each recording: frames of slices, then both coordinates over time", () => {
    const events = {
      t: Float64Array.of(0, 500, 2100, 3999, 4000),
      x: Uint16Array.of(1, 2, 3, 0, 0),
      y: Uint16Array.of(0, 0, 1, 1, 1),
      p: Uint8Array.of(1, 1, 0, 1, 1),
      width: 4,
      height: 2,
    };
    const svg = pictureOf([{ name: "a wave", events }], { binUs: 1000, bins: 4 });
    expect(svg).toContain(">a wave, slices of 1 ms</text>");
    const paths = [...svg.matchAll(/<path d="([^"]*)" stroke="([^"]*)"/g)].map(([, d, colour]) => [colour, d]);
    const [off, on] = ["#2563eb", "#ea580c"];
    expect(paths).toEqual([
      [on, "M1 0.5h2"], // the first slice
      [off, "M3 1.5h1"], // the third
      [on, "M0 1.5h1"], // the fourth
      [off, "M84 3.5h1"], // x over time, in 160 columns
      [on, "M159 0.5h1M0 1.5h1M20 2.5h1"],
      [off, "M84 1.5h1"], // y over time
      [on, "M0 0.5h1M20 0.5h1M159 1.5h1"],
    ]);
  });
});

describe("npm run demo -- gesture", () => {
  const epoch = /^epoch=(\d) loss=\d+\.\d{4} (?:test|validation)_acc=[01]\.\d{4} train_s=\d+\.\d$/;
  const last = /^cpu_s=\d+$/;

  test("one line an epoch, and one for the time", async () => {
    const path = join(folder, "sheet.svg");
    const small = ["--samples=6", "--tests=6", "--batch-size=6", "--bin=100", "--epochs=2", `--cache=${folder}`];
    const lines = await runDemo("gesture", ...small, "--measure=validation", `--svg=${path}`);
    expect(lines.slice(0, 2).map((line) => line.match(epoch)?.[1])).toEqual(["1", "2"]);
    expect(lines[2]).toMatch(last);
    expect(lines[3]).toBe(`saved=${path}`);
    const svg = readFileSync(path, "utf8");
    for (const name of GESTURES) expect(svg).toContain(`>${name}, slices of 100 ms</text>`);
  });

  test("--data takes the folder of DVS128 Gesture, and --measure=validation holds out a user", async () => {
    const names = ["user01_led", "user02_led", "user24_led"];
    for (const name of names) {
      const events = Array.from({ length: 400 }, (_, i): Event => [1000 * i, (7 * i) % 128, i % 128, (i % 2) as 0 | 1]);
      writeFileSync(join(folder, `${name}.aedat`), concat(ascii(HEADER_31), packet31(events)));
      const labels = Array.from({ length: 4 }, (_, i) => `${1 + 3 * i},${100_000 * i},${100_000 * (i + 1)}`);
      writeFileSync(join(folder, `${name}_labels.csv`), `class,startTime_usec,endTime_usec\n${labels.join("\n")}\n`);
    }
    writeFileSync(join(folder, "trials_to_train.txt"), `${names[0]}.aedat\n${names[1]}.aedat\n`);
    writeFileSync(join(folder, "trials_to_test.txt"), `${names[2]}.aedat\n`);
    const files = [`--data=${folder}`, `--cache=${join(folder, "cache")}`];
    const small = [...files, "--duration=100", "--bin=20", "--epochs=1", "--batch-size=2", "--delays=off"];
    const lines = await runDemo("gesture", ...small);
    expect(lines.slice(0, 2)).toEqual(["train: gestures=8 dropped=0", "test: gestures=4 dropped=0"]);
    expect(lines[2]).toMatch(epoch);
    expect(lines[3]).toMatch(last);
    const held = await runDemo("gesture", ...small, "--measure=validation");
    expect(held.slice(0, 2)).toEqual(["rest: gestures=4 dropped=0", "validation: gestures=4 dropped=0"]);
    expect(held[2]).toMatch(epoch);
    const again = await runDemo("gesture", ...small);
    expect(again.slice(0, 2)).toEqual(["train: gestures=8", "test: gestures=4"]);
    // Losses and accuracies, without the time.
    expect(again[2]?.split(" train_s")[0]).toBe(lines[2]?.split(" train_s")[0]);
  });

  test("a checkpoint of other flags is refused; the default of a flag may be spelled out", async () => {
    const path = join(folder, "run.safetensors");
    const small = ["--samples=6", "--tests=6", "--batch-size=6", "--epochs=1", `--cache=${folder}`];
    await runDemo("gesture", ...small, "--bin=100", "--duration=800", `--checkpoint=${path}`);
    await expect(runDemo("gesture", ...small, "--bin=200", `--checkpoint=${path}`)).rejects.toThrow(
      "--bin: expected 100, as in",
    );
    await expect(runDemo("gesture", ...small, "--bin=100", `--checkpoint=${path}`)).rejects.toThrow("the run is done");
  });
});
