import { describe, expect, test } from "vitest";
import { Linear, Plastic, STDP, type Tensor, tensor } from "../../../index.ts";
import { values } from "../../../test/support/tensors.ts";

/** Weights of one postsynaptic neuron after these steps of pre- and postsynaptic spikes. */
function weights(
  rule: InstanceType<typeof STDP>,
  start: readonly number[],
  steps: readonly (readonly [pre: readonly number[], post: number])[],
  bounds: readonly [number, number] = [0, 1],
): number[] {
  const layer = new Linear(start.length, 1, { bias: false });
  layer.weight.copyFrom([...start]);
  const plastic = new Plastic(layer, rule, { bounds });
  let state = plastic.initialState(1);
  for (const [pre, post] of steps) state = plastic.step(row(pre), row([post]), state);
  return values(layer.weight);
}

const row = (spikes: readonly number[]): Tensor => tensor([[...spikes]]);

/** A presynaptic spike, and in the next step a postsynaptic one. */
const CAUSAL = [
  [[1, 1, 1], 0],
  [[0, 0, 0], 1],
] as const;
/** The reverse order. */
const ANTICAUSAL = [
  [[0, 0, 0], 1],
  [[1, 1, 1], 0],
] as const;

const near = (got: readonly number[], expected: readonly number[]) =>
  got.forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i] as number, 6);
  });

describe("stdp", () => {
  const trace = Math.exp(-1 / 20);

  test("a spike before and then one behind strengthen a synapse, the other way round they weaken it", () => {
    const rule = () => new STDP({ aPlus: 0.1, aMinus: 0.2 });
    near(weights(rule(), [0.2, 0.5, 0.9], CAUSAL), [0.2 + 0.1 * trace, 0.5 + 0.1 * trace, 0.9 + 0.1 * trace]);
    near(weights(rule(), [0.2, 0.5, 0.9], ANTICAUSAL), [0.2 - 0.2 * trace, 0.5 - 0.2 * trace, 0.9 - 0.2 * trace]);
  });

  test.each([
    ["multiplicative", (room: number) => room],
    ["power", (room: number) => room ** 0.5],
    ["step", (room: number) => (room > 0 ? 1 : 0)],
  ] as const)("%s: changes depend on the room up to the bound", (dependence, f) => {
    const mu = dependence === "power" ? { muPlus: 0.5, muMinus: 0.5 } : {};
    const rule = () => new STDP({ aPlus: 0.1, aMinus: 0.1, dependence, ...mu });
    const start = [0, 0.4, 1];
    const clamp = (w: number) => Math.min(1, Math.max(0, w));
    near(
      weights(rule(), start, CAUSAL),
      start.map((w) => clamp(w + 0.1 * trace * f(1 - w))),
    );
    near(
      weights(rule(), start, ANTICAUSAL),
      start.map((w) => clamp(w - 0.1 * trace * f(w))),
    );
  });

  test("power: the exponent 0 gives the same change everywhere, at the bounds too", () => {
    const start = [0, 0.4, 1];
    const both = [[[1, 1, 1], 1]] as const;
    const rule = (mu: object) => new STDP({ aPlus: 0.1, aMinus: 0.3, order: "after", ...mu });
    const power = weights(rule({ dependence: "power", muPlus: 0, muMinus: 0 }), start, both);
    expect(power).toEqual(weights(rule({}), start, both));
    near(power, [0, 0.2, 0.8]);
  });

  test("weights beyond the bounds are put into these behind the changes of the next step, changed or not", () => {
    const steps = [
      [[0, 1, 0], 1],
      [[0, 0, 0], 0],
    ] as const;
    const rule = new STDP({ aPlus: 0, aMinus: 0.5, order: "after" });
    // 1.4 − 0.5 is within the bounds.
    near(weights(rule, [-0.5, 1.4, 1.2], steps), [0, 0.9, 1]);
  });

  test("multiplicative: normalized weights beyond a bound are not strengthened, and come back to it in the next step", () => {
    const layer = new Linear(2, 1, { bias: false });
    layer.weight.copyFrom([0.5, 0.25]);
    const plastic = new Plastic(layer, new STDP({ dependence: "multiplicative" }), {
      bounds: [0, 1],
      normalize: { sum: 2.25, every: Infinity },
    });
    plastic.normalize();
    near(values(layer.weight), [1.5, 0.75]);
    plastic.step(row([0, 0]), row([0]), plastic.initialState(1));
    near(values(layer.weight), [1, 0.75]);
  });

  test("normalize gives the weights of each neuron behind the same sum of magnitudes, or one of its own", () => {
    const layer = new Linear(2, 3, { bias: false });
    const start = [0.5, -0.25, 0, 0, 0.1, 0.1];
    const normalized = (normalize: number | Tensor): number[] => {
      layer.weight.copyFrom(start);
      new Plastic(layer, new STDP(), { normalize: { sum: normalize, every: Infinity } }).normalize();
      return values(layer.weight);
    };
    near(normalized(3), [2, -1, 0, 0, 1.5, 1.5]);
    near(normalized(tensor([3, 2, 1])), [2, -1, 0, 0, 0.5, 0.5]);
    expect(() => normalized(tensor([1, 2]))).toThrow("Plastic: expected normalize as a number or [3], got [2]");
    expect(() => normalized(tensor([1, 0, 1]))).toThrow("Plastic: normalize.sum must be positive in float32, got 0");
    expect(() => normalized("much" as never)).toThrow(TypeError);
  });

  test("dependences with bounds need these, and an exponent has an effect with power alone", () => {
    const layer = new Linear(2, 1);
    for (const dependence of ["step", "multiplicative", "power"] as const) {
      expect(() => new Plastic(layer, new STDP({ dependence }))).toThrow(
        "Plastic: expected bounds [low, high], which STDP reads, got [-Infinity, Infinity]",
      );
    }
    expect(() => new STDP({ muPlus: 2 })).toThrow(/STDP.*muPlus/);
    expect(() => new STDP({ tauPlus: 0 })).toThrow("STDP: tauPlus must be finite and > 0, got 0");
  });
});
