/** Names of inputs, states and parameters that layers add to the step of a definition. */

/** The input that is 1 at the winner of a step and 0 at the others. */
export const WINNER = "winner";

/** The name of the state that counts refractory steps. */
export const REFRACTORY = "refractory";

/** The name of the parameter that spikes are multiplied by. */
export const GRADED = "gradedSpikesFactor";
