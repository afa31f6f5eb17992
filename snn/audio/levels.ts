/** Level-crossing encoder of sound, sample by sample. */
import { FINITE, numberOf, POSITIVE, withDefaults } from "../../engine/arguments.ts";
import { peek } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { checkSequence } from "../layer/checks.ts";
import { signalRows } from "./signal.ts";
import { checkSteps, SpikeSteps } from "./steps.ts";

/** Options of {@link levelCrossings}. */
export interface LevelCrossingsOptions {
  /** θ, the distance between levels, finite and > 0; default 0.1. */
  threshold?: number;
  /** Level at which the signal starts, finite; default 0. */
  start?: number;
  /** Samples per time step, an integer in [1, 2²⁴]; default 1. */
  samplesPerStep?: number;
}

export const LEVELS: Required<LevelCrossingsOptions> = { threshold: 0.1, start: 0, samplesPerStep: 1 };

/**
 * Send-on-delta: an ON spike when a signal has risen to the next level or beyond, and an OFF spike when it has fallen to the level below or beyond.
 *
 *   k[n] = ⌊r⌋ for r ≥ k[n−1] + 1, ⌈r⌉ for r ≤ k[n−1] − 1, else k[n−1]     r = (x[n] − start)/θ, k[−1] = 0
 *   on[n] = [k[n] > k[n−1]]     off[n] = [k[n] < k[n−1]]
 *
 * Shapes: x [N, …, C], or [N] for a single channel → spikes [T, …, 2·C], the ON spikes of all channels and then their OFF spikes, with
 * T = ⌊N/samplesPerStep⌋. A step has a spike if one of its samples has one. A jump over several levels is one spike. Values that are not finite cause
 * no spike and do not change the level. There is no gradient.
 *
 * @throws RangeError unless x has a time axis and a whole step, the threshold is finite and > 0, start is finite and samplesPerStep an integer in
 *   [1, 2²⁴]; TypeError for an unknown option or a value of the wrong type.
 * @see Miskowicz (2006), Send-On-Delta Concept: An Event-Based Data Reporting Strategy, Sensors 6(1).
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 * import { levelCrossings } from "jarvis-snn/audio";
 *
 * const spikes = levelCrossings(tensor([0, 0.6, 1.1, 1.5, 0.4]), { threshold: 1 }); // [N] → [T, 2], ON and OFF
 * console.log(spikes.transpose(0, 1).toArray()); // [ [ 0, 0, 1, 0, 0 ], [ 0, 0, 0, 0, 0 ] ]
 * ```
 */
export function levelCrossings(x: Tensor, options: LevelCrossingsOptions = LEVELS): Tensor {
  const given = withDefaults("levelCrossings", LEVELS, options);
  checkLevels("levelCrossings", given);
  checkSequence("levelCrossings", "a signal", x);
  const [n, width] = signalRows(x);
  checkSteps("levelCrossings", n, given.samplesPerStep);
  const channels = x.ndim === 1 ? 1 : (x.sizes[x.ndim - 1] as number);
  const crossings = new SignalLevels(given, width, channels);
  crossings.steps.begin(n);
  crossings.see(peek(x), n);
  return crossings.steps.take("levelCrossings", [...x.sizes.slice(1, -1), 2 * channels]) as Tensor;
}

export function checkLevels(
  where: string,
  { threshold, start, samplesPerStep }: Required<LevelCrossingsOptions>,
): void {
  numberOf(where, "threshold", threshold, POSITIVE);
  numberOf(where, "start", start, FINITE);
  numberOf(where, "samplesPerStep", samplesPerStep, STEP_COUNTS);
}

/** Current level of each signal, for signals that arrive in blocks. */
export class SignalLevels {
  readonly steps: SpikeSteps;
  private readonly threshold: number;
  private readonly start: number;
  private readonly channels: number;
  private readonly level: Float64Array;

  /** Prepares for `width` signals; each sample has rows of `channels` numbers. */
  constructor({ threshold, start, samplesPerStep }: Required<LevelCrossingsOptions>, width: number, channels: number) {
    this.steps = new SpikeSteps(2 * width, samplesPerStep);
    this.threshold = threshold;
    this.start = start;
    this.channels = channels;
    this.level = new Float64Array(width);
  }

  /** Processes n samples of the signals, x [n, width]. */
  see(x: ArrayLike<number>, n: number): void {
    const { steps, threshold, start, channels, level } = this;
    const width = level.length;
    for (let i = 0, at = 0; i < n; i++) {
      for (let c = 0; c < width; c++, at++) {
        const r = ((x[at] as number) - start) / threshold;
        const before = level[c] as number;
        if (!(Math.abs(r - before) >= 1 && Math.abs(r) < Infinity)) continue;
        const isUp = r > before;
        level[c] = isUp ? Math.floor(r) : Math.ceil(r);
        const place = 2 * c - (c % channels);
        steps.fire(isUp ? place : place + channels);
      }
      steps.next();
    }
  }
}
