/**
 * Winner takes all: in each step the neurons of the last axis compete, and the winner alone may fire. Between two steps of a
 * compiled neuron lies an op over all of them: a first program computes their scores, the op finds the winners, and the step takes
 * these as an input.
 */
import { onTensors } from "../engine/backend.ts";
import { derive } from "../engine/fuse/index.ts";
import { arange, noGrad, stack, type Tensor } from "../engine/index.ts";
import { formatShape, type Shape } from "../engine/shape.ts";
import type { CompiledNeuron, Operands, Passage } from "./neuron-op.ts";
import { runNeuron } from "./neuron-op.ts";

type Named = Readonly<Record<string, Tensor>>;

/** Throws unless a step of this shape has one axis of neurons, behind that of a batch or none: on a map all neurons would have to compete. */
export function checkRivals(where: string, step: Shape): void {
  if (step.length === 1 || step.length === 2) return;
  const hint = step.length > 2 ? "; flatten the axes of the neurons that compete" : "";
  throw new RangeError(`${where}: inhibition needs currents [T, B, N], got steps of shape ${formatShape(step)}${hint}`);
}

/** 1 at the neuron with the largest score of the last axis, of equal ones at the first, else 0. */
function winnersOf(scores: Tensor): Tensor {
  const n = scores.sizes[scores.ndim - 1] as number;
  return scores.argmax({ axis: -1, keepdim: true }).eq(arange(0, n));
}

/**
 * Runs the steps of neurons that compete, one after the other. `parameters` are those of the layer by their names, the ones of
 * `operands` those of the loop; `shape` is that of a step.
 */
export function runRivals(
  neuron: CompiledNeuron,
  scores: CompiledNeuron,
  operands: Operands,
  parameters: Named,
  shape: Shape,
): Passage[] {
  const own = noGrad(() => derive(scores.program.traced, parameters));
  let { from } = operands;
  const steps = operands.T === 1 ? [operands.current.reshape(shape)] : operands.current.unbind(0);
  return steps.map((current) => {
    const before = { current, T: 1, from };
    const winner = noGrad(() => winnersOf(runNeuron(scores, { ...before, parameters: own }, [scores.main], null).z));
    const taken = { ...before, parameters: operands.parameters, winner };
    const passage = runNeuron(neuron, taken, neuron.outputs, shape);
    from = passage.last;
    return passage;
  });
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
