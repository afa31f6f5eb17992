import { describe, expect, test } from "vitest";
import {
  Conv1d,
  Conv2d,
  full,
  Generator,
  Linear,
  ones,
  parameter,
  rand,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { patchesOf, perPlace } from "../../test/support/patches.ts";
import { RuleOnTensors } from "../../test/support/rule-on-tensors.ts";
import { bytesKept } from "../../test/support/tensors.ts";
import type { PlasticOptions, Rule } from "../index.ts";
import { LIF, Plastic, PlasticLayer, plasticity, RewardSTDP, STDP, Stream } from "../index.ts";

const generator = new Generator(11);
const spikes = (shape: number[], rate: number) => rand(shape, { generator }).lt(rate).add(0);

/** A linear layer with weights in [0, 1]. */
function linear(inputs: number, outputs: number): Linear {
  const layer = new Linear(inputs, outputs, { bias: false });
  layer.weight.copyFrom(rand([outputs, inputs], { generator }).mul(0.8).add(0.1));
  return layer;
}

const Traced = plasticity({
  name: "Traced",
  traces: { x: { of: "pre", tau: "tau" }, y: { of: "post", tau: 10 } },
  synapse: { e: { tau: 30 } },
  parameters: { tau: 20, rate: 0.1 },
  onPre: ({ y }) => ({ e: y.mul(-1) }),
  onPost: ({ x }) => ({ e: x }),
  onReward: ({ e, reward, rate }) => e.mul(reward).mul(rate),
});

test("plastic: a step of silence changes no weight, and costs no sweep over them", () => {
  const layer = linear(6, 4);
  const plastic = new Plastic(layer, new STDP(), { bounds: [0, 1] });
  const before = layer.weight.toFloat32Array();
  const state = plastic.step(zeros([1, 6]), zeros([1, 4]), plastic.initialState(1));
  expect(layer.weight.toFloat32Array()).toEqual(before);
  expect(state.time).toBe(1);
});

test("plastic: a spike before and one behind it change the weight between them by the trace, in the order of their times", () => {
  const layer = linear(3, 2);
  const plastic = new Plastic(layer, new STDP({ aPlus: 0.1, aMinus: 0.05, tauPlus: 10, tauMinus: 10 }), {
    bounds: [0, 1],
  });
  const [w0] = layer.weight.toArray() as number[][];
  let state = plastic.initialState(1);
  state = plastic.step(tensor([[0, 1, 0]]), tensor([[0, 0]]), state);
  for (let t = 0; t < 4; t++) state = plastic.step(zeros([1, 3]), zeros([1, 2]), state);
  state = plastic.step(zeros([1, 3]), tensor([[1, 0]]), state);
  const [w1] = layer.weight.toArray() as number[][];
  expect(w1?.[1]).toBeCloseTo((w0?.[1] as number) + 0.1 * Math.exp(-0.5), 6);
  expect(w1?.[0]).toBe(w0?.[0]);
  state = plastic.step(tensor([[1, 0, 0]]), zeros([1, 2]), state);
  const [w2] = layer.weight.toArray() as number[][];
  expect(w2?.[0]).toBeCloseTo((w0?.[0] as number) - 0.05 * Math.exp(-0.1), 6);
});

describe.each([
  ["Conv1d", () => new Conv1d(2, 3, 3, { stride: 2, padding: 1, bias: false }), [2, 7]],
  ["Conv2d", () => new Conv2d(2, 3, [2, 3], { padding: [1, 0], dilation: [2, 1], bias: false }), [2, 5, 6]],
] as const)("%s", (_, make, shape) => {
  test("plastic: a convolution adds up what each place of its window changes", () => {
    const layer = make();
    const [O = 0, ...kernel] = layer.weight.shape;
    const inputs = kernel.reduce((n, size) => n * size, 1);
    const batch = 2;
    const rule = new STDP({ aPlus: 0.02, aMinus: 0.03, dependence: "weight", order: "after" });
    const plastic = new Plastic(layer, rule);
    const places = layer.forward(zeros([1, ...shape])).size / O;
    const reference = new RuleOnTensors(
      { rule, outputs: O, inputs, batch, places, bounds: null, mean: false },
      layer.weight.toFloat32Array(),
    );
    let state = plastic.initialState([batch, ...shape]);
    for (let t = 0; t < 6; t++) {
      const pre = spikes([batch, ...shape], 0.3);
      const post = spikes([batch, ...layer.forward(pre).shape.slice(1)], 0.3);
      state = plastic.step(pre, post, state);
      reference.step({ pre: patchesOf(layer, pre), post: perPlace(post) });
      const [got, expected] = [layer.weight.toFloat32Array(), reference.weight];
      expected.forEach((w, i) => expect(got[i]).toBeCloseTo(w, 6));
    }
  });
});

describe.each([
  ["the defaults", {}],
  ["BindsNET's", { numerics: "bindsnet" }],
] as const)("%s", (_, options) => {
  test("plastic: a 1×1 convolution on one place learns as a Linear of one synapse, where a reward comes before the traces", () => {
    const [convolution, synapse] = [new Conv2d(1, 1, 1, { bias: false }), new Linear(1, 1, { bias: false })];
    const [conv, linear] = [convolution, synapse].map((layer) => {
      layer.weight.copyFrom([0.5]);
      return new Plastic(layer, new RewardSTDP({ ...options, eta: 1, rewardAfter: "nothing" }));
    }) as [Plastic, Plastic];
    let [ofImages, ofNeurons] = [conv.initialState([1, 1, 1, 1]), linear.initialState(1)];
    for (const [x, y] of [
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 1],
      [1, 0],
      [0, 0],
    ] as const) {
      ofImages = conv.step(tensor([[[[x]]]]), tensor([[[[y]]]]), ofImages, { reward: 1 });
      ofNeurons = linear.step(tensor([[x]]), tensor([[y]]), ofNeurons, { reward: 1 });
      expect(convolution.weight.item()).toBe(synapse.weight.item());
    }
    expect(synapse.weight.item()).not.toBe(0.5);
  });
});

