import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { INPUT_SCALE, leaky, SYNAPSE, synapse } from "../neuron/parts.ts";

/**
 * Leaky integrator of a synaptic current, without spikes; a smoother readout than {@link LeakyIntegrator}.
 *
 *   i[t] = α·i[t−1] + I[t]      v[t] = rest + β(v[t−1] − rest) + i[t]
 *
 * `synapse` and `inputScale` are those of {@link Synaptic}.
 *
 * Shapes: current [T, B, …] → membrane [T, B, …]; parameters [] or [N]. α = exp(−dt/τ_syn) and β = exp(−dt/τ_mem) are dimensionless;
 * defaults α = 0.9, β = 0.95, within [0, 1], rest = 0. Starts from v = rest, i = 0.
 *
 * `numerics`: "norse", `LICell` at 1 ms; "nir", `CubaLI` at a small step.
 *
 * @throws RangeError for a parameter outside of its bounds, or as every class of {@link neuron} does.
 * @see Pehle and Pedersen (2021), Norse: A deep learning library for spiking neural networks.
 *
 * @example
 * ```ts
 * import { SynapticIntegrator, tensor } from "jarvis-snn";
 *
 * const spike = tensor([1, 0, 0, 0], { shape: [4, 1, 1] });
 * const readout = new SynapticIntegrator({ alpha: 0.5, beta: 0.5 });
 * console.log(readout.forward(spike).flatten().toArray()); // [ 1, 1, 0.75, 0.5 ]
 * ```
 */
export const SynapticIntegrator = lazyNeuron({
  name: "SynapticIntegrator",
  state: { i: 0, v: ({ rest }) => rest },
  parameters: {
    /** α, the decay of the synaptic current i per step, in [0, 1]. Default 0.9. */
    alpha: 0.9,
    /** β, the decay of the membrane per step, in [0, 1]. Default 0.95. */
    beta: 0.95,
    /** Resting value to which v decays and from which it starts. Default 0. */
    rest: 0,
  },
  constrain: { alpha: [0, 1], beta: [0, 1] },
  choices: united(SYNAPSE, INPUT_SCALE),
  numerics: {
    norse: { alpha: 0.8, beta: 0.9, synapse: "jumpFirst", inputScale: "leak" },
    nir: { inputScale: "leak" },
  },
  step(argument, choices) {
    const { input, i } = synapse(argument, choices.synapse);
    const { decay, scaled } = leaky(argument, choices.inputScale);
    const v = decay(argument.v).add(scaled(input));
    return { membrane: v, i, v };
  },
});

/** A layer of {@link SynapticIntegrator} readouts. */
export type SynapticIntegrator = InstanceType<typeof SynapticIntegrator>;
