import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { leaky } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS, START, startOf } from "../neuron/reset.ts";
import { sigmoid } from "../surrogates/known.ts";

/**
 * LIF with a learned time constant, 1/τ = σ(w), which is thus always above one step.
 *
 *   β = 1 − σ(w)      u[t] = rest + β(v[t−1] − rest) + (1 − β)·I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * The default of the option `learn` is ["w"]. A time constant of τ steps is w = −log(τ − 1): w = 0 is τ = 2. `inputScale: "one"` omits the factor 1 −
 * β of the current.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Defaults w = 0, θ = 1, rest = resetValue = 0. Resets are those of {@link LIF},
 * default "zero". Starts from v = rest, or with `start: "resetValue"` from resetValue, if the reset is "zero".
 *
 * `numerics`: "spikingjelly", `ParametricLIFNode`, whose v_reset is both `rest` and `resetValue`.
 *
 * @throws RangeError for an option that has no effect with the others, or as every class of {@link neuron} does.
 * @see Fang et al. (2021), Incorporating Learnable Membrane Time Constant To Enhance Learning of Spiking Neural Networks, ICCV.
 *
 * @example
 * ```ts
 * import { ParametricLIF, ones, tape } from "jarvis-snn";
 *
 * const layer = new ParametricLIF({ w: 0, threshold: 2 }); // τ = 2 steps, β = 1/2
 * tape(() => layer.unroll(ones([3, 1, 1])).membrane.sum().backward());
 * console.log(layer.namedParameters().map(([name]) => name), `${layer.w.grad}`); // [ 'w' ] Tensor([], [0.6875])
 * ```
 */
export const ParametricLIF = lazyNeuron({
  name: "ParametricLIF",
  state: { v: startOf },
  parameters: {
    /** w, the raw time constant: β = 1 − σ(w), so w = −log(τ − 1) for a time constant of τ steps. Learned by default. Default 0, τ = 2. */
    w: { default: 0, learn: true },
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
    /** Resting value, to which v decays. Default 0. */
    rest: 0,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
  },
  choices: united(RESET, START, {
    /** Factor of the current: "leak", 1 − β, so that a constant current I leads to v = rest + I, or "one". Default "leak". */
    inputScale: ["leak", "one"],
  }),
  needs: RESET_NEEDS,
  numerics: {
    spikingjelly: { start: "resetValue", detachReset: false, surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }) },
  },
  step(argument, choices) {
    const { current, v, w, threshold, rest, resetValue, constant } = argument;
    const leak = w.sigmoid();
    const { decay, scaled } = leaky({ constant, beta: constant(1).sub(leak), rest }, choices.inputScale, leak);
    return fired(argument, choices, { v, threshold, resetValue, decay, input: scaled(current) });
  },
});

/** A layer of {@link ParametricLIF} neurons. */
export type ParametricLIF = InstanceType<typeof ParametricLIF>;
