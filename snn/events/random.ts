/** Random numbers of filters and augmentation, drawn from a generator of the engine. */

import { type Generator, noGrad, rand, randn } from "../../engine/index.ts";
import { defaultGenerator } from "../../engine/protocol.ts";

/** Source of random numbers. */
export interface RandomEventOptions {
  /** Generator; the default one if not given. */
  generator?: Generator;
}

export const RANDOM_OPTIONS = { generator: defaultGenerator };

/** n uniform numbers in [0, 1). */
export const uniformNumbers = (n: number, generator: Generator): Float32Array =>
  n === 0 ? new Float32Array(0) : noGrad(() => rand([n], { generator }).toFloat32Array());
/** n normal numbers. */
export const normalNumbers = (n: number, generator: Generator): Float32Array =>
  n === 0 ? new Float32Array(0) : noGrad(() => randn([n], { generator }).toFloat32Array());

/** One uniform number in [0, 1). */
export const draw = (generator: Generator): number => uniformNumbers(1, generator)[0] as number;
