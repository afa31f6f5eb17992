import {
  AdEx,
  adExPattern,
  adExPatterns,
  Izhikevich,
  izhikevichPattern,
  izhikevichPatterns,
  noGrad,
  type Tensor,
} from "jarvis-snn";
import { expect, test } from "vitest";
import { adExFamily, izhikevichFamily, LEVELS, levelsOf, type Response, shapes, titleOf } from "./model.ts";

const [izhikevich, adEx] = [izhikevichFamily(), adExFamily()];

/** Membrane and spikes of one neuron alone. */
const alone = (out: { spikes: Tensor; membrane: Tensor }): Omit<Response, "current"> => ({
  membrane: out.membrane.toFloat32Array(),
  spikes: [...out.spikes.toFloat32Array()].flatMap((s, t) => (s === 1 ? [t] : [])),
});

const own = new Map([
  ...izhikevich.run(null).map((response, i) => [`izhikevich ${izhikevichPatterns[i]}`, response] as const),
  ...adEx.run(null).map((response, i) => [`adEx ${adExPatterns[i]}`, response] as const),
]);

test.each(izhikevichPatterns)("zoo: %s among the twenty is what the package's pattern is alone, bit by bit", (name) => {
  const { options, current, state } = izhikevichPattern(name);
  const { membrane, spikes } = noGrad(() => alone(new Izhikevich(options).unroll(current, state)));
  const found = own.get(`izhikevich ${name}`) as Response;
  expect(found.spikes.length).toBeGreaterThan(0);
  expect(found.spikes).toEqual(spikes);
  expect(found.membrane).toEqual(membrane);
  expect(found.current).toEqual(current.toFloat32Array());
});

test.each(adExPatterns)("zoo: %s among the eight is what the package's pattern is alone, bit by bit", (name) => {
  const { options, current } = adExPattern(name);
  const { membrane, spikes } = noGrad(() => alone(new AdEx(options).unroll(current)));
  const found = own.get(`adEx ${name}`) as Response;
  expect(found.spikes.length).toBeGreaterThan(0);
  expect(found.spikes).toEqual(spikes);
  expect(found.membrane).toEqual(membrane);
});

test("zoo: a drawn current reaches each pattern in its own window and its own unit", () => {
  const levels = levelsOf("Step");
  for (const family of [izhikevich, adEx]) {
    for (const [i, { current }] of family.run(levels).entries()) {
      const { rest, span, own } = family.patterns[i] as (typeof family.patterns)[number];
      expect(current.length).toBe(own.length);
      expect(current[0]).toBeCloseTo(rest, 5);
      expect(current[Math.floor(own.length / 2)]).toBeCloseTo(rest + span, 4);
      expect(Math.max(...own.map((value) => Math.abs(value - rest)))).toBeCloseTo(span, 4);
    }
  }
});

test("zoo: membranes stay numbers under the strongest currents that can be drawn", () => {
  const ends = [-1, 1].map((level) => new Float32Array(LEVELS).fill(level));
  const zigzag = Float32Array.from({ length: LEVELS }, (_, i) => (i % 20 < 10 ? 1 : -1));
  for (const levels of [...ends, zigzag, ...shapes.map(levelsOf)]) {
    for (const family of [izhikevich, adEx]) {
      for (const { membrane } of family.run(levels)) expect(membrane.every(Number.isFinite)).toBe(true);
    }
  }
});

test("zoo: names are written as words", () => {
  const titles = izhikevich.patterns.map(titleOf);
  expect(titles.slice(0, 2)).toEqual(["Tonic spiking", "Phasic spiking"]);
  expect(titles).toContain("Class 1 excitability");
  expect(titles).toContain("Inhibition-induced spiking");
});

test("zoo: other constants change the pattern that they belong to alone, and the old ones bring its bits back", () => {
  const family = izhikevichFamily();
  const before = family.run(null);
  const { a, b } = (family.patterns[1] as (typeof family.patterns)[number]).numbers as { a: number; b: number };
  family.move(1, a, 0.3);
  expect(family.patterns[1]?.numbers).toMatchObject({ a, b: 0.3 });
  const moved = family.run(null);
  expect(moved[1]?.membrane).not.toEqual(before[1]?.membrane);
  expect(moved.filter((_, i) => i !== 1)).toEqual(before.filter((_, i) => i !== 1));
  family.move(1, a, b);
  expect(family.run(null)).toEqual(before);
});
