import { lazyNeuron } from "../neuron/define.ts";

/**
 * Adaptive LIF with sub-threshold adaptation: the adaptation current follows the membrane as well as the spikes, so the neuron can resonate.
 *
 *   u[t] = α·v[t−1] + (1 − α)·(I[t] − w[t−1])      s[t] = 1 if u[t] ≥ θ else 0
 *   v[t] = u[t] − θ·s[t]               w[t] = β·w[t−1] + a·u[t] + b·s[t]                    (form "explicit")
 *   v[t] = s[t] ? resetValue : u[t]    w[t] = β·w[t−1] + (1 − β)·(a·v[t] + b·s[t])          (form "symplectic", SE-adLIF)
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N], α and β within [0, 1]. Defaults α = 0.9, β = 0.98, a = 0.5, b = 1, θ = 1,
 * resetValue 0. The papers use narrower bounds of learned parameters, which `constrain` can set: α to [e^(−1/5), e^(−1/25)], β to
 * [e^(−1/30), e^(−1/120)], a to [−1, 1] and b to [0, 2]. Bittar and Garner apply the reset and the adaptation at the start of the next step, with the
 * same u and s. `detachReset` is false, as in the papers' programs: gradients pass through the reset.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Bittar and Garner (2022), A surrogate gradient spiking baseline for speech command recognition, Frontiers in Neuroscience 16;
 *   Baronig, Ferrand, Sabathiel and Legenstein (2024), Advancing spatio-temporal processing in spiking neural networks through
 *   adaptation.
 *
 * @example
 * ```ts
 * import { AdLIF, tensor } from "jarvis-snn";
 *
 * const pulse = tensor([5, 0, 0, 0, 0, 0], { shape: [6, 1, 1] });
 * const { membrane } = new AdLIF({ alpha: 0.8, beta: 0.9 }).unroll(pulse);
 * // After a pulse the adaptation pulls the membrane below its rest, so that the neuron resonates.
 * console.log(`${membrane.flatten()}`); // Tensor([6], [1, 0.7, 0.4, 0.136, -0.0704, -0.21056])
 * ```
 */
export const AdLIF = lazyNeuron({
  name: "AdLIF",
  state: { v: 0, w: 0 },
  parameters: {
    /** α, the decay of the membrane per step, in [0, 1]. Default 0.9. */
    alpha: 0.9,
    /** β, the decay of the adaptation current w per step, in [0, 1]. Default 0.98. */
    beta: 0.98,
    /** Adaptation by the membrane. Default 0.5. */
    a: 0.5,
    /** Adaptation by a spike. Default 1. */
    b: 1,
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
    /** Value of v after a spike with form "symplectic"; an error with the other form. Default 0. */
    resetValue: 0,
  },
  constrain: { alpha: [0, 1], beta: [0, 1] },
  choices: {
    /** Form of the equations: "explicit", of Bittar and Garner, or "symplectic", as in SE-adLIF. Default "explicit". */
    form: ["explicit", "symplectic"],
    /** Whether the gradient stops at the reset. Default false. */
    detachReset: false,
  },
  needs: { resetValue: { form: ["symplectic"] } },
  step({ current, v, w, alpha, beta, a, b, threshold, resetValue, spike, select, constant }, { form, detachReset }) {
    const u = v.mul(alpha).add(current.sub(w).mul(constant(1).sub(alpha)));
    const s = spike(u.sub(threshold));
    const at = detachReset ? s.detach() : s;
    const isSymplectic = form === "symplectic";
    const after = isSymplectic ? select(at, resetValue, u) : u.sub(select(at, threshold, 0));
    const drive = (isSymplectic ? after : u).mul(a).add(s.mul(b));
    const adapted = w.mul(beta).add(isSymplectic ? drive.mul(constant(1).sub(beta)) : drive);
    return { spikes: s, membrane: u, v: after, w: adapted, leaked: v.mul(alpha) };
  },
});

/** A layer of {@link AdLIF} neurons. */
export type AdLIF = InstanceType<typeof AdLIF>;
