import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compare, isSlower, type Pair, type Result, type Side, select, times, undecided, verdict } from "./against.ts";

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

const pair = (before: number, after: number): Pair => ({ before, after, ratio: before / after });

/** The results of a run. */
const run = (rows: Record<string, Result>): Map<string, Result> => new Map(Object.entries(rows));

test("select: families, rows of them by how their names begin, all by default", () => {
  expect([...select(["lif/forward 128×128", "toy", "lif/backward"])]).toEqual([
    ["lif", ["forward 128×128", "backward"]],
    ["toy", [""]],
  ]);
  expect([...select([])].length).toBeGreaterThan(5);
  expect([...select([])].every(([, [prefix]]) => prefix === "")).toBe(true);
  const families = ["neurons", "models", "plasticity", "int8", "layers", "playground"];
  expect([...select([]).keys()]).toEqual(expect.arrayContaining(families));
  expect([...select(["layers/LIF, step", "playground"])]).toEqual([
    ["layers", ["LIF, step"]],
    ["playground", [""]],
  ]);
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
  const runs = [
    run({ "lif/forward": pair(1, 2), "toy/step": pair(1, 2) }),
    run({ "lif/forward": pair(1, 4), "toy/step": pair(2, 2) }),
    run({ "lif/forward": pair(2, 4), "toy/step": pair(3, 2) }),
  ];
  const { lines, slower, lost } = verdict(runs);
  expect({ slower, lost }).toEqual({ slower: ["lif/forward"], lost: [] });
  expect(lines[0]).toMatch(/^lif\/forward +1\.00 +4\.00 +0\.500 +0\.250 +0\.500 +slower$/);
  expect(lines[1]).toMatch(/^toy\/step +2\.00 +2\.00 +0\.500 +1\.000 +1\.500$/);
});

test("undecided: rows that were slower in each run so far, so that the verdict needs no others", () => {
  const runs = [
    run({ a: pair(1, 2), b: pair(1, 2), c: pair(2, 1), d: { added: "before: none" }, e: { lost: "gone" } }),
  ];
  expect([...undecided(runs)]).toEqual(["a", "b"]);
  runs.push(run({ a: pair(1, 2), b: pair(2, 1) }));
  expect([...undecided(runs)]).toEqual(["a"]);
  runs.push(run({ a: pair(1, 2) }));
  const { lines, slower } = verdict(runs);
  expect(slower).toEqual(["a"]);
  expect(lines[1]).toMatch(/^b +2\.00 +2\.00 +0\.500 +2\.000$/);
  expect(lines[2]).toMatch(/^c +2\.00 +1\.00 +2\.000$/);
});

test("verdict: a row that only the working tree serves is new, and no failure", () => {
  const { lines, slower, lost } = verdict([run({ "lif/new": { added: "before: TypeError: no such layer" } })]);
  expect(lines).toEqual(["lif/new  new: before: TypeError: no such layer"]);
  expect({ slower, lost }).toEqual({ slower: [], lost: [] });
});

test("verdict: a row that the working tree does not serve is lost, in whichever run, and not slower", () => {
  const gone = { lost: "after: Error: gone" };
  const runs = [run({ "lif/old": gone, "lif/step": pair(1, 2) }), run({ "lif/step": gone })];
  const { lines, slower, lost } = verdict(runs);
  expect(lines).toEqual(["lif/old   lost: after: Error: gone", "lif/step  lost: after: Error: gone"]);
  expect({ slower, lost }).toEqual({ slower: [], lost: ["lif/old", "lif/step"] });
});

test("compare: the times of both sides; rows that only one serves are new or lost", async () => {
  const before = side("before", answering({ step: 30, other: "TypeError: no such layer", old: 1, none: "Error: a" }));
  const after = side("after", answering({ step: 20, other: 1, another: 1, old: "Error: b", none: "Error: c" }));
  const rows = ["step", "other", "old", "none", "absent"].map((row) => `lif/${row}`);
  const results = await compare([before, after], select(rows), { rounds: 2, say: quiet });
  expect([...results]).toEqual([
    ["lif/step", { before: 30, after: 20, ratio: 1.5 }],
    ["lif/other", { added: "before: TypeError: no such layer" }],
    ["lif/old", { lost: "after: Error: b" }],
    ["lif/none", { lost: "after: Error: c" }],
    ["lif/absent", { lost: "no such row, there are step, other, old, none, another" }],
  ]);
});

test("compare: a list of rows chooses within the selection, and families without one do not start", async () => {
  const both = side("both", answering({ step: 0.5, "step, backward": 0.5 }));
  const said: string[] = [];
  const asked = { rounds: 1, only: new Set(["lif/step"]), say: (family: string) => void said.push(family) };
  const results = await compare([both, both], select(["lif", "toy"]), asked);
  expect([...results.keys()]).toEqual(["lif/step"]);
  expect(said).toEqual(["lif"]);
});

test("compare: a family that one side does not load is named with the reason", async () => {
  const absent = side("absent", 'throw new SyntaxError("no such export")');
  const present = side("present", answering({ step: 1 }));
  const asked = { rounds: 1, say: quiet };
  const trouble = "absent does not load it: SyntaxError: no such export";
  const unloaded = "absent: does not load the family";
  expect([...(await compare([absent, present], select(["lif"]), asked))]).toEqual([
    ["lif", { added: trouble }],
    ["lif/step", { added: unloaded }],
  ]);
  expect([...(await compare([present, absent], select(["lif"]), asked))]).toEqual([
    ["lif", { lost: trouble }],
    ["lif/step", { lost: unloaded }],
  ]);
  const nowhere = await compare([absent, absent], select(["lif"]), asked);
  expect([...nowhere]).toEqual([["lif", { lost: `${trouble}; ${trouble}` }]]);
});

test("compare: errors of Node with a code are reasons too", async () => {
  const code = 'import("node:nothing").catch((error) => { console.error(error.stack); process.exit(1); })';
  const results = await compare([side("before", code), side("after", answering({ step: 1 }))], select(["lif"]), {
    rounds: 1,
    say: quiet,
  });
  const { added } = results.get("lif") as { added: string };
  expect(added).toMatch(/^before does not load it: Error \[ERR_UNKNOWN_BUILTIN_MODULE\]: /);
});

test("compare: a program that ends in between is a reason too", async () => {
  const dying = side("dying", 'console.log("[\\"step\\"]"); setTimeout(() => { throw new Error("gone"); }, 50)');
  const living = side("living", answering({ step: 1 }));
  const asked = { rounds: 1, say: quiet };
  const gone = "dying: Error: gone";
  expect([...(await compare([dying, living], select(["lif"]), asked))]).toEqual([["lif/step", { added: gone }]]);
  expect([...(await compare([living, dying], select(["lif"]), asked))]).toEqual([["lif/step", { lost: gone }]]);
});
