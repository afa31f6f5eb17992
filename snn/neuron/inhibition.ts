/**
 * Winner takes all: in each step the neurons of the last axis compete, and only the winner may fire. Before each step a
 * program computes scores from the states, and the step reads the winners as a further input.
 */

import { peek, recycle } from "../../engine/extend.ts";
import { type Before, onTensors } from "../../engine/fuse/index.ts";
import { noGrad, type Tensor, zeros } from "../../engine/index.ts";
import { memory } from "../../engine/lasting.ts";
import { allocateInScope } from "../../engine/unchecked.ts";
import { WINNER } from "./names.ts";
import type { CompiledNeuron } from "./op.ts";
import type { LoopValue, Named } from "./parameters.ts";
import { columnCount, NeuronRun, noteParameters, type Pass, type StepCode } from "./run.ts";

/** Writes 1 at the largest of each n scores; the first of equal scores wins. */
function markWinners(fires: Float32Array, scores: Float32Array, n: number): void {
  for (let row = 0; row < scores.length; row += n) fires[row + largest(scores, row, n)] = 1;
}

/** A run of neurons that compete: before each step it chooses the winners from the current states. */
export class RivalRun extends NeuronRun {
  private readonly scores: CompiledNeuron;
  private readonly rivals: readonly LoopValue[];
  private choose: Before | null = null;
  private isDecided = false;

  /** `rivals` are the parameters of the loop of the scores; the run has one further tensor, of zeros, for the winners. */
  constructor(scores: CompiledNeuron, rivals: readonly LoopValue[], ...run: ConstructorParameters<typeof NeuronRun>) {
    super(...run);
    this.scores = scores;
    this.rivals = rivals;
  }

  /** First runs the steps one by one without gradients, and keeps the winners. */
  protected override execute(code: StepCode, main: number, last: readonly Tensor[], other?: number, to?: number): void {
    const { plain } = this.neuron;
    if (!this.isDecided) {
      this.isDecided = true;
      this.choose = this.chooser(last);
      super.execute(plain, main, last);
      this.choose = null;
      if (code === plain) return;
    }
    super.execute(code, main, last, other, to);
  }

  protected override sweep(pass: Pass): void {
    pass.run(this.choose);
  }

  /** The winners are a second input of the step: 1 where a neuron may fire, else 0. */
  override note(pass: Pass, saved: readonly number[]): void {
    super.note(pass, saved);
    pass.input(1, (this.others[0] as Tensor).ptr, this.size);
  }

  /** Returns the function that marks the neurons that may fire in step t. Each step overwrites the tensors in `states`. */
  private chooser(states: readonly Tensor[]): Before {
    const { scores, rivals, others, input, current, T, size } = this;
    const columns = columnCount(scores.op.name, rivals, size);
    const n = current.sizes[current.sizes.length - 1] as number;
    const pass = scores.oneStep(size / columns, columns);
    const step = input === current && T > 1 ? size : 0;
    return (t) => {
      const found = allocateInScope(4 * size);
      pass.begin();
      try {
        noteParameters(pass, rivals);
        pass.input(0, input.ptr + 4 * t * step, 0);
        for (let i = 0; i < states.length; i++) pass.state(i, (states[i] as Tensor).ptr, (states[i] as Tensor).ptr);
        pass.output(scores.mainAt, found);
        pass.run();
      } finally {
        pass.end();
      }
      const values = new Float32Array(memory.buffer, found, size);
      const fires = new Float32Array(memory.buffer, (others[0] as Tensor).ptr + 4 * t * size, size);
      markWinners(fires, values, n);
      recycle(found, 4 * size);
    };
  }
}

/** The index of the largest of n values from `start` on, the first if several are equal; NaN is the largest. */
function largest(values: Float32Array, start: number, n: number): number {
  let best = 0;
  for (let j = 1; j < n; j++) {
    const [x, most] = [values[start + j] as number, values[start + best] as number];
    if (x > most || (Number.isNaN(x) && !Number.isNaN(most))) best = j;
  }
  return best;
}

/** Chooses the winners of steps on tensors, for the float64 kernels of `gradcheck`. */
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
