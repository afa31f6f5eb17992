/** The recordings of the demo: MNIST's digits before the simulated camera, kept in files, or those of N-MNIST. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { type EventRecording, readEvents } from "jarvis-snn/events";
import { dataFile } from "../files.ts";
import { mnist } from "../mnist/data.ts";
import { FlagError } from "../options.ts";
import { cachedRecordings, markOf, type Recordings } from "../recordings.ts";
import { CAMERA, POSES, record, SENSOR, SIDE } from "./camera.ts";

const PIXELS = 784;
const CLASSES = 10;

export type Part = "train" | "test";

/** Everything that recordings depend on besides the digits: a change of it makes new files. */
const SETTINGS = JSON.stringify({ camera: CAMERA, sensor: SENSOR, poses: POSES });

/**
 * Recordings of the first `limit` digits of MNIST, 0 for all. A file in the folder keeps a thousand recordings, so a run that was stopped
 * continues after its last file.
 */
export function simulated(part: Part, folder: string, limit = 0): Promise<Recordings> {
  const { x, y, length } = mnist(part === "train" ? "train" : "t10k", limit);
  return cachedRecordings({
    ...{ folder, name: `saccades-${part}`, settings: SETTINGS },
    ...{ width: SIDE, height: SIDE, count: length, perFile: 1000 },
    make: (i) => ({
      events: record(x.subarray(PIXELS * i, PIXELS * (i + 1)) as Uint8Array),
      label: y[i] as number,
    }),
  });
}

/**
 * The first `limit` recordings of N-MNIST, 0 for all, in the order of MNIST, which the numbers of the files give: Train/5/00001.bin,
 * Train/0/00002.bin, …, Test/7/00001.bin, …; the folder `cache` keeps them as those of {@link simulated}.
 *
 * @throws RangeError for a folder without recordings, and for a damaged or empty file, with its path.
 */
export async function nmnist(part: Part, folder: string, cache: string, limit = 0): Promise<Recordings> {
  const files = filesOf(join(folder, part === "train" ? "Train" : "Test"));
  return cachedRecordings({
    ...{ folder: cache, name: `n-mnist-${part}`, settings: markOf(files.map(({ path }) => path)) },
    ...{ width: SIDE, height: SIDE, count: limit > 0 ? Math.min(limit, files.length) : files.length, perFile: 1000 },
    async make(i) {
      const { path, label } = files[i] as File;
      return { events: await dataFile(path, recordingOf), label };
    },
  });
}

/** Names of recordings; some systems keep files of their own, such as ._00001.bin, beside them. */
const NUMBERED = /^\d+\.bin$/;

interface File {
  readonly path: string;
  readonly label: number;
}

function filesOf(folder: string): File[] {
  const files = Array.from({ length: CLASSES }, (_, label) => {
    const of = join(folder, String(label));
    const names = existsSync(of) ? readdirSync(of).filter((name) => NUMBERED.test(name)) : [];
    return names.map((name): File => ({ path: join(of, name), label }));
  }).flat();
  if (files.length === 0) {
    throw new FlagError(`--data: expected recordings such as ${join(folder, "0", "00002.bin")}, got none`);
  }
  const number = ({ path }: File): number => Number(basename(path, ".bin"));
  return files.sort((a, b) => number(a) - number(b));
}

function recordingOf(bytes: Buffer): Promise<EventRecording> {
  if (bytes.length === 0) throw new RangeError("expected events, got an empty file");
  return readEvents(bytes, { format: "nmnist" });
}
