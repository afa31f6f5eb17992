/** Runs of a plastic layer on spikes that a golden file holds, with its traces and its weight after each step. */
import { type Conv1d, type Conv2d, Linear, type Plastic, stack, type Tensor } from "jarvis-snn";
import { expectClose, withinLargest } from "../support/close.ts";
import { type GoldenTensor, numbersOf, toTensor } from "../support/golden.ts";

/** A layer with this weight and no bias. */
export function linearOf(weight: Tensor): Linear {
  const [outputs, inputs] = weight.shape as [number, number];
  return withWeight(new Linear(inputs, outputs, { bias: false }), weight);
}

export function withWeight<Layer extends Linear | Conv1d | Conv2d>(layer: Layer, weight: Tensor): Layer {
  layer.weight.copyFrom(weight);
  return layer;
}

/** [in, out] of a peer, for a weight [out, in], and the other way round. */
export function transposed({ shape, data }: GoldenTensor): Tensor {
  return toTensor({ shape, data }).transpose(0, 1).clone();
}

/** The weight and traces of a connection after each step, [T, …]. */
export class Recorder {
  private readonly all: Record<string, Tensor[]> = {};

  /** Keeps copies: steps write in place. */
  note(tensors: Readonly<Record<string, Tensor>>): void {
    for (const [name, t] of Object.entries(tensors)) {
      this.all[name] ??= [];
      this.all[name].push(t.detach().clone());
    }
  }

  /** Compares what was noted with what the peer has, each value to 1e-5 of the largest. */
  compare(where: string, name: string, expected: GoldenTensor): void {
    const steps = this.all[name];
    if (steps === undefined) throw new Error(`${where}: expected a record of ${name}`);
    expectClose(`${where}: ${name}`, stack(steps), expected, withinLargest(expected, 1e-5), "states");
  }
}

/** Steps through spikes [T, B, …] of both sides, which are given. */
export function runSteps(
  plastic: Plastic,
  before: GoldenTensor,
  behind: GoldenTensor,
  note: (traces: Readonly<Record<string, Tensor>>) => void,
): void {
  const [pre, post] = [toTensor(before).unbind(0), toTensor(behind).unbind(0)];
  let state = plastic.initialState((pre[0] as Tensor).shape);
  for (const [t, spikes] of pre.entries()) {
    state = plastic.step(spikes, post[t] as Tensor, state);
    note(state.traces);
  }
}

/** Bounds [low, high], or none where both are infinite. */
export function boundsOf(low: number | string, high: number | string): { bounds?: readonly [number, number] } {
  const [a, b] = numbersOf({ shape: [2], data: [low, high], dtype: "float64" }) as [number, number];
  return a === -Infinity && b === Infinity ? {} : { bounds: [a, b] };
}