describe("a synapse", () => {
  /** A connection of one synapse. */
  const one = (rule: Rule, options: PlasticOptions = {}, w = 0.5) => {
    const layer = new Linear(1, 1, { bias: false });
    layer.weight.copyFrom([w]);
    return { layer, plastic: new Plastic(layer, rule, options), weight: () => layer.weight.item() };
  };
  const [on, off] = [tensor([[1]]), tensor([[0]])];

  test("plastic: a reward reaches changes at spikes and of the step", () => {
    const Factors = plasticity({
      name: "Factors",
      traces: {},
      parameters: {},
      onPre: ({ reward }) => reward,
      onStep: ({ reward }) => reward.mul(10),
    });
    const { plastic, weight } = one(new Factors(), {}, 0);
    let state = plastic.step(on, off, plastic.initialState(1), { reward: 0.5 });
    expect(weight()).toBeCloseTo(5.5, 6);
    state = plastic.step(on, off, state);
    expect(weight()).toBeCloseTo(5.5, 6);
  });

  test("plastic: a reward between events meets what has decayed until then, whether it comes before events or behind", () => {
    for (const rewardAfter of ["events", "nothing"] as const) {
      const { plastic, weight } = one(new Traced({ rewardAfter, rate: 1 }), {}, 0);
      plastic.events([0, 5, 65], ["pre", "post", { reward: 2 }]);
      expect(weight()).toBeCloseTo(2 * Math.exp(-5 / 20) * Math.exp(-60 / 30), 5);
    }
  });

  test("plastic: bounds hold behind events and steps, with a decay of weights too", () => {
    const { plastic, weight } = one(new STDP({ aPlus: 5 }), { bounds: [0, 1], weightDecay: 0.1 });
    const state = plastic.events([0, 1], ["pre", "post"]);
    expect(weight()).toBe(1);
    plastic.step(off, off, state);
    expect(weight()).toBeCloseTo(0.9, 6);
  });

  test("plastic: what is written to a parameter counts in the next step, and a parameter that was freed is an error", () => {
    const Fixed = plasticity({ name: "Fixed", traces: {}, parameters: { by: 1 }, onPre: ({ by }) => by });
    const rule = new Fixed();
    const { plastic, weight } = one(rule, {}, 0);
    const state = plastic.step(on, off, plastic.initialState(1));
    rule.by.copyFrom([0.25]);
    const next = plastic.step(on, off, state);
    expect(weight()).toBe(1.25);
    rule.by.dispose();
    expect(() => plastic.step(on, off, next)).toThrow(/freed/);
  });

  test("plastic: changes that are kept are applied with the next ones; the mean needs batches of one size", () => {
    const { plastic, weight } = one(new STDP({ aPlus: 0.1, order: "after" }), { reduction: "mean" });
    let state = plastic.step(on, on, plastic.initialState(1), { apply: false });
    expect(weight()).toBe(0.5);
    const [x, y] = [zeros([2, 1]), zeros([2, 1])];
    expect(() => plastic.step(x, y, plastic.initialState(2))).toThrow(
      /the batch of the changes that were kept, 1, got 2/,
    );
    state = plastic.step(off, off, state);
    expect(weight()).toBeCloseTo(0.5 + 0.1 - 0.012, 6);
  });

  test("plastic: a trace may be the input of its own step", () => {
    const [first, second] = [one(new STDP()), one(new STDP())];
    const state = first.plastic.step(on, off, first.plastic.initialState(1));
    const x = state.traces.x as Tensor;
    const copy = second.plastic.step(on, off, second.plastic.initialState(1));
    const next = second.plastic.step(x.clone(), off, copy);
    expect(first.plastic.step(x, off, state).traces.x?.item()).toBe(next.traces.x?.item());
  });

  test("plastic: a state that has become infinite is named, and is used up", () => {
    const Growing = plasticity({
      name: "Growing",
      traces: {},
      synapse: { e: { tau: 10 } },
      parameters: {},
      onPre: ({ e }) => ({ e: e.add(1).mul(1e30) }),
    });
    const { plastic } = one(new Growing());
    const state = plastic.step(on, off, plastic.initialState(1));
    expect(() => plastic.step(on, off, state)).toThrow(/Growing\.step: expected a finite state e, got Infinity at 0/);
    expect(() => plastic.step(on, off, state)).toThrow(/used up/);
  });

  test("plastic: rewards that no function reads, sums that no factor gives, states that share a tensor are errors", () => {
    const { plastic } = one(new STDP());
    const state = plastic.initialState(1);
    expect(() => plastic.step(on, off, state, { reward: 1 })).toThrow(/no reward for a rule that reads none, got 1/);
    expect(() => plastic.events([1], [{ reward: 1 }])).toThrow(/no reward/);
    const { x } = state.traces;
    expect(() => plastic.step(on, off, { ...state, traces: { x, y: x } as never })).toThrow(
      /a tensor of its own for traces\.y/,
    );
    const tiny = one(new STDP(), { normalize: { sum: 10, every: Infinity } }, 1e-42);
    expect(() => tiny.plastic.normalize()).toThrow(
      /weights that can have the sum 10, got Σ \|w\| = 1\S*e-42 of neuron 0/,
    );
    expect(tiny.weight()).toBeCloseTo(1e-42, 44);
    expect(() => one(new STDP(), { bounds: [1, 1 + 1e-12] })).toThrow(/low < high/);
    expect(() =>
      one(new Traced()).plastic.step(on, off, one(new Traced()).plastic.initialState(1), { reward: 1e39 }),
    ).toThrow(/reward.*float32/);
  });

  test("plastic layer: a reward or a weight that is wrong is an error before the neurons of a stream move", () => {
    const layer = linear(3, 2);
    const rewarded = new PlasticLayer(new Plastic(layer, new Traced()), new LIF({ threshold: 10 }));
    const stream = new Stream(rewarded, [1, 3]);
    const other = new PlasticLayer(new Plastic(linear(3, 2), new Traced()), new LIF({ threshold: 10 }));
    other.plastic.layer.weight.copyFrom(layer.weight);
    rewarded.reward = [1, 2];
    expect(() => stream.step([1, 1, 1])).toThrow(/1 of them, one for each sample, got 2/);
    rewarded.reward = undefined;
    layer.weight.copyFrom([Number.NaN, 1, 1, 1, 1, 1]);
    expect(() => stream.step([1, 1, 1])).toThrow(/finite weights, got NaN at \[0, 0\]/);
    layer.weight.copyFrom(other.plastic.layer.weight);
    const expected = new Stream(other, [1, 3]);
    for (let t = 0; t < 20; t++) expect([...stream.step([1, 1, 1])]).toEqual([...expected.step([1, 1, 1])]);
    expect(layer.weight.toFloat32Array()).toEqual(other.plastic.layer.weight.toFloat32Array());
    stream.dispose();
    expected.dispose();
  });
});

