/** Ends, zeros and infinities of elementwise functions: values and gradients as in PyTorch 2.6. */
import { expect, test } from "vitest";
import { bits, gradient, values } from "../../test/support/tensors.ts";
import {
  atan,
  atan2,
  clamp,
  elu,
  erf,
  floor,
  gelu,
  hardtanh,
  leakyRelu,
  log,
  log1p,
  logSigmoid,
  maskedFill,
  maximum,
  pow,
  reciprocal,
  relu,
  round,
  rsqrt,
  sign,
  silu,
  softplus,
  sqrt,
  square,
  type Tensor,
  tape,
  tensor,
  where,
} from "../index.ts";

/** Values, and the gradient of their sum. */
function outcome(run: (x: Tensor) => Tensor, x: readonly number[]): { z: number[]; dx: number[] } {
  const leaf = tensor(x, { requiresGrad: true });
  const z = tape(() => {
    const z = run(leaf);
    z.sum().backward();
    return z;
  });
  return { z: values(z), dx: gradient(leaf) };
}

const { fround } = Math;

test("clamp passes the gradient at its ends, hardtanh does not", () => {
  const x = [-2, -1, 0, 1, 2, NaN];
  const ends = outcome((t) => clamp(t, -1, 1), x);
  expect(ends.z).toEqual([-1, -1, 0, 1, 1, NaN]);
  expect(ends.dx).toEqual([0, 1, 1, 1, 0, 0]);
  const inside = outcome((t) => hardtanh(t), x);
  expect(inside.z).toEqual(ends.z);
  expect(inside.dx).toEqual([0, 0, 1, 0, 0, 1]);
  // The bounds are float32, like x.
  expect(outcome((t) => clamp(t, -0.1, 0.1), [-0.1, 0.1]).dx).toEqual([1, 1]);
  expect(outcome((t) => hardtanh(t, -0.1, 0.1), [-0.1, 0.1]).dx).toEqual([0, 0]);
});

test("piecewise functions take the side of 0 that PyTorch takes", () => {
  const x = [-1, -0, 0, 1, NaN];
  expect(outcome(relu, x).dx).toEqual([0, 0, 0, 1, 1]);
  expect(outcome((t) => leakyRelu(t), x).dx).toEqual([fround(0.01), fround(0.01), fround(0.01), 1, fround(0.01)]);
  expect(outcome((t) => elu(t, 2), x).dx).toEqual([fround(2 / Math.E), 2, 2, 1, 1]);
  expect(outcome((t) => t.abs(), x).dx).toEqual([-1, 0, 0, 1, 0]);
  expect(outcome((t) => maximum(t, 0), x).dx.slice(0, 4)).toEqual([0, 0.5, 0.5, 1]);
});

test("step functions have the gradient 0, even of what is infinite", () => {
  const x = [-1.5, -0.5, 0, 0.5, 2.5, Infinity];
  const expected: [(t: Tensor) => Tensor, number[]][] = [
    [floor, [-2, -1, 0, 0, 2, Infinity]],
    [round, [-2, -0, 0, 0, 2, Infinity]],
    [sign, [-1, -1, 0, 1, 1, 1]],
  ];
  for (const [run, z] of expected) {
    expect(outcome(run, x)).toEqual({ z, dx: [0, 0, 0, 0, 0, 0] });
    expect(outcome((t) => run(t).mul(Infinity), [0.5]).dx).toEqual([0]);
  }
});

test("large values neither overflow nor vanish on the way", () => {
  expect(outcome(logSigmoid, [-100, -1e30, 1e30])).toEqual({ z: [-100, fround(-1e30), 0], dx: [1, 1, 0] });
  expect(outcome((t) => softplus(t), [-1e30, 20, 100])).toEqual({ z: [0, 20, 100], dx: [0, 1, 1] });
  // PyTorch's 1 + e^(βx) is infinite here.
  expect(values(softplus(tensor([200]), { beta: 1, threshold: 1000 }))).toEqual([200]);
  expect(values(softplus(tensor([1, 3]), { beta: 2, threshold: 5 }))).toEqual([fround(Math.log1p(Math.exp(2)) / 2), 3]);
  expect(outcome(silu, [100, -1000])).toEqual({ z: [100, -0], dx: [1, 0] });
  expect(outcome((t) => gelu(t), [-40, 40])).toEqual({ z: [-0, 40], dx: [0, 1] });
  expect(outcome((t) => gelu(t, { approximate: "tanh" }), [-40, 40])).toEqual({ z: [-0, 40], dx: [0, 1] });
  expect(outcome(erf, [-40, 40])).toEqual({ z: [-1, 1], dx: [0, 0] });
  expect(outcome((t) => elu(t), [-1000, 1000])).toEqual({ z: [-1, 1000], dx: [0, 1] });
  // Φ(−10) = 7.6·10⁻²⁴, where 1 + erf is 0.
  expect(values(gelu(tensor([-10])))[0]).toBeCloseTo(-7.619853e-23, 28);
});

