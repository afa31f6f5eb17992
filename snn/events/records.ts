/** Files of records of equal size, one for each event: DAT of Prophesee, the binary files of N-MNIST and N-Caltech101, AEDAT 2.0. */
import { alignedBytes, type Decoder, evtHeader, headerOf, type Start } from "./decoder.ts";
import { NMNIST_SIDE, OVERFLOW_ROW } from "./formats.ts";
import type { EventColumns } from "./recording.ts";

/** Times of 32 bits wrap around after 71 minutes. */
const WRAP = 2 ** 32;

/**
 * DAT: a header of lines that begin with "% ", the type of events (0 or 12) and the size of a record as bytes, then records of
 * [time: 32 bits] [0: 3 bits, p: 1, y: 14, x: 14], lowest byte first. A fall of the time by half of its range is a wrap.
 *
 * @see https://docs.prophesee.ai/stable/data/file_formats/dat.html
 */
export function dat(start: Start): Decoder {
  const { bytes, columns } = start;
  const { end } = evtHeader(start);
  const [type, size] = [bytes[end], bytes[end + 1]];
  if ((type !== 0 && type !== 12) || size !== 8) {
    const where = columns.where;
    throw new RangeError(
      `${where}: expected DAT events of type 0 or 12 and 8 bytes, got ${type} and ${size} at byte ${end}`,
    );
  }
  const clock: Clock = { bits: 0, origin: 0 };
  const decode = (bytes: Uint8Array, at: number): number => decodeDAT(columns, clock, bytes, at);
  return { start: end + 2, unit: "an event of 8 bytes", decode };
}

/** Times of 32 bits that wrap around: the last one, and the microseconds of all wraps. */
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

/** Microseconds that a record of the row for overflows adds to all times behind it. */
const OVERFLOW = 2 ** 13;

/**
 * The binary files of N-MNIST and N-Caltech101: no header, records of [x: 8 bits] [y: 8] [p: 1, time: 23], highest byte first. N-MNIST
 * has 34 × 34 pixels, images of N-Caltech101 have different sizes.
 *
 * @see Orchard et al. (2015), Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades, Front. Neurosci. 9.
 */
export function nmnist({ columns }: Start): Decoder {
  columns.sensor(NMNIST_SIDE, NMNIST_SIDE);
  return ncaltech101({ columns });
}

export function ncaltech101({ columns }: Pick<Start, "columns">): Decoder {
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

/** How a chip packs a pixel into an address, and the size of its sensor. jAER counts columns from the right and rows from below. */
interface Chip {
  readonly width: number;
  readonly height: number;
  /** Bits of the address that hold x, y and the polarity, and the value of the latter for ON. */
  readonly x: number;
  readonly y: number;
  readonly p: number;
  readonly on: 0 | 1;
  /** Addresses with one of these bits hold no change of brightness. */
  readonly other: number;
}

const davis = (width: number, height: number): Chip => {
  // [31: frames and inertia] [30 … 22: y] [21 … 12: x] [11: polarity] [10: signals from outside]
  return { width, height, x: 0x003ff000, y: 0x7fc00000, p: 1 << 11, on: 1, other: (1 << 31) | (1 << 10) };
};
const DVS128: Chip = { width: 128, height: 128, x: 0xfe, y: 0x7f00, p: 1, on: 0, other: 1 << 15 };

/** Chips by the names that headers have for them. */
const CHIPS: readonly (readonly [RegExp, Chip])[] = [
  [/AEChip:.*(DVS128|Tmpdiff128)/i, DVS128],
  [/AEChip:.*(SBRet|Davis)(10|208|240)/i, davis(240, 180)],
  [/AEChip:.*Davis346/i, davis(346, 260)],
  [/AEChip:.*Davis640/i, davis(640, 480)],
];

/**
 * AEDAT 2.0: a header of lines that begin with "#", then records of [address: 32 bits] [microseconds: 32 bits], highest byte first. The
 * chip in the header says how an address is to be read; without a chip, the file is from a DVS128.
 *
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html
 */
export function aedat2({ bytes, columns }: Start): Decoder {
  const { text, end } = headerOf(bytes, "#", /^#End Of ASCII Header/);
  const named = CHIPS.find(([name]) => name.test(text));
  if (named === undefined && /AEChip:/.test(text)) {
    const chip = /AEChip: *(.*?)\r?$/m.exec(text)?.[1] ?? "";
    throw new RangeError(
      `${columns.where}: expected AEDAT 2.0 of a DVS128 or DAVIS, got ${JSON.stringify(chip)} in the header`,
    );
  }
  const chip = named?.[1] ?? DVS128;
  columns.sensor(chip.width, chip.height);
  const clock: Clock = { bits: 0, origin: 0 };
  const decode = (part: Uint8Array, at: number): number => decodeAddresses(columns, clock, chip, part, at);
  return { start: end, unit: "an event of 8 bytes", decode };
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
