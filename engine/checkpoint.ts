/**
 * Files of arrays by name in the safetensors format, which PyTorch, JAX and others read and write.
 *
 *   8 bytes    length of the header, little-endian
 *   header     JSON: { "fc1.weight": { dtype, shape, data_offsets: [begin, end] }, …, "__metadata__": { key: "value" } }
 *   data       the arrays, little-endian, without holes
 *
 * @see https://github.com/huggingface/safetensors
 */
import type { StateEntry } from "./nn/module.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "./shape.ts";
import { empty, peek, Tensor } from "./tensor.ts";

/** Arrays by name, as `Module.stateDict` gives and takes them. */
export type NamedArrays = Record<string, Tensor | StateEntry>;

/** The limit of the format's own library. */
const MAX_HEADER = 100_000_000;

/** Bytes of a value, and the value at p as a number that rounds to float32 as the stored one does. */
type Dtype = readonly [bytes: number, read: (view: DataView, p: number) => number];

const plain = /* @__NO_SIDE_EFFECTS__ */ (kind: "Float" | "Int" | "Uint", bits: number): Dtype => [
  bits / 8,
  (view, p) => view[`get${kind}${bits}` as "getFloat32"](p, true),
];

const DTYPES: Record<string, Dtype> = {
  F64: plain("Float", 64),
  F32: plain("Float", 32),
  F16: [2, (view, p) => half(view.getUint16(p, true))],
  BF16: [2, (view, p) => floatOf(view.getUint16(p, true) << 16)],
  I64: [8, (view, p) => wide(view.getInt32(p + 4, true), view.getUint32(p, true))],
  U64: [8, (view, p) => wide(view.getUint32(p + 4, true), view.getUint32(p, true))],
  I32: plain("Int", 32),
  U32: plain("Uint", 32),
  I16: plain("Int", 16),
  U16: plain("Uint", 16),
  I8: plain("Int", 8),
  U8: plain("Uint", 8),
  BOOL: [1, (view, p) => Math.min(view.getUint8(p), 1)],
};

const cell = new DataView(new ArrayBuffer(4));

function floatOf(bits: number): number {
  cell.setUint32(0, bits);
  return cell.getFloat32(0);
}

/** A float16 is a float32 with a smaller exponent: shifted into place it is 2¹¹² too small, subnormal or not. */
function half(bits: number): number {
  const special = (bits & 0x7c00) === 0x7c00 ? 0x7f800000 : 0;
  const magnitude = floatOf(((bits & 0x7fff) << 13) | special) * 2 ** 112;
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** high·2³² + low. Where float64 would round, the low bits become one odd bit, so that float32 rounds only once. */
function wide(high: number, low: number): number {
  const exact = Math.abs(high) < 2 ** 21 || (low & 0x7ff) === 0;
  return high * 2 ** 32 + (exact ? low : ((low | 0xfff) >>> 0) - 0x7ff);
}

/**
 * A safetensors file of float32 arrays, in the order given, with free text as metadata, none by default.
 *
 * @throws RangeError for an array named "__metadata__", a shape with a zero in it or one that does not fit its data;
 *   TypeError for metadata that are not strings, or a shape that is no list.
 * @see https://github.com/huggingface/safetensors
 */
export function saveSafetensors(tensors: NamedArrays, metadata: Record<string, string> = {}): Uint8Array {
  // Without a prototype, "__proto__" is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string")
      throw new TypeError(`saveSafetensors: expected strings as metadata, got ${typeof value} for ${show(key)}`);
    header.__metadata__ = metadata;
  }
  let end = 0;
  for (const [name, array] of Object.entries(tensors)) {
    const { shape } = array;
    const data = valuesOf(array);
    if (name === "__metadata__") throw new RangeError('saveSafetensors: "__metadata__" cannot be the name of a tensor');
    const size = sizeOf(checkShape(`saveSafetensors: tensor ${show(name)}`, shape));
    if (data.length !== size) {
      throw new RangeError(
        `saveSafetensors: tensor ${show(name)}: expected ${size} values for shape ${formatShape(shape)}, got ${data.length}`,
      );
    }
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + 4 * size] };
    end += 4 * size;
  }
  const encoder = new TextEncoder();
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (encoder.encode(text).length % 8)) % 8);
  const head = encoder.encode(text);
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  // Little-endian like linear memory, whose views the engine relies on. They are taken anew: the first look at an expansion
  // writes it out, which may have moved the memory.
  let floats = new Float32Array(bytes.buffer, 8 + head.length);
  for (const array of Object.values(tensors)) {
    const data = valuesOf(array);
    floats.set(data);
    floats = floats.subarray(data.length);
  }
  return bytes;
}

const valuesOf = (array: Tensor | StateEntry): Float32Array => (array instanceof Tensor ? peek(array) : array.data);

/** What {@link loadSafetensors} finds in a file. */
export interface Safetensors {
  /** The arrays by name, as float32. */
  tensors: Record<string, Tensor>;
  /** Free text by key; empty where the file has none. */
  metadata: Record<string, string>;
}

