/** safetensors files: the bytes that other programs read, every type of number they write, and errors of damaged files. */
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { numbers } from "../test/support/sides.ts";
import { bits, bytesKept, leaf, random, values } from "../test/support/tensors.ts";
import { memory } from "./core/wasm.ts";
import {
  Linear,
  loadSafetensors,
  memoryStats,
  readSafetensors,
  Sequential,
  saveSafetensors,
  type Tensor,
  tape,
  tensor,
} from "./index.ts";

/** The parts of a file, parsed strictly by the format. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
  const data = bytes.slice(8 + length);
  return { length, text, header: JSON.parse(text) as Record<string, unknown>, data };
}

/** A file with any header, valid or not. */
function file(header: unknown, data: ArrayLike<number> = [], length?: bigint): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const head = header instanceof Uint8Array ? header : new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + head.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(head.length), true);
  bytes.set(head, 8);
  bytes.set(data, 8 + head.length);
  return bytes;
}

/** The bits of the tensors in a file, which are then disposed of. */
function load(bytes: Uint8Array): Record<string, { shape: readonly number[]; bits: number[] }> {
  const { tensors } = loadSafetensors(bytes);
  const entries = Object.entries(tensors).map(([name, t]) => {
    const copy = { shape: t.shape, bits: bits(t) };
    t.dispose();
    return [name, copy] as const;
  });
  return Object.fromEntries(entries);
}

/** The values of one array of a type, from its bytes. */
function convert(dtype: string, bytes: ArrayBuffer): number[] {
  const data = new Uint8Array(bytes);
  const width = Number(/\d+/.exec(dtype)?.[0] ?? 8) / 8;
  const { tensors } = loadSafetensors(
    file({ x: { dtype, shape: [data.length / width], data_offsets: [0, data.length] } }, data),
  );
  const x = tensors.x as Tensor;
  const result = values(x);
  x.dispose();
  return result;
}

test("save: header length, JSON header and little-endian arrays in the order given", () => {
  const bytes = saveSafetensors({
    weight: tensor([
      [1, -2],
      [0.5, Number.NaN],
    ]),
    bias: { shape: [1], data: Float32Array.of(3) },
    scale: tensor(4),
  });
  const { length, text, header, data } = parse(bytes);
  expect(length % 8).toBe(0);
  expect(text).toMatch(/^\{.*\} *$/);
  expect(header).toEqual({
    weight: { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] },
    bias: { dtype: "F32", shape: [1], data_offsets: [16, 20] },
    scale: { dtype: "F32", shape: [], data_offsets: [20, 24] },
  });
  expect(Object.keys(header)).toEqual(["weight", "bias", "scale"]);
  expect(Array.from(data.subarray(0, 8))).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  const floats = new Float32Array(data.buffer, data.byteOffset, 6);
  expect(Array.from(floats)).toEqual([1, -2, 0.5, Number.NaN, 3, 4]);
  expect(bytes.length).toBe(8 + length + 24);
});

test("save: metadata stands under its own name, and names may hold any character", () => {
  const { length, header } = parse(saveSafetensors({ 'größe."1"': tensor([1]) }, { format: "pt", epoch: "3" }));
  expect(length % 8).toBe(0);
  expect(header).toEqual({
    __metadata__: { format: "pt", epoch: "3" },
    'größe."1"': { dtype: "F32", shape: [1], data_offsets: [0, 4] },
  });
});

test("save: a state dict can be saved as it is, and nothing is an empty file", () => {
  const model = new Linear(3, 2);
  const { header, data } = parse(saveSafetensors(model.stateDict()));
  expect(Object.keys(header)).toEqual(["weight", "bias"]);
  expect(data.length).toBe(4 * 8);
  expect(parse(saveSafetensors({}))).toMatchObject({ header: {}, data: new Uint8Array(0) });
});

test("save: an expansion that has to be written out may make the memory grow", () => {
  const first = tensor([1, 2]);
  const second = tensor([3]).expand([memoryStats().reserved / 4]);
  const { reserved } = memoryStats();
  const { data } = parse(saveSafetensors({ first, second }));
  expect(memoryStats().reserved).toBeGreaterThan(reserved);
  const floats = new Float32Array(data.buffer);
  expect(Array.from(floats.subarray(0, 4))).toEqual([1, 2, 3, 3]);
  expect(floats.length).toBe(2 + second.size);
  for (const t of [first, second]) t.dispose();
});

test("save: what a file cannot hold is an error with its name and values", () => {
  const one = Float32Array.of(1);
  expect(() => saveSafetensors({ __metadata__: tensor([1]) })).toThrow(
    new RangeError('saveSafetensors: "__metadata__" cannot be the name of a tensor'),
  );
  expect(() => saveSafetensors({ w: { shape: [2], data: one } })).toThrow(
    new RangeError('saveSafetensors: tensor "w": expected 2 values for shape [2], got 1'),
  );
  expect(() => saveSafetensors({ w: { shape: [0], data: one } })).toThrow(
    new RangeError('saveSafetensors: tensor "w": expected 0 values for shape [0], got 1'),
  );
  expect(() => saveSafetensors({ w: { shape: [-1], data: one } })).toThrow(
    new RangeError('saveSafetensors: tensor "w": expected sizes that are integers ≥ 0, got shape [-1]'),
  );
  expect(() => saveSafetensors({}, { epoch: 3 } as unknown as Record<string, string>)).toThrow(
    new TypeError('saveSafetensors: expected strings as metadata, got 3 for "epoch"'),
  );
});

