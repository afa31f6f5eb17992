import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS } from "../neuron/reset.ts";
import { superSpike } from "../surrogates/known.ts";

/**
 * Conductance-based LIF: an input opens channels whose current decreases as the membrane approaches their reversal potential.
 *
 *   gE[t] = αE·gE[t−1] + relu(I[t])      gI[t] = αI·gI[t−1] + relu(−I[t])
 *   u[t] = v[t−1] + (leak·(rest − v[t−1]) + gE[t]·(reversalE − v[t−1]) + gI[t]·(reversalI − v[t−1])) / capacitance
 *   s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * A positive input excites, a negative one inhibits. Inputs of opposite sign in the same step cancel; to avoid this, send them to two
 * layers. With `jump: "beforeDecay"` the input already decays in its own step: gE[t] = αE·(gE[t−1] + relu(I[t])).
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. The current is an increase of conductance per step. capacitance/leak
 * is the time constant in steps. A step is stable while leak + gE + gI < capacitance. Starts from v = rest.
 *
 * Defaults: capacitance = 20, leak = 1, αE = exp(−1/5), αI = exp(−1/10), reversalE = 0, reversalI = −80, rest = resetValue = −60, θ = −50.
 * Their units: mV for voltages, the leak for conductances, 1 ms for a step. The default surrogate, surrogate.sigmoid({ slope: 1 }), fits
 * this range of voltages. Resets are those of {@link LIF}, default "zero".
 *
 * `numerics: "norse"` computes Norse's `coba_lif_feed_forward_step` at 1 ms. `CobaLIFCell` of Norse differs: it overwrites its input, so
 * the input has no effect, and it starts from v = 0.
 *
 * @throws RangeError for a parameter out of bounds or an option without effect in this combination; the other errors are those of all
 *   classes of {@link neuron}.
 * @see Brette et al. (2007), Simulation of networks of spiking neurons: a review of tools and strategies, Journal of Computational
 *   Neuroscience 23(3), benchmark 1.
 *
 * @example
 * ```ts
 * import { ConductanceLIF, tensor } from "jarvis-snn";
 *
 * const neurons = new ConductanceLIF({ threshold: 0 }); // mV
 * // An excitatory and an inhibitory input: the membrane goes towards 0 mV, and towards −80 mV.
 * const input = tensor([0.5, -0.5]).expand([200, 1, 2]);
 * const { membrane } = neurons.unroll(input);
 * console.log(`${membrane.select(0, 199)}`); // Tensor([1, 2], [-15.965, -76.802])
 * ```
 */
export const ConductanceLIF = lazyNeuron({
  name: "ConductanceLIF",
  state: { gE: 0, gI: 0, v: ({ rest }) => rest },
  parameters: {
    /** Capacitance: capacitance/leak is the time constant of the membrane in steps. Default 20. */
    capacitance: 20,
    /** Leak conductance, the unit of the other conductances. Default 1. */
    leak: 1,
    /** αE, the decay of the excitatory conductance per step, in [0, 1]. Default 0.818730753, exp(−1/5). */
    alphaE: 0.818730753,
    /** αI, the decay of the inhibitory conductance per step, in [0, 1]. Default 0.904837418, exp(−1/10). */
    alphaI: 0.904837418,
    /** Reversal potential of excitation in mV. Default 0. */
    reversalE: 0,
    /** Reversal potential of inhibition in mV. Default −80. */
    reversalI: -80,
    /** Leak potential in mV, from which v starts. Default −60. */
    rest: -60,
    /** θ in mV. Default −50. */
    threshold: -50,
    /** Value in mV to which `reset: "zero"` sets v; an error with other values of `reset`. Default −60. */
    resetValue: -60,
  },
  constrain: { capacitance: DIVISOR, alphaE: [0, 1], alphaI: [0, 1] },
  choices: united(RESET, {
    /** Whether an input is added to the conductances after the decay of its step, or before it. Default "afterDecay". */
    jump: ["afterDecay", "beforeDecay"],
  }),
  needs: RESET_NEEDS,
  numerics: {
    norse: {
      capacitance: 200,
      leak: 0.25,
      alphaE: 0.9998,
      alphaI: 0.9998,
      reversalE: 60,
      reversalI: -100,
      rest: -20,
      threshold: -10,
      resetValue: -70,
      jump: "beforeDecay",
      fire: "gt",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
  },
  step(argument, { jump, ...choices }) {
    const { current, gE, gI, v, capacitance, leak, alphaE, alphaI, reversalE, reversalI, rest } = argument;
    const { threshold, resetValue, constant } = argument;
    const opened = (g: typeof v, alpha: typeof v, input: typeof v) =>
      jump === "beforeDecay" ? g.add(input).mul(alpha) : g.mul(alpha).add(input);
    const e = opened(gE, alphaE, current.relu());
    const i = opened(gI, alphaI, current.neg().relu());
    const rate = capacitance.reciprocal();
    const beta = constant(1).sub(leak.mul(rate));
    const drive = rest.mul(leak).mul(rate);
    const through = e.mul(reversalE.sub(v)).add(i.mul(reversalI.sub(v)));
    const decay = (x: typeof v) => x.mul(beta).add(drive);
    return { ...fired(argument, choices, { v, threshold, resetValue, decay, input: through.mul(rate) }), gE: e, gI: i };
  },
});

/** A layer of {@link ConductanceLIF} neurons. */
export type ConductanceLIF = InstanceType<typeof ConductanceLIF>;
