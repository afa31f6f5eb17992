/** Resampling, mel and gammatone filters: compared with their formulas in float64, and on signals with known answers. */
import { expect, test } from "vitest";
import { gradcheck, memoryStats, type Tensor, tape, tensor } from "../../engine/index.ts";
import { numbers } from "../../test/support/sides.ts";
import { expectNear, leaf, random, values } from "../../test/support/tensors.ts";
import { exactExp, ln } from "./exact.ts";
import { erb, erbFrequencies, gammatone, melFilterbank, melSpectrogram, resample } from "./index.ts";

const tone = (f: number, n: number, rate: number, amplitude = 1): Tensor =>
  tensor(Float32Array.from({ length: n }, (_, i) => amplitude * Math.sin((2 * Math.PI * f * i) / rate)));

const rms = (x: ArrayLike<number>): number => Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0) / x.length);

test("exact: exp and ln are those of Math within 4·10⁻¹⁶ of the size of the result", () => {
  for (const x of [0, 1, -1, 0.5, 3.25, -20, 50, -300, 600, ...numbers(200, 3, -30, 30)]) {
    expect(Math.abs(exactExp(x) / Math.exp(x) - 1)).toBeLessThan(2e-15 + 4e-16 * Math.abs(x));
  }
  for (const x of [1, 2, 0.5, Math.SQRT2, 1e-300, 1e300, 2 ** -1074, ...numbers(200, 4, 1e-6, 100)]) {
    expect(Math.abs(ln(x) - Math.log(x))).toBeLessThan(4e-16 * Math.max(1, Math.abs(Math.log(x))));
  }
  expect([exactExp(0), ln(1)]).toEqual([1, 0]);
});

/** The formula of resample, sample by sample. */
function resampled(x: readonly number[], from: number, to: number, w = 6, rolloff = 0.99): number[] {
  const band = Math.min(from, to) * rolloff;
  return Array.from({ length: Math.ceil((x.length * to) / from) }, (_, m) =>
    x.reduce((sum, value, n) => {
      const t = band * (m / to - n / from);
      if (Math.abs(t) >= w) return sum;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      return sum + value * (band / from) * sinc * Math.cos((Math.PI * t) / (2 * w)) ** 2;
    }, 0),
  );
}

test("resample: every sample is that of the formula", () => {
  for (const [from, to, w, rolloff] of [
    [3, 2],
    [2, 3],
    [44100, 16000],
    [16000, 44100, 16],
    [8000, 16000, 3, 0.8],
    [7, 1],
    [1, 5],
  ] as [number, number, number?, number?][]) {
    for (const n of [1, 2, 7, 61]) {
      const x = numbers(n, 10 * n + from, -1, 1).map(Math.fround);
      const options = { from, to, ...(w === undefined ? {} : { lowpassWidth: w }), ...(rolloff ? { rolloff } : {}) };
      const z = resample(tensor(x), options);
      expectNear(values(z), resampled(x, from, to, w, rolloff), `${from} to ${to}, ${n}`);
    }
  }
});

test("resample: a tone stays the tone, and one above half the new rate is gone", () => {
  const middle = (x: Tensor): number[] => values(x).slice(100, -100);
  const up = resample(tone(440, 4000, 8000), { from: 8000, to: 44100, lowpassWidth: 32 });
  const expected = tone(440, up.size, 44100);
  expectNear(middle(up).slice(500, -500), middle(expected).slice(500, -500), "up", { absolute: 2e-3 });
  const down = resample(tone(7000, 8000, 16000), { from: 16000, to: 8000, lowpassWidth: 32 });
  expect(rms(middle(down))).toBeLessThan(1e-3);
});

test("resample: several sounds at once, their gradients, and nothing else is kept", () => {
  const x = random([9, 2, 3], 5);
  const both = resample(x, { from: 3, to: 2 });
  expect(both.shape).toEqual([6, 2, 3]);
  expect(values(both.select(1, 1).select(1, 2))).toEqual(
    values(resample(x.select(1, 1).select(1, 2), { from: 3, to: 2 })),
  );
  gradcheck((y) => resample(y as Tensor, { from: 3, to: 2 }), [leaf([7, 2], 2)]);
  const same = resample(x, { from: 5, to: 5 });
  expect(values(same)).toEqual(values(x));
  const { live } = memoryStats();
  resample(x, { from: 3, to: 2 }).dispose();
  expect(memoryStats().live).toBe(live);
});

