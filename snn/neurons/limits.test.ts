/** Neurons at their limits: currents and options with which an equation nearly leaves float32. */
import * as snn from "jarvis-snn";
import { AdEx, Alpha, full, KLIF, Lapicque, Synaptic, surrogate, tape, tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept, gradient, leaf, values } from "../../test/support/tensors.ts";

test("adex: a sharp upstroke under a strong current leaves values and gradients finite", () => {
  const options = { deltaT: 0.5, surrogate: surrogate.sigmoid({ slope: 0.2 }) };
  for (const layer of [new AdEx(options), new AdEx({ ...options, learn: ["C", "deltaT", "VT", "b"] })]) {
    const current = leaf([2000, 1], 1, { low: 2000, high: 2000 });
    tape(() => {
      const { spikes, membrane, w } = layer.unroll(current);
      expect(spikes.sum().item()).toBeGreaterThan(5);
      expect([...values(membrane), ...values(w)].every(Number.isFinite)).toBe(true);
      spikes.sum().backward();
    });
    expect(gradient(current).every(Number.isFinite)).toBe(true);
    expect(gradient(current).some((g) => g !== 0)).toBe(true);
    for (const t of layer.parameters()) expect(gradient(t).every(Number.isFinite)).toBe(true);
  }
  expect(values(new AdEx({ deltaT: 0.5 }).forward(full([10, 1], 1e9))).every(Number.isFinite)).toBe(true);
});

const POSITIVE = {
  Lapicque: ["R", "C", "timeStep"],
  AdEx: ["C", "deltaT", "tauW", "dt"],
  ConductanceLIF: ["capacitance"],
  QuadraticIF: ["tau"],
  ExponentialIF: ["tau", "sharpness"],
  KLIF: ["k", "threshold"],
} as const;

describe.each(Object.entries(POSITIVE))("%s", (name, parameters) => {
  const Class = snn[name as keyof typeof POSITIVE] as unknown as new (options: object) => snn.LIF;

  test.each(parameters)("a step does not divide by a %s that is not positive", (key) => {
    for (const value of [0, -1, Infinity]) {
      expect(() => new Class({ [key]: value })).toThrow(`${name}: ${key} must be in [1e-30, 1e+30], got ${value}`);
    }
    const layer = new Class({ [key]: -1, learn: [key] });
    expect(values(layer.unroll(full([3, 2], 0)).spikes).every(Number.isFinite)).toBe(true);
    expect(layer.parameters()[0]?.item()).toBe(-1);
  });
});

test("klif and synaptic: they start from rest", () => {
  for (const Class of [KLIF, Synaptic]) {
    const layer = new Class({ rest: 0.25 });
    expect(values(layer.initialState([2]).v)).toEqual([0.25, 0.25]);
    expect(values(layer.unroll(full([3, 1], 0)).membrane)).toEqual([0.25, 0.25, 0.25]);
  }
});

test("lapicque and alpha: constructors leave no tensors behind but parameters", () => {
  const keep = (make: () => Lapicque): number =>
    bytesKept(() => {
      const { R, C, timeStep, threshold, resetValue } = make();
      for (const t of [R, C, timeStep, threshold, resetValue]) t.dispose();
    });
  const beta = tensor([0.5, 0.9]);
  keep(() => new Lapicque());
  expect(keep(() => new Lapicque({ beta: 0.5 }))).toBe(0);
  const R = tensor(2);
  expect(keep(() => new Lapicque({ beta, R }))).toBe(0);
  expect(keep(() => new Lapicque({ beta, C: 3 }))).toBe(0);
  const fails = (make: () => unknown, message: string): number => bytesKept(() => expect(make).toThrow(message));
  expect(fails(() => new Lapicque({ beta, threshold: Infinity }), "threshold")).toBe(0);
  expect(fails(() => new Alpha({ alpha: 0.5, beta: 0.6, gradedSpikesFactor: 2 }), "0 < beta < alpha")).toBe(0);
});
