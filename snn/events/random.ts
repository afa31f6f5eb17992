/** Random numbers of filters and augmentation. */
import { defaultGenerator, type Generator } from "../../engine/generator.ts";
import { noGrad, rand, randn } from "../../engine/index.ts";

/** The source of the random numbers of a function. */
export interface RandomEventOptions {
  /** The default generator if not given. */
  generator?: Generator;
}

export const RANDOM = { generator: defaultGenerator };

/** n uniform numbers in [0, 1). */
export const uniform = (n: number, generator: Generator): Float32Array =>
  n === 0 ? new Float32Array(0) : noGrad(() => rand([n], { generator }).toFloat32Array());
/** n normal numbers. */
export const normal = (n: number, generator: Generator): Float32Array =>
  n === 0 ? new Float32Array(0) : noGrad(() => randn([n], { generator }).toFloat32Array());

/** One uniform number in [0, 1). */
export const draw = (generator: Generator): number => uniform(1, generator)[0] as number;
