/** Options that the definitions of plain neurons share with the reader for kernels. */
import { NO_RESET } from "../../kernels/kinds.ts";
import { atan } from "../surrogates/known.ts";
import { Plain } from "./plain.ts";

/** The options under which LIF equals snnTorch's `Leaky`. */
export const SNNTORCH = {
  fire: "gt",
  reset: "subtract",
  resetDelay: true,
  // A getter, because the file of surrogates may not be loaded yet.
  get surrogate() {
    return atan();
  },
} as const;

/** The kernels without spikes. */
export const INTEGRATOR = /* @__PURE__ */ new Plain("LeakyIntegrator", {
  reset: NO_RESET,
  delayed: 0,
  strict: 0,
  resetValue: 0,
  surrogate: null,
});
