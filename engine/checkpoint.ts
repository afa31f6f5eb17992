/**
 * Files of named arrays in the safetensors format, which PyTorch, JAX and others read and write.
 *
 *   8 bytes    length of the header, little-endian
 *   header     JSON: { "fc1.weight": { dtype, shape, data_offsets: [begin, end] }, …, "__metadata__": { key: "value" } }
 *   data       the arrays, little-endian, without gaps
 *
 * @see https://github.com/huggingface/safetensors
 */
import { isPlain, refusePage, shortened, show, wrongValue } from "./arguments.ts";
import { inReference } from "./core/backend.ts";
import { alive, emptyOf, peek, Tensor } from "./core/tensor.ts";
import { memory } from "./core/wasm.ts";
import { members } from "./json.ts";
import type { ArrayEntry, NamedArrays, NumberArray } from "./nn/module.ts";
import { checkSize, formatShape, type Shape, sizeOf, sizesOf } from "./shape.ts";

/** Longest header that the format's own library reads. */
const MAX_HEADER = 100_000_000;

type Read = (view: DataView, p: number) => number;

/**
 * Describes values of one dtype: their bytes, a reader of the value at p, and their array type. `read` returns a
 * number that rounds to the same float32 as the stored value. If this number may differ from the nearest float64,
 * `nearest` returns the nearest float64.
 */
type Dtype = readonly [bytes: number, read: Read, array: ArrayOf, nearest?: Read];

type ArrayOf = new (from: ArrayBuffer | ArrayLike<number>) => NumberArray;

const plain = /* @__NO_SIDE_EFFECTS__ */ (kind: "Float" | "Int" | "Uint", bits: number, array: ArrayOf): Dtype => [
  bits / 8,
  (view, p) => view[`get${kind}${bits}` as "getFloat32"](p, true),
  array,
];

/** An 8-bit float: like `half`, a float32 with a smaller exponent; NaN where `isNan` is true. */
const byte = /* @__NO_SIDE_EFFECTS__ */ (shift: number, bias: number, isNan: (b: number) => boolean): Dtype => [
  1,
  (view, p) => {
    const b = view.getUint8(p);
    const magnitude = isNan(b) ? Number.NaN : floatOf((b & 0x7f) << shift) * 2 ** (127 - bias);
    return b & 0x80 ? -magnitude : magnitude;
  },
  Float32Array,
];

/** An integer of 8 bytes, given the readers of its high half and of the whole. */
const eight = /* @__NO_SIDE_EFFECTS__ */ (
  high: "getInt32" | "getUint32",
  whole: `getBig${"Int" | "Uint"}64`,
): Dtype => [
  8,
  (view, p) => wide(view[high](p + 4, true), view.getUint32(p, true)),
  Float64Array,
  (view, p) => Number(view[whole](p, true)),
];

/** Several dtypes may share an array type; arrays are written as the first of these dtypes. */
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
  I64: eight("getInt32", "getBigInt64"),
  U64: eight("getUint32", "getBigUint64"),
  I32: plain("Int", 32, Int32Array),
  U32: plain("Uint", 32, Uint32Array),
  I16: plain("Int", 16, Int16Array),
  U16: plain("Uint", 16, Uint16Array),
  I8: plain("Int", 8, Int8Array),
  U8: plain("Uint", 8, Uint8Array),
  BOOL: [1, (view, p) => Math.min(view.getUint8(p), 1), Uint8Array],
};

/** Looks up a dtype. The name comes from a file and might be `constructor`, so only own keys count. */
const dtypeOf = (type: string): Dtype | undefined => (Object.keys(DTYPES).includes(type) ? DTYPES[type] : undefined);

const cell = new DataView(new ArrayBuffer(4));

function floatOf(bits: number): number {
  cell.setUint32(0, bits);
  return cell.getFloat32(0);
}

/**
 * Reads a float16, a float32 with a smaller exponent: its bits in float32 position give the value times 2⁻¹¹², also for
 * subnormals.
 */
