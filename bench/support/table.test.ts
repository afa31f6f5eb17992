import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { GROUPS, PEERS, type PeerName, type TARGETS, type Target } from "../targets.ts";
import { growthBlock } from "./growth.ts";
import { programOf } from "./peer.ts";
import { families, merge, type Origin, type Results, targetsOf } from "./results.ts";
import {
  docsBlock,
  formatValue,
  landingPage,
  linesOf,
  mark,
  profileBlock,
  profileLines,
  README_ROWS,
  readmeBlock,
  replaceBlock,
  terminalTable,
} from "./table.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const TODAY: Origin = { machine: "some CPU", node: "20.0.0", date: "2026-01-02" };
const BEFORE: Origin = { ...TODAY, date: "2025-12-31" };

const speed: Target = { row: "a step", peer: "a peer", unit: "×", must: 2, goal: 4 };
const bytes: Target = { row: "a package", peer: "", unit: "kB", must: 48, goal: 30 };

/** What is in bench/results. */
function stored(): Partial<Record<keyof typeof TARGETS, Results>> {
  const found = families.filter((family) => existsSync(at(`../results/${family}.json`)));
  return Object.fromEntries(
    found.map((family) => [family, JSON.parse(readFileSync(at(`../results/${family}.json`), "utf8"))]),
  );
}

test("targets: every family has a benchmark and every benchmark a family", () => {
  const files = readdirSync(at("..")).filter((name) => name.endsWith(".bench.ts"));
  expect(files.map((name) => name.replace(".bench.ts", "")).sort()).toEqual([...families].sort());
});

test("targets: the peers that rows name have a program for the family", () => {
  for (const family of families) {
    for (const key of Object.keys(targetsOf(family)).filter((key) => key.includes("/"))) {
      const [workload, peer] = key.split("/") as [string, string];
      expect(Object.keys(PEERS)).toContain(peer);
      for (const each of (GROUPS as Readonly<Record<string, readonly string[]>>)[peer] ?? [peer]) {
        expect(Object.keys(targetsOf(family))).toContain(`${workload}/${each}`);
        const program = programOf(each as PeerName, family);
        expect(existsSync(at(`../peers/${program}`)), program).toBe(true);
      }
    }
  }
});

test("mark: of ratios more is better, of amounts less", () => {
  expect([1.99, 2, 3.99, 4].map((value) => mark(speed, value))).toEqual(["short", "must", "must", "goal"]);
  expect([48.1, 48, 30.1, 30].map((value) => mark(bytes, value))).toEqual(["short", "must", "must", "goal"]);
  expect(mark({ row: "", peer: "", unit: "P" }, 1)).toBe("");
});

test("formatValue: three digits and the unit", () => {
  expect([1.234, 12.34, 123.4].map((value) => formatValue(value, speed))).toEqual(["1.23 ×", "12.3 ×", "123 ×"]);
});

test("merge: a row that was not measured keeps its figure and its date", () => {
  const old: Results = { rows: { "step/torch": { value: 2, ...BEFORE }, "published/torch": { value: 3, ...BEFORE } } };
  const rows = {
    "published/torch": { value: 6.54321, times: { "jarvis-snn": 1.00004 } },
    "step/torch": { missing: "no PyTorch" },
  };
  expect(merge("toy", old, { rows }, TODAY)).toEqual({
    rows: {
      "published/torch": { value: 6.543, times: { "jarvis-snn": 1 }, ...TODAY },
      "step/torch": { value: 2, ...BEFORE },
    },
  });
});

test("merge: a curve stays until there is a new one; a row without a target is an error", () => {
  const curve = { product: "2 × 3 → 4", percents: [1, 100], binary: [0.1, 2], graded: [0.2, 3] };
  const old: Results = { rows: {}, curve: { ...curve, ...BEFORE } };
  expect(merge("gather", old, { rows: {} }, TODAY).curve?.date).toBe(BEFORE.date);
  expect(merge("gather", old, { rows: {}, curve }, TODAY).curve?.date).toBe(TODAY.date);
  expect(() => merge("toy", old, { rows: { other: { value: 1 } } }, TODAY)).toThrow(/expected rows .* got other/);
});

test("merge: pictures of growth stay until there are new ones", () => {
  const growth = { T: { values: [1, 2], curves: { ours: [1, 3] } } };
  const first = merge("growth", { rows: {} }, { rows: {}, growth }, BEFORE);
  expect(first.growth).toEqual({ axes: growth, ...BEFORE });
  expect(merge("growth", first, { rows: {} }, TODAY).growth).toEqual(first.growth);
  expect(merge("growth", first, { rows: {}, growth }, TODAY).growth?.date).toBe(TODAY.date);
});

test("tables: measured, missing, and both", () => {
  const toy = { rows: { "published/torch": { value: 6, ...TODAY }, "step/torch": { value: 3.5, ...BEFORE } } };
  const lines = linesOf({ toy }, ["toy", "memory"], { toy: { "step/torch": "no PyTorch" } });
  const rows = terminalTable(lines).split("\n");
  expect(rows).toHaveLength(15);
  expect(rows[1]).toMatch(/≥ 5 +≥ 8 +6.00 × +must$/);
  expect(rows[2]).toMatch(/the faster PyTorch +≥ 4.1 +≥ 4.6 +not measured$/);
  expect(rows[4]).toMatch(/best eager +3.50 × +not measured: no PyTorch$/);
  expect(rows[13]).toMatch(/≤ 18 +≤ 18 +not measured$/);
});

