/**
 * Archives of NumPy with an array each for t, x, y and p, as SpikingJelly keeps recordings: a zip file of parts that are stored or
 * deflated.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { append, numbersAt } from "./arrays.ts";
import { asciiText, u32 } from "./decoder.ts";
import { joinedBytes } from "./input.ts";
import type { EventColumns } from "./recording.ts";

/** Marks of the records of a zip file. */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Bytes of the last record, behind which a comment of up to 64 kB may stand. */
const END_SIZE = 22;

interface Part {
  readonly bytes: Uint8Array;
  /** The entry's place in the file. */
  readonly at: number;
  readonly stored: boolean;
}

/** The parts by name, each unpacked when it is asked for. */
type Archive = ReadonlyMap<string, () => Promise<Part>>;

interface Stream {
  readonly readable: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }> } };
  readonly writable: { getWriter(): { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> } };
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

function archiveOf(where: string, bytes: Uint8Array): Archive {
  let end = bytes.length - END_SIZE;
  while (end >= 0 && end > bytes.length - END_SIZE - 65_536 && u32(bytes, end) !== END) end--;
  const damage = (at: number, expected: string): RangeError => {
    return new RangeError(`${where}: expected ${expected}, got a damaged zip file at byte ${Math.max(0, at)}`);
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
    if (!(local + 30 <= end) || u32(bytes, local) !== LOCAL) throw damage(local, `the part ${name}`);
    const from = local + 30 + u16(bytes, local + 26) + u16(bytes, local + 28);
    const whole = bytes.subarray(from, from + packed);
    if (whole.length !== packed || (method === 0 && packed !== size))
      throw damage(from, `the part ${name} of ${packed} bytes`);
    if (method !== 0 && method !== 8) throw damage(local, `a part ${name} that is stored or deflated`);
    parts.set(name.replace(/\.npy$/, ""), async () => {
      if (method === 0) return { bytes: whole, at: from, stored: true };
      const unpacked = await inflate(where, whole, size);
      if (unpacked === null) throw damage(from, `the part ${name} of ${size} bytes`);
      return { bytes: unpacked, at: from, stored: false };
    });
    at += 46 + u16(bytes, at + 28) + u16(bytes, at + 30) + u16(bytes, at + 32);
  }
  return parts;
}

/** The bytes before their compression, or null unless their number is `size`. */
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
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const part = next.value as Uint8Array;
      length += part.length;
      if (length > size) return null;
      parts.push(part);
    }
  } catch {
    return null;
  }
  if (length !== size) return null;
  return joinedBytes(parts);
}

/** The values of an array of NumPy, and the place of the first one. */
function arrayOf(
  columns: EventColumns,
  name: string,
  { bytes, at, stored }: Part,
): { values: Float64Array; at: number; step: number } {
  const wide = (bytes[6] as number) > 1;
  const start = (wide ? 12 : 10) + (wide ? u32(bytes, 8) : u16(bytes, 8));
  const header = asciiText(bytes, wide ? 12 : 10, Math.min(start, 65_536));
  const [, order, type = ""] = /'descr': *'([<>|=])(\w+)'/.exec(header) ?? [];
  // A scalar, a row, or a column, which slices of a table are.
  const shape = /'shape': *(\([\d, ]*\))/.exec(header)?.[1] ?? "";
  const length = /^\((\d*)(, *1|,)?\)$/.exec(shape)?.[1];
  const size = Number(type[1]);
  const count = length === "" ? 1 : Number(length);
  const isWhole = asciiText(bytes, 1, 6) === "NUMPY" && start + count * size <= bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const values = isWhole ? numbersAt(view, type, start, count, size, order !== ">") : null;
  if (values === null) {
    const got = length === undefined && shape !== "" ? `an array of shape ${shape}` : "a damaged or other array";
    throw new RangeError(
      `${columns.where}: expected ${name} as numbers in a row or a column, got ${got} at byte ${at}`,
    );
  }
  return { values, at: stored ? at + start : at, step: stored ? size : 0 };
}

/** Reads an archive with t, x, y and p, and with width and height, if it has them. */
export async function npz(bytes: Uint8Array, columns: EventColumns): Promise<void> {
  const archive = archiveOf(columns.where, bytes);
  const read = async (name: string) => {
    const part = archive.get(name);
    if (part !== undefined) return arrayOf(columns, name, await part());
    throw new RangeError(
      `${columns.where}: expected an npz file with t, x, y and p, got ${[...archive.keys()].join(", ")}`,
    );
  };
  const [t, x, y, p] = [await read("t"), await read("x"), await read("y"), await read("p")];
  if (archive.has("width") && archive.has("height")) {
    columns.sensor(Number((await read("width")).values[0]), Number((await read("height")).values[0]));
  }
  append(columns, { t: t.values, x: x.values, y: y.values, p: p.values }, 0, (i) => t.at + i * t.step);
}
