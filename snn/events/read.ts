/** Reads files of event cameras: recognises the format, reads whole files, or reads them in parts. */
import { bytesOf, COUNT, choiceOf, numberOf, withDefaults } from "../../engine/arguments.ts";
import { Bound } from "./bound.ts";
import { SIDE } from "./checked.ts";
import type { Streamed, Whole } from "./decoder.ts";
import type { EventFormat } from "./formats.ts";
import { type EventStream, LONGEST_HEADER, StreamInput } from "./input.ts";
import { EventColumns, type ReadRecording } from "./recording.ts";

/** Dynamic imports: the first file loads the format detection, the first file of a format its reader. */
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
  /** Format of the file; default: detected from its first bytes. */
  format?: EventFormat | null;
  /** Whether damage is skipped and counted instead of thrown; default false. */
  recover?: boolean;
  /** Width of the sensor in pixels; default: from the file or its format, otherwise 1 + the largest coordinate. */
  width?: number | null;
  /** Height of the sensor in pixels, with the same default. */
  height?: number | null;
  /**
   * "expelliarmus" reads EVT 3.0 with the times of that package, which adds 4096 µs whenever the lower twelve bits of a time fall, whether or
   * not the higher bits rise. Default: the times of the camera.
   */
  numerics?: "expelliarmus" | null;
  /**
   * Largest number of bytes for the recording (13 an event) and for unpacked data. Compressed files (AEDAT 4 with LZ4 or Zstandard, npz, HDF5)
   * have the default 2³⁰, or 16 times the file size if that is more. Other formats, and {@link readEventChunks}, are unbounded by default.
   * Infinity means no bound.
   */
  maxBytes?: number | null;
}

/** Options of {@link readEventChunks}. */
export interface ReadEventChunksOptions extends ReadEventsOptions {
  /** Least number of events of each part except the last; default 100 000. */
  events?: number;
}

const WHOLE = {
  format: null as EventFormat | null,
  recover: false,
  width: null as number | null,
  height: null as number | null,
  numerics: null as "expelliarmus" | null,
  maxBytes: null as number | null,
} satisfies Record<keyof ReadEventsOptions, unknown>;

const CHUNKS = { ...WHOLE, events: 100_000 } satisfies Record<keyof ReadEventChunksOptions, unknown>;

/** Bytes that are decoded at once when a file is read in parts. */
const PIECE = 1 << 18;

interface Settings {
  readonly format: EventFormat | null;
  readonly columns: EventColumns;
  readonly events: number;
}

/** Checks options; `file` is the size of a whole file, Infinity for parts. */
function settingsOf(where: string, defaults: typeof WHOLE | typeof CHUNKS, options: object, file: number): Settings {
  const {
    format,
    recover,
    width,
    height,
    numerics,
    maxBytes,
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
      new Bound(where, maxBytes, file),
    ),
    events: numberOf(where, "events", events, COUNT),
  };
}

/**
 * Reads a recording of an event camera: AEDAT 2.0, 3.1 and 4 of iniVation, RAW files with EVT 2.0, 2.1 and 3.0, DAT and HDF5 of
 * Prophesee, the binary files of N-MNIST and N-Caltech101, npz of SpikingJelly, HDF5 of DSEC.
 *
 * Times that wrap around in the file are unwrapped, in whole microseconds. The sensor size comes from the file or its format, otherwise from the
 * largest coordinates. From AEDAT 4, the first stream of events is read. Packets compressed by Zstandard need the optional peer dependency `fzstd`,
 * HDF5 files `h5wasm`, and files of DSEC `h5wasm-plugins`.
 *
 * Untrusted files are safe to read: the recording and unpacked data take at most `maxBytes`, and headers at most 4 MiB.
 *
 * @param bytes The file, a Uint8Array or ArrayBuffer.
 * @returns The recording, with the number of `dropped` pieces.
 * @throws RangeError for an unknown format, and with the byte offset for damage: a file that ends too early, a time that runs backwards, a pixel off
 *   the sensor, an invalid packet. With `recover`, damage is skipped: the largest set of events with ascending times is returned. RangeError in any
 *   case if more than `maxBytes` would be used, and for a web page.
 * @throws Error with the name of a required package that is not installed, or of an HDF5 filter that no package supports.
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
  const file = bytesOf(where, bytes);
  const { format, columns } = settingsOf(where, WHOLE, options, file.length);
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
 * Reads a recording in consecutive parts, and holds only a few pieces of the file in memory; see {@link readEvents}.
 *
 * If the file does not specify a sensor, a part has the size of the largest coordinates so far. HDF5 and npz files, which cannot be read in order,
 * are kept in memory as a whole. With `recover`, a part is returned after the next one was read, since the times of the next part show which events are wrong.
 *
 * @param stream The bytes of the file in order: a ReadableStream of the web or of Node, or an iterable of Uint8Array.
 * @returns An async iterable of recordings that can be iterated once.
 * @throws As readEvents, after the parts before the damage were returned.
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
  const { format, columns, events } = settingsOf(where, CHUNKS, options, Infinity);
  const input = new StreamInput(where, stream);
  try {
    let head = await input.upTo(LONGEST_HEADER);
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
        // If a unit is longer than the piece, doubles the piece.
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

/** Parts of a recording, as copies of its columns. */
function* partsOf(whole: ReadRecording, events: number): Iterable<ReadRecording> {
  for (let from = 0; from < whole.t.length; from += events) {
    const cut = <T extends { slice(a: number, b: number): T }>(column: T): T => column.slice(from, from + events);
    const { t, x, y, p, dropped } = whole;
    yield { ...whole, t: cut(t), x: cut(x), y: cut(y), p: cut(p), dropped: from === 0 ? dropped : 0 };
  }
}

/** The reader of the named format, or of the format detected from the first bytes. */
async function formatOf(
  where: string,
  format: EventFormat | null,
  bytes: Uint8Array,
): Promise<Partial<Streamed & Whole>> {
  return await FORMATS[(await import("./formats.ts")).checkedFormat(where, format, bytes)]();
}
