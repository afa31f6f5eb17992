import { lazyRule } from "../plasticity.ts";

/**
 * Oja's rule: Hebb's rule with a decay that bounds the norm of a neuron's weights, which converge to the principal component of its inputs.
 *
 *   variant "oja":       Δw_ji = η·y_j·(x_i − α·y_j·w_ji)
 *   variant "subspace":  Δw_ji = η·y_j·(x_i − Σ_k y_k·w_ki)
 *   variant "sanger":    Δw_ji = η·y_j·(x_i − Σ_{k≤j} y_k·w_ki)
 *
 * x are presynaptic and y postsynaptic rates; the layer computes y = w·x, without a bias. The norm of w_j converges to 1/√α. With "oja", all neurons
 * converge to the first principal component of x; with "subspace", the neurons together span the first ones; with "sanger", neuron j converges to
 * component j. Inputs must have the mean 0, since components are taken about 0.
 *
 * Shapes: see {@link Plastic}; `reduction: "mean"` averages the changes over a batch. Parameters, numbers or tensors [out]: eta 0.01 (η),
 * alpha 1 (α).
 *
 * @throws RangeError for options without effect: alpha with a variant other than "oja", decay, order, and, in {@link Plastic}, dt.
 * @see Oja (1982), A simplified neuron model as a principal component analyzer, Journal of Mathematical Biology 15. Oja (1989), Neural
 *   networks, principal components, and subspaces, International Journal of Neural Systems 1. Sanger (1989), Optimal unsupervised
 *   learning in a single-layer linear feedforward neural network, Neural Networks 2.
 *
 * @example
 * ```ts
 * import { Generator, Linear, Oja, Plastic, randn } from "jarvis-snn";
 *
 * const layer = new Linear(2, 1, { bias: false });
 * layer.weight.copyFrom([0.5, 0.5]);
 * const plastic = new Plastic(layer, new Oja({ eta: 0.02 }));
 * let state = plastic.initialState(1);
 * for (const x of randn([2000, 1, 1], { generator: new Generator(1) }).unbind(0)) {
 *   const input = x.expand([1, 2]); // both inputs are equal, so that they vary along (1, 1)
 *   state = plastic.step(input, layer.forward(input), state);
 * }
 * console.log(layer.weight.norm().item().toFixed(2)); // 1.00
 * ```
 */
export const Oja = lazyRule({
  name: "Oja",
  traces: {},
  parameters: { eta: 0.01, alpha: 1 },
  choices: { variant: ["oja", "subspace", "sanger"] },
  needs: { alpha: { variant: ["oja"] } },
  explains: ({ variant }) => (variant === "oja" ? null : variant === "subspace" ? "all" : "below"),
  onStep(argument, { variant }) {
    const { w, pre, post, eta, alpha } = argument;
    const own = variant === "oja" ? w.mul(post).mul(alpha) : argument.explained;
    return pre.sub(own).mul(post.mul(eta));
  },
});
