/** Checkpoints of earlier versions. Those of version 0.1 have no fixed decays and thresholds, and number the slots of the optimizer. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as main from "jarvis-snn";
import { loadSafetensors, Module, manualSeed, Optimizer, Rule, readSafetensors } from "jarvis-snn";
import * as audio from "jarvis-snn/audio";
import * as events from "jarvis-snn/events";
import * as extend from "jarvis-snn/extend";
import * as nir from "jarvis-snn/nir";
import { resumeCheckpoint } from "jarvis-snn/node";
import * as plot from "jarvis-snn/plot";
import * as quantize from "jarvis-snn/quantize";
import { describe, expect, test } from "vitest";
import { defaultGenerator } from "../engine/generator.ts";
import after from "./fixtures/checkpoints/v0.2/after.json" with { type: "json" };
import { makeOldRun } from "./support/old-run.ts";
import { classesOf, makeSavedRun, names } from "./support/saved/runs.ts";

const at = (name: string) => fileURLToPath(new URL(`./fixtures/checkpoints/${name}.safetensors`, import.meta.url));
const FIXED = [
  "lif.beta",
  "lif.threshold",
  "learned.threshold",
  "recurrent.beta",
  "recurrent.threshold",
  "readout.beta",
];

test("version 0.1: a checkpoint loads and goes on to the bits that version 0.1 goes on to", () => {
  const run = makeOldRun(99);
  expect(resumeCheckpoint(at("v0.1"), run)).toEqual({ epoch: 3 });
  run.train(2);
  const { arrays, metadata } = readSafetensors(readFileSync(at("v0.1-after")));
  const state = run.model.stateDict();
  const saved = Object.keys(arrays).filter((name) => name.startsWith("model."));
  expect(saved.map((name) => name.slice(6))).toEqual(Object.keys(state).filter((name) => !FIXED.includes(name)));
  for (const name of saved) expect(state[name.slice(6)], name).toEqual({ ...arrays[name], dtype: undefined });
  const { slots, steps, options } = run.optimizer.stateDict();
  const before = JSON.parse(metadata.optimizer as string);
  expect({ steps, options }).toEqual({ steps: before.steps, options: before.options });
  for (const [i, each] of slots.entries()) {
    expect(Object.keys(each).length).toBe(3);
    for (const [slot, data] of Object.entries(each)) expect(data).toEqual(arrays[`optimizer.slots.${i}.${slot}`]?.data);
  }
  expect(run.scheduler.stateDict()).toEqual(JSON.parse(metadata.scheduler as string));
  expect(run.generator.getState()).toEqual(JSON.parse(metadata.generator as string));
  expect(defaultGenerator.getState()).toEqual(JSON.parse(metadata.defaultGenerator as string));
});

test("version 0.1: the state of a model loads strictly; fixed values are those of the model, as the report says", () => {
  const { model } = makeOldRun(99);
  const { tensors } = loadSafetensors(readFileSync(at("v0.1")));
  const own = Object.entries(tensors).filter(([name]) => name.startsWith("model."));
  const state = Object.fromEntries(own.map(([name, t]) => [name.slice(6), t]));
  expect(model.loadStateDict(state)).toEqual({
    missingKeys: [],
    missingBuffers: FIXED,
    unexpectedKeys: [],
    adjustedKeys: [],
  });
  expect(model.lif.beta.item()).toBe(Math.fround(0.85));
  for (const t of Object.values(tensors)) t.dispose();
});

describe.each(Object.entries(after))("version 0.2: %s", (name, hashes: Record<string, string>) => {
  test("a checkpoint loads and goes on to the pinned bits, whatever the run begins with", () => {
    manualSeed(50);
    const run = makeSavedRun(name, 51);
    expect(resumeCheckpoint(at(`v0.2/${name}`), run)).toEqual({ epoch: run.epoch });
    run.goOn();
    expect(run.hashes()).toEqual(hashes);
  });
});

test("version 0.2: each run has a file and hashes, and the files are small", () => {
  const files = readdirSync(fileURLToPath(new URL("./fixtures/checkpoints/v0.2", import.meta.url)));
  expect(files.sort()).toEqual([...names.map((name) => `${name}.safetensors`), "after.json"].sort());
  expect(Object.keys(after)).toEqual(names);
  expect(names.reduce((sum, name) => sum + readFileSync(at(`v0.2/${name}`)).length, 0)).toBeLessThan(300e3);
});

test("version 0.2: all layers, rules, optimizers and schedules of the package have a checkpoint", () => {
  const saved = new Set(names.flatMap((name) => classesOf(makeSavedRun(name, 1))));
  const isBase = (value: unknown) => value === Module || value === Optimizer || value === Rule;
  const missing = Object.entries({ ...main, ...audio, ...events, ...extend, ...nir, ...plot, ...quantize })
    .filter(([, value]) => hasState(value) && !isBase(value) && !saved.has(value))
    .map(([name]) => name);
  expect(missing).toEqual([]);
});

/** Whether a value is a class with a state to save, or a rule, whose connections have a state. */
function hasState(value: unknown): boolean {
  const prototype: unknown = typeof value === "function" ? value.prototype : undefined;
  return prototype instanceof Object && ("stateDict" in prototype || prototype instanceof Rule);
}
