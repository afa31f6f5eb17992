/** The derivative of each surrogate equals the derivative of its smooth step. */
import { describe, expect, test } from "vitest";
import { rare } from "../../engine/extend.ts";
import { tensorLanguage } from "../../engine/fuse/index.ts";
import { withReference } from "../../engine/gradcheck.ts";
import { full, Generator, type Tensor, tape, tensor, zeros } from "../../engine/index.ts";
import { SURROGATES } from "../../kernels/reference/kinds.ts";
import { expectSame, stepOf } from "../../test/support/fused.ts";
import { SURROGATE_EXAMPLES, SURROGATE_LIST } from "../../test/support/surrogates.ts";
import { gradient, leaf } from "../../test/support/tensors.ts";
import { LIF, RecurrentLIF, type Surrogate, spike, surrogate } from "../index.ts";
import { frozenSurrogate } from "./surrogate.ts";

/** −1.475 … 1.475; zero, where the fast sigmoid has a kink in its derivative, is not among them. */
const POINTS = Array.from({ length: 60 }, (_, i) => (i - 29.5) / 20);

const FAR = [0, -0, 1e-6, -1e-6, 3, -3, 50, -50, 1e3, -1e3, 9999.5, -9999.5, 1e4, -1e4];

/** surrogate′ at one point, by the kernel that backward uses or by the function of a custom one. */
function derivativeAt({ kind, slope, derivative }: Surrogate, at: number): number {
  const x = full([1], at);
  if (kind < 0) {
    const d = derivative(x, tensorLanguage);
    return typeof d === "number" ? d : (d as Tensor).item();
  }
  const d = zeros([1]);
  rare().surrogate(d.ptr, x.ptr, zeros([1]).ptr, 0, 1, kind, slope);
  return d.item();
}

describe.each(SURROGATE_EXAMPLES)("surrogate: %s", (_, __, smooth) => {
  const primitive = smooth.primitive as NonNullable<Surrogate["primitive"]>;

  test("is the derivative of its primitive", () => {
    withReference(() => {
      const step = (at: number) => (primitive(full([1], at), tensorLanguage) as Tensor).item();
      const eps = 1e-5;
      for (const at of POINTS) {
        const numeric = (step(at + eps) - step(at - eps)) / (2 * eps);
        // Central differences in float64: ε²·f‴/6 with f‴ up to slope³/8, and rounding of 10⁻¹⁶/ε.
        const error = Math.abs(derivativeAt(smooth, at) - numeric);
        expect(error, `at ${at}`).toBeLessThan(1e-7 * Math.max(1, smooth.slope));
      }
    });
  });

  test("is the gradient that a tape finds for its primitive", () => {
    withReference(() => {
      const points = [...POINTS, -9999.3, 9999.3];
      const x = tensor(points, { requiresGrad: true });
      (primitive(x, tensorLanguage) as Tensor).sum().backward();
      points.forEach((at, i) => {
        // Kernels, and steps with their bits, use log₂ e as float32 in their exponents.
        const error = Math.abs((x.grad?.data[i] as number) - derivativeAt(smooth, at));
        expect(error, `at ${at}`).toBeLessThan(1e-7 * Math.max(1, smooth.slope));
      });
    });
  });

  test("is finite up to 10⁴ from the threshold, and so is its primitive", () => {
    const x = tensor(FAR, { requiresGrad: true });
    tape(() => {
      const values = primitive(x, tensorLanguage) as Tensor;
      expect(Array.from(values.data).every(Number.isFinite)).toBe(true);
      values.sum().backward();
    });
    tape(() => spike(x, { surrogate: smooth, threshold: 0 }).sum().backward());
    expect(gradient(x).every(Number.isFinite)).toBe(true);
  });

  test("compiled steps have the bits of tensors, hard and smooth, and so has the gradient of spike", () => {
    const input = Float32Array.from([...POINTS, ...FAR, ...FAR.slice(0, 1)]);
    const n = input.length;
    const setting = { T: 1, rows: 1, n, inputs: { x: input }, states: {}, parameters: {}, stateWeights: {} };
    const definition = { name: "step", inputs: ["x"], states: [], parameters: {} } as const;
    const hard = stepOf({
      ...definition,
      packed: ["z"],
      step: (argument) => ({ z: argument.spike(argument.x, smooth.derivative) }),
    });
    const soft = stepOf({
      ...definition,
      exact: true,
      step: (argument) => ({ z: primitive(argument.x, argument) }),
    });
    const weights = { z: new Float32Array(n).fill(1) };
    const { dInputs } = expectSame(hard, { ...setting, weights });
    expectSame(soft, { ...setting, weights });
    const x = tensor(input, { requiresGrad: true });
    tape(() => spike(x, { surrogate: smooth, threshold: 0 }).sum().backward());
    expect(gradient(x)).toEqual(Array.from(dInputs.x as Float32Array));
  });
});

