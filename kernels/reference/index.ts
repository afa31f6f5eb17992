/**
 * The kernels in naive form and in float64; begin reading here. Each dense kernel has a twin with the name, the arguments and the addresses of
 * its SIMD version, written as a loop over the equation. matmul.ts is a product in three loops, conv.ts a convolution and its two gradients in
 * a dozen lines, lif.ts a neuron over time; memory.ts explains where the numbers are.
 *
 * Finite differences check these functions (`gradcheck` runs the whole engine on them), and these functions check the SIMD kernels.
 *
 * Sparse kernels have dense references. On the float64 backend spikes are numbers, and products, pools and convolutions are dense. So the
 * kernels for bits, non-zeros and patches have no twin; tests compare their bits with those of the dense SIMD kernels.
 */
import type { Kernels } from "../build/types.ts";
import * as twins from "./twins.ts";

/** Kernels without a twin. */
const WITHOUT_TWIN = [
  // Kernels for recurrent weights: the reference composes traced steps with products.
  "packForward",
  "feedForward",
  "packBackward",
  "feedBack",
  // Packed spikes.
  "unpackBits",
  "alignBits",
  "countBits",
  "sumBits",
  "packBits",
  "transposeBits",
  "maxPoolBits",
  "avgPoolBits",
  "delayBits",
  // Products that skip zeros.
  "gather",
  "gemmMasked",
  "listNonZeros",
  "multiplyListed",
  // Convolutions.
  "gemmGathered",
  "grid",
  "addPatches",
  "overlaps",
  "addEvents",
  "windowBits",
  "convPlan",
  "convTurn",
  "convTurnBack",
  "convMaps",
  "convWeights",
  "followMaps",
  "spreadMaps",
  "spreadTiles",
] as const satisfies readonly (keyof Kernels)[];

type WithTwin = Omit<Kernels, (typeof WITHOUT_TWIN)[number]>;

export interface Reference extends Kernels {
  readonly convolve: typeof twins.convolve;
}

/* @__NO_SIDE_EFFECTS__ */
function collect(): Reference {
  const withTwin: WithTwin = twins;
  const refused = WITHOUT_TWIN.map((name) => [name, () => refuse(name)]);
  return { ...withTwin, convolve: twins.convolve, ...Object.fromEntries(refused) };
}

function refuse(name: string): never {
  throw new Error(`reference: ${name} has no float64 twin; an op that needs it must go the dense way`);
}

// Without the annotation, a bundler would keep all of them for a program without gradcheck.
export const reference: Reference = collect();
