/** The entry without the compiler: the files that it loads, and its names. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as complete from "jarvis-snn";
import * as core from "jarvis-snn/core";
import { expect, test } from "vitest";
import { COMPILED, root } from "../scripts/entries.mjs";
import { Neurons } from "../snn/neuron/neuron.ts";
import { KERNEL_EXAMPLES } from "./support/surrogates.ts";

/** Imports, static or not, and exports of other files, but of types. */
const IMPORT = /^(?:import|export) (?!type\b)(?:[^"';]*? from )?"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"/gm;

/** The files that a file imports when it runs. */
function importsOf(file: string): string[] {
  const found = [...readFileSync(file, "utf8").matchAll(IMPORT)];
  return found.map(([, name, dynamic]) => join(dirname(file), (name ?? dynamic) as string));
}

/** The files that run with an entry, as paths from the root on. */
function filesFrom(entry: string): string[] {
  const files = new Set([join(root, entry)]);
  for (const file of files) for (const imported of importsOf(file)) files.add(imported);
  return [...files].map((file) => relative(root, file).replaceAll("\\", "/"));
}

/** Files of steps that emit no code: slots, and the step on tensors, which `gradcheck` needs. */
const INTERPRETER = /^engine\/fuse\/(in-reference|tensors|evaluation)\.ts$/;

const isCompiler = (file: string): boolean =>
  COMPILED.test(file) || (file.startsWith("engine/fuse/") && !INTERPRETER.test(file));

test("core: no file that it reaches has code of the compiler", () => {
  const files = filesFrom("core.ts");
  expect(files).toContain("snn/neurons/lif.ts");
  expect(files).toContain("engine/fuse/in-reference.ts");
  expect(files.filter(isCompiler)).toEqual([]);
});

test.each(["index.ts", "snn/index.ts", "snn/nir/index.ts", "snn/quantize/index.ts"])(
  "core: %s brings the compiler",
  (entry) => {
    expect(filesFrom(entry)).toContain("snn/neuron/compiled.ts");
  },
);

test.each(["engine/index.ts", "snn/audio/index.ts", "snn/events/index.ts", "snn/plot/index.ts"])(
  "core: %s does not bring the compiler",
  (entry) => {
    expect(filesFrom(entry).filter(isCompiler)).toEqual([]);
  },
);

/** Names of the complete entry whose classes have this base. */
const classesOf = (Base: abstract new (...args: never[]) => unknown): string[] =>
  Object.entries(complete)
    .filter(([, made]) => typeof made === "function" && made.prototype instanceof Base)
    .map(([name]) => name);

/** Names of the complete entry that need the compiler. */
const COMPILED_NAMES = {
  neurons: classesOf(Neurons).filter((name) => name !== "LIF" && name !== "LeakyIntegrator"),
  makers: ["neuron", "adExPattern", "adExPatterns", "izhikevichPattern", "izhikevichPatterns"],
  layers: ["Recurrent", "RecurrentLIF", "SpikingLSTM", "PSN"],
  rules: ["plasticity", "Plastic", "PlasticLayer", "Rule", ...classesOf(complete.Rule)],
  learners: ["EProp", "OTTT", "SLTT"],
  others: ["fromPython"],
};

test("core: it has all names of the complete entry but those that need the compiler", () => {
  const compiled = Object.values(COMPILED_NAMES).flat();
  expect(Object.keys(complete)).toEqual(expect.arrayContaining(compiled));
  expect(Object.keys(core).sort()).toEqual(
    Object.keys(complete)
      .filter((name) => !compiled.includes(name))
      .sort(),
  );
});

test("core: its values are those of the complete entry", () => {
  const { surrogate, ...others } = core;
  for (const [name, value] of Object.entries(others)) expect(value, name).toBe(complete[name as keyof typeof complete]);
  const known = [...new Set(KERNEL_EXAMPLES.map(([, name]) => name))].sort();
  expect(Object.keys(surrogate).sort()).toEqual(known);
  for (const name of known) {
    expect(surrogate[name as keyof typeof surrogate]).toBe(complete.surrogate[name]);
  }
});
