import { neuron } from "../neuron.ts";
import { fired, RESET } from "../reset.ts";
import { atan } from "../surrogates.ts";

/**
 * Current-based LIF: a synaptic current that decays, before a membrane that does.
 *
 *   i[t] = α·i[t−1] + I[t]      u[t] = β·v[t−1] + i[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; α, β and θ [] or [N]. α = exp(−dt/τ_syn) and β = exp(−dt/τ_mem) are dimensionless;
 * defaults α = 0.9, β = 0.95, θ = 1, within [0, 1]. Resets as in {@link LIF}; they leave i as it is.
 *
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export const Synaptic = /* @__PURE__ */ neuron({
  name: "Synaptic",
  state: { i: 0, v: 0 },
  parameters: { alpha: 0.9, beta: 0.95, threshold: 1, resetValue: 0 },
  constrain: { alpha: [0, 1], beta: [0, 1] },
  choices: RESET,
  numerics: {
    snntorch: { fire: "gt", reset: "subtract", resetDelay: true, resetInput: true, surrogate: atan() },
  },
  step(argument, choices) {
    const { current, i, v, alpha, beta, threshold, resetValue } = argument;
    const input = i.mul(alpha).add(current);
    return { ...fired(argument, choices, { v, threshold, resetValue, decay: (x) => x.mul(beta), input }), i: input };
  },
});
