/** Scripts around the code: builds of what changed, steps side by side, the tests that are near to a change, packing. */
import { type ChildProcess, execSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askedFor, runRounds } from "../scripts/check.mjs";
import { MOST, nearest, textsOfTests } from "../scripts/check-quick.mjs";
import { root } from "../scripts/entries.mjs";
import { unlessFresh } from "../scripts/fresh.mjs";
import { planned } from "../scripts/new.mjs";
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
    { name: "test:good", command: say("a table", 0), isWide: true },
  ];
  expect(await runSteps(steps)).toBe(false);
  expect(said.join("\n")).toMatch(/^FAILED test:bad .*\nan error\n/m);
  expect(said.join("\n")).toMatch(/^ok {5}test:good /m);
  expect(said.at(-1)).toMatch(/^failed: test:bad;/);
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

test("check: takes names of steps, beside the first one, a number of rounds and whether there is load", () => {
  const asked = (...words: string[]) => {
    const { steps, rounds, isLoaded } = askedFor(words);
    return [steps.map(({ name }) => name).join(), rounds, isLoaded];
  };
  const [all] = asked();
  expect(all).toMatch(/^build,types,.*\btest:site\b.*\btest\b/);
  expect(asked("--repeat", "5", "--load", "test:package", "test:site")).toEqual([
    "build,test:site,test:package",
    5,
    true,
  ]);
  expect(asked("build", "docs", "--repeat=2")).toEqual(["build,docs", 2, false]);
  expect(asked("--load")).toEqual([all, 1, true]);
});

test.each([
  ["test:sit", /got test:sit; did you mean test:site\?$/],
  ["tset:debug docs", /got tset:debug; did you mean test:debug\?$/],
  ["--lod", /got --lod; did you mean --load\?$/],
  ["--load=3", /got --load=3/],
  ["everything", /^check: expected some of build, types, .*, --repeat, --load, --help, got everything$/],
  ["--repeat", /^check: expected a number of rounds after --repeat, got none$/],
  ["--repeat 0", /got 0$/],
  ["--repeat 1.5", /got 1\.5$/],
  ["--repeat test:site", /got test:site$/],
  ["-- docs", /got --$/],
])("check: refuses %s", (words, message) => {
  expect(() => askedFor(words.split(" "))).toThrow(message);
});

test("check: rounds end with the first that fails, and the load with them", async () => {
  const said: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void said.push(text));
  const marks = join(folder, "marks");
  const program = join(folder, "mark.cjs");
  writeFileSync(
    program,
    `const fs = require("fs"), file = ${JSON.stringify(marks)};
    fs.appendFileSync(file, "x");
    process.exitCode = fs.readFileSync(file, "utf8").length === 2 ? 1 : 0;`,
  );
  const steps = [{ name: "test:marks", command: `"${process.execPath}" "${program}"` }];
  // Programs that a test before has left may end meanwhile, so these are told by their start.
  const started: ChildProcess[] = [];
  const onStart = (message: unknown) => void started.push((message as { process: ChildProcess }).process);
  subscribe("child_process", onStart);
  const ended = runRounds({ steps, rounds: 3, isLoaded: true });
  unsubscribe("child_process", onStart);
  const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;
  expect(started.filter(isRunning)).toHaveLength(2 * availableParallelism() + 1);
  expect(await ended).toBe(false);
  expect(started.filter(isRunning)).toEqual([]);
  expect(readFileSync(marks, "utf8")).toBe("xx");
  expect(said.filter((line) => line.startsWith("round"))).toEqual(["round 1 of 3", "round 2 of 3"]);
  expect(await runRounds({ steps, rounds: 2, isLoaded: false })).toBe(true);
  expect(readFileSync(marks, "utf8")).toBe("xxxx");
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

test("nearest: the tests of a folder, those that import a changed table, and those of its name", () => {
  const texts = {
    "snn/coding/coding.test.ts": 'import { ROWS } from "../../test/support/encoders.ts";',
    "snn/coding/encoders.test.ts": "",
    "snn/coding/poisson.test.ts": "",
    "snn/neurons/neurons.test.ts": "burstEncode burstDecode",
    "test/names.test.ts": 'import { ROWS } from "./support/encoders.ts";',
  };
  expect(nearest(["snn/coding/phase.ts"], texts)[0]).toBe("snn/coding/coding.test.ts");
  expect(nearest(["test/support/encoders.ts"], texts)).toEqual([
    "snn/coding/encoders.test.ts",
    "snn/coding/coding.test.ts",
    "test/names.test.ts",
  ]);
});

test.each([
  ["neuron", "Placed", ["snn/neurons/neurons.test.ts"]],
  ["encoder", "placed", ["snn/coding/coding.test.ts", "snn/coding/encoders.test.ts"]],
  ["op", "placed", ["engine/ops/ops.test.ts", "engine/fuse/fuse.test.ts"]],
  ["surrogate", "placed", ["snn/surrogates/surrogate.test.ts"]],
])("check:quick takes the tests that read the rows of a new %s", (kind, name, wanted) => {
  const read = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined);
  const { files } = planned([kind, name], read);
  const changed = [...files.keys()].filter((path) => existsSync(join(root, path)));
  expect(nearest(changed, textsOfTests()).slice(0, MOST)).toEqual(expect.arrayContaining(wanted));
});

test("package.json: npm has an answer for every dependency with a script of installation", () => {
  const json = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const lock = json("package-lock.json") as { packages: Record<string, { hasInstallScript?: boolean }> };
  const { allowScripts } = json("package.json") as { allowScripts: Record<string, boolean> };
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(names.sort()).toEqual(Object.keys(allowScripts).sort());
});

test("prepack: files of an older package are gone, and what is in build/ stays", () => {
  const at = (path: string) => join(folder, path);
  for (const path of ["dist", "build/site"]) {
    mkdirSync(at(path), { recursive: true });
    writeFileSync(at(`${path}/old.js`), "");
  }
  cpSync(join(root, "package.json"), at("package.json"));
  const { scripts } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { scripts: { prepack: string } };
  const steps = scripts.prepack.split(" && ");
  const builders = ["npm run types", "npm run build", "npm run declarations"];
  for (const step of steps.filter((each) => !builders.includes(each))) execSync(step, { cwd: folder });
  expect(steps).toEqual(expect.arrayContaining(builders));
  expect([existsSync(at("dist")), existsSync(at("build/site/old.js"))]).toEqual([false, true]);
});
