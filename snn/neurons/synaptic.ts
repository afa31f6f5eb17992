import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { INPUT_SCALE, leaky, SYNAPSE, synapse } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS, START, startOf } from "../neuron/reset.ts";
import { atan, boxcar, superSpike } from "../surrogates/known.ts";

/**
 * Current-based LIF: a leaky membrane with a decaying synaptic current as its input.
 *
 *   i[t] = α·i[t−1] + I[t]      u[t] = rest + β(v[t−1] − rest) + i[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * `synapse` selects when an input reaches the membrane: "decayFirst", as above; "jumpFirst", with i[t−1] + I[t] as the membrane's input and
 * i[t] = α·(i[t−1] + I[t]); "late", with i[t−1] as its input. `inputScale: "leak"` multiplies this input by 1 − β.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. α = exp(−dt/τ_syn) and β = exp(−dt/τ_mem) are dimensionless; defaults α = 0.9,
 * β = 0.95, θ = 1, within [0, 1], rest = resetValue = 0. Resets are those of {@link LIF}, default "zero"; they do not change i. Starts from i = 0 and
 * v = rest, or with `start: "resetValue"` from v = resetValue, if the reset is "zero".
 *
 * `numerics` selects the neuron of another package: "snntorch" is its `Synaptic`; "norse" its `LIFCell` at 1 ms (its `LIFRecurrentCell` inside
 * {@link Recurrent} with detachReset); "spikingjelly" its `CUBALIFNode`; "nir" a `CubaLIF` at a small step. "bindsnet" is its `CurrentLIFNodes` at
 * 1 ms, in mV above rest; the refractory time of 5 ms ends after four steps.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { Synaptic, tensor } from "jarvis-snn";
 *
 * const spike = tensor([1, 0, 0, 0], { shape: [4, 1, 1] });
 * const { membrane, i } = new Synaptic({ alpha: 0.5, beta: 0.5, threshold: 2 }).unroll(spike);
 * console.log(i.flatten().toArray()); // [ 1, 0.5, 0.25, 0.125 ]
 * console.log(membrane.flatten().toArray()); // [ 1, 1, 0.75, 0.5 ]
 * ```
 */
export const Synaptic = lazyNeuron({
  name: "Synaptic",
  state: { i: 0, v: startOf },
  parameters: {
    /** α, the decay of the synaptic current i per step, in [0, 1]. Default 0.9. */
    alpha: 0.9,
    /** β, the decay of the membrane per step, in [0, 1]. Default 0.95. */
    beta: 0.95,
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
    /** Resting value, to which v decays. Default 0. */
    rest: 0,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
  },
  constrain: { alpha: [0, 1], beta: [0, 1] },
  choices: united(RESET, START, SYNAPSE, INPUT_SCALE),
  needs: RESET_NEEDS,
  numerics: {
    snntorch: { fire: "gt", reset: "subtract", resetDelay: true, resetInput: true, surrogate: /* @__PURE__ */ atan() },
    norse: {
      alpha: 0.8,
      beta: 0.9,
      synapse: "jumpFirst",
      inputScale: "leak",
      fire: "gt",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
    spikingjelly: {
      alpha: 0.5,
      beta: 0.75,
      threshold: 0.5,
      start: "resetValue",
      detachReset: false,
      surrogate: /* @__PURE__ */ boxcar(),
    },
    nir: { inputScale: "leak", fire: "gt" },
    // exp(−1/2) and exp(−1/100), for time constants in ms.
    bindsnet: { alpha: 0.60653066, beta: 0.990049834, threshold: 13, refractorySteps: 4, refractory: "leak" },
  },
  step(argument, choices) {
    const { v, threshold, resetValue } = argument;
    const { input, i } = synapse(argument, choices.synapse);
    const { decay, scaled } = leaky(argument, choices.inputScale);
    return { ...fired(argument, choices, { v, threshold, resetValue, decay, input: scaled(input) }), i };
  },
});

/** A layer of {@link Synaptic} neurons. */
export type Synaptic = InstanceType<typeof Synaptic>;
