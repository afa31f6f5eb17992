/** Labelled recordings of events: kept as whole numbers until a batch needs spikes, and cached in files. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Dataset, readSafetensors, saveSafetensors } from "jarvis-snn";
import { type EventRecording, toSpikes } from "jarvis-snn/events";
import { writeWhole } from "./files.ts";
import { bar } from "./report.ts";

/** A recording with its class. */
export interface Labelled {
  events: EventRecording;
  label: number;
}

/** How {@link Recordings.spikes} makes batches. */
export interface SpikesOptions {
  /** T, the time steps of a sample. */
  bins: number;
  /** Microseconds of a time step. */
  binUs: number;
  /** P: 2, the default, for a channel of each polarity; 1 for one channel of both. */
  polarities?: 1 | 2;
  /** The recordings to use, by index; default: all. */
  indices?: Iterable<number>;
  /** Changes a recording on its way into a batch, as an augmentation does. */
  transform?: (events: EventRecording) => EventRecording;
}

/**
 * Recordings of one sensor with their classes, one behind the other. An event takes six bytes: its time in microseconds since the
 * recording's begin as 32 bits, and p·H·W + y·W + x as 16 bits, so that a set of 10⁸ events fits into 600 MB.
 */
export class Recordings {
  readonly width: number;
  readonly height: number;
  /** Classes of the recordings. */
  readonly labels: number[] = [];
  /** The index of the first event of each recording, then the number of all events. */
  private readonly starts: number[] = [0];
  private times: Uint32Array = new Uint32Array(1024);
  private places: Uint16Array = new Uint16Array(1024);

  /** @throws RangeError for a sensor whose pixels, once for each polarity, do not fit into 16 bits. */
  constructor(width: number, height: number) {
    if (2 * width * height > 2 ** 16) {
      throw new RangeError(`Recordings: expected a sensor of at most 32768 pixels, got ${width} × ${height}`);
    }
    this.width = width;
    this.height = height;
  }

  /** Number of recordings. */
  get length(): number {
    return this.labels.length;
  }

  /** Number of events of all recordings. */
  get events(): number {
    return this.starts[this.length] as number;
  }

  /**
   * Keeps a recording; its times count from `begin`, by default from its first event.
   *
   * @throws RangeError for another sensor, an event off it or before `begin`, or a recording of more than 71 minutes.
   */
  add({ events, label }: Labelled, begin = events.t[0] ?? 0): void {
    const { t, x, y, p, width, height } = events;
    if (width !== this.width || height !== this.height) {
      throw new RangeError(`Recordings: expected a sensor of ${this.width} × ${this.height}, got ${width} × ${height}`);
    }
    const from = this.events;
    this.reserve(from + t.length);
    for (let i = 0; i < t.length; i++) {
      const time = (t[i] as number) - begin;
      const [px, py, on] = [x[i] as number, y[i] as number, p[i] as number];
      if (!(time >= 0 && time < 2 ** 32 && px < width && py < height && on <= 1)) {
        throw new RangeError(
          `Recordings: expected event ${i} on the sensor and in time, got ${px}, ${py} at ${time} µs`,
        );
      }
      this.times[from + i] = time;
      this.places[from + i] = (on * height + py) * width + px;
    }
    this.starts.push(from + t.length);
    this.labels.push(label);
  }

  /** Recording i. */
  get(i: number): EventRecording {
    const { width, height } = this;
    const [from, to] = [this.starts[i] as number, this.starts[i + 1] as number];
    const [x, y] = [new Uint16Array(to - from), new Uint16Array(to - from)];
    const p = new Uint8Array(to - from);
    for (let k = 0; k < to - from; k++) {
      const row = Math.floor((this.places[from + k] as number) / width);
      x[k] = (this.places[from + k] as number) - row * width;
      p[k] = row >= height ? 1 : 0;
      y[k] = row >= height ? row - height : row;
    }
    return { t: Float64Array.from(this.times.subarray(from, to)), x, y, p, width, height };
  }

  /** A dataset of batches as spikes [T, B, P, H, W], packed into bits, with their classes. Events behind T steps are left out. */
  spikes(options: SpikesOptions): Dataset<Int32Array> {
    const { bins, binUs, polarities = 2, transform = (events: EventRecording) => events } = options;
    const indices = Uint32Array.from(options.indices ?? this.labels.keys());
    const slices = { timeWindow: binUs, startTime: 0, endTime: bins * binUs, polarities };
    return {
      length: indices.length,
      batch: (asked) => {
        const chosen = asked.map((i) => indices[i] as number);
        const x = toSpikes(
          chosen.map((i) => transform(this.get(i))),
          slices,
        );
        return { x, y: Int32Array.from(chosen, (i) => this.labels[i] as number) };
      },
    };
  }

  /** Keeps the recordings of another set of the same sensor behind these. */
  append(other: Recordings): void {
    const from = this.events;
    this.reserve(from + other.events);
    this.times.set(other.times.subarray(0, other.events), from);
    this.places.set(other.places.subarray(0, other.events), from);
    for (let i = 1; i <= other.length; i++) this.starts.push(from + (other.starts[i] as number));
    for (const label of other.labels) this.labels.push(label);
  }

