/** Scripts around the code: builds of what changed, steps side by side, the tests that are near to a change. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nearest } from "../scripts/check-quick.mjs";
import { root } from "../scripts/entries.mjs";
import { unlessFresh } from "../scripts/fresh.mjs";
import { runSteps } from "../scripts/steps.mjs";

let folder = "";
beforeEach(() => {
  mkdirSync(join(root, "build"), { recursive: true });
  folder = mkdtempSync(join(root, "build/check-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

/** A product of the sources in the folder, which counts how often it is made. */
function product() {
  const at = (name: string) => relative(root, join(folder, name));
  const make = vi.fn(() => writeFileSync(join(folder, "out.js"), ""));
  mkdirSync(join(folder, "sources"));
  writeFileSync(join(folder, "sources/a.ts"), "1");
  return { name: "x", stamp: at("stamp"), inputs: [at("sources")], outputs: [at("out.js")], make };
}

test("unlessFresh: makes again where a source is new, changed or gone, or an output is; tests are no sources", async () => {
  const made = product();
  const times = async () => {
    await unlessFresh(made);
    return made.make.mock.calls.length;
  };
  expect([await times(), await times()]).toEqual([1, 1]);
  writeFileSync(join(folder, "sources/b.ts"), "2");
  expect([await times(), await times()]).toEqual([2, 2]);
  writeFileSync(join(folder, "sources/b.ts"), "3");
  expect(await times()).toBe(3);
  rmSync(join(folder, "sources/b.ts"));
  expect(await times()).toBe(4);
  rmSync(join(folder, "out.js"));
  expect(await times()).toBe(5);
  writeFileSync(join(folder, "sources/a.test.ts"), "4");
  expect(await times()).toBe(5);
});

test("unlessFresh: a build that fails is begun again", async () => {
  const made = product();
  made.make.mockImplementationOnce(() => {
    throw new Error("no");
  });
  await expect(unlessFresh(made)).rejects.toThrow("no");
  await unlessFresh(made);
  expect(made.make).toHaveBeenCalledTimes(2);
});

test("runSteps: all run, and the output of those that fail is shown and kept", async () => {
  const said: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void said.push(text));
  const say = (text: string, code: number) => `node -e "console.log('${text}'); process.exit(${code})"`;
  const steps = [
    { name: "test:bad", command: say("an error", 3) },
    { name: "test:good", command: say("a table", 0), isAlone: true },
  ];
  expect(await runSteps(steps)).toBe(false);
  expect(said.join("\n")).toMatch(/FAILED test:bad .*\nan error\n[\s\S]*ok {5}test:good[\s\S]*failed: test:bad/);
  expect(said).not.toContain("a table\n");
  const kept = ["bad", "good"].map((name) => readFileSync(join(root, `build/check/test-${name}.log`), "utf8").trim());
  expect(kept).toEqual(["an error", "a table"]);
  expect(await runSteps([{ name: "test:good", command: say("      Tests  3 passed (3)", 0) }])).toBe(true);
  expect(said).toContain("      Tests  3 passed (3)");
});

test("runSteps: none begins after a first one that fails", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  const touch = (name: string) => `node -e "fs.writeFileSync('${relative(root, join(folder, name))}', '')"`;
  const steps = (command: string) => [
    { name: "test:first", command, isFirst: true },
    { name: "test:next", command: touch("next") },
  ];
  expect(await runSteps(steps("node -e process.exit(1)"))).toBe(false);
  expect(existsSync(join(folder, "next"))).toBe(false);
  expect(await runSteps(steps(touch("first")))).toBe(true);
  expect(existsSync(join(folder, "next"))).toBe(true);
});

test("nearest: changed tests, those beside, those that share rare names, those of the folder", () => {
  const texts = {
    "snn/neurons/alpha-more.test.ts": "",
    "snn/neurons/other.test.ts": "",
    "snn/probes/a.test.ts": "new Alpha()",
    "snn/probes/b.test.ts": "new Beta()",
    "snn/probes/c.test.ts": "",
    "test/documents.test.ts": "",
    "test/size.test.ts": "../scripts/size.mjs",
  };
  const near = (...files: string[]) => nearest(files, texts);
  expect(near("snn/neurons/alpha.ts")).toEqual([
    "snn/neurons/alpha-more.test.ts",
    "snn/probes/a.test.ts",
    "snn/neurons/other.test.ts",
  ]);
  expect(near("snn/probes/c.test.ts", "snn/neurons/alpha.ts")[0]).toBe("snn/probes/c.test.ts");
  expect(near("scripts/size.mjs")).toEqual(["test/size.test.ts"]);
  expect(near("docs/coding.md")).toEqual(["test/documents.test.ts"]);
  expect(near("package-lock.json")).toEqual([]);
});
