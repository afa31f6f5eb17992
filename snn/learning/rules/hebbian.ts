import { lazyRule } from "../plasticity.ts";

/**
 * Hebb's rule: neurons that are active together strengthen the synapse between them.
 *
 *   activity "spikes":  at a presynaptic spike Δw = η₁·y        at a postsynaptic spike Δw = η₂·x
 *   activity "rates":   in each step Δw = η·pre·post
 *   x ← x·exp(−dt/τ₁), plus a₁ at each presynaptic spike       y ← y·exp(−dt/τ₂), plus a₂ at each postsynaptic spike
 *
 * Pairs strengthen the synapse in either order of the spikes. Weights grow without bound unless `bounds`, `normalize` or `weightDecay` of
 * {@link Plastic} limits them. `interaction: "nearest"` sets the traces at a spike instead of adding to them.
 *
 * Shapes: see {@link Plastic}. Parameters, numbers or tensors [out]: etaPre 0.01, etaPost 0.01 (η₁, η₂), eta 0.01; numbers: tauPre 20,
 * tauPost 20 (in the unit of dt), amountPre 1, amountPost 1. `numerics: "bindsnet"` sets traces, and a pair of spikes in the same step
 * counts in both changes.
 *
 * @throws RangeError for time constants that are not positive, for options of spikes (including decay and order) with rates, and for options of rates
 *   with spikes.
 * @see Hebb (1949), The Organization of Behavior, Wiley. Gerstner and Kistler (2002), Mathematical formulations of Hebbian learning,
 *   Biological Cybernetics 87.
 *
 * @example
 * ```ts
 * import { Hebbian, Linear, Plastic, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(2, 1, { bias: false });
 * layer.weight.copyFrom([0, 0]);
 * const plastic = new Plastic(layer, new Hebbian({ activity: "rates", eta: 0.5 }));
 * plastic.step(tensor([[1, 0.25]]), tensor([[0.5]]), plastic.initialState(1)); // Δw = η·pre·post
 * console.log(layer.weight.toArray()); // [ [ 0.25, 0.0625 ] ]
 * ```
 */
export const Hebbian = lazyRule({
  name: "Hebbian",
  traces: {
    x: ({ activity, interaction }) =>
      activity === "rates" ? null : { of: "pre", tau: "tauPre", amount: "amountPre", set: interaction === "nearest" },
    y: ({ activity, interaction }) =>
      activity === "rates"
        ? null
        : { of: "post", tau: "tauPost", amount: "amountPost", set: interaction === "nearest" },
  },
  parameters: { etaPre: 0.01, etaPost: 0.01, eta: 0.01, tauPre: 20, tauPost: 20, amountPre: 1, amountPost: 1 },
  choices: { activity: ["spikes", "rates"], interaction: ["all", "nearest"] },
  needs: {
    etaPre: { activity: ["spikes"] },
    etaPost: { activity: ["spikes"] },
    eta: { activity: ["rates"] },
    tauPre: { activity: ["spikes"] },
    tauPost: { activity: ["spikes"] },
    amountPre: { activity: ["spikes"] },
    amountPost: { activity: ["spikes"] },
    interaction: { activity: ["spikes"] },
  },
  numerics: { bindsnet: { order: "after", interaction: "nearest" } },
  // The product of rates is added once, by the sweep of postsynaptic rates that are not 0.
  onPre: (argument, { activity }) => (activity === "rates" ? argument.constant(0) : argument.y.mul(argument.etaPre)),
  onPost(argument, { activity }) {
    if (activity === "spikes") return argument.x.mul(argument.etaPost);
    const { pre, post, eta } = argument;
    return pre.mul(post.mul(eta));
  },
});
