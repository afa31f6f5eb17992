/** The spiking neuron that replaces a rectified linear unit. */
import { lazyNeuron } from "../../neuron/define.ts";

/** Adds, to a class of neurons, the options that NIR graphs cannot express, so that `toNIR` writes it. */
/* @__NO_SIDE_EFFECTS__ */
function inGraphs<Class extends { readonly prototype: object }>(neurons: Class, options: object): Class {
  Object.defineProperty(neurons.prototype, "inGraph", { value: options });
  return neurons;
}

/**
 * Integrate-and-fire neuron with reset by subtraction that starts at a share of its threshold. Its firing rate is a rectified linear unit in steps of
 * 1/T.
 *
 *   u[t] = v[t−1] + I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = u[t] − θ·s[t]      v[−1] = initial·θ
 *
 * A constant current I gives Σ_t s[t] = clamp(⌊T·I/θ + initial⌋, 0, T) spikes in T steps: with initial = 1/2 the rate differs from
 * clamp(I/θ, 0, 1) by at most 1/2T, with 0 by less than 1/T. Defaults θ = 1, initial = 0.5.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …].
 *
 * @see Han, Srinivasan, Roy (2020), RMP-SNN: Residual Membrane Potential Neuron for Enabling Deeper High-Accuracy and Low-Latency
 *   Spiking Neural Network, CVPR.
 * @see Bu, Ding, Yu, Huang (2022), Optimized Potential Initialization for Low-Latency Spiking Neural Networks, AAAI 36(1).
 *
 * @example
 * ```ts
 * import { full } from "jarvis-snn";
 * import { SpikingReLU } from "jarvis-snn/quantize";
 *
 * console.log(new SpikingReLU().forward(full([16, 1, 1], 0.375)).mean().item()); // 0.375
 * ```
 */
export const SpikingReLU = inGraphs(
  lazyNeuron({
    name: "SpikingReLU",
    state: { v: ({ threshold, initial }) => threshold.mul(initial) },
    parameters: {
      /** θ, in the unit of v. Default 1. */
      threshold: 1,
      /** v before the first step, in units of θ. Default 0.5. */
      initial: 0.5,
    },
    step({ current, v, threshold, spike }) {
      const u = v.add(current);
      const s = spike(u.sub(threshold));
      return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)) };
    },
  }),
  { reset: "subtract" },
);

/** A layer of {@link SpikingReLU} neurons. */
export type SpikingReLU = InstanceType<typeof SpikingReLU>;
