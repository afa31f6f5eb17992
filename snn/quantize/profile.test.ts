/** Costs of networks: cases counted by hand, an independent count over every synapse, and the figures of NeuroBench. */
import {
  AvgPool2d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  constantEncode,
  conv2d,
  DataLoader,
  DelayedLinear,
  Flatten,
  LeakyIntegrator,
  LIF,
  Linear,
  linear,
  MaxPool2d,
  Module,
  manualSeed,
  noGrad,
  PSN,
  parameter,
  poissonEncode,
  Recurrent,
  RecurrentLIF,
  ReLU,
  rand,
  record,
  Sequential,
  SpikingLSTM,
  stack,
  type Tensor,
  TensorDataset,
  tensor,
  zeros,
} from "jarvis-snn";
import { Int8, profile, quantize, toSpiking } from "jarvis-snn/quantize";
import { beforeEach, describe, expect, test } from "vitest";
import { bits } from "../../test/support/tensors.ts";

beforeEach(() => void manualSeed(7));

/** A linear layer with these weights. */
function linearOf(weight: number[][], bias = true): Linear {
  const layer = new Linear((weight[0] as number[]).length, weight.length, { bias });
  layer.weight.copyFrom(weight.flat());
  return layer;
}

const operations = (dense: number, effectiveMACs: number, effectiveACs: number) => ({
  dense,
  effectiveMACs,
  effectiveACs,
});