test("tables: README has its rows in their order, the docs have all; both from the stored results", () => {
  const results = stored();
  const all = families.flatMap((family) => Object.values(targetsOf(family)));
  const rowsOf = (block: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(2);
  const shown = rowsOf(readmeBlock(results)).map((row) => row.split("|").map((cell) => cell.trim()));
  expect(shown.map(([, row, peer]) => [row, peer])).toEqual(README_ROWS.map(({ row, peer }) => [row, peer]));
  expect(rowsOf(docsBlock(results))).toHaveLength(all.length);
  for (const { target, measured } of linesOf(results)) {
    if (measured === undefined) continue;
    const cell = `| ${formatValue(measured.value, target)} `;
    expect(rowsOf(docsBlock(results)).some((row) => row.includes(target.row) && row.includes(cell))).toBe(true);
  }
});

test("tables: README has a column with all threads once a row was measured with them", () => {
  const alone = { small: { rows: { "step/pytorch": { value: 3, ...TODAY } } } };
  expect(readmeBlock(alone)).toContain(", one thread on both sides.");
  const mnist = {
    rows: { "static/pytorch": { value: 3, ...TODAY }, "static/pytorch-all": { value: 5, threads: 2, ...BEFORE } },
  };
  const lines = readmeBlock({ mnist }).split("\n");
  expect(lines[0]).toBe("some CPU, Node 20.0.0, 2026-01-02; some CPU, Node 20.0.0, 2025-12-31.");
  expect(lines[2]).toMatch(/one thread each +\| 2 threads each/);
  expect(lines.find((line) => line.includes("tutorial-5 step"))).toMatch(/\| 3.00 × +\| 5.00 × +\|$/);
  expect(lines.find((line) => line.includes("recurrent step"))).toMatch(/\| not measured +\| not measured +\|$/);
});

test("profiles: a line for each step that has a name, with its larger shares", () => {
  const profile = {
    step: 1.5,
    kernels: { gather: { share: 0.525, peak: 0.711 }, add: { share: 0.3 }, fill: { share: 0.01 } },
    ...TODAY,
  };
  const results = { toy: { rows: {}, profiles: { published: profile, step: profile, other: profile } } };
  const rows = profileLines(results).map(([row]) => row);
  expect(new Set(rows).size).toBe(rows.length);
  expect(profileLines(results)[0]).toEqual([
    targetsOf("toy")["step/torch"]?.row,
    "1.5",
    "gather 53 % (0.71 P), add 30 %",
  ]);
  expect(profileLines(results, ["small"])).toEqual([]);
  expect(profileBlock(results)).toContain(`${TODAY.machine}, Node ${TODAY.node}, ${TODAY.date}.`);
});

test("merge: profiles stay until others come", () => {
  const profiles = { step: { step: 1, kernels: { gemm: { share: 0.5 } } } };
  const first = merge("toy", { rows: {} }, { rows: {}, profiles }, BEFORE);
  expect(merge("toy", first, { rows: {} }, TODAY).profiles).toEqual({ step: { ...profiles.step, ...BEFORE } });
  expect(merge("toy", first, { rows: {}, profiles }, TODAY).profiles).toEqual({ step: { ...profiles.step, ...TODAY } });
});

test("replaceBlock: what is between the markers, and nothing else", () => {
  const text = "a\n<!-- bench: npm run x -->\nold\n<!-- /bench -->\nb\n";
  const once = replaceBlock(text, "bench", "| new |");
  expect(once).toBe("a\n<!-- bench: npm run x -->\n| new |\n<!-- /bench -->\nb\n");
  expect(replaceBlock(once, "bench", "| new |")).toBe(once);
  expect(() => replaceBlock("", "bench", "")).toThrow(/expected <!-- bench/);
});

test("landingPage: the figures of rows that were measured, beside their commands, and nothing else", () => {
  const text =
    "| 0 | none | `npm ls` |\n| 9.99 × | images | `npm run bench -- inference` |\n| 8.00 × | steps | `npm run bench -- mnist` |\n";
  const inference = { rows: { "batch/torch": { value: 14.4321, ...TODAY } } };
  expect(landingPage(text, { inference })).toBe(text.replace("9.99 ×", "14.4 ×"));
  expect(() => landingPage("", { inference })).toThrow(/expected a row of `npm run bench -- inference`/);
});

test("the pages have the tables of the stored results", () => {
  const results = stored();
  const page = (path: string) => readFileSync(at(`../../${path}`), "utf8");
  const [readme, docs, landing] = [page("README.md"), page("docs/benchmarks.md"), page("docs/landing.md")];
  expect(replaceBlock(readme, "bench", readmeBlock(results))).toBe(readme);
  expect(replaceBlock(docs, "bench", docsBlock(results))).toBe(docs);
  expect(replaceBlock(docs, "profile", profileBlock(results))).toBe(docs);
  expect(replaceBlock(docs, "growth", growthBlock(results.growth?.growth))).toBe(docs);
  expect(landingPage(landing, results)).toBe(landing);
});