describe("plastic layer", () => {
  const network = () => {
    const layer = linear(20, 8);
    return new PlasticLayer(
      new Plastic(layer, new STDP({ aPlus: 0.05 }), { bounds: [0, 1] }),
      new LIF({ beta: 0.9, threshold: 2 }),
    );
  };

  test("plastic layer: forward, step and Stream give the same spikes and the same weights, to the bit", () => {
    const x = spikes([30, 1, 20], 0.2);
    const [whole, stepped, streamed] = [network(), network(), network()];
    for (const other of [stepped, streamed]) other.plastic.layer.weight.copyFrom(whole.plastic.layer.weight);
    const first = whole.plastic.layer.weight.toFloat32Array();
    const all = whole.forward(x).toFloat32Array();
    let state = stepped.initialState([1, 20]);
    const stream = new Stream(streamed, [1, 20]);
    x.unbind(0).forEach((now, t) => {
      const [s, next] = stepped.step(now, state);
      state = next;
      expect([...s.toFloat32Array()]).toEqual([...all.subarray(8 * t, 8 * t + 8)]);
      expect([...stream.step(now.toFloat32Array())]).toEqual([...all.subarray(8 * t, 8 * t + 8)]);
    });
    expect(all.some((s) => s === 1)).toBe(true);
    const learned = whole.plastic.layer.weight.toFloat32Array();
    expect(learned).not.toEqual(first);
    expect(stepped.plastic.layer.weight.toFloat32Array()).toEqual(learned);
    expect(streamed.plastic.layer.weight.toFloat32Array()).toEqual(learned);
    stream.dispose();
  });

  test("plastic layer: it keeps its weights where learning is off, and takes a reward where it is set", () => {
    const layer = linear(20, 8);
    const rewarded = new PlasticLayer(new Plastic(layer, new Traced()), new LIF({ threshold: 2 }));
    const stream = new Stream(rewarded, [1, 20]);
    const first = layer.weight.toFloat32Array();
    const run = () => {
      for (let t = 0; t < 10; t++) stream.step(spikes([1, 20], 0.3).toFloat32Array());
    };
    run();
    expect(layer.weight.toFloat32Array()).toEqual(first);
    rewarded.reward = 1;
    rewarded.learning = false;
    run();
    expect(layer.weight.toFloat32Array()).toEqual(first);
    rewarded.learning = true;
    run();
    expect(layer.weight.toFloat32Array()).not.toEqual(first);
    stream.dispose();
  });
});

