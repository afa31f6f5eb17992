/**
 * The kernels again, naive and in float64: one function per dense SIMD kernel, same name, same arguments, same addresses.
 * Read these first; the tests trust them, and `gradcheck` runs the whole engine on them.
 *
 * Dense is the reference of sparse. On the float64 backend spikes are numbers, products and pools go the dense way, and
 * convolutions are one loop (conv.ts). So the kernels for bits, for non-zeros, and for patches have no twin: tests hold
 * them to the bits of the dense SIMD kernels.
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
