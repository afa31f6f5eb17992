import { memoryStats } from "jarvis-snn";
import { expect, test } from "vitest";
import { defaults } from "../state/fields.ts";
import { currentOf, DURATION, type NeuronConfig, neuronFields, rateCurve, respond } from "./neuron.ts";

const base: NeuronConfig = { ...defaults(neuronFields), refractory: 0 };

/** The equations in float64. */
function textbook(config: NeuronConfig, current: ArrayLike<number>): { spikes: number[]; membrane: number[] } {
  const beta = Math.exp(-1 / config.tau);
  const fade = Math.exp(-1 / config.tauAdaptation);
  let [v, a, held] = [0, 0, 0];
  const spikes: number[] = [];
  const membrane: number[] = [];
  for (const input of Array.from(current)) {
    const resting = held > 0;
    const u = resting ? v : beta * v + (1 - beta) * (input - a);
    const s = !resting && u >= config.threshold ? 1 : 0;
    v = s === 0 ? u : config.reset === "zero" ? 0 : config.reset === "subtract" ? u - config.threshold : u;
    held = s === 1 ? config.refractory : Math.max(0, held - 1);
    a = fade * a + config.adaptation * s;
    spikes.push(s);
    membrane.push(u);
  }
  return { spikes, membrane };
}

const variants: Partial<NeuronConfig>[] = [
  {},
  { reset: "subtract", refractory: 3 },
  { reset: "none", current: 1.2 },
  { adaptation: 0.3, current: 3 },
  { adaptation: 0.1, refractory: 2, reset: "subtract", input: "step", current: 4 },
  { input: "noise", seed: 3 },
  { input: "pulses", lift: 0.6 },
];

test.each(variants)("neuron: %o follows its equations", (variant) => {
  const config = { ...base, ...variant };
  const current = currentOf(config);
  const { spikes, membrane } = respond(config, current, 1);
  const expected = textbook(config, current);
  expect([...spikes]).toEqual(expected.spikes);
  for (const [t, u] of membrane.entries()) expect(u).toBeCloseTo(expected.membrane[t] as number, 4);
  expect(spikes.some((spike) => spike === 1)).toBe(true);
});

test("neuron: a pulse lifts the potential by what it says", () => {
  const config: NeuronConfig = { ...base, input: "pulses", pulses: [10], lift: 0.45 };
  const { membrane } = respond(config, currentOf(config), 1);
  expect(membrane[9]).toBe(0);
  expect(membrane[10]).toBeCloseTo(0.45, 5);
  expect(membrane.length).toBe(DURATION);
});

test("neuron: the f–I curve begins at the threshold, rises, and adaptation flattens it", () => {
  const { currents, rates } = rateCurve(base);
  for (const [i, current] of currents.entries()) {
    if (current < base.threshold) expect(rates[i]).toBe(0);
    if (i > 0) expect(rates[i]).toBeGreaterThanOrEqual(rates[i - 1] as number);
  }
  expect(rates.at(-1)).toBeGreaterThan(100);
  const adapted = rateCurve({ ...base, adaptation: 0.5 });
  expect(adapted.rates.at(-1)).toBeLessThan((rates.at(-1) as number) / 2);
});

test("neuron: turning a knob leaves no memory behind", () => {
  rateCurve({ ...base, adaptation: 0.2 });
  const { live } = memoryStats();
  for (let i = 0; i < 5; i++) {
    rateCurve({ ...base, adaptation: 0.2 });
    respond(base, currentOf(base), 1);
  }
  expect(memoryStats().live).toBe(live);
});