test("save: names and metadata that are no plain object, and what is no array, are TypeErrors with the value", () => {
  const data = Float32Array.of(1);
  const expected = "saveSafetensors: expected tensors by name, such as model.stateDict()";
  const wrong: [tensors: unknown, metadata: unknown, message: string][] = [
    [undefined, {}, `${expected}, got undefined`],
    [new Map([["w", tensor([1])]]), {}, `${expected}, got Map`],
    [new Linear(1, 1), {}, `${expected}, got Linear`],
    [[tensor([1])], {}, `${expected}, got [object]`],
    [{}, null, "saveSafetensors: expected metadata, an object of strings, got null"],
    [{}, new Map([["a", "b"]]), "saveSafetensors: expected metadata, an object of strings, got Map"],
    [{}, "text", 'saveSafetensors: expected metadata, an object of strings, got "text"'],
    [{ w: null }, {}, "a shape and data such as a Float32Array, got null"],
    [{ w: [1] }, {}, "a shape and data such as a Float32Array, got [1]"],
    [{ w: { shape: [1], data: BigInt64Array.of(1n) } }, {}, "such as a Float32Array, got BigInt64Array"],
    [{ w: { shape: [1], data: "1" } }, {}, 'a shape and data such as a Float32Array, got "1"'],
    [{ w: { shape: 1, data } }, {}, 'tensor "w": expected a shape, a list of sizes, got 1'],
    [{ w: { data } }, {}, 'tensor "w": expected a shape, a list of sizes, got undefined'],
  ];
  for (const [tensors, metadata, message] of wrong) {
    const act = () => saveSafetensors(tensors as Record<string, Tensor>, metadata as Record<string, string>);
    expect(act, message).toThrow(TypeError);
    expect(act).toThrow(message);
  }
  const many = { shape: new Array(4_000_000_000), data };
  expect(() => saveSafetensors({ w: many })).toThrow("expected at most 64 axes, got 4000000000");
  const freed = tensor([1]);
  freed.dispose();
  expect(() => saveSafetensors({ w: freed })).toThrow(/^saveSafetensors: tensor "w": the tensor \[1\] was freed/);
});

test("save: what getters give is read once", () => {
  const reads: string[] = [];
  /** Returns the first values on the first read, then the later ones. */
  const changing = (first: Record<string, unknown>, later: Record<string, unknown>) => {
    const seen = new Set<string>();
    const descriptors = Object.keys(first).map((key) => {
      const get = () => {
        reads.push(key);
        const isNew = !seen.has(key);
        seen.add(key);
        return (isNew ? first : later)[key];
      };
      return [key, { get, enumerable: true }] as const;
    });
    return Object.defineProperties({}, Object.fromEntries(descriptors)) as never;
  };
  const sizes: number[] = [];
  const get = () => {
    reads.push("size");
    return reads.filter((read) => read === "size").length;
  };
  Object.defineProperty(sizes, 0, { get });
  const [one, two] = [Float32Array.of(1), Float32Array.of(2, 3)];
  const bytes = saveSafetensors(
    {
      a: changing({ shape: sizes, data: one }, { shape: [2], data: two }),
      b: { shape: [1], data: Float32Array.of(4) },
      c: changing({ shape: [2], data: two }, { shape: [1], data: one }),
    },
    changing({ note: "first" }, { note: 7 }),
  );
  expect(reads.sort()).toEqual(["data", "data", "note", "shape", "shape", "size"]);
  const { header, data } = parse(bytes);
  expect(header.__metadata__).toEqual({ note: "first" });
  expect(Array.from(new Float32Array(data.buffer))).toEqual([1, 4, 2, 3]);
  expect(() => saveSafetensors({}, { toJSON: () => "x" } as never)).toThrow('got function for "toJSON"');
});

test("save: a view of linear memory stays what it is where a later tensor makes the memory grow", () => {
  const first = tensor([1, 2]);
  const second = tensor([3]).expand([memoryStats().reserved / 4]);
  const { reserved } = memoryStats();
  const { data } = parse(saveSafetensors({ first: { shape: [2], data: first.data }, second }));
  expect(memoryStats().reserved).toBeGreaterThan(reserved);
  expect(Array.from(new Float32Array(data.buffer, 0, 4))).toEqual([1, 2, 3, 3]);
  for (const t of [first, second]) t.dispose();
});

test("save: shared memory is copied, a buffer that is gone has no values", () => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1, 2]);
  expect(load(saveSafetensors({ w: { shape: [2], data: shared } })).w?.bits).toEqual(bits(Float32Array.of(1, 2)));
  const gone = Float32Array.of(1, 2);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  expect(() => saveSafetensors({ w: { shape: [2], data: gone } })).toThrow("expected 2 values for shape [2], got 0");
});

test("save: a header above the limit of the format is refused, one that is as long is written and read", () => {
  const limit = 100_000_000;
  const frame = '{"__metadata__":{"c":""}}'.length;
  const longest = saveSafetensors({}, { c: "x".repeat(limit - frame) });
  expect(longest.length).toBe(8 + limit);
  expect(loadSafetensors(longest).metadata.c?.length).toBe(limit - frame);
  const message = `saveSafetensors: expected names and metadata of at most ${limit} bytes of JSON, got more`;
  expect(() => saveSafetensors({}, { c: "x".repeat(limit - frame + 1) })).toThrow(new RangeError(message));
  // Two bytes per character, and six: each text alone is short enough.
  const names = { ["ü".repeat(limit / 4)]: tensor(1) };
  expect(() => saveSafetensors(names, { c: "\0".repeat(limit / 12) })).toThrow(new RangeError(message));
});

