/** Files of fixed-size records, one for each event: DAT of Prophesee, binary files of N-MNIST and N-Caltech101, AEDAT 2.0. */
import { show, wrongValue } from "../../engine/arguments.ts";
import {
  alignedBytes,
  type Decoder,
  evtHeader,
  type FileStart,
  fieldOf,
  headerOf,
  NMNIST_SIDE,
  OVERFLOW_ROW,
} from "./decoder.ts";
import type { EventColumns } from "./recording.ts";

/** 32-bit times wrap around after 71 minutes. */
const WRAP = 2 ** 32;

/**
 * DAT: a header of lines that begin with "% ", a byte for the event type (0 or 12) and one for the size of a record, then little-endian records of
 * [time: 32 bits] [0: 3 bits, p: 1, y: 14, x: 14]. A decrease of the time by half of its range is a wrap.
 *
 * @see https://docs.prophesee.ai/stable/data/file_formats/dat.html
 */
export function dat(start: FileStart): Decoder {
  const { bytes, columns } = start;
  const { end } = evtHeader(start);
  const [type, size] = [bytes[end], bytes[end + 1]];
  if ((type !== 0 && type !== 12) || size !== 8) {
    const where = columns.where;
    throw wrongValue(where, "DAT events of type 0 or 12 and 8 bytes", `${type} and ${size} at byte ${end}`);
  }
  const clock: Clock = { bits: 0, origin: 0 };
  const decode = (bytes: Uint8Array, at: number): number => decodeDAT(columns, clock, bytes, at);
  return { start: end + 2, unit: "an event of 8 bytes", decode };
}

/** Unwraps 32-bit times: the last one, and the microseconds of all wraps. */
interface Clock {
  bits: number;
  origin: number;
}

function decodeDAT(columns: EventColumns, clock: Clock, bytes: Uint8Array, at: number): number {
  const whole = alignedBytes(bytes, 0, bytes.length - (bytes.length % 8), 4);
  const words = new Int32Array(whole.buffer, whole.byteOffset, whole.length / 4);
  columns.reserve(words.length / 2);
  const { t, x, y, p, recover } = columns;
  const width = columns.width || 1 << 14;
  const height = columns.height || 1 << 14;
  let length = columns.length;
  let before = clock.bits;
  let origin = clock.origin;
  for (let i = 0; i < words.length; i += 2) {
    const pixel = words[i + 1] as number;
    const column = pixel & 0x3fff;
    const row = (pixel >> 14) & 0x3fff;
    const time = (words[i] as number) >>> 0;
    if (before - time >= WRAP / 2) origin += WRAP;
    else if (time < before && !recover) columns.backwards(at + 4 * i, origin + time, origin + before);
    before = time;
    if (column < width && row < height) {
      t[length] = origin + time;
      x[length] = column;
      y[length] = row;
      p[length++] = (pixel >> 28) & 1;
    } else columns.outside(at + 4 * i, column, row);
  }
  columns.length = length;
  Object.assign(clock, { bits: before, origin });
  return whole.length;
}

/** Microseconds that a record of the overflow row adds to all later times. */
const OVERFLOW = 2 ** 13;

/**
 * The binary files of N-MNIST and N-Caltech101: big-endian records of [x: 8 bits] [y: 8] [p: 1, time: 23], without a header. N-MNIST has 34 × 34
 * pixels; images of N-Caltech101 have different sizes.
 *
 * @see Orchard et al. (2015), Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades, Front. Neurosci. 9.
 */
export function nmnist({ columns }: FileStart): Decoder {
  columns.sensor(NMNIST_SIDE, NMNIST_SIDE);
  return ncaltech101({ columns });
}

export function ncaltech101({ columns }: Pick<FileStart, "columns">): Decoder {
  const clock: Clock = { bits: 0, origin: 0 };
  const decode = (bytes: Uint8Array, at: number): number => decodeNMNIST(columns, clock, bytes, at);
  return { start: 0, unit: "an event of 5 bytes", decode };
}