test("resample: refuses rates that need too many weights", () => {
  expect(() => resample(tensor([1, 2]), { from: 44101, to: 16000 })).toThrow(
    /^resample: expected at most 2²² weights .* 44101 to 16000; choose rates with a larger common divisor$/,
  );
  expect(() => resample(tensor([1]), { from: 0, to: 1 })).toThrow(RangeError);
  expect(() => resample(tensor([1]), { from: 2, to: 1, rolloff: 1.1 })).toThrow(/rolloff must be in \(0, 1\], got 1.1/);
  expect(() => resample(tensor(1), { from: 2, to: 1 })).toThrow(/sound \[T, B, …\]/);
});

const htk = (f: number): number => 2595 * Math.log10(1 + f / 700);
const slaney = (f: number): number => (f < 1000 ? (3 * f) / 200 : 15 + (27 * Math.log(f / 1000)) / Math.log(6.4));

/** The corners of the triangles, by bisection of the scale. */
function corners(scale: (f: number) => number, low: number, high: number, count: number): number[] {
  return Array.from({ length: count + 2 }, (_, i) => {
    const mel = scale(low) + (i * (scale(high) - scale(low))) / (count + 1);
    let [a, b] = [low, high];
    for (let k = 0; k < 100; k++)
      if (scale((a + b) / 2) < mel) a = (a + b) / 2;
      else b = (a + b) / 2;
    return a;
  });
}

test("mel: the triangles are those of both scales, of height 1 or of area 1", () => {
  for (const melScale of ["htk", "slaney"] as const) {
    for (const norm of ["none", "slaney"] as const) {
      for (const [nFft, nMels, fMin, fMax] of [
        [400, 40, 0, 8000],
        [513, 13, 20.5, 4000],
        [2048, 80, 300, 7600],
      ] as const) {
        const filters = melFilterbank({ sampleRate: 16000, nFft, nMels, fMin, fMax, norm, melScale });
        const bins = Math.floor(nFft / 2) + 1;
        expect(filters.shape).toEqual([nMels, bins]);
        const c = corners(melScale === "htk" ? htk : slaney, fMin, fMax, nMels);
        const expected = Array.from({ length: nMels * bins }, (_, at) => {
          const [i, f] = [Math.floor(at / bins), ((at % bins) * 16000) / nFft];
          const [a, b, d] = [c[i], c[i + 1], c[i + 2]] as [number, number, number];
          return (norm === "slaney" ? 2 / (d - a) : 1) * Math.max(0, Math.min((f - a) / (b - a), (d - f) / (d - b)));
        });
        expectNear(filters.data, expected, `${melScale} ${norm} ${nFft}`, { absolute: 1e-7, relative: 1e-6 });
      }
    }
  }
});

test("mel: 1000 Hz are 999.99 mel of HTK and 15 of Slaney; filters of height 1 add up to 1 between the first and the last peak", () => {
  // The middle of three filters around a frequency is centred on it if it is the middle in mel.
  expect(htk(1000)).toBeCloseTo(999.9855, 3);
  const filters = melFilterbank({ nFft: 1024, nMels: 20, fMin: 100, fMax: 6000 });
  const sums = values(filters.sum({ axis: 0 }));
  const c = corners(htk, 100, 6000, 20);
  sums.forEach((sum, k) => {
    const f = (k * 16000) / 1024;
    if (f >= (c[1] as number) && f <= (c[20] as number)) expect(sum).toBeCloseTo(1, 5);
    if (f <= 100 || f >= 6000) expect(sum).toBe(0);
  });
});

/** The formula of the spectrogram, frame by frame. */
function spectrogramOf(
  x: readonly number[],
  filters: Tensor,
  {
    nFft,
    win,
    hop,
    power,
    center,
    reflects,
  }: Record<"nFft" | "win" | "hop" | "power", number> & Record<"center" | "reflects", boolean>,
): number[][] {
  const half = center ? Math.floor(nFft / 2) : 0;
  const at = (i: number): number => {
    if (!reflects) return x[i] ?? 0;
    const j = Math.abs(i);
    return x[j < x.length ? j : 2 * (x.length - 1) - j] as number;
  };
  const frames = 1 + Math.floor((x.length + 2 * half - nFft) / hop);
  const left = Math.floor((nFft - win) / 2);
  const rows = filters.toArray() as number[][];
  return Array.from({ length: frames }, (_, t) => {
    const bands = Array.from({ length: Math.floor(nFft / 2) + 1 }, (_, k) => {
      let [re, im] = [0, 0];
      for (let n = 0; n < nFft; n++) {
        const w = n < left || n >= left + win ? 0 : 0.5 - 0.5 * Math.cos((2 * Math.PI * (n - left)) / win);
        const value = w === 0 ? 0 : w * at(t * hop + n - half);
        re += value * Math.cos((2 * Math.PI * k * n) / nFft);
        im += value * Math.sin((2 * Math.PI * k * n) / nFft);
      }
      return Math.hypot(re, im) ** power;
    });
    return rows.map((row) => row.reduce((sum, w, k) => sum + w * (bands[k] as number), 0));
  });
}

