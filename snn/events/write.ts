/** Writers of recordings: EVT 3.0, AEDAT 4 and npz. */
import { choiceOf, wrongValue } from "../../engine/arguments.ts";
import { checkedRecording } from "./checked.ts";
import { AEDAT4_LINE, joinedBytes } from "./input.ts";
import type { EventRecording } from "./recording.ts";

/** Formats of {@link writeEvents}. */
export type EventWriteFormat = "evt3" | "aedat4" | "npz";

const WRITERS: Readonly<Record<EventWriteFormat, (events: EventRecording) => Uint8Array<ArrayBuffer>>> = {
  evt3: writeEVT3,
  aedat4: writeAEDAT4,
  npz: writeNPZ,
};

const LIMITS: Readonly<
  Record<EventWriteFormat, { readonly side: number; readonly first: number; readonly last: number }>
> = {
  evt3: { side: 2 ** 11, first: 0, last: 2 ** 40 },
  aedat4: { side: 2 ** 15, first: Number.MIN_SAFE_INTEGER, last: Number.MAX_SAFE_INTEGER },
  npz: { side: 2 ** 16, first: Number.MIN_SAFE_INTEGER, last: Number.MAX_SAFE_INTEGER },
};

/**
 * Writes a recording as a file, from which {@link readEvents} restores it exactly.
 *
 * "evt3" is RAW with EVT 3.0 of Prophesee: sensors of up to 2048 × 2048 pixels, times in [0, 2⁴⁰] µs since the camera was switched on. "aedat4" is
 * AEDAT 4 of iniVation without compression: up to 32768 × 32768. "npz" is NumPy's archive with SpikingJelly's arrays t, x, y, p, plus width and
 * height.
 *
 * @param events The recording.
 * @returns The bytes of the file.
 * @throws TypeError for a recording with arrays of the wrong types; RangeError for times that are not whole microseconds or not ascending, pixels off
 *   the sensor, polarities other than 0 and 1, and a recording that the format cannot represent.
 *
 * @example
 * ```ts
 * import { readEvents, writeEvents } from "jarvis-snn/events";
 *
 * const recording = {
 *   t: Float64Array.of(0, 40),
 *   x: Uint16Array.of(0, 2),
 *   y: Uint16Array.of(0, 1),
 *   p: Uint8Array.of(1, 0),
 *   width: 3,
 *   height: 2,
 * };
 * const { p } = await readEvents(writeEvents(recording, "npz"));
 * console.log([...p]); // [ 1, 0 ]
 * ```
 */
export function writeEvents(events: EventRecording, format: EventWriteFormat): Uint8Array<ArrayBuffer> {
  const where = "writeEvents";
  const name = choiceOf(where, "format", format, Object.keys(WRITERS) as EventWriteFormat[]);
  const recording = checkedRecording(where, events);
  checkLimits(where, recording, name);
  return WRITERS[name](recording);
}

/** Throws for a sensor or a time that a format cannot represent. */
function checkLimits(where: string, { t, width, height }: EventRecording, format: EventWriteFormat): void {
  const { side, first, last } = LIMITS[format];
  if (width > side || height > side) {
    throw wrongValue(where, `a sensor of at most ${side} × ${side} pixels for ${format}`, `${width} × ${height}`);
  }
  for (let i = 0; i < t.length; i++) {
    const time = t[i] as number;
    if (time >= first && time <= last && Number.isInteger(time)) continue;
    const hint = time > last ? "; subtract the first time from all" : "";
    throw wrongValue(where, `t as whole microseconds in [${first}, ${last}] for ${format}`, `${time} at ${i}${hint}`);
  }
}

const encoder = new TextEncoder();

/** Largest step of a time's high bits, 2²² µs: a quarter of their range, so that no step looks like a wrap. */
const LEAP = 1024;
/** Pixels of a row that one vector covers, 12 + 12 + 8, and the words that it takes. */
const VECTOR = 32;
const VECTOR_WORDS = 4;

