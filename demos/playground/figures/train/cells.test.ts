/** Every spiking neuron of the package learns in Train, with connections within its layers and without. */
import * as snn from "jarvis-snn";
import { expect, test } from "vitest";
import type { Cells } from "../../model/cell-traits.ts";
import { anyCells } from "../../model/cells.ts";
import { type TrainConfig, trainFields } from "../../model/train-fields.ts";
import { defaults } from "../../state/fields.ts";
import { Session } from "./session.ts";

const base = defaults(trainFields);

const learned = (config: Partial<TrainConfig>, steps: number): Session => {
  const session = new Session({ ...base, ...config }, null, null, anyCells);
  while (session.steps < steps) session.step();
  return session;
};

/** Layers that are no neurons with an equation of one step. */
const OTHERS = ["PSN", "SpikingLSTM"];

/** Names of the package whose instances, made without options, have spikes. */
function spiking(): string[] {
  return Object.entries(snn).flatMap(([name, made]) => {
    if (typeof made !== "function" || !/^[A-Z]/.test(name) || OTHERS.includes(name)) return [];
    try {
      const layer = new (made as new () => { unroll?(current: snn.Tensor): object })();
      return layer.unroll !== undefined && "spikes" in layer.unroll(snn.zeros([1, 1, 1])) ? [name] : [];
    } catch {
      return [];
    }
  });
}

test("cells: the figure offers every neuron of the package that spikes", () => {
  expect([...trainFields.cells.of].sort()).toEqual(spiking().sort());
});

test.each(trainFields.cells.of)("cells: %s learns the moons, and gives back its memory", (cells: Cells) => {
  for (const links of trainFields.links.of) {
    const { live } = snn.memoryStats();
    const session = learned({ cells, links }, 150);
    expect(session.frame(0, true).detail?.accuracy, links).toBeGreaterThan(0.9);
    session.recall(0);
    expect(session.frame(0, true).detail?.accuracy, links).toBeLessThan(0.9);
    session.dispose();
    expect(snn.memoryStats().live, links).toBe(live);
  }
});

test.each([{ links: "recurrent" }, { cells: "ParametricLIF" }, { cells: "KLIF", links: "recurrent" }] as const)(
  "cells: what is saved is loaded again, %j",
  (config) => {
    const session = learned(config, 10);
    const { hash } = session.frame(0, true).detail as { hash: string };
    const loaded = new Session({ ...base, ...config }, null, session.save(), anyCells);
    expect(loaded.frame(0, true).detail?.hash).toBe(hash);
    loaded.dispose();
    session.dispose();
  },
);

test("cells: a silenced neuron does not reach its own layer, and its weights stay", () => {
  const session = learned({ links: "recurrent", layers: [12] }, 60);
  const before = session.frame(0, true);
  const [layer] = before.sample.layers;
  if (layer === undefined) throw new Error("no layer");
  const { size, spikes } = layer;
  // The one that fires most.
  const sums = Array.from({ length: size }, (_, n) => spikes.reduce((sum, s, i) => sum + (i % size === n ? s : 0), 0));
  const neuron = sums.indexOf(Math.max(...sums));
  session.silence([{ layer: 0, neuron }]);
  const after = session.frame(0, true);
  const others = (frame: typeof after) => frame.sample.layers[0]?.spikes.filter((_, i) => i % size !== neuron);
  expect(after.sample.layers[0]?.spikes.filter((_, i) => i % size === neuron).every((s) => s === 0)).toBe(true);
  expect(others(after)).not.toEqual(others(before));
  expect(after.detail?.hash).toBe(before.detail?.hash);
  session.silence([]);
  expect(session.frame(0).sample.layers[0]?.spikes).toEqual(spikes);
  session.dispose();
});