describe("bad input", () => {
  const layer = linear(3, 2);
  const plastic = new Plastic(layer, new Traced());
  const good = () => [spikes([2, 3], 0.5), spikes([2, 2], 0.5), plastic.initialState(2)] as const;

  test.each([
    ["another shape before", () => plastic.step(zeros([2, 4]), good()[1], good()[2]), /\[B, 3\].*\["B",4\]|\[B, 3\]/],
    ["another shape behind", () => plastic.step(good()[0], zeros([2, 3]), good()[2]), /\[2, 2\].*\[2, 3\]/],
    [
      "a state of another batch",
      () => plastic.step(good()[0], good()[1], plastic.initialState(1)),
      /traces\.x.*\[2, 3\].*\[1, 3\]/,
    ],
    [
      "a spike that is no number",
      () =>
        plastic.step(
          tensor([
            [0, Number.NaN, 1],
            [0, 0, 0],
          ]),
          good()[1],
          good()[2],
        ),
      /finite spikes before.*NaN at 1/,
    ],
    ["a reward too few", () => plastic.step(...good(), { reward: [1] }), /2 of them.*got 1/],
    ["a reward that is no number", () => plastic.step(...good(), { reward: [1, Number.NaN] }), /reward\[1\].*NaN/],
    ["times that descend", () => plastic.events([2, 1], ["pre", "post"]), /times\[1\] ≥ 2, got 1/],
    ["a neuron that is none", () => plastic.events([2], [{ pre: 3 }]), /pre\[0\].*\[0, 2\].*3/],
    ["bounds in the wrong order", () => new Plastic(layer, new STDP(), { bounds: [1, 0] }), /low < high.*\[1, 0\]/],
    [
      "bounds that a rule needs",
      () => new Plastic(layer, new STDP({ dependence: "multiplicative" })),
      /bounds.*STDP reads/,
    ],
    ["a negative time constant", () => new STDP({ tauPlus: -20 }), /tauPlus.*> 0.*-20/],
    ["several groups", () => new Plastic(new Conv2d(2, 2, 3, { groups: 2 }), new STDP()), /one group, got 2/],
    [
      "a parameter of other neurons",
      () => new Plastic(layer, new STDP({ aPlus: tensor([1, 2, 3]) })),
      /aPlus.*\[2\].*\[3\]/,
    ],
    ["a step longer than a time constant", () => new STDP({ decay: "euler", dt: 30 }), /dt ≤ the tau of x, 20.*30/],
  ] as const)("plastic: %s is an error that names the values, and changes nothing", (_, call, message) => {
    const before = layer.weight.toFloat32Array();
    expect(call).toThrow(message);
    expect(layer.weight.toFloat32Array()).toEqual(before);
  });

  test("plastic: another layer, rule or state is a TypeError", () => {
    expect(() => new Plastic(new LIF() as never, new STDP())).toThrow(TypeError);
    expect(() => new Plastic(layer, {} as never)).toThrow(/a rule such as new STDP\(\)/);
    expect(() => plastic.step(good()[0], good()[1], {} as never)).toThrow(/traces of the state by name/);
    expect(() => new PlasticLayer(plastic, new Linear(2, 2) as never)).toThrow(/neurons with step/);
  });

  test("plastic: a weight that is no number is an error before a step", () => {
    const broken = linear(3, 2);
    const learning = new Plastic(broken, new STDP());
    const state = learning.initialState(1);
    broken.weight.copyFrom([0, 1, 2, 3, Number.NaN, 5]);
    const traces = () => [...(state.traces.x?.toFloat32Array() ?? [])];
    const before = traces();
    expect(() => learning.step(tensor([[1, 1, 1]]), tensor([[1, 1]]), state)).toThrow(
      /finite weights, got NaN at \[1, 1\]/,
    );
    expect(traces()).toEqual(before);
  });

  test("plastic: a weight that becomes infinite is an error that says where", () => {
    const Growing = plasticity({ name: "Growing", traces: {}, parameters: {}, onPost: ({ w }) => w.mul(1e30) });
    const growing = new Plastic(linear(3, 2), new Growing());
    let state = growing.initialState(1);
    const post = tensor([[0, 1]]);
    state = growing.step(zeros([1, 3]), post, state);
    expect(() => growing.step(zeros([1, 3]), post, state)).toThrow(/Growing\.step.*Infinity at \[1, 0\]/);
  });

  test("plastic: a backward over the weight that a step has changed is an error", () => {
    const learning = new Plastic(linear(3, 2), new STDP());
    expect(() =>
      tape(() => {
        const x = tensor([[1, 1, 1]], { requiresGrad: true });
        const z = learning.layer.forward(x).sum();
        learning.step(tensor([[1, 1, 1]]), tensor([[1, 1]]), learning.initialState(1));
        z.backward();
      }),
    ).toThrow(/written|overwritten/);
  });
});

