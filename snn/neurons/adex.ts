import { neuron } from "../neuron.ts";
import { superSpike } from "../surrogates.ts";

/**
 * Adaptive exponential integrate-and-fire neuron: the membrane takes off by itself above a threshold, and an adaptation current
 * slows it down.
 *
 *   i[t] = α·i[t−1] + I[t]
 *   u[t] = v + dt/C·(gL·(EL − v) + gL·ΔT·exp((v − VT)/ΔT) − w + i[t])      w ← w + dt/τw·(a·(v − EL) − w)
 *   s[t] = 1 if u[t] ≥ θ else 0;  at a spike v ← resetValue and w ← w + b
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Units: pA, pF (C), nS (gL, a), mV (EL, VT, ΔT, θ, resetValue),
 * ms (dt, τw). Defaults, of Brette and Gerstner: C = 281, gL = 30, EL = −70.6, VT = −50.4, deltaT = 2, a = 4, tauW = 144, b = 80.5,
 * resetValue = −70.6; θ = 0, dt = 0.1; α = 0: the current acts at once. v starts at EL. The output `membrane` is u.
 *
 * `detachReset`: no gradient through the reset, the default. {@link adExPattern} has the named patterns of Naud et al.
 * `numerics: "norse"` is Norse's `LIFAdExCell` with a time step of 1 ms, in units of the threshold.
 *
 * @see Brette and Gerstner (2005), Adaptive exponential integrate-and-fire model as an effective description of neuronal activity,
 *   Journal of Neurophysiology 94(5).
 */
export const AdEx = /* @__PURE__ */ neuron({
  name: "AdEx",
  state: { i: 0, v: ({ EL }) => EL, w: 0 },
  parameters: {
    alpha: 0,
    C: 281,
    gL: 30,
    EL: -70.6,
    VT: -50.4,
    deltaT: 2,
    a: 4,
    tauW: 144,
    b: 80.5,
    resetValue: -70.6,
    threshold: 0,
    dt: 0.1,
  },
  constrain: { alpha: [0, 1] },
  choices: { detachReset: true },
  numerics: {
    norse: {
      ...{ alpha: 0.8, C: 1, gL: 1, EL: 0, VT: 1, deltaT: 0.5, a: 4, tauW: 50, b: 0.02, resetValue: 0, threshold: 1 },
      dt: 0.1,
      fire: "gt",
      detachReset: false,
      surrogate: superSpike(),
    },
  },
  step(argument, { detachReset }) {
    const { current, i, v, w, alpha, C, gL, EL, VT, deltaT, a, tauW, b, resetValue, dt, spike, select } = argument;
    const input = i.mul(alpha).add(current);
    const away = v.sub(EL);
    const upstroke = v.sub(VT).div(deltaT).exp().mul(deltaT);
    const flow = upstroke.sub(away).mul(gL).sub(w).add(input);
    const u = v.add(flow.mul(dt.div(C)));
    const adapted = w.add(away.mul(a).sub(w).mul(dt.div(tauW)));
    const s = spike(u.sub(argument.threshold));
    const at = detachReset ? s.detach() : s;
    return {
      spikes: s,
      membrane: u,
      i: input,
      v: select(at, resetValue, u),
      w: adapted.add(select(at, b, 0)),
    };
  },
});
