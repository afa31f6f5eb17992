/** A surrogate's derivative is that of the smooth step it claims to be the derivative of. */
import { expect, test } from "vitest";
import { k } from "../engine/backend.ts";
import { onTensors } from "../engine/fuse/index.ts";
import { withReference } from "../engine/gradcheck.ts";
import { full, Generator, type Tensor, tape, zeros } from "../engine/index.ts";
import { SURROGATES } from "../kernels/reference/kinds.ts";
import { leaf } from "../test/support/tensors.ts";
import { LIF, RecurrentLIF, type Surrogate, spike, surrogate } from "./index.ts";

const SMOOTH: Surrogate[] = [
  surrogate.sigmoid(),
  surrogate.sigmoid({ slope: 1.5 }),
  surrogate.fastSigmoid(),
  surrogate.fastSigmoid({ slope: 2 }),
  surrogate.atan(),
  surrogate.atan({ alpha: 5 }),
  surrogate.erf(),
  surrogate.erf({ alpha: 0.7 }),
  surrogate.gaussian(),
  surrogate.gaussian({ sigma: 0.2 }),
  surrogate.triangular(),
  surrogate.triangular({ width: 0.3 }),
  surrogate.boxcar(),
  surrogate.boxcar({ width: 2 }),
  surrogate.superSpike({ alpha: 3 }),
  surrogate.straightThrough(),
  surrogate.custom({
    derivative: (x) => x.tanh().square().neg().add(1).mul(0.5),
    primitive: (x) => x.tanh().add(1).mul(0.5),
  }),
];

/** −1.475 … 1.475; zero, where the fast sigmoid has a kink in its derivative, is not among them. */
const POINTS = Array.from({ length: 60 }, (_, i) => (i - 29.5) / 20);

/** surrogate′ at one point, by the kernel that backward uses or by the function of a custom one. */
function derivativeAt({ kind, slope, derivative }: Surrogate, at: number): number {
  const x = full([1], at);
  if (kind < 0) return (derivative(x, onTensors) as Tensor).item();
  const d = zeros([1]);
  k.surrogate(d.ptr, x.ptr, zeros([1]).ptr, 0, 1, kind, slope);
  return d.item();
}

for (const smooth of SMOOTH) {
  test(`surrogate: ${smooth.name} with slope ${smooth.slope} is the derivative of its primitive`, () => {
    withReference(() => {
      const primitive = smooth.primitive as NonNullable<Surrogate["primitive"]>;
      const step = (at: number) => (primitive(full([1], at), onTensors) as Tensor).item();
      const eps = 1e-5;
      for (const at of POINTS) {
        const numeric = (step(at + eps) - step(at - eps)) / (2 * eps);
        // Central differences in float64: ε²·f‴/6 with f‴ up to slope³/8, and rounding of 10⁻¹⁶/ε.
        expect(Math.abs(derivativeAt(smooth, at) - numeric)).toBeLessThan(1e-7 * Math.max(1, smooth.slope));
      }
    });
  });
}

test("surrogate: there is a function for every kind that the kernels know", () => {
  const { custom: _, ...known } = surrogate;
  const kinds = new Set(Object.values(known).map((make) => make().kind));
  expect([...kinds].sort()).toEqual(Object.values(SURROGATES));
});

test("surrogate: primitives rise through the threshold, derivatives are even and nowhere larger", () => {
  for (const smooth of SMOOTH) {
    withReference(() => {
      for (const at of POINTS.filter((x) => x > 0)) {
        const d = derivativeAt(smooth, at);
        expect(d).toBeCloseTo(derivativeAt(smooth, -at), 12);
        expect(d).toBeLessThanOrEqual(derivativeAt(smooth, 0));
        expect(d).toBeGreaterThanOrEqual(0);
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
