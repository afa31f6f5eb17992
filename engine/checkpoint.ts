/**
 * Files of arrays by name in the safetensors format, which PyTorch, JAX and others read and write.
 *
 *   8 bytes    length of the header, little-endian
 *   header     JSON: { "fc1.weight": { dtype, shape, data_offsets: [begin, end] }, …, "__metadata__": { key: "value" } }
 *   data       the arrays, little-endian, without holes
 *
 * @see https://github.com/huggingface/safetensors
 */
import { isPlain, show, wrongValue } from "./arguments.ts";
import { inReference } from "./backend.ts";
import { members, shortened } from "./json.ts";
import type { ArrayEntry, NamedArrays, NumberArray } from "./nn/module.ts";
import { checkSize, formatShape, type Shape, sizeOf, sizesOf } from "./shape.ts";
import { alive, empty, peek, Tensor } from "./tensor.ts";
import { memory } from "./wasm.ts";

/** The limit of the format's own library. */
const MAX_HEADER = 100_000_000;

type Read = (view: DataView, p: number) => number;

/**
 * Bytes of a value, the value at p as a number that rounds to float32 as the stored one does, and the array for such values; `nearest`
 * reads the nearest float64 where that is another number.
 */
type Dtype = readonly [bytes: number, read: Read, array: ArrayOf, nearest?: Read];

type ArrayOf = new (from: ArrayBuffer | ArrayLike<number>) => NumberArray;

const plain = /* @__NO_SIDE_EFFECTS__ */ (kind: "Float" | "Int" | "Uint", bits: number, array: ArrayOf): Dtype => [
  bits / 8,
  (view, p) => view[`get${kind}${bits}` as "getFloat32"](p, true),
  array,
];

/** A float of a byte: a float32 with a smaller exponent, as `half` is, and NaN where `isNan` is true. */
const byte = (shift: number, bias: number, isNan: (b: number) => boolean): Dtype => [
  1,
  (view, p) => {
    const b = view.getUint8(p);
    const magnitude = isNan(b) ? Number.NaN : floatOf((b & 0x7f) << shift) * 2 ** (127 - bias);
    return b & 0x80 ? -magnitude : magnitude;
  },
  Float32Array,
];

/** Where kinds share an array, the first kind is written. */
const DTYPES: Record<string, Dtype> = {
  F64: plain("Float", 64, Float64Array),
  F32: plain("Float", 32, Float32Array),
  F16: [2, (view, p) => half(view.getUint16(p, true)), Float32Array],
  BF16: [2, (view, p) => floatOf(view.getUint16(p, true) << 16), Float32Array],
  F8_E4M3: byte(20, 7, (b) => (b & 0x7f) === 0x7f),
  F8_E5M2: [1, (view, p) => half(view.getUint8(p) << 8), Float32Array],
  F8_E4M3FNUZ: byte(20, 8, (b) => b === 0x80),
  F8_E5M2FNUZ: byte(21, 16, (b) => b === 0x80),
  F8_E8M0: [1, (view, p) => (view.getUint8(p) === 255 ? Number.NaN : 2 ** (view.getUint8(p) - 127)), Float32Array],
  I64: [
    8,
    (view, p) => wide(view.getInt32(p + 4, true), view.getUint32(p, true)),
    Float64Array,
    (view, p) => Number(view.getBigInt64(p, true)),
  ],
  U64: [
    8,
    (view, p) => wide(view.getUint32(p + 4, true), view.getUint32(p, true)),
    Float64Array,
    (view, p) => Number(view.getBigUint64(p, true)),
  ],
  I32: plain("Int", 32, Int32Array),
  U32: plain("Uint", 32, Uint32Array),
  I16: plain("Int", 16, Int16Array),
  U16: plain("Uint", 16, Uint16Array),
  I8: plain("Int", 8, Int8Array),
  U8: plain("Uint", 8, Uint8Array),
  BOOL: [1, (view, p) => Math.min(view.getUint8(p), 1), Uint8Array],
};