/**
 * The tensors and metadata of a safetensors file. The tensors are the caller's, or the current tape's.
 *
 * Reads F64, F32, F16, BF16, I64 … I8, U64 … U8 and BOOL, and converts to float32: to the nearest value, to the even one
 * of two, also where an I64 or U64 is beyond 2⁵³. `model.loadStateDict(tensors)` takes them as they are.
 *
 * @throws RangeError that names what is wrong with a damaged or unsupported file, before anything is allocated; TypeError
 *   for something else than a Uint8Array.
 * @see https://github.com/huggingface/safetensors
 */
export function loadSafetensors(bytes: Uint8Array): Safetensors {
  const { arrays, metadata } = parseSafetensors("loadSafetensors", bytes);
  const tensors: [string, Tensor][] = [];
  try {
    for (const array of arrays) {
      const t = empty(array.shape);
      tensors.push([array.name, t]);
      decode(array, peek(t));
    }
  } catch (error) {
    for (const [, t] of tensors) t.dispose();
    throw error;
  }
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** An array in a file whose header has been checked. */
export interface StoredArray {
  readonly name: string;
  readonly shape: Shape;
  readonly view: DataView;
  readonly dtype: Dtype;
  /** Where its data lie behind the header. */
  readonly begin: number;
  readonly end: number;
}

/** Writes the values of an array, all of its own. */
export function decode({ view, dtype: [bytes, read], begin, end }: StoredArray, into: { [i: number]: number }): void {
  for (let i = 0, p = begin; p < end; i++, p += bytes) into[i] = read(view, p);
}

/** Checks a file as a whole; nothing is read but its header. */
export function parseSafetensors(
  where: string,
  bytes: Uint8Array,
): { arrays: StoredArray[]; metadata: Record<string, string> } {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError(`${where}: expected a Uint8Array, got ${typeof bytes}`);
  const { buffer, byteOffset, byteLength } = bytes;
  const check = (holds: boolean, expected: string, got: unknown): void => {
    if (!holds) throw new RangeError(`${where}: expected ${expected}, got ${show(got)}`);
  };
  check(byteLength >= 8, "at least 8 bytes", byteLength);
  const sizes = new DataView(buffer, byteOffset, 8);
  const length = wide(sizes.getUint32(4, true), sizes.getUint32(0, true));
  const longest = Math.min(MAX_HEADER, byteLength - 8);
  check(length <= longest, `a header of at most ${longest} bytes`, length);
  const { __metadata__, ...infos } = parseHeader(where, new Uint8Array(buffer, byteOffset + 8, length));
  const view = new DataView(buffer, byteOffset + 8 + length, byteLength - 8 - length);

  const metadata = (__metadata__ ?? {}) as Record<string, string>;
  const strings = Object.values(metadata).every((value) => typeof value === "string");
  check(strings && show(metadata)[0] === "{", "metadata of strings", metadata);

  const arrays = Object.entries(infos).map(([name, info]) => {
    const tensor = `tensor ${show(name)}`;
    const { dtype: type, shape, data_offsets: offsets } = Object(info) as { [key: string]: unknown; shape: Shape };
    const types = Object.keys(DTYPES);
    check(types.includes(type as string), `${tensor} to be of dtype ${types.join(", ")}`, type);
    check(Array.isArray(shape), `${tensor} to have a shape`, shape);
    checkShape(`${where}: ${tensor}`, shape);
    const dtype = DTYPES[type as string] as Dtype;
    const size = sizeOf(shape) * dtype[0];
    const [begin, end] = (Array.isArray(offsets) && offsets.length === 2 ? offsets : []) as [number, number];
    const fits = Number.isInteger(begin) && begin >= 0 && end === begin + size && end <= view.byteLength;
    check(fits, `${tensor} to have data_offsets of ${size} bytes within ${view.byteLength}`, offsets);
    return { name, shape, view, dtype, begin, end };
  });
  let covered = 0;
  for (const { name, begin, end } of [...arrays].sort((a, b) => a.begin - b.begin)) {
    check(begin === covered, `tensor ${show(name)} to begin at ${covered}, without a hole or an overlap`, begin);
    covered = end;
  }
  check(covered === view.byteLength, `${covered} bytes of data`, view.byteLength);
  return { arrays, metadata };
}

function parseHeader(where: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    if (bytes[0] !== 0x7b) throw new SyntaxError(`a beginning other than {: ${text.slice(0, 20)}`);
    checkNames(text);
    return header as Record<string, unknown>;
  } catch (cause) {
    const { message } = cause as Error;
    throw new RangeError(`${where}: expected a JSON object in UTF-8 as the header, got ${message}`, { cause });
  }
}

/** Throws where valid JSON gives an object the same name twice, which JSON.parse lets pass. */
function checkNames(text: string): void {
  const objects: Set<unknown>[] = [];
  for (const [token, string, colon] of text.matchAll(/[{}]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g)) {
    if (token === "{") objects.unshift(new Set());
    else if (token === "}") objects.shift();
    else if (colon !== undefined) {
      const [names] = objects as [Set<unknown>];
      const name: unknown = JSON.parse(string as string);
      if (names.has(name)) throw new SyntaxError(`the name ${show(name)} twice`);
      names.add(name);
    }
  }
}

/** A value of a file for an error message, which a hostile one must not flood. */
function show(value: unknown): string {
  const text = String(JSON.stringify(value));
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
