/** Activity costs that are added to a loss: too many spikes, too few, and synaptic operations. */
import { joined, NOT_NEGATIVE, numberOf, UNIT, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, composedOp } from "../../engine/extend.ts";
import {
  add,
  Conv1d,
  Conv2d,
  Linear,
  mean,
  mul,
  neg,
  relu,
  square,
  sub,
  sum,
  Tensor,
  tensor,
} from "../../engine/index.ts";
import { broadcastShapes, formatShape, type Shape, sameShape } from "../../engine/shape.ts";
import { ALL_STEPS, type LengthsOptions, lengthsOf, maskSteps, meanSteps, sumSteps } from "./sequence.ts";

/** Options of {@link l1RateSparsity}. */
export interface SparsityOptions extends LengthsOptions {
  /** λ, finite and ≥ 0; default 1e-5. */
  lambda?: number;
}

const SPARSITY = joined(ALL_STEPS, { lambda: 1e-5 });

/**
 * A cost for each spike: λ·Σ s over steps, samples and neurons.  ∂L/∂s = λ.
 *
 * Shapes: spikes [T, B, …] → [].
 *
 * @throws RangeError for spikes without a time axis, a lambda that is not finite and ≥ 0, or lengths that are not one integer in [1, T]
 *   for each sample.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { l1RateSparsity, tensor } from "jarvis-snn";
 *
 * console.log(l1RateSparsity(tensor([[[1, 0]], [[1, 1]]]), { lambda: 0.5 }).item()); // 1.5
 * ```
 */
export const l1RateSparsity = composedOp((spikes: Tensor, options: SparsityOptions = SPARSITY): Tensor => {
  const { lambda, lengths } = withDefaults("l1RateSparsity", SPARSITY, options);
  numberOf("l1RateSparsity", "lambda", lambda, NOT_NEGATIVE);
  return mul(sum(maskSteps(spikes, lengthsOf("l1RateSparsity", "spikes", spikes, lengths))), lambda);
});

/** Options of {@link maximumRate}. */
export interface MaximumRateOptions extends LengthsOptions {
  /** r_max, the largest rate without a cost, spikes per step, in [0, 1]. */
  maximum: number;
  /** λ, finite and ≥ 0; default 1. */
  lambda?: number;
}

/** Options of {@link silence}. */
export interface SilenceOptions extends LengthsOptions {
  /** r_min, the smallest rate without a cost, spikes per step, in [0, 1]. */
  minimum: number;
  /** λ, finite and ≥ 0; default 1. */
  lambda?: number;
}

const MAXIMUM = joined(ALL_STEPS, { maximum: Number.NaN, lambda: 1 });
const MINIMUM = joined(ALL_STEPS, { minimum: Number.NaN, lambda: 1 });

/** Rate of each neuron: spikes per step, averaged over samples. */
function ratesOf(where: string, spikes: Tensor, lengths: LengthsOptions["lengths"]): Tensor {
  const steps = lengthsOf(where, "spikes", spikes, lengths);
  if (spikes.ndim < 2) throw wrongValue(where, "spikes [T, B, …]", formatShape(spikes.sizes));
  return mean(meanSteps(spikes, steps), { axis: 0 });
}

/**
 * A cost for neurons that fire too much:
 *
 *   λ·Σ_n max(rₙ − r_max, 0)²     rₙ: spikes of neuron n per step, averaged over samples
 *
 * Shapes: spikes [T, B, …] → []. `maximum` is r_max, λ is 1 by default. To bound the rate of a whole layer, pass
 * `spikes.mean({ axis: -1, keepdim: true })`.
 *
 * @throws RangeError for spikes without axes of time and samples, a maximum outside [0, 1], a lambda that is not finite and ≥ 0, or
 *   lengths that are not one integer in [1, T] for each sample.
 * @see Zenke and Vogels (2021), The Remarkable Robustness of Surrogate Gradient Learning for Instilling Complex Function in Spiking Neural
 *   Networks, Neural Computation 33(4).
 *
 * @example
 * ```ts
 * import { maximumRate, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 1]]]); // [T, B, N]: rates 1 and 0.5
 * console.log(maximumRate(spikes, { maximum: 0.5 }).item()); // 0.25
 * ```
 */
export const maximumRate = composedOp((spikes: Tensor, options: MaximumRateOptions): Tensor => {
  const where = "maximumRate";
  const { maximum, lambda, lengths } = withDefaults(where, MAXIMUM, options);
  numberOf(where, "maximum", maximum, UNIT);
  numberOf(where, "lambda", lambda, NOT_NEGATIVE);
  return mul(sum(square(relu(sub(ratesOf(where, spikes, lengths), maximum)))), lambda);
});

/**
 * A cost for neurons that are silent or nearly so:
 *
 *   λ·Σ_n max(r_min − rₙ, 0)²     rₙ: spikes of neuron n per step, averaged over samples
 *
 * A silent neuron gets the same gradient for its spikes at all steps; the surrogate derivative of each step scales it.
 * Shapes: spikes [T, B, …] → []. `minimum` is r_min, λ is 1 by default.
 *
 * @throws RangeError for spikes without axes of time and samples, a minimum outside [0, 1], a lambda that is not finite and ≥ 0, or
 *   lengths that are not one integer in [1, T] for each sample.
 * @see Zenke and Vogels (2021), The Remarkable Robustness of Surrogate Gradient Learning for Instilling Complex Function in Spiking Neural
 *   Networks, Neural Computation 33(4).
 *
 * @example
 * ```ts
 * import { silence, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 0]]]); // [T, B, N]: rates 1 and 0
 * console.log(silence(spikes, { minimum: 0.5 }).item()); // 0.25
 * ```
 */
