import { lazyRule } from "../plasticity.ts";
import { DEPENDENCE, strengthening, weakening } from "./dependence.ts";

/**
 * Triplet-based spike-timing-dependent plasticity: a postsynaptic spike strengthens a synapse by the trace of presynaptic spikes, more so at a high
 * postsynaptic rate, and a presynaptic spike weakens it by the trace of postsynaptic spikes.
 *
 *   at a presynaptic spike:  Δw = −f₋(w)·o₁·(A₂₋ + A₃₋·r₂)        at a postsynaptic spike:  Δw = f₊(w)·r₁·(A₂₊ + A₃₊·o₂)
 *   r₁, r₂: traces of presynaptic spikes with τ₊ and τₓ        o₁, o₂: traces of postsynaptic spikes with τ₋ and τᵧ
 *
 * r₂ and o₂ are read just before a spike, which is thus not part of its own slow trace. A spike adds 1 to traces, or sets them to 1 with
 * `interaction: "nearest"`. `dependence` selects f₊ and f₋ as in {@link STDP}: "additive" is the rule of the paper, "power" with muPlus and muMinus
 * has soft bounds. With A₃₊ = A₃₋ = 0 this is pair-based STDP.
 *
 * Shapes: see {@link Plastic}. Parameters, numbers or tensors [out]: a2Plus 5·10⁻¹⁰, a3Plus 6.2·10⁻³, a2Minus 7·10⁻³, a3Minus 2.3·10⁻⁴, muPlus 1,
 * muMinus 1; numbers, in the unit of dt (ms in the paper): tauPlus 16.8, tauMinus 33.7, tauX 101, tauY 125.
 *
 * `numerics` selects a fit of Pfister and Gerstner: to data from visual cortex or hippocampal cultures, with all spikes or the nearest, with all four
 * amplitudes or a minimal model with fewer: "visualAllFull" (the default), "visualAllMinimal", "visualNearestFull", "visualNearestMinimal",
 * "hippocampusAllFull", "hippocampusAllMinimal", "hippocampusNearestFull", "hippocampusNearestMinimal". All of them have the default time constants
 * of the fast traces.
 *
 * With `order: "after"`, a change reads all spikes of its step, so a spike is part of its own slow trace, unlike in the paper.
 *
 * @throws RangeError for time constants that are not positive, and for options without effect, such as tauX with a minimal preset, which sets A₃₋ to
 *   0, unless a3Minus is given; {@link Plastic} throws without bounds for "step", "multiplicative" and "power".
 * @see Pfister and Gerstner (2006), Triplets of spikes in a model of spike timing-dependent plasticity, Journal of Neuroscience
 *   26(38), tables 3 and 4.
 *
 * @example
 * ```ts
 * import { Linear, Plastic, TripletSTDP } from "jarvis-snn";
 *
 * const layer = new Linear(1, 1, { bias: false });
 * layer.weight.copyFrom([0.5]);
 * const plastic = new Plastic(layer, new TripletSTDP({ numerics: "hippocampusAllMinimal" }));
 * plastic.events([0, 5, 10], ["post", "pre", "post"]); // ms
 * console.log(layer.weight.item().toFixed(4)); // 0.5055
 * ```
 */
export const TripletSTDP = lazyRule({
  name: "TripletSTDP",
  traces: {
    r1: ({ interaction }) => ({ of: "pre", tau: "tauPlus", set: interaction === "nearest" }),
    r2: ({ interaction }) => ({ of: "pre", tau: "tauX", set: interaction === "nearest" }),
    o1: ({ interaction }) => ({ of: "post", tau: "tauMinus", set: interaction === "nearest" }),
    o2: ({ interaction }) => ({ of: "post", tau: "tauY", set: interaction === "nearest" }),
  },
  parameters: {
    a2Plus: 5e-10,
    a3Plus: 6.2e-3,
    a2Minus: 7e-3,
    a3Minus: 2.3e-4,
    tauPlus: 16.8,
    tauMinus: 33.7,
    tauX: 101,
    tauY: 125,
    muPlus: 1,
    muMinus: 1,
  },
  choices: { interaction: ["all", "nearest"], dependence: DEPENDENCE },
  needs: {
    tauX: { a3Minus: "not 0" },
    tauY: { a3Plus: "not 0" },
    muPlus: { dependence: ["power"] },
    muMinus: { dependence: ["power"] },
  },
  numerics: {
    visualAllFull: { a2Plus: 5e-10, a3Plus: 6.2e-3, a2Minus: 7e-3, a3Minus: 2.3e-4, tauX: 101, tauY: 125 },
    visualAllMinimal: { a2Plus: 0, a3Plus: 6.5e-3, a2Minus: 7.1e-3, a3Minus: 0, tauY: 114 },
    visualNearestFull: {
      interaction: "nearest",
      a2Plus: 8.8e-11,
      a3Plus: 5.3e-2,
      a2Minus: 6.6e-3,
      a3Minus: 3.1e-3,
      tauX: 714,
      tauY: 40,
    },
    visualNearestMinimal: { interaction: "nearest", a2Plus: 0, a3Plus: 5e-2, a2Minus: 8e-3, a3Minus: 0, tauY: 40 },
    hippocampusAllFull: { a2Plus: 6.1e-3, a3Plus: 6.7e-3, a2Minus: 1.6e-3, a3Minus: 1.4e-3, tauX: 946, tauY: 27 },
    hippocampusAllMinimal: { a2Plus: 5.3e-3, a3Plus: 8e-3, a2Minus: 3.5e-3, a3Minus: 0, tauY: 40 },
    hippocampusNearestFull: {
      interaction: "nearest",
      a2Plus: 4.6e-3,
      a3Plus: 9.1e-3,
      a2Minus: 3e-3,
      a3Minus: 7.5e-9,
      tauX: 575,
      tauY: 47,
    },
    hippocampusNearestMinimal: {
      interaction: "nearest",
      a2Plus: 4.6e-3,
      a3Plus: 9.1e-3,
      a2Minus: 3e-3,
      a3Minus: 0,
      tauY: 48,
    },
  },
  onPre: (rule, { dependence }) => {
    const { o1, r2, a2Minus, a3Minus } = rule;
    return weakening(o1.mul(r2.mul(a3Minus).add(a2Minus)).neg(), rule, dependence);
  },
  onPost: (rule, { dependence }) => {
    const { r1, o2, a2Plus, a3Plus } = rule;
    return strengthening(r1.mul(o2.mul(a3Plus).add(a2Plus)), rule, dependence);
  },
});
