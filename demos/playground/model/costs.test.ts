import { expect, test } from "vitest";
import { defaults } from "../state/fields.ts";
import { costsOf, nanojoules } from "./costs.ts";
import { trainFields } from "./train-fields.ts";

const config = { ...defaults(trainFields), timesteps: 10, layers: [4, 3] };
const sizes = [5, 4, 3, 2];
/** 6 spikes enter, 7 leave the first layer, 8 the second. */
const events = [6, 7, 8];
/** 5 and 4 of them before the last step. */
const fed = [5, 4];

test("costs: a spike adds a weight a connection, a potential decays in every step, a reset subtracts", () => {
  const { spikes, onePass, everyStep } = costsOf(config, sizes, events, fed);
  expect(spikes).toEqual({ additions: 6 * 4 + 7 * 3 + 8 * 2 + (7 + 8), multiplications: 10 * (4 + 3 + 2) });
  const products = 5 * 4 + 4 * 3 + 3 * 2;
  expect(onePass).toEqual({ additions: products, multiplications: products });
  expect(everyStep).toEqual({ additions: 10 * products + 15, multiplications: 10 * products + 90 });
});

test("costs: currents are products, and rates go through the readout once", () => {
  const { spikes, everyStep } = costsOf(
    { ...config, encode: "constant", readout: "rate", reset: "zero" },
    sizes,
    events,
    fed,
  );
  expect(spikes).toEqual({ additions: 6 * 4 + 7 * 3 + 8 + 6, multiplications: 6 * 4 + 10 * 7 + 3 + 6 });
  expect(everyStep).toEqual({ additions: 10 * 32 + 10 * 3 + 6, multiplications: 10 * 32 + 10 * 7 + 3 + 6 });
});

test("costs: connections within layers carry each spike but those of the last step, and an equation has its own work", () => {
  const leaky = costsOf(config, sizes, events, fed);
  const recurrent = costsOf({ ...config, links: "recurrent" }, sizes, events, fed);
  expect(recurrent.spikes.additions - leaky.spikes.additions).toBe(5 * 4 + 4 * 3);
  expect(recurrent.everyStep.additions - leaky.everyStep.additions).toBe(9 * (4 * 4 + 3 * 3));
  expect(recurrent.onePass).toEqual(leaky.onePass);
  // i ← α·i, u = β·v + i: a product and a sum more in each step of each neuron.
  const synaptic = costsOf({ ...config, cells: "Synaptic" }, sizes, events, fed);
  expect(synaptic.spikes.multiplications - leaky.spikes.multiplications).toBe(10 * 7);
  expect(synaptic.spikes.additions - leaky.spikes.additions).toBe(10 * 7);
  // Without a reset by subtraction.
  const resonant = costsOf({ ...config, cells: "ResonateAndFire" }, sizes, events, fed);
  expect(resonant.spikes.additions - leaky.spikes.additions).toBe(10 * 2 * 7 - 15);
});

test("costs: a product and a sum of 32-bit floats take 4.6 pJ at 45 nm", () => {
  expect(nanojoules({ additions: 1000, multiplications: 1000 })).toBeCloseTo(4.6, 10);
});
