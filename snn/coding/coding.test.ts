/** Codes other than rates: spike times of values, the stored form, and targets of output neurons. */
import { describe, expect, test } from "vitest";
import { withReference } from "../../engine/gradcheck.ts";
import { Generator, gradcheck, memoryStats, type Tensor, tape, tensor } from "../../engine/index.ts";
import { CODES } from "../../test/support/encoders.ts";
import { leaf, random, values } from "../../test/support/tensors.ts";
import {
  burstEncode,
  deltaEncode,
  type LatencyOptions,
  latencyEncode,
  latencyTargets,
  phaseEncode,
  poissonEncode,
  populationEncode,
  rateTargets,
  receptiveFields,
  ttfsEncode,
} from "../index.ts";

/** The steps of spikes, for each value of a vector. */
const timesOf = (spikes: Tensor): number[][] =>
  (spikes.transpose(0, 1).toArray() as number[][]).map((row) => row.flatMap((s, t) => (s === 0 ? [] : [t])));

const unit = (shape: number[], seed: number): Tensor => random(shape, seed, { low: 0, high: 1 });

describe.each(CODES)("%s", (_, { example: encode, shape = [9, 5, 3], times }) => {
  // Quarters, so that differences and products are exact on both sides.
  const x = tensor(
    unit([5, 3], 1).data.map((v) => Math.round(4 * v) / 4),
    { shape: [5, 3] },
  );

  test("spikes are bits, without a gradient, and nothing else is kept", () => {
    const { live } = memoryStats();
    const spikes = encode(x);
    expect([spikes.shape, spikes.bits !== 0, spikes.ptr, spikes.requiresGrad]).toEqual([shape, true, 0, false]);
    spikes.dispose();
    expect(memoryStats().live).toBe(live);
    tape(() => {
      expect(encode(leaf([5, 3], 1, { low: 0, high: 1 })).requiresGrad).toBe(false);
    });
    expect(memoryStats().live).toBe(live);
  });

  test("a tape and the float64 reference give the same spikes", () => {
    const spikes = values(encode(x));
    expect(values(tape(() => encode(x)))).toEqual(spikes);
    expect(withReference(() => values(encode(x)))).toEqual(spikes);
    expect(spikes.some((s) => s === 1)).toBe(true);
    expect(spikes.every((s) => s === 0 || s === 1)).toBe(true);
  });

  test("NaN gives no spike", () => {
    const data = values(x).map((v, i) => (i % 3 === 1 ? Number.NaN : v));
    const spikes = encode(tensor(data, { shape: [5, 3] }));
    const column = (i: number) => values(spikes.select(shape.lastIndexOf(3), i));
    expect(column(1).every((s) => s === 0)).toBe(true);
    expect([...column(0), ...column(2)].some((s) => s === 1)).toBe(true);
  });

  if (times === undefined) return;

  test("a value spikes in the steps of the equation", () => {
    const x = [0, 0.25, 0.5, 0.75, 1];
    expect(timesOf(encode(tensor(x)))).toEqual(x.map(times));
  });
});

test("poisson: gain and offset come before the clamp, and no spike before the first step that may have one", () => {
  const x = tensor([0, 0.25, 1, 3, Number.NaN]);
  const n = 4000;
  for (const firstSpikeTime of [0, 13, n - 1]) {
    const options = { timesteps: n, gain: 0.5, offset: 0.25, firstSpikeTime, generator: new Generator(3) };
    const spikes = poissonEncode(x, options);
    const silent = values(spikes).indexOf(1);
    expect(silent).toBeGreaterThanOrEqual(5 * firstSpikeTime);
    const all = { ...options, firstSpikeTime: 0, generator: new Generator(3) };
    expect(values(spikes).slice(5 * firstSpikeTime)).toEqual(values(poissonEncode(x, all)).slice(5 * firstSpikeTime));
    if (firstSpikeTime > 0) continue;
    [0.25, 0.375, 0.75, 1, 0].forEach((p, i) => {
      const rate = spikes.mean({ axis: 0 }).data[i] as number;
      // Five standard deviations, and the rounding of a mean.
      expect(Math.abs(rate - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / n) + 1e-6);
    });
  }
});

