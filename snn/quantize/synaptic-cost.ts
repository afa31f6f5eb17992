/** A cost of the synaptic operations of a network, for training on a budget. */
import { NOT_NEGATIVE, numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive, composed } from "../../engine/extend.ts";
import { abs, add, type Module, mul, relu, square, sub, sum, Tensor, tensor } from "../../engine/index.ts";
import { moduleOf, tapped, type Watcher } from "../../engine/protocol.ts";
import { formatShape } from "../../engine/shape.ts";
import { BatchSize } from "./batch-size.ts";
import { fanOutOf, type LinearMap, presentOf, synapseWatchers } from "./synapses.ts";

/** Options of {@link synapticCost}. */
export interface SynapticCostOptions {
  /** Operations per sample without a cost, finite and > 0. */
  target: number;
  /** λ, finite and ≥ 0; default 1. */
  lambda?: number;
  /**
   * Axis of the samples in x: 1 after time, 0 for a model that makes the time steps itself. Default: the axis whose size is the number of
   * samples that layers with weights received.
   */
  batchAxis?: 0 | 1;
}

/** Result of {@link synapticCost}. */
export interface SynapticCost {
  /** Output of the model, the same bits as from `forward`. */
  readonly output: Tensor;
  /** n, operations per sample, []. */
  readonly operations: Tensor;
  /** Cost to add to a loss, []. */
  readonly cost: Tensor;
}

const DEFAULTS = {
  target: Number.NaN,
  lambda: 1,
  batchAxis: undefined as 0 | 1 | undefined,
} satisfies Record<keyof SynapticCostOptions, unknown>;

/**
 * Runs a model and returns a cost for synaptic operations beyond a budget:
 *
 *   n = 1/B·Σ_layers Σ_i |x[i]|·F[i]      cost = λ·max(n / target − 1, 0)²      ∂cost/∂x[i] = 2λ·max(n / target − 1, 0)·F[i] / (B·target)
 *
 * x are the inputs of layers, over steps and samples; F[i] is the number of non-zero weights that input i is multiplied by, as in {@link profile}.
 * For spikes, n is the number of their operations, the `effectiveACs` of the layers after the first; other inputs count by their magnitude.
 * Operations on the input of the network are excluded, that is, those of the layer that runs before all other layers with parameters and of layers
 * that read x itself; so is the membrane of a `SpikingLSTM`. The numbers are the same without a tape, under `noGrad` and for frozen parameters.
 * Sorbaro et al. also penalise n below the target.
 *
 * Shapes: x, an input of the model, [T, B, …] → output of the model, operations [], cost [].
 *
 * @throws RangeError for a target that is not finite and > 0, a lambda that is not finite and ≥ 0, a batchAxis other than 0 and 1, an x without that
 *   axis, or no batchAxis if it cannot be inferred from the layers; TypeError for arguments of the wrong type and unknown options; errors of the
 *   model.
 * @see Sorbaro et al. (2020), Optimizing the Energy Consumption of Spiking Neural Networks for Neuromorphic Applications, Frontiers in
 *   Neuroscience 14.
 *
 * @example
 * ```ts
 * import { crossEntropy, LIF, Linear, meanOverTime, rand, Sequential, tape } from "jarvis-snn";
 * import { synapticCost } from "jarvis-snn/quantize";
 *
 * const model = new Sequential(new Linear(4, 16), new LIF({ threshold: 0.1 }), new Linear(16, 2));
 * const operations = tape(() => {
 *   const { output, operations, cost } = synapticCost(model, rand([20, 3, 4]), { target: 100 });
 *   crossEntropy(meanOverTime(output), [0, 1, 1]).add(cost).backward();
 *   return operations.item(); // of a sample, without the first layer
 * });
 * console.log(operations > 0); // true
 * ```
 */
export function synapticCost(model: Module, x: Tensor, options: SynapticCostOptions): SynapticCost {
  const where = "synapticCost";
  const { target, lambda, batchAxis } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "target", target, POSITIVE);
  numberOf(where, "lambda", lambda, NOT_NEGATIVE);
  if (![undefined, 0, 1].includes(batchAxis)) throw wrongValue(where, "batchAxis 0 or 1", show(batchAxis));
  moduleOf(where, model);
  alive(x, where);
  const given = batchAxis === undefined ? undefined : x.sizes[batchAxis];
  if (batchAxis !== undefined && given === undefined) {
    throw wrongValue(where, `x with an axis ${batchAxis} of samples`, formatShape(x.sizes));
  }
  return composed(() => {
    const terms: Tensor[] = [];
    const batch = new BatchSize();
    /** Layers that read the input of the network. */
    const first = new Set<Module>();
    let hasRun = false;
    const see = (product: LinearMap, input: Tensor): void => {
      const { owner, axes, isFeedback, isGraded } = product;
      if (input.ndim > axes + 1) batch.sequence(owner, input);
      else batch.input(owner, input, axes);
      if (!isFeedback && (!hasRun || sharesMemory(input, x))) first.add(owner);
      hasRun = true;
      if (!isGraded && (isFeedback || !first.has(owner))) terms.push(operationsOf(product, input));
    };
    const parameters = parameterWatchers(model, () => {
      hasRun = true;
    });
    const run = () => tapped(model, { calls: parameters }, () => model.forward(x));
    const output = tapped(model, { calls: synapseWatchers(model, see) }, run);
    alive(output, `${where}: the output of the model`);
    const samples = given ?? batch.in(where, x.sizes);
    const all = terms.reduce<Tensor | null>((total, term) => (total === null ? term : add(total, term)), null);
    const operations = all === null ? tensor(0) : mul(all, 1 / samples);
    const excess = relu(sub(mul(operations, 1 / target), 1));
    return { output, operations, cost: mul(square(excess), lambda) };
  });
}

/** Whether t is x, a view of x, or a part of it. */
const sharesMemory = (t: Tensor, x: Tensor): boolean =>
  t === x ||
  (x.ptr !== 0 && t.ptr >= x.ptr && t.ptr < x.ptr + Float32Array.BYTES_PER_ELEMENT * x.size) ||
  (x.bits !== 0 && t.bits === x.bits);

/** Watchers that call `ran` after each run of a module that has parameters. */
function parameterWatchers(model: Module, ran: () => void): (module: Module) => Watcher | null {
  const modules = model.namedModules().map(([, module]) => module);
  // Layers that unroll others read their parameters themselves.
  const within = new Set(
    modules
      .filter((module) => "unroll" in module)
      .flatMap((module) =>
        module
          .namedModules()
          .slice(1)
          .map(([, m]) => m),
      ),
  );
  const hasParameters = (module: Module) => Object.values(module).some((t) => t instanceof Tensor && t.isParameter);
  const watch: Watcher = ({ method, run }) => {
    const z = run();
    if (method === "forward") ran();
    return z;
  };
  return (module) => (!within.has(module) && hasParameters(module) ? watch : null);
}

/** Σ |x[i]|·F[i]; sums over steps and samples first, so that spikes are summed as bits. */
function operationsOf(product: LinearMap, x: Tensor): Tensor {
  const size = x.bits === 0 ? abs(x) : x;
  const leading = x.sizes.slice(0, -product.axes).map((_, axis) => axis);
  const totals = leading.length === 0 ? size : sum(size, { axis: leading });
  return sum(mul(totals, fanOutOf(product, presentOf(product), x.sizes)));
}
