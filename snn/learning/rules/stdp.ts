import { lazyRule } from "../plasticity.ts";
import { DEPENDENCE, strengthening, weakening } from "./dependence.ts";

/**
 * Pair-based spike-timing-dependent plasticity: a postsynaptic spike strengthens a synapse by the trace of presynaptic spikes, a presynaptic spike
 * weakens it by the trace of postsynaptic spikes.
 *
 *   at a presynaptic spike:  Δw = −A₋·f₋(w)·y        at a postsynaptic spike:  Δw = A₊·f₊(w)·x
 *   x ← x·exp(−dt/τ₊), plus 1 at each presynaptic spike        y ← y·exp(−dt/τ₋), plus 1 at each postsynaptic spike
 *
 * `dependence` selects f: "additive" 1; "step" 1 within the bounds and f₊(high) = f₋(low) = 0; "multiplicative" f₊ = high − w, f₋ = w − low; "power"
 * f₊ = (high − w)^μ₊, f₋ = (w − low)^μ₋; "weight" f₊ = f₋ = w. For a weight beyond a bound, which {@link Plastic.normalize} may cause, f = 0 at that
 * bound. `interaction: "nearest"` sets the traces at a spike instead of adding to them.
 *
 * Shapes: see {@link Plastic}. Parameters, numbers or tensors [out]: aPlus 0.01, aMinus 0.012 (A₊, A₋, in units of the weight), muPlus 1,
 * muMinus 1; numbers: tauPlus 20, tauMinus 20 (in the unit of dt), amountPlus 1, amountMinus 1 (added to x and y by a spike).
 *
 * `numerics`: "norse" decays by 1 − dt/τ, with spikes multiplied by dt/τ; "spikingjelly" decays by 1 − dt/τ and weighs by w;
 * "bindsnet" sets traces. In all three a pair of spikes in the same step counts in both changes (`order: "after"`).
 *
 * @throws RangeError for time constants that are not positive, and for options without effect, such as muPlus without "power" or rewardAfter;
 *   {@link Plastic} throws without bounds for "step", "multiplicative" and "power".
 * @see Song, Miller and Abbott (2000), Competitive Hebbian learning through spike-timing-dependent synaptic plasticity, Nature
 *   Neuroscience 3. Gütig, Aharonov, Rotter and Sompolinsky (2003), Learning input correlations through nonlinear temporally
 *   asymmetric Hebbian plasticity, Journal of Neuroscience 23.
 *
 * @example
 * ```ts
 * import { Linear, Plastic, STDP } from "jarvis-snn";
 *
 * // The change of a weight by one pair of spikes, the output `lag` steps after the input.
 * function change(lag: number): string {
 *   const layer = new Linear(1, 1, { bias: false });
 *   layer.weight.copyFrom([0]);
 *   const plastic = new Plastic(layer, new STDP({ aPlus: 0.01, aMinus: 0.012, tauPlus: 20, tauMinus: 20 }));
 *   plastic.events([0, Math.abs(lag)], lag > 0 ? ["pre", "post"] : ["post", "pre"]);
 *   return layer.weight.item().toFixed(5);
 * }
 * console.log([-20, -5, 5, 20].map(change).join(" ")); // -0.00441 -0.00935 0.00779 0.00368
 * ```
 */
export const STDP = lazyRule({
  name: "STDP",
  traces: {
    x: ({ interaction, average }) => ({
      of: "pre",
      tau: "tauPlus",
      amount: "amountPlus",
      set: interaction === "nearest",
      average,
    }),
    y: ({ interaction, average }) => ({
      of: "post",
      tau: "tauMinus",
      amount: "amountMinus",
      set: interaction === "nearest",
      average,
    }),
  },
  parameters: {
    aPlus: 0.01,
    aMinus: 0.012,
    tauPlus: 20,
    tauMinus: 20,
    amountPlus: 1,
    amountMinus: 1,
    muPlus: 1,
    muMinus: 1,
  },
  choices: { interaction: ["all", "nearest"], dependence: DEPENDENCE, average: false },
  needs: { muPlus: { dependence: ["power"] }, muMinus: { dependence: ["power"] } },
  numerics: {
    norse: { order: "after", decay: "euler", average: true },
    spikingjelly: { order: "after", decay: "euler", dependence: "weight" },
    bindsnet: { order: "after", interaction: "nearest" },
  },
  onPre: (rule, { dependence }) => weakening(rule.y.mul(rule.aMinus).neg(), rule, dependence),
  onPost: (rule, { dependence }) => strengthening(rule.x.mul(rule.aPlus), rule, dependence),
});
