import { describe, expect, test } from "vitest";
import { Conv1d, Conv2d, Flatten, Generator, Linear, noGrad, rand, tape, tensor, zeros } from "../../engine/index.ts";
import { RuleOnTensors } from "../../test/support/rule-on-tensors.ts";
import { LIF, Plastic, PlasticLayer, plasticity, STDP, Stream } from "../index.ts";

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
    // The values under the windows are what a convolution gives with a kernel that is 1 at a place.
    const patches = (x: ReturnType<typeof zeros>): Float32Array =>
      noGrad(() => {
        const [C = 0] = kernel;
        const { stride, padding, dilation } = layer;
        const options = { stride, padding, dilation, bias: false };
        const [, kH = 0, kW = 0] = kernel;
        const one =
          layer instanceof Conv1d
            ? new Conv1d(C, inputs, kH, options as never)
            : new Conv2d(C, inputs, [kH, kW], options);
        one.weight.copyFrom(Float32Array.from({ length: inputs * inputs }, (_, i) => (i % (inputs + 1) === 0 ? 1 : 0)));
        return new Flatten(2).forward(one.forward(x)).transpose(1, 2).toFloat32Array();
      });
    const places = layer.forward(zeros([1, ...shape])).size / O;
    const reference = new RuleOnTensors(
      { rule, outputs: O, inputs, batch: batch * places, bounds: null, mean: false },
      layer.weight.toFloat32Array(),
    );
    let state = plastic.initialState([batch, ...shape]);
    for (let t = 0; t < 6; t++) {
      const pre = spikes([batch, ...shape], 0.3);
      const post = spikes([batch, ...layer.forward(pre).shape.slice(1)], 0.3);
      state = plastic.step(pre, post, state);
      reference.step({ pre: patches(pre), post: new Flatten(2).forward(post).transpose(1, 2).toFloat32Array() });
      const [got, expected] = [layer.weight.toFloat32Array(), reference.weight];
      expected.forEach((w, i) => expect(got[i]).toBeCloseTo(w, 6));
    }
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
