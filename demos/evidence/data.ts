/** Accumulation of evidence: trials that ask on which side, left or right, there were more cues. */
import { type Generator, noGrad, rand } from "jarvis-snn";
import { NONE, spikesOf, stepsOf, type Trials } from "../lsnn/network.ts";

/** Cues of a trial. */
const CUES = 7;
/** A cue, and the time from one to the next: 50 ms of silence, 100 ms of spikes. */
const CUE = stepsOf(100);
const PERIOD = stepsOf(150);
/** Length of the recall. */
const RECALL = stepsOf(150);
/** Rates of the neurons of a cue or a recall, and of neurons that fire all the time. */
const RATE_HZ = 40;
const NOISE_HZ = 10;
/** Probability of a cue on the side that a trial prefers. */
const PREFERRED = 0.7;

/** The groups of input neurons. */
export const GROUP_NAMES = ["left", "right", "recall", "noise"] as const;
const [RECALL_GROUP, NOISE_GROUP] = [2, 3] as const;

/** Bounds of the delay, in ms. */
export type DelaysMs = readonly [least: number, greatest: number];

/** Delays of the trials of a training. */
export const TRAINED_MS: DelaysMs = [500, 1500];

/**
 * Trials in which seven cues are shown one after the other, each by spikes of the left or the right group, with probabilities 0.7 and 0.3 or
 * 0.3 and 0.7. After a delay, uniformly distributed, a recall of 150 ms asks for the side of most cues: 0 is left, 1 is right. All
 * trials have the length of that with the greatest delay and end with the recall.
 *
 * @see Bellec et al. (2020), A solution to the learning dilemma for recurrent networks of spiking neurons, Nature Communications 11,
 *   figure 3; the task of mice in Morcos and Harvey (2016), History-dependent variability in population dynamics during evidence
 *   accumulation in cortex, Nature Neuroscience 19.
 */
export function evidence(batch: number, [leastMs, greatestMs]: DelaysMs, generator: Generator): Trials {
  const draws = noGrad(() => rand([batch, 2 + CUES], { generator }).toFloat32Array());
  const T = CUES * PERIOD + stepsOf(greatestMs) + RECALL;
  const rates = new Float32Array(T * batch * 4);
  const answers = new Int32Array(T * batch).fill(NONE);
  for (let b = 0; b < batch; b++) {
    const [forSide, forDelay, ...forCues] = draws.subarray((2 + CUES) * b, (2 + CUES) * (b + 1)) as unknown as [
      number,
      number,
      ...number[],
    ];
    const show = (group: number, from: number, to: number, rate: number) => {
      for (let t = from; t < to; t++) rates[4 * (t * batch + b) + group] = rate;
    };
    const start = T - RECALL - stepsOf(leastMs + forDelay * (greatestMs - leastMs)) - CUES * PERIOD;
    const right = forSide < 0.5 ? PREFERRED : 1 - PREFERRED;
    const sides = forCues.map((x) => (x < right ? 1 : 0));
    for (const [i, side] of sides.entries()) {
      const end = start + (i + 1) * PERIOD;
      show(side, end - CUE, end, RATE_HZ);
    }
    show(RECALL_GROUP, T - RECALL, T, RATE_HZ);
    show(NOISE_GROUP, 0, T, NOISE_HZ);
    const answer = sides.filter((side) => side === 1).length > CUES / 2 ? 1 : 0;
    for (let t = T - RECALL; t < T; t++) answers[t * batch + b] = answer;
  }
  return { x: spikesOf(rates, batch, generator), answers };
}
