import { lazyNeuron } from "../neuron/define.ts";

/**
 * Short-term plasticity: each spike depletes the resources of a synapse, and raises the share of the rest that the next spike releases.
 *
 *   u[t] = φu[t−1] + U·(1 − φu[t−1])·s[t]      x⁻ = 1 − ρ(1 − x[t−1])      R[t] = u[t]·x⁻·s[t]      x[t] = x⁻ − R[t]
 *
 * Each presynaptic neuron has one such synapse for all of its targets: u is the fraction of the resources x that a spike releases, and R the released
 * amount, which replaces the spikes as the input of a `Linear`. `forward` returns R; `unroll` names it `membrane`, as for every layer without spikes.
 * φ near 1 facilitates, ρ near 1 depresses.
 *
 * With `jumpFrom: "before"` a spike reads u and x from before their decay: u[t] = φu[t−1] + U·(1 − u[t−1])·s[t] and R[t] = u[t]·x[t−1]·s[t], as in an
 * Euler step.
 *
 * Shapes: spikes [T, B, …], or their rates, → released [T, B, …]; parameters [] or [N]. φ = exp(−dt/τ_facil) and
 * ρ = exp(−dt/τ_rec) are dimensionless; defaults U = 0.5, φ = 0, ρ = exp(−1/800), a depressing synapse at steps of 1 ms. Starts from
 * u = 0 and x = 1.
 *
 * `numerics`: "norse", `stp_step` at 1 ms.
 *
 * @throws RangeError for a parameter outside of its bounds, or as every class of {@link neuron} does.
 * @see Tsodyks and Markram (1997), The neural code between neocortical pyramidal neurons depends on neurotransmitter release
 *   probability, PNAS 94(2); Tsodyks, Pawelzik and Markram (1998), Neural networks with dynamic synapses, Neural Computation 10(4).
 *
 * @example
 * ```ts
 * import { ones, TsodyksMarkram } from "jarvis-snn";
 *
 * const spikes = ones([4, 1, 1]);
 * const depressing = new TsodyksMarkram({ U: 0.5, rho: 1 }); // resources do not come back
 * console.log(depressing.forward(spikes).flatten().toArray()); // [ 0.5, 0.25, 0.125, 0.0625 ]
 * const facilitating = new TsodyksMarkram({ U: 0.25, phi: 1, rho: 0 }); // resources are back at once
 * console.log(facilitating.forward(spikes).flatten().toArray()); // [ 0.25, 0.4375, 0.578125, 0.68359375 ]
 * ```
 */
export const TsodyksMarkram = lazyNeuron({
  name: "TsodyksMarkram",
  state: { u: 0, x: 1 },
  parameters: {
    /** Share of 1 − u that a spike adds to u, in [0, 1]. Default 0.5. */
    U: 0.5,
    /** φ, the decay of u per step, in [0, 1]; near 1 the synapse facilitates. Default 0. */
    phi: 0,
    /** ρ, the decay of the depletion 1 − x per step, in [0, 1]; near 1 the synapse depresses. Default 0.998750781, exp(−1/800). */
    rho: 0.998750781,
  },
  constrain: { U: [0, 1], phi: [0, 1], rho: [0, 1] },
  choices: {
    /** Values of u and x that a spike reads: after the decay of its step ("decayed") or before it. Default "decayed". */
    jumpFrom: ["decayed", "before"],
  },
  numerics: {
    // 1 − dt/τ for τ_facil = 50 ms and τ_rec = 750 ms.
    norse: { U: 0.45, phi: 0.98, rho: 0.998666667, jumpFrom: "before" },
  },
  step({ current, u, x, U, phi, rho, constant }, { jumpFrom }) {
    const less = u.mul(phi);
    const more = x.mul(rho).add(constant(1).sub(rho));
    const isBefore = jumpFrom === "before";
    const rise = constant(1)
      .sub(isBefore ? u : less)
      .mul(U);
    const used = less.add(rise.mul(current));
    const released = used.mul(isBefore ? x : more).mul(current);
    return { membrane: released, u: used, x: more.sub(released) };
  },
});

/** A layer of {@link TsodyksMarkram} synapses. */
export type TsodyksMarkram = InstanceType<typeof TsodyksMarkram>;