test("latency: the time is that of a membrane that is charged to the threshold", () => {
  const x = [0.02, 0.1, 0.4, 1];
  const spikes = latencyEncode(tensor(x), { timesteps: 12, tau: 3 });
  expect(timesOf(spikes)).toEqual(x.map((v) => [Math.round(3 * Math.log(v / (v - 0.01)))]));
  const shifted = latencyEncode(tensor(x), { timesteps: 12, tau: 3, firstSpikeTime: 2 });
  expect(timesOf(shifted)).toEqual(x.map((v) => [Math.round(2 + 3 * Math.log(v / (v - 0.01)))]));
});

test("latency: normalised codes end in the last step, linear ones fall evenly, clipped values are silent", () => {
  const x = tensor([0, 0.25, 0.5, 0.75, 1]);
  expect(timesOf(latencyEncode(x, { timesteps: 5, normalize: true, linear: true, threshold: 0.1 }))).toEqual([
    [4],
    [3],
    [2],
    [1],
    [0],
  ]);
  expect(timesOf(latencyEncode(x, { timesteps: 9, tau: 4, linear: true, threshold: 0.5, clip: true }))).toEqual([
    [],
    [],
    [2],
    [1],
    [0],
  ]);
  const late = timesOf(latencyEncode(x, { timesteps: 20, normalize: true, firstSpikeTime: 3 })).map(
    ([t]) => t as number,
  );
  expect(late[0]).toBe(19);
  expect(late.every((t) => t >= 3)).toBe(true);
  // If all values are equal, there is no largest delay to divide by.
  const alike = latencyEncode(tensor([1, 1]), { timesteps: 5, normalize: true, threshold: 1e-9 });
  expect(timesOf(alike)).toEqual([[0], [0]]);
});

test("latency: without timesteps the last spike ends the code; bypass leaves later ones out", () => {
  const x = tensor([0.05, 0.5]);
  const all = latencyEncode(x, { bypass: true, tau: 5 });
  const [late] = timesOf(all)[0] as number[];
  expect(all.shape).toEqual([(late as number) + 1, 2]);
  expect(() => latencyEncode(x, { timesteps: late as number, tau: 5 })).toThrow(
    /^latencyEncode: expected spike times in \[0, 0\], got 1; take more steps/,
  );
  expect(timesOf(latencyEncode(x, { timesteps: late as number, tau: 5, bypass: true }))[0]).toEqual([]);
});

test("latency: targets are any numbers, and rise evenly up to the spike", () => {
  const x = tensor([0, 0.5, 0.75, 1]);
  const options = { timesteps: 5, normalize: true, linear: true, threshold: 0.1, onTarget: 1.25, offTarget: -0.25 };
  const columns = (given: LatencyOptions) => latencyEncode(x, given).transpose(0, 1).toArray() as number[][];
  const [low, high] = [-0.25, 1.25];
  expect(columns(options)).toEqual([
    [low, low, low, low, high],
    [low, low, high, low, low],
    [low, high, low, low, low],
    [high, low, low, low, low],
  ]);
  const rising = columns({ ...options, interpolate: true });
  const ramp = (t: number) => Array.from({ length: 5 }, (_, i) => (i > t ? low : t === 0 ? high : low + (1.5 * i) / t));
  [4, 2, 1, 0].forEach((t, i) => expect(rising[i]).toEqual(ramp(t)));
  const clipped = columns({ ...options, interpolate: true, clip: true });
  expect(clipped[0]).toEqual([low, low, low, low, low]);
  expect(clipped.slice(1)).toEqual(rising.slice(1));
});

test("delta: changes of the threshold or more spike, the first step against 0 or itself", () => {
  const x = tensor([1, 2, 0, 2, 2.9]);
  expect(values(deltaEncode(x, { threshold: 1 }))).toEqual([1, 1, 0, 1, 0]);
  expect(values(deltaEncode(x, { threshold: 1, padding: true, offSpike: true }))).toEqual([0, 1, -1, 1, 0]);
  expect(values(deltaEncode(x))).toEqual([1, 1, 0, 1, 1]);
  expect(values(deltaEncode(tensor([[1, -1]]), { threshold: 1, offSpike: true }))).toEqual([1, -1]);
  expect(values(deltaEncode(tensor([[1, -1]]), { threshold: 1, padding: true }))).toEqual([0, 0]);
  expect(values(deltaEncode(tensor([Number.NaN, 1, 2])))).toEqual([0, 0, 1]);
});

