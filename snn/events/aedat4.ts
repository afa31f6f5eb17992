/**
 * AEDAT 4: the line "#!AER-DAT4.0\r\n"; a flatbuffer with the compression, the offset of a packet table at the end of the file, and an XML
 * text about the streams; then packets of [stream: 32 bits] [bytes: 32 bits] and a flatbuffer, compressed or not. Numbers are little-endian.
 * An event is [microseconds: 64 bits] [x: 16] [y: 16] [p: 8] and three bytes of padding.
 *
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html
 * @see https://flatbuffers.dev/internals/
 */
import { wrongValue } from "../../engine/arguments.ts";
import { alignedBytes, asciiText, type Decoder, type FileStart, u32 } from "./decoder.ts";
import { AEDAT4_LINE, LONGEST_HEADER } from "./input.ts";
import { LZ4_MAGIC, lz4 } from "./lz4.ts";
import { LONGEST_PACKET, packets } from "./packets.ts";
import { ZSTD_MAGIC, zstdOf } from "./peers.ts";
import type { EventColumns } from "./recording.ts";

/** Compressions by their number in the header, and the first bytes of compressed data. */
const COMPRESSIONS = ["none", "lz4", "lz4", "zstd", "zstd"] as const;
const MAGIC = { none: -1, lz4: LZ4_MAGIC, zstd: ZSTD_MAGIC };
/** Bytes of the smallest packet: its header, and a flatbuffer with its size, root, name and an empty table. */
const SMALLEST = 8 + 12;
/** Bytes of an event. */
const EVENT = 16;
/** Last time that is an exact integer here, in the year 2255. */
const LAST = Number.MAX_SAFE_INTEGER;

/** Offset of a field of the flatbuffer whose size is at `from`; 0 if it is absent or outside of the bytes. */
function fieldOf(bytes: Uint8Array, from: number, field: number): number {
  const table = from + 4 + u32(bytes, from + 4);
  // For bytes beyond the end this is NaN, which fails both tests.
  if (!(table + 4 <= bytes.length)) return 0;
  const vtable = table - (u32(bytes, table) | 0);
  const entry = vtable + 4 + 2 * field;
  if (!(vtable >= from && entry + 2 <= bytes.length)) return 0;
  const size = (bytes[vtable] as number) | ((bytes[vtable + 1] as number) << 8);
  const offset = (bytes[entry] as number) | ((bytes[entry + 1] as number) << 8);
  return entry + 2 <= vtable + size && offset > 0 && table + offset + 4 <= bytes.length ? table + offset : 0;
}

/** Offset and length of a vector or text; null if it does not fit into the bytes. */
function vectorOf(bytes: Uint8Array, from: number, field: number, size: number): { at: number; length: number } | null {
  const place = fieldOf(bytes, from, field);
  if (place === 0) return { at: 0, length: 0 };
  const at = place + u32(bytes, place);
  if (at + 4 > bytes.length) return null;
  const length = u32(bytes, at);
  return at + 4 + size * length <= bytes.length ? { at: at + 4, length } : null;
}

/**
 * Numbers of all streams in their description, and the first event stream with its sensor size. A stream is a node whose name is a number;
 * nodes inside of it have other names.
 */
function streamOf(text: string): { ids: ReadonlySet<number>; events: number | null; width: number; height: number } {
  const nodes: [id: number, text: string][] = [];
  for (const part of text.split('<node name="').slice(1)) {
    const id = /^(\d{1,10})"/.exec(part)?.[1];
    const last = nodes[nodes.length - 1];
    if (id !== undefined) nodes.push([Number(id), part]);
    else if (last !== undefined) last[1] += part;
  }
  const ids = new Set(nodes.map(([id]) => id));
  const [events, node] = nodes.find((each) => attributeOf(each[1], "typeIdentifier") === "EVTS") ?? [null, ""];
  return { ids, events, width: Number(attributeOf(node, "sizeX")), height: Number(attributeOf(node, "sizeY")) };
}

/** The value in `<attr key="name" type="…">value</attr>`; "" if the node lacks the attribute. */
function attributeOf(node: string, name: string): string {
  const key = `key="${name}"`;
  const at = node.indexOf(key);
  return (at >= 0 && /^[^>]*>([^<]*)</.exec(node.slice(at + key.length))?.[1]) || "";
}

/** Reads the first stream of events. */
export async function aedat4({ bytes, columns }: FileStart): Promise<Decoder> {
  const { start, end, compression, text } = headerOf(columns.where, bytes);
  const { ids, width, height, events } = streamOf(text);
  columns.sensor(width, height);
  if (compression !== "none") columns.bound.unpacks();
  const isMark = markOf(compression, ids);
  const lengthAt = (part: Uint8Array, i: number): number => (isMark(part, i) ? 8 + u32(part, i + 4) : 0);
  const packet = packetReader(columns, compression, await unpackerOf(columns.where, compression), ids, events);
  const inner = packets(columns, SMALLEST, "a packet of AEDAT 4", lengthAt, isMark, packet);
  const decode: Decoder["decode"] = (part, at, ended) => {
    // In an uncompressed file nearly all bytes are events.
    if (compression === "none") columns.reserve(part.length / EVENT);
    const left = end - at;
    if (part.length < left) {
      if (ended && end < Infinity)
        columns.damaged(at + part.length, `the table of packets at byte ${end}`, "the end of the file");
      return inner(part, at, ended);
    }
    const taken = left > 0 ? inner(part.subarray(0, left), at, true) : 0;
    if (taken < left) columns.damaged(at + taken, "a packet of AEDAT 4", "the table of packets");
    return part.length;
  };
  return { start, unit: "a packet", decode };
}

