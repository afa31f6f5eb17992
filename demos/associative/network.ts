/** An associative memory of spiking neurons: patterns, cues, recall and its measure. */
import { concat, type Generator, matmul, noGrad, rand, type Tensor, tensor, zeros } from "jarvis-snn";
import { Attractor, type AttractorState, normal } from "../attractor.ts";
import { stored } from "./store.ts";

/** Time constants in ms. */
const TAU_MS = { synapse: 50, membrane: 10 };
/** Steps of 1 ms without a spike behind each spike: active neurons fire alike, nearly as often as these steps permit. */
const REFRACTORY_STEPS = 10;
/** The drive of all neurons: at the threshold, so the sign of the recurrent current decides. */
const DRIVE = 1;
/** Times in ms: the cue ends, the window of the answer begins, and the run ends. All are multiples of a window. */
export const TIMES_MS = { cue: 100, answer: 400, end: 500 };
/** Steps that are simulated at once. */
const WINDOW_MS = 50;
/** Spikes in the window of the answer that make a bit 1: half of those of an active neuron. */
const ACTIVE = 4;
/** The overlap with the stored pattern from which on a pattern is recalled. */
export const RECALLED = 0.95;

/** Random patterns of ±1, [P, N]. */
export const randomPatterns = (P: number, N: number, generator: Generator): Tensor =>
  noGrad(() => rand([P, N], { generator }).lt(0.5).mul(2).sub(1));

/** Cues [P, N]: the patterns with this part of the bits of each flipped, at random places. */
export function damaged(patterns: Tensor, flips: number, generator: Generator): Tensor {
  const [P = 1, N = 1] = patterns.shape;
  const values = patterns.toFloat32Array();
  for (let p = 0; p < P; p++) {
    const places = generator.permutation(N).subarray(0, Math.round(flips * N));
    for (const i of places) values[p * N + i] = -(values[p * N + i] as number);
  }
  return tensor(values, { shape: [P, N] });
}

/** Overlaps of the rows of answers and patterns of ±1, [P, N]: 1 − 2·(the part of the bits that differ). */
export function overlaps(answers: Tensor, patterns: Tensor): number[] {
  const sums = noGrad(() => answers.mul(patterns).sum({ axis: 1 })).toFloat32Array();
  return Array.from(sums, (sum) => sum / (patterns.shape[1] as number));
}

/** The part of the overlaps that is at least {@link RECALLED}. */
export const recalledOf = (found: readonly number[]): number =>
  found.filter((overlap) => overlap >= RECALLED).length / found.length;

/**
 * A network of N neurons that has stored patterns: see {@link stored} for the weights and {@link Attractor} for the neurons. The
 * membrane of an active neuron is driven far above the threshold and that of another far below, so each neuron stands for a bit.
 */
export class SpikingMemory {
  private readonly attractor: Attractor;
  private readonly gain: number;

  /** The stored weights are multiplied by the gain, and so is the current of a cue: up for the bits that are 1, down for the others. */
  constructor(patterns: Tensor, { gain, noise, generator }: { gain: number; noise: number; generator: Generator }) {
    this.gain = gain;
    const weight = noGrad(() => stored(patterns).mul(gain));
    this.attractor = new Attractor({
      weight,
      tauMs: TAU_MS,
      refractorySteps: REFRACTORY_STEPS,
      noise,
      draw: normal(generator),
    });
    weight.dispose();
  }

  /**
   * Answers of ±1 [B, N] to cues [B, N], and spikes [T, 1, N] of the first cue. The cue drives the neurons for 100 ms; 300 ms later begins
   * the window of the answer, in which spikes alone hold the activity.
   */
  recall(cues: Tensor): { answers: Tensor; spikes: Tensor } {
    return noGrad(() => {
      const parts: Tensor[] = [];
      let counts = zeros(cues.shape);
      let state: AttractorState | undefined;
      for (let from = 0; from < TIMES_MS.end; from += WINDOW_MS) {
        const before = state;
        const window = noGrad(() => {
          const drive = cues.mul(from < TIMES_MS.cue ? this.gain : 0).add(DRIVE);
          const { spikes, state } = this.attractor.run(drive, WINDOW_MS, before);
          return { counts: spikes.sum({ axis: 0 }), first: spikes.slice(1, 0, 1), state };
        });
        state = window.state;
        parts.push(window.first);
        if (from >= TIMES_MS.answer) counts = counts.add(window.counts);
      }
      return { answers: counts.ge(ACTIVE).mul(2).sub(1), spikes: concat(parts) };
    });
  }
}

/** Steps in which the binary network settles. */
const STEPS = 50;

/**
 * Answers of the binary network of Hopfield (1982) to cues [B, N], for comparison: all bits at once become the signs of their sums.
 *
 *   σ_k ← sign(Σ_{j≠k} W_kj·σ_j)      W_kj = Σ_p ξ_pk·ξ_pj
 */
export function binaryRecall(patterns: Tensor, cues: Tensor): Tensor {
  return noGrad(() => {
    const [P = 1] = patterns.shape;
    let bits = cues;
    for (let step = 0; step < STEPS; step++) {
      const sums = matmul(matmul(bits, patterns.transpose(0, 1)), patterns).sub(bits.mul(P));
      bits = sums.ge(0).mul(2).sub(1);
    }
    return bits;
  });
}