function decodeNMNIST(columns: EventColumns, clock: Clock, bytes: Uint8Array, at: number): number {
  const taken = bytes.length - (bytes.length % 5);
  columns.reserve(taken / 5);
  const { t, x, y, p, recover } = columns;
  const width = columns.width || 256;
  const height = columns.height || OVERFLOW_ROW;
  let length = columns.length;
  let { bits: before, origin } = clock;
  for (let i = 0; i < taken; i += 5) {
    const column = bytes[i] as number;
    const row = bytes[i + 1] as number;
    const high = bytes[i + 2] as number;
    if (row === OVERFLOW_ROW) {
      origin += OVERFLOW;
      continue;
    }
    const time = origin + (((high & 0x7f) << 16) | ((bytes[i + 3] as number) << 8) | (bytes[i + 4] as number));
    if (time < before && !recover) columns.backwards(at + i, time, before);
    before = time;
    if (column < width && row < height) {
      t[length] = time;
      x[length] = column;
      y[length] = row;
      p[length++] = high >> 7;
    } else columns.outside(at + i, column, row);
  }
  columns.length = length;
  Object.assign(clock, { bits: before, origin });
  return taken;
}

/** How a chip packs a pixel into an address, and its sensor size. jAER counts columns from the right and rows from below. */
interface Chip {
  readonly width: number;
  readonly height: number;
  /** Bits of the address with x, y and the polarity, and the polarity's value for ON. */
  readonly x: number;
  readonly y: number;
  readonly p: number;
  readonly on: 0 | 1;
  /** Addresses with one of these bits are not brightness changes. */
  readonly other: number;
}

const davis = (width: number, height: number): Chip => {
  // [31: frames and inertia] [30 … 22: y] [21 … 12: x] [11: polarity] [10: external signals]
  return { width, height, x: 0x003ff000, y: 0x7fc00000, p: 1 << 11, on: 1, other: (1 << 31) | (1 << 10) };
};
const DVS128: Chip = { width: 128, height: 128, x: 0xfe, y: 0x7f00, p: 1, on: 0, other: 1 << 15 };

/** Chips by their lower-case names in headers. */
const CHIPS: readonly (readonly [names: readonly string[], chip: Chip])[] = [
  [["dvs128", "tmpdiff128"], DVS128],
  [["sbret10", "sbret208", "sbret240", "davis10", "davis208", "davis240"], davis(240, 180)],
  [["davis346"], davis(346, 260)],
  [["davis640"], davis(640, 480)],
];

/**
 * AEDAT 2.0: a header of lines that begin with "#", then big-endian records of [address: 32 bits] [microseconds: 32 bits]. The chip in the header
 * determines the layout of an address; the default is DVS128.
 *
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html
 */
export function aedat2({ bytes, columns }: FileStart): Decoder {
  const header = headerOf(columns.where, bytes, "#", /^#End Of ASCII Header/);
  const name = fieldOf(header, /AEChip: *(.*)/i) ?? "DVS128";
  const found = CHIPS.find(([names]) => names.some((each) => name.toLowerCase().includes(each)));
  if (found === undefined) {
    throw wrongValue(columns.where, "AEDAT 2.0 of a DVS128 or DAVIS", `${show(name)} in the header`);
  }
  const [, chip] = found;
  columns.sensor(chip.width, chip.height);
  const clock: Clock = { bits: 0, origin: 0 };
  const decode = (part: Uint8Array, at: number): number => decodeAddresses(columns, clock, chip, part, at);
  return { start: header.end, unit: "an event of 8 bytes", decode };
}

function decodeAddresses(columns: EventColumns, clock: Clock, chip: Chip, bytes: Uint8Array, at: number): number {
  const taken = bytes.length - (bytes.length % 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, taken);
  columns.reserve(taken / 8);
  const { t, x, y, p, recover, width, height } = columns;
  const [shiftX, shiftY] = [31 - Math.clz32(chip.x & -chip.x), 31 - Math.clz32(chip.y & -chip.y)];
  let length = columns.length;
  let { bits: before, origin } = clock;
  for (let i = 0; i < taken; i += 8) {
    const address = view.getUint32(i);
    if ((address & chip.other) !== 0) continue;
    const column = chip.width - 1 - ((address & chip.x) >>> shiftX);
    const row = chip.height - 1 - ((address & chip.y) >>> shiftY);
    const time = view.getUint32(i + 4);
    if (before - time >= WRAP / 2) origin += WRAP;
    else if (time < before && !recover) columns.backwards(at + i, origin + time, origin + before);
    before = time;
    if (column >= 0 && column < width && row >= 0 && row < height) {
      t[length] = origin + time;
      x[length] = column;
      y[length] = row;
      p[length++] = ((address & chip.p) !== 0 ? 1 : 0) === chip.on ? 1 : 0;
    } else columns.outside(at + i, column, row);
  }
  columns.length = length;
  Object.assign(clock, { bits: before, origin });
  return taken;
}
