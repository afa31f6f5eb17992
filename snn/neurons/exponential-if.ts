import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR, OPTIONAL_SYNAPSE, SYNAPSE_NEEDS, synapse, upstroke, withoutSynapse } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS, START, startOf } from "../neuron/reset.ts";
import { sigmoid, superSpike } from "../surrogates/known.ts";

/**
 * Exponential integrate-and-fire neuron: above the rheobase threshold the membrane rises exponentially, as sodium channels open.
 *
 *   u[t] = v[t−1] + (rest − v[t−1] + Δ·exp((v[t−1] − rheobase) / Δ) + I[t]) / τ
 *   s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * The exponent is clamped to 20, so that no membrane becomes infinite; beyond that its gradient is 0. `synapse` (default "none") filters the current
 * by a state i with the decay α, as in {@link Synaptic}.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. τ is in steps, Δ is `sharpness`. Defaults τ = 2, Δ = 1, rheobase = 0.8,
 * rest = 0, θ = 1, resetValue = −0.1, as in SpikingJelly, and α = 0.9. Resets are those of {@link LIF}, default "zero". Starts from v = rest, or with
 * `start: "resetValue"` from resetValue, if the reset is "zero".
 *
 * `numerics`: "spikingjelly", `EIFNode`, whose delta_T and theta_rh are sharpness and rheobase; "norse", `LIFExCell` at 1 ms, whose
 * v_th is both rheobase and θ.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Fourcaud-Trocmé et al. (2003), How spike generation mechanisms determine the neuronal response to fluctuating inputs, Journal
 *   of Neuroscience 23(37).
 *
 * @example
 * ```ts
 * import { ExponentialIF, pad, tensor } from "jarvis-snn";
 *
 * const neurons = new ExponentialIF({ rheobase: 0.8, sharpness: 0.1, threshold: 2 });
 * // A pulse to 0.7 falls back; a pulse to 1.2 takes off by itself.
 * const pulse = pad(tensor([[[1.4, 2.4]]]), [0, 0, 0, 0, 0, 5]); // and five steps without a current
 * console.log(neurons.forward(pulse).sum({ axis: 0 }).toArray()); // [ [ 0, 1 ] ]
 * ```
 */
export const ExponentialIF = lazyNeuron({
  name: "ExponentialIF",
  state: { i: 0, v: startOf },
  parameters: {
    /** τ, the time constant of the membrane in steps. Default 2. */
    tau: 2,
    /** Δ, the slope factor of the exponential, in the unit of v. Default 1. */
    sharpness: 1,
    /** Soft threshold of v, above which the membrane rises exponentially. Default 0.8. */
    rheobase: 0.8,
    /** Resting value, to which v decays. Default 0. */
    rest: 0,
    /** θ, the level at which an upstroke counts as a spike, in the unit of v. Default 1. */
    threshold: 1,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default −0.1. */
    resetValue: -0.1,
    /** α, the decay of the synaptic current i per step, in [0, 1]; an error without a synapse. Default 0.9. */
    alpha: 0.9,
  },
  constrain: { alpha: [0, 1], tau: DIVISOR, sharpness: DIVISOR },
  choices: united(RESET, START, OPTIONAL_SYNAPSE),
  needs: united(RESET_NEEDS, SYNAPSE_NEEDS),
  without: withoutSynapse,
  numerics: {
    spikingjelly: { start: "resetValue", detachReset: false, surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }) },
    norse: {
      tau: 10,
      sharpness: 0.5,
      rheobase: 1,
      resetValue: 0,
      alpha: 0.8,
      synapse: "jumpFirst",
      fire: "gt",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
  },
  step(argument, choices) {
    const { v, tau, sharpness, rheobase, rest, threshold, resetValue } = argument;
    const { input, i } = synapse(argument, choices.synapse);
    const rate = tau.reciprocal();
    const perSharpness = sharpness.reciprocal();
    const rise = sharpness.mul(rate);
    const decay = (x: typeof v) => {
      const opened = upstroke(x.sub(rheobase).mul(perSharpness));
      return x.add(rest.sub(x).mul(rate)).add(opened.mul(rise));
    };
    return { ...fired(argument, choices, { v, threshold, resetValue, decay, input: input.mul(rate) }), i };
  },
});

/** A layer of {@link ExponentialIF} neurons. */
export type ExponentialIF = InstanceType<typeof ExponentialIF>;
