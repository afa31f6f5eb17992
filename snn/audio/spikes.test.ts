/** Three encoders of sound, on signals with known answers. */
import { describe, expect, test } from "vitest";
import { withReference } from "../../engine/gradcheck.ts";
import { Generator, memoryStats, type Tensor, tape, tensor } from "../../engine/index.ts";
import { numbers } from "../../test/support/sides.ts";
import { leaf, random, values } from "../../test/support/tensors.ts";
import type { Speech2SpikesOptions } from "./index.ts";
import { gammatone, hairCells, levelCrossings, melSpectrogram, speech2Spikes } from "./index.ts";

/** The steps of the spikes of each channel of [T, C]. */
const timesOf = (spikes: Tensor): number[][] =>
  (spikes.transpose(0, 1).toArray() as number[][]).map((row) => row.flatMap((s, t) => (s === 0 ? [] : [t])));

const tone = (f: number, n: number, rate: number, amplitude: number): Tensor =>
  tensor(Float32Array.from({ length: n }, (_, i) => amplitude * Math.sin((2 * Math.PI * f * i) / rate)));

const noise = (n: number, seed: number): Tensor => tensor(Float32Array.from(numbers(n, seed, -1, 1)));

const WAYS: Record<string, (x: Tensor) => Tensor> = {
  levelCrossings: (x) => levelCrossings(x, { threshold: 0.5, samplesPerStep: 3 }),
  hairCells: (x) => hairCells(x, { samplesPerStep: 3, generator: new Generator(2) }),
  speech2Spikes: (x) =>
    speech2Spikes(x, { sampleRate: 1000, nFft: 16, nMels: 3, fMin: 0, fMax: 500, hop: 3, threshold: 0.5 }),
};