test("round trip: a text of millions of escapes, and one of pieces whose borders lie in characters", () => {
  for (const text of [
    '"'.repeat(4_000_000),
    "\\".repeat(3_000_000),
    `x${"\u{1f600}".repeat(100_000)}`,
    "\ud83d\ud83d\ude00\ude00",
  ]) {
    const { metadata } = loadSafetensors(saveSafetensors({}, { text }));
    expect(metadata.text === text).toBe(true);
  }
});

test("round trip: a state dict goes into another model with the same bits", () => {
  const make = () => new Sequential(new Linear(3, 5), new Linear(5, 2));
  const [from, to] = [make(), make()];
  const bytes = saveSafetensors(from.stateDict(), { format: "pt" });
  expect(bytesKept(() => tape(() => to.loadStateDict(loadSafetensors(bytes).tensors)))).toBe(0);
  expect(to.parameters().map(bits)).toEqual(from.parameters().map(bits));
  const { tensors, metadata } = loadSafetensors(bytes);
  expect(metadata).toEqual({ format: "pt" });
  expect(saveSafetensors(tensors, metadata)).toEqual(bytes);
  for (const t of Object.values(tensors)) t.dispose();
});

test("round trip: special values and shapes, tensors that belong to the caller or to the tape", () => {
  const special = [0, -0, Infinity, -Infinity, Number.NaN, 1e-45, 3.4e38];
  const bytes = saveSafetensors({ special: tensor(special), scalar: tensor(5), deep: random([2, 1, 3], 1) });
  const { tensors } = loadSafetensors(bytes);
  expect(values(tensors.special as Tensor)).toEqual(special.map(Math.fround));
  expect(tensors.scalar?.item()).toBe(5);
  expect(tensors.deep?.shape).toEqual([2, 1, 3]);
  expect(tensors.deep).toMatchObject({ requiresGrad: false, grad: null });
  for (const t of Object.values(tensors)) t.dispose();
  expect(bytesKept(() => tape(() => void loadSafetensors(bytes)))).toBe(0);
  expect(loadSafetensors(saveSafetensors({}))).toEqual({ tensors: {}, metadata: {}, skipped: [] });
});

test("round trip: any name is a name, also those that JavaScript treats in its own way", () => {
  const names = ["__proto__", "constructor", "toString", "0", "", "a.b", 'q"\\\n', "ü\u{1f600}", "}{:,"];
  const tensors = Object.fromEntries(names.map((name, i) => [name, { shape: [1], data: Float32Array.of(i) }]));
  const metadata = Object.fromEntries(names.map((name) => [name, name]));
  const bytes = saveSafetensors(tensors, metadata);
  const loaded = loadSafetensors(bytes);
  expect(Object.keys(loaded.tensors).sort()).toEqual([...names].sort());
  names.forEach((name, i) => {
    const t = Object.getOwnPropertyDescriptor(loaded.tensors, name)?.value as Tensor;
    expect(t.item(), name).toBe(i);
    expect(Object.getOwnPropertyDescriptor(loaded.metadata, name)?.value, name).toBe(name);
    t.dispose();
  });
  expect(Object.getPrototypeOf(loaded.tensors)).toBe(Object.prototype);
  expect(Object.getPrototypeOf(loaded.metadata)).toBe(Object.prototype);
  expect({}).not.toHaveProperty("shape");
});

test("load: a view of a larger buffer at any offset will do, and nothing of it is kept", () => {
  const bytes = saveSafetensors({ x: random([5], 2) });
  for (const offset of [0, 1, 2, 3]) {
    const buffer = new Uint8Array(bytes.length + 7).fill(255);
    buffer.set(bytes, offset);
    const { x } = loadSafetensors(buffer.subarray(offset, offset + bytes.length)).tensors;
    buffer.fill(0);
    expect(values(x as Tensor)).toEqual(values(random([5], 2)));
  }
});

test("load: arrays may lie in any order, behind a header of any length", () => {
  const infos = [
    '"b" : {"data_offsets":[4,5],"extra":{"dtype":1},"dtype":"U8","shape":[1]}',
    '"a":\n{"dtype":"I16","shape":[2,1],"data_offsets":[0,4]}',
  ];
  expect(load(file(`{${infos.join(",")}}  `, [1, 0, 255, 255, 7]))).toEqual({
    a: { shape: [2, 1], bits: bits(Float32Array.of(1, -1)) },
    b: { shape: [1], bits: bits(Float32Array.of(7)) },
  });
  expect(loadSafetensors(file('{"__metadata__":null}'))).toEqual({ tensors: {}, metadata: {}, skipped: [] });
});

test("load: files of the Python library, every dtype, converted as PyTorch and NumPy convert to float32", () => {
  interface Stored {
    how: string;
    bytes: string;
    metadata: Record<string, string>;
    tensors: Record<string, { shape: number[]; bits: number[] }>;
  }
  const fixture = new URL("../test/fixtures/safetensors/dtypes.json", import.meta.url);
  const { files } = JSON.parse(readFileSync(fixture, "utf8")) as { files: Stored[] };
  expect(files.length).toBe(2);
  for (const { how, bytes, metadata, tensors } of files) {
    const loaded = loadSafetensors(Buffer.from(bytes, "base64"));
    expect(loaded.metadata, how).toEqual(metadata);
    expect(Object.keys(loaded.tensors).sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, expected] of Object.entries(tensors)) {
      const t = loaded.tensors[name] as Tensor;
      expect(t.shape, name).toEqual(expected.shape);
      const isNan = (b = 0) => (b & 0x7fffffff) > 0x7f800000;
      const same = bits(t).every((b, i) => b === expected.bits[i] || (isNan(b) && isNan(expected.bits[i])));
      expect(same, `${how}: ${name}`).toBe(true);
      t.dispose();
    }
  }
});

