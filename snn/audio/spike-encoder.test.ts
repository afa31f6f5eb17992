/** The block encoder: blocks of any length give the bits of the whole sound. */
import { describe, expect, test } from "vitest";
import { Generator, memoryStats, type Tensor, tensor } from "../../engine/index.ts";
import { numbers } from "../../test/support/sides.ts";
import { values } from "../../test/support/tensors.ts";
import type { SpikeEncoderOptions } from "./index.ts";
import { gammatone, hairCells, levelCrossings, resample, SpikeEncoder, speech2Spikes } from "./index.ts";

const sound = (n: number, seed: number): Float32Array =>
  Float32Array.from(numbers(n, seed, -1, 1), (v, i) => v * 0.1 + Math.sin(i / 5) * (i / n));

/** All spikes of an encoder for a sound in blocks, whose lengths repeat, as values [T·C]. */
function inBlocks(encoder: SpikeEncoder, x: Float32Array, lengths: readonly number[]): number[] {
  const all: number[] = [];
  const add = (spikes: Tensor | null): void => {
    if (spikes === null) return;
    expect(spikes.bits).not.toBe(0);
    all.push(...values(spikes));
    spikes.dispose();
  };
  for (let at = 0, i = 0; at < x.length; i++) {
    const n = lengths[i % lengths.length] as number;
    add(encoder.encode(x.subarray(at, at + n)));
    at += n;
  }
  add(encoder.end());
  return all;
}

const filters = { sampleRate: 10000, channels: 5, fMin: 100 };
const speech = { sampleRate: 1000, nMels: 4, fMin: 0, fMax: 500, threshold: 0.3 };

/** Options of an encoder with new random numbers, and the encoding of a whole sound. */
const CASES: Record<string, [() => SpikeEncoderOptions, (x: Tensor) => Tensor]> = {
  "level crossings": [
    () => ({ levelCrossings: { threshold: 0.05, samplesPerStep: 7 } }),
    (x) => levelCrossings(x, { threshold: 0.05, samplesPerStep: 7 }),
  ],
  "level crossings behind filters": [
    () => ({ filters, levelCrossings: { threshold: 0.02 } }),
    (x) => levelCrossings(gammatone(x, filters), { threshold: 0.02 }),
  ],
  "hair cells": [
    () => ({ filters, hairCells: { sampleRate: 10000, samplesPerStep: 5, generator: new Generator(3) } }),
    (x) => hairCells(gammatone(x, filters), { sampleRate: 10000, samplesPerStep: 5, generator: new Generator(3) }),
  ],
};
for (const [name, more] of Object.entries({
  reflected: { nFft: 32, hop: 7 },
  "of odd frames": { nFft: 33, hop: 11, winLength: 20 },
  "with zeros": { nFft: 32, hop: 16, padding: "zeros" as const },
  "with gaps": { nFft: 16, hop: 45, cumulativeSum: true },
  "not centred": { nFft: 32, hop: 5, center: false },
})) {
  const options = { ...speech, ...more };
  CASES[`speech2spikes, ${name}`] = [() => ({ speech2Spikes: options }), (x) => speech2Spikes(x, options)];
}

/** A microphone with a different rate before each encoder. */
for (const [name, rates] of Object.entries({
  "from a higher rate": { from: 22050, to: 10000 },
  "from a lower rate": { from: 8000, to: 10000, lowpassWidth: 3, rolloff: 0.9 },
  "at the same rate": { from: 10000, to: 10000 },
})) {
  const spectra = { sampleRate: 10000, nMels: 4, fMin: 0, fMax: 5000, nFft: 32, hop: 7, threshold: 0.3 };
  const hair = { sampleRate: 10000, samplesPerStep: 5, weight: 1e5 };
  CASES[`level crossings, ${name}`] = [
    () => ({ resample: rates, levelCrossings: { threshold: 0.05 } }),
    (x) => levelCrossings(resample(x, rates), { threshold: 0.05 }),
  ];
  CASES[`hair cells, ${name}`] = [
    () => ({ resample: rates, filters, hairCells: { ...hair, generator: new Generator(3) } }),
    (x) => hairCells(gammatone(resample(x, rates), filters), { ...hair, generator: new Generator(3) }),
  ];
  for (const padding of ["reflect", "zeros"] as const) {
    const options = { ...spectra, padding };
    CASES[`speech2spikes with ${padding}, ${name}`] = [
      () => ({ resample: rates, speech2Spikes: options }),
      (x) => speech2Spikes(resample(x, rates), options),
    ];
  }
}

