/** Readers of files of event cameras: recognition of the format, whole files, and files piece by piece. */
import { bytesOf, COUNT, choiceOf, numberOf, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { SIDE } from "./checked.ts";
import { asciiText, type Streamed, type Whole } from "./decoder.ts";
import { type EventFormat, eventFormatAt } from "./formats.ts";
import { type EventStream, StreamInput } from "./input.ts";
import { EventColumns, type ReadRecording } from "./recording.ts";

/** The first file of a format loads its reader. */
const evt = async (name: "evt2" | "evt21" | "evt3") => ({ open: (await import("./evt.ts"))[name] });
const records = async (name: "aedat2" | "dat" | "ncaltech101" | "nmnist") => ({
  open: (await import("./records.ts"))[name],
});

const FORMATS = {
  aedat2: () => records("aedat2"),
  "aedat3.1": async () => ({ open: (await import("./aedat31.ts")).aedat31 }),
  aedat4: async () => ({ open: (await import("./aedat4.ts")).aedat4 }),
  evt2: () => evt("evt2"),
  "evt2.1": () => evt("evt21"),
  evt3: () => evt("evt3"),
  dat: () => records("dat"),
  nmnist: () => records("nmnist"),
  ncaltech101: () => records("ncaltech101"),
  npz: async () => ({ read: (await import("./npz.ts")).npz }),
  hdf5: async () => ({ read: (await import("./hdf5.ts")).hdf5 }),
} satisfies Record<EventFormat, () => Promise<Streamed | Whole>>;

/** Options of {@link readEvents}. */
export interface ReadEventsOptions {
  /** The format; by default, the first bytes of the file tell. */
  format?: EventFormat | null;
  /** Whether damage is left out and counted instead of thrown; default false. */
  recover?: boolean;
  /** Pixels of a row of the sensor; by default as the file or its format has it, otherwise 1 + the largest coordinate. */
  width?: number | null;
  /** Rows of the sensor, in the same way. */
  height?: number | null;
  /**
   * "expelliarmus": EVT 3.0 with the times of that package, which takes each fall of the lower twelve bits of a time for 4096 µs more,
   * whether the higher bits rise with it or not. By default, the times of the camera.
   */
  numerics?: "expelliarmus" | null;
}

/** Options of {@link readEventChunks}. */
export interface ReadEventChunksOptions extends ReadEventsOptions {
  /** Events that each part has at least, but for the last one; default 100 000. */
  events?: number;
}

const WHOLE = {
  format: null as EventFormat | null,
  recover: false,
  width: null as number | null,
  height: null as number | null,
  numerics: null as "expelliarmus" | null,
} satisfies Record<keyof ReadEventsOptions, unknown>;

const CHUNKS = { ...WHOLE, events: 100_000 } satisfies Record<keyof ReadEventChunksOptions, unknown>;

/** Bytes within which every header ends. */
const HEAD = 1 << 22;
/** Bytes that are decoded together, where a file is read in parts. */
const PIECE = 1 << 18;

interface Settings {
  readonly format: EventFormat | null;
  readonly columns: EventColumns;
  readonly events: number;
}

function settingsOf(where: string, defaults: typeof WHOLE | typeof CHUNKS, options: object): Settings {
  const {
    format,
    recover,
    width,
    height,
    numerics,
    events = 1,
  } = withDefaults(where, defaults as typeof CHUNKS, options);
  const side = (name: string, value: number | null) => (value === null ? 0 : numberOf(where, name, value, SIDE));
  return {
    format: format === null ? null : choiceOf(where, "format", format, Object.keys(FORMATS) as EventFormat[]),
    columns: new EventColumns(
      where,
      recover,
      side("width", width),
      side("height", height),
      numerics === null ? null : choiceOf(where, "numerics", numerics, ["expelliarmus"] as const),
    ),
    events: numberOf(where, "events", events, COUNT),
  };
}

/**
 * Reads a recording of an event camera: AEDAT 2.0, 3.1 and 4 of iniVation, RAW files with EVT 2.0, 2.1 and 3.0, DAT and HDF5 of
 * Prophesee, the binary files of N-MNIST and N-Caltech101, npz of SpikingJelly, HDF5 of DSEC.
 *
 * Times that wrap around in a file go on here, in whole microseconds. The sensor has the size that the file or its
 * format names, else the size that the largest coordinates need. Of AEDAT 4, the first stream of events is read.
 * Packets compressed by Zstandard need the optional peer `fzstd`, HDF5 files `h5wasm`, and files of DSEC
 * `h5wasm-plugins`.
 *
 * @param bytes The file, a Uint8Array or ArrayBuffer.
 * @returns The recording, with the number of pieces that were `dropped`.
 * @throws RangeError for a file of no such format, and with the place of the first byte for damage: a file that ends too early, a time
 *   that runs backwards, a pixel off the sensor, bytes that are no packet. With `recover`, the sound rest is returned: the most events
 *   whose times do not fall.
 * @throws Error that names the package that the file needs where it is not installed, or the filter of an HDF5 file that no package has.
 *
 * @example
 * ```ts
 * import { readEvents, writeEvents } from "jarvis-snn/events";
 *
 * const file = writeEvents(
 *   {
 *     t: Float64Array.of(100, 2500), // µs
 *     x: Uint16Array.of(3, 4),
 *     y: Uint16Array.of(10, 11),
 *     p: Uint8Array.of(1, 0),
 *     width: 640,
 *     height: 480,
 *   },
 *   "evt3",
 * ); // or await readFile("recording.raw")
 * const { t, x, width } = await readEvents(file); // the format is recognised
 * console.log([...t], [...x], width); // [ 100, 2500 ] [ 3, 4 ] 640
 * ```
 */
export async function readEvents(
  bytes: Uint8Array | ArrayBuffer,
  options: Readonly<ReadEventsOptions> = WHOLE,
): Promise<ReadRecording> {
  const where = "readEvents";
  const { format, columns } = settingsOf(where, WHOLE, options);
  const file = bytesOf(where, bytes);
  const { open, read } = await formatOf(where, format, file);
  if (read !== undefined) await read(file, columns);
  else if (open !== undefined) {
    const decoder = await open({ bytes: file, columns });
    const taken = decoder.start + decoder.decode(file.subarray(decoder.start), decoder.start, true);
    if (taken < file.length) columns.damaged(taken, `${decoder.unit}`, `the end of the file`);
  }
  if (columns.recover) columns.order();
  return columns.take();
}

/**
 * Reads a recording piece by piece, with memory for a few pieces alone, as parts that follow each other: see {@link readEvents}.
 *
 * A part of a file that names no sensor has the size of the largest coordinates so far. HDF5 and npz files, whose parts lie anywhere, are
 * kept in memory as a whole. With `recover`, a part is given once the next part is read, whose times show which events are wrong.
 *
 * @param stream The bytes of the file in order: a ReadableStream of the web or of Node, or an iterable of Uint8Array.
 * @returns An async iterable of recordings that can be run through once.
 * @throws As readEvents, once the parts before the damage have been given.
 *
 * @example
 * ```ts
 * import { readEventChunks, writeEvents } from "jarvis-snn/events";
 *
 * const t = Float64Array.from({ length: 10_000 }, (_, i) => 7 * i);
 * const x = new Uint16Array(10_000).fill(1);
 * const file = writeEvents({ t, x, y: x, p: new Uint8Array(10_000), width: 320, height: 240 }, "aedat4");
 * let count = 0;
 * // In Node: readEventChunks(createReadStream("recording.aedat4"))
 * for await (const part of readEventChunks([file], { events: 1000 })) count += part.t.length;
 * console.log(count); // 10000
 * ```
 */
export async function* readEventChunks(
  stream: EventStream,
  options: Readonly<ReadEventChunksOptions> = CHUNKS,
): AsyncGenerator<ReadRecording, void, void> {
  const where = "readEventChunks";
  const { format, columns, events } = settingsOf(where, CHUNKS, options);
  const input = new StreamInput(where, stream);
  try {
    let head = await input.upTo(HEAD);
    const { open, read } = await formatOf(where, format, head);
    if (read !== undefined) {
      while (!input.ended) head = await input.upTo(2 * head.length);
      await read(head, columns);
      if (columns.recover) columns.order();
      yield* partsOf(columns.take(), events);
    } else if (open !== undefined) {
      const decoder = await open({ bytes: head, columns });
      input.skip(decoder.start);
      let held = 0;
      let size = PIECE;
      while (true) {
        const bytes = await input.upTo(size);
        const isLast = input.ended && bytes.length <= size;
        const piece = bytes.subarray(0, size);
        const taken = decoder.decode(piece, input.at, isLast);
        input.skip(taken);
        if (isLast && taken < piece.length) columns.damaged(input.at, decoder.unit, "the end of the file");
        if (isLast) break;
        // A unit that is longer than the piece.
        size = taken === 0 ? 2 * size : PIECE;
        if (!columns.recover) {
          if (columns.length >= events) yield columns.take();
        } else if (columns.length - held >= events) {
          const sound = columns.order(held);
          if (sound > 0) yield columns.take(sound);
          held = columns.length;
        }
      }
      if (columns.recover) columns.order();
    }
    if (columns.length > 0 || columns.dropped > 0) yield columns.take();
  } finally {
    await input.close();
  }
}

/** Parts of a recording, copies of its columns. */
function* partsOf(whole: ReadRecording, events: number): Iterable<ReadRecording> {
  for (let from = 0; from < whole.t.length; from += events) {
    const cut = <T extends { slice(a: number, b: number): T }>(column: T): T => column.slice(from, from + events);
    const { t, x, y, p, dropped } = whole;
    yield { ...whole, t: cut(t), x: cut(x), y: cut(y), p: cut(p), dropped: from === 0 ? dropped : 0 };
  }
}

/** The named format, or the one that the first bytes of a file have. */
async function formatOf(
  where: string,
  format: EventFormat | null,
  bytes: Uint8Array,
): Promise<Partial<Streamed & Whole>> {
  const found = eventFormatAt(bytes);
  if (format === null && found === null) {
    const first = asciiText(bytes, 0, 16);
    throw wrongValue(where, "the beginning of a recording of a format that is known", JSON.stringify(first));
  }
  return await FORMATS[(format ?? found) as EventFormat]();
}