/** A file that PyTorch wrote: bytes as floats, and the float32 that PyTorch makes of them. */
const bytesOfTorch = () => readFileSync(new URL("../test/fixtures/safetensors/bytes.safetensors", import.meta.url));
const every = Uint8Array.from({ length: 256 }, (_, i) => i);

test("load: every float of 8 bits is the number that PyTorch makes of it", () => {
  const { tensors, skipped } = loadSafetensors(bytesOfTorch());
  expect(skipped).toEqual([{ name: "none", dtype: "F32", shape: [0, 3] }]);
  const floats = (name: string) => values(tensors[`${name}.float`] as Tensor);
  for (const name of ["e4m3fn", "e5m2"]) expect(values(tensors[name] as Tensor), name).toEqual(floats(name));
  expect(convert("F8_E4M3", every.buffer)).toEqual(floats("e4m3fn"));
  expect(convert("F8_E5M2", every.buffer)).toEqual(floats("e5m2"));
  expect(convert("F8_E4M3FNUZ", every.buffer)).toEqual(floats("e4m3fnuz"));
  expect(convert("F8_E5M2FNUZ", every.buffer)).toEqual(floats("e5m2fnuz"));
  // PyTorch has this dtype since version 2.7: powers of two, and NaN.
  const powers = Array.from(every, (b) => (b === 255 ? Number.NaN : 2 ** (b - 127)));
  expect(convert("F8_E8M0", every.buffer)).toEqual(powers);
  for (const t of Object.values(tensors)) t.dispose();
});

test("load: an array without values, or of another dtype, is named, and the others are read", () => {
  const header = {
    none: { dtype: "I64", shape: [2, 0], data_offsets: [0, 0] },
    a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    four: { dtype: "F4", shape: [3], data_offsets: [4, 6] },
    complex: { dtype: "C64", shape: [], data_offsets: [6, 14] },
    last: { dtype: "constructor", shape: [0, 9e15], data_offsets: [14, 14] },
    small: { dtype: "f32", shape: [1], data_offsets: [14, 18] },
  };
  const bytes = file(header, Array(18).fill(0));
  const { tensors, skipped } = loadSafetensors(bytes);
  expect(Object.keys(tensors)).toEqual(["a"]);
  tensors.a?.dispose();
  const unknown = (["four", "complex", "last", "small"] as const).map((name) => {
    const { dtype, shape } = header[name];
    return { name, dtype, shape };
  });
  expect(skipped).toEqual([...unknown, { name: "none", dtype: "I64", shape: [2, 0] }]);
  const read = readSafetensors(bytes);
  expect(read.skipped).toEqual(unknown);
  expect(read.arrays).toEqual({
    none: { dtype: "I64", shape: [2, 0], data: new Float64Array(0) },
    a: { dtype: "F32", shape: [1], data: Float32Array.of(0) },
  });
});

test("read: arrays are of the kind that the file says", () => {
  const { arrays } = readSafetensors(bytesOfTorch());
  expect(arrays.counts).toEqual({ dtype: "I8", shape: [7], data: Int8Array.of(-3, -2, -1, 0, 1, 2, 3) });
  expect(arrays.e5m2?.data).toEqual(arrays["e5m2.float"]?.data);
  expect(arrays.e5m2?.dtype).toBe("F8_E5M2");
  const big = BigInt64Array.of(2n ** 53n + 1n, 2n ** 53n + 3n, -(2n ** 63n), -7n);
  const one = (dtype: string, shape: number[], data: ArrayBuffer) =>
    readSafetensors(file({ x: { dtype, shape, data_offsets: [0, data.byteLength] } }, new Uint8Array(data))).arrays.x
      ?.data;
  expect(one("I64", [4], big.buffer)).toEqual(Float64Array.from(big, Number));
  expect(one("U64", [4], big.buffer)).toEqual(Float64Array.from(new BigUint64Array(big.buffer), Number));
  expect(one("BOOL", [3], Uint8Array.of(0, 1, 7).buffer)).toEqual(Uint8Array.of(0, 1, 1));
  expect(one("F16", [1], Uint16Array.of(0x3c01).buffer)).toEqual(Float32Array.of(1 + 2 ** -10));
});

/** One array of each writable type, of odd lengths, so that narrow ones would misalign wide ones. */
const KINDS = {
  I8: Int8Array.of(-128, 127, 0),
  U8: Uint8Array.of(255),
  U16: Uint16Array.of(65535),
  F64: Float64Array.of(0.1, Number.NaN, -0),
  I16: Int16Array.of(-32768, 5, 6),
  F32: Float32Array.of(0.1),
  I32: Int32Array.of(-(2 ** 31)),
  U32: Uint32Array.of(2 ** 32 - 1),
};

