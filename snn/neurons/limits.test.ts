/** Neurons at their limits: currents and options with which an equation nearly leaves float32. */
import {
  AdEx,
  Alpha,
  full,
  KLIF,
  Lapicque,
  ResonateAndFire,
  Synaptic,
  surrogate,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { DIVISORS, neuronClass } from "../../test/support/neuron-rows.ts";
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

test("limits: neurons with divisors are known by their bounds", () => {
  expect(Object.fromEntries(DIVISORS)).toMatchObject({ Lapicque: ["R", "C", "timeStep"], KLIF: ["k", "threshold"] });
});

describe.each(DIVISORS)("%s", (name, parameters) => {
  const Class = neuronClass(name);

  test.each(parameters)("a step does not divide by a %s that is not positive", (key) => {
    for (const value of [0, -1, Infinity]) {
      expect(() => new Class({ [key]: value })).toThrow(`${name}: ${key} must be in [1e-30, 1e+30], got ${value}`);
    }
    const layer = new Class({ [key]: -1, learn: [key] });
    expect(values(layer.forward(full([3, 2], 0))).every(Number.isFinite)).toBe(true);
    expect(layer.parameters()[0]?.item()).toBe(-1);
  });
});

test("resonate and fire: a rhythm of its own makes it fire, a faster one does not", () => {
  const omega = (2 * Math.PI) / 20;
  const layer = new ResonateAndFire({ omega, beta: 0.97 });
  const every = (period: number): Tensor => tensor(Array.from({ length: 200 }, (_, t) => (t % period === 0 ? 0.6 : 0)));
  const count = (x: Tensor): number => layer.forward(x).sum().item();
  expect(count(every(20))).toBeGreaterThan(1);
  expect(count(every(10))).toBe(0);
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
