/** Encoders: times and rates of spikes, and their random numbers. */
import { expect, test } from "vitest";
import { Generator, manualSeed, type Tensor, tape, tensor } from "../../engine/index.ts";
import { bits, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  burstEncode,
  constantEncode,
  deltaEncode,
  latencyEncode,
  phaseEncode,
  poissonEncode,
  populationEncode,
  receptiveFields,
  ttfsEncode,
} from "../index.ts";

const rate = (spikes: Tensor) => values(spikes).reduce((sum, s) => sum + s, 0) / spikes.size;

/** Five standard deviations of the mean of n draws: a correct generator fails once in two million, and the seed is fixed. */
const bound = (p: number, n: number) => 5 * Math.sqrt((p * (1 - p)) / n);

test("poisson: the rate is the value times dt, within five standard deviations", () => {
  const n = 40_000;
  for (const p of [0.02, 0.3, 0.5, 0.9]) {
    for (const dt of [1, 0.25]) {
      const x = tensor(new Float32Array(400).fill(p));
      const spikes = poissonEncode(x, { timesteps: 100, dt, generator: new Generator(7) });
      expect(spikes.shape).toEqual([100, 400]);
      expect(Math.abs(rate(spikes) - p * dt)).toBeLessThan(bound(p * dt, n));
      expect(values(spikes).every((s) => s === 0 || s === 1)).toBe(true);
    }
  }
});

test("poisson: every step and every value is a draw of its own", () => {
  const x = tensor(new Float32Array(200).fill(0.5));
  const steps = poissonEncode(x, { timesteps: 200, generator: new Generator(8) })
    .unbind(0)
    .map(values);
  for (let t = 1; t < 200; t++) {
    const equal = steps[t]?.filter((s, i) => s === steps[t - 1]?.[i]).length as number;
    // 200 fair coins show 100 ± 7.1 heads; the largest of 200 such deviations is below five standard deviations.
    expect(Math.abs(equal - 100)).toBeLessThan(36);
  }
});

