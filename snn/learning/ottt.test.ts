/** Online rules: gradients compared with tapes, states, memory, and networks that learn. */
import { describe, expect, test } from "vitest";
import {
  Adam,
  AvgPool2d,
  BatchNorm1d,
  Conv1d,
  Conv2d,
  crossEntropy,
  Dropout,
  Embedding,
  Flatten,
  Generator,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  memoryStats,
  mseLoss,
  noGrad,
  ones,
  rand,
  resetPeak,
  Sequential,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { from, linear } from "../../test/support/seeded.ts";
import { bits, bytesKept, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import {
  BatchNormTT1d,
  Delay,
  DelayedLinear,
  disposeState,
  IF,
  LeakyIntegrator,
  LIF,
  type NetworkState,
  neuron,
  OTTT,
  ParametricLIF,
  PSN,
  Recurrent,
  RecurrentLIF,
  SLTT,
  SpikingLSTM,
  Stream,
  truncatedBackward,
} from "../index.ts";

const perceptron = () => new Sequential(linear(5, 6), new LIF({ beta: 0.8 }), linear(6, 3, 4));
const squares = (z: Tensor, target: Tensor) => mseLoss(z, target);

/** Runs steps of a rule in order. */
function run<T>(rule: OTTT<T> | SLTT<T>, x: Tensor, targets: readonly (T | null)[]): Tensor[] {
  let state: NetworkState | undefined;
  return x.unbind(0).map((now, t) => {
    const next = rule.step(now, targets[t] ?? null, state);
    state = next.state;
    return next.output;
  });
}

const gradientsOf = (model: Module): Record<string, number[]> =>
  Object.fromEntries(model.namedParameters().map(([name, p]) => [name, gradient(p)]));

/** ∂L/∂weight of the trace, everything else of x: the layer runs on the trace and on x, and each contributes a part. */
function traced(layer: Module, x: Tensor, trace: Tensor): Tensor {
  const z = layer.forward(x.add(trace.sub(x).detach()));
  return z.add(layer.forward(x).sub(z).detach());
}

test("ottt: convolutions, pools and a head have the gradients of layers that run on traces", () => {
  const conv = (inputs: number, outputs: number, groups: number) =>
    new Conv2d(inputs, outputs, 3, { padding: 1, groups, ...from() });
  const first = [conv(2, 4, 1), new LIF({ beta: 0.7, threshold: 0.5 }), new MaxPool2d(2)];
  const second = [
    conv(4, 6, 2),
    new LIF({ beta: 0.4, threshold: 0.2 }),
    new AvgPool2d(2),
    new Flatten(2),
    linear(6, 3),
  ];
  const network = new Sequential(new Sequential(...first), ...second);
  const [T, B] = [4, 2];
  const x = random([T, B, 2, 4, 4], 1, { low: 0, high: 3 });
  const target = random([B, 3], 2);
  const outputs = run(new OTTT(network, { loss: squares }), x, Array(T).fill(target));
  const found = gradientsOf(network);
  network.zeroGrad();

  const layers = [...first, ...second];
  const states = new Map(layers.filter((layer) => layer instanceof LIF).map((lif) => [lif, null as unknown as object]));
  const traces = new Map<Module, Tensor>();
  for (const [t, now] of x.unbind(0).entries()) {
    tape(() => {
      let z = now;
      let lambda = 0;
      for (const [i, layer] of layers.entries()) {
        if (layer instanceof LIF) {
          lambda = layer.beta.item();
          const [spikes, next] = layer.step(z, (states.get(layer) ?? layer.initialState(z.shape)) as never);
          states.set(layer, Object.fromEntries(Object.entries(next).map(([name, s]) => [name, s.detach().clone()])));
          for (const s of Object.values(states.get(layer) as object)) tape(() => s);
          z = spikes;
        } else if (i > 0 && layer.parameters().length > 0) {
          const trace = (traces.get(layer)?.mul(lambda) ?? zeros(z.shape)).add(z.detach());
          traces.set(layer, trace);
          z = traced(layer, z, trace);
        } else z = layer.forward(z.unsqueeze(0)).squeeze(0);
      }
      expectNear(values(outputs[t] as Tensor), values(z), "output");
      squares(z, target).backward();
      return [...traces.values(), ...[...states.values()].flatMap((state) => Object.values(state))];
    });
  }
  for (const [name, wanted] of Object.entries(gradientsOf(network))) {
    expect(
      wanted.some((value) => value !== 0),
      name,
    ).toBe(true);
    expectNear(found[name] as number[], wanted, name, { absolute: 1e-6, relative: 1e-5 });
  }
});

test("ottt: a head over one signal and one over spikes without a bias have traces too", () => {
  const network = new Sequential(
    new Conv1d(2, 3, 2, from()),
    new IF(),
    new Conv1d(3, 1, 2, { bias: false, ...from() }),
  );
  const x = random([3, 2, 2, 4], 5, { low: 0, high: 2 });
  const loss = (z: Tensor) => z.sum();
  run(new OTTT<null | 1>(network, { loss }), x, [1, 1, 1]);
  const weight = network.modules[2] as Conv1d;
  // The sum of the traces at each weight: spikes of step t count from step t on.
  const spikes = new Sequential(...network.modules.slice(0, 2)).forward(x);
  const sums = spikes.cumsum({ axis: 0 }).sum({ axis: [0, 1] });
  const wanted = [0, 1, 2].flatMap((c) =>
    [0, 1].map((k) =>
      sums
        .select(0, c)
        .slice(0, k, k + 2)
        .sum()
        .item(),
    ),
  );
  expectNear(gradient(weight.weight), wanted, "weight");
});

test("ottt: without a memory of the traces the rule is sltt, bit for bit, and that backpropagation through one step at a time", () => {
  const [T, B] = [5, 3];
  const x = random([T, B, 5], 1, { low: 0, high: 3 });
  const targets = random([T, B, 3], 2);
  const each = targets.unbind(0);
  const found = [
    (network: Module) => run(new OTTT(network, { loss: squares, lambda: 0 }), x, each),
    (network: Module) => run(new SLTT(network, { loss: squares }), x, each),
    (network: Module) =>
      truncatedBackward(network, x, (z, t) => squares(z.squeeze(0), each[t] as Tensor), { steps: 1 }),
  ].map((learn) => {
    const network = new Sequential(perceptron(), new LIF({ reset: "subtract" }));
    learn(network);
    return network.parameters().map((p) => bits(p.grad as Tensor));
  });
  expect(found[0]).toEqual(found[1]);
  expect(found[1]).toEqual(found[2]);
});

test("ottt: the reset carries no gradient, also where the neurons would let it through", () => {
  const x = random([6, 2, 5], 1, { low: 0, high: 3 });
  const targets = random([6, 2, 3], 2).unbind(0);
  const [kept, cut] = [false, true].map((detachReset) => {
    const network = new Sequential(linear(5, 6), new LIF({ reset: "subtract", detachReset }), linear(6, 3));
    run(new OTTT(network, { loss: squares }), x, targets);
    return gradientsOf(network);
  });
  expect(kept).toEqual(cut);
});

test("online rules: outputs have the bits of forward, with and without a loss", () => {
  const x = random([6, 2, 5], 1, { low: 0, high: 3 });
  const target = random([2, 3], 2);
  const network = perceptron();
  const wanted = network.forward(x).unbind(0).map(bits);
  for (const rule of [new OTTT(network, { loss: squares }), new SLTT(network, { loss: squares })]) {
    for (const targets of [[], Array(6).fill(target), [null, target, null, target]]) {
      expect(run(rule, x, targets).map(bits)).toEqual(wanted);
    }
  }
});

test("ottt: steps without a loss leave the gradients alone, and their spikes in the traces", () => {
  const network = perceptron();
  const x = random([3, 2, 5], 1, { low: 0, high: 3 });
  const target = random([2, 3], 2);
  const rule = new OTTT(network, { loss: squares });
  run(rule, x, []);
  expect(network.parameters().every((p) => p.grad === null)).toBe(true);
  run(rule, x, [null, null, target]);
  const late = gradientsOf(network);
  network.zeroGrad();
  const spikes = new Sequential(...network.modules.slice(0, 2)).forward(x).unbind(0);
  const [output] = run(rule, x, []).slice(-1) as [Tensor];
  const dz = output.sub(target).mul(2 / 6);
  const trace = spikes.reduce((sum, s) => sum.mul(0.8).add(s));
  expectNear(late["2.weight"] as number[], values(dz.transpose().matmul(trace)), "2.weight");
  expectNear(late["2.bias"] as number[], values(dz.sum({ axis: 0 })), "2.bias");
});

test("online rules: a state is a value, and belongs to whoever called", () => {
  const layers = [linear(5, 6), new LIF({ refractorySteps: 1 }), new Dropout(0.5, { sharedAxes: 0, ...from() })];
  const network = new Sequential(...layers, linear(6, 3), new LeakyIntegrator());
  const [x, target] = [random([2, 5], 1, { low: 0, high: 3 }), random([2, 3], 2)];
  const rule = new OTTT(network, { loss: squares });
  const steps = () => {
    const first = rule.step(x, target);
    const held = JSON.stringify(first.state.layers.map((layer) => layer && String(Object.values(layer))));
    const [a, b] = [rule.step(x, target, first.state), rule.step(x, null, first.state)];
    expect(bits(a.output)).toEqual(bits(b.output));
    expect(JSON.stringify(first.state.layers.map((layer) => layer && String(Object.values(layer))))).toBe(held);
    // The output of the integrator is its state, which is not freed here, and neither is the mask.
    a.output.dispose();
    disposeState(first.state);
    const last = rule.step(x, target, a.state);
    expect(last.output.toFloat32Array().every(Number.isFinite)).toBe(true);
    disposeState([a.state, b.state, first.output, b.output, last]);
    network.zeroGrad();
  };
  // Gradients persist, and so do copies of weights that are read again.
  for (let i = 0; i < 2; i++) steps();
  expect(bytesKept(steps)).toBe(0);
});

/** Neurons without a membrane output. */
const Plain = neuron({
  name: "Plain",
  state: { v: 0 },
  parameters: {},
  step({ current, v, spike }) {
    const u = v.mul(0.5).add(current);
    const s = spike(u.sub(1));
    return { spikes: s, v: u.sub(s) };
  },
});

describe("ottt: λ", () => {
  /** The trace of a head after neurons, after two steps in which all of them fire, then none. */
  const decayOf = (neurons: Module, options = {}): number[] => {
    const network = new Sequential(neurons, linear(2, 1));
    const rule = new OTTT(network, { loss: (z: Tensor) => z.sum(), ...options });
    const first = rule.step(ones([1, 2]).mul(100), null);
    const { state } = rule.step(ones([1, 2]).mul(-1e4), null, first.state);
    return values((state.layers[1] as { trace: Tensor }).trace);
  };
  const w = 0.3;
  const Leaky = neuron({
    name: "Leaky",
    state: { v: 0.5 },
    parameters: { rate: 0.25 },
    step({ current, v, rate, spike }) {
      const u = v.sub(v.mul(rate)).add(current);
      const s = spike(u.sub(1));
      return { spikes: s, membrane: u, v: u.sub(s) };
    },
  });

  test("is the decay of the neurons before", () => {
    expectNear(decayOf(new LIF({ beta: 0.75 })), [0.75, 0.75], "LIF");
    expectNear(decayOf(new LIF({ beta: tensor([0.75, 0.5]), learnBeta: true })), [0.75, 0.5], "LIF of two decays");
    expectNear(decayOf(new LIF({ beta: tensor(1.5), learnBeta: true })), [1, 1], "a learned decay above 1 is clamped");
    expectNear(decayOf(new IF()), [1, 1], "IF");
    const beta = 1 - 1 / (1 + Math.exp(-w));
    expectNear(decayOf(new ParametricLIF({ w })), [beta, beta], "ParametricLIF");
    expectNear(decayOf(new Leaky()), [0.75, 0.75], "a neuron of one's own");
    expectNear(decayOf(new Leaky({ rate: tensor([0.5, 0.25]), learn: ["rate"] })), [0.5, 0.75], "two of these");
  });

  test("is looked for without a gradient for the parameters of the neurons", () => {
    const neurons = new ParametricLIF({ rest: 1, w });
    decayOf(neurons);
    expect(neurons.w.grad).toBe(null);
  });

  test("follows a decay that is learned", () => {
    const neurons = new LIF({ beta: 0.5, learnBeta: true });
    const network = new Sequential(neurons, linear(2, 1));
    const rule = new OTTT(network, { loss: (z: Tensor) => z.sum() });
    const { state } = rule.step(ones([1, 2]).mul(100), null);
    neurons.beta.copyFrom([0.25]);
    const next = rule.step(ones([1, 2]).mul(-1e4), null, state);
    expect(values((next.state.layers[1] as { trace: Tensor }).trace)).toEqual([0.25, 0.25]);
  });

  test("is the option for all traces, and another one for that of the input", () => {
    expect(decayOf(new LIF({ beta: 0.75 }), { lambda: 0.5 })).toEqual([0.5, 0.5]);
    expect(decayOf(new Plain(), { lambda: 0.5 })).toEqual([0.5, 0.5]);
    const rule = new OTTT(new Sequential(linear(2, 2), new LIF()), { loss: squares, inputLambda: 0.5 });
    const { state } = rule.step(ones([1, 2]), null, rule.step(ones([1, 2]), null).state);
    expect(values((state.layers[0] as { trace: Tensor }).trace)).toEqual([1.5, 1.5]);
  });
});

test("online rules: masks that are shared over time are those of the first step, with those of evaluation beside them", () => {
  const x = ones([1, 400]);
  const dropout = new Dropout(0.5, { sharedAxes: 0, ...from() });
  const other = new Dropout(0.5, from());
  const rule = new SLTT(new Sequential(dropout), { loss: squares });
  const first = rule.step(x, null);
  const second = rule.step(x.mul(3), null, first.state);
  expect(values(second.output)).toEqual(values(first.output.mul(3)));
  expect(new Set(values(first.output))).toEqual(new Set([0, 2]));
  dropout.eval();
  expect(values(rule.step(x, null, second.state).output)).toEqual(values(x));
  dropout.train();
  expect(values(rule.step(x, null, second.state).output)).toEqual(values(first.output));
  const fresh = new SLTT(other, { loss: squares });
  expect(values(fresh.step(x, null).output)).not.toEqual(values(fresh.step(x, null).output));
});

test("online rules: layers that normalise, delay and compete take part", () => {
  const layers = [
    linear(5, 6),
    new BatchNormTT1d(6, 4),
    new LIF({ inhibition: "output" }),
    new Delay(1),
    linear(6, 4),
    new BatchNorm1d(4, { axis: -1 }),
    new LIF(),
    new LayerNorm([4]),
    linear(4, 3),
    new LeakyIntegrator({ learnBeta: true }),
  ];
  const network = new Sequential(...layers);
  const x = random([4, 3, 5], 1, { low: 0, high: 3 });
  const target = random([3, 3], 2);
  for (const rule of [new OTTT(network, { loss: squares }), new SLTT(network, { loss: squares })]) {
    network.zeroGrad();
    run(rule, x, [null, target, target, target]);
    for (const [name, p] of network.namedParameters()) {
      expect(p.grad, name).not.toBe(null);
      expect(gradient(p).every(Number.isFinite), name).toBe(true);
    }
  }
  network.eval();
  const wanted = new Stream(network, [3, 5]);
  const outputs = run(new OTTT(network, { loss: squares }), x, []);
  for (const [t, now] of x.unbind(0).entries()) {
    expectNear(values(outputs[t] as Tensor), wanted.step(now.toFloat32Array()), `step ${t}`);
  }
});

test("sltt: layers with weights and steps of their own have the gradients of one step", () => {
  const x = random([3, 2, 4], 1, { low: 0, high: 3 });
  const target = random([2, 4], 2);
  for (const layer of [
    new RecurrentLIF({ features: 4, ...from() }),
    new DelayedLinear(4, 4, { maxDelay: 2, ...from() }),
    new SpikingLSTM(4, 4, from()),
    new PSN({ kind: "sliding", order: 2 }),
  ]) {
    run(new SLTT(layer, { loss: squares }), x, Array(3).fill(target));
    const found = gradientsOf(layer);
    layer.zeroGrad();
    truncatedBackward(layer, x, (z) => squares(z.squeeze(0), target), { steps: 1 });
    expect(found, layer.constructor.name).toEqual(gradientsOf(layer));
  }
});

test("online rules: a step learns inside of noGrad and of a tape too, where an earlier state can be freed", () => {
  const [network, other] = [perceptron(), perceptron()];
  const x = random([4, 2, 5], 1, { low: 0, high: 3 });
  const target = random([2, 3], 2);
  run(new OTTT(network, { loss: squares }), x, Array(4).fill(target));
  for (const inner of [noGrad, tape]) {
    other.zeroGrad();
    const rule = new OTTT(other, { loss: squares });
    inner(() => {
      let state: NetworkState | undefined;
      for (const now of x.unbind(0)) {
        const next = rule.step(now, target, state);
        disposeState([state, next.output]);
        state = next.state;
      }
    });
    expect(gradientsOf(other)).toEqual(gradientsOf(network));
  }
});

test("online rules: a state keeps nothing of the input", () => {
  const x = ones([1, 2]);
  const rule = new OTTT(new Sequential(linear(2, 2), new LIF()), { loss: squares, inputLambda: 0.5 });
  const { state } = rule.step(x, null);
  x.copyFrom([7, 7]);
  x.dispose();
  expect(values((state.layers[0] as { trace: Tensor }).trace)).toEqual([1, 1]);
});

test("online rules: inside of a tape the gradient of an input goes on to those who made it", () => {
  const encoder = linear(4, 5);
  const network = perceptron();
  const rule = new OTTT(network, { loss: squares });
  const target = random([2, 3], 2);
  tape(() => void rule.step(encoder.forward(random([2, 4], 1, { low: 0, high: 3 })), target));
  expect(gradient(encoder.weight).some((value) => value !== 0)).toBe(true);
});

test("online rules: memory does not grow with the number of steps", () => {
  const x = rand([8, 20], from());
  const labels = [0, 1, 2, 3, 0, 1, 2, 3];
  for (const Rule of [OTTT, SLTT]) {
    const network = new Sequential(linear(20, 30), new LIF(), linear(30, 20), new LIF(), linear(20, 4));
    const rule = new Rule(network, { loss: crossEntropy });
    const run = (T: number) => {
      const before = memoryStats().live;
      resetPeak();
      let state: NetworkState | undefined;
      for (let t = 0; t < T; t++) {
        const next = rule.step(x, t % 2 === 0 ? labels : null, state);
        next.output.dispose();
        disposeState(state);
        state = next.state;
      }
      const { live, peak } = memoryStats();
      disposeState(state);
      return { live: live - before, peak: peak - before };
    };
    // The first steps create gradients, and copies of weights that are read again.
    run(10);
    const [few, many] = [run(100), run(2000)];
    expect(many.live, Rule.name).toBe(few.live);
    // Lists of spikes have the length that the spikes of a step require.
    expect(many.peak, Rule.name).toBeLessThan(few.peak + 1024);
  }
});

describe("online rules: bad input", () => {
  class Hidden extends Module {
    readonly lif = new LIF();
    forward(x: Tensor): Tensor {
      return this.lif.forward(x);
    }
  }
  class Joining extends Module {
    forward(x: Tensor): Tensor {
      return x.mean({ axis: 0 });
    }
  }
  class Scaled extends Module {
    readonly fc = linear(6, 3);
    forward(x: Tensor): Tensor {
      return this.fc.forward(x).mul(2);
    }
  }
  const loss = squares;
  const network = perceptron();
  const rule = new OTTT(network, { loss });
  const x = ones([2, 5]);
  const target = ones([2, 3]);
  const { state } = rule.step(x, null);
  const behind =
    (...layers: Module[]) =>
    () =>
      new OTTT(new Sequential(new LIF(), ...layers), { loss });
  const others = { layers: [...state.layers, null] };
  const short = { layers: [null, null, ...state.layers.slice(2)] };

  const cases: [call: () => unknown, message: string | RegExp][] = [
    [() => new OTTT(1 as never, { loss }), "OTTT: expected a module with forward(x), got 1"],
    [() => new SLTT([network] as never, { loss }), "SLTT: expected a module with forward(x), got [object]"],
    [() => new OTTT(network, {} as never), "OTTT: expected loss as a function, got undefined"],
    [() => new SLTT(network, { loss, lambda: 1 } as never), "SLTT: expected the options loss, got lambda"],
    [() => new OTTT(network, { loss, lambda: 1.5 }), "OTTT: lambda must be in [0, 1], got 1.5"],
    [() => new OTTT(network, { loss, inputLambda: -1 }), "OTTT: inputLambda must be in [0, 1], got -1"],
    [() => new OTTT(network, { loss, lambda: "a" } as never), 'OTTT: expected lambda as a number, got "a"'],
    [
      () => new SLTT(new Sequential(linear(5, 6), new Hidden()), { loss }),
      'SLTT: expected layers with step(x, state) and initialState(shape), or without a state, got "1" (Hidden), whose forward ' +
        'keeps the state of "lif"; put its layers into a Sequential, or give it both methods',
    ],
    [
      behind(new Scaled()),
      'OTTT: expected weights in Linear, Conv1d and Conv2d, which have traces, got those of "1" (Scaled)',
    ],
    [behind(new Recurrent(new LIF(), { features: 3 })), /which have traces, got those of "1" \(Recurrent\)/],
    [
      () => new OTTT(new Sequential(new RecurrentLIF({ features: 3 }), linear(3, 2)), { loss }),
      /which have traces, got those of "0" \(RecurrentLIF\)/,
    ],
    [
      () => new OTTT(new Sequential(new Embedding(3, 2)), { loss, inputLambda: 0.5 }),
      /which have traces, got those of "0" \(Embedding\)/,
    ],
    [
      () => new OTTT(new Sequential(new Plain(), linear(3, 2)), { loss }),
      'OTTT: expected a decay of "0" (Plain) in [0, 1], beta for instance, got none; give the option lambda',
    ],
    [
      () =>
        new OTTT(new Sequential(new LIF({ beta: tensor([0.5, 0.6]) }), new Flatten(2), linear(4, 1)), { loss }).step(
          ones([1, 2, 2]),
          null,
        ),
      'OTTT: expected an input [B, …, 2] of "2" (Linear), as "0" (LIF) has a decay for each neuron, got [1, 4]; give the ' +
        "option lambda",
    ],
    [() => rule.step([1] as never, null), "OTTT: expected a tensor, got [1]"],
    [() => rule.step(tensor(1), null), "OTTT: expected an input [B, …], got []"],
    [
      () => rule.step(x, undefined as never),
      "OTTT: expected a target, or null in a step without a loss, got undefined",
    ],
    [() => rule.step(x, ones([2, 4])), /^mseLoss: .*\[2, 3\].*\[2, 4\]/],
    [() => new OTTT(network, { loss: crossEntropy }).step(x, [0]), /^crossEntropy: .*2.*1/],
    [() => new OTTT(network, { loss: crossEntropy }).step(x, [0, 3]), /^crossEntropy: .*\[0, 2\].*3/],
    [
      () => new OTTT(network, { loss: () => 1 as never }).step(x, target),
      "OTTT: expected a loss that returns a tensor, got 1",
    ],
    [() => new SLTT(network, { loss: (z) => z }).step(x, target), "SLTT: expected a loss of one number, got [2, 3]"],
    [() => new SLTT(network, { loss: () => zeros([]) }).step(x, target), /^backward: nothing was recorded/],
    [() => rule.step(x, target, 1 as never), "OTTT: expected a state as step returns it, { layers }, got 1"],
    [() => rule.step(x, target, others), "OTTT: expected a state of 3 layers, got 4; is it that of another model?"],
    [
      () => rule.step(x, target, new SLTT(network, { loss }).step(x, null).state),
      'OTTT: expected a state of "2" (Linear), got null; is it that of another model?',
    ],
    [
      () => new SLTT(network, { loss }).step(x, target, state),
      'SLTT: expected no state of "2" (Linear), got object; is it that of another model?',
    ],
    [() => rule.step(x, target, short), 'OTTT: expected a state of "1" (LIF), got null; is it that of another model?'],
    [() => rule.step(ones([3, 5]), target, state), "LIF: expected a state v of shape [3, 6], got [2, 6]"],
    [
      () => rule.step(x, target, { layers: [null, state.layers[1] ?? null, { trace: ones([2, 4]) }] }),
      'OTTT: "2" (Linear): expected a state trace of shape [2, 6], got [2, 4]',
    ],
    [
      () => rule.step(x, target, { layers: [null, state.layers[1] ?? null, {}] }),
      'OTTT: "2" (Linear): expected a state with trace as a tensor, got undefined',
    ],
    [
      () => new SLTT(new Sequential(new Joining()), { loss }).step(ones([2, 5]), null),
      'SLTT: expected "0" (Joining) to give [1, 2, …] for [1, 2, 5], got [2, 5]',
    ],
    [() => disposeState(new Float32Array(2)), "disposeState: expected a state of tensors, got object"],
  ];

  test.each(cases)("%#: the error names the values", (call, message) => {
    const weights = network.parameters().map(values);
    expect(call).toThrow(message);
    expect(network.parameters().map((p) => p.grad)).toEqual([null, null, null, null]);
    expect(network.parameters().map(values)).toEqual(weights);
  });
});

describe("a network learns", () => {
  /** Which of two halves of the input spikes more, over 12 steps. */
  function samples(count: number, generator: Generator): { x: Tensor; labels: number[] } {
    const labels = Array.from({ length: count }, (_, i) => i % 2);
    const rates = labels.map((label) => Array.from({ length: 10 }, (_, i) => (i < 5 === (label === 0) ? 0.45 : 0.25)));
    const x = rand([12, count, 10], { generator }).lt(tensor(rates));
    return { x, labels };
  }

  const accuracy = (network: Module, { x, labels }: { x: Tensor; labels: number[] }): number =>
    noGrad(() => {
      const found = network.forward(x).sum({ axis: 0 }).argmax({ axis: -1 });
      return values(found).filter((label, i) => label === labels[i]).length / labels.length;
    });

  test.each([OTTT, SLTT])("by %o, with an optimizer step after each time step", (Rule) => {
    const generator = new Generator(1);
    const network = new Sequential(
      new Linear(10, 20, { generator }),
      new LIF({ beta: 0.9, reset: "subtract" }),
      new Linear(20, 2, { generator }),
      new LeakyIntegrator({ beta: 0.9 }),
    );
    const rule = new Rule(network, { loss: crossEntropy });
    const optimizer = new Adam(network.parameters(), { lr: 0.002 });
    const test = samples(200, new Generator(2));
    const before = accuracy(network, test);
    for (let batch = 0; batch < 40; batch++) {
      const { x, labels } = samples(32, generator);
      let state: NetworkState | undefined;
      for (const now of x.unbind(0)) {
        optimizer.zeroGrad();
        const next = rule.step(now, labels, state);
        optimizer.step();
        disposeState([state, next.output]);
        state = next.state;
      }
      disposeState(state);
    }
    const after = accuracy(network, test);
    expect(before).toBeLessThan(0.7);
    expect(after).toBeGreaterThan(0.9);
  });
});
