/** Wrong arguments of all that reads and writes files: an error of ours that names what came, and nothing left behind. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Adam, Generator, Linear, loadSafetensors, memoryStats, saveSafetensors, tensor } from "jarvis-snn";
import { readIdx, resumeCheckpoint, saveCheckpoint } from "jarvis-snn/node";
import { afterAll, expect, test } from "vitest";
import { numbers } from "./support/sides.ts";

const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-arguments-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const model = new Linear(2, 1);
const optimizer = new Adam(model.parameters());
const generator = new Generator(3);
/** Any state at all. */
class Part {
  state: unknown = { best: 1, history: [0.5, Number.NaN], rates: Float32Array.of(1) };
  stateDict() {
    return this.state;
  }
  loadStateDict() {}
}
const freed = tensor([1]);
freed.dispose();
saveCheckpoint(at("checkpoint"), { model, optimizer, generator, scheduler: new Part(), epoch: 1 });
writeFileSync(at("idx"), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9));
mkdirSync(at("folder"));

function detached(): Float32Array {
  const data = Float32Array.of(1, 2);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

function cyclic(): unknown {
  const list: unknown[] = [];
  list.push({ list });
  return list;
}

const deep = JSON.parse("[".repeat(20_000) + "]".repeat(20_000));

/** What may come in the place of anything. */
const VALUES: (() => unknown)[] = [
  ...[
    undefined,
    null,
    true,
    0,
    -0,
    1,
    -1,
    0.5,
    Number.NaN,
    Infinity,
    2 ** 31,
    2 ** 53,
    1n,
    "",
    "1",
    "folder",
    "\0",
    "a/",
  ],
  ...["__metadata__", "__proto__", "x".repeat(1000), Symbol("s"), freed, model, Number, (x: unknown) => x, deep],
  Object.freeze([2]),
].map((value) => () => value);
VALUES.push(
  () => [],
  () => ({}),
  () => [1, [2]],
  () => [0],
  () => new Array(2 ** 32 - 1),
  () => Object.assign(new Array(3), { 0: 1, 2: 2 }),
  () => Object.create(null),
  () => Object.create({ shape: [1] }),
  () => ({ get: 1, set: undefined }),
  () => ({ constructor: { name: 3 } }),
  () => ({ constructor: null, toString: null, valueOf: 1 }),
  () => ({ toJSON: () => "x", [Symbol.toPrimitive]: () => 3 }),
  () => ({ length: 2, 0: 1, 1: 1 }),
  () => ({ $array: "model.weight", $number: "NaN" }),
  () => new Map([["a", 1]]),
  () => new Set([1]),
  () => new Date(0),
  () => new URL("file:///a"),
  () => Promise.resolve(1),
  () => Float32Array.of(1, 2),
  () => Float64Array.of(1, 2),
  () => new Uint8Array(20),
  () => Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
  () => new DataView(new ArrayBuffer(9)),
  () => new ArrayBuffer(9),
  () => new Float32Array(new SharedArrayBuffer(8)),
  () => new Uint8Array(new SharedArrayBuffer(16)),
  () => Buffer.from("text of more than eight bytes"),
  detached,
  cyclic,
);

const bytes = saveSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } }, { note: "b" });
const CALLS: [name: string, call: (...args: never[]) => unknown, args: () => unknown[]][] = [
  [
    "saveSafetensors",
    saveSafetensors,
    () => [
      { a: { shape: [2], data: Float32Array.of(1, 2) }, b: { shape: [], data: Float32Array.of(1) } },
      { note: "b" },
    ],
  ],
  ["loadSafetensors", loadSafetensors, () => [bytes.slice()]],
  [
    "saveCheckpoint",
    saveCheckpoint,
    () => [at("new"), { model, optimizer, generator, scheduler: new Part(), epoch: 1 }],
  ],
  [
    "saveCheckpoint",
    saveCheckpoint,
    () => [at("new"), { model: Object.assign(new Part(), { state: model.stateDict() }), optimizer, epoch: 1 }],
  ],
  [
    "resumeCheckpoint",
    resumeCheckpoint,
    () => [at("checkpoint"), { model, optimizer, generator, scheduler: new Part() }],
  ],
  ["readIdx", readIdx, () => [at("idx")]],
];

/** Objects of which a random part is replaced. */
const isOpen = (value: unknown): value is Record<string, unknown> =>
  value instanceof Part || Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype;

/** Messages of V8. */
const RAW =
  /Cannot (read|set|convert|destructure|perform|create|assign|delete|mix)|is not (iterable|a function|an object|a constructor|extensible)|call stack|Invalid (array|string|typed|DataView|count)|circular|mix BigInt|allocation failed|prototype may|out of bounds|outside the bounds|must be of type|Received /;

test("wrong arguments: a TypeError or RangeError that names the function and stays short, and nothing is left behind", () => {
  const seed = 20_260_104;
  const rounds = 4000;
  const draws = numbers(rounds * 12, seed, 0, 1);
  let draw = 0;
  const below = (n: number) => Math.floor((draws[draw++ % draws.length] as number) * n);
  const counts = { TypeError: 0, RangeError: 0, other: 0, fine: 0 };
  const saved = readFileSync(at("checkpoint"));
  const { live } = memoryStats();
  for (let round = 0; round < rounds; round++) {
    const [name, call, make] = CALLS[below(CALLS.length)] as (typeof CALLS)[number];
    const args = make();
    const steps: string[] = [];
    for (let times = 1 + below(2); times > 0; times--) {
      let holder = args as unknown as Record<string, unknown>;
      for (;;) {
        const keys = Object.keys(holder);
        if (keys.length === 0) break;
        const key = keys[below(keys.length)] as string;
        const next = holder[key];
        steps.push(key);
        if (isOpen(next) && !Object.isFrozen(next) && Object.keys(next).length > 0 && below(3) > 0) {
          holder = next;
          continue;
        }
        const index = below(VALUES.length);
        const value = (VALUES[index] as () => unknown)();
        const isPath = holder === (args as unknown) && key === "0" && /Checkpoint|Idx/.test(name);
        holder[key] = isPath && typeof value === "string" && value !== "" ? `${folder}/${value}` : value;
        steps.push(`value ${index};`);
        break;
      }
    }
    const what = `seed ${seed}, round ${round}: ${name}, ${steps.join(" ")}`;
    try {
      const result = call(...(args as never[]));
      if (name === "loadSafetensors")
        for (const t of Object.values((result as never as { tensors: object }).tensors)) t.dispose();
      if (name === "saveSafetensors") {
        for (const t of Object.values(loadSafetensors(result as Uint8Array).tensors)) t.dispose();
      }
      counts.fine++;
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      const isOurs = error instanceof TypeError || error instanceof RangeError;
      if (isOurs) counts[error instanceof TypeError ? "TypeError" : "RangeError"]++;
      else counts.other++;
      if (!isOurs && !/^E[A-Z]+$/.test(code ?? "") && !message.includes("was freed"))
        expect.fail(`${what}: ${message}`);
      if (isOurs && !message.startsWith(`${name}: `)) expect.fail(`${what}: ${message}`);
      if (RAW.test(message) || (isOurs && message.length > 500)) expect.fail(`${what}: ${message}`);
    }
    if (memoryStats().live !== live) expect.fail(`${what}: ${memoryStats().live - live} bytes leak`);
  }
  expect(readFileSync(at("checkpoint")).equals(saved)).toBe(true);
  expect(readdirSync(folder).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  expect(counts.TypeError).toBeGreaterThan(500);
  expect(counts.RangeError).toBeGreaterThan(100);
  expect(counts.fine).toBeGreaterThan(100);
});
