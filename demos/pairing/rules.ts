/** The rules of the demo, and what was measured. */
import { type Rule, STDP, TripletSTDP } from "jarvis-snn";

/** Of pairs, with the values of Song, Miller and Abbott (2000). */
const PAIRS = { aPlus: 0.005, aMinus: 0.00525 };

export const RULES: Readonly<Record<string, Rule>> = {
  "pairs, all": new STDP(PAIRS),
  "pairs, nearest": new STDP({ ...PAIRS, interaction: "nearest" }),
  "triplets, all": new TripletSTDP({ numerics: "visualAllFull" }),
  "triplets, nearest": new TripletSTDP({ numerics: "visualNearestFull" }),
  "minimal triplets, all": new TripletSTDP({ numerics: "visualAllMinimal" }),
  "minimal triplets, nearest": new TripletSTDP({ numerics: "visualNearestMinimal" }),
};

/**
 * Relative changes of synapses in visual cortex, and their standard errors, at these frequencies in Hz.
 *
 * @see Sjöström, Turrigiano and Nelson (2001), Rate, timing, and cooperativity jointly determine cortical synaptic plasticity,
 *   Neuron 32; the numbers are those of table 1 of Pfister and Gerstner (2006).
 */
export const MEASURED = {
  frequencies: [0.1, 10, 20, 40, 50],
  changes: {
    10: { mean: [-0.04, 0.14, 0.29, 0.53, 0.56], error: [0.05, 0.1, 0.14, 0.11, 0.26] },
    [-10]: { mean: [-0.29, -0.41, -0.34, 0.56, 0.75], error: [0.08, 0.11, 0.1, 0.32, 0.19] },
  },
} as const;

/** Intervals in ms that were measured. */
export const INTERVALS = [10, -10] as const;
export type Interval = (typeof INTERVALS)[number];

/** The root mean square of the distance from what was measured, in standard errors. */
export function deviation(changeAt: (frequency: number, dt: Interval) => number): number {
  const squares = INTERVALS.flatMap((dt) => {
    const { mean, error } = MEASURED.changes[dt];
    return MEASURED.frequencies.map(
      (frequency, i) => ((changeAt(frequency, dt) - (mean[i] as number)) / (error[i] as number)) ** 2,
    );
  });
  return Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / squares.length);
}
