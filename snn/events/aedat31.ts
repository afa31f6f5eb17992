/** AEDAT 3.1, the format of many data sets such as DVS128 Gesture. */
import { shortened, wrongValue } from "../../engine/arguments.ts";
import { alignedBytes, type Decoder, type FileStart, fieldOf, headerOf, u32 } from "./decoder.ts";
import { LONGEST_PACKET, packets } from "./packets.ts";
import type { EventColumns } from "./recording.ts";

/** Sensors by lower-case words of their names in headers. */
const SENSORS: readonly (readonly [words: readonly string[], width: number, height: number])[] = [
  [["dvs128"], 128, 128],
  [["davis", "208"], 240, 180],
  [["davis", "240"], 240, 180],
  [["davis", "346"], 346, 260],
  [["davis", "640"], 640, 480],
  [["dvxplorer"], 640, 480],
];

/** Bytes before the events of an AEDAT 3.1 packet. */
const HEADER_31 = 28;
/** Type of packets with brightness changes, and the number of types. */
const POLARITY = 1;
const TYPES_31 = 32;

/**
 * AEDAT 3.1: a header of lines that begin with "#", up to "#!END-HEADER", then little-endian packets: [type: 16 bits] [source: 16]
 * [bytes per event: 32] [offset of the time in it: 32] [overflows of the time: 32] [capacity: 32] [events: 32] [valid events: 32]. An event is [x: 15
 * bits, y: 15, p: 1, valid: 1] [microseconds: 31 bits].
 *
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-3.1.html
 */
export function aedat31({ bytes, columns }: FileStart): Decoder {
  const header = headerOf(columns.where, bytes, "#", /^#!END-HEADER/);
  const format = fieldOf(header, /^#Format: *([\w-]*)/) ?? "RAW";
  if (format !== "RAW") throw wrongValue(columns.where, "AEDAT 3.1 of the format RAW", shortened(format));
  const source = fieldOf(header, /^#Source \d+: *(.*)/)?.toLowerCase() ?? "";
  const sensor = SENSORS.find(([words]) => words.every((word) => source.includes(word)));
  if (sensor !== undefined) columns.sensor(sensor[1], sensor[2]);
  const lengthAt = (part: Uint8Array, i: number): number => {
    const size = u32(part, i + 4);
    const capacity = u32(part, i + 16);
    const number = u32(part, i + 20);
    const isSound =
      ((part[i] as number) | ((part[i + 1] as number) << 8)) < TYPES_31 &&
      size > 0 &&
      u32(part, i + 8) < size &&
      u32(part, i + 12) < 2 ** 20 &&
      number <= capacity &&
      u32(part, i + 24) <= number &&
      size * capacity <= LONGEST_PACKET &&
      (part[i] !== POLARITY || part[i + 1] !== 0 || size === 8);
    return isSound ? HEADER_31 + size * capacity : 0;
  };
  const isMark = (part: Uint8Array, i: number): boolean => lengthAt(part, i) > 0;
  const newest = { time: -Infinity };
  const packet = (part: Uint8Array, i: number, at: number): void => {
    if (part[i] !== POLARITY || part[i + 1] !== 0) return;
    const body = alignedBytes(part, i + HEADER_31, i + HEADER_31 + 8 * u32(part, i + 20), 4);
    const words = new Int32Array(body.buffer, body.byteOffset, body.length / 4);
    appendPolarity(columns, words, 2 ** 31 * u32(part, i + 12), at + HEADER_31, newest);
  };
  return {
    start: header.end,
    unit: "a packet",
    decode: packets(columns, HEADER_31, "a packet of AEDAT 3.1", lengthAt, isMark, packet),
  };
}

function appendPolarity(
  columns: EventColumns,
  words: Int32Array,
  origin: number,
  at: number,
  newest: { time: number },
): void {
  columns.reserve(words.length / 2);
  const { t, x, y, p, recover } = columns;
  const width = columns.width || 1 << 15;
  const height = columns.height || 1 << 15;
  let before = newest.time;
  let length = columns.length;
  for (let i = 0; i < words.length; i += 2) {
    const pixel = words[i] as number;
    if ((pixel & 1) === 0) continue;
    const time = origin + (words[i + 1] as number);
    const column = pixel >>> 17;
    const row = (pixel >>> 2) & 0x7fff;
    if (column >= width || row >= height) columns.outside(at + 4 * i, column, row);
    else if (time < before && !recover) columns.backwards(at + 4 * i, time, before);
    else {
      t[length] = time;
      x[length] = column;
      y[length] = row;
      p[length++] = (pixel >> 1) & 1;
    }
    before = time;
  }
  newest.time = before;
  columns.length = length;
}
