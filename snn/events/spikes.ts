/** Spikes of the Heidelberg data sets: recordings of spoken words as spikes of 700 channels of a model of the inner ear. */
import { bytesOf, numberOf, type Range } from "../../engine/arguments.ts";
import { numbersAt } from "./arrays.ts";
import { datasetAt, elementsOf, heard, type Opened, openHDF5 } from "./hdf5.ts";
import type { EventRecording, SpikeRecordings } from "./recording.ts";

/** Channels of the model. */
const CHANNELS = 700;

/** Opens a file: see readSHD. */
export async function openSpikes(file: Uint8Array | ArrayBuffer): Promise<SpikeRecordings> {
  const where = "readSHD";
  const opened = await openHDF5(where, bytesOf(where, file));
  try {
    return heard(where, opened.module, "spikes and labels", () => recordingsOf(where, opened));
  } catch (cause) {
    opened.close();
    throw cause;
  }
}

function recordingsOf(where: string, opened: Opened): SpikeRecordings {
  const { module, close } = opened;
  const [times, units, labels] = ["spikes/times", "spikes/units", "labels"].map((path) => {
    const found = datasetAt(where, opened, path);
    if (found !== null && found.shape?.length === 1) return found;
    throw new RangeError(`${where}: expected HDF5 with spikes/times, spikes/units and labels, got no list ${path}`);
  }) as [Dataset, Dataset, Dataset];
  const speakers = datasetAt(where, opened, "extra/speaker");
  const keys = datasetAt(where, opened, "extra/keys")?.value;
  const length = labels.shape?.[0] ?? 0;
  const index: Range = {
    expected: `an integer in [0, ${length})`,
    fits: (i) => Number.isInteger(i) && i >= 0 && i < length,
  };
  if (times.shape?.[0] !== length || units.shape?.[0] !== length) {
    throw new RangeError(`${where}: expected as many recordings as labels, got ${times.shape?.[0]} and ${length}`);
  }
  if (speakers !== null && (speakers.shape?.length !== 1 || speakers.shape[0] !== length)) {
    const got = JSON.stringify(speakers.shape);
    throw new RangeError(`${where}: expected a list of ${length} speakers at extra/speaker, got shape ${got}`);
  }
  let isOpen = true;
  return {
    length,
    labels: Uint16Array.from(labels.value as ArrayLike<number>, Number),
    keys: Array.isArray(keys) ? keys.map(String) : [],
    speakers: speakers === null ? null : Uint16Array.from(speakers.value as ArrayLike<number>, Number),
    get(i) {
      if (!isOpen) throw new Error(`${where}: expected recordings that are open, got closed ones`);
      numberOf(where, "the index of a recording", i, index);
      return heard(where, module, `recording ${i}`, () =>
        recordingOf(where, i, listAt(module, times, i), listAt(module, units, i)),
      );
    },
    close() {
      if (isOpen) close();
      isOpen = false;
    },
  };
}

type Dataset = NonNullable<ReturnType<typeof datasetAt>>;
type Module = Opened["module"];

/** The numbers of one list, by its index in a dataset of lists. */
function listAt(module: Module, dataset: Dataset, index: number): Float64Array {
  const { type, size, signed } = dataset.metadata.vlen_type ?? dataset.metadata;
  return elementsOf(module, dataset, index, index + 1, (memory, at) => {
    const view = new DataView(memory.buffer);
    // [length: 32 bits] [address: 32 bits]
    const length = view.getUint32(at, true);
    const address = view.getUint32(at + 4, true);
    const kind = `${type === 1 ? "f" : signed ? "i" : "u"}${size}`;
    const values = address + length * size > memory.length ? null : numbersAt(view, kind, address, length, size);
    if (values === null) {
      throw new RangeError(
        `readSHD: expected ${dataset.path} as lists of numbers, got ${JSON.stringify(dataset.dtype)}`,
      );
    }
    module.reclaim_vlen_memory_count(dataset.file_id, dataset.path, "", BigInt(at), [1n]);
    return values;
  });
}

function recordingOf(where: string, index: number, seconds: Float64Array, units: Float64Array): EventRecording {
  const n = seconds.length;
  if (units.length !== n) {
    throw new RangeError(`${where}: expected a unit for each time of recording ${index}, got ${units.length} and ${n}`);
  }
  const t = seconds.map((time) => Math.round(time * 1e6));
  const x = Uint16Array.from(units);
  const wrong = t.findIndex(
    (time, i) => !Number.isSafeInteger(time) || !((units[i] as number) >= 0 && (units[i] as number) < CHANNELS),
  );
  if (wrong >= 0) {
    throw new RangeError(
      `${where}: expected seconds and a channel in [0, 700) in recording ${index}, got ${seconds[wrong]}, ${units[wrong]}`,
    );
  }
  if (t.some((time, i) => i > 0 && time < (t[i - 1] as number))) {
    const order = Array.from(t.keys()).sort((a, b) => (t[a] as number) - (t[b] as number));
    t.set(order.map((i) => t[i] as number));
    x.set(order.map((i) => x[i] as number));
  }
  return { t, x, y: new Uint16Array(n), p: new Uint8Array(n).fill(1), width: CHANNELS, height: 1 };
}