test("poisson: values are clamped to [0, 1], whatever dt; nothing is not a spike", () => {
  const x = tensor([-3, 0, 1, 7, Number.NaN, Infinity, -Infinity]);
  const counts = (dt: number) =>
    poissonEncode(x, { timesteps: 1000, dt, generator: new Generator(1) })
      .sum({ axis: 0 })
      .toFloat32Array();
  expect([...counts(1)]).toEqual([0, 0, 1000, 1000, 0, 1000, 0]);
  const [, , one, above] = counts(0.5);
  expect(Math.abs((one as number) - 500)).toBeLessThan(80);
  expect(Math.abs((above as number) - 500)).toBeLessThan(80);
  expect([...counts(0)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test("poisson: the same generator gives the same spikes, and goes on from there", () => {
  const x = random([13], 2, { low: 0, high: 1 });
  const encode = (generator: Generator) => bits(poissonEncode(x, { timesteps: 20, generator }));
  const generator = new Generator(5);
  const first = encode(generator);
  const second = encode(generator);
  expect(encode(new Generator(5))).toEqual(first);
  expect(second).not.toEqual(first);
  expect(encode(new Generator(6))).not.toEqual(first);
});

test("poisson: without a generator manualSeed decides, and a given one leaves the default alone", () => {
  const x = random([13], 2, { low: 0, high: 1 });
  manualSeed(9);
  const first = bits(poissonEncode(x, { timesteps: 20 }));
  manualSeed(9);
  poissonEncode(x, { timesteps: 20, generator: new Generator(1) });
  expect(bits(poissonEncode(x, { timesteps: 20 }))).toEqual(first);
});

test("poisson: a shorter encoding is the beginning of a longer one", () => {
  for (const size of [1, 4, 5, 7, 64]) {
    const x = random([size], 3, { low: 0, high: 1 });
    const encode = (timesteps: number) => values(poissonEncode(x, { timesteps, generator: new Generator(4) }));
    const long = encode(23);
    for (const timesteps of [1, 2, 7, 22]) expect(encode(timesteps)).toEqual(long.slice(0, timesteps * size));
  }
});

test("poisson: a spike depends on its own value only", () => {
  const x = random([9], 3, { low: 0, high: 1 });
  const encode = (v: Tensor) => values(poissonEncode(v, { timesteps: 30, generator: new Generator(4) }));
  const changed = tensor(Float32Array.from(x.data, (v, i) => (i === 4 ? 1 - v : v)));
  const after = encode(changed);
  encode(x).forEach((s, i) => {
    if (i % 9 !== 4) expect(after[i]).toBe(s);
  });
});

test("ttfs: one spike, the earlier the larger the value", () => {
  const x = tensor([1, 0.75, 0.5, 0.25, 0.01, 0]);
  const spikes = ttfsEncode(x, { timesteps: 5 });
  expect(spikes.shape).toEqual([5, 6]);
  const times = spikes.transpose(0, 1).toArray() as number[][];
  expect(times.map((row) => row.indexOf(1))).toEqual([0, 1, 2, 3, 4, -1]);
  expect(values(spikeCounts(spikes))).toEqual([1, 1, 1, 1, 1, 0]);
});

test("ttfs: half steps are rounded to the even one", () => {
  // (1 − x)·2 = 0.5, 1.5; (1 − x)·4 = 0.5, 1.5, 2.5, 3.5
  const at = (x: number[], timesteps: number) =>
    (ttfsEncode(tensor(x), { timesteps }).transpose(0, 1).toArray() as number[][]).map((row) => row.indexOf(1));
  expect(at([0.75, 0.25], 3)).toEqual([0, 2]);
  expect(at([0.875, 0.625, 0.375, 0.125], 5)).toEqual([0, 2, 2, 4]);
});

test("ttfs: values are clamped to [0, 1], those up to eps never fire", () => {
  const counts = (x: number[], eps?: number) =>
    values(spikeCounts(ttfsEncode(tensor(x), eps === undefined ? { timesteps: 4 } : { timesteps: 4, eps })));
  expect(counts([-1, 0, 5e-7, 1e-6, 2e-6, 7])).toEqual([0, 0, 0, 0, 1, 1]);
  expect(counts([0.25, 0.5, 0.75], 0.5)).toEqual([0, 0, 1]);
  expect(counts([0, 1e-9], 0)).toEqual([0, 1]);
  expect(values(ttfsEncode(tensor([7]), { timesteps: 4 }))).toEqual([1, 0, 0, 0]);
  expect(values(ttfsEncode(tensor([0.3, 1, 0]), { timesteps: 1 }))).toEqual([1, 1, 0]);
});

test("constant: every step is the value itself, and gradients add up over time", () => {
  tape(() => {
    const x = leaf([2, 3], 6);
    const current = constantEncode(x, { timesteps: 4 });
    expect(current.shape).toEqual([4, 2, 3]);
    for (const step of current.unbind(0)) expect(values(step)).toEqual(values(x));
    current.sum().backward();
    expect(gradient(x)).toEqual([4, 4, 4, 4, 4, 4]);
  });
});

test("encoders: a single step is one step", () => {
  const x = tensor([1, 0]);
  for (const encode of [poissonEncode, ttfsEncode, constantEncode]) {
    expect(encode(x, { timesteps: 1 }).toArray()).toEqual([[1, 0]]);
  }
});

const spikeCounts = (spikes: Tensor) => spikes.sum({ axis: 0 });

test("encoders: each refuses the options of the others", () => {
  const x = tensor([0.5]);
  const calls: Record<string, () => unknown> = {
    gain: () => ttfsEncode(x, { timesteps: 3, gain: 3 } as never),
    eps: () => poissonEncode(x, { timesteps: 3, eps: 3 } as never),
    dt: () => constantEncode(x, { timesteps: 3, dt: 1 } as never),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(new RegExp(`, got ${name}$`));
  }
});

test("encoders: low, high and beta are refused beside centers", () => {
  const x = tensor([0.5]);
  for (const name of ["low", "high", "beta"]) {
    const options = { centers: [0, 0.5], sigma: 1, [name]: 2 };
    expect(() => receptiveFields(x, options)).toThrow(
      new RangeError(`receptiveFields: expected no ${name} beside centers, got 2`),
    );
    expect(() => populationEncode(x, { timesteps: 3, ...options })).toThrow(RangeError);
  }
});

test("encoders: NaN gives no spike, and the others have their own", () => {
  const some = tensor([0.25, Number.NaN, 0.75]);
  const known = tensor([0.25, 0.75]);
  const timesteps = 8;
  const codes: Record<string, (x: Tensor) => Tensor> = {
    ttfs: (x) => ttfsEncode(x, { timesteps }),
    "latency, logarithmic": (x) => latencyEncode(x, { timesteps }),
    "latency, linear": (x) => latencyEncode(x, { timesteps, linear: true, tau: 7, clip: true }),
    "latency, normalised": (x) => latencyEncode(x, { timesteps, normalize: true }),
    "latency, open": (x) => latencyEncode(x, { bypass: true, tau: 50 }),
    "latency, interpolated": (x) => latencyEncode(x, { timesteps, normalize: true, interpolate: true, threshold: 0.2 }),
    phase: (x) => phaseEncode(x, { timesteps }),
    burst: (x) => burstEncode(x, { timesteps }),
    delta: (x) => deltaEncode(x.unsqueeze(0)),
    population: (x) => populationEncode(x, { timesteps, neurons: 5 }).sum({ axis: -1 }),
  };
  for (const [name, encode] of Object.entries(codes)) {
    const [spikes, expected] = [encode(some), encode(known)];
    expect(
      values(spikes.select(-1, 1)).every((s) => s === 0),
      name,
    ).toBe(true);
    expect([spikes.select(-1, 0), spikes.select(-1, 2)].map(values), name).toEqual(
      [expected.select(-1, 0), expected.select(-1, 1)].map(values),
    );
    expect(Math.max(...values(expected)), name).toBeGreaterThan(0);
  }
  expect(values(poissonEncode(some, { timesteps: 1000 }).select(-1, 1)).every((s) => s === 0)).toBe(true);
  expect(values(constantEncode(some, { timesteps: 2 }).select(-1, 1))).toEqual([Number.NaN, Number.NaN]);
});
