/** Files of event cameras, put together after the specifications of their formats, from words and bytes that a test chooses. */
import { Builder } from "flatbuffers";

/** An event as [t, x, y, p]. */
export type Event = readonly [t: number, x: number, y: number, p: 0 | 1];

export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Numbers of so many bytes, lowest byte first. */
export function little(size: 1 | 2 | 4 | 8, ...values: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (size === 8) view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(value)), true);
    else if (size === 4) view.setUint32(4 * i, Number(value), true);
    else if (size === 2) view.setUint16(2 * i, Number(value), true);
    else bytes[i] = Number(value);
  });
  return bytes;
}

/** The highest byte first. */
export const big4 = (...values: readonly number[]): Uint8Array => concat(...values.map((v) => little(4, v).reverse()));

/** Words of EVT 3.0. */
export const evt3Word = {
  high: (bits: number) => 0x8000 | bits,
  low: (bits: number) => 0x6000 | bits,
  y: (y: number) => y,
  x: (x: number, p: 0 | 1) => 0x2000 | (p << 11) | x,
  base: (x: number, p: 0 | 1) => 0x3000 | (p << 11) | x,
  vector12: (mask: number) => 0x4000 | mask,
  vector8: (mask: number) => 0x5000 | mask,
  trigger: 0xa001,
  others: 0xe014,
  continued4: 0x7001,
  continued12: 0xf001,
};

export const EVT3_HEADER = "% evt 3.0\n% geometry 640x480\n";
export const evt3File = (words: readonly number[], header = EVT3_HEADER): Uint8Array =>
  concat(ascii(header), little(2, ...words));

/** Words of EVT 2.0: the low six bits of a time with an event, the 28 higher ones alone. */
export const evt2Word = {
  event: ([t, x, y, p]: Event) => ((p << 28) | ((t % 64) << 22) | (x << 11) | y) >>> 0,
  high: (bits: number) => (0x80000000 | bits) >>> 0,
};

/** A record of DAT. */
export const datRecord = ([t, x, y, p]: Event): Uint8Array => little(4, t % 2 ** 32, (p << 28) | (y << 14) | x);

/** A record of N-MNIST. */
export const nmnistRecord = ([t, x, y, p]: Event): number[] => [x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255];

/** A packet of AEDAT 3.1 with events, of which those at indices in `invalid` are marked so. */
export function packet31(
  events: readonly Event[],
  options: { overflow?: number; type?: number; invalid?: readonly number[] } = {},
) {
  const { overflow = 0, type = 1, invalid = [] } = options;
  const header = concat(
    little(2, type, 0),
    little(4, 8, 4, overflow, events.length, events.length, events.length - invalid.length),
  );
  const body = events.map(([t, x, y, p], i) =>
    little(4, (x << 17) | (y << 2) | (p << 1) | (invalid.includes(i) ? 0 : 1), t),
  );
  return concat(header, ...body);
}

export const HEADER_31 =
  "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-12-20\r\n#!END-HEADER\r\n";

/** The flatbuffer of a packet of AEDAT 4, by the library of its makers. */
export function eventPacket(events: readonly Event[]): Uint8Array {
  const builder = new Builder();
  builder.startVector(16, events.length, 8);
  for (const [t, x, y, p] of events.toReversed()) {
    builder.prep(8, 16);
    builder.pad(3);
    builder.writeInt8(p);
    builder.writeInt16(y);
    builder.writeInt16(x);
    builder.writeInt64(BigInt(t));
  }
  const elements = builder.endVector();
  builder.startObject(1);
  builder.addFieldOffset(0, elements, 0);
  builder.finishSizePrefixed(builder.endObject(), "EVTS");
  return builder.asUint8Array().slice();
}

export const XML_4 =
  '<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">' +
  '<node name="0" path="/mainloop/Recorder/outInfo/0/"><attr key="typeIdentifier" type="string">FRME</attr></node>' +
  '<node name="1" path="/mainloop/Recorder/outInfo/1/"><attr key="typeIdentifier" type="string">EVTS</attr>' +
  '<node name="info" path="/mainloop/Recorder/outInfo/1/info/"><attr key="sizeX" type="int">346</attr>' +
  '<attr key="sizeY" type="int">260</attr></node></node>' +
  '<node name="2" path="/mainloop/Recorder/outInfo/2/"><attr key="typeIdentifier" type="string">EVTS</attr></node></node></dv>';

/** The first line and the header of AEDAT 4: compression by its number, the place of the table of packets, and text about streams. */
export function header4({ compression = 0, table = -1, xml = XML_4 } = {}): Uint8Array {
  const builder = new Builder();
  const text = builder.createString(xml);
  builder.startObject(3);
  builder.addFieldInt32(0, compression, 0);
  builder.addFieldInt64(1, BigInt(table), -1n);
  builder.addFieldOffset(2, text, 0);
  builder.finishSizePrefixed(builder.endObject(), "IOHE");
  return concat(ascii("#!AER-DAT4.0\r\n"), builder.asUint8Array());
}

