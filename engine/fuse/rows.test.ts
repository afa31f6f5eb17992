import { describe, expect, test } from "vitest";
import { memory } from "../core/wasm.ts";
import { tensor } from "../index.ts";
import { persist } from "../outside/persist.ts";
import { Program, Rows } from "./program.ts";
import type { Language, Value } from "./terms.ts";

const ROWS = 5;

type Argument = Readonly<Record<"w" | "x" | "y", Value>> & Language;

const definition = (listed: boolean) => ({
  name: "rule",
  inputs: ["w", "x", "y"],
  states: [],
  parameters: {},
  shared: ["y"],
  summed: ["sum"],
  ...(listed ? { listed: ["w"] } : {}),
  step({ w, x, y, constant }: Argument) {
    const half = constant(1).div(2);
    const z = w.add(x.mul(y.exp().mul(half)).mul(w.pow(0.4))).clamp(0, 1);
    return { w: z, sum: z };
  },
});

/** The address of persistent zeros. */
const blocks: object[] = [];
const take = (bytes: number): number => {
  const t = persist(tensor(new Float32Array(bytes / 4)));
  blocks.push(t);
  return t.ptr;
};

describe.each([
  [37, false, undefined],
  [37, true, [1, 2, 5, 7, 11, 30, 36]],
  [3, false, undefined],
  [1, true, [0]],
  [600, false, undefined],
] as const)("rows of %i columns, listed: %s", (n, listed, some) => {
  const columns: readonly number[] = some ?? Array.from({ length: n }, (_, i) => i);

  test("rows: a step changes the listed columns of the rows that it is called for, and no others", () => {
    const rows = new Rows(new Program(definition(listed) as never).compile(null), n, take);
    const [w, x, y, sum, list] = [4 * n * ROWS, 4 * n, 4 * ROWS, 32, 4 * n].map(take) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const floats = (at: number, size: number) => new Float32Array(memory.buffer, at, size);
    const weights = floats(w, n * ROWS);
    weights.set(weights.map((_, i) => (i % 11) / 13));
    const [pre, post] = [floats(x, n), floats(y, ROWS)];
    pre.set(pre.map((_, i) => (i % 5) / 5));
    post.set(post.map((_, j) => j / 7));
    const before = weights.slice();
    rows.note(rows.inputPlace("w"), w, n);
    rows.note(rows.outputPlace("w"), w, n);
    rows.note(rows.inputPlace("x"), x, 0);
    rows.note(rows.inputPlace("y"), y, 1);
    rows.note(rows.outputPlace("sum"), sum, 0);
    if (listed) {
      new Int32Array(memory.buffer, list, n).set(columns.map((i) => 4 * i));
      rows.note(rows.listPlace, list, 0);
    }
    rows.run(1, 3, columns.length);

    let total = 0;
    for (let j = 0; j < ROWS; j++) {
      for (let i = 0; i < n; i++) {
        const [old, k] = [before[j * n + i] as number, columns.indexOf(i)];
        const isRun = k >= 0 && j >= 1 && j <= 3;
        const grown = old + (pre[k] as number) * Math.exp(post[j] as number) * 0.5 * old ** 0.4;
        const expected = isRun ? Math.min(1, Math.max(0, grown)) : old;
        expect(weights[j * n + i]).toBeCloseTo(expected, 5);
        if (isRun) total += weights[j * n + i] as number;
      }
    }
    const lanes = new Float64Array(memory.buffer, sum, 4);
    expect(lanes.reduce((s, lane) => s + lane, 0)).toBeCloseTo(total, 3);
  });
});

test("rows: steps that differ in numbers alone have their own, also those that are made of numbers", () => {
  const added = [20, 40].map((divisor) => {
    const step = ({ w, constant }: Argument) => ({ w: w.add(constant(1).div(divisor)) });
    const rows = new Rows(new Program({ ...definition(false), summed: [], step } as never).compile(null), 4, take);
    const w = take(16);
    rows.note(rows.inputPlace("w"), w, 4);
    rows.note(rows.outputPlace("w"), w, 4);
    rows.run(0, 1, 4);
    return new Float32Array(memory.buffer, w, 4)[3];
  });
  expect(added).toEqual([Math.fround(1 / 20), Math.fround(1 / 40)]);
});

test("rows: an array that was never noted traps", () => {
  const rows = new Rows(new Program(definition(false) as never).compile(null), 4, take);
  expect(() => rows.run(0, 1, 4)).toThrow(WebAssembly.RuntimeError);
});
