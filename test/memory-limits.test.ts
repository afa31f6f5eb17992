/**
 * The end of the memory: wherever an allocation is refused, the error says what was asked for, what is live and the limit;
 * memory, records and gradients are as before, and training goes on with the bits of a run that was never disturbed.
 */
import {
  Adagrad,
  Adam,
  BatchNorm2d,
  BatchNormTT1d,
  Conv1d,
  crossEntropy,
  DelayedLinear,
  Embedding,
  filteredTrace,
  full,
  Generator,
  GroupNorm,
  keep,
  LayerNorm,
  LeakyIntegrator,
  LIF,
  Linear,
  linear,
  type Module,
  maxMembrane,
  meanOverTime,
  memoryStats,
  mseLoss,
  type Optimizer,
  Plastic,
  parameter,
  poissonEncode,
  RecurrentLIF,
  RewardSTDP,
  RMSprop,
  SGD,
  SpikingLSTM,
  spike,
  surrogate,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "jarvis-snn";
import { expect, test } from "vitest";
import { linearMemory } from "../engine/core/memory.ts";
import { composed } from "../engine/core/tape.ts";
import { withLittleMemory } from "./support/memory.ts";
import { bits, bytesKept, leaf, random, values } from "./support/tensors.ts";

const REFUSED = /^out of memory: asked for \d+ bytes with \d+ live, the limit is \d+; tape\(\) and noGrad\(\) free /;
/** No tensor of so many elements fits: with the kernels' own data it is beyond 4 GiB. */
const HUGE = [2 ** 30];

/** A network with one of everything that allocates, and one training step of it. */
function prepare() {
  const generator = new Generator(1);
  const custom = surrogate.custom({ derivative: (x) => x.square().add(1).neg().exp() });
  const fc1 = new Linear(12, 24, { generator });
  const lifs = [
    new LIF({ learnBeta: true, learnThreshold: true, refractorySteps: 1 }),
    new LIF({ surrogate: custom, reset: "subtract" }),
    new LIF(),
  ];
  const readout = new LeakyIntegrator({ learnBeta: true });
  const fc2 = new Linear(24, 3, { generator });
  const parameters = [fc1, ...lifs, readout, fc2].flatMap((module) => module.parameters());
  const optimizer = new Adam(parameters, { lr: 0.01 });
  const x = random([4, 12], 1, { low: 0, high: 1 });
  const labels = [0, 1, 2, 1];
  const step = (): number =>
    tape(() => {
      optimizer.zeroGrad();
      const current = fc1.forward(poissonEncode(x, { timesteps: 6, generator }));
      const parts = lifs.map((lif) => lif.unroll(current));
      const spikes = parts.map((part) => part.spikes).reduce((sum, s) => sum.add(s));
      const membranes = parts.map((part) => part.membrane.add(part.state.v));
      const rates = fc2.forward(meanOverTime(spikes.mul(spike(current))));
      const out = maxMembrane(readout.forward(fc2.forward(spikes))).add(rates.softmax(0));
      const extra = membranes.reduce((sum, u) => sum.add(u)).amax({ axis: [0, 2] });
      const loss = crossEntropy(out.add(current.matmul(fc2.weight.transpose()).mean({ axis: 0 })), labels);
      const total = loss.add(mseLoss(extra, rates.sum({ axis: 1 }))).add(fc1.forward(x.expand([5, 4, 12])).mean());
      total.backward();
      return total.item();
    });
  return { parameters, optimizer, step, generator };
}

test("limit: a huge tensor outside of tapes is refused with all numbers, and nothing is held", () => {
  const { live } = memoryStats();
  const act = () => zeros(HUGE);
  expect(act).toThrow(RangeError);
  const limit = linearMemory.limit - linearMemory.start;
  expect(act).toThrow(`out of memory: asked for ${2 ** 32} bytes with ${live} live, the limit is ${limit}`);
  expect(memoryStats().live).toBe(live);
  for (const huge of [() => full(HUGE, 1), () => parameter(zeros(HUGE)), () => new Linear(2 ** 15, 2 ** 15)]) {
    expect(bytesKept(() => expect(huge).toThrow(REFUSED))).toBe(0);
  }
});

test("limit: inside tapes, at every depth, what they had is gone and the enclosing one goes on", () => {
  const x = leaf([50], 2);
  const kept = bytesKept(() => {
    expect(() => tape(() => [x.mul(2), keep(x.exp()), zeros(HUGE)])).toThrow(REFUSED);
    tape(() => {
      const y = x.mul(3);
      expect(() => tape(() => y.exp().add(zeros(HUGE)))).toThrow(REFUSED);
      expect(() => zeros(HUGE)).toThrow(REFUSED);
      y.sum().backward();
    });
  });
  expect(values(x.grad as Tensor)).toEqual(new Array(50).fill(3));
  expect(kept).toBe(208); // the gradient
});

test("limit: wherever the memory ends in a training step, all is as before, and training goes on undisturbed", () => {
  const [run, undisturbed] = [prepare(), prepare()];
  const losses: number[] = [];
  let refused = 0;
  const attempt = (free: number): boolean => {
    const before = run.parameters.map(bits);
    const state = run.generator.getState();
    const { live } = memoryStats();
    try {
      const loss = withLittleMemory(free, run.step);
      losses.push(loss);
      return true;
    } catch (error) {
      expect((error as Error).message).toMatch(REFUSED);
      expect(error).toBeInstanceOf(RangeError);
      refused++;
    }
    run.generator.setState(state);
    expect(memoryStats().live, `with ${free} bytes`).toBe(live);
    expect(run.parameters.map((p) => p.grad)).toEqual(run.parameters.map(() => null));
    expect(run.parameters.map(bits)).toEqual(before);
    return false;
  };
  // The first time even the gradients of the parameters have to be made; the second time they are there.
  for (const _round of [1, 2]) {
    let free = 16;
    while (!attempt(free)) free += free < 4096 ? 16 * (1 + (free % 7)) : 528 + 16 * (free % 13);
    run.optimizer.step();
    run.optimizer.zeroGrad();
  }
  expect(refused).toBeGreaterThan(300);
  const expected = [0, 1].map(() => {
    const loss = undisturbed.step();
    undisturbed.optimizer.step();
    return loss;
  });
  expect(losses).toEqual(expected);
  expect([run.step(), ...run.parameters.map(bits)]).toEqual([undisturbed.step(), ...undisturbed.parameters.map(bits)]);
});

/** Calls act with more and more memory until it succeeds; whenever it is refused, nothing may be held. */
function sweep<R>(act: () => R, step: number, check: () => void = () => {}): R {
  for (let free = 16; ; free += step) {
    const { live } = memoryStats();
    try {
      return withLittleMemory(free, act);
    } catch (error) {
      expect((error as Error).message).toMatch(REFUSED);
      expect(memoryStats().live, `with ${free} bytes`).toBe(live);
      check();
    }
  }
}

test("limit: outside of tapes a call that is refused holds nothing, and the next one works", () => {
  const x = random([6, 4, 6], 3);
  const y = random([4, 1], 4);
  const w = leaf([8, 6], 5);
  const [lif, leaky] = [new LIF({ learnBeta: true, refractorySteps: 1 }), new LeakyIntegrator({ learnBeta: true })];
  const recurrent = new RecurrentLIF({ features: 6 });
  const stepwise = new RecurrentLIF({ features: 6, connection: "one", learnBeta: true });
  const picks = tensor(new Float32Array(20), { shape: [4, 5] });
  const calls: Record<string, () => Tensor> = {
    add: () => x.add(y),
    div: () => x.div(3),
    sum: () => x.sum({ axis: [0, 2] }),
    amax: () => x.amax({ axis: [0, 2] }),
    softmax: () => x.softmax(0),
    select: () => x.select(2, 1),
    matmul: () => x.matmul(w.transpose()),
    linear: () => linear(x.gt(1.5), w),
    "linear of a constant": () => linear(y.reshape([1, 4]).expand([6, 4]).reshape([4, 6]), w),
    crossEntropy: () => crossEntropy(w, [0, 1, 2, 3, 4, 5, 0, 1]),
    mseLoss: () => mseLoss(x, y),
    LIF: () => lif.forward(x),
    LeakyIntegrator: () => leaky.forward(x),
    RecurrentLIF: () => recurrent.forward(x),
    "RecurrentLIF of composed steps": () => stepwise.forward(x),
    filteredTrace: () => filteredTrace(x),
    spike: () => spike(x, { threshold: 0.5 }),
    poissonEncode: () => poissonEncode(x, { timesteps: 3 }),
    tensor: () => tensor(new Float32Array(100)),
    clone: () => x.clone(),
    variance: () => x.variance({ axis: [0, 2] }),
    gather: () => w.gather(1, picks),
    scatterAdd: () => w.scatterAdd(1, picks, w.detach()),
    flip: () => x.flip([0, 2]),
  };
  // Weights keep a transposed copy from the second product on.
  for (const _time of [1, 2]) linear(x.gt(1.5), w).dispose();
  for (const [name, call] of Object.entries(calls)) {
    const z = sweep(() => composed(call), 112);
    expect(z.data.length, name).toBe(z.size);
    z.dispose();
  }
});

test("limit: a backward that is refused takes its gradients back", () => {
  const current = leaf([5, 3, 40], 6);
  const w = leaf([7, 40], 7);
  const lif = new LIF({ learnBeta: true, refractorySteps: 1 });
  const leaves = [current, w, lif.beta];
  let refused = 0;
  for (let free = 16; ; free += 240) {
    let done = false;
    const kept = bytesKept(() => {
      tape(() => {
        const spikes = lif.forward(current);
        const z = linear(spikes, w);
        const top = z.amax({ axis: [0, 2] });
        const loss = top.sum();
        try {
          withLittleMemory(free, () => loss.backward());
          done = true;
        } catch (error) {
          expect((error as Error).message).toMatch(REFUSED);
          expect(leaves.map(({ grad }) => grad)).toEqual([null, null, null]);
          refused++;
        }
      });
      for (const t of leaves) t.zeroGrad();
    });
    if (done) break;
    expect(kept, `with ${free} bytes`).toBe(0);
  }
  expect(refused).toBeGreaterThan(10);
});

test("limit: a tape that cannot move out all that it returns returns nothing", () => {
  const act = () =>
    tape(() => {
      const x = leaf([60], 8);
      x.square().sum().backward();
      keep(x.exp());
      const inner = tape(() => [x.mul(2), x.mul(3)]);
      return { x, list: [x.sqrt(), ...inner] };
    });
  const { x, list } = sweep(act, 64);
  expect(values(x.grad as Tensor)).toEqual(values(x).map((v) => 2 * v));
  for (const t of [x, ...list]) t.dispose();
});

test("limit: a parameter gets all of its memory or none, and stays what it was", () => {
  let made: Tensor | undefined;
  const w = sweep(
    () =>
      tape(() => {
        made = leaf([100], 9);
        made.square().sum().backward();
        return parameter(made);
      }),
    64,
    () => expect(made?.isParameter).not.toBe(true),
  );
  expect(w).toMatchObject({ isParameter: true, requiresGrad: true });
  expect(values(w.grad as Tensor)).toEqual(values(w).map((v) => 2 * v));
  const fc = sweep(() => new Linear(30, 20), 64);
  for (const t of [w, ...fc.parameters()]) t.dispose();
});

const LAYERS: [name: string, make: (generator: Generator) => Module][] = [
  ["Linear", (generator) => new Linear(30, 20, { generator })],
  ["Conv1d", (generator) => new Conv1d(3, 20, 5, { generator })],
  ["Embedding", (generator) => new Embedding(20, 10, { generator })],
  ["BatchNorm2d", () => new BatchNorm2d(40)],
  ["GroupNorm", () => new GroupNorm(4, 40)],
  ["LayerNorm", () => new LayerNorm([5, 8])],
];

test.each(LAYERS)("limit: %s gets all of its memory or none, and draws nothing before it has", (_name, make) => {
  const generator = new Generator(4);
  const state = generator.getState();
  let refused = 0;
  const layer = sweep(
    () => make(generator),
    64,
    () => {
      refused++;
      expect(generator.getState()).toEqual(state);
    },
  );
  expect(refused).toBeGreaterThan(1);
  for (const [, t] of layer.namedState()) t.dispose();
});

const COMPOSED: [name: string, make: () => Module][] = [
  ["SpikingLSTM", () => new SpikingLSTM(6, 8)],
  ["DelayedLinear", () => new DelayedLinear(6, 8, { maxDelay: 4 })],
  ["RecurrentLIF", () => new RecurrentLIF({ features: 8, connection: "one", learnBeta: true })],
  ["BatchNormTT1d", () => new BatchNormTT1d(8, 4)],
];

test.each(COMPOSED)("limit: %s, which is made in several parts, gets all of its memory or none", (_name, make) => {
  let refused = 0;
  const layer = sweep(make, 16, () => refused++);
  expect(refused).toBeGreaterThan(2);
  for (const [, t] of layer.namedState()) t.dispose();
});

test("limit: a Plastic and its state get all of their memory or none", () => {
  const [layer, rule] = [new Linear(8, 8, { bias: false }), new RewardSTDP()];
  let refused = 0;
  const plastic = sweep(
    () => new Plastic(layer, rule, { normalize: 1 }),
    16,
    () => refused++,
  );
  expect(refused).toBeGreaterThan(10);
  const { traces, synapses } = sweep(
    () => plastic.initialState(4),
    16,
    () => refused++,
  );
  expect(refused).toBeGreaterThan(20);
  for (const t of [...Object.values(traces), ...Object.values(synapses)]) t.dispose();
});

const OPTIMIZERS: [name: string, make: (params: Tensor[]) => Optimizer][] = [
  ["SGD", (params) => new SGD(params, { momentum: 0.9 })],
  ["Adam", (params) => new Adam(params, { amsgrad: true })],
  ["RMSprop", (params) => new RMSprop(params, { centered: true, momentum: 0.9 })],
  ["Adagrad", (params) => new Adagrad(params, { initialAccumulatorValue: 0.1 })],
];

test.each(OPTIMIZERS)(
  "limit: a first step of %s and loading its state happen as a whole or not at all",
  (_name, make) => {
    const prepare = () => {
      const params = [parameter(random([50], 10)), parameter(random([70], 11))];
      const optimizer = make(params);
      const gradients = () => tape(() => params.map((p) => p.square().sum().backward()));
      gradients();
      return { params, optimizer, gradients, state: () => [params.map(bits), optimizer.stateDict()] };
    };
    const [run, undisturbed] = [prepare(), prepare()];
    const before = run.state();
    let refused = 0;
    sweep(
      () => run.optimizer.step(),
      64,
      () => {
        refused++;
        expect(run.state()).toEqual(before);
      },
    );
    undisturbed.optimizer.step();
    expect(run.state()).toEqual(undisturbed.state());
    for (const each of [run, undisturbed]) {
      each.gradients();
      each.optimizer.step();
    }
    expect(run.state()).toEqual(undisturbed.state());

    const fresh = make(run.params);
    const empty = fresh.stateDict();
    const state = run.optimizer.stateDict();
    sweep(
      () => fresh.loadStateDict(state),
      64,
      () => {
        refused++;
        expect(fresh.stateDict()).toEqual(empty);
      },
    );
    expect(fresh.stateDict()).toEqual(state);
    const kept = bytesKept(() => fresh.loadStateDict(state));
    expect(kept).toBe(0);
    expect(refused).toBeGreaterThan(4);
    for (const optimizer of [fresh, run.optimizer, undisturbed.optimizer]) optimizer.dispose();
    for (const p of [...run.params, ...undisturbed.params]) p.dispose();
  },
);