function half(bits: number): number {
  const special = (bits & 0x7c00) === 0x7c00 ? 0x7f800000 : 0;
  const magnitude = floatOf(((bits & 0x7fff) << 13) | special) * 2 ** 112;
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** high·2³² + low. If float64 cannot hold it, one odd bit replaces the low bits, so that float32 rounds only once. */
function wide(high: number, low: number): number {
  const exact = Math.abs(high) < 2 ** 21 || (low & 0x7ff) === 0;
  return high * 2 ** 32 + (exact ? low : ((low | 0xfff) >>> 0) - 0x7ff);
}

/**
 * Writes a safetensors file of arrays, in the given order, with optional free text as metadata.
 *
 * Tensors are written as F32. Arrays `{ shape, data }` keep the type of their data: Float32Array → F32, Float64Array →
 * F64, Int8Array → I8, Uint8Array → U8, …, I32 and U32. {@link readSafetensors} restores them.
 *
 * @throws RangeError for an array named "__metadata__", a shape that does not fit its data or has more than 64 axes, or names and metadata beyond the
 *   100 MB of a header; TypeError for anything but tensors and such arrays, or metadata that are not strings; Error for a freed tensor.
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

/**
 * `saveSafetensors` with the name of the caller for errors. Reads all values once, before checks and writes, so that no
 * getter can change them later.
 */
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
  // Wide values come first: readers that map a file into memory need them aligned.
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
  // The file is little-endian, like linear memory. Views are made here, because reading an expanded tensor may move the
  // memory.
  for (const { name, what, source } of byWidth) {
    const { buffer, byteOffset, byteLength } = valuesOf(what, source);
    if (byteLength === 0) continue; // A detached buffer allows no view.
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start + (begins.get(name) as number));
  }
  return bytes;
}

/** Names and values of a plain object. A Map, for example, would silently lose its entries. */
export function entriesOf(where: string, expected: string, object: unknown): [string, unknown][] {
  if (!isPlain(object)) throw new TypeError(`${where}: expected ${expected}, got ${showKind(object)}`);
  return Object.entries(object);
}

/** Describes a value for a message; objects by their class. */
export function showKind(value: unknown): string {
  const name: unknown = typeof value === "object" ? value?.constructor?.name : undefined;
  return typeof name === "string" && !Array.isArray(value) ? shortened(name) : show(value);
}

/** An array to write: the type of its values, their width in bytes, and their source. */
interface Content {
  readonly shape: Shape;
  readonly type: string;
  readonly width: number;
  readonly source: Tensor | NumberArray;
}

/** Reads an array or tensor once. */
function contentOf(what: string, array: unknown): Content {
  if (array instanceof Tensor) return { shape: array.sizes, type: "F32", width: 4, source: array };
  const { shape, data } = Object(array) as ArrayEntry;
  for (const [type, [width, , Kind]] of Object.entries(DTYPES)) {
    if (!(data instanceof Kind)) continue;
    // Copies views of linear memory, which detach when it grows, and of shared memory, which other threads may write or
    // grow.
    const isCopied = data.buffer === memory.buffer || !(data.buffer instanceof ArrayBuffer);
    return { shape: shapeOf(what, shape), type, width, source: isCopied ? new Kind(data) : data };
  }
  const got = showKind(data === undefined ? array : data);
  throw new TypeError(`${what}: expected a tensor, or a shape and data such as a Float32Array, got ${got}`);
}

/** A copy of the shape of an array. Sizes may be 0. */
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
  // Inside of gradcheck, values of a tensor are float64.
  return inReference() ? new Float32Array(peek(source)) : peek(source);
}

/** Text of a JSON header; throws as soon as it is too long. */
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

  /** Adds a long text in pieces of whole characters, because an escape may be six times as long as its character. */
  addString(value: string): void {
    this.add('"');
    for (const [piece] of value.matchAll(/.{1,65536}/gsuy)) this.add(JSON.stringify(piece).slice(1, -1));
    this.add('"');
  }

  /** Pads with spaces, so that the data after the header are aligned. */
  bytes(): Uint8Array {
    return this.encoder.encode(this.text + " ".repeat(-this.length & 7));
  }
}

/** Zeroed bytes. Throws an error that names the caller if the platform refuses. */
export function bytesFor(where: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new RangeError(`${where}: expected memory for ${length} bytes, got none`, { cause });
  }
}

/** An array of a file that was skipped. */
export interface SkippedArray {
  /** Name of the tensor. */
  readonly name: string;
  /** Type of its values, as in the file. */
  readonly dtype: string;
  /** Sizes of the axes. */
  readonly shape: Shape;
}

/** Content of a file, from {@link loadSafetensors}. */
export interface Safetensors {
  /** Arrays by name, as float32. */
  tensors: Record<string, Tensor>;
  /** Free text by key; empty if the file has none. */
  metadata: Record<string, string>;
  /** Arrays that cannot be tensors: empty ones, and arrays of an unsupported dtype. */
  skipped: SkippedArray[];
}

