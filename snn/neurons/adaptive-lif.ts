import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { INPUT_SCALE, leaky, OPTIONAL_SYNAPSE, SYNAPSE_NEEDS, synapse, withoutSynapse } from "../neuron/parts.ts";
import { afterSpike, RESET_VALUE_NEEDS } from "../neuron/reset.ts";
import { superSpike } from "../surrogates/known.ts";

/**
 * Adaptive LIF: a spike raises the threshold, which then decays slowly.
 *
 *   u[t] = rest + β(v[t−1] − rest) + I[t]      s[t] = 1 if u[t] ≥ θ + κ·a[t−1] else 0
 *   v[t] = u[t] − θ·s[t]      a[t] = ρ·a[t−1] + s[t]
 *
 * The slow state gives a recurrent network of such neurons, an LSNN, a memory of the length of a's decay. The choices:
 *
 * - `reset`: "subtract", as above; "zero": v[t] = resetValue after a spike; "none". `detachReset` (default true): no gradient through the reset.
 *   `detachAdaptation` (default false): no gradient through the spike that raises a.
 * - `decayFirst` (default false): a decays before it is added to the threshold: s[t] = 1 if u[t] ≥ θ + κ·ρ·a[t−1].
 * - `adaptation`: "threshold", as above, or "current": u[t] = rest + β(v[t−1] − rest) + I[t] − κ·a[t−1] and s[t] = 1 if u[t] ≥ θ.
 * - `synapse` (default "none"), with the state i and its decay α, and `inputScale`, as in {@link Synaptic}.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. β = exp(−dt/τ_mem) and ρ = exp(−dt/τ_a) are dimensionless;
 * defaults β = 0.95, ρ = 0.97, θ = 1, κ = 1.8, rest = resetValue = 0, α = 0.9. Starts from v = rest, a = 0.
 *
 * `numerics: "norse"` is `LSNNCell` at 1 ms, where b is θ + κ·a (`LSNNRecurrentCell` inside of {@link Recurrent}, with
 * detachReset and detachAdaptation). Its ρ = 1 − 1.25·10⁻⁶ is a time constant of 800 s; for 800 ms use `rho: 0.99875`.
 * "bindsnet" is `AdaptiveLIFNodes` for one sample, in mV above rest, where theta is κ·a.
 *
 * ρ is a float32, so close to 1 the relative error of 1 − ρ, and of τ_a, is up to 3·10⁻⁸ / (1 − ρ). With narrow surrogates, gradients of long runs
 * depend on τ_a. A ρ with few bits, such as 1 − 2⁻¹³, is exact.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
 *
 * @example
 * ```ts
 * import { AdaptiveLIF, full } from "jarvis-snn";
 *
 * const spikes = new AdaptiveLIF({ beta: 0.9, rho: 0.98, kappa: 0.5 }).forward(full([100, 1, 1], 0.5));
 * // The same current causes fewer spikes in each quarter, as the threshold rises.
 * console.log(spikes.split(25).map((quarter) => quarter.sum().item())); // [ 6, 4, 4, 3 ]
 * ```
 */
export const AdaptiveLIF = lazyNeuron({
  name: "AdaptiveLIF",
  state: { i: 0, v: ({ rest }) => rest, a: 0 },
  parameters: {
    /** β, the decay of the membrane per step, in [0, 1]. Default 0.95. */
    beta: 0.95,
    /** ρ, the decay of the adaptation a per step, in [0, 1]. Default 0.97. */
    rho: 0.97,
    /** θ without adaptation, in the unit of v. Default 1. */
    threshold: 1,
    /** κ, the rise of the threshold per unit of a, in the unit of v; with adaptation "current", the current subtracted per unit of a. Default 1.8. */
    kappa: 1.8,
    /** Resting value to which v decays and from which it starts. Default 0. */
    rest: 0,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
    /** α, the decay of the synaptic current i per step, in [0, 1]. Default 0.9. A layer without a synapse rejects it. */
    alpha: 0.9,
  },
  constrain: { alpha: [0, 1], beta: [0, 1], rho: [0, 1] },
  choices: united(
    {
      /** Effect of a spike on v: "subtract" subtracts θ, "zero" sets v to resetValue, "none" leaves v. Default "subtract". */
      reset: ["subtract", "zero", "none"],
      /** Whether the gradient stops at the reset. Default true. */
      detachReset: true,
      /** Whether the gradient stops at the spike that raises a. Default false. */
      detachAdaptation: false,
      /** Whether a decays before it is added to the threshold: s[t] = 1 if u[t] ≥ θ + κ·ρ·a[t−1]. Default false. */
      decayFirst: false,
      /** Effect of the adaptation: κ·a raises the "threshold", or is subtracted from the "current". Default "threshold". */
      adaptation: ["threshold", "current"],
    },
    OPTIONAL_SYNAPSE,
    INPUT_SCALE,
  ),
  needs: united(SYNAPSE_NEEDS, { resetValue: RESET_VALUE_NEEDS }),
  without: withoutSynapse,
  numerics: {
    norse: {
      alpha: 0.8,
      beta: 0.9,
      rho: 0.99999875,
      synapse: "late",
      inputScale: "leak",
      decayFirst: true,
      fire: "gt",
      reset: "zero",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
    bindsnet: {
      // exp(−1/100) and exp(−1/10⁷), for time constants in ms.
      beta: 0.990049834,
      rho: 0.9999999,
      threshold: 13,
      kappa: 0.05,
      decayFirst: true,
      reset: "zero",
      refractorySteps: 5,
      refractory: "leak",
    },
  },
  step(argument, { adaptation, decayFirst, detachAdaptation, ...choices }) {
    const { v, a, rho, threshold, kappa, spike } = argument;
    const { input, i } = synapse(argument, choices.synapse);
    const { decay, scaled } = leaky(argument, choices.inputScale);
    const left = a.mul(rho);
    const effect = (decayFirst ? left : a).mul(kappa);
    const isCurrent = adaptation === "current";
    const leaked = decay(v);
    const u = leaked.add(scaled(isCurrent ? input.sub(effect) : input));
    const s = spike(u.sub(isCurrent ? threshold : effect.add(threshold)));
    return {
      spikes: s,
      membrane: u,
      i,
      v: afterSpike(argument, choices, u, s, argument),
      a: left.add(detachAdaptation ? s.detach() : s),
      leaked,
    };
  },
});

/** A layer of {@link AdaptiveLIF} neurons. */
export type AdaptiveLIF = InstanceType<typeof AdaptiveLIF>;