test("phase: the spikes of each period are the binary digits of the value", () => {
  const x = unit([64], 4);
  for (const phases of [1, 4, 8, 24]) {
    const spikes = phaseEncode(x, { timesteps: 2 * phases + 1, phases }).toArray() as number[][];
    for (const [i, v] of values(x).entries()) {
      const sum = spikes.slice(0, phases).reduce((total, row, t) => total + (row[i] as number) * 2 ** (-1 - t), 0);
      expect(sum).toBe(Math.floor(v * 2 ** phases) / 2 ** phases);
    }
    expect(spikes.slice(phases, 2 * phases)).toEqual(spikes.slice(0, phases));
    expect(spikes[2 * phases]).toEqual(spikes[0]);
  }
  const ends = phaseEncode(tensor([-1, 0, 1, 7, Infinity, Number.NaN]), { timesteps: 3, phases: 3 });
  expect(values(ends.sum({ axis: 0 }))).toEqual([0, 0, 3, 3, 3, 0]);
});

test("burst: count and interval are those of the equation", () => {
  const x = [-1, 0, 0.125, 0.25, 0.375, 0.5, 0.75, 1, 2, Number.NaN];
  for (const [timesteps, maxSpikes, minInterval, maxInterval] of [
    [16, 5, 2, 16],
    [40, 4, 1, 9],
    [7, 3, 3, 3],
  ] as const) {
    const times = timesOf(burstEncode(tensor(x), { timesteps, maxSpikes, minInterval, maxInterval }));
    const expected = x.map((value) => {
      const v = Math.min(Math.max(value, 0), 1);
      const interval = Math.ceil(maxInterval - (maxInterval - minInterval) * v);
      const count = Number.isNaN(v) ? 0 : Math.ceil(maxSpikes * v);
      return Array.from({ length: count }, (_, j) => j * interval).filter((t) => t < timesteps);
    });
    expect(times).toEqual(expected);
  }
  expect(values(burstEncode(tensor([1, 0.1]), { timesteps: 1 }))).toEqual([1, 1]);
  expect(() => burstEncode(tensor([1]), { timesteps: 1, maxInterval: null as never })).toThrow(
    new TypeError("burstEncode: expected maxInterval as a number, got null"),
  );
});

test("fields: centres and width are those of Bohte, and gradients those of differences", () => {
  const x = tensor([0, 0.3, 1]);
  const activity = receptiveFields(x, { neurons: 6, low: -1, high: 3 });
  expect(activity.shape).toEqual([3, 6]);
  const expected = values(x).flatMap((v) =>
    Array.from({ length: 6 }, (_, i) => Math.exp(-((v - (-1 + (i - 0.5))) ** 2) / (2 * (1 / 1.5) ** 2))),
  );
  values(activity).forEach((a, i) => void expect(a).toBeCloseTo(expected[i] as number, 6));
  gradcheck((v) => receptiveFields(v, { neurons: 4 }), [leaf([2, 3], 5)]);
  gradcheck((v) => receptiveFields(v, { centers: [0.2, 0.9], sigma: 0.3 }), [leaf([3], 5)]);
});

test("population: the neuron whose centre is nearest spikes first, and far ones never", () => {
  const x = unit([2, 4], 6);
  const options = { neurons: 7, beta: 2 };
  const spikes = populationEncode(x, { timesteps: 10, ...options });
  const activity = receptiveFields(x, options);
  expect(values(spikes)).toEqual(values(ttfsEncode(activity, { timesteps: 10, eps: 0.1 })));
  const [early = [], far] = timesOf(
    populationEncode(tensor([0.5]), { timesteps: 10, centers: [0.5, 5], sigma: 1 }).select(1, 0),
  );
  expect([early, far]).toEqual([[0], []]);
});

const column = (z: Tensor, sample: number, k: number): number[] => values(z.select(1, sample).select(1, k));

