import { expect, test } from "vitest";
import { DURATION, rateCurve, respond } from "./model.ts";

const setting = { current: 1.5, tau: 20, threshold: 1 };

test("one neuron: the rate of the curve is the rate of the run, and near the formula", () => {
  const { spikes } = respond(setting);
  const run = (1000 * spikes.reduce((sum, spike) => sum + spike, 0)) / DURATION;
  const { currents, rates } = rateCurve(setting);
  const at = rates[currents.indexOf(1.5)] as number;
  expect(Math.abs(at - run)).toBeLessThanOrEqual(5);
  // A spike waits for the end of its step, which is at most a millisecond late.
  const formula = 1000 / (20 * Math.log(1.5 / 0.5));
  expect(at).toBeLessThanOrEqual(formula);
  expect(1000 / at - 1000 / formula).toBeLessThanOrEqual(1.05);
});

test("one neuron: the curve begins at the threshold, wherever that is", () => {
  for (const threshold of [0.5, 1, 1.7]) {
    const { currents, rates } = rateCurve({ ...setting, threshold });
    const first = currents[rates.findIndex((rate) => rate > 0)] as number;
    expect(first).toBeGreaterThan(threshold);
    expect(first).toBeLessThan(threshold + 0.1);
  }
});

test("one neuron: without a spike the membrane climbs to the current, with the time constant", () => {
  const { membrane, spikes } = respond({ current: 0.9, tau: 20, threshold: 1 });
  expect(spikes).not.toContain(1);
  expect(membrane[19]).toBeCloseTo(0.9 * (1 - Math.exp(-1)), 5);
});
