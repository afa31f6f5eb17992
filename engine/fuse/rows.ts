/**
 * A step that runs over the rows of matrices: row t of a matrix is its array of step t. Rules for synapses use it, whose weights
 * are a matrix [out, in]: what all rows share, of the neurons before, has a stride of 0; what all columns of a row share, of the
 * neuron behind, are the inputs that the step calls `shared`.
 *
 * Arrays are noted once and stay, each until it is noted anew; a run makes no object.
 */
import { simd } from "../backend.ts";
import { noGrad } from "../tape.ts";
import { Arrays } from "./arrays.ts";
import type { Fused } from "./program.ts";
import type { Steps } from "./steps.ts";
import { type Call, evaluate } from "./sweeps.ts";
import { derive } from "./trace.ts";

const NOTHING = { T: 1, rows: 1, inputs: [], parameters: [], from: [], saved: [] };

export class Rows {
  private readonly steps: Steps;
  private readonly arrays: Arrays;
  private readonly calls: readonly Call[];

  /** The step over the rows of matrices of at most `widest` columns; memory for itself is taken once, from `take`. */
  constructor({ steps, traced, numbers }: Fused, widest: number, take: (bytes: number) => number) {
    const { names } = steps.plan;
    const outputs = names.reduce((mask, name, i) => mask | (Number(!traced.definition.states.includes(name)) << i), 0);
    this.steps = steps;
    this.calls = steps.forward(1, outputs, false, false)[0] as readonly Call[];
    // The step has no parameters: what is derived is made of its numbers.
    const parameters = noGrad(() =>
      derive(traced, {}).map((t) => {
        const at = take(4);
        simd.kernels.copy(at, t.ptr, 1);
        return at;
      }),
    );
    this.arrays = new Arrays(steps.plan, numbers, { ...NOTHING, parameters, n: widest }, take);
  }

  /** The place of an input, or −1 where the step does not read it. */
  inputPlace(name: string): number {
    const { places, traced } = this.steps.plan;
    const i = traced.definition.inputs.indexOf(name);
    return places.get("input")?.[i] ?? places.get("shared")?.[i] ?? -1;
  }

  outputPlace(name: string): number {
    return this.steps.plan.places.get("output")?.[this.steps.plan.names.indexOf(name)] ?? -1;
  }

  /** Of a state that goes from row to row, [n]. */
  statePlace(name: string): number {
    return this.steps.plan.places.get("to")?.[this.steps.plan.traced.definition.states.indexOf(name)] ?? -1;
  }

  /** Of the list of columns, as bytes from the start of a row; −1 for steps without. */
  get listPlace(): number {
    return this.steps.plan.places.get("list")?.[0] ?? -1;
  }

  /** Notes where an array lies, and how many values it is from a row to the next. */
  note(place: number, at: number, stride: number): void {
    if (place >= 0) this.arrays.write(place, at, stride);
  }

  /** Runs `count` rows from `first` on, of n columns. */
  run(first: number, count: number, n: number): void {
    const { descriptor, temps } = this.arrays;
    const [only, ...others] = this.calls as [Call];
    if (others.length === 0 && only.formulas.length === 0) {
      only.run(descriptor, first, count, 1, 1, n, n, n);
      return;
    }
    for (let t = first; t < first + count; t++) {
      for (const call of this.calls) {
        call.run(descriptor, t, 1, 1, 1, n, n, n);
        evaluate(call.formulas, temps, n);
      }
    }
  }
}
