import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS, START, startOf } from "../neuron/reset.ts";
import { sigmoid } from "../surrogates/known.ts";

/**
 * Quadratic integrate-and-fire neuron: above a critical membrane potential, a spike develops without further input.
 *
 *   u[t] = v[t−1] + (a·(v[t−1] − rest)·(v[t−1] − critical) + I[t]) / τ      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * It is the normal form, near threshold, of type I neurons, whose firing rate rises continuously from 0.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. τ is in steps. Defaults τ = 2, a = 1, rest = 0, critical = 0.8, θ = 1,
 * resetValue = −0.1, as in SpikingJelly. Resets are those of {@link LIF}, default "zero"; if a reset leaves v far above θ, v overflows float32.
 * Starts from v = rest, or with `start: "resetValue"` from resetValue, if the reset is "zero".
 *
 * `numerics`: "spikingjelly", `QIFNode`, whose a0 and v_c are a and critical.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Ermentrout and Kopell (1986), Parabolic bursting in an excitable system coupled with a slow oscillation, SIAM Journal on
 *   Applied Mathematics 46(2).
 *
 * @example
 * ```ts
 * import { pad, QuadraticIF, tensor } from "jarvis-snn";
 *
 * const neurons = new QuadraticIF({ critical: 0.8 });
 * // A pulse to 0.7 falls back; a pulse to 0.9 grows into a spike by itself.
 * const pulse = pad(tensor([[[1.4, 1.8]]]), [0, 0, 0, 0, 0, 5]); // and five steps without a current
 * console.log(neurons.forward(pulse).sum({ axis: 0 }).toArray()); // [ [ 0, 1 ] ]
 * ```
 */
export const QuadraticIF = lazyNeuron({
  name: "QuadraticIF",
  state: { v: startOf },
  parameters: {
    /** τ, the time constant of the membrane in steps. Default 2. */
    tau: 2,
    /** Factor of the square of v. Default 1. */
    a: 1,
    /** Resting value, to which v decays below the critical one. Default 0. */
    rest: 0,
    /** Value of v above which a spike develops without further input. Default 0.8. */
    critical: 0.8,
    /** θ, the level at which an upstroke counts as a spike, in the unit of v. Default 1. */
    threshold: 1,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default −0.1. */
    resetValue: -0.1,
  },
  constrain: { tau: DIVISOR },
  choices: united(RESET, START),
  needs: RESET_NEEDS,
  numerics: {
    spikingjelly: { start: "resetValue", detachReset: false, surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }) },
  },
  step(argument, choices) {
    const { current, v, tau, a, rest, critical, threshold, resetValue } = argument;
    const rate = tau.reciprocal();
    const slope = a.mul(rate);
    const decay = (x: typeof v) => x.add(x.sub(rest).mul(x.sub(critical)).mul(slope));
    return fired(argument, choices, { v, threshold, resetValue, decay, input: current.mul(rate) });
  },
});

/** A layer of {@link QuadraticIF} neurons. */
export type QuadraticIF = InstanceType<typeof QuadraticIF>;
