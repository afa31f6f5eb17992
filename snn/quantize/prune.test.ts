/** Magnitude pruning: the selection of weights, and that they remain zero during training. */
import {
  Adam,
  AdamW,
  Conv2d,
  DelayedLinear,
  Flatten,
  LIF,
  Linear,
  loadSafetensors,
  Module,
  manualSeed,
  meanOverTime,
  noGrad,
  parameter,
  poissonEncode,
  RecurrentLIF,
  rand,
  Sequential,
  SGD,
  Stream,
  saveSafetensors,
  type Tensor,
  tape,
} from "jarvis-snn";
import { applyMasks, profile, prune } from "jarvis-snn/quantize";
import { beforeEach, describe, expect, test } from "vitest";
import { bits } from "../../test/support/tensors.ts";

beforeEach(() => void manualSeed(5));

function linearOf(weights: readonly (readonly number[])[]): Linear {
  const layer = new Linear((weights[0] as number[]).length, weights.length, { bias: false });
  layer.weight.copyFrom(weights.flat());
  return layer;
}

/** The mask of a layer, a buffer of its state. */
const maskOf = (layer: Module): number[] => Array.from(layer.stateDict().mask?.data ?? []);

describe("which weights", () => {
  test("prune: a share of each layer, the smallest magnitudes, of equal ones the first", () => {
    const layer = linearOf([
      [0.5, -0.1, 0.3],
      [-0.3, 0.2, -0.6],
    ]);
    expect(prune(layer, { amount: 0.5 })).toEqual({ sparsity: 0.5, layers: { Linear: 0.5 } });
    expect(maskOf(layer)).toEqual([1, 0, 0, 1, 0, 1]);
    expect([...layer.weight.toFloat32Array()]).toEqual([0.5, -0.1, 0.3, -0.3, 0.2, -0.6].map(Math.fround));
  });

  test("prune: weights below a threshold", () => {
    const layer = linearOf([[0.5, -0.1, 0.25, -0.3]]);
    expect(prune(layer, { threshold: 0.25 }).sparsity).toBe(1 / 4);
    expect(maskOf(layer)).toEqual([1, 0, 1, 1]);
    expect(prune(layer, { threshold: 0 }).sparsity).toBe(1 / 4);
    expect(prune(layer, { threshold: 10 }).sparsity).toBe(1);
  });

  test("prune: one ranking over all layers, or one for each", () => {
    const weights = [[[1, 2, 3, 4]], [[0.1], [0.2], [0.3], [5]]];
    const make = () => new Sequential(...weights.map(linearOf));
    expect(prune(make(), { amount: 0.5, scope: "global" })).toEqual({ sparsity: 0.5, layers: { 0: 0.25, 1: 0.75 } });
    expect(prune(make(), { amount: 0.5 })).toEqual({ sparsity: 0.5, layers: { 0: 0.5, 1: 0.5 } });
    expect(prune(make(), { amount: 0.5, layers: ["1"] })).toEqual({ sparsity: 0.5, layers: { 1: 0.5 } });
  });

  test("prune: rows and filters as a whole, by their mean magnitude", () => {
    const layer = linearOf([
      [0.9, 0],
      [-0.2, 0.3],
      [-0.5, 0.5],
    ]);
    expect(prune(layer, { amount: 0.3, unit: "output" }).sparsity).toBe(1 / 3);
    expect(maskOf(layer)).toEqual([1, 1, 0, 0, 1, 1]);
    const conv = new Conv2d(2, 4, 3);
    expect(prune(conv, { amount: 0.5, unit: "output" }).sparsity).toBe(0.5);
    const filters = [0, 1, 2, 3].map((o) => maskOf(conv).slice(18 * o, 18 * (o + 1)));
    expect(filters.filter((filter) => filter.every((m) => m === 0)).length).toBe(2);
    expect(filters.filter((filter) => filter.every((m) => m === 1)).length).toBe(2);
  });

  test.each([0, 0.1, 0.33, 0.5, 0.9, 1])("prune: ⌊n·%d + ½⌋ of n weights, whatever n", (amount) => {
    for (const n of [1, 2, 3, 7, 100]) {
      const layer = new Linear(n, 1);
      expect(Math.round(prune(layer, { amount }).sparsity * n)).toBe(Math.floor(amount * n + 0.5));
    }
  });

  test("prune: larger amounts go on from smaller ones, and smaller ones change nothing", () => {
    const layer = new Linear(10, 10);
    let before = new Array<number>(100).fill(1);
    for (const amount of [0.2, 0.5, 0.3, 0.9]) {
      prune(layer, { amount });
      const now = maskOf(layer);
      expect(now.every((m, i) => m <= (before[i] as number))).toBe(true);
      // New values of pruned weights do not restore them.
      layer.weight.copyFrom(layer.weight.toFloat32Array().map((w, i) => (now[i] === 0 ? 9 : w)));
      before = now;
    }
    expect(before.filter((m) => m === 0).length).toBe(90);
  });
});