export const packet4 = (stream: number, body: Uint8Array): Uint8Array => concat(little(4, stream, body.length), body);

/** A frame of LZ4 with blocks as they are given: packed ones, or, with `stored`, bytes. */
export function lz4Frame(...blocks: readonly { bytes: Uint8Array; stored?: boolean }[]): Uint8Array {
  const packed = blocks.map(({ bytes, stored = false }) =>
    concat(little(4, bytes.length + (stored ? 2 ** 31 : 0)), bytes),
  );
  return concat([4, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0], ...packed, little(4, 0));
}

/** A block of LZ4: literals, and copies of earlier bytes wherever the last 16 bytes come again. */
export function lz4Block(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  const lengthOf = (rest: number): number[] => {
    const more: number[] = [];
    for (let left = rest - 15; left >= 0; left -= 255) more.push(Math.min(left, 255));
    return more;
  };
  let literals = 0;
  let i = 0;
  const emit = (copied: number): void => {
    const held = i - literals;
    const low = copied === 0 ? 0 : Math.min(copied - 4, 15);
    out.push((Math.min(held, 15) << 4) | low, ...lengthOf(held), ...bytes.subarray(literals, i));
    if (copied > 0) out.push(16, 0, ...lengthOf(copied - 4));
    i += copied;
    literals = i;
  };
  while (i < bytes.length) {
    let same = 0;
    while (i >= 16 && i + same < bytes.length - 5 && bytes[i + same] === bytes[i + same - 16]) same++;
    if (same >= 4) emit(same);
    else i++;
  }
  emit(0);
  return Uint8Array.from(out);
}

/** The most bytes of a block of Zstandard: 128 kB. */
const ZSTD_BLOCK = 1 << 17;

/**
 * A frame of Zstandard of the two kinds of blocks that need no entropy coder: four equal bytes or more are a block that repeats one, all
 * others are stored. The frame is its own window, or has one of 64 kB; a checksum of zeros, which no reader looks at, may stand behind it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
export function zstdFrame(bytes: Uint8Array, { window = false, checksum = false } = {}): Uint8Array {
  const blocks: (readonly [kind: 0 | 1, content: Uint8Array, size: number])[] = [];
  let stored = 0;
  const store = (end: number): void => {
    for (; stored < end; stored = Math.min(stored + ZSTD_BLOCK, end)) {
      const part = bytes.subarray(stored, Math.min(stored + ZSTD_BLOCK, end));
      blocks.push([0, part, part.length]);
    }
  };
  for (let i = 0; i < bytes.length; ) {
    let end = i + 1;
    while (end < bytes.length && bytes[end] === bytes[i] && end - i < ZSTD_BLOCK) end++;
    if (end - i >= 4) {
      store(i);
      blocks.push([1, bytes.subarray(i, i + 1), end - i]);
      stored = end;
    }
    i = end;
  }
  store(bytes.length);
  if (blocks.length === 0) blocks.push([0, bytes, 0]);
  const body = blocks.map(([kind, content, size], k) => {
    const header = (size << 3) | (kind << 1) | (k === blocks.length - 1 ? 1 : 0);
    return concat(little(4, header).subarray(0, 3), content);
  });
  // [size of the content: 2 bits] [own window: 1] [unused: 2] [checksum: 1] [dictionary: 2]
  const flags = 0x80 | (window ? 0 : 0x20) | (checksum ? 4 : 0);
  const head = concat([0x28, 0xb5, 0x2f, 0xfd, flags], window ? [6 << 3] : [], little(4, bytes.length));
  return concat(head, ...body, checksum ? little(4, 0) : []);
}

/** A part of a zip file: its name, its bytes as they are stored, the method of its packing, and the size that it claims without it. */
export interface ZipPart {
  readonly name: string;
  readonly packed: Uint8Array;
  readonly method?: 0 | 8;
  readonly size?: number;
}

/** A zip file. */
export function zipFile(parts: readonly ZipPart[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  let at = 0;
  for (const { name, packed, method = 0, size = packed.length } of parts) {
    // [version: 16 bits] [flags: 16] [method: 16] [time: 32] [checksum: 32] [packed: 32] [size: 32] [name: 16] [extra: 16]
    const about = concat(little(2, 20, 0, method), little(4, 0, 0, packed.length, size), little(2, name.length, 0));
    const local = concat(little(4, 0x04034b50), about, ascii(name), packed);
    entries.push(
      concat(little(4, 0x02014b50), little(2, 20), about, little(2, 0, 0, 0), little(4, 0, at), ascii(name)),
    );
    locals.push(local);
    at += local.length;
  }
  const table = concat(...entries);
  const end = concat(little(2, 0, 0, parts.length, parts.length), little(4, table.length, at), little(2, 0));
  return concat(...locals, table, little(4, 0x06054b50), end);
}

/** An array of NumPy: a header with this description, then bytes. */
export function npyFile(descr: string, shape: string, bytes: Uint8Array = new Uint8Array(0)): Uint8Array {
  const header = ascii(`{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`);
  return concat([0x93], ascii("NUMPY"), [1, 0], little(2, header.length), header, bytes);
}
