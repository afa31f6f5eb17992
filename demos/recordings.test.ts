/** Labelled recordings: what is kept comes back, batches are spikes, files are whole or absent; and runs that go on from a checkpoint. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Flatten,
  Generator,
  LIF,
  Linear,
  Module,
  manualSeed,
  meanOverTime,
  noGrad,
  rand,
  saveSafetensors,
  type Tensor,
} from "jarvis-snn";
import { type EventRecording, toSpikes } from "jarvis-snn/events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bits } from "../test/support/tensors.ts";
import { cachedRecordings, type Labelled, Recordings } from "./recordings.ts";
import { begin } from "./report.ts";
import { settingsOf, trainClassifier } from "./training.ts";

const SENSOR = { width: 5, height: 3 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "recordings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A recording of 20 events within 4000 µs; those of class 1 are on the right of those of class 0. */
function recording(i: number): Labelled {
  const label = i % 2;
  const numbers = noGrad(() => rand([4, 20], { generator: new Generator(i) }).toFloat32Array());
  const below = (n: number, row: number) => numbers.subarray(20 * row, 20 * row + 20).map((u) => Math.floor(n * u));
  const t = Float64Array.from(below(4000, 0)).sort();
  const x = Uint16Array.from(below(2, 1), (column) => column + 3 * label);
  const y = Uint16Array.from(below(3, 2));
  const p = Uint8Array.from(below(2, 3));
  return { events: { t, x, y, p, ...SENSOR }, label };
}

function recordings(count: number): Recordings {
  const set = new Recordings(5, 3);
  for (let i = 0; i < count; i++) set.add(recording(i), 0);
  return set;
}

const contents = (set: Recordings): [number, EventRecording][] => set.labels.map((label, i) => [label, set.get(i)]);

test("a recording comes back as it was, from memory and from a file", () => {
  const set = recordings(70);
  expect(set.events).toBe(70 * 20);
  expect(contents(set)).toEqual(Array.from({ length: 70 }, (_, i) => [i % 2, recording(i).events]));
  const path = join(folder, "set.safetensors");
  set.save(path, "threshold 0.2");
  expect(contents(Recordings.load(path, "threshold 0.2") as Recordings)).toEqual(contents(set));
  expect(Recordings.load(path, "threshold 0.3")).toBeNull();
  expect(Recordings.load(join(folder, "none.safetensors"))).toBeNull();
  truncateSync(path, 100);
  expect(Recordings.load(path, "threshold 0.2")).toBeNull();
});

test("times count from the first event unless another begin is given", () => {
  const set = new Recordings(5, 3);
  const { events } = recording(0);
  const later = { ...events, t: events.t.map((time) => 1e9 + time) };
  set.add({ events: later, label: 0 });
  set.add({ events: later, label: 0 }, 1e9);
  expect(set.get(0).t).toEqual(events.t.map((time) => time - (events.t[0] as number)));
  expect(set.get(1).t).toEqual(events.t);
});

test("events off the sensor, before the begin, and of another sensor are refused", () => {
  const set = recordings(1);
  const { events } = recording(0);
  const off = { ...events, x: events.x.map(() => 7) };
  expect(() => set.add({ events: off, label: 0 })).toThrow("expected event 0 on the sensor and in time, got 7");
  expect(() => set.add({ events, label: 0 }, 5000)).toThrow(/got .* at -/);
  expect(() => set.add({ events: { ...events, width: 6 }, label: 0 })).toThrow("expected a sensor of 5 × 3, got 6 × 3");
  expect(() => new Recordings(640, 480)).toThrow("at most 32768 pixels, got 640 × 480");
  expect(set.length).toBe(1);
  expect(set.events).toBe(20);
});

test("a batch is spikes of the chosen recordings, with their classes", () => {
  const set = recordings(6);
  const data = set.spikes({ bins: 3, binUs: 1000, indices: [4, 1, 2] });
  expect(data.length).toBe(3);
  const { x, y } = data.batch([2, 1]);
  const slices = { timeWindow: 1000, startTime: 0, endTime: 3000 };
  expect(bits(x)).toEqual(
    bits(
      toSpikes(
        [2, 1].map((i) => recording(i).events),
        slices,
      ),
    ),
  );
  expect(x.shape).toEqual([3, 2, 2, 3, 5]);
  expect([...y]).toEqual([0, 1]);
});