/** An array of a file, and the type of its values there. */
export interface FileArray extends ArrayEntry {
  /** Type of its values, as in the file: "F32", "I8", … */
  readonly dtype: string;
}

/** Content of a file, from {@link readSafetensors}. */
export interface SafetensorsArrays {
  /** Arrays by name. */
  arrays: Record<string, FileArray>;
  /** Free text by key; empty if the file has none. */
  metadata: Record<string, string>;
  /** Arrays of an unsupported dtype. */
  skipped: SkippedArray[];
}

/**
 * Reads tensors and metadata of a safetensors file. The tensors belong to the caller, or to the current tape.
 *
 * Reads F64, F32, F16, BF16, the five F8, I64 … I8, U64 … U8 and BOOL. Converts each value to the nearest float32, ties
 * to even, also beyond 2⁵³. Pass the result to `model.loadStateDict(tensors)`. `skipped` lists empty arrays and arrays
 * of other dtypes, such as F4 or C64.
 *
 * @throws RangeError that describes the damage of a file, before anything is allocated, or that the bytes are a web page, which servers send for a
 *   wrong address; TypeError for anything but a Uint8Array.
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
      const t = emptyOf([...array.shape]);
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
 * Reads arrays, including empty ones, and metadata of a safetensors file in their stored types, without making tensors.
 *
 * Integers of up to 32 bits become the typed array of their type, such as Int8Array for I8; BOOL becomes a Uint8Array.
 * F64, I64 and U64 become a Float64Array, where integers beyond 2⁵³ are rounded to the nearest float64. Other floats
 * become a Float32Array. {@link saveSafetensors} and `model.loadStateDict` accept these arrays.
 *
 * @throws RangeError that describes the damage of a file, before anything is allocated, or if memory does not suffice; TypeError for anything but a
 *   Uint8Array.
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

/** An array of a file, after the header was checked. */
interface Place {
  readonly name: string;
  readonly shape: Shape;
  /** Name of its dtype. */
  readonly type: string;
  /** Its dtype; undefined if it is unsupported. */
  readonly dtype: Dtype | undefined;
  readonly view: DataView;
  /** Offset of its data from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** An array of a supported dtype, with the bytes of the file. */
export interface ReadableArray extends Place {
  readonly dtype: Dtype;
}

/**
 * Dtypes that are copied byte by byte into their typed array. This requires little-endian memory, as the whole engine
 * does.
 */
const COPIED = ["F64", "F32", "I32", "U32", "I16", "U16", "I8", "U8"];

/** Writes the values of an array to a new typed array. */
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

/** Checks a whole file; reads only its header, once. */
export function parseSafetensors(
  where: string,
  bytes: Uint8Array,
): { arrays: ReadableArray[]; skipped: SkippedArray[]; metadata: Record<string, string> } {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError(`${where}: expected a Uint8Array, got ${showKind(bytes)}`);
  const refuse = refusal(where);
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < 8) refuse("at least 8 bytes", byteLength);
  let file = new Uint8Array(buffer, byteOffset, byteLength);
  if (buffer === memory.buffer) file = file.slice(); // Copies the file, since making tensors may grow this memory.
  const sizes = new DataView(file.buffer, file.byteOffset, 8);
  const length = wide(sizes.getUint32(4, true), sizes.getUint32(0, true));
  const longest = Math.min(MAX_HEADER, byteLength - 8);
  if (length > longest) {
    refusePage(where, "a safetensors file", file);
    refuse(`a header of at most ${longest} bytes`, length);
  }
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

/** Dtype, shape and offsets of a tensor. */
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
  // The width of unsupported dtypes is unknown.
  const size = dtype ? sizeOf(shape) * dtype[0] : isPlace ? end - begin : 0;
  if (!(isPlace && end === begin + size && end <= room)) {
    refuse(`${what} to have data_offsets of ${size} bytes within ${room}`, brief(info.data_offsets));
  }
  return { shape, type, dtype, begin, end };
}

/** Parses a list that contains neither lists nor objects; undefined for other text. */
const listOf = (json = ""): unknown[] | undefined => (/^\[[^[{]*$/.test(json) ? JSON.parse(json) : undefined);

/** Shortens a value's text to one line for errors. */
const brief = (json = "undefined"): string => shortened(json).replace(/\s+/g, " ");
