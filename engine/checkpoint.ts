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
import { cut, members } from "./json.ts";
import type { StateEntry } from "./nn/module.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "./shape.ts";
import { alive, empty, peek, Tensor } from "./tensor.ts";
import { memory } from "./wasm.ts";

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
 * @throws RangeError for an array named "__metadata__", a shape with a zero in it, more than 64 axes or one that does not fit
 *   its data, or names and metadata beyond the 100 MB of a header; TypeError for what is no tensor and no entry of a state,
 *   or metadata that are not strings; Error for a tensor that was freed.
 * @see https://github.com/huggingface/safetensors
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
  let end = 0;
  for (const { name, what, shape, source } of arrays) {
    if (name === "__metadata__") throw new RangeError(`${where}: "__metadata__" cannot be the name of a tensor`);
    const { length } = valuesOf(what, source);
    const size = sizeOf(shape);
    if (length !== size) throw wrongValue(what, `${size} values for shape ${formatShape(shape)}`, length);
    if (end + texts.length > 0) header.add(",");
    header.addString(name);
    header.add(`:{"dtype":"F32","shape":[${shape}],"data_offsets":[${end},${end + 4 * size}]}`);
    end += 4 * size;
  }
  header.add("}");
  const head = header.bytes();

  const bytes = bytesFor(where, 8 + head.length + end);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  // Little-endian like linear memory, whose views the engine relies on. They are taken anew: the first look at an expansion
  // writes it out, which may have moved the memory.
  let floats = new Float32Array(bytes.buffer, 8 + head.length);
  for (const { what, source } of arrays) {
    const values = valuesOf(what, source);
    floats.set(values);
    floats = floats.subarray(values.length);
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
  return typeof name === "string" && !Array.isArray(value) ? cut(name) : show(value);
}

/** The value of a member, read once. */
function contentOf(what: string, array: unknown): { shape: Shape; source: Tensor | Float32Array } {
  if (array instanceof Tensor) return { shape: array.sizes, source: array };
  const { shape, data } = Object(array) as StateEntry;
  if (!(data instanceof Float32Array)) {
    const got = showKind(data === undefined ? array : data);
    throw new TypeError(`${what}: expected a tensor, or a shape and data as a Float32Array, got ${got}`);
  }
  // Views of linear memory end where it grows, and another thread may write shared memory, or make it grow.
  const isCopied = data.buffer === memory.buffer || !(data.buffer instanceof ArrayBuffer);
  return { shape: checkShape(what, shape), source: isCopied ? new Float32Array(data) : data };
}

function valuesOf(where: string, source: Tensor | Float32Array): Float32Array {
  if (!(source instanceof Tensor)) return source;
  alive(source, where);
  return peek(source);
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

  /** In pieces of whole characters, since an escape may be six times as long as what it stands for. */
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
      const t = empty([...array.shape]);
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

/** Checks a file as a whole; nothing is read but its header, once. */
export function parseSafetensors(
  where: string,
  bytes: Uint8Array,
): { arrays: StoredArray[]; metadata: Record<string, string> } {
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

  const arrays: StoredArray[] = [];
  let metadata: Record<string, string> = {};
  try {
    members(textOf(file.slice(8, 8 + length)), (name, json) => {
      if (name === "__metadata__") metadata = metadataOf(where, json);
      else arrays.push({ name, view, ...placeOf(where, name, json, view.byteLength) });
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse("a JSON object in UTF-8 as the header", error.message);
  }
  let covered = 0;
  for (const { name, begin, end } of [...arrays].sort((a, b) => a.begin - b.begin)) {
    if (begin !== covered) refuse(`tensor ${show(name)} to begin at ${covered}, without a hole or an overlap`, begin);
    covered = end;
  }
  if (covered !== view.byteLength) refuse(`${covered} bytes of data`, view.byteLength);
  return { arrays, metadata };
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
function placeOf(
  where: string,
  name: string,
  json: string,
  room: number,
): Pick<StoredArray, "shape" | "dtype" | "begin" | "end"> {
  const refuse = refusal(where);
  const what = `tensor ${show(name)}`;
  const info: Record<string, string> = {};
  if (json.startsWith("{")) {
    members(json, (key, value) => {
      if (key === "dtype" || key === "shape" || key === "data_offsets") info[key] = value;
    });
  }
  const types = Object.keys(DTYPES);
  const type = types.find((each) => info.dtype?.startsWith('"') && each === JSON.parse(info.dtype));
  if (type === undefined) return refuse(`${what} to be of dtype ${types.join(", ")}`, brief(info.dtype));
  const dtype = DTYPES[type] as Dtype;
  const list = listOf(info.shape);
  if (list === undefined) return refuse(`${what} to have a shape`, brief(info.shape));
  const shape = checkShape(`${where}: ${what}`, list as number[]);
  const size = sizeOf(shape) * dtype[0];
  const offsets = listOf(info.data_offsets) ?? [];
  const [begin, end] = offsets as [number, number];
  if (!(offsets.length === 2 && Number.isInteger(begin) && begin >= 0 && end === begin + size && end <= room)) {
    refuse(`${what} to have data_offsets of ${size} bytes within ${room}`, brief(info.data_offsets));
  }
  return { shape, dtype, begin, end };
}

/** The list that a text is, if it holds neither lists nor objects. */
const listOf = (json = ""): unknown[] | undefined => (/^\[[^[{]*$/.test(json) ? JSON.parse(json) : undefined);

/** The text of a value for an error message, in one line. */
const brief = (json = "undefined"): string => cut(json).replace(/\s+/g, " ");
