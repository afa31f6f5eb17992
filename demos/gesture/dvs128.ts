/** The DVS128 Gesture data set, from its folder of AEDAT 3.1 files. */
import { join, resolve } from "node:path";
import { downsample, type EventRecording, type ReadRecording, readEvents } from "jarvis-snn/events";
import { dataFile } from "../files.ts";
import { FlagError } from "../options.ts";
import { cachedRecordings, markOf, type Recordings } from "../recordings.ts";
import { firstOfSlices, type Slicing } from "./data.ts";

/** The classes, in the order of their numbers in the files, which count from 1. */
export const DVS128_GESTURES = [
  "hand clapping",
  "right hand wave",
  "left hand wave",
  "right arm clockwise",
  "right arm counter-clockwise",
  "left arm clockwise",
  "left arm counter-clockwise",
  "arm roll",
  "air drums",
  "air guitar",
  "other gestures",
] as const;

/** Pixels of a side of the camera. */
const CAMERA_SIDE = 128;
const HEADER = "class,startTime_usec,endTime_usec";

/** How each file in the AEDAT 3.1 form begins. */
const MAGIC = "#!AER-DAT3.1";

/** The file of a folder that names the recordings of a part. */
const LISTS = {
  train: "trials_to_train.txt",
  test: "trials_to_test.txt",
  /** Users of the training set, the last fifth of them, and the rest. */
  validation: "trials_to_train.txt",
  rest: "trials_to_train.txt",
} as const;

export type Part = keyof typeof LISTS;

/** A set of gestures. */
export interface GestureSet {
  readonly recordings: Recordings;
  /** Damaged events and packets of the files, which were left out; null where some or all recordings come from the cache. */
  readonly dropped: number | null;
}

/**
 * The gestures of a set, as a camera of side × side pixels would have seen them. Files are read one after the other, once: the folder
 * `cache` keeps the gestures. The times of the labels cut each file into gestures, of which the first events of each slice stay in memory.
 * A gesture that ends before the last slice is silent from there on.
 *
 * The folder is that of the archive: userNN_light.aedat (AEDAT 3.1), userNN_light_labels.csv (class,startTime_usec,endTime_usec),
 * trials_to_train.txt and trials_to_test.txt.
 *
 * @throws FlagError with the file: one that is not there, labels that are none, a recording of another camera or format, a set without
 *   gestures, and users to hold out where there is a single one.
 * @see Amir et al. (2017), A Low Power, Fully Event-Based Gesture Recognition System, CVPR.
 */
export async function dvs128(
  folder: string,
  part: Part,
  { side, cache, ...slicing }: Slicing & { side: number; cache: string },
): Promise<GestureSet> {
  const names = await dataFile(join(folder, LISTS[part]), (list) => namesOf(list, part));
  const paths = names.map((name) => join(folder, name));
  const gestures: (Label & { path: string })[] = [];
  for (const path of paths) {
    const labels = await dataFile(path.replace(/\.aedat$/, "_labels.csv"), labelsOf);
    for (const label of labels) gestures.push({ ...label, path });
  }
  if (gestures.length === 0) throw new FlagError(`${join(folder, LISTS[part])}: expected gestures, got none`);
  let [read, dropped] = [0, 0];
  let open = "";
  let file: ReadRecording;
  // Full paths, as in the mark: a folder that is named in another way is the same one.
  const named = gestures.map(({ path, ...label }) => ({ ...label, path: resolve(path) }));
  const settings = JSON.stringify({ slicing, gestures: named, files: markOf(paths) });
  const recordings = await cachedRecordings({
    ...{ folder: cache, name: `dvs128-${part}`, settings },
    ...{ width: side, height: side, count: gestures.length },
    async make(i) {
      const { path, label, startUs, endUs } = gestures[i] as (typeof gestures)[number];
      if (path !== open) {
        file = await dataFile(path, recordingOf);
        open = path;
        dropped += file.dropped;
      }
      read++;
      const events = downsample(cut(file, startUs, endUs), { spatialFactor: side / CAMERA_SIDE });
      return { events: firstOfSlices(events, slicing), label };
    },
  });
  return { recordings, dropped: read === gestures.length ? dropped : null };
}

/** The recordings of a part, of those that a list names. Users to hold out are the last ones in the order of their names. */
function namesOf(list: Buffer, part: Part): string[] {
  const names = linesOf(list);
  if (part === "train" || part === "test") return names;
  const userOf = (name: string): string => name.split("_", 1)[0] as string;
  const users = Array.from(new Set(names.map(userOf))).sort();
  if (users.length < 2) throw new RangeError(`expected two users or more to hold one out, got ${users.length}`);
  const held = users.slice(-Math.ceil(users.length / 5));
  return names.filter((name) => held.includes(userOf(name)) === (part === "validation"));
}

/** A recording of the camera, also where the header does not name the camera. */
async function recordingOf(bytes: Buffer): Promise<ReadRecording> {
  const start = bytes.toString("latin1", 0, MAGIC.length);
  if (start !== MAGIC) {
    throw new RangeError(`expected a file that begins with ${MAGIC}, got ${JSON.stringify(start)}`);
  }
  const file = await readEvents(bytes, { format: "aedat3.1", recover: true });
  if (file.width > CAMERA_SIDE || file.height > CAMERA_SIDE) {
    throw new RangeError(`expected a camera of 128 × 128 pixels, got ${file.width} × ${file.height}`);
  }
  return { ...file, width: CAMERA_SIDE, height: CAMERA_SIDE };
}

/** The events in [startUs, endUs), with times that count from startUs. */
function cut({ t, x, y, p, width, height }: EventRecording, startUs: number, endUs: number): EventRecording {
  const [from, to] = [firstFrom(t, startUs), firstFrom(t, endUs)];
  return {
    t: t.slice(from, to).map((time) => time - startUs),
    x: x.subarray(from, to),
    y: y.subarray(from, to),
    p: p.subarray(from, to),
    width,
    height,
  };
}

/** The index of the first time that is not less than `time`. */
function firstFrom(t: Float64Array, time: number): number {
  let [low, high] = [0, t.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((t[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A gesture within a recording. */
interface Label {
  readonly label: number;
  readonly startUs: number;
  readonly endUs: number;
}

type Numbers = [number: number, startUs: number, endUs: number];

/** The labels of a recording: a header, then a line for each gesture. */
function labelsOf(bytes: Buffer): Label[] {
  const [header, ...lines] = linesOf(bytes);
  if (header !== HEADER) throw new RangeError(`expected the header ${HEADER}, got ${header}`);
  return lines.map((line) => {
    const [number, startUs, endUs] = (/^\d+,\d+,\d+$/.test(line) ? line : "").split(",").map(Number) as Numbers;
    if (DVS128_GESTURES[number - 1] === undefined || !(startUs <= endUs)) {
      throw new RangeError(`expected a class from 1 to 11 and two times in order, got ${line}`);
    }
    return { label: number - 1, startUs, endUs };
  });
}

/** Lines that are not empty. */
function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString("utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}
