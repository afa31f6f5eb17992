import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleFuzz } from "../../scripts/fuzz.mjs";
import { type AttackReport, attack, Child, describeFound, sorted } from "./attack/attack.ts";
import { BROKEN } from "./attack/broken.ts";
import { FAULTS } from "./attack/code.ts";
import { TARGETS } from "./attack/targets.ts";
import { PARTS as ALL } from "./command.ts";

const SEED = 20_250_101;

mkdirSync("build", { recursive: true });
const folder = mkdtempSync(join("build", "fuzz-test-"));
/** Runs all calls, those of the package as it is and those with a defect. */
const child = new Child(resolve(folder, "child.mjs"));
beforeAll(() => bundleFuzz(folder));
afterAll(() => {
  child.end();
  rmSync(folder, { recursive: true });
});

function expectNothing(report: AttackReport): void {
  const [worst] = sorted(report);
  if (worst !== undefined) expect.fail(`${report.found.size} findings, of which the worst is\n${describeFound(worst)}`);
}

test(`attack: 5000 calls, from seed ${SEED} on, break nothing`, async () => {
  const report = await attack({ child, seed: SEED, calls: 5000 });
  expectNothing(report);
  expect(report.calls).toBe(5000);
  // Neither are most arguments refused, nor most taken, and nearly all can be made.
  for (const part of [report.returned, report.threw]) expect(part).toBeGreaterThan(1500);
  expect(report.unmade).toBeLessThan(250);
});

test("attack: with nothing replaced, calls of every target return", async () => {
  const report = await attack({ child, seed: SEED, calls: 4 * TARGETS.size, isPlain: true });
  expectNothing(report);
  expect([...TARGETS.keys()].filter((target) => !report.reached.has(target))).toEqual([]);
});

describe("attack: finds", () => {
  test.each(Object.entries(BROKEN))("%s", async (broken, { target, kind }) => {
    const patience = kind === "hang" ? 1000 : undefined;
    const options = { child, seed: SEED, only: [target] };
    const report = await attack({ ...options, calls: 600, broken, patience, until: kind, isCut: false });
    expect(sorted(report).map((found) => found.kind)).toContain(kind);
    expectNothing(await attack({ ...options, calls: report.calls }));
  });

  test("a defect of every kind", () => {
    expect(new Set(Object.values(BROKEN).map(({ kind }) => kind))).toEqual(new Set(FAULTS));
  });
});

describe("fuzz: the command line draws", () => {
  /** The expressions look at a clock. */
  const PARTS = ALL.filter((part) => part !== "expressions");
  /** Draws by which a part has read all of its files. */
  const COUNTS: { readonly [part: string]: number } = { events: 13 };
  const countOf = (part: string): number => COUNTS[part] ?? 2;
  const printed = new Map<string, string>();

  async function draw(parts: readonly string[], count: number): Promise<void> {
    const args = [join(folder, "main.mjs"), ...parts, "--seed", "1", "--count", `${count}`];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    expect(stderr).toBe("");
    const [head, ...texts] = stdout.split(/^\w+:\n/m);
    expect(head).toBe("seed 1\n");
    for (const [i, part] of parts.entries()) printed.set(part, texts[i] ?? "");
  }

  // Parts with the same count share a process; all run side by side.
  beforeAll(async () => {
    const counts = [...new Set(PARTS.map(countOf))];
    const drawn = counts.map((count) =>
      draw(
        PARTS.filter((part) => countOf(part) === count),
        count,
      ),
    );
    await Promise.all(drawn);
  });

  test.each(PARTS)("%s", (part) => {
    expect(printed.get(part)).toMatch(new RegExp(`^${countOf(part)} `, "m"));
  });
});

test("attack: a finding is cut down to what it needs and can be pasted", async () => {
  const options = { child, seed: SEED, calls: 600, only: ["pad"] };
  const report = await attack({ ...options, broken: "an argument that nobody checks", until: "raw" });
  const found = sorted(report).find(({ kind }) => kind === "raw");
  expect(found?.case.edits.length).toBe(1);
  expect(describeFound(found as NonNullable<typeof found>)).toMatch(
    /^raw: pad: TypeError: Cannot read properties of \w+ .*\n\n.*pad\(ones\(\[[\d, ]+\]\), \w+, .*\);\n/,
  );
});
