/**
 * Recordings of event cameras. Readers of every format are measured in millions of events a second and against a plain copy of the file's
 * bytes; tensors, filters and augmentation in the same way against a copy of the columns, and against tonic's functions on NumPy.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator, type Tensor, warmup } from "jarvis-snn";
import {
  crop,
  denoise,
  downsample,
  dropEvents,
  dropEventsByArea,
  dropEventsByTime,
  dropPixels,
  type EventRecording,
  flip,
  jitter,
  mergePolarities,
  readEvents,
  refractoryPeriod,
  toAveragedTimesurface,
  toBinaryRepresentation,
  toFrames,
  toSpikes,
  toTimesurface,
  toVoxelGrid,
  uniformNoise,
} from "jarvis-snn/events";
import { type Contender, interleave } from "./support/interleave.ts";
import { race, type Workload } from "./support/race.ts";
import { FILES, recording } from "./support/recordings.ts";
import { type Rows, report } from "./support/report.ts";
import { type Run, serve } from "./support/serve.ts";

const EVENTS = 4_000_000;
const ROUNDS = 9;
const large = (width: number, height: number): EventRecording =>
  recording({ events: EVENTS, width, height, pause: 10 });

const generator = new Generator(1);
const drop = (z: Tensor): void => z.dispose();

/** Functions of recordings by their names. */
const FUNCTIONS: Readonly<Record<string, (events: EventRecording) => unknown>> = {
  toSpikes: (events) => drop(toSpikes(events, { nTimeBins: 20 })),
  toFrames: (events) => drop(toFrames(events, { nTimeBins: 20 })),
  toVoxelGrid: (events) => drop(toVoxelGrid(events)),
  toTimesurface: (events) => drop(toTimesurface(events, { dt: 100_000, tau: 50_000 })),
  toAveragedTimesurface: (events) => drop(toAveragedTimesurface(events)),
  denoise: (events) => denoise(events),
  refractoryPeriod: (events) => refractoryPeriod(events, { refractoryPeriod: 1000 }),
  dropPixels: (events) => dropPixels(events, { hotPixelFrequency: 10 }),
  dropEvents: (events) => dropEvents(events, { probability: 0.5, generator }),
  dropEventsByTime: (events) => dropEventsByTime(events, { generator }),
  dropEventsByArea: (events) => dropEventsByArea(events, { generator }),
  crop: (events) => crop(events, { targetSize: [640, 360], at: "random", generator }),
  downsample: (events) => downsample(events, { spatialFactor: 0.5 }),
  flip: (events) => flip(events, { axis: "x" }),
  jitter: (events) => jitter(events, { x: 1, y: 1, generator }),
  uniformNoise: (events) => uniformNoise(events, { n: 100_000, generator }),
  mergePolarities: (events) => mergePolarities(events),
};

const timed = (name: string, run: () => unknown): Contender => ({
  name,
  async measure() {
    const start = performance.now();
    await run();
    return performance.now() - start;
  },
});

/** Milliseconds of a step, which `make` prepares at the first call. */
function served(make: () => (() => unknown) | Promise<() => unknown>): Run {
  let step: (() => unknown) | undefined;
  return async (count) => {
    step ??= await make();
    const start = performance.now();
    for (let i = 0; i < count; i++) await step();
    return (performance.now() - start) / count;
  };
}

const fileOf = (format: string): Uint8Array | Promise<Uint8Array> => {
  const { width, height, write } = FILES[format] as (typeof FILES)[string];
  return write(large(width, height));
};

warmup();
const formats = Object.keys(FILES);
await serve({
  ...Object.fromEntries(
    formats.map((format) => [
      format,
      served(async () => {
        const file = await fileOf(format);
        return () => readEvents(file);
      }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, run]) => [
      name,
      served(() => {
        const events = large(1280, 720);
        return () => run(events);
      }),
    ]),
  ),
});

const rows: Rows = {};

/** Measures one function in turns with a copy. */
async function measure(name: string, run: () => unknown, copy: () => unknown): Promise<void> {
  const turns = await interleave([timed(name, run), timed("copy", copy)], ROUNDS);
  const times = turns.medians(name, "copy");
  rows[name] = { value: EVENTS / 1000 / (times[name] as number), times };
  rows[`${name}Copy`] = { value: turns.ratio("copy", name) };
}

for (const format of formats) {
  const file = await fileOf(format);
  const found = (await readEvents(file)).t.length;
  if (found !== EVENTS) throw new Error(`bench: expected ${EVENTS} events of a file of ${format}, got ${found}`);
  await measure(
    format,
    () => readEvents(file),
    () => file.slice(),
  );
}

const events = large(1280, 720);
for (const [name, run] of Object.entries(FUNCTIONS)) {
  await measure(
    name,
    () => run(events),
    () => [events.t.slice(), events.x.slice(), events.y.slice(), events.p.slice()],
  );
}

const BITS = { nFrames: 2, nBits: 8 };
const frames = toFrames(events, { nTimeBins: 16 });
const bits = await interleave(
  [timed("bits", () => drop(toBinaryRepresentation(frames, BITS))), timed("copy", () => drop(frames.clone()))],
  ROUNDS,
);
rows.toBinaryRepresentationCopy = { value: bits.ratio("copy", "bits"), times: bits.medians("bits", "copy") };
frames.dispose();

/** A recording as long as the recordings of data sets, for this package and for tonic. */
const small = recording({ events: 100_000, width: 240, height: 180, pause: 80 });
const smallFrames = toFrames(small, { nTimeBins: 16 });
const against = (step: () => unknown, rounds = 7): Workload => ({ step, rounds });
const workloads = {
  frames: against(() => drop(toFrames(small, { nTimeBins: 20 }))),
  voxels: against(() => drop(toVoxelGrid(small))),
  timesurface: against(() => drop(toTimesurface(small, { dt: 15_000, tau: 50_000 }))),
  averaged: against(() => drop(toAveragedTimesurface(small)), 1),
  binary: against(() => drop(toBinaryRepresentation(smallFrames, BITS))),
  denoise: against(() => denoise(small)),
  refractory: against(() => refractoryPeriod(small, { refractoryPeriod: 1000 })),
  hot: against(() => dropPixels(small, { hotPixelFrequency: 60 })),
  drop: against(() => dropEvents(small, { probability: 0.5, generator })),
  dropTime: against(() => dropEventsByTime(small, { generator })),
  dropArea: against(() => dropEventsByArea(small, { generator })),
  crop: against(() => crop(small, { targetSize: [128, 128], at: "random", generator })),
  downsample: against(() => downsample(small, { spatialFactor: 0.5 })),
  flip: against(() => flip(small, { axis: "x" })),
  reverse: against(() => flip(small, { axis: "time" })),
  timeJitter: against(() => jitter(small, { time: 100, generator })),
  jitter: against(() => jitter(small, { x: 1, y: 1, generator })),
  noise: against(() => uniformNoise(small, { n: 10_000, generator })),
  merge: against(() => mergePolarities(small)),
};

/** The recording as text that names its sensor, and a file with its columns behind each other. */
const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-recording-"));
try {
  const path = join(folder, "recording.bin");
  const columns = [small.t, small.x, small.y, small.p].map((c) => new Uint8Array(c.buffer, c.byteOffset, c.byteLength));
  writeFileSync(path, Buffer.concat(columns));
  Object.assign(rows, await race("events", workloads, { args: [path, `${small.width}`, `${small.height}`] }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report(rows);