test("recordings are made once, and after a stop only those that were not in a file", async () => {
  const asked: number[] = [];
  let stopAt = 5;
  const make = (i: number): Labelled => {
    if (i === stopAt) throw new Error("stopped");
    asked.push(i);
    return recording(i);
  };
  const making = { folder, name: "small", ...SENSOR, count: 7, perFile: 3, make };
  await expect(cachedRecordings(making)).rejects.toThrow("stopped");
  expect(readdirSync(folder)).toEqual(["small-0-3.safetensors"]);
  stopAt = -1;
  expect(contents(await cachedRecordings(making))).toEqual(contents(recordings(7)));
  expect(asked).toEqual([0, 1, 2, 3, 4, 3, 4, 5, 6]);
  expect(contents(await cachedRecordings(making))).toEqual(contents(recordings(7)));
  expect(asked.length).toBe(9);
});

class Network extends Module {
  readonly flatten = new Flatten(2);
  readonly fc = new Linear(30, 8);
  readonly neurons = new LIF({ beta: 0.5 });
  readonly out = new Linear(8, 2);

  forward(x: Tensor): Tensor {
    return this.out.forward(meanOverTime(this.neurons.forward(this.fc.forward(this.flatten.forward(x)))));
  }
}

test("a run that goes on from its checkpoint gives the bits of one that was not stopped", async () => {
  const data = recordings(64).spikes({ bins: 4, binUs: 1000 });
  const run = async (checkpoint: string, stopBehind = Number.POSITIVE_INFINITY) => {
    manualSeed(3);
    const model = new Network();
    const training = { model, train: data, test: data, epochs: 4, batchSize: 16, lr: 2e-2, checkpoint };
    const reports = await trainClassifier(training, {
      onEpoch({ epoch }) {
        if (epoch === stopBehind) throw new Error("stopped");
      },
    });
    return { weights: model.parameters().map(bits), reports };
  };
  const whole = await run("");
  const path = join(folder, "run.safetensors");
  await expect(run(path, 2)).rejects.toThrow("stopped");
  expect(existsSync(path)).toBe(true);
  const rest = await run(path);
  expect(rest.weights).toEqual(whole.weights);
  expect(rest.reports.map(({ loss, validation }) => [loss, validation])).toEqual(
    whole.reports.slice(2).map(({ loss, validation }) => [loss, validation]),
  );
  expect(whole.reports.at(-1)?.validation).toBeGreaterThan(0.9);
  await expect(run(path)).rejects.toThrow("expected fewer than 4 epochs");
});

const FLAGS = { epochs: 1, bin: 20, lr: 1e-2, view: "ordered", data: "none" };

test.each([
  ["an integer", { ...FLAGS, epochs: 2 }, "--epochs: expected 1, as in PATH, got 2"],
  ["a number", { ...FLAGS, lr: 2e-2 }, "--lr: expected 0.01, as in PATH, got 0.02"],
  ["a choice", { ...FLAGS, view: "summed" }, "--view: expected ordered, as in PATH, got summed"],
  ["a text", { ...FLAGS, data: "files" }, "--data: expected none, as in PATH, got files"],
  ["the first of two", { ...FLAGS, view: "summed", bin: 40 }, "--bin: expected 20, as in PATH, got 40"],
  ["an unknown flag", { ...FLAGS, delays: "on" }, "--delays: expected undefined, as in PATH, got on"],
])(
  "a checkpoint of other settings is refused, with the name of the flag and both values: %s",
  async (_, other, message) => {
    const data = recordings(16).spikes({ bins: 4, binUs: 1000 });
    const checkpoint = join(folder, "run.safetensors");
    const run = (settings: Record<string, string | number>) =>
      trainClassifier({
        ...{ model: new Network(), train: data, test: data, epochs: 1, batchSize: 16, lr: 1e-2 },
        ...{ checkpoint, settings },
      });
    await run(FLAGS);
    const before = readFileSync(checkpoint);
    await expect(run(other)).rejects.toThrow(message.replace("PATH", `${checkpoint}.json`));
    await expect(run(FLAGS)).rejects.toThrow("the run is done");
    expect(readFileSync(checkpoint)).toEqual(before);
    rmSync(checkpoint); // then a new run begins
    await run(other);
    await expect(run(other)).rejects.toThrow("the run is done");
    rmSync(`${checkpoint}.json`);
    await expect(run(other)).rejects.toThrow(`expected the settings of the run in ${checkpoint}.json, got no file`);
  },
);

