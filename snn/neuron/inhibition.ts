/**
 * Winner takes all: in each step the neurons of the last axis compete, and the winner alone may fire. Before each step a program computes
 * scores from the states, and the step takes the winners as a further input.
 */

import { peek, recycle } from "../../engine/extend.ts";
import { allOf, type Before, onTensors } from "../../engine/fuse/index.ts";
import { noGrad, type Tensor, zeros } from "../../engine/index.ts";
import { memory } from "../../engine/lasting.ts";
import { allocate } from "../../engine/unchecked.ts";
import { WINNER } from "./names.ts";
import type { Competition, CompiledNeuron, StepRun } from "./op.ts";
import { columnCount, type LoopValue, type Named, noteParameters } from "./parameters.ts";

/** Writes 1 at the largest one of each n scores, of equal ones at the first. */
function markWinners(fires: Float32Array, scores: Float32Array, n: number): void {
  for (let row = 0; row < scores.length; row += n) fires[row + largest(scores, row, n)] = 1;
}

/** Chooses the winners of a run: before each step, from the states that the step before has left. */
export class Rivals implements Competition {
  private readonly scores: CompiledNeuron;
  private readonly parameters: readonly LoopValue[];
  /** Neurons of the last axis, which compete. */
  private readonly n: number;

  /** `parameters` belong to the loop of the scores. */
  constructor(scores: CompiledNeuron, parameters: readonly LoopValue[], n: number) {
    this.scores = scores;
    this.parameters = parameters;
    this.n = n;
  }

  /** The function that writes who may fire in step t, 1 or 0 in the shape of the current. The states lie in `states`, which each step overwrites. */
  choose({ current, input, T, size }: StepRun, winner: Tensor, states: readonly Tensor[]): Before {
    const { scores, parameters, n } = this;
    const columns = columnCount(scores.name, parameters, size);
    const all = allOf(states.length);
    const bound = scores.plain.forward(1, size / columns, columns, 1 << scores.mainAt, all, all);
    const step = input === current && T > 1 ? size : 0;
    return (t) => {
      const found = allocate(4 * size);
      bound.begin();
      try {
        noteParameters(bound, parameters);
        bound.input(0, input.ptr + 4 * t * step, 0);
        for (let i = 0; i < states.length; i++) bound.state(i, (states[i] as Tensor).ptr, (states[i] as Tensor).ptr);
        bound.output(scores.mainAt, found);
        bound.run();
      } finally {
        bound.end();
      }
      const values = new Float32Array(memory.buffer, found, size);
      const fires = new Float32Array(memory.buffer, winner.ptr + 4 * t * size, size);
      markWinners(fires, values, n);
      recycle(found, 4 * size);
    };
  }
}

/** The place of the largest of n values from `start` on, of equal ones the first; NaN is the largest. */
function largest(values: Float32Array, start: number, n: number): number {
  let best = 0;
  for (let j = 1; j < n; j++) {
    const [x, most] = [values[start + j] as number, values[start + best] as number];
    if (x > most || (Number.isNaN(x) && !Number.isNaN(most))) best = j;
  }
  return best;
}

/** The function that chooses the winners of steps on tensors, for the float64 kernels of `gradcheck`. */
export const winnersOnTensors =
  (scores: CompiledNeuron, parameters: Named) =>
  ({ current }: Named, states: Named): Named => {
    const { sizes } = current as Tensor;
    const winner = zeros(sizes);
    noGrad(() => {
      const { traced } = scores.program;
      const from = scores.states.map((name) => states[name] as Tensor);
      const { outputs } = onTensors(traced, current as Tensor, sizes, from, parameters);
      markWinners(peek(winner), peek(outputs[scores.main] as Tensor), sizes[sizes.length - 1] as number);
    });
    return { [WINNER]: winner };
  };