test("plastic: a weight of another shape, or another parameter of the rule, is an error, and nothing is written", () => {
  const wide = new Linear(64, 64);
  const rule = new STDP();
  const plastic = new Plastic(wide, rule, { bounds: [0, 1] });
  const { weight } = wide;
  const steps = () => plastic.step(ones([1, 64]), ones([1, 64]), plastic.initialState(1));
  const put = (object: object, name: string, value: unknown) => Object.assign(object, { [name]: value });
  for (const sizes of [[2, 2], [32, 128], [4096]]) {
    const other = parameter(full(sizes, 0.5));
    put(wide, "weight", other);
    expect(steps).toThrow(
      new RangeError(`STDP.step: expected a weight [64, 64], as it was, got [${sizes.join(", ")}]`),
    );
    expect(() => plastic.events([1], ["pre"])).toThrow("expected a weight [64, 64], as it was");
    expect(new Set(other.toFloat32Array())).toEqual(new Set([0.5]));
  }
  const stream = () => new Stream(new PlasticLayer(plastic, new LIF()), [1, 64]);
  put(wide, "weight", weight);
  const before = stream();
  before.step(new Float32Array(64).fill(1));
  put(wide, "weight", parameter(full([64, 64], 0.5)));
  expect(() => before.step()).toThrow("Stream: Linear has another weight now; make another stream");
  plastic.step(ones([1, 64]), ones([1, 64]), plastic.step(ones([1, 64]), zeros([1, 64]), plastic.initialState(1)));
  expect(wide.weight.toFloat32Array()).not.toEqual(new Float32Array(4096).fill(0.5));
  put(rule, "aPlus", tensor(1));
  expect(steps).toThrow("STDP.step: STDP has another aPlus now; make another Plastic");
});

