/** The check that the other tests rely on: it accepts correct gradients, finds wrong ones, and leaks no memory. */
import { expect, test } from "vitest";
import { bits, bytesKept, gradient, leaf, random, values } from "../test/support/tensors.ts";
import { k } from "./core/backend.ts";
import { withReference } from "./gradcheck.ts";
import {
  avgPool2d,
  bernoulli,
  conv2d,
  dropout,
  full,
  Generator,
  gradcheck,
  Linear,
  linear,
  maxPool2d,
  parameter,
  rand,
  type Tensor,
  tape,
  tensor,
} from "./index.ts";

test("gradcheck: right gradients pass, of one tensor or several, towards every input", () => {
  const x = random([2, 3], 1);
  const y = random([3], 2, { low: 0.5, high: 1 });
  gradcheck((a, b) => a.mul(b).tanh(), [x, y]);
  gradcheck((a, b) => [a.exp(), b.square().sum(), a.matmul(b)], [x, y]);
  gradcheck((a) => a.sum(), [tensor(2)]);
});

test("gradcheck: an error names input, element, what was expected and what came", () => {
  // The gradient of x·detach(x) is x, half of the difference quotient.
  const wrong = () => gradcheck((x, y) => x.add(y.mul(y.detach())), [tensor([1, 1]), tensor([[3, 2]])]);
  expect(wrong).toThrow(Error);
  expect(wrong).toThrow(
    /^gradcheck: input 1 of shape \[1, 2\], element 0: expected the difference quotient \d+\.\d+, got the gradient \d+\.?\d*$/,
  );
});

test("gradcheck: a single wrong element is found", () => {
  const mask = tensor([1, 1, 0, 1]);
  const wrong = () =>
    gradcheck(
      (x) =>
        x
          .mul(mask)
          .square()
          .add(x.detach().mul(mask.neg().add(1))),
      [random([4], 3)],
    );
  expect(wrong).toThrow(/input 0 of shape \[4\], element 2/);
});

test("gradcheck: an input that has no influence must have no gradient, and NaN never passes", () => {
  gradcheck((x) => x.square(), [random([3], 4), random([2], 5)]);
  expect(() => gradcheck((x) => x.log(), [tensor([-1])])).toThrow(/element 0/);
});

test("gradcheck: a parameter that fn reads itself, in the place of its copy, is an error", () => {
  const layer = new Linear(3, 2);
  const x = random([4, 3], 6);
  expect(() => gradcheck((x) => layer.forward(x), [x, ...layer.parameters()])).toThrow(
    /^gradcheck: input 1 is a parameter without influence, which checks nothing, or its gradient is 0 for these inputs; fn gets a copy/,
  );
  gradcheck(
    (x, weight, bias) => Object.assign(layer, { weight, bias }).forward(x),
    [x, layer.weight, layer.bias as Tensor],
  );
});

test("gradcheck: tolerances and step can be set", () => {
  const almost = (x: Tensor) => x.square().add(x.detach().mul(1e-3));
  expect(() => gradcheck(almost, [tensor([1])])).toThrow(/gradcheck/);
  gradcheck(almost, [tensor([1])], { atol: 1e-2 });
  gradcheck(almost, [tensor([1])], { rtol: 1e-2 });
  expect(() => gradcheck((x) => x.exp(), [tensor([1])], { eps: 0.5 })).toThrow(/gradcheck/);
});

test("gradcheck: a step with a gradient of its own is told about smooth spikes", () => {
  const stepped = (x: Tensor) => x.floor().add(x.sub(x.detach()));
  expect(() => gradcheck(stepped, [tensor([0.5])])).toThrow(
    /quotient 0, got the gradient 0\.5; does fn have steps, such as spikes\? layers with spiking: false are smooth$/,
  );
});

test("gradcheck: fn must return tensors", () => {
  expect(() => gradcheck(() => [], [tensor([1])])).toThrow(RangeError);
  expect(() => gradcheck(() => [], [tensor([1])])).toThrow("gradcheck: expected fn to return a tensor, got none");
});

test("gradcheck: inputs, their gradients and the memory stay as they were, also after an error", () => {
  const x = leaf([2, 2], 6);
  tape(() => x.square().sum().backward());
  const before = [bits(x), gradient(x)];
  const kept = bytesKept(() => {
    gradcheck((a) => a.square(), [x]);
    expect(() => gradcheck((a) => a.mul(a.detach()), [x])).toThrow(/gradcheck/);
    expect(() =>
      gradcheck(() => {
        throw new Error("on purpose");
      }, [x]),
    ).toThrow("on purpose");
  });
  expect(kept).toBe(0);
  expect([bits(x), gradient(x)]).toEqual(before);
  // The SIMD kernels are active again.
  expect(rand([2]).data).toBeInstanceOf(Float32Array);
});

