/** A cost of all synaptic operations of a network, for training on a budget. */
import { NOT_NEGATIVE, numberOf, POSITIVE, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { composed } from "../../engine/composed.ts";
import { abs, add, type Module, mul, relu, square, sub, sum, type Tensor, tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { formatShape } from "../../engine/shape.ts";
import { alive } from "../../engine/tensor.ts";
import { fanOutOf, type Product, presentOf, watchProducts } from "./products.ts";

/** Options of {@link synapticCost}. */
export interface SynapticCostOptions {
  /** Operations of a sample without a cost, finite and > 0. */
  target: number;
  /** λ, finite and ≥ 0; default 1. */
  lambda?: number;
  /** The axis of the samples in x: 1 (default) behind time, 0 for a model that makes the time steps itself. */
  batchAxis?: 0 | 1;
}

/** The result of {@link synapticCost}. */
export interface SynapticCost {
  /** The output of the model: the bits of `forward`. */
  readonly output: Tensor;
  /** n, operations of a sample, []. */
  readonly operations: Tensor;
  /** The cost, to be added to a loss, []. */
  readonly cost: Tensor;
}

const DEFAULTS = { target: Number.NaN, lambda: 1, batchAxis: 1 } satisfies Record<keyof SynapticCostOptions, number>;

/**
 * Runs a model and gives a cost of the synaptic operations of its layers beyond a budget:
 *
 *   n = 1/B·Σ_layers Σ_i |x[i]|·F[i]      cost = λ·max(n / target − 1, 0)²      ∂cost/∂x[i] = 2λ·max(n / target − 1, 0)·F[i] / (B·target)
 *
 * x are the inputs of layers, over steps and samples, that depend on parameters; F[i] is the number of non-zero weights that input i is
 * multiplied by, as in {@link profile}. For spikes n is the number of their operations, the `effectiveACs` of the layers behind the first;
 * other inputs count by their magnitude. The input of the model depends on no parameter and is left out, as is the membrane of a
 * `SpikingLSTM`. Sorbaro et al. pull n to the target from both sides.
 *
 *     const value = tape(() => {
 *       const { output, cost } = synapticCost(model, encode(x), { target: 20_000 });
 *       const loss = crossEntropy(meanOverTime(output), y).add(cost);
 *       optimizer.zeroGrad();
 *       loss.backward();
 *       return loss.item();
 *     });
 *     optimizer.step();
 *
 * Shapes: x as the model takes it, [T, B, …] → output as the model gives it, operations [], cost [].
 *
 * @throws RangeError for a target that is not finite and > 0, a lambda that is not finite and ≥ 0, a batchAxis but 0 and 1, or an x without
 *   that axis; TypeError for arguments and options of another kind or name; and what the model throws.
 * @see Sorbaro et al. (2020), Optimizing the Energy Consumption of Spiking Neural Networks for Neuromorphic Applications, Frontiers in
 *   Neuroscience 14.
 */
export function synapticCost(model: Module, x: Tensor, options: SynapticCostOptions): SynapticCost {
  const where = "synapticCost";
  const { target, lambda, batchAxis } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "target", target, POSITIVE);
  numberOf(where, "lambda", lambda, NOT_NEGATIVE);
  if (batchAxis !== 0 && batchAxis !== 1) throw wrongValue(where, "batchAxis 0 or 1", batchAxis);
  moduleOf(where, model);
  alive(x, where);
  const samples = x.sizes[batchAxis];
  if (samples === undefined) throw wrongValue(where, `x with an axis ${batchAxis} of samples`, formatShape(x.sizes));
  return composed(() => {
    const terms: Tensor[] = [];
    const see = (product: Product, input: Tensor): void => {
      if (input.requiresGrad && !product.isGraded) terms.push(operationsOf(product, input));
    };
    const output = watchProducts(model, see, () => model.forward(x));
    alive(output, `${where}: the output of the model`);
    const all = terms.reduce<Tensor | null>((total, term) => (total === null ? term : add(total, term)), null);
    const operations = all === null ? tensor(0) : mul(all, 1 / samples);
    const excess = relu(sub(mul(operations, 1 / target), 1));
    return { output, operations, cost: mul(square(excess), lambda) };
  });
}

/** Σ |x[i]|·F[i], a sum over steps and samples first: spikes are summed as bits. */
function operationsOf(product: Product, x: Tensor): Tensor {
  const size = x.bits === 0 ? abs(x) : x;
  const leading = x.sizes.slice(0, -product.axes).map((_, axis) => axis);
  const totals = leading.length === 0 ? size : sum(size, { axis: leading });
  return sum(mul(totals, fanOutOf(product, presentOf(product), x.sizes)));
}