test("round trip: integers and float64 are written as they are, wide ones first, and read as they were", () => {
  const entries = Object.entries(KINDS).map(([dtype, data]) => [dtype, { shape: [data.length], data }] as const);
  const given = {
    ...Object.fromEntries(entries),
    tensor: tensor([1, 2]),
    none: { shape: [3, 0], data: new Int8Array(0) },
  };
  const bytes = saveSafetensors(given, { a: "b" });
  const { header, length } = parse(bytes);
  const { __metadata__, ...infos } = header as Record<string, { dtype: string; data_offsets: [number, number] }>;
  expect(Object.keys(infos)).toEqual(Object.keys(given));
  for (const [dtype, data] of Object.entries(KINDS)) {
    expect(infos[dtype]).toMatchObject({ dtype, shape: [data.length] });
    expect(((infos[dtype]?.data_offsets[0] as number) + 8 + length) % data.BYTES_PER_ELEMENT, dtype).toBe(0);
  }
  const { arrays, skipped, metadata } = readSafetensors(bytes);
  expect([skipped, metadata]).toEqual([[], { a: "b" }]);
  for (const [dtype, data] of Object.entries(KINDS))
    expect(arrays[dtype]).toEqual({ dtype, shape: [data.length], data });
  expect(arrays.tensor).toEqual({ dtype: "F32", shape: [2], data: Float32Array.of(1, 2) });
  expect(arrays.none).toEqual({ dtype: "I8", shape: [3, 0], data: new Int8Array(0) });
  expect(saveSafetensors(arrays, metadata)).toEqual(bytes);
  // A view that starts and ends within its buffer, and Node's byte type.
  const view = Int16Array.of(1, 2, 3, 4).subarray(1, 3);
  const again = readSafetensors(
    saveSafetensors({ view: { shape: [2], data: view }, bytes: { shape: [2], data: Buffer.from([7, 8]) } }),
  );
  expect(again.arrays.view?.data).toEqual(Int16Array.of(2, 3));
  expect(again.arrays.bytes?.data).toEqual(Uint8Array.of(7, 8));
});

test("load: every float16 is the number that its bits stand for", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const expected = Array.from(all, (h) => {
    const [sign, exponent, fraction] = [h >> 15 ? -1 : 1, (h >> 10) & 31, (h & 1023) / 1024];
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
  });
  expect(convert("F16", all.buffer)).toEqual(expected);
});

test("load: every bfloat16 is the upper half of a float32", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const expected = Array.from(new Float32Array(Uint32Array.from(all, (h) => h * 65536).buffer));
  expect(convert("BF16", all.buffer)).toEqual(expected);
});

/** The float32 nearest to an integer, ties to even, found by comparing distances. */
function nearest(x: bigint): number {
  const guess = Math.fround(Number(x));
  const scratch = new DataView(new ArrayBuffer(4));
  scratch.setFloat32(0, guess);
  const around = [-1, 0, 1].map((step) => {
    const pattern = scratch.getUint32(0) + step;
    const other = new DataView(new ArrayBuffer(4));
    other.setUint32(0, pattern);
    return { value: other.getFloat32(0), odd: pattern & 1 };
  });
  const distance = ({ value }: { value: number }) => {
    const d = BigInt(value) - x;
    return d < 0n ? -d : d;
  };
  const best = around.filter(({ value }) => Number.isInteger(value));
  best.sort((a, b) => (distance(a) === distance(b) ? a.odd - b.odd : distance(a) < distance(b) ? -1 : 1));
  return best[0]?.value as number;
}

test("load: 64-bit integers round once, to the nearest float32, also near the ties that float64 cannot hold", () => {
  const hard: bigint[] = [];
  for (let e = 24n; e < 63n; e++) {
    const ulp = e < 24n ? 1n : 2n ** (e - 23n);
    for (const odd of [0n, 1n, 2n, 3n]) {
      const tie = 2n ** e + odd * ulp + ulp / 2n;
      for (const off of [-(2n ** 11n), -1n, 0n, 1n, 2n ** 10n, 2n ** 11n]) hard.push(tie + off, -(tie + off));
    }
  }
  const fits = hard.filter((x) => x !== 0n && BigInt.asIntN(64, x) === x);
  expect(fits.length).toBeGreaterThan(1500);
  expect(convert("I64", BigInt64Array.from(fits).buffer)).toEqual(fits.map(nearest));
  const unsigned = fits
    .filter((x) => x > 0n)
    .flatMap((x) => [x, BigInt.asUintN(64, 2n * x), BigInt.asUintN(64, 4n * x)]);
  const positive = unsigned.filter((x) => x > 0n);
  expect(convert("U64", BigUint64Array.from(positive).buffer)).toEqual(positive.map(nearest));
  expect(convert("I64", BigInt64Array.of(0n, -(2n ** 63n), 2n ** 63n - 1n).buffer)).toEqual([0, -(2 ** 63), 2 ** 63]);
  expect(convert("U64", BigUint64Array.of(0n, 2n ** 64n - 1n).buffer)).toEqual([0, 2 ** 64]);
});

const F32 = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const eight = new Uint8Array(8);

/** A file with one array, some of whose fields are replaced. */
const wrong = (change: Record<string, unknown>) => file({ w: { ...F32, ...change } }, eight);

