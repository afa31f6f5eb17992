/** Pads sequences of different lengths to one batch, with the lengths for losses and readouts over time. */
import { NUMBER, numberOf, numbersOf, withDefaults, wrongType, wrongValue } from "../arguments.ts";
import { composed } from "../core/tape.ts";
import { alive, emptyOf, peek, Tensor } from "../core/tensor.ts";
import { steady } from "../foreign.ts";
import { stack } from "../ops/layout.ts";
import { pad } from "../ops/pad.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";

/** Options of {@link padSequences}. */
export interface PadSequencesOptions {
  /** Shape of one time step, for sequences that are arrays; default []: each value is a step. */
  shape?: readonly number[];
  /** Value of the steps after the end of a sequence; default 0. */
  value?: number;
}

/** Sequences in one tensor, with their lengths. */
export interface PaddedSequences {
  /** All sequences, time first: [T, B, …], where T is the largest length. */
  x: Tensor;
  /** Number of steps of each sequence, [B]. */
  lengths: Int32Array;
}

const WHERE = "padSequences";
const DEFAULTS: Required<PadSequencesOptions> = { shape: [], value: 0 };

/**
 * Pads sequences of different lengths to one tensor, and returns their lengths for readouts and losses over time.
 *
 * x[t, b] = sequences[b][t] for t < lengths[b], else `value`. Each tensor gets its part of the gradient.
 *
 * Shapes: B tensors [Tᵢ, …], or B arrays with Tᵢ consecutive steps of `shape` → x [T, B, …], T = max Tᵢ; lengths [B]. This is PyTorch's
 * `pad_sequence`, which also has time first.
 *
 * @throws RangeError without sequences, for tensors whose steps have different shapes, or arrays that do not divide into steps; TypeError for
 *   anything but a list of tensors or a list of arrays of numbers.
 *
 * @example
 * ```ts
 * import { padSequences, tensor } from "jarvis-snn";
 *
 * const { x, lengths } = padSequences([tensor([1, 2, 3]), tensor([4])]);
 * console.log(x.toArray(), lengths); // [ [ 1, 4 ], [ 2, 0 ], [ 3, 0 ] ] Int32Array(2) [ 3, 1 ]
 * ```
 */
export function padSequences(
  sequences: readonly Tensor[] | readonly ArrayLike<number>[],
  options: PadSequencesOptions = DEFAULTS,
): PaddedSequences {
  const given = withDefaults(WHERE, DEFAULTS, options);
  const value = numberOf(WHERE, "value", given.value, NUMBER);
  const step = checkShape(WHERE, given.shape);
  if (!Array.isArray(sequences)) throw wrongType(WHERE, "a list of sequences", sequences);
  const list = Array.from(sequences as readonly (Tensor | ArrayLike<number>)[]);
  if (list.length === 0) throw wrongValue(WHERE, "at least one sequence", "none");
  if (list.some((sequence) => sequence instanceof Tensor)) return composed(padTensors, list as Tensor[], value);
  return padArrays(list as ArrayLike<number>[], step, value);
}

function padTensors(list: readonly Tensor[], value: number): PaddedSequences {
  const [first] = list as readonly [Tensor];
  for (const sequence of list) {
    alive(sequence, WHERE);
    if (sequence.ndim === 0) throw wrongValue(WHERE, "sequences [T, …]", "[]");
    if (sameShape(sequence.sizes.slice(1), first.sizes.slice(1))) continue;
    const got = `${formatShape(first.sizes)} and ${formatShape(sequence.sizes)}`;
    throw wrongValue(WHERE, "steps of one shape", got);
  }
  const lengths = Int32Array.from(list, (sequence) => sequence.sizes[0] as number);
  const T = lengths.reduce((most, n) => Math.max(most, n), 0);
  // The last pair of `padding` belongs to the first axis.
  const padded = list.map((sequence, b) => {
    const after = T - (lengths[b] as number);
    return pad(sequence, [...new Array<number>(2 * sequence.ndim - 1).fill(0), after], value);
  });
  return { x: stack(padded, 1), lengths };
}

function padArrays(list: readonly ArrayLike<number>[], step: Shape, value: number): PaddedSequences {
  const size = sizeOf(step);
  const values = list.map((sequence) =>
    steady(numbersOf(WHERE, "a list of tensors or of arrays of numbers", sequence)),
  );
  const lengths = Int32Array.from(values, ({ length }, b) => {
    if (length > 0 && length % size === 0) return length / size;
    throw wrongValue(WHERE, `whole steps of ${size} values, one at least`, `${length} values at ${b}`);
  });
  const T = lengths.reduce((most, n) => Math.max(most, n), 0);
  const B = list.length;
  const x = emptyOf([T, B, ...step]);
  const data = peek(x).fill(value);
  values.forEach((sequence, b) => {
    for (let from = 0, to = b * size; from < sequence.length; from += size, to += B * size) {
      for (let i = 0; i < size; i++) data[to + i] = sequence[from + i] as number;
    }
  });
  return { x, lengths };
}
