/**
 * Winner takes all: in each step the neurons of the last axis compete, and the winner alone may fire. Before each step a program computes
 * scores from the states, and the step takes the winners as a further input.
 */
import { onTensors } from "../../engine/fuse/in-reference.ts";
import { allOf, type Before } from "../../engine/fuse/index.ts";
import { arange, noGrad, stack, type Tensor } from "../../engine/index.ts";
import { allocate, recycle, scope } from "../../engine/scope.ts";
import { memory } from "../../engine/wasm.ts";
import { columnsOf, type LoopValue, noteParameters } from "./loop.ts";
import type { Competition, CompiledNeuron, StepRun } from "./op.ts";

/** 1 at the neuron with the largest score of the last axis, of equal ones at the first, else 0. */
function winnersOf(scores: Tensor): Tensor {
  const n = scores.sizes[scores.ndim - 1] as number;
  return scores.argmax({ axis: -1, keepdim: true }).eq(arange(0, n));
}

/** Chooses the winners of a run: before each step, from the states that the step before has left. */
export class Rivals implements Competition {
  private readonly scores: CompiledNeuron;
  private readonly parameters: readonly LoopValue[];
  /** Neurons of the last axis, which compete. */
  private readonly n: number;

  /** `parameters` are those of the loop of the scores. */
  constructor(scores: CompiledNeuron, parameters: readonly LoopValue[], n: number) {
    this.scores = scores;
    this.parameters = parameters;
    this.n = n;
  }

  /** The function that writes who may fire in step t, 1 or 0 in the shape of the current. The states lie in `states`, which each step overwrites. */
  choose({ current, input, T, size }: StepRun, winner: Tensor, states: readonly Tensor[]): Before {
    const { scores, parameters, n } = this;
    const columns = columnsOf(scores.name, parameters, size);
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
      for (let row = 0; row < size; row += n) fires[row + largest(values, row, n)] = 1;
      recycle(found, 4 * size, scope.region);
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

/** The steps on tensors, for the float64 kernels of `gradcheck`. */
export function rivalsOnTensors(
  neuron: CompiledNeuron,
  scores: CompiledNeuron,
  { inputs, states: from, parameters }: Parameters<typeof onTensors>[1],
): ReturnType<typeof onTensors> {
  let states = from ?? {};
  const steps = (inputs.current as Tensor).unbind(0).map((x) => {
    const input = x.unsqueeze(0);
    const run = onTensors(scores.program.traced, { inputs: { current: input }, states, parameters });
    const winner = noGrad(() => winnersOf(run.outputs[scores.main] as Tensor));
    const next = onTensors(neuron.program.traced, { inputs: { current: input, winner }, states, parameters });
    states = next.states;
    return next.outputs;
  });
  const names = Object.keys(steps[0] as object);
  const outputs = names.map((name) => [name, stack(steps.map((step) => (step[name] as Tensor).squeeze(0)))] as const);
  return { outputs: Object.fromEntries(outputs), states };
}
