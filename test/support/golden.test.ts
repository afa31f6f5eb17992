/** The machinery of the golden tests itself: it must notice what is off, and what nothing reads. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import { EXACT, mismatch } from "./close.ts";
import { numbersOf, readGolden } from "./golden.ts";
import { type GoldenSuite, included, type NamedEntry, uncovered } from "./golden-suite.ts";

const golden = (shape: number[], data: (number | string)[]) => ({ shape, data });

test("golden: strings stand for non-finite values, nine digits for a float32", () => {
  expect(numbersOf(golden([4], ["NaN", "Infinity", "-Infinity", 0.1]))).toEqual([
    NaN,
    Infinity,
    -Infinity,
    Math.fround(0.1),
  ]);
});

test("golden: a mismatch names the element, what came and what was expected", () => {
  const got = tensor([
    [1, 2],
    [3, 4.5],
  ]);
  const tolerance = { absolute: 0.1, relative: 0.01 };
  expect(mismatch(got, golden([2, 2], [1, 2, 3, 4.4]), tolerance)).toBe(null);
  expect(mismatch(got, golden([2, 2], [1, 2, 3, 4]), tolerance)).toBe(
    "element 3 of 4 at [1, 1]: got 4.5, expected 4 (off by 0.500, allowed 0.140)",
  );
  expect(mismatch(got, golden([4], [1, 2, 3, 4.5]), tolerance)).toBe("got shape [2, 2], expected [4]");
  expect(mismatch(1, 1.5, EXACT)).toContain("got 1, expected 1.5");
});

test("golden: NaN and infinities agree only with themselves", () => {
  const got = tensor([NaN, Infinity, 1]);
  const loose = { absolute: 1e9, relative: 1 };
  expect(mismatch(got, golden([3], ["NaN", "Infinity", 1]), loose)).toBe(null);
  expect(mismatch(got, golden([3], [0, "Infinity", 1]), loose)).toContain("element 0");
  expect(mismatch(got, golden([3], ["NaN", "-Infinity", 1]), loose)).toContain("element 1");
  expect(mismatch(got, golden([3], ["NaN", "Infinity", "NaN"]), loose)).toContain("element 2");
});

test("golden: the folder in $GOLDENS replaces the files that it holds", () => {
  const folder = mkdtempSync(join(tmpdir(), "goldens-"));
  try {
    mkdirSync(join(folder, "toy"));
    writeFileSync(join(folder, "toy/ttfs.json"), '{"x": 1}');
    expect(readGolden("toy/ttfs", folder)).toEqual({ content: { x: 1 }, replaced: true });
    expect(readGolden("toy/lif", folder).replaced).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Entry extends NamedEntry {
  readonly op: string;
}

const suite: GoldenSuite<{ entries: Entry[] }, Entry> = {
  file: "none",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: { odd: "by its name", later: "by its op", extra: "by its key" },
  kind: ({ op }) => op,
  run() {},
};

test("golden: entries are tested unless their name or their kind is left out", () => {
  const entries = [
    { name: "a", op: "add" },
    { name: "odd", op: "add" },
    { name: "b", op: "later" },
  ];
  expect(included(suite, { entries })).toEqual([{ name: "a", op: "add" }]);
  expect(uncovered(suite, { entries, extra: 1, schema: "text" } as { entries: Entry[] }, false)).toEqual([]);
});

test("golden: parts of the file that nothing reads, and reasons for nothing, are failures", () => {
  const content = { entries: [{ name: "a", op: "add" }], extra: 1, unknown: 2 };
  expect(uncovered(suite, content, false)).toEqual([
    'nothing reads "unknown"',
    'left out, or a bug, but not in the file: "odd"',
    'left out, or a bug, but not in the file: "later"',
  ]);
  expect(uncovered(suite, content, true)).toEqual(['nothing reads "unknown"']);
  expect(uncovered(suite, { entries: [] }, true)).toEqual(["no entry is compared"]);
  // A file of $GOLDENS may hold nothing but entries that another suite compares.
  const elsewhere = { entries: [{ name: "odd", op: "add" }] };
  expect(uncovered(suite, elsewhere, true)).toEqual([]);
  expect(uncovered(suite, elsewhere, false)).toContain("no entry is compared");
});
