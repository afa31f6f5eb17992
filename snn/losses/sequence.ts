/** Sequences of different lengths in one batch: the steps that count for each sample, and ops that read only these. */
import { wrongValue } from "../../engine/arguments.ts";
import { alive, k, type Op, passGradient, valuesAt } from "../../engine/extend.ts";
import { full, indexSelect, max, mean, mul, reshape, select, sum, type Tensor } from "../../engine/index.ts";
import { stepsOf } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { applyOp, gradientAt, SAVES } from "../../engine/unchecked.ts";
import { checkSequence } from "../layer/checks.ts";

/** Options of readouts over sequences. */
export interface LengthsOptions {
  /**
   * Number of steps of each sample, [B], integers in [1, T]: the steps of sample b from lengths[b] on are padding, which does not affect results
   * and gets no gradient. By default all steps count.
   */
  lengths?: ArrayLike<number> | Tensor | null | undefined;
}

/** Defaults of options with only lengths. */
export const ALL_STEPS: LengthsOptions = { lengths: undefined };

/** Lengths of the samples of x, [T, B, …]; null if all steps count. Throws for lengths that do not fit x. */
export function lengthsOf(
  where: string,
  what: string,
  x: Tensor,
  lengths: LengthsOptions["lengths"],
): Int32Array | null {
  alive(x, where);
  if (x.sizes.length === 0) checkSequence(where, what, x);
  if (lengths === undefined || lengths === null) return null;
  const [T, B] = x.sizes as [number, number | undefined];
  if (B === undefined) throw wrongValue(where, `${what} [T, B, …] beside lengths`, formatShape(x.sizes));
  const steps = stepsOf(where, lengths, T);
  if (steps.length !== B) throw wrongValue(where, `${B} lengths`, steps.length);
  return steps.every((n) => n === T) ? null : steps;
}

/** The padded steps of x, [T, B, …], and the value that replaces them. */
interface Padding {
  readonly lengths: Int32Array;
  readonly value: number;
}

/** z[t, b] = x[t, b] if t < lengths[b], else the value.  ∂L/∂x[t, b] = ∂L/∂z[t, b] for t < lengths[b], else 0. */
const maskStepsOp: Op<Padding> = {
  name: "maskSteps",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { lengths, value }) {
    k.copy(z.ptr, x.ptr, x.size);
    fillPadding(z.ptr, z, lengths, value);
  },
  backward(z, x, _y, _w, { lengths }) {
    fillPadding(z.gradPtr, z, lengths, 0);
    passGradient(z, x);
  },
};

/** values[t, b, …] ← value for t ≥ lengths[b]; the values at address p have the shape of z. */
function fillPadding(p: number, z: Tensor, lengths: Int32Array, value: number): void {
  const values = valuesAt(p, z.size);
  const T = z.sizes[0] as number;
  const B = lengths.length;
  const inner = z.size / (T * B);
  for (let b = 0; b < B; b++) {
    for (let t = lengths[b] as number; t < T; t++) {
      const start = (t * B + b) * inner;
      values.fill(value, start, start + inner);
    }
  }
}

/** x with all padded steps replaced by the value. */
export const maskSteps = (x: Tensor, lengths: Int32Array | null, value = 0): Tensor =>
  lengths === null ? x : applyOp(maskStepsOp, { lengths, value }, x);

/** A factor for each sample, in the shape [B, 1, …] with `ndim` axes. */
export function perSample(factors: ArrayLike<number>, ndim: number): Tensor {
  const shape: Shape = [factors.length, ...new Array<number>(ndim - 1).fill(1)];
  return full(shape, 0).copyFrom(Float32Array.from(factors));
}

const inverses = (lengths: Int32Array): Float32Array => Float32Array.from(lengths, (n) => 1 / n);

/** Σ x[t] over the steps of each sample. */
export const sumSteps = (x: Tensor, lengths: Int32Array | null): Tensor => sum(maskSteps(x, lengths), { axis: 0 });