test("rate targets: the neuron of the class spikes at its rate, the others at theirs", () => {
  const options = { numClasses: 3, timesteps: 5 };
  const all = rateTargets([2, 0], options);
  expect(all.shape).toEqual([5, 2, 3]);
  expect(column(all, 0, 2)).toEqual([1, 1, 1, 1, 1]);
  expect(column(all, 0, 1)).toEqual([0, 0, 0, 0, 0]);
  expect(column(rateTargets([0], { ...options, firstSpikeTime: 3 }), 0, 0)).toEqual([0, 0, 0, 1, 1]);
  const some = rateTargets([1], { ...options, correctRate: 0.6, incorrectRate: 0.3 });
  expect(column(some, 0, 1)).toEqual([1, 1, 0, 1, 0]);
  expect(column(some, 0, 0)).toEqual([1, 0, 0, 1, 0]);
  expect(column(some, 0, 2)).toEqual([1, 0, 0, 1, 0]);
  const values25 = rateTargets([1], { ...options, onTarget: 1.25, offTarget: -0.5 });
  expect([column(values25, 0, 1)[0], column(values25, 0, 0)[0]]).toEqual([1.25, -0.5]);
  expect(values(rateTargets(tensor([1, 2]), options))).toEqual(values(rateTargets([1, 2], options)));
});

test("rate targets: interpolated numbers rise from behind a spike to the next one", () => {
  const options = { numClasses: 2, timesteps: 6, correctRate: 0.25, interpolate: true };
  // Spikes at 0 and 4.
  const [high, low] = [1.25, 0.25];
  const z = rateTargets([0], { ...options, onTarget: high, offTarget: low });
  const third = (high - low) / 3;
  [high, low, low + third, low + 2 * third, high, low].forEach(
    (v, t) => void expect(column(z, 0, 0)[t]).toBeCloseTo(v, 6),
  );
  expect(column(z, 0, 1)).toEqual([low, low, low, low, low, low]);
});

test("rate targets: random patterns are those of the generator, and have the rate", () => {
  const options = { numClasses: 2, timesteps: 4000, correctRate: 0.5, incorrectRate: 0.125, firstSpikeTime: 400 };
  for (const firingPattern of ["poisson", "uniform"] as const) {
    const draw = (seed: number) => rateTargets([0, 1], { ...options, firingPattern, generator: new Generator(seed) });
    const z = draw(1);
    expect(values(draw(1))).toEqual(values(z));
    expect(values(draw(2))).not.toEqual(values(z));
    expect(column(z, 0, 0)).toEqual(column(z, 1, 1));
    for (const [k, rate] of [0.5, 0.125].entries()) {
      const spikes = column(z, 0, k);
      expect(spikes.slice(0, 400).some((s) => s !== 0)).toBe(false);
      // Steps that are drawn twice count once, which leaves the share 1 − exp(−rate).
      const p = firingPattern === "poisson" ? rate : 1 - Math.exp(-rate);
      const found = spikes.reduce((sum, s) => sum + s, 0) / 3600;
      expect(Math.abs(found - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 3600));
    }
  }
});

