import { expect, test } from "vitest";
import { defaults } from "../state/fields.ts";
import { costsOf, nanojoules } from "./costs.ts";
import { trainFields } from "./train-fields.ts";

const config = { ...defaults(trainFields), timesteps: 10, layers: [4, 3] };
const sizes = [5, 4, 3, 2];
/** 6 spikes enter, 7 leave the first layer, 8 the second. */
const events = [6, 7, 8];

test("costs: a spike adds a weight a connection, a potential decays in every step, a reset subtracts", () => {
  const { spikes, onePass, everyStep } = costsOf(config, sizes, events);
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
  );
  expect(spikes).toEqual({ additions: 6 * 4 + 7 * 3 + 8 + 6, multiplications: 6 * 4 + 10 * 7 + 3 + 6 });
  expect(everyStep).toEqual({ additions: 10 * 32 + 10 * 3 + 6, multiplications: 10 * 32 + 10 * 7 + 3 + 6 });
});

test("costs: a product and a sum of 32-bit floats take 4.6 pJ at 45 nm", () => {
  expect(nanojoules({ additions: 1000, multiplications: 1000 })).toBeCloseTo(4.6, 10);
});
