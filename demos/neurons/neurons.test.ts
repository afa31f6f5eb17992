import { Generator } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { mainOf } from "../../test/support/layers.ts";
import { NEURON_NAMES, neuronClass } from "../../test/support/neuron-rows.ts";
import { SPECIMENS } from "./catalogue.ts";
import { measure } from "./measure.ts";

describe("demo: neurons", () => {
  test("the sheet has each neuron that fires", () => {
    const made = Object.entries(SPECIMENS).map(([title]) => title.match(/^\w+/)?.[0]);
    const firing = NEURON_NAMES.filter((name) => mainOf(new (neuronClass(name))()) === "spikes");
    expect(firing.filter((name) => !made.includes(name))).toEqual([]);
  });

  test.each(Object.entries(SPECIMENS))("%s fires during the step, and faster at a larger current", (_, specimen) => {
    const { membrane, spikes, count, curve, rheobase } = measure(specimen, 0, new Generator(0));
    expect(membrane.toFloat32Array().every(Number.isFinite)).toBe(true);
    expect(count).toBeGreaterThanOrEqual(2);
    const T = spikes.shape[0] as number;
    expect(
      spikes
        .toFloat32Array()
        .subarray(0, Math.round(0.1 * T))
        .every((s) => s === 0),
    ).toBe(true);
    expect(rheobase).toBeGreaterThan(0);
    expect(rheobase).toBeLessThan(specimen.most);
    const { rates } = curve;
    expect(rates[0]).toBe(0);
    expect(rates.at(-1) as number).toBeGreaterThanOrEqual(rates[Math.floor(rates.length / 2)] as number);
  });

  test("noise comes from its generator", () => {
    const specimen = SPECIMENS.LIF as (typeof SPECIMENS)[string];
    const run = (seed: number) => measure(specimen, 0.5, new Generator(seed)).membrane.toFloat32Array();
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
});