export const silence = composedOp((spikes: Tensor, options: SilenceOptions): Tensor => {
  const where = "silence";
  const { minimum, lambda, lengths } = withDefaults(where, MINIMUM, options);
  numberOf(where, "minimum", minimum, UNIT);
  numberOf(where, "lambda", lambda, NOT_NEGATIVE);
  return mul(sum(square(relu(add(neg(ratesOf(where, spikes, lengths)), minimum)))), lambda);
});

/** Synapses of each neuron: one number for all, a tensor [...], or the layer that reads the spikes. */
export type FanOut = number | Tensor | Linear | Conv1d | Conv2d;

/**
 * Synaptic operations of a sample: each spike makes one addition in each synapse that it reaches.
 *
 *   z = 1/B·Σ s[t]·F     F: the fan-out of each neuron;  ∂z/∂s = F/B
 *
 * Fan-out of a layer: for `Linear`, the number of outputs; for a convolution, the number of windows over a position, fewer at the borders, times the
 * filters of its group. Times a small factor, z is a cost that weighs spikes by their work; alone it is a metric. Graded spikes count with their
 * value.
 *
 * Shapes: spikes [T, B, …]; fanOut a number, a tensor that broadcasts to [B, …], or a layer; → [].
 *
 * @throws RangeError for spikes without axes of time and samples, a negative fan-out, shapes that do not broadcast or fit the layer, or lengths that
 *   are not one integer in [1, T] for each sample; TypeError for a fan-out of a different type.
 * @see Merolla et al. (2014), A Million Spiking-Neuron Integrated Circuit with a Scalable Communication Network and Interface, Science
 *   345(6197).
 *
 * @example
 * ```ts
 * import { Linear, synapticOperations, tensor } from "jarvis-snn";
 *
 * const spikes = tensor([[[1, 0]], [[1, 1]]]); // three spikes of one sample
 * console.log(synapticOperations(spikes, new Linear(2, 10)).item()); // 30
 * ```
 */
export const synapticOperations = composedOp(
  (spikes: Tensor, fanOut: FanOut, options: LengthsOptions = ALL_STEPS): Tensor => {
    const where = "synapticOperations";
    const { lengths } = withDefaults(where, ALL_STEPS, options);
    const steps = lengthsOf(where, "spikes", spikes, lengths);
    if (spikes.ndim < 2) throw wrongValue(where, "spikes [T, B, …]", formatShape(spikes.sizes));
    const shape = spikes.sizes.slice(1);
    const synapses = synapsesOf(where, fanOut, shape);
    const scale = 1 / (shape[0] as number);
    if (typeof synapses === "number") return mul(sum(maskSteps(spikes, steps)), synapses * scale);
    return mul(sum(mul(sumSteps(spikes, steps), synapses)), scale);
  },
);

/** Fan-out of neurons [B, …], as a number or a tensor that broadcasts. */
function synapsesOf(where: string, fanOut: FanOut, shape: Shape): number | Tensor {
  if (typeof fanOut === "number") return numberOf(where, "fanOut", fanOut, NOT_NEGATIVE);
  if (fanOut instanceof Tensor) {
    alive(fanOut, where);
    if (sameShape(broadcastShapes(where, fanOut.sizes, shape), shape)) return fanOut;
    throw wrongValue(where, `a fanOut that broadcasts to ${formatShape(shape)}`, formatShape(fanOut.sizes));
  }
  if (fanOut instanceof Linear) {
    if (shape[shape.length - 1] === fanOut.inFeatures) return fanOut.outFeatures;
    throw wrongValue(where, `spikes [T, B, …, ${fanOut.inFeatures}]`, `[T, ${shape.join(", ")}]`);
  }
  if (fanOut instanceof Conv1d || fanOut instanceof Conv2d) return synapsesOfWindows(where, fanOut, shape);
  throw wrongType(where, "fanOut as a number, a tensor, a Linear or a convolution", fanOut);
}

/** Fan-out of the positions of a map, [H, W] or [L]: the product over axes of the number of windows over a position. */
function synapsesOfWindows(where: string, layer: Conv1d | Conv2d, shape: Shape): Tensor {
  const { weight, stride, padding, dilation, groups } = layer;
  const [out, inGroup, ...kernel] = weight.sizes as [number, number, ...number[]];
  const axes = kernel.length;
  const map = shape.slice(-axes);
  if (shape[shape.length - axes - 1] !== inGroup * groups) {
    const got = `[T, ${shape.join(", ")}]`;
    throw wrongValue(where, `spikes of ${inGroup * groups} channels before ${axes} axes`, got);
  }
  const along = map.map((size, axis) => {
    const at = (option: number | readonly number[]): number =>
      typeof option === "number" ? option : (option[axis] as number);
    return windowsOver(size, kernel[axis] as number, at(stride), at(padding), at(dilation));
  });
  const [rows, columns = [1]] = along as [number[], number[]?];
  const values = rows.flatMap((r) => columns.map((c) => (r * c * out) / groups));
  return tensor(Float32Array.from(values), { shape: map });
}

function windowsOver(size: number, kernel: number, stride: number, padding: number, dilation: number): number[] {
  const counts = new Array<number>(size).fill(0);
  const windows = Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  for (let w = 0; w < windows; w++) {
    for (let i = 0; i < kernel; i++) {
      const place = w * stride - padding + i * dilation;
      if (place >= 0 && place < size) counts[place] = (counts[place] as number) + 1;
    }
  }
  return counts;
}
