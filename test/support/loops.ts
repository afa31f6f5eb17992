/** Neurons against loops in float64 that were written from their papers. */

import { expect } from "vitest";
import { rand, type Tensor } from "../../engine/index.ts";
import { values } from "./tensors.ts";

const [T, N] = [60, 40];

/** States of one neuron after each step of a loop, spikes among them. */
export type Loop = (current: readonly number[]) => Readonly<Record<string, readonly number[]>>;

interface Neuron {
  unroll(current: Tensor): object;
}

/** Compares all that the loop gives: spikes exactly, states to 1e-5 of the largest. */
export function compare(layer: Neuron, loop: Loop, scale: number, seedShift = 0): void {
  const current = rand([T, N])
    .sub(0.3 + seedShift)
    .mul(scale);
  const input = values(current);
  const record = layer.unroll(current) as Readonly<Record<string, Tensor>>;
  const columns = Array.from({ length: N }, (_, n) =>
    loop(Array.from({ length: T }, (_, t) => input[t * N + n] as number)),
  );
  const names = Object.keys(columns[0] as object);
  if (record.spikes !== undefined) {
    const spikes = values(record.spikes);
    const rate = spikes.reduce((sum, s) => sum + s, 0) / spikes.length;
    expect(rate).toBeGreaterThan(0.01);
    expect(rate).toBeLessThan(0.9);
  }
  for (const name of names) {
    const found = values(record[name] as Tensor);
    const expected = found.map((_, i) => columns[i % N]?.[name]?.[Math.floor(i / N)] as number);
    if (name === "spikes") expect(found).toEqual(expected);
    const most = Math.max(...expected.map(Math.abs));
    const off = Math.max(...found.map((x, i) => Math.abs(x - (expected[i] as number))));
    expect(off / most, name).toBeLessThan(1e-5);
  }
}

/** The loop over a step that returns the next states, of which each is recorded. */
export function over(
  start: Readonly<Record<string, number>>,
  step: (state: Record<string, number>, I: number) => void,
): Loop {
  return (current) => {
    const state: Record<string, number> = { ...start };
    const all: Record<string, number[]> = {};
    for (const I of current) {
      step(state, I);
      for (const [name, value] of Object.entries(state)) all[name] = [...(all[name] ?? []), value];
    }
    return all;
  };
}