/** `type` comes from a file: `constructor`, say, is no name of the table. */
const dtypeOf = (type: string): Dtype | undefined => (Object.keys(DTYPES).includes(type) ? DTYPES[type] : undefined);

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
 * A safetensors file of arrays, in the order given, with free text as metadata, none by default.
 *
 * Tensors are written as F32, arrays `{ shape, data }` as the kind of their data: a Float32Array as F32, a Float64Array as F64, an
 * Int8Array as I8, a Uint8Array as U8, and so up to I32 and U32. {@link readSafetensors} gives them back.
 *
 * @throws RangeError for an array named "__metadata__", a shape that does not fit its data or has more than 64 axes, or names and
 *   metadata beyond the 100 MB of a header; TypeError for anything but tensors and such arrays, or metadata that are not strings;
 *   Error for a tensor that was freed.
 * @see https://github.com/huggingface/safetensors
 *
 * @example
 * ```ts
 * import { Linear, loadSafetensors, saveSafetensors } from "jarvis-snn";
 *
 * const model = new Linear(2, 1);
 * const bytes = saveSafetensors(model.stateDict(), { epoch: "3" }); // a Uint8Array, for a file or IndexedDB
 * const copy = new Linear(2, 1);
 * copy.loadStateDict(loadSafetensors(bytes).tensors);
 * console.log(copy.weight.eq(model.weight).toArray()); // [ [ 1, 1 ] ]
 * ```
 */
export const saveSafetensors = (tensors: NamedArrays, metadata: Record<string, string> = {}): Uint8Array =>
  writeSafetensors("saveSafetensors", tensors, metadata);

/** The same, with the place that errors name. All is read first, once, so that no getter runs between a check and a use. */
export function writeSafetensors(where: string, tensors: object, metadata: object): Uint8Array {
  const arrays = entriesOf(where, "tensors by name, such as model.stateDict()", tensors).map(([name, array]) => {
    const what = `${where}: tensor ${show(name)}`;
    return { name, what, ...contentOf(what, array) };
  });
  const texts = entriesOf(where, "metadata, an object of strings", metadata);

  const header = new HeaderText(where);
  header.add("{");
  for (const [i, [key, text]] of texts.entries()) {
    if (typeof text !== "string")
      throw new TypeError(`${where}: expected strings as metadata, got ${show(text)} for ${show(key)}`);
    header.add(i === 0 ? '"__metadata__":{' : ",");
    header.addString(key);
    header.add(":");
    header.addString(text);
  }
  if (texts.length > 0) header.add("}");
  for (const { name, what, shape, source } of arrays) {
    if (name === "__metadata__") throw new RangeError(`${where}: "__metadata__" cannot be the name of a tensor`);
    const { length } = valuesOf(what, source);
    const size = sizeOf(shape);
    if (length !== size) throw wrongValue(what, `${size} values for shape ${formatShape(shape)}`, length);
  }
  // Wide values come first: readers that map a file into memory want them aligned.
  const byWidth = [...arrays].sort((a, b) => b.width - a.width);
  const begins = new Map<string, number>();
  let end = 0;
  for (const { name, width, shape } of byWidth) {
    begins.set(name, end);
    end += width * sizeOf(shape);
  }
  for (const [i, { name, type, width, shape }] of arrays.entries()) {
    const begin = begins.get(name) as number;
    if (i + texts.length > 0) header.add(",");
    header.addString(name);
    header.add(`:{"dtype":"${type}","shape":[${shape}],"data_offsets":[${begin},${begin + width * sizeOf(shape)}]}`);
  }
  header.add("}");
  const head = header.bytes();

  const start = 8 + head.length;
  const bytes = bytesFor(where, start + end);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  // Little-endian like linear memory, whose views the engine relies on. They are taken anew: the first look at an expansion
  // writes it out, which may have moved the memory.
  for (const { name, what, source } of byWidth) {
    const { buffer, byteOffset, byteLength } = valuesOf(what, source);
    if (byteLength === 0) continue; // no view of a buffer that is gone can be made
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start + (begins.get(name) as number));
  }
  return bytes;
}

/** Names and values of a plain object. The entries of a Map, say, would silently be none. */
export function entriesOf(where: string, expected: string, object: unknown): [string, unknown][] {
  if (!isPlain(object)) throw new TypeError(`${where}: expected ${expected}, got ${showKind(object)}`);
  return Object.entries(object);
}

/** A value in a message, an object by its class. */
export function showKind(value: unknown): string {
  const name: unknown = typeof value === "object" ? value?.constructor?.name : undefined;
  return typeof name === "string" && !Array.isArray(value) ? shortened(name) : show(value);
}

/** An array to write: the kind of its values, their width in bytes, and where they are. */
interface Content {
  readonly shape: Shape;
  readonly type: string;
  readonly width: number;
  readonly source: Tensor | NumberArray;
}

