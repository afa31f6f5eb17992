/** Checkpoints of version 0.1, which have no fixed decays and thresholds, and number the slots of the optimizer. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadSafetensors, readSafetensors } from "jarvis-snn";
import { resumeCheckpoint } from "jarvis-snn/node";
import { expect, test } from "vitest";
import { defaultGenerator } from "../engine/generator.ts";
import { makeOldRun } from "./support/old-run.ts";

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