const DAMAGED: [what: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "expected at least 8 bytes, got 0"],
  ["seven bytes", new Uint8Array(7), "expected at least 8 bytes, got 7"],
  ["no header", new Uint8Array(8), "expected a JSON object in UTF-8 as the header, got "],
  ["a header beyond the end", file("{}", [], 3n), "expected a header of at most 2 bytes, got 3"],
  ["a huge header", file("{}", [], 2n ** 63n), "expected a header of at most 2 bytes, got 9223372036854776000"],
  ["a pickle", Uint8Array.from([0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0]), "expected a header of at most 1 bytes, got "],
  ["a cut header", file('{"w":{"dtype":'), "expected a JSON object in UTF-8 as the header, got "],
  [
    "bytes that are no UTF-8",
    file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    "expected a JSON object in UTF-8 as the header, got ",
  ],
  ["an array", file([F32], eight), "as the header, got a beginning other than {: [{"],
  ["a number", file("17"), "as the header, got a beginning other than {: 17"],
  ["null", file("null"), "as the header, got a beginning other than {: null"],
  ["a byte order mark", file('\ufeff{"w":1}'), "as the header, got a beginning other than {: "],
  ["space before the header", file(" {}"), "as the header, got a beginning other than {:  {}"],
  ["a tensor that is no object", file({ w: 3 }), 'expected tensor "w" to have a dtype, such as F32, got undefined'],
  ["a tensor that is null", file({ w: null }), 'expected tensor "w" to have a dtype, such as F32, got undefined'],
  ["another dtype beyond the data", wrong({ dtype: "F4", data_offsets: [0, 9] }), "within 8, got [0,9]"],
  ["another dtype behind a hole", wrong({ dtype: "F4", data_offsets: [4, 8] }), "to begin at 0, without a hole"],
  ["another dtype that ends first", wrong({ dtype: "F4", data_offsets: [8, 0] }), "within 8, got [8,0]"],
  ["another dtype without a shape", wrong({ dtype: "F4", shape: undefined }), "to have a shape, got undefined"],
  ["a dtype in a list", wrong({ dtype: ["F32"] }), 'got ["F32"]'],
  ["no dtype", wrong({ dtype: undefined }), "got undefined"],
  ["no shape", wrong({ shape: undefined }), 'expected tensor "w" to have a shape, got undefined'],
  ["a shape that is no list", wrong({ shape: { length: 1, 0: 2 } }), 'expected tensor "w" to have a shape, got {'],
  ["a negative size", wrong({ shape: [-2] }), 'tensor "w": expected sizes that are integers ≥ 0, got shape [-2]'],
  ["two negative sizes", wrong({ shape: [-2, -1] }), "expected sizes that are integers ≥ 0, got shape [-2, -1]"],
  ["a fraction as size", wrong({ shape: [0.5, 4] }), "expected sizes that are integers ≥ 0, got shape [0.5, 4]"],
  ["text as size", wrong({ shape: ["2"] }), 'expected sizes that are integers ≥ 0, got shape ["2"]'],
  [
    "an endless size",
    file('{"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', eight),
    "got shape [Infinity]",
  ],
  ["data of no elements", wrong({ shape: [0] }), "to have data_offsets of 0 bytes within 8, got [0,8]"],
  [
    "no elements within other data",
    file({ v: F32, w: { ...F32, shape: [0], data_offsets: [4, 4] } }, eight),
    'tensor "w" to begin at 8, without a hole or an overlap, got 4',
  ],
  [
    "a shape that overflows",
    wrong({ shape: Array(9).fill(65536) }),
    "expected at most 2³⁰ elements, got shape [65536, ",
  ],
  ["a shape too large for its data", wrong({ shape: [3] }), "to have data_offsets of 12 bytes within 8, got [0,8]"],
  ["a shape too small for its data", wrong({ shape: [1] }), "to have data_offsets of 4 bytes within 8, got [0,8]"],
  ["another dtype for the same data", wrong({ dtype: "F64" }), "data_offsets of 16 bytes within 8, got [0,8]"],
  ["no offsets", wrong({ data_offsets: undefined }), "data_offsets of 8 bytes within 8, got undefined"],
  ["three offsets", wrong({ data_offsets: [0, 8, 8] }), "within 8, got [0,8,8]"],
  ["text as offsets", wrong({ data_offsets: ["0", "8"] }), 'within 8, got ["0","8"]'],
  ["offsets before the data", wrong({ data_offsets: [-8, 0] }), "within 8, got [-8,0]"],
  ["offsets beyond the data", wrong({ data_offsets: [4, 12] }), "within 8, got [4,12]"],
  ["offsets that end before they begin", wrong({ data_offsets: [8, 0] }), "within 8, got [8,0]"],
  ["fractions as offsets", wrong({ data_offsets: [0.5, 8.5] }), "within 8, got [0.5,8.5]"],
  ["offsets beyond 2⁵³", wrong({ data_offsets: [2 ** 53, 2 ** 53] }), "within 8, got [9007199254740992,"],
  [
    "an overlap",
    file({ v: F32, w: { ...F32, data_offsets: [4, 12] } }, Array(12)),
    'tensor "w" to begin at 8, without a hole or an overlap, got 4',
  ],
  [
    "the same data twice",
    file({ v: F32, w: F32 }, eight),
    'tensor "w" to begin at 8, without a hole or an overlap, got 0',
  ],
  [
    "a hole",
    file({ v: F32, w: { ...F32, data_offsets: [12, 20] } }, Array(20)),
    'tensor "w" to begin at 8, without a hole or an overlap, got 12',
  ],
  [
    "a hole at the start",
    file({ w: { ...F32, data_offsets: [4, 12] } }, Array(12)),
    'tensor "w" to begin at 0, without a hole or an overlap, got 4',
  ],
  ["data that belong to nothing", file({ w: F32 }, Array(9)), "expected 8 bytes of data, got 9"],
  ["data without a tensor", file({}, [1]), "expected 0 bytes of data, got 1"],
  [
    "a name twice",
    file(
      '{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      [1, 2],
    ),
    'as the header, got the name "w" twice',
  ],
  [
    "a name twice, written differently",
    file(`{"w":${JSON.stringify(F32)},"\\u0077"            :${JSON.stringify(F32)}}`, eight),
    'got the name "w" twice',
  ],
  [
    "a dtype twice",
    file('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"dtype":"I8"}}', [1]),
    'got the name "dtype" twice',
  ],
  ["metadata twice", file('{"__metadata__":{},"__metadata__":{}}'), 'got the name "__metadata__" twice'],
  ["a key of the metadata twice", file('{"__metadata__":{"a":"1","b":"2","a":"3"}}'), 'got the name "a" twice'],
  ["metadata that are a list", file({ __metadata__: ["a"] }), 'expected metadata of strings, got ["a"]'],
  ["metadata that are text", file({ __metadata__: "a" }), 'expected metadata of strings, got "a"'],
  [
    "a number among the metadata",
    file({ __metadata__: { epoch: 3 } }),
    'expected metadata of strings, got {"epoch":3}',
  ],
];

