/** Neurons at their limits: currents and options with which an equation nearly leaves float32. */
import { AdEx, full, surrogate, tape } from "jarvis-snn";
import { expect, test } from "vitest";
import { gradient, leaf, values } from "../../test/support/tensors.ts";

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