test("surrogate: there is a function for every kind that the kernels know", () => {
  const kinds = new Set(SURROGATE_LIST.map(([, { make }]) => make(1).kind));
  expect(kinds).toEqual(new Set([-1, ...Object.values(SURROGATES)]));
});

test("surrogate: an option out of range, of another name or another type is an error that names the surrogate", () => {
  for (const [name, { examples }] of SURROGATE_LIST) {
    if (name === "custom" || name === "scaled") continue;
    const make = surrogate[name] as (options: object) => Surrogate;
    expect(examples[0]?.name, name).toBe(name);
    if (name === "straightThrough") continue;
    expect(() => make({ odd: 1 }), name).toThrow(TypeError);
    const [option = ""] = /(?<=options )\w+/.exec(messageOf(() => make({ odd: 1 }))) ?? [];
    for (const value of [Number.NaN, Infinity, 1e300]) {
      expect(() => make({ [option]: value }), name).toThrow(
        expect.objectContaining({
          name: "RangeError",
          message: expect.stringMatching(`^surrogate.${name}: ${option} `),
        }),
      );
    }
    expect(() => make({ [option]: "1" }), name).toThrow(TypeError);
  }
  expect(() => surrogate.scaled(surrogate.atan(), Number.NaN)).toThrow(RangeError);
  expect(() => surrogate.scaled({ ...surrogate.atan() }, 1)).toThrow(TypeError);
});

test("surrogate: a kind that no kernel knows is an error, and never a gradient of 0", () => {
  const unknown = frozenSurrogate({ ...surrogate.atan(), kind: 99 });
  const runs: ((x: Tensor) => Tensor)[] = [
    (x) => spike(x, { surrogate: unknown }),
    (x) => new LIF({ surrogate: unknown }).forward(x),
    (x) => new LIF({ surrogate: unknown, reset: "subtract" }).forward(x),
  ];
  for (const run of runs) {
    expect(() =>
      tape(() =>
        run(leaf([4, 2, 3], 1))
          .sum()
          .backward(),
      ),
    ).toThrow(WebAssembly.RuntimeError);
  }
  withReference(() => {
    const x = full([3], 0.5, { requiresGrad: true });
    expect(() => spike(x, { surrogate: unknown }).sum().backward()).toThrow(/expected one of the kinds/);
  });
  // A compiled step uses the derivative directly.
  const gradientOf = (smooth: Surrogate) => {
    const x = leaf([4, 2, 3], 1);
    tape(() => new LIF({ surrogate: smooth, learnBeta: true }).forward(x).sum().backward());
    return gradient(x);
  };
  expect(gradientOf(unknown)).toEqual(gradientOf(surrogate.atan()));
  // A user-made object is not a surrogate.
  for (const forged of [{ ...surrogate.atan() }, { ...unknown }]) {
    expect(() => new LIF({ surrogate: forged })).toThrow(TypeError);
    expect(() => spike(full([1], 1), { surrogate: forged })).toThrow(TypeError);
  }
});

const messageOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

test("surrogate: primitives of kernels rise through the threshold, derivatives are even and nowhere larger", () => {
  for (const [title, , smooth] of SURROGATE_EXAMPLES) {
    if (smooth.kind < 0) continue;
    withReference(() => {
      for (const at of POINTS.filter((x) => x > 0)) {
        const d = derivativeAt(smooth, at);
        expect(d, title).toBeCloseTo(derivativeAt(smooth, -at), 12);
        expect(d, title).toBeLessThanOrEqual(derivativeAt(smooth, 0));
        expect(d, title).toBeGreaterThanOrEqual(0);
      }
    });
  }
});

test("surrogate: defaults are those of the papers", () => {
  const { sigmoid, fastSigmoid, atan, erf, gaussian, triangular, boxcar, superSpike } = surrogate;
  expect(
    [sigmoid(), fastSigmoid(), atan(), erf(), triangular(), boxcar(), superSpike()].map(({ slope }) => slope),
  ).toEqual([10, 25, 2, 2, 1, 1, 100]);
  expect(gaussian().slope).toBeCloseTo(Math.SQRT2, 12);
});

test("surrogate: a custom derivative that is that of a built-in one has its gradients, everywhere", () => {
  const byHand = surrogate.custom({
    derivative: (x, { constant }) => constant(1).div(x.mul(Math.PI).square().add(1)),
    primitive: (x) =>
      x
        .mul(Math.PI)
        .atan()
        .mul(1 / Math.PI)
        .add(0.5),
  });
  const gradients = (smooth: Surrogate): number[][] => {
    const x = leaf([4, 2, 3], 1);
    const first = new LIF({ surrogate: smooth, threshold: 0.3, learnBeta: true });
    const plain = new LIF({ surrogate: smooth });
    const second = new RecurrentLIF({ features: 3, surrogate: smooth, generator: new Generator(1) });
    tape(() => {
      const record = first.unroll(x.mul(1));
      const spikes = plain.forward(record.spikes.add(record.membrane));
      spike(second.forward(spikes), { surrogate: smooth }).sum().backward();
    });
    return [x, first.beta, ...second.parameters()].map((t) => Array.from((t.grad as Tensor).toFloat32Array()));
  };
  const expected = gradients(surrogate.atan());
  gradients(byHand).forEach((list, i) => {
    list.forEach((value, j) => void expect(value).toBeCloseTo(expected[i]?.[j] as number, 5));
  });
});

test("surrogate: kernels compute the smallest and the largest slopes with all digits", () => {
  const heights: [make: (slope: number) => Surrogate, height: (slope: number) => number][] = [
    [(slope) => surrogate.sigmoid({ slope }), (k) => k / 4],
    [(slope) => surrogate.fastSigmoid({ slope }), () => 1],
    [(alpha) => surrogate.superSpike({ alpha }), () => 1],
    [(alpha) => surrogate.atan({ alpha }), (a) => a / 2],
    [(alpha) => surrogate.erf({ alpha }), (a) => a / Math.sqrt(Math.PI)],
    [(sigma) => surrogate.gaussian({ sigma }), (s) => 1 / (s * Math.sqrt(2 * Math.PI))],
    [(width) => surrogate.triangular({ width }), (w) => 1 / w],
    [(width) => surrogate.boxcar({ width }), (w) => 1 / w],
  ];
  for (const [make, height] of heights) {
    for (const slope of [1e-18, 1e18]) {
      const s = make(slope);
      expect(derivativeAt(s, 0) / height(slope), s.name).toBeCloseTo(1, 5);
      for (const x of [1e-38, 1e-19, 1, 1e19, 1e38, Infinity]) {
        const found = derivativeAt(s, x);
        expect(found, s.name).toBeGreaterThanOrEqual(0);
        expect(found, s.name).toBeLessThanOrEqual(derivativeAt(s, 0));
      }
    }
  }
});