/** The mean of x[t] over the steps of each sample. */
export const meanSteps = (x: Tensor, lengths: Int32Array | null): Tensor =>
  meanOfMasked(maskSteps(x, lengths), lengths);

/** The mean of an x that is 0 in all padding. */
export function meanOfMasked(x: Tensor, lengths: Int32Array | null): Tensor {
  if (lengths === null) return mean(x, { axis: 0 });
  return mul(sum(x, { axis: 0 }), perSample(inverses(lengths), x.ndim - 1));
}

/** Maximum of x[t] over the steps of each sample; the first of equal ones gets the gradient. */
export const maxSteps = (x: Tensor, lengths: Int32Array | null): Tensor =>
  max(maskSteps(x, lengths, -Infinity), { axis: 0 }).values;

/** x at the last step of each sample. */
export function lastSteps(x: Tensor, lengths: Int32Array | null): Tensor {
  if (lengths === null) return select(x, 0, -1);
  const [T, B, ...rest] = x.sizes as [number, number, ...number[]];
  const places = lengths.map((n, b) => (n - 1) * B + b);
  return indexSelect(reshape(x, [T * B, ...rest]), 0, places);
}

/** Number of spikes to find for each neuron, and the lengths of the samples. */
interface Times {
  readonly shape: Shape;
  readonly lengths: Int32Array | null;
}

/** Backward reads the times, which are the output. */
const spikeTimesOp: Op<Times> = {
  name: "spikeTimes",
  saves: SAVES.output,
  forward(z, x, _y, _w, { lengths }) {
    const times = valuesAt(z.ptr, z.size);
    const spikes = valuesAt(x.ptr, x.size);
    const T = x.sizes[0] as number;
    const neurons = x.size / T;
    findTimes(times, spikes, T, neurons, stepsOfNeurons(lengths, T, neurons));
  },
  backward(z, x) {
    const p = gradientAt(x);
    if (p === 0) return;
    const dx = valuesAt(p, x.size);
    const dz = valuesAt(z.gradPtr, z.size);
    const times = valuesAt(z.ptr, z.size);
    const neurons = x.size / (x.sizes[0] as number);
    for (let i = 0; i < times.length; i++) {
      const place = (times[i] as number) * neurons + (i % neurons);
      dx[place] = (dx[place] as number) - (dz[i] as number);
    }
  },
};

function stepsOfNeurons(lengths: Int32Array | null, T: number, neurons: number): Int32Array {
  const steps = new Int32Array(neurons).fill(T);
  const inner = neurons / (lengths?.length ?? 1);
  lengths?.forEach((n, b) => {
    steps.fill(n, b * inner, (b + 1) * inner);
  });
  return steps;
}

type Values = Float32Array | Float64Array;

/**
 * times[f, j] ← the step of spike f of neuron j, or the last step of the neuron if it does not occur. Stops after the last requested
 * spike.
 */
function findTimes(times: Values, spikes: Values, T: number, neurons: number, steps: Int32Array): void {
  const wanted = times.length;
  for (let i = 0; i < wanted; i++) times[i] = (steps[i % neurons] as number) - 1;
  // Index of the next time of each neuron; beyond the end when all were found.
  const next = new Int32Array(neurons);
  for (let j = 0; j < neurons; j++) next[j] = j;
  let missing = wanted;
  for (let t = 0, row = 0; t < T && missing > 0; t++, row += neurons) {
    for (let j = 0; j < neurons; j++) {
      if (spikes[row + j] === 0) continue;
      const place = next[j] as number;
      if (place >= wanted || t >= (steps[j] as number)) continue;
      times[place] = t;
      next[j] = place + neurons;
      missing--;
    }
  }
}

/** Steps of the first `count` spikes of each neuron, [T, B, …] → [count, B, …]. */
export const firstSpikeTimes = (spikes: Tensor, count: number, lengths: Int32Array | null): Tensor =>
  applyOp(spikeTimesOp, { shape: [count, ...spikes.sizes.slice(1)], lengths }, spikes);
