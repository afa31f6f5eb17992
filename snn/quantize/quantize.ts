/** Training with few bits: weights on grids, membranes on levels, decays that are shifts. */
import { choiceOf, withDefaults } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import type { Module } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { levelsFrom, type StateOptions } from "./levels.ts";
import { decayingIn, levelsOf, neuronsIn, setShifts, statesOnLevels } from "./neurons.ts";
import { gridFrom, onlyWeightedIn, setGrid, type WeightOptions, weightedIn } from "./weights.ts";

/** Options of {@link quantize}; an option that is left out changes nothing. */
export interface QuantizeOptions {
  /** The grid of all weights; null takes it away. */
  weights?: WeightOptions | null;
  /** The levels of the membranes of all neurons; null takes them away. */
  state?: StateOptions | null;
  /** "shift": each decay β is the nearest 1 − 2⁻ᵏ; null reads the decays without rounding again. */
  decays?: "shift" | null;
}

const DEFAULTS = {
  weights: undefined as WeightOptions | null | undefined,
  state: undefined as StateOptions | null | undefined,
  decays: undefined as "shift" | null | undefined,
} satisfies Record<keyof QuantizeOptions, unknown>;

/**
 * Makes a model compute with few bits, so that training makes up for the rounding (quantization-aware training): forward rounds, the
 * gradient passes through the rounding unchanged (the straight-through estimator), and parameters stay floats that an optimizer moves.
 *
 *   weights            w[o, …] ← s[o]·round(w[o, …] / s[o])     s[o] = max|w[o, …]| / (2^(bits − 1) − 1)
 *   bits "ternary"     w ← s·sign(w) where |w| > Δ, else 0       Δ = 0.7·mean|w|,  s = mean of the |w| > Δ
 *   state              u ← the nearest of 2^bits levels from −θ(1 + lowerLimit) to θ(1 + upperLimit)
 *   decays "shift"     β ← the nearest 1 − 2⁻ᵏ, k = 0 … 15, or 1
 *
 * Quantized are the weights of `Linear`, `Conv1d`, `Conv2d`, `DelayedLinear` and of the connection "all" in
 * `Recurrent`, each with a mask where there is one. A model with further weights (parameters of two and more axes, the
 * connection "one") is an error: calls for its other layers quantize these alone. Biases and other parameters of one
 * axis stay floats. Rounding is half to even.
 *
 * Membranes are rounded before they are compared to θ, as snnTorch's `state_quant` does, and states where they are stored, also behind a
 * reset. θ has to be positive, and values at the start and behind a reset have to lie within the levels, so neurons in mV need `threshold`
 * and limits.
 *
 * Decays are the parameters alpha, beta, rho, phi, alphaE and alphaI with bounds or values in [0, 1], fixed or learned. Neurons with other
 * parameters in their place, such as a time constant, are an error.
 *
 * A `Stream` or an `EProp` that was made before the call refuses to go on where weights or states changed. Returns the model.
 *
 * @throws TypeError for anything but a module, or an option of another name or kind; RangeError for options out of range, or that do not
 *   fit the model: weights without such layers or with further weights, a state without neurons that spike or with values beyond the
 *   levels, decays without neurons that have some or with neurons that have none as a parameter; Error for a parameter that was freed.
 *   Nothing is written then.
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

/** Throws where an option that is given finds nothing in the model. */
function found(option: unknown, name: string, layers: readonly unknown[]): void {
  if (option === undefined || option === null || layers.length > 0) return;
  throw new RangeError(`${WHERE}: expected a model with layers for the option ${name}, got none`);
}
