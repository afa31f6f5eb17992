/** Quantization-aware training: weights on grids, membranes on levels, decays that are shifts. */
import { choiceOf, withDefaults } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import type { Module } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { levelsFrom, type StateOptions } from "./levels.ts";
import { decayingIn, levelsOf, neuronsIn, setShifts, statesOnLevels } from "./neurons.ts";
import { gridFrom, onlyWeightedIn, setGrid, type WeightOptions, weightedIn } from "./weights.ts";

/** Options of {@link quantize}; omitted options change nothing. */
export interface QuantizeOptions {
  /** Grid of all weights; null removes it. */
  weights?: WeightOptions | null;
  /** Levels of the membranes of all neurons; null removes them. */
  state?: StateOptions | null;
  /** "shift" rounds each decay β to the nearest 1 − 2⁻ᵏ; null removes the rounding. */
  decays?: "shift" | null;
}

const DEFAULTS = {
  weights: undefined as WeightOptions | null | undefined,
  state: undefined as StateOptions | null | undefined,
  decays: undefined as "shift" | null | undefined,
} satisfies Record<keyof QuantizeOptions, unknown>;

/**
 * Makes a model compute with few bits, so that training compensates for the rounding (quantization-aware training): forward rounds, the gradient
 * passes through the rounding unchanged (the straight-through estimator), and parameters remain floats that an optimizer updates.
 *
 *   weights            w[o, …] ← s[o]·round(w[o, …] / s[o])     s[o] = max|w[o, …]| / (2^(bits − 1) − 1)
 *   bits "ternary"     w ← s·sign(w) where |w| > Δ, else 0       Δ = 0.7·mean|w|,  s = mean of the |w| > Δ
 *   state              u ← the nearest of 2^bits levels from −θ(1 + lowerLimit) to θ(1 + upperLimit)
 *   decays "shift"     β ← the nearest 1 − 2⁻ᵏ, k = 0 … 15, or 1
 *
 * The weights of `Linear`, `Conv1d`, `Conv2d`, `DelayedLinear` and of the connection "all" in `Recurrent` are quantized, with their masks if they
 * have any. A model with further weights (parameters of two or more axes, the connection "one") is an error; call `quantize` for its other layers
 * instead. Biases and other parameters of one axis remain floats. Rounding is half to even.
 *
 * Membranes are rounded before the comparison with θ, as in snnTorch's `state_quant`; states are rounded when they are stored, also after a reset. θ
 * must be positive, and initial and reset values must lie within the levels, so neurons in mV need `threshold` and limits.
 *
 * Decays are the parameters alpha, beta, rho, phi, alphaE and alphaI with bounds or values in [0, 1], fixed or learned. Neurons with a time constant
 * or similar parameters instead are an error.
 *
 * A `Stream` or an `EProp` made before the call throws in its next step if weights or states were affected. Returns the model.
 *
 * @throws TypeError for anything but a module, or an unknown option or a value of the wrong type; RangeError for options out of range, or that do not
 *   fit the model: weights without such layers or with further weights, a state without neurons that spike or with values beyond the levels, decays
 *   without neurons that have decays, or with neurons that lack them as parameters; Error for a parameter that was freed. Errors are thrown before
 *   any write.
 * @see Bengio, Léonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
 *   Computation, arXiv:1308.3432; Li, Zhang and Liu (2016), Ternary Weight Networks, arXiv:1605.04711.
 *
 * @example
 * ```ts
 * import { Adam, LIF, Linear, Sequential } from "jarvis-snn";
 * import { quantize } from "jarvis-snn/quantize";
 *
 * const network = new Sequential(new Linear(16, 8), new LIF({ beta: 0.9 }), new Linear(8, 2), new LIF({ beta: 0.9 }));
 * quantize(network, { weights: { bits: 4 }, state: { bits: 8 }, decays: "shift" });
 * const optimizer = new Adam(network.parameters()); // trains as before
 * console.log(optimizer.params.length); // 4
 * ```
 */
export function quantize<M extends Module>(model: M, options: QuantizeOptions): M {
  moduleOf(WHERE, model);
  const { weights, state, decays } = withDefaults(WHERE, DEFAULTS, options);
  if (weights === undefined && state === undefined && decays === undefined) {
    throw new RangeError(`${WHERE}: expected weights, state or decays, got none of them`);
  }
  const grid = weights === undefined || weights === null ? weights : gridFrom(WHERE, weights);
  const levels = state === undefined || state === null ? state : levelsFrom(WHERE, state);
  if (decays !== undefined && decays !== null) choiceOf(WHERE, "decays", decays, ["shift"]);
  const layers = grid ? onlyWeightedIn(WHERE, model) : weightedIn(model);
  const neurons = neuronsIn(model);
  if (state !== undefined || decays !== undefined) {
    for (const t of neurons.flatMap((layer) => layer.givenParameters())) alive(t, WHERE);
  }
  found(state, "state", neurons);
  if (decays) decayingIn(WHERE, neurons);
  const states = levels ? statesOnLevels(WHERE, neurons, levels) : [];
  const changes = levels === undefined ? [] : neurons.map((layer, i) => levelsOf(layer, levels, states[i] ?? []));
  for (const change of changes) change();
  if (grid !== undefined) for (const [, layer] of layers) setGrid(layer, grid);
  if (decays !== undefined) for (const layer of neurons) setShifts(layer, decays !== null);
  return model;
}

const WHERE = "quantize";

/** Throws if a given option applies to nothing in the model. */
function found(option: unknown, name: string, layers: readonly unknown[]): void {
  if (option === undefined || option === null || layers.length > 0) return;
  throw new RangeError(`${WHERE}: expected a model with layers for the option ${name}, got none`);
}
