/** A cost of the synaptic operations of a network. */
import {
  AvgPool2d,
  BatchNorm1d,
  Conv2d,
  Flatten,
  LIF,
  Linear,
  Module,
  manualSeed,
  noGrad,
  poissonEncode,
  RecurrentLIF,
  ReLU,
  rand,
  record,
  Sequential,
  synapticOperations,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { profile, synapticCost, toSpiking } from "jarvis-snn/quantize";
import { beforeEach, expect, test } from "vitest";
import { bits } from "../../test/support/tensors.ts";

beforeEach(() => void manualSeed(3));

const neurons = () => new LIF({ beta: 0.8, threshold: 0.3 });

test("synapticCost: operations are those of the profile behind the input, and the output that of forward", () => {
  const model = new Sequential(
    ...[new Conv2d(1, 4, 3, { padding: 1 }), neurons(), new Conv2d(4, 6, 3, { groups: 2 }), neurons()],
    ...[new Flatten(2), new Linear(6 * 16, 12), new RecurrentLIF({ features: 12, threshold: 0.3 }), new Linear(12, 5)],
  );
  const linear = model.modules[5] as Linear;
  linear.weight.copyFrom(linear.weight.toFloat32Array().map((w, i) => (i % 4 === 0 ? 0 : w)));
  const x = noGrad(() => poissonEncode(rand([3, 1, 6, 6]), { timesteps: 5 }));
  const { layers } = profile(model, x);
  const behind = Object.entries(layers).filter(([name]) => name !== "0");
  const expected = behind.reduce((sum, [, { synapticOperations: n }]) => sum + n.effectiveACs, 0);
  const target = expected / 2;
  const { operations, cost, output } = tape(() => synapticCost(model, x, { target, lambda: 3 }));
  expect(expected).toBeGreaterThan(0);
  expect(operations.item()).toBeCloseTo(expected, 2);
  expect(cost.item()).toBeCloseTo(3, 4);
  const plain = noGrad(() => model.forward(x));
  expect(bits(output)).toEqual(bits(plain));
  for (const t of [x, operations, cost, output, plain]) t.dispose();
});

test("synapticCost: gradients are those of the same cost put together by layers", () => {
  const model = new Sequential(new Linear(6, 8), neurons(), new Linear(8, 7), neurons(), new Linear(7, 4));
  const x = noGrad(() => poissonEncode(rand([3, 6]), { timesteps: 5 }));
  const gradients = (costOf: () => Tensor): number[][] => {
    model.zeroGrad();
    tape(() => costOf().backward());
    return model.parameters().map(({ grad }) => [...(grad?.toFloat32Array() ?? [])]);
  };
  const target = 40;
  const found = gradients(() => synapticCost(model, x, { target, lambda: 2 }).cost);
  const expected = gradients(() => {
    const { layers } = record(model, x);
    const n = synapticOperations(layers["1"]?.spikes as Tensor, model.modules[2] as Linear).add(
      synapticOperations(layers["3"]?.spikes as Tensor, model.modules[4] as Linear),
    );
    return n.div(target).sub(1).relu().square().mul(2);
  });
  expect(found[0]?.some((g) => g !== 0)).toBe(true);
  expect(found.flat().length).toBe(expected.flat().length);
  found.flat().forEach((g, i) => void expect(g).toBeCloseTo(expected.flat()[i] as number, 5));
  x.dispose();
});

test("synapticCost: below the target there is no cost, and graded inputs count with their size", () => {
  const model = new Sequential(new Conv2d(1, 2, 1), neurons(), new AvgPool2d(2), new Flatten(2), new Linear(8, 3));
  const x = noGrad(() => poissonEncode(rand([2, 1, 4, 4]), { timesteps: 4 }));
  const { layers } = profile(model, x);
  const { operations, cost } = tape(() => synapticCost(model, x, { target: 1e6 }));
  // After average pooling, each spike is a quarter of an input with three weights.
  expect(operations.item()).toBeCloseTo(((layers["1"]?.spikes as number) / 4) * 3, 3);
  expect(cost.item()).toBe(0);
  for (const t of [x, operations, cost]) t.dispose();
});

test("synapticCost: the numbers do not depend on gradients", () => {
  const model = new Sequential(
    ...[new Conv2d(1, 4, 3, { padding: 1 }), neurons(), new Flatten(2)],
    ...[new Linear(64, 12), new RecurrentLIF({ features: 12, threshold: 0.3 }), new Linear(12, 5)],
  );
  const x = noGrad(() => poissonEncode(rand([3, 1, 4, 4]), { timesteps: 5 }));
  const { layers } = profile(model, x);
  const expected = ["3", "4.recurrent", "5"].reduce(
    (sum, name) => sum + (layers[name]?.synapticOperations.effectiveACs as number),
    0,
  );
  const countOf = (input = x): [number, number] => {
    const { operations, cost, output } = synapticCost(model, input, { target: expected / 2 });
    const found: [number, number] = [operations.item(), cost.item()];
    for (const t of [operations, cost, output]) t.dispose();
    return found;
  };
  const found = [countOf(), noGrad(() => countOf()), tape(() => countOf())];
  const own = tensor(x.toFloat32Array(), { shape: x.shape, requiresGrad: true });
  found.push(
    tape(() => countOf(own)),
    countOf(own),
  );
  for (const p of model.parameters()) p.requiresGrad = false;
  found.push(tape(() => countOf()));
  expect(expected).toBeGreaterThan(0);
  for (const [operations, cost] of found) {
    expect(operations).toBeCloseTo(expected, 2);
    expect(cost).toBeCloseTo(1, 4);
  }
  for (const t of [x, own]) t.dispose();
});

test("synapticCost: all layers that read the input are left out, and inputs of a normalisation are not", () => {
  class Branches extends Module {
    readonly a = new Linear(4, 3);
    readonly b = new Linear(4, 3);
    readonly last = new Linear(3, 2);
    readonly lif = neurons();

    forward(x: Tensor): Tensor {
      return this.last.forward(this.lif.forward(this.a.forward(x).add(this.b.forward(x))));
    }
  }
  const model = new Branches();
  const x = noGrad(() => rand([6, 3, 4]));
  const count = (m: Module, input: Tensor) => noGrad(() => synapticCost(m, input, { target: 1 }).operations.item());
  expect(count(model, x)).toBeCloseTo(profile(model, x).layers.last?.synapticOperations.effectiveACs as number, 3);
  const normalized = new Sequential(new BatchNorm1d(4, { axis: -1 }), new Linear(4, 1)).eval();
  (normalized.modules[1] as Linear).weight.copyFrom([1, 1, 1, 1]);
  const [operations, sum] = noGrad(() => [count(normalized, x), normalized.modules[0]?.forward(x).abs().sum().item()]);
  expect(operations).toBeCloseTo((sum as number) / 3, 3);
  x.dispose();
});

test("synapticCost: samples of a converted network are those of x, and batchAxis is asked for where layers do not tell", () => {
  const ann = new Sequential(new Linear(5, 7), new ReLU(), new Linear(7, 2));
  const x = noGrad(() => rand([20, 5]));
  const model = toSpiking(ann, { data: x, timesteps: 4 });
  const count = (input: Tensor, options = {}) =>
    noGrad(() => synapticCost(model, input, { target: 1, ...options }).operations.item());
  const expected = profile(model, x).layers["3"]?.synapticOperations.effectiveACs as number;
  expect(count(x)).toBeCloseTo(expected, 3);
  expect(count(x, { batchAxis: 0 })).toBe(count(x));
  const sequence = noGrad(() => x.reshape([1, 20, 5]));
  expect(() => synapticCost(new Linear(4, 2), sequence.reshape([5, 5, 4]).slice(0, 0, 3), { target: 1 })).not.toThrow();
  class Folded extends Module {
    readonly fc = new Linear(5, 2);

    forward(z: Tensor): Tensor {
      return this.fc.forward(z.reshape([-1, 5]));
    }
  }
  const images = noGrad(() => rand([3, 4, 5]));
  expect(() => synapticCost(new Folded(), images, { target: 1 })).toThrow(
    "synapticCost: expected batchAxis for an input whose samples no layer tells, got [3, 4, 5] and batches of 12",
  );
  for (const t of [x, sequence, images]) t.dispose();
});

test("synapticCost: arguments are checked, and methods are put back after an error", () => {
  const model = new Sequential(new Linear(2, 2), new LIF());
  const x = noGrad(() => rand([3, 1, 2]));
  expect(() => synapticCost(model, x, {} as { target: number })).toThrow("target must be finite and > 0, got NaN");
  expect(() => synapticCost(model, x, { target: 1, lambda: -1 })).toThrow("lambda must be finite and ≥ 0");
  expect(() => synapticCost(model, x, { target: 1, batchAxis: 3 as 1 })).toThrow("batchAxis 0 or 1, got 3");
  const own = () => {
    throw new Error("own forward");
  };
  (model.modules[1] as LIF).forward = own;
  expect(() => synapticCost(model, x, { target: 1 })).toThrow("own forward");
  expect(Object.keys(model.modules[0] as Linear)).not.toContain("forward");
  x.dispose();
});
