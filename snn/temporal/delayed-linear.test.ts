/** Learned delays, compared with loops in float64 written from the paper, and on a task that needs them. */
import { expect, test } from "vitest";
import type { Module, Tensor } from "../../engine/index.ts";
import {
  Adam,
  bernoulli,
  crossEntropy,
  full,
  Generator,
  gradcheck,
  Linear,
  manualSeed,
  Sequential,
  summary,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { DelayedLinear, LIF, maxMembrane, Recurrent, Stream } from "../index.ts";

/**
 * The kernel of a synapse as in the paper, with T_d taps: h[n] = w/c·exp(−((n − T_d + d + 1) / σ)² / 2), where c is the sum over the taps; in
 * evaluation w at n = T_d − 1 − round(d).
 */
function paperKernel(w: number, d: number, taps: number, sigma: number | null): number[] {
  const n = Array.from({ length: taps }, (_, i) => i);
  if (sigma === null) {
    const low = Math.floor(d);
    const rounded = d - low === 0.5 ? low + (low % 2) : Math.round(d);
    return n.map((i) => (i === taps - 1 - rounded ? w : 0));
  }
  const bump = n.map((i) => Math.exp(-(((i - taps + d + 1) / sigma) ** 2) / 2));
  const c = 1e-7 + bump.reduce((sum, g) => sum + g, 0);
  return bump.map((g) => (w * g) / c);
}

/** z[t, b, o] = b[o] + Σ_i Σ_n h[o, i, n]·x[t − T_d + 1 + n, b, i], padded with T_d − 1 zeros at the start. */
function paperLayer(layer: DelayedLinear, x: Tensor, sigma: number | null): number[] {
  const [T, B, N] = x.shape as [number, number, number];
  const taps = layer.maxDelay + 1;
  const [w, d] = [values(layer.weight), values(layer.delay)];
  const b = layer.bias === null ? [] : values(layer.bias);
  const all = values(x);
  const z: number[] = [];
  for (let t = 0; t < T; t++) {
    for (let row = 0; row < B; row++) {
      for (let o = 0; o < layer.outFeatures; o++) {
        let sum = b[o] ?? 0;
        for (let i = 0; i < N; i++) {
          const h = paperKernel(w[o * N + i] as number, d[o * N + i] as number, taps, sigma);
          h.forEach((value, n) => {
            const from = t - taps + 1 + n;
            if (from >= 0) sum += value * (all[(from * B + row) * N + i] as number);
          });
        }
        z.push(sum);
      }
    }
  }
  return z;
}

const make = (options = {}) => {
  const layer = new DelayedLinear(4, 3, { maxDelay: 6, generator: new Generator(1), ...options });
  layer.delay.copyFrom(values(random([3, 4], 5, { low: 0, high: 6 })));
  return layer;
};

test("delayed linear: training and evaluation are the equations of the paper", () => {
  for (const options of [{}, { bias: false }, { sigma: 0.5 }, { maxDelay: 9, sigma: 2 }]) {
    const layer = make(options);
    for (const T of [1, 5, 20]) {
      const x = random([T, 2, 4], 2);
      const near = { absolute: 1e-5, relative: 1e-5 };
      expectNear(values(layer.forward(x)), paperLayer(layer, x, layer.sigma.item()), "training", near);
      expectNear(values(layer.eval().forward(x)), paperLayer(layer, x, null), "evaluation", near);
      layer.train();
    }
  }
});

test("delayed linear: delays are rounded half to even", () => {
  const layer = new DelayedLinear(4, 1, { maxDelay: 4, bias: false }).eval();
  layer.weight.copyFrom([1, 2, 4, 8]);
  layer.delay.copyFrom([0.5, 1.5, 2.49, 4.4]);
  const impulse = zeros([5, 1, 4]);
  impulse.copyFrom([1, 1, 1, 1, ...new Array<number>(16).fill(0)]);
  expect(values(layer.forward(impulse))).toEqual([1, 0, 6, 0, 8]);
});

test("delayed linear: gradients of input, weights, delays and bias are the difference quotients", () => {
  const layer = make({ sigma: 1.3 });
  const weights = random([7, 2, 3], 3);
  gradcheck((x) => layer.forward(x).mul(weights).square(), [random([7, 2, 4], 2)]);
  // Each parameter in turn is an input of the check.
  const x = random([7, 2, 4], 2);
  for (const name of ["weight", "delay", "bias"] as const) {
    const given = random(layer[name]?.shape as number[], 6, { low: 0.5, high: 5.5 });
    gradcheck(
      (t) =>
        Object.create(layer, { [name]: { value: t } })
          .forward(x)
          .mul(weights)
          .sum(),
      [given],
      { atol: 1e-4 },
    );
  }
  layer.eval();
  gradcheck(
    (w) =>
      Object.create(layer, { weight: { value: w } })
        .forward(x)
        .mul(weights)
        .sum(),
    [random([3, 4], 8)],
  );
  tape(() => layer.forward(x).sum().backward());
  expect(layer.delay.grad).toBeNull();
});

test("delayed linear: starts as in the paper", () => {
  const layer = new DelayedLinear(600, 40, { maxDelay: 24, generator: new Generator(3) });
  expect(layer.sigma.item()).toBe(12.5);
  const range = (t: Tensor) => [Math.min(...values(t)), Math.max(...values(t))] as const;
  for (const [t, low, high] of [
    [layer.weight, -0.1, 0.1],
    [layer.delay, 0, 24],
    [layer.bias as Tensor, -1 / Math.sqrt(600), 1 / Math.sqrt(600)],
  ] as const) {
    const [least, most] = range(t);
    expect(least).toBeGreaterThanOrEqual(low);
    expect(most).toBeLessThanOrEqual(high);
    expect(most - least).toBeGreaterThan(0.9 * (high - low));
  }
  expect(layer.namedParameters().map(([name]) => name)).toEqual(["weight", "delay", "bias"]);
  expect(Object.keys(layer.stateDict())).toEqual(["weight", "delay", "bias", "sigma"]);
});

test("delayed linear: sigma falls exponentially to its end, and is part of the state", () => {
  const layer = new DelayedLinear(2, 2, { maxDelay: 7 });
  const all = [0, 0.5, 1, 3].map((progress) => layer.anneal(progress));
  expectNear(all, [4, 4 * Math.sqrt(0.5 / 4), 0.5, 0.5], "sigma");
  const copy = new DelayedLinear(2, 2, { maxDelay: 7 });
  copy.loadStateDict(layer.stateDict());
  expect(copy.sigma.item()).toBe(0.5);
  expect(() => layer.anneal(-1)).toThrow("DelayedLinear: progress must be finite and ≥ 0, got -1");
});

test("delayed linear: delays that have left [0, D] come back to its ends in training, and are read so in evaluation", () => {
  const layer = make();
  const inside = values(layer.delay);
  layer.delay.copyFrom([-3, 8, ...inside.slice(2)]);
  layer.eval();
  const x = random([9, 2, 4], 1);
  const z = bits(layer.forward(x));
  expect(values(layer.delay).slice(0, 2)).toEqual([-3, 8]);
  layer.train().forward(x);
  expect(values(layer.delay)).toEqual([0, 6, ...inside.slice(2)]);
  expect(bits(layer.eval().forward(x))).toEqual(z);
  layer.train();
  // There they have a gradient, and continue to move.
  tape(() => layer.forward(x).square().sum().backward());
  expect(
    gradient(layer.delay)
      .slice(0, 2)
      .every((g) => g !== 0),
  ).toBe(true);
});

test("delayed linear: spikes count as the numbers that they are", () => {
  const layer = make();
  tape(() => {
    const draw = () => bernoulli(full([12, 3, 4], 0.2), { generator: new Generator(2) });
    expect(draw().ptr).toBe(0);
    expect(bits(layer.forward(draw()))).toEqual(bits(layer.forward(draw().clone())));
  });
});

test("delayed linear: steps and streams give the bits of the sequence", () => {
  const layer = make();
  const x = random([9, 2, 4], 3);
  for (const mode of [true, false]) {
    layer.train(mode);
    const expected = layer.forward(x);
    let state = layer.initialState([2, 4]);
    for (let t = 0; t < 9; t++) {
      const [z, next] = layer.step(x.select(0, t), state);
      expect(bits(z)).toEqual(bits(expected.select(0, t)));
      state = next;
    }
  }
  const network = new Sequential(layer, new LIF(), new DelayedLinear(3, 2, { maxDelay: 2 })).train();
  const stream = new Stream(network, [2, 4]);
  for (let round = 0; round < 3; round++) {
    const expected = network.evaluating(() => network.forward(x));
    for (let t = 0; t < 9; t++) {
      expect(Array.from(stream.step(x.select(0, t).toFloat32Array()))).toEqual(values(expected.select(0, t)));
    }
    stream.reset();
    if (round === 0) layer.delay.copyFrom(values(random([3, 4], 9, { low: 0, high: 6 })));
    else layer.weight.data.fill(0.5);
  }
  stream.dispose();
  expect(() => new Recurrent(new LIF(), { connection: layer })).toThrow("got DelayedLinear in it");
});

test("delayed linear: leaves no memory behind, and prints its parameters", () => {
  const layer = make();
  const x = leaf([5, 2, 4], 1);
  const run = () => tape(() => layer.forward(x).sum().backward());
  run();
  expect(bytesKept(run)).toBe(0);
  expect(bytesKept(() => layer.forward(x).dispose())).toBe(0);
  expect(summary(new Sequential(layer), [5, 2, 4])).toContain("0: DelayedLinear  [5, 2, 3]          27");
});

/**
 * Two neurons fire once each, the second `lag` steps after the first, at a random time. A sum of both cannot distinguish the two lags unless
 * delays align the spikes.
 */
function coincidences(count: number, generator: Generator): { x: Tensor; y: number[] } {
  const T = 16;
  const x = new Float32Array(T * count * 2);
  const y: number[] = [];
  const draws = values(bernoulli(full([count, 4], 0.5), { generator }));
  for (let b = 0; b < count; b++) {
    const [label, ...place] = draws.slice(4 * b, 4 * b + 4) as [number, ...number[]];
    const t = 4 + place.reduce((sum, bit) => 2 * sum + bit, 0);
    x[(t * count + b) * 2] = 1;
    x[((t + (label === 1 ? 4 : -3)) * count + b) * 2 + 1] = 1;
    y.push(label);
  }
  return { x: tensor(x, { shape: [T, count, 2] }), y };
}

test("delayed linear: learns delays that bring two spikes together, where a linear layer guesses", () => {
  const accuracyOf = (layer: Module): number => {
    manualSeed(2);
    const generator = new Generator(4);
    const weights = layer.parameters().filter((p) => p !== (layer as DelayedLinear).delay);
    const optimizers = [new Adam(weights, { lr: 0.05 })];
    if (layer instanceof DelayedLinear) optimizers.push(new Adam([layer.delay], { lr: 0.1 }));
    const steps = 150;
    for (let step = 0; step < steps; step++) {
      if (layer instanceof DelayedLinear) layer.anneal(step / (steps / 2));
      const { x, y } = coincidences(64, generator);
      tape(() => crossEntropy(maxMembrane(layer.forward(x).square()), y).backward());
      for (const optimizer of optimizers) {
        optimizer.step();
        optimizer.zeroGrad();
      }
      x.dispose();
    }
    const { x, y } = coincidences(256, generator);
    const chosen = values(maxMembrane(layer.eval().forward(x).square()).argmax({ axis: -1 }));
    return chosen.filter((k, b) => k === y[b]).length / 256;
  };
  expect(accuracyOf(new Linear(2, 2, { generator: new Generator(1) }))).toBeLessThan(0.65);
  const layer = new DelayedLinear(2, 2, { maxDelay: 7, generator: new Generator(1) });
  expect(accuracyOf(layer)).toBe(1);
  // Each output aligns the spikes of one of the lags: the second is 3 steps before the first, or 4 after it.
  const [d00, d01, d10, d11] = values(layer.delay).map(Math.round) as [number, number, number, number];
  for (const apart of [d00 - d01, d10 - d11]) expect([-3, 4]).toContain(apart);
});

test("delayed linear: sizes and options out of range are errors", () => {
  expect(() => new DelayedLinear(0, 2, { maxDelay: 3 })).toThrow(RangeError);
  expect(() => new DelayedLinear(2, 2, {} as never)).toThrow(
    "DelayedLinear: maxDelay must be a positive integer, got NaN",
  );
  expect(() => new DelayedLinear(2, 2, { maxDelay: 3, sigma: 0 })).toThrow("sigma must be in [1e-6, 1e6], got 0");
  expect(() => new DelayedLinear(2, 2, { maxDelay: 3, delay: 1 } as never)).toThrow(TypeError);
  expect(() => make().forward(random([5, 2, 3], 1))).toThrow("DelayedLinear: expected x [T, B, …, 4], got [5, 2, 3]");
  expect(() => make().step(random([2, 4], 1), { past: random([5, 2, 4], 1) })).toThrow(
    "DelayedLinear: expected a state past of shape [6, 2, 4], got [5, 2, 4]",
  );
});

test("delayed linear: unroll gives the bits of forward, from a state on too", () => {
  const layer = make();
  const x = random([9, 2, 4], 7);
  for (const mode of ["train", "eval"] as const) {
    layer[mode]();
    const whole = layer.unroll(x);
    expect(bits(whole.z)).toEqual(bits(layer.forward(x)));
    const first = layer.unroll(x.slice(0, 0, 4));
    const rest = layer.unroll(x.slice(0, 4), first.state);
    expect([...values(first.z), ...values(rest.z)]).toEqual(values(whole.z));
    expect(bits(rest.state.past)).toEqual(bits(whole.state.past));
  }
});
