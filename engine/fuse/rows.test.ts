import { describe, expect, test } from "vitest";

import { tensor } from "../index.ts";
import { persist } from "../tape.ts";
import { memory } from "../wasm.ts";
import type { Value } from "./expression.ts";
import { Program } from "./program.ts";

const ROWS = 5;

type Argument = Readonly<Record<"w" | "x" | "y" | "a", Value>>;

const definition = (listed: boolean) => ({
  name: "rule",
  inputs: ["w", "x", "y"],
  states: [],
  parameters: { a: "scalar" as const },
  shared: ["y"],
  summed: ["sum"],
  ...(listed ? { listed: ["w"] } : {}),
  step({ w, x, y, a }: Argument) {
    const z = w.add(x.mul(y.exp().mul(a)).mul(w.pow(0.4))).clamp(0, 1);
    return { w: z, sum: z };
  },
});

/** An address of zeros that stays. */
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
    const rows = new Program(definition(listed) as never).compile(null).rows(n, take);
    const [w, x, y, a, sum, list] = [4 * n * ROWS, 4 * n, 4 * ROWS, 4, 32, 4 * n].map(take) as [
      number,
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
    floats(a, 1)[0] = 0.5;
    const before = weights.slice();
    rows.note(rows.inputPlace("w"), w, n);
    rows.note(rows.outputPlace("w"), w, n);
    rows.note(rows.inputPlace("x"), x, 0);
    rows.note(rows.inputPlace("y"), y, 1);
    rows.note(rows.outputPlace("sum"), sum, 0);
    rows.parameters([a]);
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