/** The value of a member, read once. */
function contentOf(what: string, array: unknown): Content {
  if (array instanceof Tensor) return { shape: array.sizes, type: "F32", width: 4, source: array };
  const { shape, data } = Object(array) as ArrayEntry;
  for (const [type, [width, , Kind]] of Object.entries(DTYPES)) {
    if (!(data instanceof Kind)) continue;
    // Views of linear memory end where it grows, and another thread may write shared memory, or make it grow.
    const isCopied = data.buffer === memory.buffer || !(data.buffer instanceof ArrayBuffer);
    return { shape: shapeOf(what, shape), type, width, source: isCopied ? new Kind(data) : data };
  }
  const got = showKind(data === undefined ? array : data);
  throw new TypeError(`${what}: expected a tensor, or a shape and data such as a Float32Array, got ${got}`);
}

/** A copy of a shape of an array, which may have no values. */
function shapeOf(where: string, shape: Shape): Shape {
  const sizes = sizesOf(where, shape);
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!sizes.every(isSize)) throw wrongValue(where, "sizes that are integers ≥ 0", `shape ${formatShape(sizes)}`);
  checkSize(where, sizes, sizes.includes(0) ? 0 : sizeOf(sizes));
  return sizes;
}

function valuesOf(where: string, source: Tensor | NumberArray): NumberArray {
  if (!(source instanceof Tensor)) return source;
  alive(source, where);
  // Inside of gradcheck the values of a tensor are float64.
  return inReference() ? new Float32Array(peek(source)) : peek(source);
}

/** The JSON of a header, refused as soon as it is too long. */
class HeaderText {
  private readonly where: string;
  private readonly encoder = new TextEncoder();
  private text = "";
  private length = 0;

  constructor(where: string) {
    this.where = where;
  }

  add(json: string): void {
    this.text += json;
    this.length += this.encoder.encode(json).length;
    if (this.length <= MAX_HEADER) return;
    throw wrongValue(this.where, `names and metadata of at most ${MAX_HEADER} bytes of JSON`, "more");
  }

  /** In pieces of whole characters, since an escape may be six times as long as its character. */
  addString(value: string): void {
    this.add('"');
    for (const [piece] of value.matchAll(/.{1,65536}/gsu)) this.add(JSON.stringify(piece).slice(1, -1));
    this.add('"');
  }

  /** Filled up with spaces, so that the data behind them are aligned. */
  bytes(): Uint8Array {
    return this.encoder.encode(this.text + " ".repeat(-this.length & 7));
  }
}

/** As many bytes, 0; of too many, the platform would not say whose they are. */
export function bytesFor(where: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new RangeError(`${where}: expected memory for ${length} bytes, got none`, { cause });
  }
}

/** An array of a file that was left out. */
export interface SkippedArray {
  /** The tensor's name. */
  readonly name: string;
  /** The kind of its values, as the file says it. */
  readonly dtype: string;
  /** Sizes of the axes. */
  readonly shape: Shape;
}

/** The content of a file for {@link loadSafetensors}. */
export interface Safetensors {
  /** The arrays by name, as float32. */
  tensors: Record<string, Tensor>;
  /** Free text by key; empty where the file has none. */
  metadata: Record<string, string>;
  /** Arrays that cannot be tensors: empty ones, and arrays of a dtype that is not read. */
  skipped: SkippedArray[];
}

/** An array of a file, and the kind of its values there. */
export interface FileArray extends ArrayEntry {
  /** The kind of its values, as the file says it: "F32", "I8", … */
  readonly dtype: string;
}

/** The content of a file for {@link readSafetensors}. */
export interface SafetensorsArrays {
  /** The arrays by name. */
  arrays: Record<string, FileArray>;
  /** Free text by key; empty where the file has none. */
  metadata: Record<string, string>;
  /** Arrays of a dtype that is not read. */
  skipped: SkippedArray[];
}