  /**
   * Writes a file (safetensors) with `settings`, a text that names everything that the recordings depend on. A write that is stopped leaves
   * the path as it was, since the file gets its name at the end.
   */
  save(path: string, settings = ""): void {
    const { width, height, events } = this;
    const arrays = {
      sensor: Uint32Array.of(width, height),
      starts: Uint32Array.from(this.starts),
      labels: Int32Array.from(this.labels),
      times: this.times.subarray(0, events),
      places: this.places.subarray(0, events),
    };
    const entries = Object.entries(arrays).map(([name, data]) => [name, { shape: [data.length], data }] as const);
    writeWhole(path, saveSafetensors(Object.fromEntries(entries), { settings }));
  }

  /** The recordings of a file that {@link save} has written; null where there is no file, a damaged file, or a file with other settings. */
  static load(path: string, settings = ""): Recordings | null {
    if (!existsSync(path)) return null;
    const bytes = readFileSync(path);
    try {
      return Recordings.parse(bytes, settings);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Null where arrays do not fit each other. */
  private static parse(bytes: Uint8Array, settings: string): Recordings | null {
    const { arrays, metadata } = readSafetensors(bytes);
    const { sensor, starts, labels, times, places } = arrays;
    if (!sensor || !starts || !labels || !times || !places || metadata.settings !== settings) return null;
    if (!(times.data instanceof Uint32Array && places.data instanceof Uint16Array)) return null;
    const [width = 0, height = 0] = Array.from(sensor.data, Number);
    const recordings = new Recordings(width, height);
    recordings.starts.length = 0;
    for (const start of starts.data) recordings.starts.push(Number(start));
    for (const label of labels.data) recordings.labels.push(Number(label));
    recordings.times = times.data;
    recordings.places = places.data;
    return recordings.isSound() ? recordings : null;
  }

  /** Whether the recordings lie one behind the other in all of the events, and events on the sensor. */
  private isSound(): boolean {
    const { starts, labels, times, places, width, height } = this;
    return (
      starts.length === labels.length + 1 &&
      starts.every((start, i) => start >= (starts[i - 1] ?? 0)) &&
      starts[0] === 0 &&
      starts.at(-1) === times.length &&
      places.length === times.length &&
      labels.every((label) => Number.isInteger(label) && label >= 0) &&
      places.every((place) => place < 2 * width * height)
    );
  }

  /** Makes room for this number of events. */
  private reserve(events: number): void {
    if (events <= this.times.length) return;
    const room = Math.max(events, 2 * this.times.length);
    const [times, places] = [new Uint32Array(room), new Uint16Array(room)];
    times.set(this.times);
    places.set(this.places);
    this.times = times;
    this.places = places;
  }
}

/** Events of a recording in the mean, rounded. */
export const eventsPerRecording = ({ events, length }: Recordings): number => Math.round(events / length);

/** The flag that names the folder of files of recordings. */
export const CACHE = {
  kind: "text",
  default: join(".cache", "demos") as string,
  help: "folder that keeps recordings",
} as const;

/** The version of the programs that make recordings. A larger number marks files of earlier programs as others. */
const VERSION = 1;

/** A digest of the paths, sizes and times of files that are there: other files or a written file give another. Part of `settings`. */
export function markOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { size = 0, mtimeMs = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
    hash.update(JSON.stringify([resolve(path), size, mtimeMs]));
  }
  return hash.digest("hex");
}

/** A set of recordings that is made once. */
export interface Making {
  /** The folder of the files. */
  folder: string;
  /** Names the files: `saccades-train`. */
  name: string;
  /** Everything that the recordings depend on besides the name and their index; files with other settings are made again. */
  settings?: string;
  width: number;
  height: number;
  /** Number of recordings. */
  count: number;
  /** Recordings of a file; a run that is stopped loses the recordings of one file at most. */
  perFile?: number;
  /** Makes recording i, the same at each call: the seed of its random numbers depends on i alone. */
  make: (i: number) => Labelled | Promise<Labelled>;
}

/** Reads a set of recordings from its files, and makes those that are missing, with a bar of progress. */
export async function cachedRecordings(making: Making): Promise<Recordings> {
  const { folder, name, settings = "", width, height, count, perFile = 2000, make } = making;
  const mark = JSON.stringify({ version: VERSION, width, height, settings });
  const all = new Recordings(width, height);
  let isShown = false;
  const draws = bar(name, count);
  for (let from = 0; from < count; from += perFile) {
    const to = Math.min(count, from + perFile);
    const path = join(folder, `${name}-${from}-${to}.safetensors`);
    let part = Recordings.load(path, mark);
    if (part?.length !== to - from) {
      part = new Recordings(width, height);
      for (let i = from; i < to; i++) {
        part.add(await make(i), 0);
        draws(i + 1);
      }
      part.save(path, mark);
      isShown = true;
    } else if (isShown) draws(to);
    all.append(part);
  }
  return all;
}
