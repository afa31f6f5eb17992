/** A tensor of one value as the second operand has the bits of a repeated one, at the cost of a number. */
import { describe, expect, test } from "vitest";
import { LENGTHS, numbers } from "../../test/support/sides.ts";
import { bits, bytesKept, values } from "../../test/support/tensors.ts";
import {
  add,
  div,
  eq,
  ge,
  gradcheck,
  gt,
  le,
  lt,
  maximum,
  memoryStats,
  minimum,
  mul,
  ones,
  pow,
  sub,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";

const OPS = { add, sub, mul, div, maximum, minimum, pow, gt, ge, lt, le, eq };
const COMPARISONS = ["gt", "ge", "lt", "le", "eq"];

/** Numbers of all types: zeros of both signs, infinities, NaN, ties with the value. */
const samples = (n: number, value: number): number[] => {
  const special = [0, -0, Infinity, -Infinity, NaN, value, 1e-45, -3e38];
  return numbers(n, 7).map((x, i) => (i % 3 === 1 ? (special[i % special.length] as number) : x));
};

/** The bits of numbers; all NaNs are equal, whatever their sign and payload. */
const bitsOf = (t: Tensor): number[] => bits(t).map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word));

/** Bits of z = op(x, y) and of the gradients of x and y, with y as given, or materialised in the shape of x. */
function run(name: keyof typeof OPS, x: number[], value: number, ndim: number, repeated: boolean, used: boolean) {
  return tape(() => {
    const left = tensor(x, { requiresGrad: true });
    const right = tensor([value], { shape: new Array(ndim).fill(1), requiresGrad: true });
    // An operand that has a gradient already gets the sum.
    const others = used ? left.mul(0.5).sum().add(right.mul(3).sum()) : null;
    const z = OPS[name](left, repeated ? right.reshape([1]).expand([x.length]).clone() : right);
    if (!z.requiresGrad) return [bitsOf(z)];
    const upstream = tensor(numbers(x.length, 8).map((g, i) => (i % 5 === 2 ? -0 : g)));
    const total = z.mul(upstream).sum();
    (others === null ? total : total.add(others)).backward();
    return [z, left.grad as Tensor, right.grad as Tensor].map(bitsOf);
  });
}

for (const name of Object.keys(OPS) as (keyof typeof OPS)[]) {
  test(`a single value: ${name} and its gradients have the bits of a repeated one`, () => {
    for (const n of LENGTHS.slice(1)) {
      for (const value of n > 9 ? [0.9] : [0.9, -2, 0, -0, Infinity, NaN]) {
        for (const ndim of [0, 1]) {
          for (const used of [false, true]) {
            const x = samples(n, value);
            expect(run(name, x, value, ndim, false, used)).toEqual(run(name, x, value, ndim, true, used));
          }
        }
      }
    }
  });

  test(`a single value: ${name} of a constant, and of a number, is the same`, () => {
    tape(() => {
      const x = tensor(samples(33, 0.75), { shape: [3, 11], requiresGrad: true });
      const results = [tensor(0.75), tensor([0.75]), tensor([[0.75]]), 0.75].map((y) => {
        x.zeroGrad();
        const z = OPS[name](x, y);
        expect(z.shape).toEqual([3, 11]);
        if (COMPARISONS.includes(name)) return [bits(z)];
        z.sum().backward();
        return [bits(z), values(x.grad as Tensor)];
      });
      for (const result of results) expect(result).toEqual(results[0]);
    });
  });
}

describe("a single value", () => {
  test("gives its axes to a smaller operand", () => {
    tape(() => {
      const y = tensor([[[2]]], { requiresGrad: true });
      const z = tensor([1, 2, 3]).mul(y);
      expect(z.shape).toEqual([1, 1, 3]);
      z.sum().backward();
      expect(values(y.grad as Tensor)).toEqual([6]);
    });
  });

  test("has a gradient that agrees with central differences, whatever it is a view of", () => {
    const row = tensor([0.5, 1.5, -0.75]);
    gradcheck((x, y) => x.mul(y).add(y.square()).sub(y).div(y.add(2)), [tensor([[1, 2, 3]]), tensor(0.8)]);
    gradcheck((all) => all.mul(all.slice(0, 1, 2)).sub(all.select(0, 2)), [row]);
    // A constant of linear memory in a float64 run.
    gradcheck((x) => x.div(row.select(0, 1)).mul(row.slice(0, 2)), [tensor([1, 2])]);
  });

  test("that is overwritten before backward is noticed by the ops that read it", () => {
    for (const [name, reads] of [
      ["mul", true],
      ["div", true],
      ["maximum", true],
      ["add", false],
      ["sub", false],
    ] as const) {
      tape(() => {
        const x = tensor([1, 2, 3], { requiresGrad: true });
        const y = tensor([2]);
        const loss = OPS[name](x, y).sum();
        y.copyFrom([5]);
        if (!reads) return loss.backward();
        expect(() => loss.backward()).toThrow(`backward of ${name}: a value it needs, of shape [1], was overwritten`);
      });
    }
  });

  test("is not written out", () => {
    const x = ones([100_000]);
    const y = tensor([3], { requiresGrad: true });
    tape(() => {
      const { live } = memoryStats();
      for (const op of [add, sub, mul, div]) op(x, y);
      expect(memoryStats().live - live).toBeLessThan(5 * 400_000);
    });
    x.dispose();
  });

  test("and a number leave nothing behind outside of tapes", () => {
    const x = ones([100]);
    const y = tensor([3]);
    for (const op of Object.values(OPS)) {
      for (const operand of [y, 3]) expect(bytesKept(() => op(x, operand).dispose())).toBe(0);
    }
  });
});
