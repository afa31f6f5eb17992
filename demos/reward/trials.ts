/** The task: which inputs are baited, and the fraction of trials in which the network is right. */
import { Generator } from "jarvis-snn";
import { CUES, type RewardNetwork } from "./network.ts";

/** Other random numbers than those of the network, which has the same seed. */
const ORDER = 1_000_000;
/** Trials of a row of the table. */
export const BLOCK = 50;

/** 1 for each trial in which the network was right, else 0. */
export interface Right {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Inputs 1 and 2 are baited at first, and behind the reversal 3 and 4 are. Inputs come in random order, each as often. */
export function learn(network: RewardNetwork, trials: number, seed: number, onTrial: (done: number) => void): Right {
  const generator = new Generator(ORDER + seed);
  let done = 0;
  let order: readonly number[] = [];
  const run = (isBaited: (cue: number) => boolean): number[] =>
    Array.from({ length: trials }, () => {
      if (order.length === 0) order = Array.from(generator.permutation(CUES));
      const [cue = 0, ...rest] = order;
      order = rest;
      const isRight = network.trial(cue, isBaited(cue));
      onTrial(++done);
      return isRight ? 1 : 0;
    });
  return { before: run((cue) => cue < CUES / 2), after: run((cue) => cue >= CUES / 2) };
}

/** The fraction right in each block of trials, before the reversal and behind it, as rows of a table. */
export function tableOf({ before, after }: Right): string[][] {
  const blocks = Array.from({ length: Math.ceil(before.length / BLOCK) }, (_, k) => k * BLOCK);
  const mean = (values: readonly number[], from: number): string => {
    const block = values.slice(from, from + BLOCK);
    return (block.reduce((sum, value) => sum + value, 0) / block.length).toFixed(2);
  };
  const rows = blocks.map((from) => {
    const name = `${from + 1}-${Math.min(from + BLOCK, before.length)}`;
    return [name, mean(before, from), mean(after, from)];
  });
  return [["trials", "before", "after the reversal"], ...rows];
}
