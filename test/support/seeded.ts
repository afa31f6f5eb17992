/** Layers with the same weights for the same seed. */
import { Generator, Linear } from "../../engine/index.ts";

/** The option that draws from this seed. */
export const from = (seed = 3) => ({ generator: new Generator(seed) });

export const linear = (inputs: number, outputs: number, seed?: number): Linear =>
  new Linear(inputs, outputs, from(seed));
