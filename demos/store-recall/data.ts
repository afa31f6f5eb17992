/** Store and recall: trials in which the network has to keep a bit among others until a command asks for the bit. */
import { type Generator, noGrad, rand } from "jarvis-snn";
import { NONE, spikesOf, stepsOf, type Trials } from "../lsnn/network.ts";

/** Length of a character. */
export const CHARACTER_MS = 200;
const CHARACTER = stepsOf(CHARACTER_MS);
/** Rate of the neurons of a group that is shown. */
const RATE_HZ = 50;
/** At most so many characters between the start, or a recall, and the next command to store. */
const PAUSE = 2;

/** The groups of input neurons. */
export const GROUP_NAMES = ["value 0", "value 1", "store", "recall"] as const;
const [STORE, RECALL] = [2, 3] as const;

/** Least and greatest number of characters between a command to store and the recall. */
export type Delays = readonly [least: number, greatest: number];

/** Delays and characters of the trials of a training. */
export const TRAINED: Delays = [1, 6];
export const CHARACTERS = 12;

/** Characters of a trial that has time for a single recall, after the greatest pause. */
export const charactersFor = (delay: number): number => PAUSE + 1 + delay + 1;

/**
 * Trials of so many characters. A character shows the value 0 or 1 by the spikes of a group of neurons; with the command to store,
 * the spikes of a third group tell to remember the value that is shown. After a delay of characters with other values a command to
 * recall, without a value, asks for the stored value, and after a pause the next value is to be stored. Pauses (0 … 2) and delays are uniformly
 * distributed.
 *
 * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
 */
export function storeRecall(batch: number, characters: number, delays: Delays, generator: Generator): Trials {
  const draws = noGrad(() => rand([batch, characters, 2], { generator }).toFloat32Array());
  const rates = new Float32Array(characters * CHARACTER * batch * 4);
  const answers = new Int32Array(characters * CHARACTER * batch).fill(NONE);
  for (let b = 0; b < batch; b++) {
    let stored = NONE;
    let left = drawn(0, PAUSE, draws[2 * b * characters + 1] as number);
    for (let c = 0; c < characters; c++) {
      const [forValue, forTime] = draws.subarray(2 * (b * characters + c)) as unknown as [number, number];
      const value = forValue < 0.5 ? 0 : 1;
      const isCommand = left-- === 0;
      const isRecall = isCommand && stored !== NONE;
      const shown = isRecall ? [RECALL] : isCommand ? [value, STORE] : [value];
      for (let t = c * CHARACTER; t < (c + 1) * CHARACTER; t++) {
        for (const group of shown) rates[4 * (t * batch + b) + group] = RATE_HZ;
        if (isRecall) answers[t * batch + b] = stored;
      }
      if (isRecall) {
        stored = NONE;
        left = drawn(0, PAUSE, forTime);
      } else if (isCommand) {
        stored = value;
        left = drawn(...delays, forTime);
      }
    }
  }
  return { x: spikesOf(rates, batch, generator), answers };
}

/** An integer from least to greatest, of a number in [0, 1). */
const drawn = (least: number, greatest: number, x: number): number => least + Math.floor(x * (greatest - least + 1));