test("the settings of a run are all flags but those of its files", () => {
  const flags = { lr: 1e-2, data: "", cache: ".cache", checkpoint: "run", svg: "sheet.svg" };
  expect(settingsOf(flags)).toEqual({ lr: 1e-2, data: "none" });
  expect(settingsOf({ ...flags, data: "folder" })).toEqual(settingsOf({ ...flags, data: "another/folder" }));
});

/** The arrays of a set of 2 recordings of 3 events, and its file with some of them changed. */
function changed(change: Record<string, Uint32Array | Int32Array | Uint16Array | Float32Array>): Uint8Array {
  const sound = {
    sensor: Uint32Array.of(5, 3),
    starts: Uint32Array.of(0, 1, 3),
    labels: Int32Array.of(1, 0),
    times: Uint32Array.of(0, 5, 9),
    places: Uint16Array.of(29, 0, 4),
  };
  const entries = Object.entries({ ...sound, ...change }).map(([name, data]) => [name, { shape: [data.length], data }]);
  return saveSafetensors(Object.fromEntries(entries), { settings: "" });
}

test.each([
  ["starts that fall", { starts: Uint32Array.of(0, 4, 3) }],
  ["a first start that is none", { starts: Uint32Array.of(1, 2, 3) }],
  ["more events than starts", { starts: Uint32Array.of(0, 1, 2) }],
  ["more labels than recordings", { labels: Int32Array.of(1, 0, 1) }],
  ["a label that is none", { labels: Int32Array.of(1, -1) }],
  ["fewer places than times", { places: Uint16Array.of(29, 0) }],
  ["a place off the sensor", { places: Uint16Array.of(29, 0, 30) }],
  ["places of another kind", { places: Float32Array.of(29, 0, 4) }],
  ["a sensor that is none", { sensor: Uint32Array.of(500, 300) }],
])("a file with %s counts as missing", (_, change) => {
  const path = join(folder, "set.safetensors");
  writeFileSync(path, changed({}));
  expect(Recordings.load(path)?.get(0)).toMatchObject({ x: Uint16Array.of(4), y: Uint16Array.of(2) });
  writeFileSync(path, changed(change));
  expect(Recordings.load(path)).toBeNull();
});

test("a damaged file is made anew, as is one of another sensor or another count", async () => {
  const making = { folder, name: "small", ...SENSOR, count: 3, make: recording };
  const path = join(folder, "small-0-3.safetensors");
  const whole = contents(await cachedRecordings(making));
  const bytes = readFileSync(path);
  const mark = JSON.stringify({ version: 1, ...SENSOR, settings: "" });
  const smaller = recordings(2);
  for (const damage of [() => truncateSync(path, 100), () => smaller.save(path, mark), () => writeFileSync(path, "")]) {
    damage();
    expect(contents(await cachedRecordings(making))).toEqual(whole);
    expect(readFileSync(path)).toEqual(bytes);
  }
  await expect(cachedRecordings({ ...making, width: 6 })).rejects.toThrow("expected a sensor of 6 × 3, got 5 × 3");
  expect(readdirSync(folder)).toEqual(["small-0-3.safetensors"]);
});

test("the bar ends where the last file is there and an earlier one was made", async () => {
  const making = { folder, name: "small", ...SENSOR, count: 6, perFile: 3, make: recording };
  await cachedRecordings(making);
  rmSync(join(folder, "small-0-3.safetensors"));
  const isTTY = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
  Object.defineProperty(process.stdout, "isTTY", { value: true, configurable: true });
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts"]);
  vi.spyOn(console, "log").mockImplementation(() => {});
  begin("saccades", {});
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await cachedRecordings(making);
  const written = write.mock.calls.map(([text]) => text);
  vi.restoreAllMocks();
  if (isTTY === undefined) delete (process.stdout as { isTTY?: boolean }).isTTY;
  else Object.defineProperty(process.stdout, "isTTY", isTTY);
  expect(written[0]).toContain("small ");
  expect(written.at(-1)).toBe("\r\x1b[2K");
});
