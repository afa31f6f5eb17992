/** Values that are wrong somewhere, as code, and the helpers that this code calls. */
/** Wrong values by what they are. A kind of argument lists the groups that it takes. */
export const VALUES = {
  undefined: ["undefined"],
  null: ["null"],
  boolean: ["true", "false"],
  number: [
    "0",
    "-0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "7",
    "1.5",
    "1e-9",
    "NaN",
    "Infinity",
    "-Infinity",
    "65536",
    "46341",
    "2 ** 24 + 1",
    "2 ** 30",
    "2 ** 31 - 1",
    "2 ** 31",
    "-(2 ** 31)",
    "2 ** 32",
    "2 ** 32 + 1",
    "2 ** 33",
    "Number.MAX_SAFE_INTEGER",
    "Number.MIN_SAFE_INTEGER",
    "1e39",
    "1e308",
    "5e-324",
  ],
  string: ['""', '"1"', '"abc"', '"__proto__"', '"length"'],
  symbol: ["Symbol()", "Symbol.iterator"],
  bigint: ["0n", "1n", "2n ** 64n"],
  function: ["() => 1", "class {}", "function* () { yield 1; }", "async () => 1", "Float32Array"],
  list: ["[]", "[1]", "[1, 2, 3]", "[[1, 2], [3]]", "[null]", '["a"]', "new Array(3)", "cyclic()", "deep(20_000)"],
  typed: [
    "new Float32Array(2)",
    "Int32Array.of(0, 1)",
    "new BigInt64Array(2)",
    "detached([1, 2])",
    "shared([1, 0])",
    "new Uint8Array(0)",
  ],
  object: [
    "{}",
    "Object.create(null)",
    "new Date(0)",
    "/x/",
    "Promise.resolve(1)",
    "new Proxy({}, {})",
    "new Map([[1, 2]])",
    "new Set([1])",
    "new ArrayBuffer(8)",
    "new DataView(new ArrayBuffer(8))",
    "new Error('x')",
    "new Number(1)",
    'new String("ab")',
    "{ length: 2, 0: 1, 1: 0 }",
    "{ length: 2 ** 32 }",
    "{ length: -1 }",
    "{ valueOf: () => 1 }",
    "{ toString: null, valueOf: null }",
    "{ then: 1 }",
    "throwing()",
    "[1][Symbol.iterator]()",
  ],
} as const satisfies Record<string, readonly string[]>;

export type Group = keyof typeof VALUES;

/** What the code of a case may call besides the package, as code too. */
export const HELPERS = {
  freed: "(t) => { t.dispose(); return t; }",
  ended: "(make) => { let t; tape(() => { t = make(); }); return t; }",
  // As if by a second copy of the package.
  foreign: `(t) => {
    const prototype = Object.getPrototypeOf(t);
    const copy = Object.create(Object.getPrototypeOf(prototype), Object.getOwnPropertyDescriptors(prototype));
    const made = Object.create(copy, Object.getOwnPropertyDescriptors(t));
    return Object.assign(made, { self: made, region: { ...t.region } });
  }`,
  cloned: "(t) => structuredClone(t)",
  nirArray: "(...shape) => ({ shape, data: new Float32Array(Math.max(1, shape.reduce((n, size) => n * size, 1))) })",
  behindBlock: "(file) => { const bytes = new Uint8Array(512 + file.length); bytes.set(file, 512); return bytes; }",
  // A shape is written to, which must not succeed.
  reshaped: "(t, size) => { try { t.shape[0] = size; } catch {} return t; }",
  graded: "(t) => { t.requiresGrad = true; tape(() => t.mul(2).sum().backward()); return t; }",
  // The layer without its memory.
  emptied: "(module) => { for (const p of module.parameters()) p.dispose(); return module; }",
  // Another value from the second reading on: what was read first has been checked, this has not.
  changing: `(object, name, later) => {
    const first = object[name];
    firsts.push(first);
    let reads = 0;
    const get = () => (reads++ === 0 ? first : (rereads.push(name), later));
    return Object.defineProperty(object, name, { get, enumerable: true });
  }`,
  rereads: "[]",
  firsts: "[]",
  throwing: '() => new Proxy({}, { get: () => { throw new Error("attack: a getter"); } })',
  cyclic: "() => { const list = []; list[0] = list; return list; }",
  deep: "(depth) => { let list = 1; for (let i = 0; i < depth; i++) list = [list]; return list; }",
  detached: `(values) => {
    const array = Float32Array.from(values);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  }`,
  shared: `(values) => {
    const array = new Int32Array(new SharedArrayBuffer(4 * values.length));
    array.set(values);
    return array;
  }`,
  // A file with so many bytes of data behind its header.
  safetensors: `(header, bytes = 0) => {
    const text = new TextEncoder().encode(header);
    const file = new Uint8Array(8 + text.length + bytes);
    new DataView(file.buffer).setUint32(0, text.length, true);
    file.set(text, 8);
    return file;
  }`,
  flipped: "(bytes, at, by) => { bytes[at % bytes.length] ^= by; return bytes; }",
  // Files in the current folder; their paths.
  checkpoint: `(path) => {
    const model = new Linear(2, 2);
    const other = new Linear(2, 2); // as in the runs that resume
    saveCheckpoint(path, { model, optimizer: new SGD(other.parameters()), epoch: 3 });
    for (const p of [...model.parameters(), ...other.parameters()]) p.dispose();
    return path;
  }`,
  idx: "(path) => { fs.writeFileSync(path, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 6)); return path; }",
  damaged: "(path, at, by) => { fs.writeFileSync(path, flipped(fs.readFileSync(path), at, by)); return path; }",
  cut: "(path, length) => { fs.writeFileSync(path, fs.readFileSync(path).subarray(0, length)); return path; }",
} as const satisfies Record<string, string>;

/** The definitions of the helpers that the code names, and of those that they name. */
export function definitionsFor(code: string): string[] {
  const used = new Set<string>();
  const search = (text: string): void => {
    for (const [name, helper] of Object.entries(HELPERS)) {
      if (used.has(name) || !new RegExp(`\\b${name}[.(]`).test(text)) continue;
      used.add(name);
      search(helper);
    }
  };
  search(code);
  const definitions = Object.entries(HELPERS).filter(([name]) => used.has(name));
  return definitions.map(([name, helper]) => `const ${name} = ${helper.replace(/\s+/g, " ")};`);
}
