import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { fired, RESET, RESET_NEEDS, startOf } from "../neuron/reset.ts";
import { atan, sigmoid, superSpike } from "../surrogates/known.ts";

/**
 * Integrate-and-fire neuron without a leak.
 *
 *   u[t] = v[t−1] + I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * With `reset: "subtract"` its firing rate is a rectified linear unit: relu(I)/θ, up to one spike a step.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Defaults θ = 1, resetValue = 0. Resets are those of {@link LIF}, default
 * "zero". Starts from v = 0, or with `start: "resetValue"` from resetValue, if the reset is "zero".
 *
 * `numerics`: "norse", `IAFCell`; "spikingjelly", `IFNode`; "nir", `IF` with r·dt = 1; "snntorch", `Leaky` with
 * beta = 1; "bindsnet", `IFNodes` at 1 ms, in mV above its reset.
 *
 * @throws RangeError for an option that has no effect with the others, or as every class of {@link neuron} does.
 * @see Lapicque (1907), Recherches quantitatives sur l'excitation électrique des nerfs traitée comme une polarisation.
 *
 * @example
 * ```ts
 * import { full, IF } from "jarvis-snn";
 *
 * const spikes = new IF({ reset: "subtract" }).forward(full([8, 1, 1], 0.75));
 * console.log(spikes.mean().item()); // 0.75
 * ```
 */
export const IF = lazyNeuron({
  name: "IF",
  state: { v: startOf },
  parameters: {
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
  },
  choices: united(RESET, {
    /** v before the first step: 0 ("zero"), or "resetValue", which requires the reset "zero" (otherwise 0). Default "zero". */
    start: ["zero", "resetValue"],
  }),
  needs: RESET_NEEDS,
  numerics: {
    norse: { start: "resetValue", fire: "gt", detachReset: false, surrogate: /* @__PURE__ */ superSpike() },
    spikingjelly: { start: "resetValue", detachReset: false, surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }) },
    nir: { fire: "gt" },
    snntorch: { fire: "gt", reset: "subtract", resetDelay: true, surrogate: /* @__PURE__ */ atan() },
    bindsnet: { start: "resetValue", threshold: 13, refractorySteps: 5 },
  },
  step(argument, choices) {
    const { current, v, threshold, resetValue } = argument;
    return fired(argument, choices, { v, threshold, resetValue, decay: (x) => x, input: current });
  },
});

/** A layer of {@link IF} neurons. */
export type IF = InstanceType<typeof IF>;
