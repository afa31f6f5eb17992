import { expect, test } from "vitest";
import { BETA, run, STEPS, THRESHOLD, verdict } from "./model.ts";

test("first spike: the run is the recursion of the lesson", () => {
  const currents = Float32Array.from({ length: STEPS }, (_, t) => (t < 40 ? 0.2 : 0.35));
  const { membrane, spikes } = run(currents);
  let v = 0;
  for (let t = 0; t < STEPS; t++) {
    const u = Math.fround(Math.fround(Math.fround(BETA) * v) + (currents[t] as number));
    expect(membrane[t]).toBeCloseTo(u, 5);
    expect(spikes[t]).toBe(u >= THRESHOLD ? 1 : 0);
    v = u >= THRESHOLD ? 0 : u;
  }
});

test.each([
  [0.2, "A spike every 7 steps."],
  [0.5, "A spike every 3 steps."],
  [0.6, "A spike every 2 steps."],
  [1, "A spike in every step."],
  [0.05, "No spike: the membrane settles at I / (1 − β) = 0.50, and the threshold is 1."],
])("first spike: at the current %f the neuron is said to do: %s", (current, sentence) => {
  expect(verdict(current)).toBe(sentence);
});
