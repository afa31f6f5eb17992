/** Gradient clipping: norms of all orders, unchanged gradients, and errors. */
import { expect, test } from "vitest";
import { bytesKept, gradient } from "../../test/support/tensors.ts";
import { clipGradNorm, clipGradValue, mul, parameter, type Tensor, tape, tensor } from "../index.ts";

/** Parameters with these gradients. */
function withGradients(...gradients: number[][]): Tensor[] {
  return gradients.map((g) => {
    const p = parameter(tensor(g.map(() => 1)));
    tape(() => mul(p, tensor(g)).sum().backward());
    return p;
  });
}

test("clipGradNorm: one factor for all gradients; it returns the norm before", () => {
  const params = withGradients([3, 0, -4], [12]);
  expect(clipGradNorm(params, 6.5)).toBe(13);
  [[1.5, 0, -2], [6]].forEach((expected, i) => {
    gradient(params[i] as Tensor).forEach((g, j) => expect(g).toBeCloseTo(expected[j] as number, 5));
  });
  // PyTorch's factor is max / (norm + 10⁻⁶).
  const [p] = withGradients([1]) as [Tensor];
  clipGradNorm([p], 1);
  expect(gradient(p)).toEqual([Math.fround(1 / (1 + 1e-6))]);
});

test("clipGradNorm: smaller gradients keep their bits, and a max of Infinity only measures", () => {
  for (const max of [13.1, Infinity]) {
    const params = withGradients([3, 0, -4], [12]);
    expect(clipGradNorm(params, max)).toBe(13);
    expect(params.map(gradient)).toEqual([[3, 0, -4], [12]]);
  }
});

test("clipGradNorm: other norms", () => {
  for (const [normType, norm] of [
    [1, 19],
    [Infinity, 12],
    [3, Math.cbrt(27 + 64 + 1728)],
    [0.5, (Math.sqrt(3) + 2 + Math.sqrt(12)) ** 2],
  ] as const) {
    const params = withGradients([3, 0, -4], [12]);
    expect(clipGradNorm(params, 2, { normType })).toBeCloseTo(norm, 4);
    expect(gradient(params[1] as Tensor)[0]).toBeCloseTo(24 / norm, 5);
  }
});

test("clipGradNorm: parameters without a gradient do not count; one tensor and any iterable will do", () => {
  const unused = parameter(tensor([1]));
  const [p] = withGradients([3, 4]) as [Tensor];
  expect(clipGradNorm([unused], 1)).toBe(0);
  expect(clipGradNorm(new Set([unused, p]), 10)).toBe(5);
  expect(clipGradNorm(p, 2.5)).toBe(5);
  expect(gradient(p)[1]).toBeCloseTo(2, 5);
  function* both() {
    yield p;
    yield unused;
  }
  expect(clipGradNorm(both(), 100)).toBeCloseTo(2.5, 5);
});

test("clipGradNorm: NaN shows in every gradient, and an infinite one is not taken for a large one", () => {
  const params = withGradients([Number.NaN, 1], [2]);
  expect(clipGradNorm(params, 1)).toBe(Number.NaN);
  expect(params.map(gradient)).toEqual([[Number.NaN, Number.NaN], [Number.NaN]]);
  const infinite = withGradients([Infinity, 1], [2]);
  expect(clipGradNorm(infinite, 1, { normType: Infinity })).toBe(Infinity);
  expect(infinite.map(gradient)).toEqual([[Number.NaN, 0], [0]]);
});

test("clipGradValue: every element is clamped, NaN stays", () => {
  const params = withGradients([3, -0.5, -4, 0], [Number.NaN, 2]);
  clipGradValue(params, 2);
  expect(params.map(gradient)).toEqual([
    [2, -0.5, -2, 0],
    [Number.NaN, 2],
  ]);
  clipGradValue(params[0] as Tensor, 0);
  expect(gradient(params[0] as Tensor).map(Math.abs)).toEqual([0, 0, 0, 0]);
});

test("clipping: a gradient that a record reads must not change before backward", () => {
  for (const clip of [clipGradNorm, clipGradValue]) {
    const [p] = withGradients([3, 4]) as [Tensor];
    tape(() => {
      const loss = mul(p, p.grad as Tensor).sum();
      clip(p, 1);
      expect(() => loss.backward()).toThrow(/overwritten|written|changed/);
    });
  }
});

test("clipping: what is refused changes nothing, and nothing is left behind", () => {
  const params = withGradients([3, 4]);
  const kept = bytesKept(() => {
    for (const max of [-1, Number.NaN]) {
      expect(() => clipGradNorm(params, max)).toThrow(new RangeError(`clipGradNorm: max must be ≥ 0, got ${max}`));
      expect(() => clipGradValue(params, max)).toThrow(new RangeError(`clipGradValue: max must be ≥ 0, got ${max}`));
    }
    for (const normType of [0, -2, Number.NaN]) {
      expect(() => clipGradNorm(params, 1, { normType })).toThrow(
        new RangeError(`clipGradNorm: normType must be > 0, got ${normType}`),
      );
    }
    clipGradNorm(params, 100, { normType: 3 });
  });
  expect(kept).toBe(0);
  expect(params.map(gradient)).toEqual([[3, 4]]);
});

test("clip: what is not a tensor is a TypeError, such as the pairs of namedParameters()", () => {
  const [p] = withGradients([3]) as [Tensor];
  const named = [p, ["weight", p]] as Tensor[];
  expect(() => clipGradNorm(named, 1)).toThrow(/^clipGradNorm: expected a tensor, got /);
  expect(() => clipGradValue(named, 1)).toThrow(/^clipGradValue: expected a tensor, got /);
  expect(gradient(p)).toEqual([3]);
});

test("clip: bounds and parameters of other kinds are TypeErrors", () => {
  const [p] = withGradients([3]) as [Tensor];
  const wrong: [act: () => unknown, message: string][] = [
    [() => clipGradNorm(p, "1" as never), 'clipGradNorm: expected max as a number, got "1"'],
    [() => clipGradNorm(null as never, 1), "clipGradNorm: expected parameters, such as model.parameters(), got null"],
    [() => clipGradNorm("" as never, 1), 'clipGradNorm: expected parameters, such as model.parameters(), got ""'],
    [() => clipGradNorm(p, 1, { normType: "2" as never }), 'clipGradNorm: expected normType of type number, got "2"'],
    [() => clipGradValue([p], null as never), "clipGradValue: expected max as a number, got null"],
  ];
  for (const [act, message] of wrong) expect(act).toThrow(new TypeError(message));
  expect(gradient(p)).toEqual([3]);
});
