import { expect, test } from "vitest";
import { type Setting, settingOf } from "../equation/address.ts";
import { parse } from "../equation/language.ts";
import { TypedNeuron } from "../equation/model.ts";
import { adExText, hashOf, izhikevichText } from "./equations.ts";
import { adExFamily, izhikevichFamily, levelsOf, type Pattern, type Response } from "./model.ts";

/** Steps with a spike of the neuron that a link opens. */
function spikesOf(pattern: Pattern, response: Response, textOf: (pattern: Pattern) => string): number[] {
  const { text, current } = settingOf(hashOf(pattern, response, textOf)) as Setting;
  const neuron = new TypedNeuron(parse(text));
  const { spikes } = neuron.run(current);
  neuron.dispose();
  return [...(spikes as Float32Array)].flatMap((s, t) => (s === 1 ? [t] : []));
}

const [izhikevich, adEx] = [izhikevichFamily(), adExFamily()];
const own = izhikevich.run(null);
const others = adEx.run(null);

test.each(izhikevich.patterns.map((pattern, i) => [pattern.name, i] as const))(
  "zoo: the equations that %s opens fire as it does",
  (_, i) => {
    const [pattern, response] = [izhikevich.patterns[i] as Pattern, own[i] as Response];
    const found = spikesOf(pattern, response, izhikevichText);
    expect(found.length).toBe(response.spikes.length);
    // A rising current has coarser steps in the link.
    for (const [k, t] of response.spikes.entries()) expect(Math.abs((found[k] as number) - t)).toBeLessThan(12);
  },
);

test.each(adEx.patterns.map((pattern, i) => [pattern.name, i] as const))(
  "zoo: the equations that %s of AdEx opens begin to fire when it does",
  (_, i) => {
    const [pattern, response] = [adEx.patterns[i] as Pattern, others[i] as Response];
    const found = spikesOf(pattern, response, adExText);
    expect(found.length).toBeGreaterThan(0);
    // The steps of the link are two and a half times as long.
    expect(Math.abs(2.5 * (found[0] as number) - (response.spikes[0] as number))).toBeLessThan(25);
  },
);

test("zoo: a link holds the current that is drawn", () => {
  const [first] = izhikevich.run(levelsOf("Ramp")) as [Response];
  const pattern = izhikevich.patterns[0] as Pattern;
  const { current } = settingOf(hashOf(pattern, first, izhikevichText)) as Setting;
  expect(current.length).toBe(first.current.length);
  for (const [t, value] of current.entries()) {
    expect(Math.abs(value - (first.current[t] as number))).toBeLessThanOrEqual(pattern.span / 100);
  }
});
