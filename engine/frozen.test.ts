/** Tensors and modules that are frozen, proxies of tensors, and objects made of tensors: they work, or an error says why, and no memory is lost. */
import { expect, test } from "vitest";
import { bits, bytesKept, leaf, random, values } from "../test/support/tensors.ts";
import {
  BatchNorm1d,
  bernoulli,
  Flatten,
  full,
  keep,
  Linear,
  noGrad,
  ones,
  parameter,
  Sequential,
  summary,
  Tensor,
  tape,
} from "./index.ts";

const FROZEN = "expected a tensor, neither frozen nor made by Object.create, got object";

/** The object itself, frozen. */
const frozen = <T extends object>(object: T): T => Object.freeze(object) as T;

/** A proxy that hides all objects behind proxies, as reactive states do. */
function reactive<T extends object>(object: T, seen = new Map<object, object>()): T {
  const made = seen.get(object);
  if (made !== undefined) return made as T;
  const get = (target: object, key: PropertyKey, receiver: unknown): unknown => {
    const value: unknown = Reflect.get(target, key, receiver);
    return typeof value === "object" && value !== null ? reactive(value, seen) : value;
  };
  const proxy = new Proxy(object, { get });
  seen.set(object, proxy);
  return proxy as T;
}

test("frozen: a leaf has no gradient, which is an error without a leak, and the gradients of others are taken back", () => {
  const [x, still] = [leaf([300], 1), frozen(leaf([300], 2))];
  const kept = bytesKept(() => {
    for (let i = 0; i < 3; i++) {
      expect(() => tape(() => x.mul(2).mul(still).sum().backward())).toThrow(new TypeError(`backward: ${FROZEN}`));
    }
  });
  expect(kept).toBe(0);
  expect(x.grad).toBe(null);
});

test("frozen: a tensor within the graph is an error, and the gradients of leaves are taken back", () => {
  const x = leaf([3], 1);
  const run = () =>
    tape(() => {
      const y = frozen(x.exp());
      y.mul(x).sum().backward();
    });
  expect(bytesKept(() => expect(run).toThrow(`backward: ${FROZEN}`))).toBe(0);
  expect(x.grad).toBe(null);
});

test("frozen: what would change a tensor is refused before anything is freed or written", () => {
  const t = frozen(ones([3]));
  const kept = bytesKept(() => {
    for (const [where, change] of [
      ["dispose", () => t.dispose()],
      ["copyFrom", () => t.copyFrom([1, 2, 3])],
      ["data", () => t.data],
      ["parameter", () => parameter(t)],
      ["tape", () => tape(() => frozen(t.mul(2)))],
      ["tape", () => tape(() => void keep(frozen(t.mul(2))))],
    ] as const) {
      for (let i = 0; i < 2; i++) expect(change).toThrow(new TypeError(`${where}: ${FROZEN}`));
    }
  });
  expect(kept).toBe(0);
  expect(t.toArray()).toEqual([1, 1, 1]);
  const spikes = frozen(bernoulli(full([3], 0.5)));
  expect(() => spikes.toArray()).toThrow(`spikes: ${FROZEN}`);
});

test("frozen: weights are read, as often as one likes", () => {
  const layer = new Linear(3, 3);
  const x = random([1, 3], 1);
  const expected = noGrad(() => bits(layer.forward(x)));
  Object.freeze(layer.weight);
  for (let i = 0; i < 3; i++) expect(noGrad(() => bits(layer.forward(x)))).toEqual(expected);
  layer.zeroGrad();
});

test("frozen: a module keeps its mode, and others theirs", () => {
  const model = new Sequential(new Flatten(), frozen(new Flatten()));
  expect(() => model.eval()).toThrow(new TypeError("train: expected no frozen module, got 1"));
  expect(() => model.evaluating(() => 0)).toThrow(TypeError);
  expect(model.namedModules().map(([, { training }]) => training)).toEqual([true, true, true]);
  expect(() => summary(model, [2, 2])).toThrow("expected no frozen module, got Flatten");
  const still = frozen(new Flatten().eval());
  expect(new Sequential(still).evaluating(() => 1)).toBe(1);
});

test("proxies: a tape returns the tensor of one, which has one owner", () => {
  const kept = bytesKept(() => {
    let made: Tensor | null = null;
    const proxy = tape(() => {
      made = ones([3]).mul(2);
      return new Proxy(made, {});
    });
    expect(values(proxy)).toEqual([2, 2, 2]);
    proxy.dispose();
    expect(String(made)).toBe("Tensor([3], freed)");
    tape(() => {
      let inner = ones([3]);
      tape(() => {
        inner = ones([3]).mul(2);
        return new Proxy(inner, {});
      });
      inner.dispose(); // what the end of the tape around it must not free again
    });
  });
  expect(kept).toBe(0);
  const [a, b] = [ones([3]), ones([3])];
  expect(a.ptr).not.toBe(b.ptr);
});

test("proxies: one of reactive states is refused where it is returned or kept", () => {
  const refused = new TypeError("tape: expected a tensor, got a reactive proxy");
  const make = () => reactive(ones([3]).mul(2));
  const kept = bytesKept(() => {
    expect(() => tape(() => make())).toThrow(refused);
    expect(() => tape(() => ({ list: [make()] }))).toThrow(refused);
    expect(() => tape(() => void keep(make()))).toThrow(refused);
    expect(() => tape(() => tape(() => make()))).toThrow(refused);
  });
  expect(kept).toBe(0);
});

test("an object made of a tensor cannot free its memory, and no address makes a tensor", () => {
  const t = ones([3]);
  expect(() => Object.create(t).dispose()).toThrow(`dispose: ${FROZEN}`);
  expect(values(t)).toEqual([1, 1, 1]);
  const Made = Tensor as unknown as new (...args: unknown[]) => Tensor;
  expect(() => new Made([4], 4, 16, t.region, false)).toThrow(/^Tensor: tensor\(…\) makes tensors/);
});

test("frozen: running statistics are refused in training before anything is written, and serve in evaluation", () => {
  const norm = new BatchNorm1d(3);
  frozen(norm.runningVar as Tensor);
  expect(() => norm.forward(random([4, 3], 1))).toThrow(new TypeError(`batchNorm: ${FROZEN}`));
  expect(values(norm.runningMean as Tensor)).toEqual([0, 0, 0]);
  expect(norm.eval().forward(random([4, 3], 1)).shape).toEqual([4, 3]);
});