/**
 * The tensors and metadata of a safetensors file. The tensors are the caller's, or the current tape's.
 *
 * Reads F64, F32, F16, BF16, the five F8, I64 … I8, U64 … U8 and BOOL, and converts to float32: to the nearest value, to the even
 * one of two, also where an I64 or U64 is beyond 2⁵³. `model.loadStateDict(tensors)` takes the result. An array without values,
 * or of another dtype, such as F4 or C64, is named in `skipped`; the others are read.
 *
 * @throws RangeError that names the damage of a file, before anything is allocated; TypeError for anything but a Uint8Array.
 * @see https://github.com/huggingface/safetensors
 *
 * @example
 * ```ts
 * import { loadSafetensors, saveSafetensors, tensor } from "jarvis-snn";
 *
 * const bytes = saveSafetensors({ w: tensor([1, 2]) }, { note: "two weights" });
 * const { tensors, metadata } = loadSafetensors(bytes);
 * console.log(`${tensors.w}`, metadata); // Tensor([2], [1, 2]) { note: 'two weights' }
 * ```
 */
export function loadSafetensors(bytes: Uint8Array): Safetensors {
  const { arrays, metadata, skipped } = parseSafetensors("loadSafetensors", bytes);
  const tensors: [string, Tensor][] = [];
  try {
    for (const array of arrays) {
      if (array.begin === array.end) {
        skipped.push(skippedOf(array));
        continue;
      }
      const t = empty([...array.shape]);
      tensors.push([array.name, t]);
      decode(array, peek(t));
    }
  } catch (error) {
    for (const [, t] of tensors) t.dispose();
    throw error;
  }
  return { tensors: Object.fromEntries(tensors), metadata, skipped };
}

/**
 * The arrays and metadata of a safetensors file as they are stored, without tensors: those without values too.
 *
 * Integers of up to 32 bits are of their own kind, an Int8Array for I8 and so on, a Uint8Array for BOOL; F64, I64 and U64 are a
 * Float64Array, rounded to the nearest beyond 2⁵³; other floats are a Float32Array. {@link saveSafetensors} and
 * `model.loadStateDict` take the arrays.
 *
 * @throws RangeError that names the damage of a file, before anything is allocated, and where memory does not suffice;
 *   TypeError for something else than a Uint8Array.
 * @see https://github.com/huggingface/safetensors
 *
 * @example
 * ```ts
 * import { readSafetensors, saveSafetensors } from "jarvis-snn";
 *
 * const bytes = saveSafetensors({ codes: { shape: [3], data: Int8Array.of(1, -2, 3) } });
 * const { codes } = readSafetensors(bytes).arrays;
 * console.log(codes?.dtype, codes?.data); // I8 Int8Array(3) [ 1, -2, 3 ]
 * ```
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsArrays {
  const { arrays, metadata, skipped } = parseSafetensors("readSafetensors", bytes);
  const all = arrays.map((array): [string, FileArray] => {
    const { name, shape, type, dtype } = array;
    const [width, read, Kind, nearest = read] = dtype;
    const size = sizeOf(shape) * (Kind === Float32Array ? 4 : width);
    const data = new Kind(bytesFor(`readSafetensors: tensor ${show(name)}`, size).buffer);
    decode(array, data, nearest);
    return [name, { shape, dtype: type, data }];
  });
  return { arrays: Object.fromEntries(all), metadata, skipped };
}

const skippedOf = ({ name, type, shape }: Place): SkippedArray => ({ name, dtype: type, shape });

/** An array in a file whose header has been checked. */
interface Place {
  readonly name: string;
  readonly shape: Shape;
  /** The name of its dtype, … */
  readonly type: string;
  /** … and the dtype, undefined for those that are not read. */
  readonly dtype: Dtype | undefined;
  readonly view: DataView;
  /** Where its data lie behind the header. */
  readonly begin: number;
  readonly end: number;
}

/** The place of an array whose dtype is known, with the bytes of the file. */
export interface ReadableArray extends Place {
  readonly dtype: Dtype;
}

/**
 * Dtypes whose bytes in a file equal the bytes of their typed array; the engine relies on little-endian memory
 * elsewhere too.
 */
const COPIED = ["F64", "F32", "I32", "U32", "I16", "U16", "I8", "U8"];

/** Writes the values of an array, all of its own. */
export function decode(array: ReadableArray, into: NumberArray, read = array.dtype[1]): void {
  const { view, type, begin, end } = array;
  const [bytes, , Kind] = array.dtype;
  if (COPIED.includes(type) && into instanceof Kind) {
    const file = new Uint8Array(view.buffer, view.byteOffset + begin, end - begin);
    new Uint8Array(into.buffer, into.byteOffset, end - begin).set(file);
    return;
  }
  for (let i = 0, p = begin; p < end; i++, p += bytes) into[i] = read(view, p);
}