test("latency targets: the neuron of the class is first, the others are last", () => {
  const z = latencyTargets([2, 0], { numClasses: 3, timesteps: 5, normalize: true });
  expect(z.shape).toEqual([5, 2, 3]);
  expect(timesOf(z.select(1, 0))).toEqual([[4], [4], [0]]);
  expect(timesOf(z.select(1, 1))).toEqual([[0], [4], [4]]);
  const rising = latencyTargets([0], { numClasses: 2, timesteps: 5, normalize: true, interpolate: true });
  expect(column(rising, 0, 1)).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

describe("encoders: what they refuse, by name and value", () => {
  const [x, above, below, single] = [[0.5, 1], [0.5, 1.5], [-0.5], 1].map((v) => tensor(v)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const of = <O>(options: unknown): O => options as O;
  const ranges: readonly [name: string, call: () => unknown, message: RegExp][] = [
    ["values above 1", () => latencyEncode(above, { timesteps: 5 }), /values in \[0, 1\], got 1.5 at 1/],
    ["values below 0", () => latencyEncode(below, { timesteps: 5 }), /got -0.5 at 0/],
    ["threshold", () => latencyEncode(x, { timesteps: 5, threshold: 1 }), /threshold must be in \(0, 1\), got 1/],
    ["tau", () => latencyEncode(x, { timesteps: 5, tau: 0 }), /tau must be finite and > 0/],
    [
      "first",
      () => latencyEncode(x, { timesteps: 5, firstSpikeTime: 5 }),
      /firstSpikeTime must be an integer in \[0, 4\]/,
    ],
    [
      "off above on",
      () => latencyEncode(x, { timesteps: 5, offTarget: 2 }),
      /offTarget must be at most onTarget, 1, got 2/,
    ],
    [
      "epsilon",
      () => latencyEncode(x, { timesteps: 5, threshold: 0.9, epsilon: 1e-9 }),
      /epsilon must be large enough/,
    ],
    ["timesteps", () => latencyEncode(x, { timesteps: 1.5 }), /timesteps must be an integer in \[1, 2²⁴\], got 1.5/],
    ["delta", () => deltaEncode(x, { threshold: -1 }), /deltaEncode: threshold must be finite and ≥ 0/],
    ["no time", () => deltaEncode(single), /deltaEncode: expected a signal \[T, B, …\]/],
    ["phases", () => phaseEncode(x, { timesteps: 5, phases: 25 }), /phases must be an integer in \[1, 24\], got 25/],
    ["spikes", () => burstEncode(x, { timesteps: 5, maxSpikes: 0 }), /maxSpikes must be a positive integer/],
    [
      "interval",
      () => burstEncode(x, { timesteps: 5, maxInterval: 1 }),
      /maxInterval must be an integer ≥ minInterval, 2/,
    ],
    ["fields", () => receptiveFields(x, { neurons: 2 }), /neurons must be an integer in \[3, 2²⁴\], got 2/],
    [
      "more fields than memory",
      () => receptiveFields(x, { neurons: 2 ** 31 }),
      /neurons must be an integer in \[3, 2²⁴\], got 2147483648/,
    ],
    ["high", () => receptiveFields(x, { neurons: 3, low: 1 }), /high must be finite and above low, 1, got 1/],
    ["centers", () => receptiveFields(x, { neurons: 3, centers: [1], sigma: 1 }), /centers must have 3 entries, got 1/],
    ["no centers", () => receptiveFields(x, { centers: [], sigma: 1 }), /centers must have an entry/],
    ["silent", () => populationEncode(x, { timesteps: 5, neurons: 3, silent: -1 }), /silent must be finite and ≥ 0/],
    ["no classes", () => rateTargets([0], of({ timesteps: 5 })), /numClasses must be a positive integer, got NaN/],
    ["classes", () => rateTargets([3], { numClasses: 3, timesteps: 5 }), /class indices in \[0, 2\], got 3 at 0/],
    [
      "rates",
      () => rateTargets([0], { numClasses: 2, timesteps: 5, incorrectRate: 1, correctRate: 0.5 }),
      /at most correctRate, 0.5, got 1/,
    ],
    [
      "rate",
      () => rateTargets([0], { numClasses: 2, timesteps: 5, correctRate: 2 }),
      /correctRate must be in \[0, 1\], got 2/,
    ],
    [
      "late",
      () => latencyTargets([0], { numClasses: 2, timesteps: 5 }),
      /latencyTargets: expected spike times in \[0, 4\]/,
    ],
    [
      "poisson",
      () => poissonEncode(x, { timesteps: 5, firstSpikeTime: 5 }),
      /firstSpikeTime must be an integer in \[0, 4\]/,
    ],
    ["gain", () => poissonEncode(x, { timesteps: 5, gain: Infinity }), /gain must be finite in float32/],
  ];
  test.each(ranges)("%s", (_, call, message) => {
    const { live } = memoryStats();
    expect(call).toThrow(expect.objectContaining({ name: "RangeError", message: expect.stringMatching(message) }));
    expect(memoryStats().live).toBe(live);
  });

  const kinds: readonly [name: string, call: () => unknown][] = [
    ["no timesteps", () => latencyEncode(x, {})],
    ["no timesteps to normalise to", () => latencyEncode(x, { bypass: true, normalize: true })],
    ["no neurons", () => receptiveFields(x, {})],
    ["centers without a width", () => receptiveFields(x, { centers: [0, 1] })],
    ["targets that are none", () => latencyTargets(of("abc"), { numClasses: 3, timesteps: 5 })],
    ["another option", () => burstEncode(x, of({ timesteps: 5, phases: 3 }))],
    ["a number for a switch", () => deltaEncode(x, of({ padding: 1 }))],
    ["no tensor", () => phaseEncode(of([1]), { timesteps: 5 })],
    ["no sigma", () => receptiveFields(x, { neurons: 3, sigma: null as never })],
  ];
  test.each(kinds)("%s", (_, call) => {
    expect(call).toThrow(TypeError);
  });
});