function writeEVT3({ t, x, y, p, width, height }: EventRecording): Uint8Array<ArrayBuffer> {
  const header = encoder.encode(
    `% evt 3.0\n% format EVT3;height=${height};width=${width}\n% geometry ${width}x${height}\n% end\n`,
  );
  const n = t.length;
  // A time takes two words; a row and a column one each.
  const leaps = n === 0 ? 0 : Math.ceil((t[n - 1] as number) / 4096 / LEAP);
  const words = new Uint16Array(4 * n + leaps + 1);
  let length = 0;
  let high = -1;
  let time = -1;
  let row = -1;
  for (let i = 0; i < n; ) {
    const now = t[i] as number;
    if (now !== time) {
      const target = Math.floor(now / 4096);
      for (; high + LEAP < target; words[length++] = 0x8000 | (high % 4096)) high += LEAP;
      if (high !== target) words[length++] = 0x8000 | (target % 4096);
      high = target;
      words[length++] = 0x6000 | (now % 4096);
      time = now;
    }
    const line = y[i] as number;
    if (line !== row) words[length++] = line;
    row = line;
    const on = (p[i] as number) << 11;
    const base = Math.min(x[i] as number, Math.max(0, width - VECTOR));
    let end = i + 1;
    const isNext = (k: number): boolean =>
      k < n &&
      t[k] === now &&
      y[k] === line &&
      p[k] === p[i] &&
      (x[k] as number) > (x[k - 1] as number) &&
      (x[k] as number) < base + VECTOR;
    while (isNext(end)) end++;
    if (end - i <= VECTOR_WORDS || width < VECTOR) {
      words[length++] = 0x2000 | on | (x[i++] as number);
      continue;
    }
    let mask = 0;
    for (; i < end; i++) mask |= 1 << ((x[i] as number) - base);
    words[length++] = 0x3000 | on | base;
    words[length++] = 0x4000 | (mask & 0xfff);
    words[length++] = 0x4000 | ((mask >>> 12) & 0xfff);
    words[length++] = 0x5000 | (mask >>> 24);
  }
  const file = new Uint8Array(header.length + 2 * length);
  file.set(header);
  file.set(new Uint8Array(words.buffer, 0, 2 * length), header.length);
  return file;
}

/** Most events in a packet, bytes per event, and bytes before the events. */
const PACKET = 8192;
const EVENT = 16;
const BEFORE = 8 + 32;

function writeAEDAT4({ t, x, y, p, width, height }: EventRecording): Uint8Array<ArrayBuffer> {
  const n = t.length;
  const packets = Math.ceil(n / PACKET);
  const header = aedat4Header(width, height);
  const file = new Uint8Array(header.length + packets * BEFORE + n * EVENT);
  file.set(header);
  const view = new DataView(file.buffer);
  let at = header.length;
  for (let first = 0; first < n; first += PACKET) {
    const count = Math.min(PACKET, n - first);
    const bytes = 32 + count * EVENT;
    // [stream] [bytes] | [size] [root] EVTS [vtable: 6, 8, 4] [table: vtable, vector] [count] events
    const words = [0, bytes, bytes - 4, 16, 0x53545645, 0x00080006, 4, 8, 4, count];
    for (const word of words) {
      view.setUint32(at, word, true);
      at += 4;
    }
    for (let i = first; i < first + count; i++, at += EVENT) {
      setInt64(view, at, t[i] as number);
      view.setUint16(at + 8, x[i] as number, true);
      view.setUint16(at + 10, y[i] as number, true);
      view.setUint8(at + 12, p[i] as number);
    }
  }
  return file;
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** The first line, and the flatbuffer that describes one uncompressed stream of events. */
function aedat4Header(width: number, height: number): Uint8Array {
  const attribute = (key: string, type: string, value: string | number) =>
    `<attr key="${key}" type="${type}">${value}</attr>`;
  const path = "/mainloop/Recorder/outInfo/";
  const info = encoder.encode(
    `<dv version="2.0"><node name="outInfo" path="${path}"><node name="0" path="${path}0/">` +
      attribute("compression", "string", "NONE") +
      attribute("originalModuleName", "string", "jarvis-snn") +
      attribute("originalOutputName", "string", "events") +
      attribute("typeDescription", "string", "Array of events (polarity ON/OFF).") +
      attribute("typeIdentifier", "string", "EVTS") +
      `<node name="info" path="${path}0/info/">` +
      attribute("sizeX", "int", width) +
      attribute("sizeY", "int", height) +
      attribute("source", "string", "jarvis-snn") +
      "</node></node></node></dv>",
  );
  const line = encoder.encode(AEDAT4_LINE);
  // [size] [root] IOHE [vtable: 10, 8, 0, 0, 4] [padding] [table: vtable, text] [length] text [0, padding]
  const size = 36 + ((info.length + 4) & ~3);
  const file = new Uint8Array(line.length + size);
  file.set(line);
  const view = new DataView(file.buffer, line.length);
  const words = [size - 4, 20, 0x45484f49, 0x0008000a, 0, 4, 12, 4, info.length];
  words.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  file.set(info, line.length + 36);
  return file;
}

/** Table of CRC-32, the checksum of zip files, with reflected bits. */
let remainders: Uint32Array | null = null;

function checksumOf(bytes: Uint8Array): number {
  remainders ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest & 1) !== 0 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  const table = remainders;
  let rest = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) rest = (table[(rest ^ (bytes[i] as number)) & 0xff] as number) ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** The bytes of numbers, little-endian. */