describe("cases counted by hand", () => {
  test("profile: spikes make additions, one for each weight that is not zero", () => {
    const layer = linearOf([
      [0.5, 0, 1],
      [0, 0, 2],
    ]);
    // Two steps of one sample: input 0 has one weight, input 1 none, input 2 two.
    const x = tensor([[[1, 1, 0]], [[1, 0, 1]]]);
    const cost = profile(layer, x, { batchAxis: 1 });
    expect(cost.samples).toBe(1);
    expect(cost.total.synapticOperations).toEqual(operations(2 * 6, 0, 1 + 0 + 1 + 2));
    expect(cost.total.connectionSparsity).toBe(3 / 6);
    expect(cost.total.activationSparsity).toBe(null);
    expect(cost.total.parameterCount).toBe(8);
    expect(cost.total.footprint).toBe(32);
    expect(cost.layers).toEqual({ Linear: { kind: "Linear", ...cost.total } });
    x.dispose();
  });

  test("profile: a step with another value than 0, 1 and −1 makes products", () => {
    const layer = linearOf([
      [1, 1],
      [1, 0],
    ]);
    const x = tensor([[[1, -1]], [[0.5, 1]], [[0, 0]]]);
    expect(profile(layer, x, { batchAxis: 1 }).total.synapticOperations).toEqual(operations(12, 3, 3));
    // With two axes, samples and features, there is one step.
    const flat = x.reshape([3, 2]);
    expect(profile(layer, flat).total.synapticOperations).toEqual(operations(4, 6 / 3, 0));
    for (const t of [flat, x]) t.dispose();
  });

  test("profile: operations are means over samples, and joules those of the operations", () => {
    const layer = linearOf([[1, 1]]);
    const x = tensor([
      [
        [1, 1],
        [0, 1],
        [0, 0],
      ],
      [
        [2, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
    const { total, samples } = profile(layer, x, { batchAxis: 1, joules: { mac: 5, ac: 2 } });
    expect(samples).toBe(3);
    expect(total.synapticOperations).toEqual(operations(4, 1 / 3, 1));
    expect(total.energy).toEqual({ macs: 5 * (1 / 3), acs: 2, updates: 0, total: 5 * (1 / 3) + 2 });
    expect(profile(layer, x, { batchAxis: 1 }).total.energy.acs).toBeCloseTo(0.9e-12, 24);
    expect(profile(layer, x, { batchAxis: 1 }).total.energy.macs).toBeCloseTo(4.6e-12 / 3, 24);
    x.dispose();
  });

  test("profile: padding of a convolution is no input", () => {
    const layer = new Conv2d(1, 1, 3, { padding: 1 });
    layer.weight.copyFrom([0, 1, 0, 1, 1, 1, 0, 1, 0]);
    const x = tensor([1, 0, 0, 1], { shape: [1, 1, 1, 2, 2] });
    // Each place of 2 × 2 lies in four windows of 3 × 3; of the cross, two corners have three weights each.
    expect(profile(layer, x, { batchAxis: 1 }).total.synapticOperations).toEqual(operations(16, 0, 6));
    x.dispose();
  });

  test("profile: spikes and steps of neurons are counted, sparsity is over all neurons", () => {
    const model = new Sequential(
      new LIF({ beta: 0, threshold: 1 }),
      linearOf([[1, 1, 0]]),
      new LIF({ beta: 0, threshold: 2 }),
    );
    const x = tensor([
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
      [
        [1, 0, 0],
        [0, 0, 2],
      ],
    ]);
    const bias = (model.modules[1] as Linear).bias as Tensor;
    bias.copyFrom([0]);
    const { layers, total, order } = profile(model, x, { joules: { update: 3 } });
    expect(order).toEqual(["0", "1", "2"]);
    expect(layers["0"]?.spikes).toBe(5 / 2);
    expect(layers["0"]?.activationSparsity).toBe(1 - 5 / 12);
    expect(layers["0"]?.neuronUpdates).toBe(6);
    expect(layers["1"]?.synapticOperations).toEqual(operations(6, 0, 3 / 2));
    expect(layers["2"]?.spikes).toBe(1 / 2);
    expect(total.activationSparsity).toBe(1 - 6 / 16);
    expect(total.neuronUpdates).toBe(8);
    expect(total.energy.updates).toBe(24);
    x.dispose();
  });

  test("profile: a recurrent connection gets the spikes of the step before", () => {
    const layer = new RecurrentLIF({ features: 2, beta: 0, threshold: 1 });
    (layer.recurrent as Linear).weight.copyFrom([0, 0, 0, 0.1]);
    (layer.recurrent as Linear).bias?.copyFrom([0, 0]);
    const x = tensor([[[1, 1]], [[0, 1]], [[1, 1]]]);
    const { total, layers } = profile(layer, x);
    expect(total.spikes).toBe(5);
    // Neuron 1 fires in the steps 0 and 1; its spike of step 2 is too late, and neuron 0 has no weight.
    expect(layers.recurrent?.synapticOperations).toEqual(operations(12, 0, 2));
    expect(total.synapticOperations).toEqual(operations(12, 0, 2));
    const own = new RecurrentLIF({ features: 2, beta: 0, threshold: 1, connection: "one" });
    own.V?.copyFrom([0.1, 0]);
    expect(profile(own, x).total.synapticOperations).toEqual(operations(6, 0, 1));
    x.dispose();
  });
});

/** The operations of a convolution or a product, by loops over every synapse. */
function counted(
  x: { shape: readonly number[]; data: Float32Array },
  weight: { shape: readonly number[]; data: Float32Array },
  { stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1 } = {},
): { dense: number; effective: number } {
  const [C, H, W] = x.shape.slice(-3) as [number, number, number];
  const [O, I, kH, kW] = weight.shape as [number, number, number, number];
  const rows = x.data.length / (C * H * W);
  const out = (n: number, k: number, a: 0 | 1) =>
    Math.floor((n + 2 * (padding[a] as number) - (dilation[a] as number) * (k - 1) - 1) / (stride[a] as number)) + 1;
  let [dense, effective] = [0, 0];
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < O; o++)
      for (let y = 0; y < out(H, kH, 0); y++)
        for (let z = 0; z < out(W, kW, 1); z++)
          for (let i = 0; i < I; i++)
            for (let a = 0; a < kH; a++)
              for (let b = 0; b < kW; b++) {
                const row = y * (stride[0] as number) + a * (dilation[0] as number) - (padding[0] as number);
                const column = z * (stride[1] as number) + b * (dilation[1] as number) - (padding[1] as number);
                if (row < 0 || row >= H || column < 0 || column >= W) continue;
                dense++;
                const channel = Math.floor(o / (O / groups)) * I + i;
                const value = x.data[((r * C + channel) * H + row) * W + column];
                if (value !== 0 && weight.data[((o * I + i) * kH + a) * kW + b] !== 0) effective++;
              }
  return { dense, effective };
}

const arrayOf = (t: Tensor) => ({ shape: t.shape, data: t.toFloat32Array() });

/** Sets every third weight to zero. */
function thinned<M extends { weight: Tensor }>(layer: M): M {
  layer.weight.copyFrom(layer.weight.toFloat32Array().map((w, i) => (i % 3 === 1 ? 0 : w)));
  return layer;
}

describe("a loop over every synapse", () => {
  const WINDOWS = [
    {},
    { stride: 2 },
    { padding: 2 },
    { dilation: 2 },
    { groups: 2 },
    { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 },
  ] as const;

  test.each(WINDOWS)("profile: convolutions over images with %j", (options) => {
    const layer = thinned(new Conv2d(4, 6, [3, 2], options));
    const x = noGrad(() => poissonEncode(rand([2, 4, 7, 6]).mul(0.4), { timesteps: 3 }));
    const pairs = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [
        name,
        name === "groups" || typeof value !== "number" ? value : [value, value],
      ]),
    );
    const { dense, effective } = counted(arrayOf(x), arrayOf(layer.weight), pairs);
    expect(effective).toBeGreaterThan(0);
    expect(effective).toBeLessThan(dense);
    expect(profile(layer, x, { batchAxis: 1 }).total.synapticOperations).toEqual(
      operations(dense / 2, 0, effective / 2),
    );
    x.dispose();
  });

  test("profile: convolutions over signals, values and spikes", () => {
    const layer = thinned(new Conv1d(2, 3, 3, { padding: 1, stride: 2 }));
    const x = noGrad(() => rand([2, 5, 2, 9]).sub(0.5).relu());
    const image = { shape: [10, 2, 1, 9], data: x.toFloat32Array() };
    const kernel = { shape: [3, 2, 1, 3], data: layer.weight.toFloat32Array() };
    const { dense, effective } = counted(image, kernel, { stride: [1, 2], padding: [0, 1] });
    expect(profile(layer, x, { batchAxis: 1 }).total.synapticOperations).toEqual(
      operations(dense / 5, effective / 5, 0),
    );
    x.dispose();
  });

  test("profile: a network of all kinds of layers, in total and by layer", () => {
    const first = thinned(new Conv2d(1, 4, 3, { padding: 1 }));
    const second = thinned(new Conv2d(4, 6, 3, { groups: 2 }));
    const head = thinned(new Linear(6 * 4, 5));
    const neurons = () => new LIF({ beta: 0.8, threshold: 0.3 });
    const model = new Sequential(
      ...[first, new BatchNorm2d(4), new MaxPool2d(2), neurons()],
      ...[second, new AvgPool2d(2), neurons()],
      ...[new Flatten(2), head, new LeakyIntegrator()],
    );
    const x = noGrad(() => constantEncode(rand([3, 1, 12, 12]), { timesteps: 4 }));
    const { layers } = noGrad(() => record(model.eval(), x));
    const spikes = [layers["3"]?.spikes, layers["6"]?.spikes] as Tensor[];
    const cost = profile(model, x);
    const expected = [
      counted({ shape: x.shape, data: x.toFloat32Array() }, arrayOf(first.weight), { padding: [1, 1] }),
      counted(arrayOf(spikes[0] as Tensor), arrayOf(second.weight), { groups: 2 }),
      counted(
        { shape: [12, 24, 1, 1], data: (spikes[1] as Tensor).toFloat32Array() },
        { shape: [5, 24, 1, 1], data: head.weight.toFloat32Array() },
      ),
    ] as const;
    const found = ["0", "4", "8"].map((name) => cost.layers[name]?.synapticOperations);
    expect(found).toEqual(
      expected.map(({ dense, effective }, i) =>
        operations(dense / 3, i === 0 ? effective / 3 : 0, i === 0 ? 0 : effective / 3),
      ),
    );
    expect(found.every((each) => (each?.effectiveACs as number) + (each?.effectiveMACs as number) > 0)).toBe(true);
    const fired = spikes.map((t) => t.toFloat32Array().reduce((sum, s) => sum + s, 0) / 3);
    expect([cost.layers["3"]?.spikes, cost.layers["6"]?.spikes]).toEqual(fired);
    const outputs = spikes.reduce((sum, t) => sum + t.size, 0) / 3;
    expect(cost.total.activationSparsity).toBeCloseTo(1 - ((fired[0] as number) + (fired[1] as number)) / outputs, 12);
    expect(cost.total.synapticOperations.dense).toBeCloseTo(
      expected.reduce((sum, { dense }) => sum + dense / 3, 0),
      9,
    );
    expect(cost.total.parameterCount).toBe(model.parameters().reduce((sum, p) => sum + p.size, 0));
    expect(cost.total.footprint).toBe(
      4 * Object.values(model.stateDict()).reduce((sum, { data }) => sum + data.length, 0),
    );
    expect(cost.uncounted).toEqual([]);
  });
});

/** Runs its layers step by step. */
class ByHand extends Module {
  readonly fc = thinned(new Linear(5, 4));
  readonly hidden = new RecurrentLIF({ features: 4, beta: 0.9, threshold: 0.2 });

  forward(x: Tensor): Tensor {
    let state = this.hidden.initialState([x.shape[1] as number, 4]);
    return stack(
      x.unbind(0).map((now) => {
        const [spikes, next] = this.hidden.step(this.fc.forward(now), state);
        state = next;
        return spikes;
      }),
    );
  }
}

describe("the way a model runs", () => {
  test("profile: steps by hand cost the same as a sequence", () => {
    const model = new ByHand();
    const x = noGrad(() => poissonEncode(rand([6, 5]), { timesteps: 9 }));
    const byHand = profile(model, x);
    const sequence = profile(new Sequential(model.fc, model.hidden), x);
    expect(byHand.total).toEqual(sequence.total);
    expect(byHand.layers["hidden.recurrent"]?.synapticOperations.effectiveACs).toBeGreaterThan(0);
    x.dispose();
  });

  test("profile: a connection by a module costs the same as one by weights", () => {
    const layer = new RecurrentLIF({ features: 4, beta: 0.9, threshold: 0.2 });
    const same = new Recurrent(new LIF({ beta: 0.9, threshold: 0.2 }), {
      connection: new Sequential(layer.recurrent as Linear),
    });
    const x = noGrad(() => rand([9, 6, 4]));
    expect(profile(same, x).total.synapticOperations).toEqual(profile(layer, x).total.synapticOperations);
    expect(profile(same, x).total.synapticOperations.effectiveACs).toBeGreaterThan(0);
    x.dispose();
  });

  test("profile: delays move operations, and a spiking LSTM multiplies its membrane", () => {
    const delayed = thinned(new DelayedLinear(5, 4, { maxDelay: 3 }));
    const plain = new Linear(5, 4);
    plain.weight.copyFrom(delayed.weight.toFloat32Array());
    const x = noGrad(() => poissonEncode(rand([6, 5]), { timesteps: 9 }));
    const options = { batchAxis: 1 } as const;
    expect(profile(delayed, x, options).total.synapticOperations).toEqual(
      profile(plain, x, options).total.synapticOperations,
    );
    expect(profile(delayed, x, options).total.connectionSparsity).toBe(
      profile(plain, x, options).total.connectionSparsity,
    );
    const lstm = new SpikingLSTM(5, 3);
    const { synapticOperations } = profile(lstm, x).total;
    expect(synapticOperations.dense).toBe(9 * 12 * (5 + 3));
    // The membrane is 0 only in the first step.
    expect(synapticOperations.effectiveMACs).toBe(8 * 12 * 3);
    expect(synapticOperations.effectiveACs).toBe((12 * x.toFloat32Array().reduce((sum, s) => sum + s, 0)) / 6);
    expect(profile(lstm, x).uncounted).toEqual([]);
    x.dispose();
  });

  test("profile: a loader gives the same means as one tensor, and encode makes the input", () => {
    const model = new Sequential(
      thinned(new Linear(6, 8)),
      new LIF({ threshold: 0.2 }),
      thinned(new Linear(8, 3)),
      new LIF(),
    );
    const values = new Float32Array(42).map((_, i) => ((i * 7) % 11) / 11);
    const dataset = new TensorDataset(values, new Uint8Array(7), { shape: [6] });
    const encode = (x: Tensor) => constantEncode(x, { timesteps: 5 });
    const whole = noGrad(() => encode(tensor(values, { shape: [7, 6] })));
    const expected = profile(model, whole);
    const found = [
      profile(model, dataset, { encode }),
      profile(model, new DataLoader(dataset, { batchSize: 3 }), { encode }),
    ];
    for (const { total, samples } of found) {
      expect(samples).toBe(7);
      expect(total.spikes).toBeCloseTo(expected.total.spikes, 9);
      expect(total.synapticOperations.dense).toBeCloseTo(expected.total.synapticOperations.dense, 9);
      expect(total.synapticOperations.effectiveACs).toBeCloseTo(expected.total.synapticOperations.effectiveACs, 9);
      expect(total.synapticOperations.effectiveMACs).toBeCloseTo(expected.total.synapticOperations.effectiveMACs, 9);
    }
    whole.dispose();
  });

  test("profile: the model is as before, and so is one that throws", () => {
    const model = new Sequential(new Linear(3, 4), new RecurrentLIF({ features: 4 }), new Linear(4, 2));
    const x = noGrad(() => rand([5, 2, 3]));
    const output = noGrad(() => model.forward(x));
    const methods = () => model.namedModules().map(([, m]) => [Object.keys(m), m.forward]);
    const before = methods();
    model.train();
    profile(model, x);
    expect(methods()).toEqual(before);
    expect(model.training).toBe(true);
    const again = noGrad(() => model.forward(x));
    expect(bits(again)).toEqual(bits(output));
    const own = () => {
      throw new Error("own forward");
    };
    (model.modules[2] as Module).forward = own;
    expect(() => profile(model, x)).toThrow("own forward");
    expect((model.modules[2] as Module).forward).toBe(own);
    expect(methods().slice(0, 4)).toEqual(before.slice(0, 4));
    for (const t of [x, output, again]) t.dispose();
  });

  test("profile: weights whose products no layer shows are named", () => {
    class Own extends Module {
      readonly inner = new Linear(3, 3);
      readonly psn = new PSN({ timesteps: 4 });

      forward(x: Tensor): Tensor {
        return this.psn.forward(x.matmul(this.inner.weight));
      }
    }
    const x = zeros([4, 2, 3]);
    const model = new Own();
    expect(profile(model, x).uncounted).toEqual(["inner.weight", "psn.weight"]);
    x.dispose();
  });
});

describe("layers of one's own", () => {
  class Scaled extends Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Twice extends Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(super.forward(x));
    }
  }
  class Standardised extends Conv2d {
    override forward(x: Tensor): Tensor {
      return conv2d(x, this.weight.sub(this.weight.mean()));
    }
  }
  class Louder extends SpikingLSTM {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Own extends RecurrentLIF {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Cell extends Module {
    readonly weight_ih = parameter(rand([6, 4]));
    readonly weight_hh = parameter(rand([6, 6]));

    forward(x: Tensor): Tensor {
      return linear(linear(x, this.weight_ih), this.weight_hh);
    }
  }
  const uncounted = (model: Module, shape: number[], options = {}) => {
    const x = noGrad(() => rand(shape));
    const cost = profile(model, x, options);
    x.dispose();
    expect(cost.total.synapticOperations).toEqual(operations(0, 0, 0));
    return cost.uncounted;
  };

  test("profile: weights of a subclass with a forward of its own are named, not counted", () => {
    expect(uncounted(new Scaled(4, 4), [3, 4])).toEqual(["weight"]);
    expect(uncounted(new Twice(4, 4), [3, 4])).toEqual(["weight"]);
    expect(uncounted(new Standardised(2, 3, 3), [2, 2, 5, 5])).toEqual(["weight"]);
    expect(uncounted(new Cell(), [3, 4])).toEqual(["weight_ih", "weight_hh"]);
    expect(uncounted(new Louder(4, 3), [5, 2, 4])).toEqual(["lstm_cell.weight_ih", "lstm_cell.weight_hh"]);
    expect(uncounted(new Own({ features: 4, connection: "one" }), [5, 2, 4])).toEqual(["V"]);
  });

  test("profile: a shared weight is counted where a layer that is known multiplies by it", () => {
    const layer = new Linear(4, 4);
    const tied = new Scaled(4, 4);
    Object.defineProperty(tied, "weight", { value: layer.weight, enumerable: true });
    const x = noGrad(() => rand([3, 4]));
    const cost = profile(new Sequential(tied, layer), x);
    expect(cost.uncounted).toEqual([]);
    expect(cost.total.synapticOperations.dense).toBe(16);
    x.dispose();
  });
});

test("profile: Int8 has the operations of weights on a grid of eight bits, in a quarter of the memory", () => {
  const layers = () => [
    ...[thinned(new Conv2d(2, 4, 3, { padding: 1, groups: 2 })), new LIF({ threshold: 0.3 }), new Flatten(2)],
    thinned(new Linear(4 * 25, 3)),
  ];
  const float = new Sequential(...layers());
  const int8 = new Int8(float);
  quantize(float, { weights: { bits: 8 } });
  const x = noGrad(() => poissonEncode(rand([2, 2, 5, 5]), { timesteps: 4 }));
  const [expected, found] = [profile(float, x), profile(int8, x)];
  expect(found.uncounted).toEqual([]);
  expect(found.total).toEqual(expected.total);
  expect(found.total.synapticOperations.effectiveACs).toBeGreaterThan(0);
  expect(found.total.footprint).toBe(4 * 9 + 16 + 16 + 8 + 300 + 12 + 12);
  const signal = noGrad(() => poissonEncode(rand([2, 3, 9]), { timesteps: 4 }));
  const conv = thinned(new Conv1d(3, 2, 3, { stride: 2, dilation: 2 }));
  const options = { batchAxis: 1 } as const;
  expect(profile(new Int8(conv), signal, options).total.synapticOperations).toEqual(
    profile(conv, signal, options).total.synapticOperations,
  );
  class Unused extends Module {
    readonly inner = int8;
    readonly lif = new LIF();

    forward(z: Tensor): Tensor {
      return this.lif.forward(z);
    }
  }
  expect(profile(new Unused(), x).uncounted).toEqual(["inner.0.weight", "inner.3.weight"]);
  int8.dispose();
  for (const t of [x, signal]) t.dispose();
});

test("profile: weights on a grid take their bits and scales, and what rounds to zero is no connection", () => {
  const model = new Sequential(new Linear(10, 4), new ReLU(), new Linear(4, 2, { bias: false }));
  (model.modules[2] as Linear).weight.copyFrom([1, 0.1, 0, -1, 0.05, 1, 1, 1]);
  const x = noGrad(() => rand([5, 10]));
  expect(profile(model, x).total.footprint).toBe(4 * (40 + 4 + 8));
  quantize(model, { weights: { bits: 3 } });
  const { total, layers } = profile(model, x);
  // 3 bits per weight, a scale for each row.
  expect(total.footprint).toBe(15 + 16 + 16 + 3 + 8);
  expect(layers["2"]?.connectionSparsity).toBe(3 / 8);
  expect(layers["1"]?.spikes).toBe(0);
  expect(layers["1"]?.activationSparsity).toBe(total.activationSparsity);
  x.dispose();
});

describe("samples", () => {
  const samplesOf = (model: Module, shape: number[], options = {}): number => {
    const x = noGrad(() => rand(shape));
    const { samples } = profile(model, x, options);
    x.dispose();
    return samples;
  };
  const spiking = (timesteps: number): Module => {
    const model = new Sequential(new Linear(5, 7), new ReLU(), new Linear(7, 2));
    const data = noGrad(() => rand([8, 5]));
    const converted = toSpiking(model, { data, timesteps });
    data.dispose();
    return converted;
  };

  test("profile: a converted network repeats samples [B, …], and takes sequences [T, B, …] too", () => {
    expect(samplesOf(spiking(3), [100, 5])).toBe(100);
    expect(samplesOf(spiking(3), [4, 100, 5])).toBe(100);
    expect(samplesOf(spiking(3), [5, 5])).toBe(5);
    const x = noGrad(() => rand([100, 5]));
    const sequence = noGrad(() => constantEncode(x, { timesteps: 3 }));
    expect(profile(spiking(3), x).total.synapticOperations.dense).toBe(3 * (35 + 14));
    expect(profile(spiking(3), sequence).total.synapticOperations.dense).toBe(3 * (35 + 14));
    for (const t of [x, sequence]) t.dispose();
  });

  class Through extends Module {
    private readonly to: (x: Tensor) => Tensor;
    private readonly inner: Module;

    constructor(to: (x: Tensor) => Tensor, inner: Module) {
      super();
      this.to = to;
      this.inner = inner;
    }

    forward(x: Tensor): Tensor {
      return this.inner.forward(this.to(x));
    }
  }

  test("profile: a model that puts time in front has its samples in front", () => {
    const model = new Through((x) => x.transpose(0, 1), new Sequential(new Linear(3, 2), new LIF()));
    expect(samplesOf(model, [6, 4, 3])).toBe(6);
    expect(samplesOf(model, [4, 6, 3])).toBe(4);
  });

  test("profile: where another axis is part of the batch, batchAxis is asked for", () => {
    const folded = (inner: Module) => new Through((x) => x.reshape([x.shape[0] as number, -1, 3]), inner);
    const model = folded(new Sequential(new Linear(3, 2), new LIF()));
    const expected =
      "profile: expected batchAxis for an input whose samples no layer tells, got [8, 4, 2, 3] and batches of 8";
    expect(() => samplesOf(model, [8, 4, 2, 3])).toThrow(expected);
    expect(samplesOf(model, [8, 4, 2, 3], { batchAxis: 1 })).toBe(4);
    expect(() => samplesOf(new Linear(3, 2), [4, 6, 3])).toThrow("got [4, 6, 3] and no batch that all layers have");
    expect(samplesOf(new Linear(3, 2), [4, 6, 3], { batchAxis: 1 })).toBe(6);
    expect(samplesOf(new Linear(3, 2), [6, 3])).toBe(6);
  });
});

test("profile: targets that do not fit the samples are an error, and a size decides", () => {
  const x = noGrad(() => rand([50, 4]));
  const model = new Linear(4, 2);
  expect(() => profile(model, [{ x, y: [0] }])).toThrow(
    "profile: expected as many targets as samples, 50, or the size of the batch, got 1",
  );
  expect(profile(model, [{ x, y: [0], size: 50 }]).samples).toBe(50);
  expect(profile(model, [{ x, y: null }]).samples).toBe(50);
  const sequence = noGrad(() => rand([7, 50, 4]));
  const spiking = new Sequential(new Linear(4, 2), new LIF());
  expect(profile(spiking, [{ x: sequence, y: null }]).samples).toBe(50);
  expect(() => profile(spiking, [{ x: sequence, y: new Uint8Array(7) }])).toThrow("as samples, 50,");
  expect(profile(model, [{ x: sequence, y: null }], { batchAxis: 1 }).samples).toBe(50);
  for (const t of [x, sequence]) t.dispose();
});

test("profile: arguments are checked", () => {
  const model = new Linear(2, 2);
  const x = zeros([3, 2]);
  expect(() => profile(model, [])).toThrow("no batches");
  expect(() => profile(model, x, { batchAxis: 2 as 1 })).toThrow("batchAxis 0 or 1, got 2");
  expect(() => profile(model, x, { joules: { mac: -1 } })).toThrow("joules.mac must be finite and ≥ 0, got -1");
  expect(() => profile(model, x, { joules: { mult: 1 } as object })).toThrow(TypeError);
  expect(() => profile({} as Module, x)).toThrow(TypeError);
  expect(() => profile(model, 3 as unknown as Tensor)).toThrow(TypeError);
  x.dispose();
});