/** A network with all layers that can have masks. */
class All extends Module {
  readonly conv = new Conv2d(1, 3, 3, { padding: 1 });
  readonly first = new LIF({ beta: 0.7, threshold: 0.2 });
  readonly flat = new Flatten(2);
  readonly delayed = new DelayedLinear(48, 8, { maxDelay: 2 });
  readonly recurrent = new RecurrentLIF({ features: 8, threshold: 0.3 });
  readonly fc = new Linear(8, 3);

  forward(x: Tensor): Tensor {
    const spikes = this.flat.forward(this.first.forward(this.conv.forward(x)));
    return meanOverTime(this.fc.forward(this.recurrent.forward(this.delayed.forward(spikes))));
  }
}

/** The layers with masks, whose weights are checked separately. */
const LAYERS = ["conv", "delayed", "recurrent.recurrent", "fc"] as const;

function steps(model: Module, x: Tensor, optimizer: { step(): void; zeroGrad(): void }, n: number): void {
  for (let i = 0; i < n; i++) {
    tape(() => {
      const loss = model.forward(x).sub(1).square().sum();
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
}

describe("training", () => {
  const OPTIMIZERS = {
    Adam: (p: Tensor[]) => new Adam(p, { lr: 0.05 }),
    AdamW: (p: Tensor[]) => new AdamW(p, { lr: 0.05, weightDecay: 0.5 }),
    SGD: (p: Tensor[]) => new SGD(p, { lr: 0.05, momentum: 0.9, weightDecay: 0.1 }),
  };

  test.each(Object.keys(OPTIMIZERS) as (keyof typeof OPTIMIZERS)[])(
    "prune: weights are zero in all that the network computes, with %s",
    (name) => {
      const model = new All();
      const x = noGrad(() => poissonEncode(rand([2, 1, 4, 4]), { timesteps: 5 }));
      const optimizer = OPTIMIZERS[name](model.parameters());
      steps(model, x, optimizer, 2); // momentum of all weights
      expect(Object.keys(prune(model, { amount: 0.6 }).layers)).toEqual([...LAYERS]);
      const masks = Object.fromEntries(
        LAYERS.map((path) => [path, model.stateDict()[`${path}.mask`]?.data as Float32Array]),
      );
      const before = model.stateDict();
      steps(model, x, optimizer, 4);
      const after = model.stateDict();
      expect(LAYERS.map((path) => after[`${path}.mask`]?.data)).toEqual(Object.values(masks));
      // A network whose pruned weights are zeros gives the same bits.
      const plain = new All();
      const zeroed = Object.entries(after).flatMap(([key, { shape, data }]) => {
        const mask = masks[key.replace(/\.weight$/, "")];
        if (key.endsWith(".mask")) return [];
        return [
          [key, { shape, data: key.endsWith(".weight") && mask ? data.map((w, i) => w * (mask[i] as number)) : data }],
        ];
      });
      plain.loadStateDict(Object.fromEntries(zeroed));
      const [found, expected] = noGrad(() => [model.eval().forward(x), plain.eval().forward(x)]);
      expect(bits(found as Tensor)).toEqual(bits(expected as Tensor));
      const moved = LAYERS.map((path) => {
        const [w, old] = [after, before].map((state) => state[`${path}.weight`]?.data as Float32Array);
        return w?.some((value, i) => masks[path]?.[i] === 1 && value !== old?.[i]);
      });
      expect(moved).toEqual([true, true, true, true]);
      expect(profile(model, x).total.synapticOperations).toEqual(profile(plain, x).total.synapticOperations);
      expect(profile(model, x).total.connectionSparsity).toBe(profile(plain, x).total.connectionSparsity);
      expect(profile(model, x).total.connectionSparsity).toBeCloseTo(0.6, 2);
      x.dispose();
    },
  );

  test("prune: the gradient of a pruned weight is zero", () => {
    const layer = new Linear(6, 4);
    prune(layer, { amount: 0.5 });
    const x = noGrad(() => rand([3, 6]));
    tape(() => layer.forward(x).square().sum().backward());
    const gradient = layer.weight.grad?.toFloat32Array() as Float32Array;
    expect([...gradient].map((g) => (g === 0 ? 0 : 1))).toEqual(maskOf(layer));
    x.dispose();
  });

  test("prune: a stream gives the bits of forward, before and after more weights are pruned", () => {
    const model = new Sequential(new Linear(6, 8), new LIF({ threshold: 0.2 }), new Linear(8, 3)).eval();
    prune(model, { amount: 0.3 });
    const stream = new Stream(model, [2, 6]);
    const x = noGrad(() => poissonEncode(rand([2, 6]), { timesteps: 5 }));
    for (const amount of [0.3, 0.8]) {
      prune(model, { amount });
      stream.reset();
      const all = noGrad(() => model.forward(x));
      const parts = x.unbind(0).flatMap((now) => [...stream.step(now.toFloat32Array())]);
      expect(parts).toEqual([...all.toFloat32Array()]);
      all.dispose();
    }
    stream.dispose();
    x.dispose();
  });
});

describe("states", () => {
  test("prune: masks travel in files, to a model that has masks", () => {
    const model = new All();
    prune(model, { amount: 0.7, scope: "global" });
    const { tensors } = loadSafetensors(saveSafetensors(model.stateDict()));
    const other = new All();
    expect(() => other.loadStateDict(tensors)).toThrow("conv.mask");
    prune(other, { amount: 0 });
    expect(Object.values(prune(other, { amount: 0 }).layers)).toEqual([0, 0, 0, 0]);
    other.loadStateDict(tensors);
    const x = noGrad(() => poissonEncode(rand([2, 1, 4, 4]), { timesteps: 5 }));
    const [a, b] = noGrad(() => [model.eval().forward(x), other.eval().forward(x)]);
    expect(bits(b as Tensor)).toEqual(bits(a as Tensor));
    // Further pruning continues from there.
    expect(prune(other, { amount: 0, scope: "global" }).sparsity).toBeCloseTo(0.7, 2);
    x.dispose();
  });

  test("applyMasks: zeros are in the weights, masks are gone, the output is the same", () => {
    const model = new All();
    prune(model, { amount: 0.7 });
    const x = noGrad(() => poissonEncode(rand([2, 1, 4, 4]), { timesteps: 5 }));
    const before = noGrad(() => model.eval().forward(x));
    applyMasks(model);
    expect(Object.keys(model.stateDict())).toEqual(Object.keys(new All().stateDict()));
    const after = noGrad(() => model.forward(x));
    expect(bits(after)).toEqual(bits(before));
    const zeros = [...(model.fc.weight.toFloat32Array() as Float32Array)].filter((w) => w === 0).length;
    expect(zeros).toBe(Math.round(0.7 * 24));
    applyMasks(model);
    expect(prune(model, { amount: 0.7 }).layers.fc).toBe(zeros / 24);
    for (const t of [x, before, after]) t.dispose();
  });
});

test("prune: a tape that fails takes the masks back that were made in it", () => {
  const layer = linearOf([[1, 2, 3, 4]]);
  const failing = () =>
    tape(() => {
      prune(layer, { amount: 0.5 });
      throw new Error("own error");
    });
  expect(failing).toThrow("own error");
  expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
  const x = noGrad(() => rand([1, 4]));
  expect(() => noGrad(() => layer.forward(x).item())).not.toThrow();
  tape(() => void prune(layer, { amount: 0.5 }));
  expect(maskOf(layer)).toEqual([0, 0, 1, 1]);
  const more = () =>
    tape(() => {
      prune(layer, { amount: 0.75 });
      tape(() => void prune(layer, { amount: 1 }));
      throw new Error("own error");
    });
  expect(more).toThrow("own error");
  expect(maskOf(layer)).toEqual([0, 0, 1, 1]);
  x.dispose();
});

test("prune: an amount counts all weights that are pruned, whatever the units", () => {
  const layer = new Linear(8, 8);
  expect(prune(layer, { amount: 0.5 }).sparsity).toBe(0.5);
  const before = maskOf(layer);
  for (const options of [{ unit: "output" }, { unit: "output", scope: "global" }, {}] as const) {
    expect(prune(layer, { amount: 0.25, ...options }).sparsity).toBe(0.5);
    expect(maskOf(layer)).toEqual(before);
  }
  const { sparsity } = prune(layer, { amount: 0.75, unit: "output" });
  expect(Math.abs(sparsity - 0.75)).toBeLessThanOrEqual(1 / 16);
  expect(prune(layer, { amount: 1, unit: "output" }).sparsity).toBe(1);
});

test("prune: a layer alone has the name of its class in the result and in the option", () => {
  const layer = linearOf([[1, 2, 3, 4]]);
  expect(prune(layer, { amount: 0.5, layers: ["Linear"] }).layers).toEqual({ Linear: 0.5 });
  expect(() => prune(layer, { amount: 0.5, layers: ["0"] })).toThrow('expected layers of Linear, got "0"');
  expect(() => prune(layer, { amount: 0.5, layers: [] })).toThrow(
    "prune: expected layers with at least one path, got []",
  );
});

test("prune: a field mask that prune did not make is left alone", () => {
  class Gated extends Linear {
    readonly mask = parameter(rand([2, 2]));
  }
  const model = new Sequential(new Linear(2, 2), new Gated(2, 2));
  const before = model.stateDict();
  expect(() => prune(model, { amount: 0.5 })).toThrow(
    "prune: expected layers without a field mask, got 1, a Gated with another mask",
  );
  applyMasks(model);
  expect(model.stateDict()).toEqual(before);
  expect(prune(model, { amount: 0.5, layers: ["0"] }).sparsity).toBe(0.5);
  applyMasks(model);
  expect(Object.keys(model.stateDict())).toEqual(Object.keys(before));
});

test("prune, applyMasks: an error in a layer leaves the others as they are", () => {
  const make = () => new Sequential(new Linear(2, 2), new Linear(2, 2));
  const frozen = make();
  Object.freeze(frozen.modules[1]);
  expect(() => prune(frozen, { amount: 0.5 })).toThrow(
    "prune: expected layers that can change, got 1, which is frozen",
  );
  const broken = make();
  (broken.modules[1] as Linear).weight.copyFrom([1, Number.NaN, 2, 3]);
  expect(() => prune(broken, { amount: 0.5 })).toThrow("prune: expected finite weights, got NaN");
  for (const model of [frozen, broken]) expect(Object.keys(model.stateDict())).not.toContain("0.mask");
  const freed = make();
  prune(freed, { amount: 0.5 });
  (freed.modules[1] as Linear).weight.dispose();
  const before = (freed.modules[0] as Linear).weight.toFloat32Array();
  expect(() => applyMasks(freed)).toThrow("freed");
  expect((freed.modules[0] as Linear).weight.toFloat32Array()).toEqual(before);
  expect(Object.keys(freed.modules[0] as Linear)).toContain("mask");
});

test("prune: arguments are checked, and nothing is pruned then", () => {
  const model = new Sequential(new Linear(2, 2), new LIF());
  expect(() => prune(model, {})).toThrow(
    "prune: expected an amount or a threshold, got amount undefined and threshold undefined",
  );
  expect(() => prune(model, { amount: 0.5, threshold: 1 })).toThrow("got amount 0.5 and threshold 1");
  expect(() => prune(model, { amount: 1.5 })).toThrow("amount must be in [0, 1], got 1.5");
  expect(() => prune(model, { threshold: -1 })).toThrow("threshold must be finite and ≥ 0, got -1");
  expect(() => prune(model, { amount: 0.5, scope: "all" as "global" })).toThrow('scope "layer" or "global"');
  expect(() => prune(model, { amount: 0.5, unit: "row" as "output" })).toThrow('unit "weight" or "output"');
  expect(() => prune(model, { amount: 0.5, layers: ["1"] })).toThrow('layers of 0, got "1"');
  expect(() => prune(model, { amount: 0.5, layers: "0" as unknown as string[] })).toThrow(TypeError);
  expect(() => prune(new LIF(), { amount: 0.5 })).toThrow("a model with layers to prune");
  expect(() => prune({} as Module, { amount: 0.5 })).toThrow(TypeError);
  expect(() => applyMasks({} as Module)).toThrow(TypeError);
  expect(Object.keys(model.stateDict()).filter((name) => name.includes("mask"))).toEqual([]);
});
