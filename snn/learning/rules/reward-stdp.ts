import { lazyRule } from "../plasticity.ts";
import { DEPENDENCE, strengthening, weakening } from "./dependence.ts";

/**
 * Reward-modulated spike-timing-dependent plasticity: pairs of spikes leave an eligibility trace e in the synapse, and a reward r turns the trace
 * into a change of the weight.
 *
 *   at a postsynaptic spike:  e ← e + A₊·f₊(w)·x        at a presynaptic spike:  e ← e − A₋·f₋(w)·y
 *   e ← e·exp(−dt/τₑ)                             at a reward:  Δw = η·r·e·dt
 *   x ← x·exp(−dt/τ₊), plus 1 at each presynaptic spike        y ← y·exp(−dt/τ₋), plus 1 at each postsynaptic spike
 *
 * These are the steps of e′ = −e/τₑ + STDP and w′ = η·r·e (Izhikevich 2007). `average: true` divides the changes at spikes by τₑ (Florian 2007).
 * `eligibility: "step"` has no trace: e holds the changes at the spikes of one step, and Δw = η·r·e. `dependence` selects f as in {@link STDP}; f
 * reads the weight at the spike, not at the reward.
 *
 * Shapes: see {@link Plastic}; a reward is a number, or one for each sample. Parameters, numbers or tensors [out]: eta 1 (η), aPlus 0.1,
 * aMinus 0.15 (A₊, A₋), muPlus 1, muMinus 1; numbers: tauPlus 20, tauMinus 20, tauE 1000 (in the unit of dt;
 * Izhikevich's are in ms).
 *
 * A reward includes the spikes of its own step (`rewardAfter: "events"`). With the presets "spikingjelly" and "bindsnet" it includes only those up to
 * the previous step, a pair of spikes in the same step counts in both changes, and pairs are averaged: MSTDPET, or with `eligibility: "step"` MSTDP.
 * "spikingjelly" weighs by w; "bindsnet" has the time constants of BindsNET, 20 and 25.
 *
 * @throws RangeError for time constants that are not positive, and for options without effect, such as tauE with `eligibility: "step"`;
 *   {@link Plastic} throws without bounds for "step", "multiplicative" and "power".
 * @see Izhikevich (2007), Solving the distal reward problem through linkage of STDP and dopamine signaling, Cerebral Cortex 17. Florian
 *   (2007), Reinforcement learning through modulation of spike-timing-dependent synaptic plasticity, Neural Computation 19.
 *
 * @example
 * ```ts
 * import { Linear, Plastic, RewardSTDP, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(1, 1, { bias: false });
 * layer.weight.copyFrom([0.5]);
 * const plastic = new Plastic(layer, new RewardSTDP({ tauE: 500 }), { bounds: [0, 1] });
 * const [silent, spike] = [tensor([[0]]), tensor([[1]])];
 * let state = plastic.step(spike, silent, plastic.initialState(1)); // the input fires,
 * state = plastic.step(silent, spike, state); // then the output,
 * for (let t = 0; t < 100; t++) state = plastic.step(silent, silent, state);
 * plastic.step(silent, silent, state, { reward: 1 }); // and the reward comes a hundred steps later
 * console.log(layer.weight.item().toFixed(4)); // 0.5777
 * ```
 */
export const RewardSTDP = lazyRule({
  name: "RewardSTDP",
  traces: { x: { of: "pre", tau: "tauPlus" }, y: { of: "post", tau: "tauMinus" } },
  synapse: { e: ({ eligibility }) => ({ tau: eligibility === "trace" ? "tauE" : 0 }) },
  parameters: {
    eta: 1,
    aPlus: 0.1,
    aMinus: 0.15,
    tauPlus: 20,
    tauMinus: 20,
    tauE: 1000,
    muPlus: 1,
    muMinus: 1,
  },
  choices: { eligibility: ["trace", "step"], average: false, dependence: DEPENDENCE },
  needs: {
    tauE: { eligibility: ["trace"] },
    average: { eligibility: ["trace"] },
    muPlus: { dependence: ["power"] },
    muMinus: { dependence: ["power"] },
  },
  numerics: {
    spikingjelly: { order: "after", rewardAfter: "nothing", average: true, dependence: "weight", aPlus: 1, aMinus: 1 },
    bindsnet: { order: "after", rewardAfter: "nothing", average: true, aPlus: 1, aMinus: 1, tauE: 25 },
  },
  onPre(rule, { eligibility, average, dependence }) {
    const change = weakening(rule.y.mul(rule.aMinus).neg(), rule, dependence);
    return { e: average && eligibility === "trace" ? change.div(rule.tauE) : change };
  },
  onPost(rule, { eligibility, average, dependence }) {
    const change = strengthening(rule.x.mul(rule.aPlus), rule, dependence);
    return { e: average && eligibility === "trace" ? change.div(rule.tauE) : change };
  },
  onReward({ e, reward, eta, dt }, { eligibility }) {
    const change = e.mul(reward.mul(eta));
    return eligibility === "trace" ? change.mul(dt) : change;
  },
});
