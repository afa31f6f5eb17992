import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR, leaky } from "../neuron/parts.ts";
import { afterSpike, RESET_VALUE_NEEDS, RESET_WORDS, START, startOf } from "../neuron/reset.ts";
import { sigmoid } from "../surrogates/known.ts";

/**
 * LIF whose membrane is scaled by a learnable k and rectified before it fires, so that k also scales the slope of the surrogate.
 *
 *   h[t] = rest + β·(v[t−1] − rest) + (1 − β)·I[t]      f[t] = max(0, k·h[t])      s[t] = 1 if f[t] ≥ θ else 0
 *   v[t] = s ? resetValue : f[t]  ("zero", the default),  f[t] − θ·s  ("subtract"),  f[t]  ("none")
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Defaults β = 0.5, k = 1, θ = 1, rest 0, resetValue 0. k and θ must be positive,
 * since f ≥ 0 reaches a θ ≤ 0 in every step. Starts from v = rest, or with `start: "resetValue"` from resetValue, if the reset is "zero".
 * `inputScale: "one"` adds I[t] without the factor. With `scaleReset`, v[t] = s ? resetValue : f[t]/k  ("zero"),  (f[t] − θ·s)/k  ("subtract"),
 * f[t]/k  ("none"). `learn: ["k"]` is the neuron of the paper. `numerics: "spikingjelly"` is `KLIFNode`, which learns k, does not detach the reset,
 * and has surrogate.sigmoid({ slope: 4 }).
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Jiang and Zhang (2023), KLIF: An optimized spiking neuron unit for tuning surrogate gradient slope and membrane potential.
 *
 * @example
 * ```ts
 * import { full, KLIF } from "jarvis-snn";
 *
 * const current = full([6, 1, 1], 1.5);
 * console.log(new KLIF({ k: 1 }).forward(current).sum().item()); // 3
 * console.log(new KLIF({ k: 2 }).forward(current).sum().item()); // 6
 * console.log(new KLIF({ learn: ["k"] }).namedParameters().map(([name]) => name)); // [ 'k' ]
 * ```
 */
export const KLIF = lazyNeuron({
  name: "KLIF",
  state: { v: startOf },
  parameters: {
    /** β, the decay of the membrane per step, in [0, 1]. Default 0.5. */
    beta: 0.5,
    /** k, the factor of the membrane before the threshold; positive. Default 1. */
    k: 1,
    /** θ, in the unit of v; positive. Default 1. */
    threshold: 1,
    /** Resting value, to which v decays. Default 0. */
    rest: 0,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`. Default 0. */
    resetValue: 0,
  },
  constrain: { beta: [0, 1], k: DIVISOR, threshold: DIVISOR },
  choices: united(
    {
      /** Effect of a spike on v: "zero" sets v to resetValue, "subtract" subtracts θ, "none" leaves v. Default "zero". */
      reset: RESET_WORDS,
      /** Whether the gradient stops at the reset. Default true. */
      detachReset: true,
    },
    START,
    {
      /** Factor of the current: "leak", 1 − β, so that a constant current I leads to v = rest + I, or "one". Default "leak". */
      inputScale: ["leak", "one"],
      /** Whether v after the reset is divided by k. Default false. */
      scaleReset: false,
    },
  ),
  needs: { resetValue: RESET_VALUE_NEEDS },
  numerics: {
    spikingjelly: {
      start: "resetValue",
      detachReset: false,
      learn: ["k"],
      surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }),
    },
  },
  step(argument, { inputScale, scaleReset, ...choices }) {
    const { current, v, k, threshold, resetValue, spike } = argument;
    const { decay, scaled } = leaky(argument, inputScale);
    const decayed = decay(v);
    const h = decayed.add(scaled(current));
    const f = h.mul(k).relu();
    const s = spike(f.sub(threshold));
    const [from, step] = scaleReset ? [f.div(k), threshold.div(k)] : [f, threshold];
    const after = afterSpike(argument, choices, from, s, { threshold: step, resetValue });
    return { spikes: s, membrane: f, v: after, leaked: decayed };
  },
});

/** A layer of {@link KLIF} neurons. */
export type KLIF = InstanceType<typeof KLIF>;
