/**
 * RAW files of Prophesee: a header of lines that begin with "% ", then little-endian words of 16 (EVT 3.0), 32 (EVT 2.0) or 64 bits
 * (EVT 2.1). The four highest bits of a word are its type.
 *
 * Events carry the low bits of their time; separate words carry the high bits, which wrap around. The camera sends the high bits many times within
 * each period, so a decrease by half of their range or more is a wrap, and a smaller decrease is damage.
 *
 * @see https://docs.prophesee.ai/stable/data/encoding_formats/
 */
import { alignedBytes, type Decoder, evtHeader, type FileStart } from "./decoder.ts";
import type { EventColumns } from "./recording.ts";

/** Word types that EVT 2.0 and 2.1 share. */
const OFF = 0x0;
const ON = 0x1;
const TIME_HIGH = 0x8;
/** Triggers, and camera messages with their continuations. */
const TRIGGER = 0xa;
const OTHERS = 0xe;
const CONTINUED = 0xf;
/** Word types of EVT 3.0. */
const ADDRESS_Y = 0x0;
const ADDRESS_X = 0x2;
const VECTOR_BASE = 0x3;
const VECTOR_12 = 0x4;
const VECTOR_8 = 0x5;
const TIME_LOW = 0x6;
const CONTINUED_4 = 0x7;

/** Coordinates have eleven bits. */
const MOST = 2048;

/** Number of events in each word of EVT 3.0. */
const countsOf = (): Uint8Array => {
  const bits = (word: number): number => (word === 0 ? 0 : (word & 1) + bits(word >> 1));
  const counts = new Uint8Array(65_536).fill(1, ADDRESS_X << 12, VECTOR_BASE << 12);
  for (let mask = 0; mask < 4096; mask++) {
    counts[(VECTOR_12 << 12) | mask] = bits(mask);
    counts[(VECTOR_8 << 12) | mask] = bits(mask & 0xff);
  }
  return counts;
};
let counts: Uint8Array | null = null;

/**
 * EVT 3.0: a word changes the row, the column or the time, or the first column of vectors, which are masks of 12 or 8 neighbours. A time has
 * 24 bits, twelve in each of two words. The package expelliarmus, and `numerics: "expelliarmus"`, treats each decrease of the lower twelve as
 * a wrap.
 */
export function evt3(start: FileStart): Decoder {
  counts ??= countsOf();
  const state: State3 = { row: -1, base: -1, on: 0, high: -1, low: 0, origin: 0, newest: 0 };
  const decode = (bytes: Uint8Array, at: number): number =>
    decode3(start.columns, state, counts as Uint8Array, bytes, at);
  return { start: evtHeader(start).end, unit: "a word of 16 bits", decode };
}

/** State of the EVT 3.0 decoder: values of earlier words that later words need. */
interface State3 {
  /** Row, and first column of the next vector; −1 before the first word with them. */
  row: number;
  base: number;
  /** Polarity of vectors. */
  on: number;
  /** High and low bits of the time; −1 before the first word with high bits. */
  high: number;
  low: number;
  /** Microseconds of the high bits and all wraps. */
  origin: number;
  /** Time of the last event before the last time word. */
  newest: number;
}

function decode3(columns: EventColumns, state: State3, events: Uint8Array, bytes: Uint8Array, at: number): number {
  const words = wordsOf(bytes);
  const n = words.length;
  let more = 0;
  for (let i = 0; i < n; i++) more += events[words[i] as number] as number;
  columns.reserve(more);
  const { t, x, y, p, recover } = columns;
  const carries = columns.numerics === "expelliarmus";
  const width = columns.width || MOST;
  const height = columns.height || MOST;
  let { row, base, on, high, low, origin, newest } = state;
  let time = origin + low;
  /**
   * Keeps events in rows below this number; 0 while the time is before the last event, so that no event of that time is kept.
   */
  let limit = time < newest && !recover ? 0 : height;
  let length = columns.length;
  let marked = length;
  let i = 0;
  // Words before the first time cannot be dated.
  while (high < 0 && i < n && (words[i] as number) >> 12 !== TIME_HIGH)
    columns.dropped += events[words[i++] as number] as number;
  for (; i < n; i++) {
    const word = words[i] as number;
    switch (word >> 12) {
      case ADDRESS_Y:
        row = word & 0x7ff;
        break;
      case ADDRESS_X: {
        const column = word & 0x7ff;
        if (column < width && row >= 0 && row < limit) {
          t[length] = time;
          x[length] = column;
          y[length] = row;
          p[length++] = (word >> 11) & 1;
        } else lost(columns, at + 2 * i, time, newest, column, row, 0);
        break;
      }
      case VECTOR_BASE:
        base = word & 0x7ff;
        on = (word >> 11) & 1;
        break;
      case VECTOR_12:
      case VECTOR_8: {
        const is12 = word >> 12 === VECTOR_12;
        let mask = word & (is12 ? 0xfff : 0xff);
        const isSound = base >= 0 && base + 31 - Math.clz32(mask) < width && row >= 0 && row < limit;
        for (; mask !== 0; mask &= mask - 1) {
          const column = base + 31 - Math.clz32(mask & -mask);
          if (isSound || (base >= 0 && column < width && row >= 0 && row < limit)) {
            t[length] = time;
            x[length] = column;
            y[length] = row;
            p[length++] = on;
          } else lost(columns, at + 2 * i, time, newest, column, row, base);
        }
        if (base >= 0) base += is12 ? 12 : 8;
        break;
      }
      case TIME_LOW:
      case TIME_HIGH: {
        if (length > marked) newest = time;
        marked = length;
        const bits = word & 0xfff;
        if (word >> 12 === TIME_LOW) {
          if (carries && bits < low) origin += 4096;
          low = bits;
        } else if (bits !== high) {
          const fall = high < 0 ? -bits : high - bits;
          origin += 4096 * ((fall >= 2048 ? 4096 : 0) - fall);
          high = bits;
          // The low bits follow in the next word; until then, the time is the smallest one with these high bits.
          if (!carries) low = 0;
        }
        // Cameras also send times without an event that are later than the next event.
        time = origin + low;
        limit = time < newest && !recover ? 0 : height;
        break;
      }
      case TRIGGER:
      case OTHERS:
      case CONTINUED:
      case CONTINUED_4:
        break;
      default:
        columns.damaged(at + 2 * i, "a word of EVT 3.0", `the type ${word >> 12}`);
    }
  }
  if (length > marked) newest = time;
  columns.length = length;
  Object.assign(state, { row, base, on, high, low, origin, newest });
  return 2 * n;
}

