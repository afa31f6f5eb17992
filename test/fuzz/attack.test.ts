import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleFuzz } from "../../scripts/fuzz.mjs";
import { type AttackReport, attack, Child, describeFound, sorted } from "./attack/attack.ts";
import { BROKEN } from "./attack/broken.ts";
import { FAULTS } from "./attack/code.ts";
import { TARGETS } from "./attack/targets.ts";
import { PARTS } from "./command.ts";

const SEED = 20_250_101;

mkdirSync("build", { recursive: true });
const folder = mkdtempSync(join("build", "fuzz-test-"));
const bundle = resolve(folder, "child.mjs");
/** Runs all calls of the package as it is. */
const child = new Child(bundle);
beforeAll(() => bundleFuzz(folder), 60_000);
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
    const options = { seed: SEED, only: [target] };
    const report = await attack({ ...options, child: bundle, calls: 600, broken, patience, until: kind });
    expect(sorted(report).map((found) => found.kind)).toContain(kind);
    expectNothing(await attack({ ...options, child, calls: report.calls }));
  });

  test("a defect of every kind", () => {
    expect(new Set(Object.values(BROKEN).map(({ kind }) => kind))).toEqual(new Set(FAULTS));
  });
});

/** Draws by which a part has read all of its files. */
const COUNTS: { readonly [part: string]: number } = { events: 13 };

test.each(PARTS)("fuzz: the command line draws %s", (part) => {
  const count = COUNTS[part] ?? 2;
  const args = [join(folder, "main.mjs"), part, "--seed", "1", "--count", `${count}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(`${status} ${stderr}`).toBe("0 ");
  expect(stdout).toContain(`seed 1\n${part}:\n`);
  expect(stdout).toMatch(new RegExp(`^${count} `, "m"));
});

test("attack: a finding is cut down to what it needs and can be pasted", async () => {
  const options = { child: bundle, seed: SEED, calls: 600, only: ["pad"] };
  const report = await attack({ ...options, broken: "an argument that nobody checks", until: "raw" });
  const found = sorted(report).find(({ kind }) => kind === "raw");
  expect(found?.case.edits.length).toBe(1);
  expect(describeFound(found as NonNullable<typeof found>)).toMatch(
    /^raw: pad: TypeError: Cannot read properties of \w+ .*\n\n.*pad\(ones\(\[[\d, ]+\]\), \w+, .*\);\n/,
  );
});
