/**
 * The kernels again, naive and in float64, the place to begin reading: each dense kernel once, with the name, the arguments and the
 * addresses of its SIMD twin, as a loop over the equation. matmul.ts is a product in three loops, conv.ts a convolution and its two
 * gradients in a dozen lines, lif.ts a neuron over time; memory.ts says where the numbers lie.
 *
 * Finite differences check these functions (`gradcheck` runs the whole engine on them), and they check the SIMD kernels.
 *
 * Dense is the reference of sparse. On the float64 backend spikes are numbers, and products, pools and convolutions go the dense way. So
 * the kernels for bits, for values that are not 0, and for patches have no twin: tests compare their bits with the bits of the dense SIMD
 * kernels.
 */
import type { Kernels } from "../build/types.ts";
import * as twins from "./twins.ts";

/** The kernels without a twin. */
const WITHOUT_TWIN = [
  // Recurrent weights: of compiled steps with these the reference has the composition.
  "packForward",
  "feedForward",
  "packBackward",
  "feedBack",
  // Spikes in bits.
  "unpackBits",
  "alignBits",
  "countBits",
  "sumBits",
  "packBits",
  "transposeBits",
  "maxPoolBits",
  "avgPoolBits",
  "delayBits",
  // Products that skip zeros, and gradients that nobody needs.
  "gather",
  "gemmMasked",
  "gemmSampled",
  "surrogateSupport",
  "alignGroups",
  "listNonZeros",
  "multiplyListed",
  // Convolutions.
  "gemmGathered",
  "grid",
  "addPatches",
  "overlaps",
  "addEvents",
  "windowBits",
  "convMaps",
  "convWeights",
  "followMaps",
  "spreadMaps",
] as const satisfies readonly (keyof Kernels)[];

type WithTwin = Omit<Kernels, (typeof WITHOUT_TWIN)[number]>;

export interface Reference extends Kernels {
  readonly convolve: typeof twins.convolve;
}

function collect(): Reference {
  const withTwin: WithTwin = twins;
  const refused = WITHOUT_TWIN.map((name) => [name, () => refuse(name)]);
  return { ...withTwin, convolve: twins.convolve, ...Object.fromEntries(refused) };
}

function refuse(name: string): never {
  throw new Error(`reference: ${name} has no float64 twin; an op that needs it must go the dense way`);
}

// Without the annotation, a bundler would keep all of them for a program without gradcheck.
export const reference: Reference = /* @__PURE__ */ collect();
