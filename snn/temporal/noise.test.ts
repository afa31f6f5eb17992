/** Noise in currents: moments, seed, modes, and the gradient of its strength. */
import { CurrentNoise, Generator, gradcheck, LIF, Linear, ones, rand, Sequential, tensor, zeros } from "jarvis-snn";
import { expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";

test("noise: white, with the strength of each neuron", () => {
  const noise = new CurrentNoise({ std: tensor([0, 0.5, 2]), generator: new Generator(1) });
  const z = noise.forward(ones([20_000, 3]));
  for (const [i, std] of [0, 0.5, 2].entries()) {
    const column = z.select(1, i);
    expect(column.mean().item()).toBeCloseTo(1, 1);
    expect(column.std().item()).toBeCloseTo(std, 1);
    const [now, next] = [column.slice(0, 0, -1).sub(1), column.slice(0, 1).sub(1)];
    expect(Math.abs(now.mul(next).mean().item())).toBeLessThan(0.05 * std * std + 1e-9);
  }
});

test("noise: a seed gives the same numbers, in training alone unless evaluation asks for it", () => {
  const run = (options: object) =>
    values(new CurrentNoise({ generator: new Generator(7), ...options }).forward(zeros([4, 2])));
  expect(run({})).toEqual(run({}));
  expect(run({})).not.toEqual(run({ std: 0.2 }));
  const x = rand([3, 2]);
  expect(values(new CurrentNoise().eval().forward(x))).toEqual(values(x));
  expect(values(new CurrentNoise({ evaluation: true }).eval().forward(x))).not.toEqual(values(x));
});

test("noise: the gradient of the current is that behind it, that of σ is exact", () => {
  gradcheck(
    (x) => new CurrentNoise({ std: 0.5, generator: new Generator(3) }).forward(x).square().sum(),
    [rand([3, 2, 2])],
  );
  const noise = new CurrentNoise({ std: tensor([0.5, 1]), learnStd: true });
  expect(noise.namedParameters().map(([name]) => name)).toEqual(["std"]);
  gradcheck(
    (std) => {
      const inner = new CurrentNoise({ std: tensor([0.5, 1]), learnStd: true, generator: new Generator(3) });
      Object.assign(inner, { std });
      return inner
        .forward(ones([3, 2, 2]))
        .square()
        .sum();
    },
    [tensor([0.5, 1])],
  );
});

test("noise: it stands in a network before neurons; wrong options are errors", () => {
  const model = new Sequential(new Linear(3, 4), new CurrentNoise({ std: 1 }), new LIF());
  expect(model.forward(rand([5, 2, 3])).shape).toEqual([5, 2, 4]);
  expect(Object.keys(model.stateDict())).toContain("1.std");
  expect(() => new CurrentNoise({ std: -1 })).toThrow(RangeError);
  expect(() => new CurrentNoise({ std: "1" as never })).toThrow(TypeError);
  expect(() => new CurrentNoise({ std: tensor([1, 2]) }).forward(zeros([3, 5]))).toThrow(RangeError);
});
