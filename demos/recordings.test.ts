/** Labelled recordings: what is kept comes back, batches are spikes, files are whole or absent; and runs that go on from a checkpoint. */
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
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
  type Tensor,
} from "jarvis-snn";
import { type EventRecording, toSpikes } from "jarvis-snn/events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bits } from "../test/support/tensors.ts";
import { cachedRecordings, type Labelled, Recordings } from "./recordings.ts";
import { trainClassifier } from "./training.ts";

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
  expect(() => Recordings.load(path, "threshold 0.2")).toThrow("readSafetensors");
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
