/** The Heidelberg data sets: spoken words as spikes of 700 channels of an inner-ear model. */
import { bytesOf, numberOf, type Range, shortened, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { numbersAt } from "./arrays.ts";
import { Bound } from "./bound.ts";
import { datasetAt, elementsOf, heard, type Opened, openHDF5, valuesOf } from "./hdf5.ts";
import type { EventRecording, SpikeRecordings } from "./recording.ts";

const CHANNELS = 700;

/** Options of readSHD. */
export interface ReadSHDOptions {
  /**
   * Largest number of bytes of unpacked data: first all labels, then one recording at a time; default 2³⁰, or 16 times the file size if that is
   * more. Infinity means no bound.
   */
  maxBytes?: number | null;
}

const DEFAULTS = { maxBytes: null as number | null } satisfies Required<ReadSHDOptions>;

/** Opens a file; see readSHD. */
export async function openSpikes(
  file: Uint8Array | ArrayBuffer,
  options: Readonly<ReadSHDOptions>,
): Promise<SpikeRecordings> {
  const where = "readSHD";
  const { maxBytes } = withDefaults(where, DEFAULTS, options);
  const bytes = bytesOf(where, file);
  const opened = await openHDF5(where, bytes, new Bound(where, maxBytes, bytes.length));
  try {
    return heard(where, opened, "spikes and labels", () => recordingsOf(where, opened));
  } catch (cause) {
    opened.close();
    throw cause;
  }
}

function recordingsOf(where: string, opened: Opened): SpikeRecordings {
  const [times, units, labels] = ["spikes/times", "spikes/units", "labels"].map((path) => {
    const found = datasetAt(where, opened, path);
    if (found !== null && found.shape?.length === 1) return found;
    throw wrongValue(where, "HDF5 with spikes/times, spikes/units and labels", `no list ${path}`);
  }) as [Dataset, Dataset, Dataset];
  const speakers = datasetAt(where, opened, "extra/speaker");
  const keys = datasetAt(where, opened, "extra/keys");
  const names = keys === null ? null : valuesOf(where, opened, keys);
  const length = labels.shape?.[0] ?? 0;
  const index: Range = {
    expected: `an integer in [0, ${length})`,
    fits: (i) => Number.isInteger(i) && i >= 0 && i < length,
  };
  if (times.shape?.[0] !== length || units.shape?.[0] !== length) {
    throw wrongValue(where, "as many recordings as labels", `${times.shape?.[0]} and ${length}`);
  }
  if (speakers !== null && (speakers.shape?.length !== 1 || speakers.shape[0] !== length)) {
    const got = JSON.stringify(speakers.shape);
    throw wrongValue(where, `a list of ${length} speakers at extra/speaker`, `shape ${got}`);
  }
  let isOpen = true;
  return {
    length,
    labels: classesOf(where, opened, labels),
    keys: Array.isArray(names) ? names.map(String) : [],
    speakers: speakers === null ? null : classesOf(where, opened, speakers),
    get(i) {
      if (!isOpen) throw new Error(`${where}: expected recordings that are open, got closed ones`);
      numberOf(where, "the index of a recording", i, index);
      return heard(where, opened, `recording ${i}`, () =>
        recordingOf(where, i, listAt(opened, times, i), listAt(opened, units, i)),
      );
    },
    close() {
      if (isOpen) opened.close();
      isOpen = false;
    },
  };
}

type Dataset = NonNullable<ReturnType<typeof datasetAt>>;

const classesOf = (where: string, opened: Opened, dataset: Dataset): Uint16Array =>
  Uint16Array.from(valuesOf(where, opened, dataset) as ArrayLike<number>, Number);

/** Numbers of one list of a dataset of lists. */
function listAt(opened: Opened, dataset: Dataset, index: number): Float64Array {
  const { type, size, signed } = dataset.metadata.vlen_type ?? dataset.metadata;
  return elementsOf(opened, dataset, index, index + 1, (memory, at) => {
    const view = new DataView(memory.buffer);
    // [length: 32 bits] [address: 32 bits]
    const length = view.getUint32(at, true);
    const address = view.getUint32(at + 4, true);
    const kind = `${type === 1 ? "f" : signed ? "i" : "u"}${size}`;
    opened.bound.check(length * Float64Array.BYTES_PER_ELEMENT, `a list of ${dataset.path}`);
    const values = address + length * size > memory.length ? null : numbersAt(view, kind, address, length, size);
    if (values === null) {
      throw new RangeError(
        `readSHD: expected ${dataset.path} as lists of numbers, got ${shortened(JSON.stringify(dataset.dtype))}`,
      );
    }
    opened.module.reclaim_vlen_memory_count(dataset.file_id, dataset.path, "", BigInt(at), [1n]);
    return values;
  });
}

function recordingOf(where: string, index: number, seconds: Float64Array, units: Float64Array): EventRecording {
  const n = seconds.length;
  if (units.length !== n) {
    throw wrongValue(where, `a unit for each time of recording ${index}`, `${units.length} and ${n}`);
  }
  const t = seconds.map((time) => Math.round(time * 1e6));
  const x = Uint16Array.from(units);
  const wrong = t.findIndex(
    (time, i) => !Number.isSafeInteger(time) || !((units[i] as number) >= 0 && (units[i] as number) < CHANNELS),
  );
  if (wrong >= 0) {
    throw wrongValue(
      where,
      `seconds and a channel in [0, 700) in recording ${index}`,
      `${seconds[wrong]}, ${units[wrong]}`,
    );
  }
  if (t.some((time, i) => i > 0 && time < (t[i - 1] as number))) {
    const order = Array.from(t.keys()).sort((a, b) => (t[a] as number) - (t[b] as number));
    t.set(order.map((i) => t[i] as number));
    x.set(order.map((i) => x[i] as number));
  }
  return { t, x, y: new Uint16Array(n), p: new Uint8Array(n).fill(1), width: CHANNELS, height: 1 };
}