/** Checks a file as a whole; nothing is read but its header, once. */
export function parseSafetensors(
  where: string,
  bytes: Uint8Array,
): { arrays: ReadableArray[]; skipped: SkippedArray[]; metadata: Record<string, string> } {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError(`${where}: expected a Uint8Array, got ${showKind(bytes)}`);
  const refuse = refusal(where);
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < 8) refuse("at least 8 bytes", byteLength);
  let file = new Uint8Array(buffer, byteOffset, byteLength);
  if (buffer === memory.buffer) file = file.slice(); // which the tensors may make grow
  const sizes = new DataView(file.buffer, file.byteOffset, 8);
  const length = wide(sizes.getUint32(4, true), sizes.getUint32(0, true));
  const longest = Math.min(MAX_HEADER, byteLength - 8);
  if (length > longest) refuse(`a header of at most ${longest} bytes`, length);
  const view = new DataView(file.buffer, file.byteOffset + 8 + length, byteLength - 8 - length);

  const all: Place[] = [];
  let metadata: Record<string, string> = {};
  try {
    members(textOf(file.slice(8, 8 + length)), (name, json) => {
      if (name === "__metadata__") metadata = metadataOf(where, json);
      else all.push({ name, view, ...placeOf(where, name, json, view.byteLength) });
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse("a JSON object in UTF-8 as the header", error.message);
  }
  let covered = 0;
  for (const { name, begin, end } of [...all].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) refuse(`tensor ${show(name)} to begin at ${covered}, without a hole or an overlap`, begin);
    covered = end;
  }
  if (covered !== view.byteLength) refuse(`${covered} bytes of data`, view.byteLength);
  const arrays = all.filter((each): each is ReadableArray => each.dtype !== undefined);
  return { arrays, skipped: all.filter(({ dtype }) => dtype === undefined).map(skippedOf), metadata };
}

const refusal =
  (where: string) =>
  (expected: string, got: string | number): never => {
    throw wrongValue(where, expected, got);
  };

function textOf(bytes: Uint8Array): string {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError("bytes that are none");
  }
  if (bytes[0] !== 0x7b) throw new SyntaxError(`a beginning other than {: ${text.slice(0, 20)}`);
  return text;
}

function metadataOf(where: string, json: string): Record<string, string> {
  const found = new Map<string, string>();
  const check = (holds: boolean): void => {
    if (!holds) refusal(where)("metadata of strings", brief(json));
  };
  if (json === "null") return {};
  check(json.startsWith("{"));
  members(json, (key, value) => {
    check(value.startsWith('"'));
    found.set(key, JSON.parse(value));
  });
  return Object.fromEntries(found);
}

/** The dtype, the shape and the place of a tensor. */
function placeOf(where: string, name: string, json: string, room: number): Omit<Place, "name" | "view"> {
  const refuse = refusal(where);
  const what = `tensor ${show(name)}`;
  const info: Record<string, string> = {};
  if (json.startsWith("{")) {
    members(json, (key, value) => {
      if (key === "dtype" || key === "shape" || key === "data_offsets") info[key] = value;
    });
  }
  if (!info.dtype?.startsWith('"')) return refuse(`${what} to have a dtype, such as F32`, brief(info.dtype));
  const type: string = JSON.parse(info.dtype);
  const list = listOf(info.shape);
  if (list === undefined) return refuse(`${what} to have a shape`, brief(info.shape));
  const shape = shapeOf(`${where}: ${what}`, list as number[]);
  const offsets = listOf(info.data_offsets) ?? [];
  const [begin, end] = offsets as [number, number];
  const isPlace =
    offsets.length === 2 && Number.isInteger(begin) && Number.isInteger(end) && begin >= 0 && end >= begin;
  const dtype = dtypeOf(type);
  // The width of another dtype is not known here.
  const size = dtype ? sizeOf(shape) * dtype[0] : isPlace ? end - begin : 0;
  if (!(isPlace && end === begin + size && end <= room)) {
    refuse(`${what} to have data_offsets of ${size} bytes within ${room}`, brief(info.data_offsets));
  }
  return { shape, type, dtype, begin, end };
}

/** The list that a text is, if it holds neither lists nor objects. */
const listOf = (json = ""): unknown[] | undefined => (/^\[[^[{]*$/.test(json) ? JSON.parse(json) : undefined);

/** The text of a value for an error message, in one line. */
const brief = (json = "undefined"): string => shortened(json).replace(/\s+/g, " ");
