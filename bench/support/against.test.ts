import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compare, isSlower, type Pair, type Side, select, times, verdict } from "./against.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A build whose rows of the family `lif` are served by this program. */
function side(name: string, program: string): Side {
  const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-side-"));
  folders.push(folder);
  mkdirSync(join(folder, "build/bench/against"), { recursive: true });
  writeFileSync(join(folder, "build/bench/against/lif.js"), program);
  return { name, folder };
}

/** Answers by a table, in which what is no number is a reason. */
const answering = (rows: Record<string, number | string>): string => `
  const rows = ${JSON.stringify(rows)};
  console.log(JSON.stringify(Object.keys(rows)));
  require("node:readline").createInterface({ input: process.stdin })
    .on("line", (line) => console.log(rows[line.slice(0, line.lastIndexOf(" "))]));
`;

const quiet = (): void => {};

test("select: families, rows of them by how their names begin, all by default", () => {
  expect([...select(["lif/forward 128×128", "toy", "lif/backward"])]).toEqual([
    ["lif", ["forward 128×128", "backward"]],
    ["toy", [""]],
  ]);
  expect([...select([])].length).toBeGreaterThan(5);
  expect([...select([])].every(([, [prefix]]) => prefix === "")).toBe(true);
  expect(() => select(["memory"])).toThrow(/^bench: expected some of .*, got memory$/);
});

test("times: an integer from 1 on", () => {
  expect(times("runs", "3")).toBe(3);
  for (const text of ["0", "-1", "1.5", "many", ""]) {
    expect(() => times("runs", text)).toThrow(`bench: --runs must be an integer ≥ 1, got ${text}`);
  }
});

test("isSlower: below 0.97 in all runs", () => {
  expect([[0.96, 0.5, 0.969], [0.96, 0.97, 0.96], [0.96, 0.96, 1.3], [1.2]].map(isSlower)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("verdict: medians of all runs, a ratio for each, and the rows that are slower", () => {
  const pair = (before: number, after: number): Pair => ({ before, after, ratio: before / after });
  const runs = [
    new Map([
      ["lif/forward", pair(1, 2)],
      ["toy/step", pair(1, 2)],
    ]),
    new Map([
      ["lif/forward", pair(1, 4)],
      ["toy/step", pair(2, 2)],
    ]),
    new Map([
      ["lif/forward", pair(2, 4)],
      ["toy/step", pair(3, 2)],
    ]),
  ];
  const { lines, slower } = verdict(runs);
  expect(slower).toEqual(["lif/forward"]);
  expect(lines[0]).toMatch(/^lif\/forward +1\.00 +4\.00 +0\.500 +0\.250 +0\.500 +slower$/);
  expect(lines[1]).toMatch(/^toy\/step +2\.00 +2\.00 +0\.500 +1\.000 +1\.500$/);
});

test("verdict: a row that one side does not have is said, and is not slower", () => {
  const { lines, slower } = verdict([new Map([["lif/new", { missing: "before: TypeError: no such layer" }]])]);
  expect(lines).toEqual(["lif/new  before: TypeError: no such layer"]);
  expect(slower).toEqual([]);
});

test("compare: the times of both sides, and why a row has none on one of them", async () => {
  const before = side("before", answering({ step: 30, other: "TypeError: no such layer" }));
  const after = side("after", answering({ step: 20, other: 1, another: 1 }));
  const results = await compare([before, after], select(["lif/step", "lif/other", "lif/none"]), 2, quiet);
  expect([...results]).toEqual([
    ["lif/step", { before: 30, after: 20, ratio: 1.5 }],
    ["lif/other", { missing: "before: TypeError: no such layer" }],
    ["lif/none", { missing: "no such row, there are step, other, another" }],
  ]);
});

test("compare: where a program does not start, its rows are missing on that side", async () => {
  const before = side("before", 'throw new SyntaxError("no such export")');
  const after = side("after", answering({ step: 1 }));
  const missing = "before: SyntaxError: no such export";
  expect([...(await compare([before, after], select(["lif"]), 1, quiet))]).toEqual([["lif/step", { missing }]]);
  const nowhere = await compare([before, before], select(["lif"]), 1, quiet);
  expect([...nowhere]).toEqual([["lif/", { missing: `${missing}; ${missing}` }]]);
});

test("compare: a program that ends in between is a reason too", async () => {
  const dying = side("before", 'console.log("[\\"step\\"]"); setTimeout(() => { throw new Error("gone"); }, 50)');
  const after = side("after", answering({ step: 1 }));
  const results = await compare([dying, after], select(["lif"]), 1, quiet);
  expect([...results]).toEqual([["lif/step", { missing: "before: Error: gone" }]]);
});
