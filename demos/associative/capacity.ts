/** Experiments: networks of a load, and cues with a part of their bits flipped. */
import { Generator, type Tensor } from "jarvis-snn";
import { binaryRecall, damaged, overlaps, randomPatterns, recalledOf, SpikingMemory } from "./network.ts";

/** The recall of all patterns of a network. */
export interface Recall {
  /** Patterns over neurons. */
  readonly load: number;
  readonly patterns: number;
  /** The part of the bits of a cue that are wrong. */
  readonly flips: number;
  /** The part of the patterns that were recalled. */
  readonly recalled: number;
  /** The mean overlap with the stored pattern. */
  readonly overlap: number;
  /** The part of the patterns that Hopfield's binary network recalls from the same cues. */
  readonly binary: number;
  /** Spikes [T, 1, N] of the first cue, and its pattern [N]. */
  readonly spikes: Tensor;
  readonly first: Float32Array;
}

/** Patterns of a load: at least so many per neuron. */
export const patternsOf = (load: number, neurons: number): number => Math.max(1, Math.ceil(load * neurons - 1e-9));

/** A network and its load. */
export interface Setting {
  readonly neurons: number;
  readonly load: number;
  readonly gain: number;
  readonly noise: number;
  readonly seed: number;
}

/** Stores ⌈load·N⌉ patterns, and recalls each from a cue for each of the flips. */
export function recallAt({ neurons, load, gain, noise, seed }: Setting, flips: readonly number[]): Recall[] {
  const generator = new Generator(seed);
  const P = patternsOf(load, neurons);
  const patterns = randomPatterns(P, neurons, generator);
  const memory = new SpikingMemory(patterns, { gain, noise, generator });
  return flips.map((part) => {
    const cues = damaged(patterns, part, generator);
    const { answers, spikes } = memory.recall(cues);
    const found = overlaps(answers, patterns);
    return {
      ...{ load, patterns: P, flips: part, spikes },
      recalled: recalledOf(found),
      overlap: found.reduce((sum, overlap) => sum + overlap, 0) / P,
      binary: recalledOf(overlaps(binaryRecall(patterns, cues), patterns)),
      first: patterns.toFloat32Array().subarray(0, neurons),
    };
  });
}