type Compression = (typeof COMPRESSIONS)[number];

/** Start and end of the packets, their compression, and the text about streams. */
function headerOf(where: string, bytes: Uint8Array) {
  const head = AEDAT4_LINE.length;
  const size = u32(bytes, head);
  const start = head + 4 + size;
  const header = bytes.subarray(0, start);
  const info = vectorOf(header, head, 2, 1);
  if (
    !(start <= Math.min(bytes.length, LONGEST_HEADER)) ||
    asciiText(bytes, head + 8, head + 12) !== "IOHE" ||
    info === null
  ) {
    throw wrongValue(where, "a header of AEDAT 4", `${size || 0} bytes that are none at byte ${head}`);
  }
  const kind = fieldOf(header, head, 0);
  const number = kind === 0 ? 0 : u32(header, kind);
  const compression = COMPRESSIONS[number];
  if (compression === undefined) {
    throw wrongValue(where, "AEDAT 4 without compression, with LZ4 or Zstandard", `number ${number}`);
  }
  const place = fieldOf(header, head, 1);
  const position = place === 0 ? 0 : u32(header, place) + 2 ** 32 * (u32(header, place + 4) | 0);
  const end = position >= start ? position : Infinity;
  return { start, end, compression, text: asciiText(header, info.at, info.at + info.length) };
}

/** Tests whether a packet begins at a byte: a known stream, a possible length, and the first bytes of the compression. */
const markOf =
  (compression: Compression, ids: ReadonlySet<number>) =>
  (part: Uint8Array, i: number): boolean => {
    const stream = u32(part, i);
    const length = u32(part, i + 4);
    const isPacked = MAGIC[compression] === u32(part, i + 8) && length > 8;
    // The identifier of a flatbuffer has four letters.
    const isPlain =
      compression === "none" && u32(part, i + 8) === length - 4 && /^[A-Z]{4}$/.test(asciiText(part, i + 16, i + 20));
    return (isPacked || isPlain) && length <= LONGEST_PACKET && (ids.size === 0 ? stream < 1024 : ids.has(stream));
  };

type Unpack = (packet: Uint8Array, most: number) => Uint8Array | null | undefined;

async function unpackerOf(where: string, compression: Compression): Promise<Unpack> {
  if (compression === "zstd") return zstdOf(where);
  return compression === "lz4" ? lz4 : (packet) => packet;
}

/** Returns the function that appends the events of packets of the first stream; `stream` is null if the header does not name it. */
function packetReader(
  columns: EventColumns,
  compression: Compression,
  unpack: Unpack,
  ids: ReadonlySet<number>,
  stream: number | null,
) {
  const { bound } = columns;
  let newest = -Infinity;
  return (part: Uint8Array, i: number, at: number, length: number): void => {
    const id = u32(part, i);
    if (stream === null ? ids.size > 0 : id !== stream) return;
    const most = Math.min(LONGEST_PACKET, bound.left);
    let plain: Uint8Array | null | undefined;
    try {
      plain = unpack(part.subarray(i + 8, i + length), most);
    } catch {} // The packet is damaged.
    if (plain === null) bound.check(most + 1, "a packet");
    if (!plain) columns.damaged(at, `a packet packed by ${compression}`, "one that cannot be unpacked");
    else if (stream !== null || asciiText(plain, 8, 12) === "EVTS") {
      stream = id;
      const taken = compression === "none" ? 0 : plain.length;
      bound.take(taken, "a packet");
      newest = appendEvents(columns, plain, at, newest);
      bound.taken -= taken;
    }
  };
}

/** Appends the events of a packet at an offset of the file, and returns the time of the last one. */
function appendEvents(columns: EventColumns, packet: Uint8Array, at: number, newest: number): number {
  const events = asciiText(packet, 8, 12) === "EVTS" ? vectorOf(packet, 0, 0, EVENT) : null;
  if (events === null) {
    columns.damaged(at, "a flatbuffer of events", "one whose parts lie outside of it");
    return newest;
  }
  const { length: n } = events;
  columns.reserve(n);
  const body = alignedBytes(packet, events.at, events.at + EVENT * n, 4);
  const words = new Int32Array(body.buffer, body.byteOffset, 4 * n);
  const { t, x, y, p, recover } = columns;
  const width = columns.width || 1 << 15;
  const height = columns.height || 1 << 15;
  let length = columns.length;
  let before = newest;
  for (let i = 0; i < words.length; i += 4) {
    const time = (words[i + 1] as number) * 2 ** 32 + ((words[i] as number) >>> 0);
    const pixel = words[i + 2] as number;
    // Negative coordinates become large numbers, which are off the sensor.
    const column = pixel & 0xffff;
    const row = pixel >>> 16;
    if (column < width && row < height && time >= (recover ? Number.MIN_SAFE_INTEGER : before) && time <= LAST) {
      t[length] = time;
      x[length] = column;
      y[length] = row;
      p[length++] = (words[i + 3] as number) & 1;
    } else if (column >= width || row >= height) columns.outside(at, column, row);
    else if (time > LAST || time < Number.MIN_SAFE_INTEGER) columns.damaged(at, "a time of 53 bits", time);
    else columns.backwards(at, time, before);
    before = time;
  }
  columns.length = length;
  return before;
}
