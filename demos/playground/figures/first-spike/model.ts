/** The neuron of lesson 0 under a current of each step. */
import { LIF, noGrad, tensor } from "jarvis-snn";

/** Steps that are shown. */
export const STEPS = 80;
export const BETA = 0.9;
export const THRESHOLD = 1;

export interface Run {
  readonly currents: Float32Array;
  /** u, before the reset. */
  readonly membrane: Float32Array;
  readonly spikes: Float32Array;
}

const neuron = new LIF({ beta: BETA, threshold: THRESHOLD });

export function run(currents: Float32Array): Run {
  return noGrad(() => {
    const { spikes, membrane } = neuron.unroll(tensor(currents, { shape: [currents.length, 1, 1] }));
    return { currents, membrane: membrane.toFloat32Array(), spikes: spikes.toFloat32Array() };
  });
}

/** Steps that are run to find the first spike: the membrane comes no nearer to its limit in float32. */
const SETTLED = 400;

/** A sentence about the neuron under a constant current. */
export function verdict(current: number): string {
  // A neuron without noise fires at equal intervals, from zero to the threshold.
  const first = run(new Float32Array(SETTLED).fill(current)).spikes.indexOf(1);
  if (first >= 0) return first === 0 ? "A spike in every step." : `A spike every ${first + 1} steps.`;
  const limit = (current / (1 - BETA)).toFixed(2);
  return `No spike: the membrane settles at I / (1 − β) = ${limit}, and the threshold is ${THRESHOLD}.`;
}