test("mel spectrogram: every frame is that of the formula", () => {
  const x = numbers(83, 4, -1, 1).map(Math.fround);
  for (const [nFft, win, hop, power, center, padding] of [
    [16, 16, 8, 2, true, "reflect"],
    [16, 10, 5, 2, true, "zeros"],
    [17, 17, 3, 1, true, "reflect"],
    [17, 9, 30, 2, true, "zeros"],
    [32, 32, 40, 1, false, "zeros"],
    [20, 13, 7, 2, false, "reflect"],
  ] as const) {
    const filters = { sampleRate: 8000, nFft, nMels: 5 };
    const z = melSpectrogram(tensor(x), { ...filters, winLength: win, hop, power, center, padding });
    const reflects = padding === "reflect" && center;
    const expected = spectrogramOf(x, melFilterbank(filters), { nFft, win, hop, power, center, reflects });
    expect(z.shape).toEqual([expected.length, 5]);
    expectNear(values(z), expected.flat(), `${nFft} ${win} ${hop}`, { absolute: 1e-5, relative: 2e-5 });
  }
});

test("mel spectrogram: a tone of amplitude a has the power (a·N/4)² under its filter, and its logarithm has a floor", () => {
  const [nFft, rate, a] = [512, 16000, 0.5];
  const f = (32 * rate) / nFft;
  const bank = { sampleRate: rate, nFft, nMels: 40 };
  const options = { ...bank, hop: 160 };
  const z = melSpectrogram(tone(f, 4000, rate, a), options);
  const filters = melFilterbank(bank).toArray() as number[][];
  // With a Hann window the bin has N/4 of the amplitude, and its neighbours half of that.
  const peak = (a * nFft) / 4;
  const frame = (z.toArray() as number[][])[12] as number[];
  const expected = filters.map(
    (row) => peak ** 2 * ((row[31] as number) / 4 + (row[32] as number) + (row[33] as number) / 4),
  );
  expectNear(frame, expected, "tone", { absolute: 1e-2, relative: 1e-4 });
  const log = melSpectrogram(tone(f, 4000, rate, a), { ...options, log: true, floor: 0.01 }).toArray() as number[][];
  log[12]?.forEach((value, i) => {
    expect(value).toBeCloseTo(Math.log(Math.max(frame[i] as number, 0.01)), 4);
  });
  const silent = melSpectrogram(tensor(new Float32Array(1000)), { log: true });
  for (const value of values(silent)) expect(value).toBeCloseTo(Math.log(1e-6), 5);
});

test("mel spectrogram: several sounds at once, gradients, and nothing else is kept", () => {
  const options = { sampleRate: 100, nFft: 8, nMels: 3, hop: 4 };
  const x = random([20, 2, 3], 5);
  const both = melSpectrogram(x, options);
  expect(both.shape).toEqual([6, 2, 3, 3]);
  expect(values(both.select(1, 1).select(1, 2))).toEqual(values(melSpectrogram(x.select(1, 1).select(1, 2), options)));
  for (const more of [{}, { log: true }, { power: 1 as const }, { padding: "zeros" as const }, { center: false }]) {
    gradcheck((y) => melSpectrogram(y as Tensor, { ...options, ...more }), [leaf([13, 2], 8)]);
  }
  const { live } = memoryStats();
  melSpectrogram(x, options).dispose();
  tape(() => {
    melSpectrogram(leaf([20], 1), options)
      .sum()
      .backward();
  });
  expect(memoryStats().live).toBe(live);
});

test("mel spectrogram: refuses sound that is too short, and options that do not fit", () => {
  const short = tensor(new Float32Array(200));
  expect(() => melSpectrogram(short)).toThrow(
    /^melSpectrogram: expected 201 samples or more, got 200; take padding "zeros"\?$/,
  );
  expect(melSpectrogram(short, { padding: "zeros" }).shape).toEqual([2, 128]);
  expect(() => melSpectrogram(short, { center: false })).toThrow(/400 samples or more, got 200/);
  expect(() => melSpectrogram(tensor([1]), { padding: "zeros", nFft: 3 })).toThrow(/2 samples or more/);
  expect(melSpectrogram(tensor([1]), { padding: "zeros", nFft: 2 }).shape).toEqual([2, 128]);
  expect(() => melSpectrogram(short, { nFft: 4097 })).toThrow(/nFft must be an integer in \[2, 4096\], got 4097/);
  expect(() => melSpectrogram(short, { winLength: 401 })).toThrow(/winLength must be an integer in \[1, 400\]/);
  expect(() => melSpectrogram(short, { power: 3 as never })).toThrow(/power 1 or 2, got 3/);
  expect(() => melFilterbank({ fMin: 5000, fMax: 4000 })).toThrow(/fMin below fMax, got 5000 and 4000/);
  expect(() => melFilterbank({ fMax: 8001 })).toThrow(/fMax must be in \(0, 8000\], got 8001/);
  expect(() => melFilterbank({ melScale: "bark" as never })).toThrow(/melScale "htk" or "slaney"/);
});