test("gradcheck: parameters that fn uses are constants, and their gradients stay as they were", () => {
  const fresh = new Linear(3, 2);
  const used = new Linear(3, 2);
  const x = tensor([
    [1, 2, 3],
    [-4, 0, 6],
  ]); // integers: their sums are exact
  tape(() => used.forward(x).sum().backward());
  const before = gradient(used.weight);
  for (const model of [fresh, used]) gradcheck((a) => model.forward(a).tanh(), [x]);
  expect(fresh.weight.grad).toBe(null);
  expect(gradient(used.weight)).toEqual(before);
  tape(() => used.forward(x).sum().backward());
  expect(gradient(used.weight)).toEqual(before.map((value) => 2 * value));
  tape(() => fresh.forward(x).sum().backward());
  expect(gradient(fresh.weight)).toEqual(before);
});

test("gradcheck: it may run inside a tape, over results of that tape", () => {
  const w = parameter(random([2, 3], 8));
  tape(() => {
    const scaled = w.mul(2);
    gradcheck((x) => linear(x, scaled), [random([4, 3], 9)]);
    scaled.sum().backward();
  });
  expect(gradient(w)).toEqual(new Array(6).fill(2));
});

test("gradcheck: steps and tolerances are checked, and what fn returns", () => {
  const x = tensor([1, 2]);
  for (const eps of [0, -1, NaN, Infinity]) {
    const message = `gradcheck: eps must be finite and > 0, got ${eps}`;
    expect(() => gradcheck((a) => a, [x], { eps })).toThrow(new RangeError(message));
  }
  for (const [options, got] of [
    [{ atol: NaN }, "atol must be finite and ≥ 0, got NaN"],
    [{ rtol: -1 }, "rtol must be finite and ≥ 0, got -1"],
  ] as const) {
    const message = `gradcheck: ${got}`;
    expect(() => gradcheck((a) => a, [x], options)).toThrow(new RangeError(message));
  }
  expect(() => gradcheck(() => 3 as never, [x])).toThrow(
    new TypeError("gradcheck: expected fn to return tensors, got 3"),
  );
});

test("gradcheck: it may run inside of another one", () => {
  const check = (fn: (x: Tensor) => Tensor) => gradcheck(fn, [tensor([0.5, -1])]);
  check((x) => {
    check((y) => y.exp());
    return x.exp().mul(x);
  });
  const wrong = () =>
    check((x) => {
      check((y) => y.detach().mul(y));
      return x;
    });
  expect(wrong).toThrow(/^gradcheck: input 0/);
  expect(tensor([1]).add(1).item()).toBe(2);
});

test("gradcheck: spikes are numbers in float64, those of linear memory too, and every op that reads bits reads these", () => {
  const spikes = (): Tensor => bernoulli(full([2, 3, 6, 6], 0.2), { generator: new Generator(5) });
  const [weight, filters] = [random([70, 6], 1), random([4, 3, 3, 3], 2)];
  const readers: ((x: Tensor) => Tensor)[] = [
    (x) => linear(x, weight),
    (x) => x.matmul(weight.transpose()),
    (x) => conv2d(x, filters),
    (x) => maxPool2d(x, 2),
    (x) => avgPool2d(x, 2),
    (x) => x.sum({ axis: 0 }),
    (x) => x.reshape([6, 36]).mul(1),
    (x) => dropout(x, { generator: new Generator(6) }),
  ];
  for (const read of readers) {
    const packed = spikes();
    expect([packed.ptr, packed.bits > 0]).toEqual([0, true]);
    const expected = values(read(tensor(values(spikes()), { shape: packed.shape })));
    withReference(() => {
      const made = spikes();
      expect([made.ptr < 0, made.bits]).toEqual([true, 0]);
      for (const x of [made, packed]) {
        values(read(x)).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
      }
    });
    packed.dispose();
  }
  tape(() => gradcheck((w) => linear(spikes(), w), [weight]));
  tape(() => gradcheck((w) => conv2d(spikes(), w), [filters]));
});

test("gradcheck: a kernel without a twin is an error", () => {
  withReference(() => {
    expect(() => k.countBits(0, 0)).toThrow("reference: countBits has no float64 twin");
    expect(() => (k.gather as () => void)()).toThrow("gather has no float64 twin");
  });
});
