/** The memory rule in spiking layers: using a freed tensor is an error everywhere, losing an output is not. */
import { expect, test } from "vitest";
import { noGrad, type Tensor, tape, tensor, zeros } from "../../engine/index.ts";
import { bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  constantEncode,
  filteredTrace,
  LeakyIntegrator,
  LIF,
  lastMembrane,
  maxMembrane,
  meanOverTime,
  neuron,
  poissonEncode,
  RecurrentLIF,
  spike,
  spikeCount,
  ttfsEncode,
} from "../index.ts";

const FREED = /freed.*tape/;

test("spiking layers: a freed tensor names the rule, as current and as state", () => {
  const [freed, freedStep] = [zeros([4, 2, 3]), zeros([2, 3])];
  for (const t of [freed, freedStep]) t.dispose();
  const current = random([4, 2, 3], 1);
  const step = zeros([2, 3]);
  const lif = new LIF();
  const leaky = new LeakyIntegrator();
  const calls: Record<string, () => unknown> = {
    "LIF.forward": () => lif.forward(freed),
    "LIF.unroll, v": () => lif.unroll(current, { v: freedStep, refractory: step }),
    "LIF.unroll, refractory": () => lif.unroll(current, { v: step, refractory: freedStep }),
    "LIF.step": () => lif.step(freedStep, lif.initialState([2, 3])),
    "LeakyIntegrator.forward": () => leaky.forward(freed),
    "LeakyIntegrator.unroll": () => leaky.unroll(current, freedStep),
    "LeakyIntegrator.step": () => leaky.step(step, freedStep),
    spike: () => spike(freed),
    poissonEncode: () => poissonEncode(freed, { timesteps: 2 }),
    ttfsEncode: () => ttfsEncode(freed, { timesteps: 2 }),
    constantEncode: () => constantEncode(freed, { timesteps: 2 }),
    filteredTrace: () => filteredTrace(freed),
    meanOverTime: () => meanOverTime(freed),
    spikeCount: () => spikeCount(freed),
    lastMembrane: () => lastMembrane(freed),
    maxMembrane: () => maxMembrane(freed),
  };
  for (const [name, call] of Object.entries(calls)) expect(() => tape(call), name).toThrow(FREED);
});

test("neurons: a run that starts from other values than zeros leaves no memory but its output", () => {
  const Charged = neuron({
    name: "Charged",
    state: { v: ({ charge }) => charge, w: 0 },
    parameters: { charge: 0.5 },
    step({ current, v, w, spike }) {
      const u = v.mul(0.5).add(current);
      const s = spike(u.sub(1));
      return { spikes: s, v: u.sub(s), w: w.add(s) };
    },
  });
  const current = random([4, 2, 3], 1);
  for (const charge of [0.5, tensor([0.25, 0.5, 2])]) {
    const layer = new Charged({ charge });
    const first = values(layer.forward(current));
    expect(bytesKept(() => layer.forward(current).dispose())).toBe(0);
    tape(() => {
      // The same bits where the first step has a state, and where a gradient is wanted.
      expect(values(layer.unroll(current, layer.initialState([2, 3])).spikes)).toEqual(first);
      const x = leaf([4, 2, 3], 1);
      expect(values(layer.forward(x))).toEqual(values(layer.unroll(x).spikes));
    });
  }
});

test("lif: an output that is first read after its tape has ended is right, or an error, not garbage", () => {
  const lif = new LIF();
  const current = random([4, 2, 3], 2);
  const unroll = (x: Tensor) =>
    tape(() => {
      const whole = lif.unroll(x);
      return () => whole;
    })();
  const record = unroll(current);
  expect(() => record.state.v.data).toThrow(FREED);
  expect(() => record.spikes.data).toThrow(FREED);
  for (const read of ["membrane", "v"] as const) {
    const late = record[read];
    expect(values(late)).toEqual(values(lif.unroll(current)[read]));
    expect(late.requiresGrad).toBe(false);
  }
  const gone = unroll(tape(() => current.clone()));
  expect(values(gone.membrane)).toEqual(values(record.membrane));
  const inner = tape(() => {
    const whole = lif.unroll(current.add(1));
    return () => whole;
  })();
  expect(() => inner.membrane).toThrow(FREED);
});

test("leaky integrator: a record that is returned from its tape keeps its outputs, and nothing else", () => {
  const leaky = new LeakyIntegrator();
  const x = random([4, 3], 4);
  const kept = bytesKept(() => {
    const record = tape(() => leaky.unroll(x));
    expect(record.state).toBe(record.state);
    expect(values(record.state)).toEqual(values(record.membrane).slice(-3));
    for (const t of [record.membrane, record.state]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("leaky integrator: a state that is looked at under noGrad or in an inner tape first keeps its gradient", () => {
  const leaky = new LeakyIntegrator({ beta: 0.5 });
  for (const inner of [noGrad, tape]) {
    const x = leaf([3, 2], 5);
    tape(() => {
      const record = leaky.unroll(x);
      inner(() => record.state.sum().item());
      record.state.sum().backward();
    });
    expect(gradient(x), inner.name).toEqual([0.25, 0.25, 0.5, 0.5, 1, 1]);
  }
});

test("spiking layers: a training step with every one of them keeps nothing", () => {
  const lif = new LIF({ beta: tensor([0.9, 0.8, 0.7]), learnBeta: true, learnThreshold: true, refractorySteps: 1 });
  const leaky = new LeakyIntegrator({ learnBeta: true });
  const x = leaf([2, 3], 3, { low: 0, high: 1 });
  const step = () =>
    tape(() => {
      const record = lif.unroll(constantEncode(x, { timesteps: 5 }));
      const membrane = leaky.forward(record.spikes.mul(poissonEncode(x, { timesteps: 5 })));
      const parts = [meanOverTime(membrane), lastMembrane(record.membrane), spikeCount(spike(record.v))];
      const ends = [maxMembrane(filteredTrace(record.spikes)), record.state.v];
      [...parts, ...ends]
        .reduce((sum, part) => sum.add(part))
        .sum()
        .backward();
    });
  step();
  expect(bytesKept(() => [step(), step()])).toBe(0);
});

test("spiking layers: outside of tapes a layer can be given back as a whole", () => {
  const kept = bytesKept(() => {
    const lif = new LIF({ learnBeta: true });
    const leaky = new LeakyIntegrator({ beta: tensor([0.5, 0.25]).detach() });
    for (const t of [lif.beta, lif.threshold, leaky.beta]) t.dispose();
  });
  // The tensor given as beta belongs to the caller.
  expect(kept).toBe(16);
});

test("spiking layers: outside of tapes a step leaves nothing but its results", () => {
  const layers = [
    new LIF(),
    new LIF({ learnBeta: true }),
    new LIF({ refractorySteps: 2 }),
    new LIF({ spiking: false }),
    new RecurrentLIF({ features: 3 }),
  ];
  const [step, state] = [random([2, 3], 1), new RecurrentLIF({ features: 3 }).initialState([2, 3])];
  for (const layer of layers) {
    const kept = bytesKept(() => {
      const [spikes, next] = layer.step(step, state);
      for (const t of [spikes, ...Object.values(next)]) t.dispose();
    });
    expect(kept, layer.constructor.name).toBe(0);
  }
});
