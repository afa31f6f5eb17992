import { describe, expect, test } from "vitest";
import {
  Conv2d,
  full,
  Generator,
  gradcheck,
  Linear,
  Module,
  parameter,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { AdaptiveLIF, Resetting } from "../../test/support/neurons.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { LIF, type LIFRecord, type LIFState, neuron, Recurrent, RecurrentLIF, SpikingLSTM, Stream } from "../index.ts";
import { NeuronRun } from "../neuron/run.ts";
import { quantize } from "../quantize/index.ts";

const [T, B, N] = [12, 2, 5];
const current = (seed: number) => leaf([T, B, N], seed, { low: -0.5, high: 1.5 });
const generator = () => new Generator(1);

describe("recurrent: a LIF is the layer RecurrentLIF", () => {
  test.each(["all", "one"] as const)("%s", (connection) => {
    const options = { features: N, connection, generator: generator() };
    const layers = [
      new RecurrentLIF({ ...options, learnBeta: true }),
      new Recurrent(new LIF({ learnBeta: true }), { ...options, generator: generator() }),
      new Recurrent(new Resetting({ learn: ["beta"], constrain: { beta: [0, 1] } }), {
        ...options,
        generator: generator(),
      }),
    ];
    const w = random([T, B, N], 2);
    const x = current(1);
    const results = layers.map((layer) => {
      x.zeroGrad();
      const spikes = tape(() => {
        const s = layer.forward(x);
        s.mul(w).sum().backward();
        return bits(s);
      });
      const weight = layer.V ?? (layer.recurrent as Linear).weight;
      const beta = layer instanceof RecurrentLIF ? layer.beta : (layer.neuron as LIF).beta;
      return { spikes, gradients: [x, weight, beta].map(gradient) };
    });
    const [want, ...others] = results as [(typeof results)[0], ...typeof results];
    for (const got of others) {
      expect(got.spikes).toEqual(want.spikes);
      got.gradients.forEach((g, i) => {
        expectNear(g, want.gradients[i] as number[], `gradient ${i}`, { absolute: 1e-4, relative: 1e-4 });
      });
    }
    expect(want.gradients.every((g) => g.some((d) => d !== 0))).toBe(true);
  });
});

describe("recurrent: neurons of one's own", () => {
  const layers = {
    all: () => new Recurrent(new AdaptiveLIF({ learn: ["beta"] }), { features: N, generator: generator() }),
    "all, no bias": () => new Recurrent(new AdaptiveLIF(), { features: N, bias: false, generator: generator() }),
    one: () => new Recurrent(new AdaptiveLIF({ refractorySteps: 1 }), { features: N, connection: "one" }),
    "a module": () => new Recurrent(new AdaptiveLIF(), { connection: new Linear(N, N, { generator: generator() }) }),
  };
  test.each(Object.entries(layers))("%s: forward, unroll, step and Stream have the same bits", (_, make) => {
    const layer = make();
    const x = current(3);
    const spikes = layer.forward(x);
    expect(values(spikes)).toContain(1);
    const record = layer.unroll(x);
    expect(bits(record.spikes)).toEqual(bits(spikes));
    expect(bits(record.v.select(0, -1))).toEqual(bits(record.state.v));
    expect(bits(record.state.spikes)).toEqual(bits(spikes.select(0, -1)));
    const stream = new Stream(layer, [B, N]);
    let state = layer.initialState([B, N]);
    for (const [t, now] of x.unbind(0).entries()) {
      const [s, next] = layer.step(now, state);
      expect(bits(s)).toEqual(bits(spikes.select(0, t)));
      expect(bits(stream.step(now.toFloat32Array()).slice())).toEqual(bits(s));
      state = next;
    }
    expect(bits(state.a)).toEqual(bits(record.state.a));
    const first = layer.unroll(x.slice(0, 0, 5));
    expect(bits(layer.unroll(x.slice(0, 5), first.state).spikes)).toEqual(bits(spikes.slice(0, 5)));
  });

  test("are linked by a convolution", () => {
    const layer = new Recurrent(new AdaptiveLIF(), {
      connection: new Conv2d(2, 2, 3, { padding: 1, generator: generator() }),
    });
    const x = leaf([6, 1, 2, 4, 4], 4, { low: -0.5, high: 1.5 });
    const spikes = tape(() => {
      const s = layer.forward(x);
      s.mul(random([6, 1, 2, 4, 4], 5))
        .sum()
        .backward();
      return bits(s);
    });
    expect(layer.parameters().map((p) => gradient(p).some((d) => d !== 0))).toEqual([true, true]);
    expect(spikes).not.toEqual(bits(new AdaptiveLIF().forward(x)));
    expect(layer.namedParameters().map(([name]) => name)).toEqual(["recurrent.weight", "recurrent.bias"]);
  });

  test("have exact gradients where they are smooth", () => {
    const layer = new Recurrent(new AdaptiveLIF({ spiking: false }), { features: 3, generator: generator() });
    const outputs = (x: Tensor) => layer.unroll(x).membrane.add(layer.forward(x));
    gradcheck(outputs, [random([4, 2, 3], 6)]);
  });

  test("leave nothing behind", () => {
    const layer = new Recurrent(new AdaptiveLIF({ learn: ["beta"] }), { features: N, generator: generator() });
    const x = current(7);
    const step = () => tape(() => layer.unroll(x).v.sum().add(layer.forward(x).sum()).backward());
    step();
    expect(bytesKept(step)).toBe(0);
    const outside = () => {
      layer.forward(x).dispose();
      const { state, ...outputs } = layer.unroll(x);
      for (const t of [...Object.values(outputs), ...Object.values(state)]) t.dispose();
    };
    outside(); // which makes the transposed copy of the weights
    expect(bytesKept(outside)).toBe(0);
  });
});

test("recurrent: what does not fit says so", () => {
  const neurons = () => new AdaptiveLIF();
  class Wide extends Module {
    forward(x: Tensor): Tensor {
      return x.select(-1, 0);
    }
  }
  const layer = new Recurrent(neurons(), { features: 3 });
  const state = layer.initialState([2, 3]);
  const cases: [() => unknown, string][] = [
    [() => new Recurrent(neurons(), {}), "Recurrent: expected features as a number, got undefined"],
    [() => new Recurrent(neurons(), { features: 0 }), "Recurrent: features must be a positive integer, got 0"],
    [
      () => new Recurrent(neurons(), { features: 3, connection: "none" as never }),
      'expected connection "all", "one" or a module',
    ],
    [
      () => new Recurrent(neurons(), { features: 3, connection: new Wide() }),
      "a module as the connection has no features",
    ],
    [() => new Recurrent(neurons(), { connection: 1 as never }), "Recurrent: expected a module with forward(x), got 1"],
    [() => new Recurrent(new Linear(3, 3) as never, { features: 3 }), "expected a layer of neurons with step, unroll"],
    [() => new Recurrent(null as never, { features: 3 }), "Recurrent: expected a module with forward(x), got null"],
    [() => layer.forward(zeros([4, 2, 2])), "Recurrent: expected a current [T, B, …, 3], got [4, 2, 2]"],
    [
      () => layer.step(zeros([2, 3]), { ...state, spikes: zeros([3]) }),
      "expected a state spikes of shape [2, 3], got [3]",
    ],
    [() => layer.unroll(zeros([4, 2, 3]), {} as never), "Recurrent: expected a state with spikes as a tensor"],
    [
      () => new Recurrent(neurons(), { connection: new Wide() }).forward(zeros([4, 2, 3])),
      "Recurrent: expected the connection to give [1, 2, 3], got [1, 2]",
    ],
  ];
  for (const [call, message] of cases) expect(() => tape(call), message).toThrow(message);
});

test("recurrent: weights of other sizes in the place of its own are an error", () => {
  const make = (connection: "all" | "one") => new Recurrent(new LIF(), { features: 32, connection });
  const put = (layer: object, name: string, sizes: number[]) => {
    Object.assign(layer, { [name]: parameter(full(sizes, 0.5)) });
  };
  const cases: [connection: "all" | "one", name: "weight" | "bias" | "V", sizes: number[], message: string][] = [
    ["all", "weight", [32, 1], "Recurrent: expected recurrent.weight [32, 32], got [32, 1]"],
    ["all", "weight", [16, 64], "Recurrent: expected recurrent.weight [32, 32], got [16, 64]"],
    ["all", "weight", [64, 64], "Recurrent: expected recurrent.weight [32, 32], got [64, 64]"],
    ["all", "bias", [1], "Recurrent: expected recurrent.bias [32], got [1]"],
    ...[1, 7, 31, 33, 48].map(
      (n) => ["one", "V", [n], `Recurrent: expected V [32], got [${n}]`] as ["one", "V", number[], string],
    ),
  ];
  const x = random([4, 2, 32], 1);
  for (const [connection, name, sizes, message] of cases) {
    const layer = make(connection);
    const state = layer.initialState([2, 32]);
    put(name === "V" ? layer : (layer.recurrent as Linear), name, sizes);
    const calls = [
      () => layer.forward(x),
      () => layer.unroll(x),
      () => layer.step(x.select(0, 0), state),
      () => new Stream(layer, [2, 32]),
      () => tape(() => layer.forward(x).sum().backward()),
    ];
    for (const call of calls) expect(call, `${name} ${sizes}`).toThrow(new RangeError(message));
  }
  const layer = make("all");
  put(layer.recurrent as Linear, "weight", [32, 32]);
  expect(layer.forward(x).shape).toEqual([4, 2, 32]);
});

test("recurrent: rows of neurons are whole, with parameters of one size", () => {
  const { compiled } = new LIF({ beta: tensor([0.5, 0.6, 0.7]) });
  const run = (n: number, ...sizes: number[]) => {
    const parameters = sizes.map((size) => full([size], 0.5));
    return new NeuronRun(compiled, zeros([2, n]), 2, parameters, [null]);
  };
  expect(() => run(8, 3, 1)).toThrow(
    new RangeError("LIF: expected parameters of 1 or N values for a step of 8, got 3"),
  );
  expect(() => run(6, 3, 2)).toThrow(
    new RangeError("LIF: expected parameters of 1 or N values for a step of 6, got 2"),
  );
  expect(run(6, 3, 1).n).toBe(3);
});

test("recurrent: neurons that were quantized after a run feed themselves by their new step, in other models too", () => {
  const make = () => new Recurrent(new LIF({ beta: 0.9 }), { features: 8, connection: "one" });
  const x = random([30, 1, 8], 2, { low: 0, high: 1 });
  const layer = make();
  const other = new Recurrent(layer.neuron, { features: 8, connection: "one" });
  const [before] = [layer, other].map((each) => bits(each.forward(x)));
  quantize(layer.neuron, { state: { bits: 1 } });
  const fresh = make();
  quantize(fresh, { state: { bits: 1 } });
  const want = bits(fresh.forward(x));
  expect(want).not.toEqual(before);
  for (const each of [layer, other]) {
    expect(bits(each.forward(x))).toEqual(want);
    const stream = new Stream(each, [1, 8]);
    const steps = x.unbind(0).flatMap((now) => bits(stream.step(now.toFloat32Array())));
    expect(steps).toEqual(want);
    stream.dispose();
  }
  quantize(layer, { state: null });
  expect(bits(other.forward(x))).toEqual(before);
});

test("recurrent: prints its feedback, shapes and neurons", () => {
  const text = (layer: object, from: number, to?: number): string[] => String(layer).split("\n").slice(from, to);
  const lif = new LIF();
  expect(String(new Recurrent(lif, { features: 3 }))).toBe(
    `Recurrent
  I[t] = current[t] + W·s[t−1] + b
  current [T, B, …, 3], W = layer.recurrent.weight [3, 3], b = layer.recurrent.bias [3]
${lif}`,
  );
  expect(text(new Recurrent(lif, { features: 3, bias: false }), 1, 2)).toEqual(["  I[t] = current[t] + W·s[t−1]"]);
  expect(text(new RecurrentLIF({ features: 3, connection: "one" }), 0, 4)).toEqual([
    "RecurrentLIF",
    "  I[t] = current[t] + V ⊙ s[t−1]",
    "  current [T, B, …, 3], V = layer.V [3]",
    "LIF",
  ]);
  expect(text(new Recurrent(lif, { connection: new Conv2d(2, 2, 3, { padding: 1 }) }), 1, 3)).toEqual([
    "  I[t] = current[t] + Conv2d(s[t−1])",
    "  current [T, B, …]",
  ]);
});

test("recurrent: symbols of the feedback are none of the neuron's", () => {
  const Taken = neuron({
    name: "Taken",
    state: { s: 0 },
    parameters: { I: 1, W: 1, b: 1 },
    step({ current, s, I, W, b, spike }) {
      const u = s.mul(I).add(current);
      return { spikes: spike(u.sub(W)), s: u.mul(b) };
    },
  });
  expect(
    String(new Recurrent(new Taken(), { features: 2 }))
      .split("\n")
      .slice(0, 5),
  ).toEqual([
    "Recurrent",
    "  current[t] = input[t] + W_·spikes[t−1] + b_",
    "  input [T, B, …, 2], W_ = layer.recurrent.weight [2, 2], b_ = layer.recurrent.bias [2]",
    "Taken",
    "  x1 = s·I + current",
  ]);
});

test.each([false, true])("recurrent: symbols of the feedback, with inhibition %s", (inhibition) => {
  const Taken = neuron({
    name: "Taken",
    state: { I: 0, input: 0 },
    parameters: { W: 1 },
    step({ current, I, input, W, spike }) {
      const u = I.mul(W).add(current);
      return { spikes: spike(u), I: u, input };
    },
  });
  const [, fed, shapes, ...lines] = String(new Recurrent(new Taken({ inhibition }), { features: 2 })).split("\n");
  expect(fed).toBe("  current[t] = input_[t] + W_·s[t−1] + b");
  expect(shapes).toContain("input_ [T, B, …, 2], W_ = layer.recurrent.weight");
  expect(lines.join("\n")).toContain(" = I·W + current\n");
});

test("recurrent: neurons without equations are named", () => {
  const layer = new Recurrent(new SpikingLSTM(2, 2) as never, { features: 2 });
  expect(String(layer).split("\n").at(-1)).toBe("SpikingLSTM");
});

test("recurrent: the neurons keep their type", () => {
  const layer = new Recurrent(new LIF({ beta: 0.5 }), { features: 2 });
  const plain: Recurrent<LIFState, LIFRecord> = layer;
  const beta: Tensor = layer.neuron.beta;
  expect(beta.item()).toBe(0.5);
  expect(new RecurrentLIF({ features: 2 }).neuron.threshold.item()).toBe(1);
  expect(new Recurrent(new AdaptiveLIF({ kappa: 0.25 }), { features: 2 }).neuron.kappa.item()).toBe(0.25);
  // @ts-expect-error: any neurons have no such parameter
  expect(plain.neuron.beta).toBe(beta);
});
