/** Parallel neurons, compared with loops in float64 written from the paper. */
import { expect, test } from "vitest";
import {
  Adam,
  crossEntropy,
  expand,
  Generator,
  gradcheck,
  Linear,
  Module,
  manualSeed,
  noGrad,
  rand,
  Sequential,
  summary,
  type Tensor,
  tape,
} from "../../engine/index.ts";
import { bits, bytesKept, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import { meanOverTime, PSN, type PSNOptions, Recurrent, Stream, surrogate } from "../index.ts";

/** h[t] for a column of currents, by the sums of the paper. */
function membrane(layer: PSN, current: number[], lambda: number): number[] {
  const T = current.length;
  const w = values(layer.weight);
  const b = values(layer.bias);
  const k = layer.order as number;
  return current.map((_, t) => {
    let h = 0;
    if (layer.kind === "sliding") {
      for (let i = 0; i < k; i++) h += (w[i] as number) * (current[t - k + 1 + i] ?? 0);
      return h + (b[0] as number);
    }
    for (let j = 0; j < T; j++) {
      const isInBand = j <= t && t <= j + k - 1;
      const mask = layer.kind === "full" ? 1 : lambda * (isInBand ? 1 : 0) + (1 - lambda);
      h += mask * (w[t * T + j] as number) * (current[j] as number);
    }
    return h + (b[t] as number);
  });
}

/** `membrane` for every column of [T, …]. */
function membranes(layer: PSN, current: Tensor, lambda = 0): number[] {
  const T = current.shape[0] as number;
  const n = current.size / T;
  const all = values(current);
  const h = new Array<number>(all.length);
  for (let i = 0; i < n; i++) {
    const column = all.filter((_, at) => at % n === i);
    membrane(layer, column, lambda).forEach((value, t) => {
      h[t * n + i] = value;
    });
  }
  return h;
}

const KINDS: [what: string, options: (T: number) => PSNOptions, lambda?: number][] = [
  ["full", (timesteps) => ({ timesteps })],
  ["masked, λ 0", (timesteps) => ({ kind: "masked", timesteps, order: 3 }), 0],
  ["masked, λ 0.4", (timesteps) => ({ kind: "masked", timesteps, order: 3, lambda: 0.4 }), 0.4],
  ["masked, λ 1", (timesteps) => ({ kind: "masked", timesteps, order: 2, lambda: 1 }), 1],
  ["sliding, order 1", () => ({ kind: "sliding", order: 1 })],
  ["sliding, order 4", () => ({ kind: "sliding", order: 4 })],
  ["sliding, order 40, uniform", () => ({ kind: "sliding", order: 40, expInit: false })],
];

test.each(KINDS)("psn, %s: membrane and spikes are those of the paper", (_, options, lambda) => {
  for (const shape of [
    [1, 3],
    [9, 2, 5],
    [31, 4],
    [33, 2, 2],
    [100, 3, 2],
  ]) {
    const layer = new PSN({ ...options(shape[0] as number), generator: new Generator(1) });
    const current = random(shape, 2, { low: -1, high: 3 });
    const expected = membranes(layer, current, lambda);
    const { spikes, membrane } = layer.unroll(current);
    expectNear(values(membrane), expected, "membrane", { absolute: 1e-5 });
    expect(values(spikes)).toEqual(values(membrane).map((h) => (h >= 0 ? 1 : 0)));
    const z = layer.forward(current);
    expect(z.ptr).toBe(0); // packed spikes
    expect(bits(z)).toEqual(bits(spikes));
  }
});

test("psn: fires at h ≥ 0, or only above with fire: gt", () => {
  const make = (fire: "ge" | "gt") => {
    const layer = new PSN({ timesteps: 2, fire });
    layer.weight.copyFrom([1, 0, 0, 1]);
    return layer;
  };
  const current = random([2, 1], 1).mul(0).add(1);
  expect(values(make("ge").forward(current))).toEqual([1, 1]);
  expect(values(make("gt").forward(current))).toEqual([0, 0]);
});

test("psn: starts as SpikingJelly starts it, under the same names", () => {
  const state = (options: PSNOptions) => {
    const dict = new PSN(options).stateDict();
    return Object.fromEntries(Object.entries(dict).map(([name, { shape, data }]) => [name, [shape, Array.from(data)]]));
  };
  const { weight, ...others } = state({ timesteps: 16, generator: new Generator(1) });
  expect(others).toEqual({ bias: [[16, 1], new Array(16).fill(-1)] });
  const [shape, w] = weight as [number[], number[]];
  expect(shape).toEqual([16, 16]);
  expect(Math.max(...w)).toBeLessThanOrEqual(0.25);
  expect(Math.min(...w)).toBeGreaterThanOrEqual(-0.25);
  expect(Math.max(...w) - Math.min(...w)).toBeGreaterThan(0.45);
  expect(Object.keys(state({ kind: "masked", timesteps: 3, order: 2 }))).toEqual(["weight", "bias", "lambda"]);
  expect(state({ kind: "sliding", order: 4 })).toEqual({ weight: [[4], [0.125, 0.25, 0.5, 1]], bias: [[], [-1]] });
  expect(summary(new Sequential(new PSN({ timesteps: 5 })), [5, 2, 3])).toBe(
    [
      "layer       output     parameters",
      "Sequential  [5, 2, 3]           0",
      "0: PSN      [5, 2, 3]          30",
      "total                          30",
    ].join("\n"),
  );
});

test.each(KINDS)("psn, %s: without spikes all gradients are the difference quotients", (what, options) => {
  for (const T of [5, 34]) {
    // A second block of a sliding neuron; other kinds have T² weights.
    if (T > 5 && what !== "sliding, order 4") continue;
    const layer = new PSN({ ...options(T), spiking: false, surrogate: surrogate.atan(), generator: new Generator(2) });
    const weights = random([T, 2], 3);
    const current = random([T, 2], 4);
    gradcheck((x) => layer.forward(x).mul(weights), [current]);
    for (const name of ["weight", "bias"] as const) {
      const given = random(layer[name].shape, 5);
      gradcheck(
        (t) =>
          Object.create(layer, { [name]: { value: t } })
            .forward(current)
            .mul(weights)
            .sum(),
        [given],
      );
    }
  }
});

test("psn: spikes pass the derivative of the surrogate on, a custom one too", () => {
  const custom = surrogate.custom({ derivative: (x, { where }) => where(x.abs().lt(1), 0.5, 0) });
  for (const [given, slope] of [
    [surrogate.boxcar({ width: 2 }), (h: number) => (Math.abs(h) < 1 ? 0.5 : 0)],
    [custom, (h: number) => (Math.abs(h) < 1 ? 0.5 : 0)],
    [surrogate.atan(), (h: number) => 1 / (1 + (Math.PI * h) ** 2)],
  ] as const) {
    const layer = new PSN({ timesteps: 6, surrogate: given, generator: new Generator(1) });
    const current = random([6, 4], 2);
    tape(() => layer.forward(current).sum().backward());
    const h = membranes(layer, current);
    // ∂L/∂b[t] is the sum over the columns.
    const expected = Array.from({ length: 6 }, (_, t) =>
      h.slice(4 * t, 4 * t + 4).reduce((sum, v) => sum + slope(v), 0),
    );
    expectNear(gradient(layer.bias), expected, given.name, { absolute: 1e-5 });
  }
});

test("psn: a current that is constant over time is one", () => {
  const layer = new PSN({ kind: "sliding", order: 3 });
  const current = random([2, 4], 1);
  expect(bits(layer.forward(expand(current, [40, 2, 4])))).toEqual(
    bits(layer.forward(expand(current, [40, 2, 4]).clone())),
  );
});

test("psn: a masked neuron leaves the future out with λ = 1", () => {
  const layer = new PSN({ kind: "masked", timesteps: 8, order: 3 });
  const current = random([8, 5], 1);
  const changed = current.clone();
  changed.copyFrom(values(current).map((v, i) => (i < 20 ? v : -v)));
  const early = (x: Tensor) => bits(layer.unroll(x).membrane.slice(0, 0, 4));
  expect(early(changed)).not.toEqual(early(current));
  expect([0.25, 1, 4].map((progress) => layer.anneal(progress))).toEqual([0.25, 1, 1]);
  expect(early(changed)).toEqual(early(current));
  const copy = new PSN({ kind: "masked", timesteps: 8, order: 3 });
  copy.loadStateDict(layer.stateDict());
  expect(copy.lambda?.item()).toBe(1);
  expect(bits(copy.forward(current))).toEqual(bits(layer.forward(current)));
});

test("psn: a sliding neuron gives the same in one run, in parts, in steps and in a stream", () => {
  for (const order of [1, 2, 5, 40]) {
    const layer = new PSN({ kind: "sliding", order, expInit: false, generator: new Generator(order) });
    const current = random([70, 2, 3], 3, { low: -1, high: 6 });
    const whole = layer.unroll(current);
    const parts: Tensor[] = [];
    let state = layer.initialState([2, 3]);
    for (const part of current.split([1, 3, 36, 30])) {
      const record = layer.unroll(part, state);
      parts.push(record.membrane);
      state = record.state;
    }
    expect(parts.flatMap((t) => bits(t))).toEqual(bits(whole.membrane));
    expect(bits(state.past)).toEqual(bits(whole.state.past));
    state = layer.initialState([2, 3]);
    const stream = new Stream(new Sequential(layer), [2, 3]);
    for (let t = 0; t < 70; t++) {
      const [z, next] = layer.step(current.select(0, t), state);
      const expected = values(whole.spikes.select(0, t));
      expect(values(z)).toEqual(expected);
      expect(Array.from(stream.step(current.select(0, t).toFloat32Array()))).toEqual(expected);
      state = next;
    }
    stream.dispose();
  }
});

test("psn: other kinds have no single steps, and a stream refuses them", () => {
  for (const options of [{ timesteps: 8 }, { kind: "masked", timesteps: 8, order: 2, lambda: 1 }] as PSNOptions[]) {
    const layer = new PSN(options);
    const kind = options.kind ?? "full";
    expect(() => new Stream([new Linear(2, 3), layer], [1, 2])).toThrow(
      `Stream: expected PSN of kind "sliding", got "${kind}", which needs the whole sequence`,
    );
    expect(() => layer.initialState([1, 2])).toThrow(`PSN: expected kind "sliding" for single steps, got "${kind}"`);
    expect(() => layer.unroll(random([8, 1], 1), { past: random([1, 1], 1) })).toThrow(RangeError);
  }
  class Wrapped extends Module {
    readonly psn = new PSN({ timesteps: 8 });
    forward(x: Tensor): Tensor {
      return this.psn.forward(x);
    }
  }
  expect(() => new Stream([new Wrapped()], [1, 2])).toThrow("Wrapped has a state in psn");
});

test("psn: sliding neurons can be fed back their spikes", () => {
  manualSeed(1);
  const layer = new Recurrent(new PSN({ kind: "sliding", order: 3 }), { features: 4 });
  const current = random([6, 2, 4], 1, { low: 0, high: 2 });
  const z = layer.forward(current);
  let state = layer.initialState([2, 4]);
  for (let t = 0; t < 6; t++) {
    const [s, next] = layer.step(current.select(0, t), state);
    expect(bits(s)).toEqual(bits(z.select(0, t)));
    state = next;
  }
});

test("psn: a network of them learns, and a step leaves no memory behind", () => {
  manualSeed(3);
  const generator = new Generator(5);
  // Whether the pulse is in the first half, which neurons with one weight for each step can learn.
  const draw = () => {
    const y = noGrad(() => values(rand([64], { generator }))).map((u) => Math.floor(8 * u));
    const x = new Float32Array(8 * 64);
    for (const [b, t] of y.entries()) x[t * 64 + b] = 1;
    return { x: random([8, 64, 1], 0).copyFrom(x), y: y.map((t) => (t < 4 ? 0 : 1)) };
  };
  const network = new Sequential(
    new Linear(1, 16),
    new PSN({ timesteps: 8, surrogate: surrogate.atan() }),
    new Linear(16, 2),
  );
  const optimizer = new Adam(network.parameters(), { lr: 0.02 });
  const step = () => {
    const { x, y } = draw();
    tape(() => crossEntropy(meanOverTime(network.forward(x)), y).backward());
    optimizer.step();
    optimizer.zeroGrad();
    x.dispose();
  };
  step();
  expect(bytesKept(step)).toBe(0);
  for (let i = 0; i < 150; i++) step();
  const { x, y } = draw();
  const chosen = values(meanOverTime(network.eval().forward(x)).argmax({ axis: -1 }));
  expect(chosen).toEqual(y);
});

test("psn: options and shapes out of range are errors", () => {
  expect(() => new PSN({} as never)).toThrow(TypeError);
  expect(() => new PSN({ timesteps: 0 })).toThrow("PSN: timesteps must be a positive integer, got 0");
  expect(() => new PSN({ timesteps: 4, order: 2 })).toThrow('PSN: expected no order for kind "full", got 2');
  expect(() => new PSN({ kind: "sliding", order: 2, timesteps: 4 })).toThrow(
    'PSN: expected no timesteps for kind "sliding", got 4',
  );
  expect(() => new PSN({ kind: "masked", timesteps: 4, order: 2, lambda: 2 })).toThrow(
    "PSN: lambda must be in [0, 1], got 2",
  );
  expect(() => new PSN({ kind: "parallel" as never, timesteps: 4 })).toThrow(
    'PSN: expected kind "full", "masked" or "sliding"',
  );
  expect(() => new PSN({ timesteps: 4, surrogate: "atan" as never })).toThrow(TypeError);
  expect(() => new PSN({ timesteps: 4 }).forward(random([5, 2], 1))).toThrow(
    "PSN: expected a current of 4 steps, [4, B, …], got [5, 2]",
  );
  expect(() => new PSN({ kind: "sliding", order: 4, expInit: 1 as never })).toThrow(TypeError);
  expect(() => new PSN({ timesteps: 4 }).anneal(-1)).toThrow("PSN: progress must be finite and ≥ 0, got -1");
  expect(() => new PSN({ kind: "sliding", order: 3 }).unroll(random([5, 2], 1), { past: random([3, 2], 1) })).toThrow(
    "PSN: expected a state past of shape [2, 2], got [3, 2]",
  );
});