test("small values keep their digits", () => {
  const x = fround(1e-10);
  for (const run of [log1p, (t: Tensor) => elu(t.neg()).neg(), (t: Tensor) => t.sin(), atan]) {
    expect(outcome(run, [x]).z).toEqual([x]);
  }
});

test("poles: values and gradients are the infinities of their side", () => {
  expect(outcome(log, [0])).toEqual({ z: [-Infinity], dx: [Infinity] });
  expect(outcome(log1p, [-1, -2])).toEqual({ z: [-Infinity, NaN], dx: [Infinity, -1] });
  expect(outcome(sqrt, [0])).toEqual({ z: [0], dx: [Infinity] });
  expect(outcome(reciprocal, [0, -0])).toEqual({ z: [Infinity, -Infinity], dx: [-Infinity, -Infinity] });
  expect(outcome(rsqrt, [0, -1])).toEqual({ z: [Infinity, NaN], dx: [-Infinity, NaN] });
});

test("pow: a number and a tensor of it give the same, where PyTorch does not take a short cut", () => {
  const x = tensor([-3, -0.5, 0, 0.7, 2, Infinity]);
  for (const y of [-3, -1, 0, 1, 1.7, 3]) expect(bits(pow(x, y))).toEqual(bits(pow(x, tensor(y))));
  expect(bits(pow(x, 2))).toEqual(bits(square(x)));
  expect(bits(pow(x, 0.5))).toEqual(bits(sqrt(x)));
  expect(bits(pow(x, -0.5))).toEqual(bits(rsqrt(x)));
});

test("pow: gradients at the base 0 and the exponent 0", () => {
  const x = tensor([0, 0, 0, 0, 2, -2, NaN], { requiresGrad: true });
  const y = tensor([0, 1, 2, -1, 0, 2, 0], { requiresGrad: true });
  const z = tape(() => {
    const z = x.pow(y);
    z.sum().backward();
    return z;
  });
  expect(values(z)).toEqual([1, 0, 0, Infinity, 1, 4, 1]);
  expect(gradient(x)).toEqual([0, 1, 0, -Infinity, 0, -4, 0]);
  expect(gradient(y)).toEqual([0, 0, 0, -Infinity, fround(Math.LN2), NaN, NaN]);
  expect(outcome((t) => pow(t, 0), [0, 1]).dx).toEqual([0, 0]);
  expect(outcome((t) => pow(t, 1), [0, -1]).dx).toEqual([1, 1]);
  expect(outcome((t) => pow(t, 0.5), [0]).dx).toEqual([Infinity]);
});

test("pow: an infinite slope makes NaN of a gradient of 0, as in PyTorch", () => {
  const leaf = tensor([0, 0, 2, -Infinity], { requiresGrad: true });
  tape(() => pow(leaf, tensor([-0.5, -2, 3, 2])).backward(tensor([0, 0, 0, 0])));
  expect(gradient(leaf)).toEqual([NaN, NaN, 0, NaN]);
});

test("atan2: its quadrants, and NaN for the gradient at the origin", () => {
  const quarter = fround(Math.PI / 4);
  expect(values(atan2(tensor([1, 1, -1, -1]), tensor([1, -1, -1, 1])))).toEqual([
    quarter,
    fround(3 * (Math.PI / 4)),
    -fround(3 * (Math.PI / 4)),
    -quarter,
  ]);
  expect(values(atan2(tensor([0, -0]), -1))).toEqual([fround(Math.PI), -fround(Math.PI)]);
  expect(outcome((t) => atan2(t, 0), [0, 2])).toEqual({ z: [0, fround(Math.PI / 2)], dx: [NaN, 0] });
});

test("where keeps what it does not choose out of values and gradients", () => {
  const condition = tensor([1, 0, NaN, -0], { requiresGrad: true });
  const x = tensor([-0, NaN, 3, Infinity], { requiresGrad: true });
  const y = tensor([NaN, 2, Infinity, -4], { requiresGrad: true });
  const z = tape(() => {
    const z = where(condition, x, y);
    z.backward(tensor([NaN, Infinity, 1, 2]));
    return z;
  });
  expect(values(z)).toEqual([-0, 2, 3, -4]);
  expect(gradient(x)).toEqual([NaN, 0, 1, 0]);
  expect(gradient(y)).toEqual([0, Infinity, 0, 2]);
  expect(condition.grad).toBe(null);
  expect(values(maskedFill(tensor([1, 2]), tensor([[1], [0]]), -Infinity))).toEqual([-Infinity, -Infinity, 1, 2]);
});

test("zeros keep their sign through neg and mul", () => {
  expect(values(tensor([0, -0]).neg())).toEqual([-0, 0]);
  expect(values(tensor([0, -0]).mul(2))).toEqual([0, -0]);
  expect(values(tensor([0, -0]).mul(-2))).toEqual([-0, 0]);
});
