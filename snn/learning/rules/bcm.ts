import { lazyRule } from "../plasticity.ts";

/**
 * The rule of Bienenstock, Cooper and Munro: a postsynaptic rate above a threshold strengthens active synapses, a rate below weakens them, and the
 * threshold follows the mean square of the rate, so that a neuron becomes selective for some of its inputs.
 *
 *   θ ← θ + (1 − exp(−dt/τ))·(y² − θ)        Δw = η·x·y·(y − θ)        (θ follows E[y²]; Intrator and Cooper 1992)
 *
 * x are presynaptic and y postsynaptic rates. A change reads θ with y² of its own step (`order: "after"`, the default here). θ starts from 0;
 * `state.traces.theta` holds it for each neuron and sample. Choose τ long against the time between different inputs, so that θ averages over them,
 * and short against the time in which weights change: otherwise θ lags and weights oscillate.
 *
 * Shapes: see {@link Plastic}. Parameters: eta 0.001, a number or a tensor [out]; tau 100, in the unit of dt, a number.
 *
 * @throws RangeError for a tau that is not positive.
 * @see Bienenstock, Cooper and Munro (1982), Theory for the development of neuron selectivity: orientation specificity and binocular
 *   interaction in visual cortex, Journal of Neuroscience 2. Intrator and Cooper (1992), Objective function formulation of the BCM
 *   theory of visual cortical plasticity, Neural Networks 5.
 *
 * @example
 * ```ts
 * import { BCM, Linear, Plastic, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(1, 1, { bias: false });
 * layer.weight.copyFrom([1]);
 * const plastic = new Plastic(layer, new BCM({ eta: 0.5, tau: 10 }));
 * // A rate above the threshold strengthens the synapse, and raises the threshold.
 * const state = plastic.step(tensor([[1]]), tensor([[1]]), plastic.initialState(1));
 * console.log(layer.weight.item().toFixed(3), `${state.traces.theta}`); // 1.452 Tensor([1, 1], [0.095163])
 * ```
 */
export const BCM = lazyRule({
  name: "BCM",
  traces: { theta: { of: "post", tau: "tau", average: true, input: (y) => y.square() } },
  parameters: { eta: 0.001, tau: 100 },
  order: "after",
  onPost: ({ pre, post, theta, eta }) => pre.mul(post.sub(theta)).mul(post.mul(eta)),
});