/** Handles an event that is too early or off the sensor, or, in a stream that starts in the middle, before the first row or base. */
function lost(
  columns: EventColumns,
  at: number,
  time: number,
  newest: number,
  x: number,
  y: number,
  base: number,
): void {
  if (y < 0 || base < 0) columns.dropped++;
  else if (time < newest && !columns.recover) columns.backwards(at, time, newest);
  else columns.outside(at, x, y);
}

const wordsOf = (bytes: Uint8Array): Uint16Array => {
  const whole = alignedBytes(bytes, 0, bytes.length & ~1, 2);
  return new Uint16Array(whole.buffer, whole.byteOffset, whole.length >> 1);
};

/** EVT 2.0: an event is a 32-bit word with six bits of the time; separate words carry the other 28. */
export const evt2 = (start: FileStart): Decoder => evt2Words(start, evtHeader(start).end, 4, 0);

/**
 * EVT 2.1: 64-bit words, whose upper half is a word of EVT 2.0 and whose lower half a mask of 32 neighbours. In files of older cameras
 * ("endianness=legacy") the upper half comes first.
 */
export function evt21(start: FileStart): Decoder {
  const { lines, end } = evtHeader(start);
  return evt2Words(start, end, 8, lines.some((line) => /endianness[= ]little/.test(line)) ? 1 : 0);
}

/** Decodes words of 4 or 8 bytes; `place` is the index of the 32-bit half with the address. */
function evt2Words({ columns }: FileStart, start: number, size: 4 | 8, place: 0 | 1): Decoder {
  const state: State2 = { high: -1, newest: 0 };
  const decode = (bytes: Uint8Array, at: number): number => decode2(columns, state, size === 8, place, bytes, at);
  return { start, unit: `a word of ${8 * size} bits`, decode };
}

interface State2 {
  /** The high bits of the time, and all its overflows so far, in microseconds; −1 before the first word that has high bits. */
  high: number;
  /** Time of the last event. */
  newest: number;
}

function decode2(
  columns: EventColumns,
  state: State2,
  vectors: boolean,
  place: 0 | 1,
  bytes: Uint8Array,
  at: number,
): number {
  const step = vectors ? 2 : 1;
  const taken = bytes.length - (bytes.length % (4 * step));
  const whole = alignedBytes(bytes, 0, taken, 4);
  const words = new Int32Array(whole.buffer, whole.byteOffset, taken / 4);
  columns.reserve(vectors ? countMasks(words, place) : countEvents(words));
  const { t, x, y, p, recover } = columns;
  const width = columns.width || MOST;
  const height = columns.height || MOST;
  let { high, newest } = state;
  let length = columns.length;
  for (let i = place; i < words.length; i += step) {
    const word = words[i] as number;
    const type = word >>> 28;
    if (type <= ON) {
      let mask = vectors ? (words[i ^ 1] as number) : 1;
      if (high < 0) {
        columns.dropped += ones(mask);
        continue;
      }
      const time = high + ((word >>> 22) & 0x3f);
      const base = (word >>> 11) & 0x7ff;
      const row = word & 0x7ff;
      if (time < newest && !recover) columns.backwards(at + 4 * (i - place), time, newest);
      newest = time;
      for (; mask !== 0; mask &= mask - 1) {
        const column = base + 31 - Math.clz32(mask & -mask);
        if (column < width && row < height) {
          t[length] = time;
          x[length] = column;
          y[length] = row;
          p[length++] = type;
        } else columns.outside(at + 4 * (i - place), column, row);
      }
    } else if (type === TIME_HIGH) {
      const bits = word & 0xfffffff;
      const fall = high < 0 ? -bits : ((high / 64) & 0xfffffff) - bits;
      high = Math.max(0, high) + 64 * ((fall >= 2 ** 27 ? 2 ** 28 : 0) - fall);
    } else if (type !== TRIGGER && type !== OTHERS && type !== CONTINUED) {
      columns.damaged(at + 4 * (i - place), `a word of EVT ${vectors ? "2.1" : "2.0"}`, `the type ${type}`);
    }
  }
  columns.length = length;
  Object.assign(state, { high, newest });
  return taken;
}

function countEvents(words: Int32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) count += (words[i] as number) >>> 29 === OFF ? 1 : 0;
  return count;
}

function countMasks(words: Int32Array, place: number): number {
  let count = 0;
  for (let i = place; i < words.length; i += 2) {
    if ((words[i] as number) >>> 29 === OFF) count += ones(words[i ^ 1] as number);
  }
  return count;
}

/** Number of set bits; adds up pairs, fours and bytes in parallel. */
function ones(mask: number): number {
  const pairs = mask - ((mask >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
