/** Delayed XOR: two bits, one after the other, with a delay between them; the label is whether they differ. */
import { Generator, noGrad, rand, TensorDataset } from "jarvis-snn";
import type { Samples } from "../training.ts";

/** Input neurons of a group; those of the first group stand for 0, those of the second for 1. */
const GROUP = 4;
export const INPUTS = 2 * GROUP;

/** Steps of a bit, of the delay behind the first one, and of the silence behind the second one. */
const CUE = 6;
const DELAY = { min: 10, max: 30 };
const SILENCE = 8;
export const TIMESTEPS = 2 * CUE + DELAY.max + SILENCE;

/** Probability of a spike in a step: of the group of a bit while it is shown, and of every other neuron. */
const SIGNAL = 0.5;
const BACKGROUND = 0.02;

export interface SequenceSizes {
  train: number;
  test: number;
}

/**
 * Spikes [T, 8] of samples, and labels. A bit is shown by spikes of its group of neurons for 6 steps; the delay of each sample is
 * drawn from 10 … 30 steps. Both bits use the same neurons, so a network has to keep the first one while all inputs but for
 * background spikes are silent.
 */
export function delayedXor(sizes: SequenceSizes, seed: number): { train: Samples; test: Samples } {
  const generator = new Generator(seed);
  return { train: samplesOf(sizes.train, generator), test: samplesOf(sizes.test, generator) };
}

function samplesOf(n: number, generator: Generator): Samples {
  const draw = (shape: number[]) => noGrad(() => rand(shape, { generator }).toFloat32Array());
  const choices = draw([n, 3]);
  const draws = draw([n, TIMESTEPS, INPUTS]);
  const x = new Uint8Array(draws.length);
  const y = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const [first, second, delay] = choices.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    const bits = [first < 0.5 ? 0 : 1, second < 0.5 ? 0 : 1] as const;
    y[i] = bits[0] ^ bits[1];
    const again = CUE + DELAY.min + Math.floor(delay * (DELAY.max - DELAY.min + 1));
    for (let t = 0; t < TIMESTEPS; t++) {
      const shown = t < CUE ? bits[0] : t >= again && t < again + CUE ? bits[1] : -1;
      for (let j = 0; j < INPUTS; j++) {
        const at = (i * TIMESTEPS + t) * INPUTS + j;
        const probability = Math.floor(j / GROUP) === shown ? SIGNAL : BACKGROUND;
        x[at] = (draws[at] as number) < probability ? 1 : 0;
      }
    }
  }
  return new TensorDataset(x, y, { shape: [TIMESTEPS, INPUTS] });
}