const raw = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array | Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function writeNPZ({ t, x, y, p, width, height }: EventRecording): Uint8Array<ArrayBuffer> {
  const n = t.length;
  const times = new Uint8Array(8 * n);
  const view = new DataView(times.buffer);
  for (let i = 0; i < n; i++) setInt64(view, 8 * i, t[i] as number);

  const parts = [
    ["t", "<i8", `(${n},)`, times],
    ["x", "<u2", `(${n},)`, raw(x)],
    ["y", "<u2", `(${n},)`, raw(y)],
    ["p", "|u1", `(${n},)`, raw(p)],
    ["width", "<u4", "()", raw(Uint32Array.of(width))],
    ["height", "<u4", "()", raw(Uint32Array.of(height))],
  ] as const;
  const locals: Uint8Array[] = [];
  const table: Uint8Array[] = [];
  let at = 0;
  for (const [name, type, shape, values] of parts) {
    const array = joinedBytes([arrayHeader(type, shape), values]);
    const file = encoder.encode(`${name}.npy`);
    // Fields shared by both records of an entry: version, no flags, stored, 1 January 1980, checksum, sizes, the length of the name, and 0 for
    // the length of extra fields.
    const [checksum, size] = [checksumOf(array), array.length];
    const facts = joinedBytes([
      raw(Uint16Array.of(20, 0, 0, 0, 33)),
      raw(Uint32Array.of(checksum, size, size)),
      raw(Uint16Array.of(file.length, 0)),
    ]);
    const local = joinedBytes([raw(Uint32Array.of(0x04034b50)), facts, file, array]);
    const begin = [raw(Uint32Array.of(0x02014b50)), raw(Uint16Array.of(20))];
    table.push(joinedBytes([...begin, facts, raw(Uint16Array.of(0, 0, 0, 0, 0)), raw(Uint32Array.of(at)), file]));
    locals.push(local);
    at += local.length;
    if (at >= 2 ** 32 - 1) throw wrongValue("writeEvents", "events for an npz file below 4 GB", n);
  }
  const entries = joinedBytes(table);
  const [count, size] = [parts.length, entries.length];
  const end = [raw(Uint32Array.of(0x06054b50)), raw(Uint16Array.of(0, 0, count, count)), raw(Uint32Array.of(size, at))];
  return joinedBytes([...locals, entries, ...end, raw(Uint16Array.of(0))]);
}

/** A NumPy header, padded so that the values start at a multiple of 64 bytes. */
function arrayHeader(type: string, shape: string): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = encoder.encode(`?NUMPY??${"??"}${text.padEnd(length - 1)}\n`);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  return header;
}
