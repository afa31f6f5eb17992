/** Frozen tensors and modules work, or throw an explaining error; proxies of tensors and objects made from tensors are refused. None leaks memory. */
import { describe, expect, test } from "vitest";
import { bits, bytesKept, leaf, random, values } from "../test/support/tensors.ts";
import {
  BatchNorm1d,
  bernoulli,
  exp,
  Flatten,
  full,
  keep,
  Linear,
  linear,
  mul,
  noGrad,
  ones,
  parameter,
  Sequential,
  summary,
  Tensor,
  tape,
} from "./index.ts";

const FROZEN = "expected a tensor that is not frozen, got object";
const FOREIGN = "expected a tensor, got a proxy or copy of one; keep it raw (markRaw)";

/** The object itself, frozen. */
const frozen = <T extends object>(object: T): T => Object.freeze(object) as T;

/** A proxy that also returns proxies of all inner objects, as reactive states do. */
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

const imitations: [name: string, of: (t: Tensor) => Tensor][] = [
  ["a proxy", (t) => new Proxy(t, {})],
  ["a proxy of reactive states", (t) => reactive(t)],
  ["an object made of a tensor", (t) => Object.create(t)],
  ["an object with its fields", (t) => Object.assign(Object.create(Tensor.prototype), t)],
];

const refusals: [where: string, use: (imitation: Tensor) => unknown][] = [
  ["exp", (t) => exp(t)],
  ["exp", (t) => noGrad(() => t.exp())],
  ["mul", (t) => noGrad(() => mul(ones([3]), t))],
  ["linear", (t) => noGrad(() => linear(ones([1, 3]), ones([3, 3]), t))],
  ["reshape", (t) => t.reshape([3, 1])],
  ["data", (t) => t.data],
  ["data", (t) => t.toArray()],
  ["copyFrom", (t) => t.copyFrom([1, 2, 3])],
  ["dispose", (t) => t.dispose()],
  ["keep", (t) => tape(() => void keep(t))],
  ["parameter", (t) => parameter(t)],
  ["tape", (t) => tape(() => t)],
  ["tape", (t) => tape(() => ({ list: [t] }))],
  ["tape", (t) => tape(() => tape(() => t))],
];

describe.each(imitations)("%s is refused", (_name, of) => {
  test.each(refusals)("by %s", (where, use) => {
    const t = ones([3]);
    const kept = bytesKept(() => expect(() => use(of(t))).toThrow(`${where}: ${FOREIGN}`));
    expect(kept).toBe(0);
    expect(values(t)).toEqual([1, 1, 1]);
  });

  test("by the tape that made the tensor", () => {
    const kept = bytesKept(() => {
      expect(() => tape(() => of(ones([3]).mul(2)))).toThrow(`tape: ${FOREIGN}`);
      expect(() => tape(() => ({ list: [of(ones([3]).mul(2))] }))).toThrow(`tape: ${FOREIGN}`);
    });
    expect(kept).toBe(0);
  });
});

test("no address makes a tensor", () => {
  const Made = Tensor as unknown as new (...args: unknown[]) => Tensor;
  expect(() => new Made([4], 4, 16, ones([3]).region, false)).toThrow(/^Tensor: tensor\(…\) makes tensors/);
});

test("frozen: running statistics are refused in training before anything is written, and serve in evaluation", () => {
  const norm = new BatchNorm1d(3);
  frozen(norm.runningVar as Tensor);
  expect(() => norm.forward(random([4, 3], 1))).toThrow(new TypeError(`batchNorm: ${FROZEN}`));
  expect(values(norm.runningMean as Tensor)).toEqual([0, 0, 0]);
  expect(norm.eval().forward(random([4, 3], 1)).shape).toEqual([4, 3]);
});
