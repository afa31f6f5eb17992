/** A neuron step by step, in parts and at once: the same bits whatever the options, the shape and the start. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, stack, type Tensor, tape, tensor } from "../../engine/index.ts";
import { LIF, type LIFOptions, type LIFState } from "../../snn/index.ts";
import { bits } from "../support/tensors.ts";
import { holds, place, shapes, valuesFor } from "./support.ts";

const number = (min: number, max: number) => fc.float({ min, max, noNaN: true });

/** Quarters, of which many meet a threshold, and others. */
const currents = (n: number) => {
  const quarters = fc.integer({ min: -4, max: 8 }).map((x) => x / 4);
  return fc.array(fc.oneof(quarters, number(-1, 2)), { minLength: n, maxLength: n });
};

/** One value, or one a neuron. */
const perNeuron = (shape: readonly number[], min: number, max: number) => {
  const n = shape.length > 1 ? (shape[shape.length - 1] as number) : 1;
  return fc.oneof(number(min, max), fc.array(number(min, max), { minLength: n, maxLength: n }));
};

const tensorOf = (value: number | number[]): number | Tensor => (typeof value === "number" ? value : tensor(value));

const cases = shapes(1, 4, 5).chain((shape) =>
  fc.record({
    current: valuesFor(shape, currents),
    beta: perNeuron(shape, 0, 1),
    threshold: perNeuron(shape, 0.25, 1.5),
    plain: fc.boolean(),
    rare: fc.record({
      rest: number(-0.5, 0.5),
      inputScale: number(0.25, 2),
      refractorySteps: fc.integer({ min: 0, max: 3 }),
    }),
    options: fc.record({
      reset: fc.constantFrom("zero" as const, "subtract" as const, "none" as const),
      resetValue: number(-0.5, 0.5),
      resetDelay: fc.boolean(),
      fire: fc.constantFrom("ge" as const, "gt" as const),
    }),
    start: fc.option(valuesFor(shape.slice(1), currents)),
    cut: fc.integer({ min: 1, max: shape[0] as number }),
  }),
);

test("lif: steps, and a sequence in two parts, have the bits of the whole at once", () => {
  holds(cases, ({ current, beta, threshold, plain, rare, options, start, cut }) => {
    tape(() => {
      const { resetValue, ...others } = options;
      const value = options.reset === "zero" ? { resetValue } : {};
      const all: LIFOptions = { ...others, ...value, ...(plain ? {} : rare) };
      const lif = new LIF({ ...all, beta: tensorOf(beta), threshold: tensorOf(threshold) });
      const x = place(current);
      const initial = lif.initialState(current.shape.slice(1));
      const from: LIFState = start === null ? initial : { ...initial, v: place(start) };
      const whole = lif.unroll(x, from);

      let state = from;
      const steps = x.unbind(0).map((step) => {
        const [spikes, next] = lif.step(step, state);
        state = next;
        return spikes;
      });
      expect(bits(stack(steps))).toEqual(bits(whole.spikes));
      expect(bits(state.v)).toEqual(bits(whole.state.v));
      expect(bits(state.refractory)).toEqual(bits(whole.state.refractory));

      const first = lif.unroll(x.slice(0, 0, cut), from);
      const parts = cut < steps.length ? [first, lif.unroll(x.slice(0, cut), first.state)] : [first];
      for (const name of ["spikes", "membrane", "v"] as const) {
        expect(bits(concat(parts.map((part) => part[name])))).toEqual(bits(whole[name]));
      }
      if (start === null) expect(bits(lif.forward(x))).toEqual(bits(whole.spikes));
      lif.beta.dispose();
      lif.threshold.dispose();
    });
  });
});
