import { lazyNeuron } from "../neuron/define.ts";

/**
 * Resonate-and-fire neuron: a damped oscillation, which inputs of the same period amplify.
 *
 *   z[t] = β·e^{iω}·z[t−1] + I[t]      s[t] = 1 if Im z[t] ≥ θ else 0;  at a spike z ← i·resetValue
 *
 * With z = x + i·y: x[t] = β·(cos ω·x − sin ω·y) + I[t] and y[t] = β·(sin ω·x + cos ω·y). Shapes: current [T, B, …] → spikes [T, B, …]; parameters []
 * or [N]. ω is in radians per step, ω = 2π·f·dt, and β the decay per step; defaults β = 0.95, ω = 0.3, θ = 1, resetValue = 1. Starts from z = 0. The
 * output `membrane` is y before the reset; `reset: "none"` does not change z at a spike. `detachReset` (the default) means no gradient through the
 * reset. In refractory steps y is constant, and x advances.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Izhikevich (2001), Resonate-and-fire neurons, Neural Networks 14(6–7).
 *
 * @example
 * ```ts
 * import { ResonateAndFire, tensor } from "jarvis-snn";
 *
 * const neurons = new ResonateAndFire({ omega: Math.PI / 4 }); // a period of 8 steps
 * // Two pulses a period apart build up; two pulses half a period apart cancel out.
 * const times = Array.from({ length: 16 }, (_, t) => [[Number(t === 0 || t === 8), Number(t === 0 || t === 4)]]);
 * console.log(neurons.forward(tensor(times)).sum({ axis: 0 }).toArray()); // [ [ 1, 0 ] ]
 * ```
 */
export const ResonateAndFire = lazyNeuron({
  name: "ResonateAndFire",
  state: { x: 0, y: 0 },
  parameters: {
    /** β, the decay of the oscillation per step, in [0, 1]. Default 0.95. */
    beta: 0.95,
    /** ω, the rotation of z in radians per step, 2π·f·dt. Default 0.3. */
    omega: 0.3,
    /** θ, the threshold of y, the imaginary part of z. Default 1. */
    threshold: 1,
    /** Value of y after a spike, when x becomes 0; an error with the reset "none". Default 1. */
    resetValue: 1,
  },
  constrain: { beta: [0, 1] },
  reset: "y",
  choices: {
    /** Effect of a spike on z: "zero" sets z to i·resetValue, "none" leaves it. Default "zero". */
    reset: ["zero", "none"],
    /** Whether the gradient stops at the reset. Default true. */
    detachReset: true,
  },
  needs: { resetValue: { reset: ["zero"] } },
  step({ current, x, y, beta, omega, threshold, resetValue, spike, select }, { reset, detachReset }) {
    const [along, across] = [omega.cos().mul(beta), omega.sin().mul(beta)];
    const real = x.mul(along).sub(y.mul(across)).add(current);
    const imaginary = x.mul(across).add(y.mul(along));
    const s = spike(imaginary.sub(threshold));
    const at = detachReset ? s.detach() : s;
    const isReset = reset === "zero";
    return {
      spikes: s,
      membrane: imaginary,
      x: isReset ? select(at, 0, real) : real,
      y: isReset ? select(at, resetValue, imaginary) : imaginary,
      leaked: imaginary,
    };
  },
});

/** A layer of {@link ResonateAndFire} neurons. */
export type ResonateAndFire = InstanceType<typeof ResonateAndFire>;
