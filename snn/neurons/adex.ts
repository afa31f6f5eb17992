import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR, OPTIONAL_SYNAPSE, SYNAPSE_NEEDS, synapse, upstroke, withoutSynapse } from "../neuron/parts.ts";
import { superSpike } from "../surrogates/known.ts";

/**
 * Adaptive exponential integrate-and-fire neuron: above a soft threshold the membrane rises exponentially, and an adaptation current counteracts it.
 *
 *   u[t] = v + dt/C·(gL·(EL − v) + gL·ΔT·exp((v − VT)/ΔT) − w + I[t])      s[t] = 1 if u[t] ≥ θ else 0
 *   v[t] = resetValue at a spike, else u[t]      w[t] = w + dt/τw·(a·(v − EL) − w) + b·s[t]
 *
 * v and w without an index are v[t−1] and w[t−1]. The exponent is clamped to 20, so that no membrane becomes infinite; beyond that its gradient is 0.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Units: pA, pF (C), nS (gL, a), mV (EL, VT, ΔT, θ, resetValue), ms (dt, τw).
 * Defaults, of Brette and Gerstner: C = 281, gL = 30, EL = −70.6, VT = −50.4, deltaT = 2, a = 4, tauW = 144, b = 80.5, resetValue = −70.6; θ = 0,
 * dt = 0.1. v starts at EL. The output `membrane` is u. With the choice `synapse`, as in {@link Synaptic}, the current is filtered by a state i with
 * the decay alpha = 0.8; the default is "none".
 *
 * `detachReset` (the default) means no gradient through the reset. {@link adExPattern} has the named patterns of Naud et al. `numerics: "norse"` is
 * Norse's `LIFAdExCell` with a time step of 1 ms, in units of the threshold.
 *
 * @throws RangeError for a parameter outside of its bounds, for an option that has no effect with the others, or as every class of {@link neuron}
 *   does.
 * @see Brette and Gerstner (2005), Adaptive exponential integrate-and-fire model as an effective description of neuronal activity,
 *   Journal of Neurophysiology 94(5).
 *
 * @example
 * ```ts
 * import { AdEx, full } from "jarvis-snn";
 *
 * const neuron = new AdEx({ dt: 0.1 }); // mV, pA and ms
 * const { spikes, membrane } = neuron.unroll(full([2000, 1, 1], 800)); // 800 pA for 200 ms
 * console.log(spikes.sum().item(), "spikes"); // 5 spikes
 * console.log(membrane.select(0, 0).item().toFixed(1), "mV after a step"); // -70.3 mV after a step
 * ```
 */
export const AdEx = lazyNeuron({
  name: "AdEx",
  state: { i: 0, v: ({ EL }) => EL, w: 0 },
  parameters: {
    /** α, the decay of the synaptic current i per step, in [0, 1]; an error without a synapse. Default 0.8. */
    alpha: 0.8,
    /** Capacitance in pF. Default 281. */
    C: 281,
    /** Leak conductance in nS. Default 30. */
    gL: 30,
    /** Leak potential in mV, from which v starts. Default −70.6. */
    EL: -70.6,
    /** VT, the soft threshold in mV, above which the membrane rises exponentially. Default −50.4. */
    VT: -50.4,
    /** ΔT, the slope factor of the exponential in mV. Default 2. */
    deltaT: 2,
    /** Adaptation by the membrane in nS. Default 4. */
    a: 4,
    /** τw, the time constant of the adaptation w in ms. Default 144. */
    tauW: 144,
    /** Adaptation by a spike in pA. Default 80.5. */
    b: 80.5,
    /** Value of v after a spike in mV. Default −70.6. */
    resetValue: -70.6,
    /** θ in mV, the level at which an upstroke counts as a spike. Default 0. */
    threshold: 0,
    /** Duration of a step in ms. Default 0.1. */
    dt: 0.1,
  },
  constrain: { alpha: [0, 1], C: DIVISOR, deltaT: DIVISOR, tauW: DIVISOR, dt: DIVISOR },
  choices: united(OPTIONAL_SYNAPSE, {
    /** Whether the gradient stops at the reset. Default true. */
    detachReset: true,
  }),
  needs: SYNAPSE_NEEDS,
  without: withoutSynapse,
  numerics: {
    norse: {
      ...{ C: 1, gL: 1, EL: 0, VT: 1, deltaT: 0.5, a: 4, tauW: 50, b: 0.02, resetValue: 0, threshold: 1 },
      synapse: "jumpFirst",
      fire: "gt",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
  },
  step(argument, choices) {
    const { v, w, C, gL, EL, VT, deltaT, a, tauW, b, resetValue, dt, spike, select } = argument;
    const { input, i } = synapse(argument, choices.synapse);
    const away = v.sub(EL);
    const opened = upstroke(v.sub(VT).div(deltaT)).mul(deltaT);
    const flow = opened.sub(away).mul(gL).sub(w);
    const rate = dt.div(C);
    const u = v.add(flow.add(input).mul(rate));
    const adapted = w.add(away.mul(a).sub(w).mul(dt.div(tauW)));
    const s = spike(u.sub(argument.threshold));
    const at = choices.detachReset ? s.detach() : s;
    return {
      spikes: s,
      membrane: u,
      i,
      v: select(at, resetValue, u),
      w: adapted.add(select(at, b, 0)),
      leaked: v.add(flow.mul(rate)),
    };
  },
});

/** A layer of {@link AdEx} neurons. */
export type AdEx = InstanceType<typeof AdEx>;
