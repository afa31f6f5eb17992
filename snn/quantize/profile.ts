/** The cost of a network on data: spikes, operations, memory and an energy estimate, by the definitions of NeuroBench. */
import { NOT_NEGATIVE, numberOf, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type Batches, type Dataset, type Encode, type Module, noGrad, type Tensor } from "../../engine/index.ts";
import { batchOf, moduleOf, targetCount } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import type { Joules, Profile } from "./cost.ts";
import { readData } from "./data.ts";
import { Meter } from "./meter.ts";

/** Options of {@link profile}. */
export interface ProfileOptions {
  /** Makes the input of the model from the samples of a batch, as in `fit`; by default the batch is the input. */
  encode?: Encode;
  /**
   * Axis of the samples in the input of the model: 1 after time, 0 without it. Default: the axis whose size is the number of samples that
   * layers of neurons received, [T, B, …], or layers with weights, [B, …], in a model without neurons.
   */
  batchAxis?: 0 | 1;
  /** Energy of an operation, joules. */
  joules?: Joules;
}

const JOULES: Required<Joules> = { mac: 4.6e-12, ac: 0.9e-12, update: 0 };

const DEFAULTS = {
  encode: ((x) => x) as Encode,
  batchAxis: undefined as 0 | 1 | undefined,
  joules: {} as Joules,
} satisfies Record<keyof ProfileOptions, unknown>;

/**
 * Measures the cost of a sample on data, by layer and in total, by the definitions of NeuroBench:
 *
 *   dense            Σ over steps of the weights that inputs are multiplied by, including zeros; padding is not an input
 *   effective        Σ over steps of pairs of an input ≠ 0 and a weight ≠ 0:  Σ_i c[i]·F[i]
 *   ACs, MACs        effective operations of steps whose inputs are all 0, 1 or −1, and of the other steps
 *   activationSparsity   share of outputs = 0 of neurons and ReLU      connectionSparsity   share of weights = 0
 *   energy           MACs·4.6 pJ + ACs·0.9 pJ (Horowitz: float32 at 45 nm, 3.7 pJ a product, 0.9 pJ a sum)
 *
 * c[i] is the number of steps in which input i is not 0, F[i] the number of its weights that are not 0. Biases, pools, normalisation and neurons are
 * not synaptic operations. Operations, spikes, updates and joules are sums over time steps, averaged over samples; NeuroBench rounds sparsity.
 *
 * The profile counts `Linear`, `Conv1d`, `Conv2d`, `DelayedLinear`, the connection of `Recurrent`, whose inputs are the spikes of the previous step,
 * `SpikingLSTM`, and the layers of `Int8`; it counts spikes in the layers that `record` records. A layer that runs at several places is counted at
 * each. The energy estimate excludes memory, although reading a weight can cost more than its product. The option `joules` sets the figures of other
 * hardware.
 *
 * Data: an input of the model as a tensor, [T, B, …]; or batches, a loader or a dataset, as in `evaluate`. The model runs in evaluation mode without
 * recording; its methods are restored afterwards.
 *
 * @throws RangeError for data without samples, batches whose number of targets is not that of samples, no batchAxis if it cannot be inferred from the
 *   layers, joules that are not finite and ≥ 0, or a batchAxis other than 0 and 1; TypeError for arguments of the wrong type and unknown options; and
 *   errors of the model.
 * @see Yik et al. (2025), The NeuroBench Framework for Benchmarking Neuromorphic Computing Algorithms and Systems, Nature Communications
 *   16; Horowitz (2014), Computing's Energy Problem (and What We Can Do about It), ISSCC.
 *
 * @example
 * ```ts
 * import { IF, Linear, ones, Sequential } from "jarvis-snn";
 * import { profile } from "jarvis-snn/quantize";
 *
 * const model = new Sequential(new Linear(4, 8), new IF());
 * const { total } = profile(model, ones([10, 1, 4])); // four spikes in each of ten steps
 * console.log(total.synapticOperations.dense, total.synapticOperations.effectiveACs); // 320 320
 * ```
 */
export function profile<Y>(
  model: Module,
  data: Tensor | Batches<Y> | Dataset<Y>,
  options: ProfileOptions = DEFAULTS as ProfileOptions,
): Profile {
  const where = "profile";
  const { encode, batchAxis, joules } = withDefaults(where, DEFAULTS, options);
  const price = pricesOf(where, joules);
  if (![undefined, 0, 1].includes(batchAxis)) throw wrongValue(where, "batchAxis 0 or 1", show(batchAxis));
  moduleOf(where, model);
  const meter = new Meter(model);
  /** Runs the model on samples and returns the shape of its input. */
  const run = (x: Tensor, lengths?: Int32Array): Shape =>
    noGrad(() => {
      const input = encode(x, lengths);
      alive(input, `${where}: encode`);
      meter.count(() => alive(model.forward(input), `${where}: the output of the model`));
      return input.sizes;
    });
  /** Number of samples in an input that has just run. */
  const samplesIn = (shape: Shape): number => {
    if (batchAxis === undefined) return meter.batch.in(where, shape);
    const rows = shape[batchAxis];
    if (rows === undefined)
      throw wrongValue(where, `an input with an axis ${batchAxis} of samples`, formatShape(shape));
    return rows;
  };
  let samples = 0;
  model.evaluating(() =>
    readData(
      where,
      data,
      (x) => {
        samples = samplesIn(run(x));
      },
      (batch) => {
        const { x, y, lengths, size } = batchOf(where, batch);
        const shape = run(x, lengths);
        // A given size or lengths already determine the number of samples.
        const isGiven = batch.size !== undefined || lengths !== undefined;
        const rows = isGiven ? size : samplesIn(shape);
        const targets = isGiven ? size : (targetCount(y) ?? rows);
        if (targets !== rows)
          throw wrongValue(where, `as many targets as samples, ${rows}, or the size of the batch`, targets);
        samples += rows;
      },
    ),
  );
  if (samples === 0)
    throw new RangeError(`${where}: expected data with samples, got no batches; a generator gives them once`);
  return meter.result(samples, price);
}

function pricesOf(where: string, joules: Joules): Required<Joules> {
  const prices = withDefaults(`${where}: joules`, JOULES, joules);
  for (const name of ["mac", "ac", "update"] as const) numberOf(where, `joules.${name}`, prices[name], NOT_NEGATIVE);
  return prices;
}
