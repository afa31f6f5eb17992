import { neuron } from "../neuron.ts";
import { fired, RESET, RESET_NEEDS } from "../reset.ts";
import { atan, sigmoid, superSpike } from "../surrogates.ts";

/**
 * Integrate-and-fire neuron, which does not leak.
 *
 *   u[t] = v[t−1] + I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * With `reset: "subtract"` the rate of its spikes is that of a rectified linear unit: relu(I)/θ up to one spike a step.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Defaults θ = 1, resetValue = 0. Resets as in {@link LIF},
 * default "zero". Starts from v = 0.
 *
 * `numerics`: "norse", `IAFCell`; "spikingjelly", `IFNode`; "nir", `IF` with r·dt = 1; "snntorch", `Leaky` with
 * beta = 1; "bindsnet", `IFNodes` at 1 ms, in mV above its reset. `IFNode` starts from its v_reset: `unroll` from a state with this v.
 *
 * @throws RangeError for an option without effect for the others, or as every class of {@link neuron} does.
 * @see Lapicque (1907), Recherches quantitatives sur l'excitation électrique des nerfs traitée comme une polarisation.
 */
export const IF = /* @__PURE__ */ neuron({
  name: "IF",
  state: { v: 0 },
  parameters: { threshold: 1, resetValue: 0 },
  choices: RESET,
  needs: RESET_NEEDS,
  numerics: {
    norse: { fire: "gt", detachReset: false, surrogate: /* @__PURE__ */ superSpike() },
    spikingjelly: { detachReset: false, surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }) },
    nir: { fire: "gt" },
    snntorch: { fire: "gt", reset: "subtract", resetDelay: true, surrogate: /* @__PURE__ */ atan() },
    bindsnet: { threshold: 13, refractorySteps: 5 },
  },
  step(argument, choices) {
    const { current, v, threshold, resetValue } = argument;
    return fired(argument, choices, { v, threshold, resetValue, decay: (x) => x, input: current });
  },
});