test("plastic: each tensor of a state is read once", () => {
  const plastic = new Plastic(linear(8, 8), new Traced());
  const again = zeros([1]);
  const onlyOnce = (values: Readonly<Record<string, unknown>>) => {
    const reads = new Set<string>();
    return new Proxy(values, {
      get: (all, name: string) => {
        if (!reads.has(name)) return reads.add(name) && all[name];
        return all[name] === undefined ? undefined : again;
      },
    });
  };
  const once = ({ traces, synapses, scales, ...rest }: ReturnType<typeof plastic.initialState>) =>
    onlyOnce({ ...rest, traces: onlyOnce(traces), synapses: onlyOnce(synapses), scales: onlyOnce(scales) }) as never;
  const copy = new Plastic(new Linear(8, 8, { bias: false }), new Traced());
  copy.layer.weight.copyFrom(plastic.layer.weight);
  const [pre, post] = [spikes([1, 8], 0.5), spikes([1, 8], 0.5)];
  const got = plastic.step(pre, post, once(plastic.initialState(1)), { reward: 1 });
  const want = copy.step(pre, post, copy.initialState(1), { reward: 1 });
  for (const name of ["x", "y"]) {
    expect(got.traces[name]?.toFloat32Array()).toEqual(want.traces[name]?.toFloat32Array());
  }
  expect(got.synapses.e?.toFloat32Array()).toEqual(want.synapses.e?.toFloat32Array());
  expect(plastic.layer.weight.toFloat32Array()).toEqual(copy.layer.weight.toFloat32Array());
  plastic.events([1, 2], ["pre", "post"], once(plastic.initialState(1)));
  expect(again.toFloat32Array()).toEqual(new Float32Array(1));
});

test("plastic: the spikes of the last step in a state are as many as its samples", () => {
  const plastic = new Plastic(new Linear(3, 2), new RewardSTDP());
  const pre = Int32Array.of(0);
  for (const last of [[], new Array(2), [{ pre }, { pre }]]) {
    const state = { ...plastic.initialState(2), last: last as never };
    expect(() => plastic.step(ones([2, 3]), zeros([2, 2]), state)).toThrow(
      "RewardSTDP.step: expected last of the state as initialState gives it, got",
    );
  }
});

test("plastic layer: a shape is read once, and a state that cannot be made leaves nothing behind", () => {
  const failing = new LIF();
  failing.initialState = () => {
    throw new Error("no state");
  };
  const layer = new PlasticLayer(new Plastic(new Linear(3, 2), new STDP()), failing);
  expect(bytesKept(() => expect(() => layer.initialState([1, 3])).toThrow("no state"))).toBe(0);
  let reads = 0;
  const shape = Object.defineProperty([1, 3], 0, { get: () => (reads++ === 0 ? 2 : -1) });
  const fitting = new PlasticLayer(new Plastic(new Linear(3, 2), new STDP()), new LIF());
  expect(fitting.initialState(shape).neurons.v.shape).toEqual([2, 2]);
});

test("plastic layer: unroll gives the bits of forward, and a state to go on from", () => {
  const make = () => {
    const linear = new Linear(3, 2, { generator: new Generator(4) });
    return new PlasticLayer(new Plastic(linear, new STDP(), { bounds: [0, 1] }), new LIF({ threshold: 0.1 }));
  };
  const x = ones([6, 2, 3]);
  const [whole, halves] = [make(), make()];
  const expected = whole.forward(x);
  const first = halves.unroll(x.slice(0, 0, 3));
  const rest = halves.unroll(x.slice(0, 3), first.state);
  expect([...first.spikes.toFloat32Array(), ...rest.spikes.toFloat32Array()]).toEqual(
    Array.from(expected.toFloat32Array()),
  );
  expect(halves.connection.stateDict()).toEqual(whole.connection.stateDict());
});