test("erb: 132.6 Hz at 1 kHz, and centres that are one ERB apart where there are as many", () => {
  expect(erb(1000)).toBeCloseTo(132.639, 9);
  expect(erb(0)).toBe(24.7);
  const number = (f: number) => 21.4 * Math.log10(1 + 0.00437 * f);
  const centres = erbFrequencies({ channels: 33, fMin: 80, fMax: 6000 });
  expect(centres[0]).toBeCloseTo(80, 9);
  expect(centres[32]).toBeCloseTo(6000, 8);
  const step = (number(6000) - number(80)) / 32;
  centres.forEach((f, c) => {
    expect(number(f)).toBeCloseTo(number(80) + c * step, 9);
  });
  expect(Array.from(erbFrequencies({ channels: 1, fMin: 500 }), Math.round)).toEqual([500]);
  expect(() => erb(-1)).toThrow(RangeError);
  expect(() => erbFrequencies({ fMin: 0 })).toThrow(/fMin must be in \(0, 8000\]/);
  expect(() => erbFrequencies({ fMin: 7300 })).toThrow(/fMin below fMax/);
});

/** |H(f)| of a filter by its definition, for an input of real tones: both halves of its spectrum. */
function response(f0: number, f: number, rate: number): number {
  const lambda = Math.exp((-2 * Math.PI * 1.0186 * erb(f0)) / rate);
  const gain = (turn: number): number => {
    const [re, im] = [1 - lambda * Math.cos(turn), lambda * Math.sin(turn)];
    return ((1 - lambda) / Math.hypot(re, im)) ** 4;
  };
  return gain((2 * Math.PI * (f - f0)) / rate);
}

test("gammatone: a tone passes its filter with its amplitude, and others by the formula", () => {
  const rate = 16000;
  const options = { sampleRate: rate, channels: 12, fMin: 200, fMax: 5000 };
  const centres = erbFrequencies(options);
  for (const c of [0, 5, 11]) {
    const f = centres[c] as number;
    const z = gammatone(tone(f, 8000, rate, 0.5), options);
    expect(z.shape).toEqual([8000, 12]);
    const loud = centres.map((_, i) => rms(values(z.select(1, i)).slice(4000)) * Math.SQRT2 * 2);
    loud.forEach((amplitude, i) => {
      expect(Math.abs(amplitude - response(centres[i] as number, f, rate)), `${c} through ${i}`).toBeLessThan(5e-3);
    });
    expect(loud.indexOf(Math.max(...loud))).toBe(c);
    expect(loud[c]).toBeCloseTo(1, 2);
  }
});

test("gammatone: the answer to a click is tⁿ⁻¹ under a falling exponential, and its bandwidth is the ERB", () => {
  const [rate, f0, n] = [48000, 1000, 4800];
  const click = new Float32Array(n);
  click[0] = 1;
  const answer = values(gammatone(tensor(click), { sampleRate: rate, channels: 1, fMin: f0 }));
  const lambda = Math.exp((-2 * Math.PI * 1.01859 * erb(f0)) / rate);
  const scale = 2 * (1 - lambda) ** 4;
  answer.forEach((value, i) => {
    // Four poles in a row: (i + 1)(i + 2)(i + 3)/6·λⁱ.
    const envelope = (scale * (i + 1) * (i + 2) * (i + 3) * lambda ** i) / 6;
    expect(Math.abs(value - envelope * Math.cos((2 * Math.PI * f0 * i) / rate))).toBeLessThan(2e-6 * (1 + envelope));
  });
  // Energy at unit gain of the centre equals the energy of a rectangle: Σ z² = 2·ERB/rate.
  const energy = answer.reduce((sum, v) => sum + v * v, 0);
  expect(energy / ((2 * erb(f0)) / rate)).toBeCloseTo(1, 2);
});

test("gammatone: several sounds at once are filtered apart, and nothing else is kept", () => {
  const x = random([50, 2, 3], 5);
  const z = gammatone(x, { channels: 4 });
  expect(z.shape).toEqual([50, 2, 3, 4]);
  expect(values(z.select(1, 1).select(1, 2))).toEqual(values(gammatone(x.select(1, 1).select(1, 2), { channels: 4 })));
  const { live } = memoryStats();
  gammatone(x, { channels: 4 }).dispose();
  expect(memoryStats().live).toBe(live);
});