describe.each(Object.entries(WAYS))("%s", (name, encode) => {
  const x = random([100, 2, 3], 1);

  test("spikes are bits, without a gradient, and nothing else is kept", () => {
    const { live } = memoryStats();
    const spikes = encode(x);
    const shape = { levelCrossings: [33, 2, 6], hairCells: [33, 2, 3], speech2Spikes: [34, 2, 3, 6] }[name];
    expect([spikes.shape, spikes.bits !== 0, spikes.ptr, spikes.requiresGrad]).toEqual([shape, true, 0, false]);
    spikes.dispose();
    expect(memoryStats().live).toBe(live);
    tape(() => {
      expect(encode(leaf([100, 2], 1)).requiresGrad).toBe(false);
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

  if (name === "hairCells") return;
  test("a sound has the same spikes in a batch and alone", () => {
    const spikes = encode(x).select(1, 1);
    if (name === "speech2Spikes") {
      expect(values(spikes.select(1, 2))).toEqual(values(encode(x.select(1, 1).select(1, 2))));
    } else expect(values(spikes)).toEqual(values(encode(x.select(1, 1))));
  });
});

test("level crossings: a ramp has a spike at each level, on the way up and on the way down", () => {
  const ramp = tensor([0, 0.5, 0.99, 1, 1.5, 2, 2.5, 3.2, 3, 2.1, 2, 1.3, 0.9, 0, -1, -1.9]);
  const on = [3, 5, 7];
  // The level 3 is left at 2, the level 2 below 1, and so on.
  const off = [10, 12, 13, 14];
  expect(timesOf(levelCrossings(ramp, { threshold: 1 }))).toEqual([on, off]);
  expect(timesOf(levelCrossings(ramp.mul(0.25).add(7), { threshold: 0.25, start: 7 }))).toEqual([on, off]);
  // Steps of four samples: 0 … 3, 4 … 7, 8 … 11, 12 … 15.
  expect(timesOf(levelCrossings(ramp, { threshold: 1, samplesPerStep: 4 }))).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(levelCrossings(ramp, { threshold: 1, samplesPerStep: 5 }).shape).toEqual([3, 2]);
});

test("level crossings: a sine of amplitude a crosses ⌊a/θ⌋ levels in each quarter of a period", () => {
  const [periods, n] = [5, 1000];
  const [on, off] = timesOf(levelCrossings(tone(periods, n, n, 1), { threshold: 0.3 })) as [number[], number[]];
  // From 0 to level 3, between −3 and 3 in each period, and from −3 to −1: the final 0 is not among the samples.
  expect([on.length, off.length]).toEqual([3 + 6 * (periods - 1) + 2, 6 * periods]);
  expect(on.slice(0, 3)).toEqual([0.3, 0.6, 0.9].map((v) => Math.ceil((Math.asin(v) / (2 * Math.PI * periods)) * n)));
});

test("level crossings: jumps are one spike, values that are not finite are none, and small ones change nothing", () => {
  const jumps = tensor([5.5, Number.NaN, -Infinity, Infinity, 5, 4.9, -3.2, -3.1]);
  expect(timesOf(levelCrossings(jumps, { threshold: 1 }))).toEqual([[0], [6]]);
  expect(timesOf(levelCrossings(tensor([0.5, -0.99, 0.99, -0.5]), { threshold: 1 }))).toEqual([[], []]);
});

test("level crossings: ON spikes of all channels stand before their OFF spikes", () => {
  const x = tensor([
    [1, 0, 0],
    [0, -1, 0],
    [0, -1, 2],
  ]);
  expect(levelCrossings(x, { threshold: 1 }).toArray()).toEqual([
    [1, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 1, 0],
    [0, 0, 1, 0, 0, 0],
  ]);
});

test("ways to spikes: refuse shapes and options that do not fit", () => {
  const x = tensor([0, 1]);
  expect(() => levelCrossings(x, { samplesPerStep: 3 })).toThrow(
    /^levelCrossings: expected a step of 3 samples or more, got 2$/,
  );
  expect(() => levelCrossings(x, { threshold: 0 })).toThrow(/threshold must be finite and > 0, got 0/);
  expect(() => levelCrossings(tensor(1))).toThrow(/a signal \[T, B, …\]/);
  expect(() => hairCells(x, { sampleRate: 8000 })).toThrow(
    /sampleRate must be an integer in \[9080, 2²⁴\].*, got 8000/,
  );
  expect(() => hairCells(x, { fibers: 256 })).toThrow(/fibers must be an integer in \[1, 255\]/);
  expect(() => hairCells(x, { generator: 3 as never })).toThrow(TypeError);
  expect(() => hairCells(x, { refractoryMs: 1e9 })).toThrow(/refractory time/);
  expect(() => speech2Spikes(x)).toThrow(/^speech2Spikes: expected 257 samples or more, got 2/);
  expect(() => speech2Spikes(x, { log: true } as Speech2SpikesOptions)).toThrow(/got log$/);
});

/** Free transmitter and the transmitter in the cleft of a hair cell at rest with s. */
function rest(s: number): { cleft: number; free: number } {
  const k = (2000 * (s + 5)) / (s + 305);
  const cleft = (5.05 * k) / (2500 * k + 5.05 * 9080);
  return { cleft, free: (cleft * 9080) / k };
}

/** Cells that fire with every spike of their single fibre. */
const SINGLE = { fibers: 1, weight: 1e9, tauMembraneMs: 1e-3, tauSynapseMs: 1e-3, refractoryMs: 0 };

/** Spikes per second and channel of [T, C] after the first steps, and five standard deviations of a Poisson process. */
function rateOf(spikes: Tensor, rate: number, from = 0): [rate: number, error: number] {
  const [steps, channels] = spikes.shape as [number, number];
  const count = values(spikes.slice(0, from)).reduce((sum, s) => sum + s, 0);
  const seconds = ((steps - from) * channels) / rate;
  return [count / seconds, (5 * Math.sqrt(count + 1)) / seconds];
}

test("hair cells: at rest and under a steady push, fibres fire at 50000·c a second", () => {
  const rate = 16000;
  for (const s of [0, 20, 300, 20000]) {
    const x = tensor(new Float32Array(rate * 8).fill(s / 500), { shape: [rate, 8] });
    const spikes = hairCells(x, { ...SINGLE, sampleRate: rate, gain: 500, generator: new Generator(s) });
    // The pools reach equilibrium within half a second.
    const [got, error] = rateOf(spikes, rate, rate / 2);
    expect(Math.abs(got - 50000 * rest(s).cleft), `${s}`).toBeLessThan(error);
  }
  expect(50000 * rest(0).cleft).toBeCloseTo(64.8, 1);
});

test("hair cells: rates rise with the level and saturate, and are higher at an onset than later", () => {
  const rate = 16000;
  const n = rate / 2;
  const rates = [0, 55, 65, 80, 100].map((level) => {
    const amplitude = level === 0 ? 0 : Math.SQRT2 * 10 ** ((level - 90) / 20);
    const x = tensor(
      Float32Array.from({ length: n * 64 }, (_, i) => amplitude * Math.sin((2 * Math.PI * 500 * (i >> 6)) / rate)),
      { shape: [n, 64] },
    );
    const spikes = hairCells(x, { ...SINGLE, refractoryMs: 1, sampleRate: rate, generator: new Generator(level) });
    const onset = rateOf(spikes.slice(0, 0, rate / 50), rate)[0];
    return { steady: rateOf(spikes, rate, n / 2)[0], onset };
  });
  const steady = rates.map((r) => r.steady);
  for (const i of [1, 2]) expect((steady[i] as number) / (steady[i - 1] as number)).toBeGreaterThan(1.1);
  for (const i of [3, 4]) expect(Math.abs((steady[i] as number) / (steady[2] as number) - 1)).toBeLessThan(0.08);
  for (const r of rates.slice(2)) expect(r.onset).toBeGreaterThan(1.5 * r.steady);
});

test("hair cells: the cells behind them rest after a spike, and are driven as by fibres that are drawn one by one", () => {
  const [rate, n, channels] = [16000, 2000, 48];
  const motion = numbers(n, 5, -0.4, 0.4).map(Math.fround);
  const x = tensor(
    Float32Array.from({ length: n * channels }, (_, i) => motion[Math.floor(i / channels)] as number),
    { shape: [n, channels] },
  );
  const spikes = hairCells(x, { sampleRate: rate, generator: new Generator(8) });
  const times = timesOf(spikes);
  for (const list of times) list.forEach((t, i) => i > 0 && expect(t - (list[i - 1] as number)).toBeGreaterThan(16));
  const counts = times.map(({ length }) => length);
  const mean = counts.reduce((sum, c) => sum + c, 0) / channels;
  const expected = Array.from({ length: channels }, (_, c) => oneByOne(motion, rate, numbers(40 * n, c, 0, 1)));
  const other = expected.reduce((sum, c) => sum + c, 0) / channels;
  const spread = Math.sqrt(
    [...counts.map((c) => c - mean), ...expected.map((c) => c - other)].reduce((s, d) => s + d * d, 0),
  );
  expect(mean).toBeGreaterThan(5);
  // Four standard deviations of the difference of two means.
  expect(Math.abs(mean - other)).toBeLessThan((4 * spread) / channels + 1e-9);
});

/** Number of spikes of a cell, by the equations, with a random number for each of 40 fibres in each sample. */
function oneByOne(motion: readonly number[], rate: number, draws: readonly number[]): number {
  const dt = 1 / rate;
  let { cleft: c, free: q } = rest(0);
  let w = (c * 6580) / 66.3;
  let [current, v, silent, count] = [0, 0, 0, 0];
  const last = new Array<number>(40).fill(-100);
  motion.forEach((x, t) => {
    const s = 1000 * x;
    const k = s + 5 > 0 ? (2000 * (s + 5)) / (s + 305) : 0;
    [q, c, w] = [
      q + dt * (5.05 * (1 - q) + 66.3 * w - k * q),
      c + dt * (k * q - 9080 * c),
      w + dt * (6580 * c - 66.3 * w),
    ];
    current *= Math.exp(-dt / 5e-4);
    for (let f = 0; f < 40; f++) {
      if (!((draws[40 * t + f] as number) < 50000 * c * dt) || t - (last[f] as number) < 16) continue;
      last[f] = t;
      current++;
    }
    if (silent > 0) silent--;
    else v = v * Math.exp(-dt / 1e-3) + (13000 / 40) * current * dt;
    if (v < 1) return;
    count++;
    [v, silent] = [0, 16];
  });
  return count;
}

test("hair cells: a tone excites the channels around its frequency", () => {
  const rate = 16000;
  const filters = { sampleRate: rate, channels: 20, fMin: 200, fMax: 6000 };
  const spikes = hairCells(gammatone(tone(1000, rate / 2, rate, 0.3), filters), { generator: new Generator(1) });
  const counts = timesOf(spikes).map(({ length }) => length);
  const loudest = counts.indexOf(Math.max(...counts));
  // 1000 Hz lie between the centres 7 and 8 of 20.
  expect([7, 8]).toContain(loudest);
  expect(counts[loudest] as number).toBeGreaterThan(2 * (counts[0] as number));
  // NaN is silence.
  const broken = hairCells(tensor(new Float32Array(rate).fill(Number.NaN)), { generator: new Generator(2) });
  expect(values(broken)).toEqual(values(hairCells(tensor(new Float32Array(rate)), { generator: new Generator(2) })));
});

const FRAMES = { sampleRate: 8000, nFft: 64, nMels: 6, fMin: 100, fMax: 3500, hop: 20 };

test("speech2spikes: levels follow the logarithm of the spectrogram", () => {
  const x = noise(2000, 3);
  const rising = tensor(Float32Array.from(x.data, (v, i) => v * 10 ** (i / 500 - 4)));
  for (const threshold of [1, 0.3]) {
    for (const cumulativeSum of [false, true]) {
      const mel = melSpectrogram(rising, FRAMES).toArray() as number[][];
      const sums = new Array<number>(6).fill(0);
      const rows = mel.map((row) => {
        row.forEach((v, c) => (sums[c] = (sums[c] as number) + v));
        return [...(cumulativeSum ? sums : []), ...row].map((v) => Math.log(Math.max(v, 1e-6)));
      });
      const levels = (rows[0] as number[]).map(Math.round);
      let near = 0;
      const expected = rows.map((row) => {
        const change = row.map((v, c) => v - (levels[c] as number));
        const signs = change.map((d) => (d > threshold ? 1 : d < -threshold ? -1 : 0));
        near += change.filter((d) => Math.abs(Math.abs(d) - threshold) < 1e-5).length;
        signs.forEach((s, c) => (levels[c] = (levels[c] as number) + s * threshold));
        return [...signs.map((s) => (s > 0 ? 1 : 0)), ...signs.map((s) => (s < 0 ? 1 : 0))];
      });
      expect(near).toBe(0);
      expect(speech2Spikes(rising, { ...FRAMES, threshold, cumulativeSum }).toArray()).toEqual(expected);
    }
  }
});

test("speech2spikes: silence is silent, and a sound that is 10 times as loud from a sample on has ln 100 ON spikes more", () => {
  expect(values(speech2Spikes(tensor(new Float32Array(1000)), FRAMES)).every((s) => s === 0)).toBe(true);
  const steady = tone(1000, 8000, 8000, 0.01);
  const louder = tensor(Float32Array.from(steady.data, (v, i) => (i < 4000 ? v : 10 * v)));
  const [near] = timesOf(speech2Spikes(louder, FRAMES)).slice(2, 3) as [number[]];
  // A level is within 1 of its value: 4.6 are four or five steps, all of them after the change.
  expect([4, 5]).toContain(near.filter((t) => t > 10).length);
  expect(Math.min(...near.filter((t) => t > 10))).toBeGreaterThanOrEqual(4000 / 20 - 2);
  expect(speech2Spikes(tensor(new Float32Array(16000))).shape).toEqual([201, 40]);
});
