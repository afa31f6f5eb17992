/**
 * NumPy archives with an array each for t, x, y and p, the recordings of SpikingJelly: zip files whose entries are stored or deflated.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { listed, shortened, wrongValue } from "../../engine/arguments.ts";
import { appendArrays, numbersAt, reserved, TOGETHER } from "./arrays.ts";
import type { Bound } from "./bound.ts";
import { asciiText, u32 } from "./decoder.ts";
import type { EventColumns } from "./recording.ts";

/** Signatures of the records of a zip file. */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Bytes of the last record, after which a comment of up to 64 kB may follow. */
const END_SIZE = 22;
const DEFLATE = 1032;
/** Number of characters that are read of an array header; NumPy writes 118. */
const LONGEST_HEADER = 1000;

interface Part {
  readonly bytes: Uint8Array;
  /** Offset of the entry in the file. */
  readonly at: number;
  readonly stored: boolean;
}

/** Entries by name, each decompressed on request. */
type Archive = ReadonlyMap<string, () => Promise<Part>>;

interface Stream {
  readonly readable: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }> } };
  readonly writable: { getWriter(): { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> } };
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

function archiveOf(where: string, bytes: Uint8Array, bound: Bound): Archive {
  let end = bytes.length - END_SIZE;
  while (end >= 0 && end > bytes.length - END_SIZE - 65_536 && u32(bytes, end) !== END) end--;
  const damage = (at: number, expected: string): RangeError => {
    return wrongValue(where, expected, `a damaged zip file at byte ${Math.max(0, at)}`);
  };
  if (end < 0 || u32(bytes, end) !== END) throw damage(bytes.length, "a table of the parts at the end");
  const parts = new Map<string, () => Promise<Part>>();
  let at = u32(bytes, end + 16);
  for (let left = u16(bytes, end + 10); left > 0; left--) {
    if (at + 46 > end || u32(bytes, at) !== CENTRAL) throw damage(at, "an entry of the table of parts");
    const [method, packed, size, local] = [
      u16(bytes, at + 10),
      u32(bytes, at + 20),
      u32(bytes, at + 24),
      u32(bytes, at + 42),
    ];
    const name = asciiText(bytes, at + 46, at + 46 + u16(bytes, at + 28));
    const part = `part ${shortened(name)}`;
    if (!(local + 30 <= end) || u32(bytes, local) !== LOCAL) throw damage(local, `the ${part}`);
    const from = local + 30 + u16(bytes, local + 26) + u16(bytes, local + 28);
    const whole = bytes.subarray(from, from + packed);
    if (whole.length !== packed || (method === 0 && packed !== size))
      throw damage(from, `the ${part} of ${packed} bytes`);
    if (method !== 0 && method !== 8) throw damage(local, `a ${part} that is stored or deflated`);
    parts.set(name.endsWith(".npy") ? name.slice(0, -4) : name, async () => {
      if (method === 0) return { bytes: whole, at: from, stored: true };
      if (size <= DEFLATE * packed) {
        bound.take(size, part);
        const unpacked = await inflate(where, whole, size);
        if (unpacked !== null) return { bytes: unpacked, at: from, stored: false };
      }
      throw damage(from, `the ${part} of ${size} bytes`);
    });
    at += 46 + u16(bytes, at + 28) + u16(bytes, at + 30) + u16(bytes, at + 32);
  }
  return parts;
}

/** Decompresses bytes; null unless the result has `size` bytes. */
async function inflate(where: string, packed: Uint8Array, size: number): Promise<Uint8Array | null> {
  const { DecompressionStream } = globalThis as { DecompressionStream?: new (format: string) => Stream };
  if (DecompressionStream === undefined) {
    throw new Error(`${where}: expected a platform that has DecompressionStream, for a deflated npz file, got none`);
  }
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  const ignore = (): void => {};
  writer.write(packed).catch(ignore);
  writer.close().catch(ignore);
  const reader = readable.getReader();
  const unpacked = new Uint8Array(size);
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const part = next.value as Uint8Array;
      if (length + part.length > size) return null;
      unpacked.set(part, length);
      length += part.length;
    }
  } catch {
    return null;
  }
  return length === size ? unpacked : null;
}

interface Column {
  readonly length: number;
  /** Offset of its first value in the file, and the bytes between values; 0 if it is deflated. */
  readonly at: number;
  readonly step: number;
  /** Values [from, to), fewer at the end. */
  slice(from: number, to: number): Float64Array;
}

function columnOf({ where }: EventColumns, name: string, { bytes, at, stored }: Part): Column {
  const wide = (bytes[6] as number) > 1;
  const start = (wide ? 12 : 10) + (wide ? u32(bytes, 8) : u16(bytes, 8));
  const header = asciiText(bytes, wide ? 12 : 10, Math.min(start, LONGEST_HEADER));
  const [, order, type = ""] = /'descr': *'([<>|=])(\w+)'/.exec(header) ?? [];
  // An array of events has the shape (), (n,) or (n, 1).
  const shape = /'shape': *(\([\d, ]*\))/.exec(header)?.[1] ?? "";
  const length = /^\((\d*)(, *1|,)?\)$/.exec(shape)?.[1];
  const size = Number(type[1]);
  const count = length === "" ? 1 : Number(length);
  const isWhole = asciiText(bytes, 1, 6) === "NUMPY" && start + count * size <= bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const read = (from: number, n: number) => numbersAt(view, type, start + from * size, n, size, order !== ">");
  if (!isWhole || read(0, 0) === null) {
    const isOther = length === undefined && shape !== "";
    const got = isOther ? `an array of shape ${shortened(shape)}` : "a damaged or other array";
    throw wrongValue(where, `${name} as numbers in a row or a column`, `${got} at byte ${at}`);
  }
  return {
    length: count,
    at: stored ? at + start : at,
    step: stored ? size : 0,
    slice: (from, to) => read(from, Math.min(to, count) - from) as Float64Array,
  };
}

/** Reads an archive with t, x, y and p, and optionally width and height. */
export async function npz(bytes: Uint8Array, columns: EventColumns): Promise<void> {
  const { where, bound } = columns;
  bound.unpacks();
  const archive = archiveOf(where, bytes, bound);
  const read = async (name: string) => {
    const part = archive.get(name);
    if (part !== undefined) return columnOf(columns, name, await part());
    const got = shortened(listed([...archive.keys()]));
    throw wrongValue(where, "an npz file with t, x, y and p", got);
  };
  const [t, x, y, p] = [await read("t"), await read("x"), await read("y"), await read("p")];
  if (archive.has("width") && archive.has("height")) {
    columns.sensor(Number((await read("width")).slice(0, 1)[0]), Number((await read("height")).slice(0, 1)[0]));
  }
  const lengths = [t, x, y, p].map(({ length }) => length);
  const n = reserved(columns, lengths, t.at);
  for (let from = 0; from < n; from += TOGETHER) {
    const of = (column: Column): Float64Array => column.slice(from, Math.min(from + TOGETHER, n));
    appendArrays(columns, { t: of(t), x: of(x), y: of(y), p: of(p) }, 0, (i) => t.at + (from + i) * t.step);
  }
}