test.each(DAMAGED)("load, damaged: %s", (_what, bytes, message) => {
  const act = () => loadSafetensors(bytes);
  expect(bytesKept(() => expect(act).toThrow(RangeError))).toBe(0);
  expect(act).toThrow(message);
  expect(act).toThrow(/^loadSafetensors: /);
});

test("load, damaged: the same name at different places is no error", () => {
  const text = '{"__metadata__":{"w":"w","dtype":"{\\"w\\":"},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
  expect(load(file(text, [9])).w?.bits).toEqual(bits(Float32Array.of(9)));
});

test("load, damaged: the error stays short whatever the file holds", () => {
  const long = "x".repeat(100_000);
  for (const header of [{ [long]: 1 }, { w: { ...F32, dtype: long } }, { __metadata__: [long] }]) {
    expect(() => loadSafetensors(file(header))).toThrow(/^.{1,400}$/);
  }
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const info = (change: string) => `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],${change}}}`;
  const texts = [
    `{"${long}":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"${long}":1}`,
    `{"w":{"dtype":"F32","shape":[${Array(1_000_000).fill(0)}],"data_offsets":[0,4]}}`,
    `{"w":{"dtype":"F32","shape":[${Array(64).fill(65_536)}],"data_offsets":[0,4]}}`,
    `{"w":{"dtype":"F32","shape":[1],"data_offsets":[${Array(1_000_000).fill(0)}]}}`,
    `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,\n\n${" ".repeat(100_000)}]}}`,
    `{"__metadata__":{${Array.from({ length: 100_000 }, (_, i) => `"${i}":${i}`)}}}`,
    `{"w":{"dtype":${deep}}}`,
    `{"w":{"dtype":"F32","shape":${deep}}}`,
    `{"w":{"dtype":"F32","shape":[1],"data_offsets":${deep}}}`,
    info(`"extra":${deep}`),
    `{"__metadata__":${deep}}`,
    `{"__metadata__":{"w":${deep}}}`,
    `{"w":${deep}}`,
    `${long}${long}`,
    `{"${long}":}`,
  ];
  for (const text of texts) {
    expect(() => loadSafetensors(file(text)), text.slice(0, 80)).toThrow(/^loadSafetensors: .{1,400}$/);
    if (text.includes(deep)) expect(() => loadSafetensors(file(text))).toThrow(/ at \d+ in "(w|__metadata__)" where /);
  }
});

/** Headers of about n bytes, each long in a different way. */
const LONG: [what: string, header: (n: number) => string][] = [
  ["objects in objects", (n) => `{"a":${'{"a":'.repeat(n / 6)}1${"}".repeat(n / 6)}}`],
  ["objects that do not end", (n) => `{"a":${'{"a":'.repeat(n / 5)}`],
  ["lists in lists", (n) => `{"a":${"[".repeat(n / 2)}${"]".repeat(n / 2)}}`],
  ["objects beside each other", (n) => `{"a":{"x":[${"{},".repeat(n / 3)}0]}}`],
  ["a shape", (n) => `{"a":{"dtype":"F32","shape":[${"1,".repeat(n / 2)}1]}}`],
  ["escapes", (n) => `{"${'\\"'.repeat(n / 2)}":1}`],
  ["escapes that do not end", (n) => `{"${"\\".repeat(n)}`],
  ["a text that does not end", (n) => `{"${"x".repeat(n)}`],
  [
    "names of tensors",
    (n) => {
      const info = (_: unknown, i: number) => `"${i}":{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]}`;
      return `{${Array.from({ length: n / 55 }, info)}}`;
    },
  ],
  ["names of metadata", (n) => `{"__metadata__":{${Array.from({ length: n / 12 }, (_, i) => `"${i}":""`)}}}`],
  ["names within a tensor", (n) => `{"a":{${Array.from({ length: n / 12 }, (_, i) => `"${i}":0`)}}}`],
  ["digits", (n) => `{"a":{"x":${"1".repeat(n)}}}`],
  ["spaces", (n) => `{"a":${" ".repeat(n)}1}`],
  ["quotes", (n) => `{${'"'.repeat(n)}`],
];

// Quadratic time would be minutes, beyond the limit of a test: 10¹² steps for most of them. All end with a superfluous byte.
test.each(LONG)("load: a header of 2 MB of %s is read in time", (what, header) => {
  const n = 2_000_000;
  const bytes = file(header(n), new Uint8Array((what === "names of tensors" ? Math.floor(n / 55) : 0) + 1));
  expect(() => loadSafetensors(bytes)).toThrow(/^loadSafetensors: .{1,400}$/);
});

