/** Spikes of the Heidelberg data sets: recordings of spoken words as spikes of 700 channels of a model of the inner ear. */
import { bytesOf, numberOf, type Range } from "../../engine/arguments.ts";
import { datasetAt, elementsOf, openHDF5, ownError } from "./hdf5.ts";
import type { EventRecording } from "./recording.ts";
import type { SpikeRecordings } from "./shd.ts";

/** Channels of the model. */
const CHANNELS = 700;

/** Opens a file: see readSHD. */
export async function openSpikes(file: Uint8Array | ArrayBuffer): Promise<SpikeRecordings> {
  const where = "readSHD";
  const opened = await openHDF5(where, bytesOf(where, file));
  const { module, close } = opened;
  try {
    const [times, units, labels] = ["spikes/times", "spikes/units", "labels"].map((path) => {
      const found = datasetAt(opened.file, path);
      if (found !== null && found.shape?.length === 1) return found;
      throw new RangeError(`${where}: expected HDF5 with spikes/times, spikes/units and labels, got no list ${path}`);
    }) as [Dataset, Dataset, Dataset];
    const speakers = datasetAt(opened.file, "extra/speaker");
    const keys = datasetAt(opened.file, "extra/keys")?.value;
    const length = labels.shape?.[0] ?? 0;
    const index: Range = {
      expected: `an integer in [0, ${length})`,
      fits: (i) => Number.isInteger(i) && i >= 0 && i < length,
    };
    if (times.shape?.[0] !== length || units.shape?.[0] !== length) {
      throw new RangeError(`${where}: expected as many recordings as labels, got ${times.shape?.[0]} and ${length}`);
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
        try {
          return recordingOf(where, i, listAt(module, times, i), listAt(module, units, i));
        } catch (cause) {
          throw ownError(where, cause);
        }
      },
      close() {
        if (isOpen) close();
        isOpen = false;
      },
    };
  } catch (cause) {
    close();
    throw ownError(where, cause);
  }
}

type Dataset = NonNullable<ReturnType<typeof datasetAt>>;
type Module = Awaited<ReturnType<typeof openHDF5>>["module"];

/** The numbers of the list that a dataset of lists has at an index. */
function listAt(module: Module, dataset: Dataset, index: number): Float64Array {
  const { type, size, signed } = dataset.metadata.vlen_type ?? dataset.metadata;
  return elementsOf(module, dataset, index, index + 1, (memory, at) => {
    const view = new DataView(memory.buffer);
    // [length: 32 bits] [address: 32 bits]
    const length = view.getUint32(at, true);
    const address = view.getUint32(at + 4, true);
    const read = NUMBERS[`${type === 1 ? "f" : signed ? "i" : "u"}${size}`];
    if (read === undefined || address + length * size > memory.length) {
      throw new RangeError(
        `readSHD: expected ${dataset.path} as lists of numbers, got ${JSON.stringify(dataset.dtype)}`,
      );
    }
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = read(view, address + i * size);
    module.reclaim_vlen_memory_count(dataset.file_id, dataset.path, "", BigInt(at), [1n]);
    return values;
  });
}

const NUMBERS: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  u1: (view, at) => view.getUint8(at),
  u2: (view, at) => view.getUint16(at, true),
  u4: (view, at) => view.getUint32(at, true),
  u8: (view, at) => Number(view.getBigUint64(at, true)),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at) => view.getInt16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  i8: (view, at) => Number(view.getBigInt64(at, true)),
  f2: (view, at) => halfOf(view.getUint16(at, true)),
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
};

const half = new DataView(new ArrayBuffer(4));

/** The number that 16 bits are: [sign: 1] [exponent: 5] [fraction: 10]. */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const sign = bits >> 15 === 0 ? 1 : -1;
  if (exponent === 0) return (sign * (bits & 0x3ff)) / 2 ** 24;
  if (exponent === 31) return Number.NaN;
  half.setUint32(0, ((exponent + 112) << 23) | ((bits & 0x3ff) << 13));
  return sign * half.getFloat32(0);
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
