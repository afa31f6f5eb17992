/** Random surrogates: whatever their derivative is, −0 and negative factors included, all ways to a gradient give the same bits. */
import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import type { Derivative, DerivativeLanguage, Value } from "../../engine/fuse/index.ts";
import { type Tensor, tape } from "../../engine/index.ts";
import { AdaptiveLIF, LIF, neuron, spike, surrogate } from "../../snn/index.ts";
import { expectAsOnTensors, type Layer, type State } from "../support/layers.ts";
import { gradient } from "../support/tensors.ts";
import { holds, place, type Values, valuesFor } from "./support.ts";

type Curve = (x: Value, language: DerivativeLanguage) => Value;

const numbers = fc.constantFrom(-2, -1, -0.75, -0, 0, 0.5, 1, 3);

/** An operation on the value of a curve. */
const operations: Arbitrary<(y: Value, x: Value, language: DerivativeLanguage) => Value> = fc.oneof(
  fc
    .constantFrom("neg", "abs", "square", "relu", "sign", "floor", "sigmoid", "sin")
    .map((name) => (y: Value) => y[name as "neg"]()),
  fc.tuple(fc.constantFrom("add", "sub", "mul", "maximum", "minimum"), numbers).map(
    ([name, c]) =>
      (y: Value) =>
        y[name as "add"](c),
  ),
  fc.tuple(numbers, numbers).map(
    ([a, b]) =>
      (y: Value) =>
        y.clamp(Math.min(a, b), Math.max(a, b)),
  ),
  // Another value beyond a bound, or inside of it.
  fc.tuple(numbers, numbers, fc.boolean()).map(
    ([bound, c, isOutside]) =>
      (y: Value, x: Value, { where }: DerivativeLanguage) =>
        isOutside ? where(x.abs().gt(bound), c, y) : where(x.gt(bound), y, c),
  ),
);

const curves: Arbitrary<Curve> = fc
  .array(operations, { minLength: 1, maxLength: 5 })
  .map((list) => (x, language) => list.reduce((y, operation) => operation(y, x, language), x));

const surrogates = curves.map((derivative) => surrogate.custom({ derivative: derivative as Derivative }));

/** Quarters, of which many meet a bound, and both zeros. */
const quarters = (n: number) =>
  fc.array(
    fc.oneof(
      fc.integer({ min: -8, max: 8 }).map((x) => x / 4),
      fc.constantFrom(0, -0),
    ),
    { minLength: n, maxLength: n },
  );

const SHAPE = [4, 2, 3];

const cases = fc.record({
  made: surrogates,
  x: valuesFor(SHAPE, quarters),
  upstream: valuesFor(SHAPE, quarters),
  v: valuesFor(SHAPE.slice(1), quarters),
  a: valuesFor(SHAPE.slice(1), quarters),
});

const Passing = neuron({
  name: "Passing",
  state: { v: 0 },
  parameters: {},
  step: ({ current, v, spike }) => ({ spikes: spike(current), v }),
});

/** ∂L/∂x of spikes(x), for a leaf x or for the product of a leaf. */
function gradientOf(spikes: (x: Tensor) => Tensor, x: Values, upstream: Values, factor: number | null): number[] {
  return tape(() => {
    const leaf = place(x, true);
    spikes(factor === null ? leaf : leaf.mul(factor)).backward(place(upstream));
    return gradient(leaf);
  });
}

test("surrogates: the op `spike` and a compiled neuron give the same gradient, without −0", () => {
  holds(
    cases,
    ({ made, x, upstream }) => {
      const ways = [
        (x: Tensor) => spike(x, { threshold: 0, surrogate: made }),
        (x: Tensor) => new Passing({ surrogate: made }).forward(x),
      ];
      for (const factor of [null, 1, -1]) {
        const [onTensors, compiled] = ways.map((way) => gradientOf(way, x, upstream, factor));
        expect(compiled).toEqual(onTensors);
        expect(compiled?.some((d) => Object.is(d, -0))).toBe(false);
      }
    },
    60,
  );
});

const OPTIONS = [
  { reset: "zero" },
  { reset: "subtract", detachReset: false },
  { reset: "none", learnBeta: true, resetDelay: true },
] as const;

test("surrogates: compiled neurons have the bits of their steps on tensors, from states with gradients on", () => {
  holds(
    fc.record({ of: cases, option: fc.constantFrom(0, 1, 2), isAdaptive: fc.boolean() }),
    ({ of: { made, x, v, a }, option, isAdaptive }) => {
      const options = { surrogate: made, beta: 0.5, threshold: 1 };
      const layer = isAdaptive
        ? new AdaptiveLIF({ ...options, rho: 0.75 })
        : new LIF({ ...options, ...OPTIONS[option] });
      const start = layer.initialState(SHAPE.slice(1)) as unknown as Record<string, Tensor>;
      const given: State = { ...start, v: place(v, true), ...(isAdaptive ? { a: place(a, true) } : {}) };
      expectAsOnTensors(layer as unknown as Layer, place(x, true), given);
    },
    60,
  );
});
