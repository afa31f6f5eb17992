/** Targets of losses over time: class indices [B] for all steps, and the values that they stand for. */
import { COUNT, integersOf, numberOf, numbersOf, wrongValue } from "../../engine/arguments.ts";
import { alive, peek } from "../../engine/extend.ts";
import { reshape, sum, type Targets, Tensor, tensor } from "../../engine/index.ts";
import { checkOptionalShape, valuesIn } from "../../engine/protocol.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { perSample, sumSteps } from "./sequence.ts";

/** A checked copy of `rows` class indices, integers in [0, classes). */
export function labelsOf(where: string, y: Targets, classes: number, rows: number): Int32Array {
  const labels = integersOf(where, "class indices", valuesIn(where, y), classes);
  if (labels.length !== rows) throw wrongValue(where, `${rows} class indices`, labels.length);
  return labels;
}

/** Sizes of an output [T, B, …, K]: steps, rows B·… per step, and classes. */
export interface OutputRows {
  readonly T: number;
  readonly rows: number;
  readonly K: number;
}

export function outputRows(where: string, what: string, x: Tensor): OutputRows {
  alive(x, where);
  if (x.ndim < 2) throw wrongValue(where, `${what} [T, B, …, K]`, formatShape(x.sizes));
  const T = x.sizes[0] as number;
  const K = x.sizes[x.ndim - 1] as number;
  return { T, rows: x.size / (T * K), K };
}

/** [n, K]: `on` in the column of each label, `off` elsewhere. `on` and `off` are functions of row i. */
export function onOff(
  labels: Int32Array,
  classes: number,
  shape: Shape,
  on: (row: number) => number,
  off: (row: number) => number,
): Tensor {
  const values = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    values.fill(off(i), i * classes, (i + 1) * classes);
    values[i * classes + (labels[i] as number)] = on(i);
  }
  return tensor(values, { shape });
}

/** Weight of the class of each label; null without weights. */
export function weightsOf(
  where: string,
  weight: Tensor | null,
  labels: Int32Array,
  classes: number,
): Float32Array | null {
  checkOptionalShape(where, "weight", weight, [classes]);
  if (weight === null) return null;
  const weights = peek(weight);
  return Float32Array.from(labels, (label) => weights[label] as number);
}

/** Options of losses of spike counts whose classes may be populations of neurons. */
export interface ClassPopulationOptions {
  /**
   * C, the number of classes, if each is a population of K/C consecutive neurons: the count of a class is the number of spikes of its
   * population. By default each neuron is a class.
   */
  numClasses?: number | null;
}

/** Number of classes of K neurons. */
export function numberOfClasses(where: string, numClasses: number | null, K: number): number {
  if (numClasses === null) return K;
  numberOf(where, "numClasses", numClasses, COUNT);
  if (K % numClasses !== 0) throw wrongValue(where, `numClasses to divide ${K} neurons`, numClasses);
  return numClasses;
}

/** Spike count of each class, [T, B, …, K] → [B, …, C]. */
export function classCounts(spikes: Tensor, lengths: Int32Array | null, classes: number): Tensor {
  const counts = sumSteps(spikes, lengths);
  const K = counts.sizes[counts.ndim - 1] as number;
  if (classes === K) return counts;
  return sum(reshape(counts, [...counts.sizes.slice(0, -1), classes, K / classes]), { axis: -1 });
}

/** Number of steps of a row, at most T. */
export function stepsOfRows(lengths: Int32Array | null, T: number, rows: number): (row: number) => number {
  if (lengths === null) return () => T;
  const inner = rows / lengths.length;
  return (row) => lengths[Math.floor(row / inner)] as number;
}

/** Factors of the rows of an x [..., K], in the shape [..., 1]. */
export const ofRows = (factors: Float32Array, shape: Shape): Tensor =>
  reshape(perSample(factors, 1), [...shape.slice(0, -1), 1]);

/** A checked copy of spike times, [B, K] or [F, B, K], and their shape. */
export function timesGiven(where: string, y: Targets, neurons: Shape): { wanted: Float32Array; shape: Shape } {
  const values = numbersOf(where, "an array or a tensor of times", valuesIn(where, y));
  const count = values.length / sizeOf(neurons);
  const given: Shape = y instanceof Tensor ? y.sizes : count === 1 ? neurons : [count, ...neurons];
  const shape = given.length === neurons.length ? neurons : [count, ...neurons];
  if (!Number.isInteger(count) || count === 0 || !sameShape(given, shape)) {
    throw wrongValue(
      where,
      `times ${formatShape(neurons)}, or more of them`,
      y instanceof Tensor ? formatShape(given) : values.length,
    );
  }
  return { wanted: Float32Array.from(values), shape };
}