test("load: what a header holds besides its tensors is not built", () => {
  const bytes = file(`{"a":{"x":[${"{},".repeat(1_000_000)}0],"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, [7]);
  const parsed: number[] = [];
  const { parse } = JSON;
  const spy = vi.spyOn(JSON, "parse").mockImplementation((text, reviver) => {
    parsed.push(text.length);
    return parse(text, reviver);
  });
  try {
    loadSafetensors(bytes).tensors.a?.dispose();
  } finally {
    spy.mockRestore();
  }
  expect(Math.max(...parsed)).toBeLessThan(10);
});

test("load: bytes in shared memory, which browsers do not decode, in linear memory, which moves, or in a buffer that is gone", () => {
  const size = memoryStats().reserved / 4;
  const bytes = saveSafetensors({ a: random([3], 1), large: { shape: [size], data: new Float32Array(size).fill(2) } });
  const expected = bits(random([3], 1));
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const { decode } = TextDecoder.prototype;
  const spy = vi.spyOn(TextDecoder.prototype, "decode").mockImplementation(function (this: TextDecoder, input) {
    const { buffer } = input as Uint8Array;
    if (buffer instanceof SharedArrayBuffer) throw new TypeError("must not be shared");
    const text = decode.call(this, input);
    if (input?.byteLength !== bytes.length) shared.fill(0, 0, 16); // as another thread might do
    return text;
  });
  try {
    expect(load(shared).a?.bits).toEqual(expected);
  } finally {
    spy.mockRestore();
  }
  const inside = tensor(new Float32Array(bytes.length / 4));
  // Once one of these grows the memory, no free block has its size: the load must grow the memory again.
  const fillers: Tensor[] = [];
  const before = memoryStats().reserved;
  while (memoryStats().reserved === before) fillers.push(tensor(new Float32Array(size)));
  const view = new Uint8Array(memory.buffer, inside.data.byteOffset, bytes.length);
  view.set(bytes);
  const { reserved } = memoryStats();
  const { tensors } = loadSafetensors(view);
  expect(memoryStats().reserved).toBeGreaterThan(reserved);
  expect(bits(tensors.a as Tensor)).toEqual(expected);
  expect(tensors.large?.data.every((value) => value === 2)).toBe(true);
  for (const t of [inside, ...fillers, ...Object.values(tensors)]) t.dispose();
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  expect(() => loadSafetensors(bytes)).toThrow(new RangeError("loadSafetensors: expected at least 8 bytes, got 0"));
});

test("load, damaged: a header above the limit of the format is refused unread", () => {
  const bytes = new Uint8Array(8 + 100_000_001);
  new DataView(bytes.buffer).setUint32(0, 100_000_001, true);
  expect(() => loadSafetensors(bytes)).toThrow(
    new RangeError("loadSafetensors: expected a header of at most 100000000 bytes, got 100000001"),
  );
});

test("load: something that is no bytes is a TypeError", () => {
  for (const [value, kind] of [
    ["text", '"text"'],
    [null, "null"],
    [undefined, "undefined"],
    [new ArrayBuffer(8), "ArrayBuffer"],
    [Symbol("s"), "Symbol(s)"],
  ] as const) {
    expect(() => loadSafetensors(value as unknown as Uint8Array)).toThrow(
      new TypeError(`loadSafetensors: expected a Uint8Array, got ${kind}`),
    );
  }
});

test("load: where the memory does not suffice, the tensors loaded so far are given back", () => {
  const bytes = saveSafetensors({ a: leaf([10], 3), b: leaf([4_000_000], 4), c: leaf([10], 5) });
  const refuse = vi.spyOn(memory, "grow").mockImplementation(() => {
    throw new RangeError("refused");
  });
  const hoard: Tensor[] = [];
  try {
    // Free memory of the heap is used up first.
    expect(() => {
      for (;;) hoard.push(tensor(new Float32Array(4_000_000)));
    }).toThrow(/^out of memory/);
    expect(bytesKept(() => expect(() => loadSafetensors(bytes)).toThrow(/^out of memory/))).toBe(0);
  } finally {
    refuse.mockRestore();
    for (const t of hoard) t.dispose();
  }
  expect(Object.keys(load(bytes))).toEqual(["a", "b", "c"]);
});

test("load, fuzz: no truncation and no flipped bytes get anything but our errors, and none leaks", () => {
  const seed = 20_260_101;
  const model = new Sequential(new Linear(3, 4), new Linear(4, 2));
  const good = saveSafetensors({ ...model.stateDict(), ü: tensor([1]) }, { epoch: "3", note: 'a "b"' });
  const { length } = parse(good);
  const { live } = memoryStats();
  const draws = numbers(40_000, seed, 0, 1);
  let at = 0;
  const below = (n: number) => Math.floor((draws[at++] as number) * n);
  let refused = 0;
  let accepted = 0;
  const attempt = (bytes: Uint8Array) => {
    try {
      load(bytes);
      accepted++;
    } catch (error) {
      if (!(error instanceof RangeError && error.message.startsWith("loadSafetensors: "))) throw error;
      refused++;
    }
    if (memoryStats().live !== live) expect.fail(`seed ${seed}, draw ${at}: ${memoryStats().live - live} bytes leak`);
  };
  for (let end = 0; end < good.length; end++) attempt(good.subarray(0, end));
  expect(refused).toBe(good.length);
  const tokens = Array.from('{}[]",:0123456789\\-.eE \0', (c) => c.charCodeAt(0));
  for (let round = 0; round < 4000; round++) {
    const bytes = good.slice();
    const count = 1 + below(3);
    for (let i = 0; i < count; i++) {
      // Mostly in the header, where a flip matters; half of them become characters of JSON.
      const place = below(8) === 0 ? below(good.length) : below(8 + length);
      bytes[place] = below(2) === 0 ? (tokens[below(tokens.length)] as number) : below(256);
    }
    attempt(bytes);
  }
  expect(accepted).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(good.length + 1000);
});