describe.each(Object.entries(CASES))("%s", (_, [options, whole]) => {
  test("blocks of any length give the bits of the whole sound", () => {
    for (const n of [61, 600, 1403]) {
      const x = sound(n, n);
      const expected = values(whole(tensor(x)));
      expect(expected.includes(1)).toBe(true);
      for (const lengths of [[n], [1], [128], [...numbers(40, n, 0, 70)].map(Math.floor).concat(1), [n - 1, 1]]) {
        expect(inBlocks(new SpikeEncoder(options()), x, lengths), `${n} in ${lengths.slice(0, 3)}`).toEqual(expected);
      }
    }
  });

  test("the next sound begins anew, and nothing is kept", () => {
    const { live } = memoryStats();
    const encoder = new SpikeEncoder(options());
    const first = inBlocks(encoder, sound(300, 1), [50]);
    encoder.encode(sound(77, 2))?.dispose();
    encoder.reset();
    const again = inBlocks(encoder, sound(300, 1), [13]);
    if (options().hairCells === undefined) expect(again).toEqual(first);
    expect(again.length).toBe(first.length);
    expect(memoryStats().live).toBe(live);
  });
});

test("encoder: a step is given as soon as it is complete", () => {
  const encoder = new SpikeEncoder({ levelCrossings: { samplesPerStep: 4 } });
  expect(encoder.encode([0, 0, 0])).toBe(null);
  expect(encoder.encode([])).toBe(null);
  expect(encoder.encode([1, 0, 0, 0, 0])?.shape).toEqual([2, 2]);
  expect(encoder.end()).toBe(null);
  // Frame t needs the samples up to t·hop + nFft/2.
  const spectra = new SpikeEncoder({ speech2Spikes: { nFft: 64, hop: 20, nMels: 4, fMax: 4000 } });
  const counts = Array.from({ length: 100 }, (_, i) => spectra.encode([i % 7])?.shape[0] ?? 0);
  expect(counts.flatMap((count, i) => (count > 0 ? [i + 1] : []))).toEqual([33, 52, 72, 92]);
});

test("encoder: sound that is too short for a spectrum is an error at its end; no sound at all is no error", () => {
  const encoder = new SpikeEncoder({ speech2Spikes: {} });
  expect(encoder.end()).toBe(null);
  expect(encoder.encode(new Float32Array(256))).toBe(null);
  expect(() => encoder.end()).toThrow(/^speech2Spikes of SpikeEncoder: expected 257 samples or more, got 256/);
  // The sound may continue.
  expect(encoder.encode([0])?.shape).toEqual([1, 40]);
});

test("encoder: refuses options that do not fit, and samples that are no numbers", () => {
  const make = (options: unknown) => () => new SpikeEncoder(options as SpikeEncoderOptions);
  expect(make({})).toThrow(/^SpikeEncoder: expected levelCrossings, hairCells or speech2Spikes, got \[\]$/);
  expect(make({ levelCrossings: {}, hairCells: {} })).toThrow(/got \["levelCrossings", "hairCells"\]/);
  expect(make({ hairCells: {} })).toThrow(/^hairCells of SpikeEncoder: expected filters, got none$/);
  expect(make({ hairCells: {}, filters: { sampleRate: 44100 } })).toThrow(/the rate of the filters, 44100, got 16000/);
  expect(make({ speech2Spikes: {}, filters: {} })).toThrow(/expected no filters, got some/);
  expect(make({ levelCrossings: { threshold: -1 } })).toThrow(/^levelCrossings of SpikeEncoder: threshold must be/);
  expect(make({ levelCrossings: {}, filters: { channels: 0 } })).toThrow(/^filters of SpikeEncoder: channels must be/);
  expect(make({ levelCrossings: 3 })).toThrow(TypeError);
  const resample = { from: 48000, to: 8000 };
  expect(make({ speech2Spikes: {}, resample })).toThrow(
    /^resample of SpikeEncoder: expected 16000 Hz as to, got 8000$/,
  );
  expect(make({ levelCrossings: {}, resample: { ...resample, from: 0 } })).toThrow(
    /^resample of SpikeEncoder: from must be/,
  );
  expect(make({ levelCrossings: {}, resample: { from: 44101, to: 16000 } })).toThrow(/choose rates with a larger/);
  expect(make({ levelCrossings: {}, resample: 3 })).toThrow(TypeError);
  expect(make({ speech2Spikes: { log: true } })).toThrow(TypeError);
  expect(make(null)).toThrow(TypeError);
  const encoder = new SpikeEncoder({ levelCrossings: {} });
  expect(() => encoder.encode(tensor([1]) as never)).toThrow(/^SpikeEncoder: expected an array of samples, got /);
  expect(() => encoder.encode(["a"] as never)).toThrow(TypeError);
});
