/**
 * A step that runs over the rows of matrices: row t of a matrix is its array of step t. Rules for synapses use it, whose weights
 * are a matrix [out, in]: what all rows share, of the neurons before, has a stride of 0; what all columns of a row share, of the
 * neuron behind, are the inputs that the step calls `shared`.
 *
 * Arrays are noted once and stay, each until it is noted anew; a run makes no object.
 */
import { noGrad } from "../tape.ts";
import { Bound, type Stretch } from "./loop.ts";
import type { Fused } from "./program.ts";
import type { SweepSteps } from "./steps.ts";
import { evaluateFormulas, type SweepCall } from "./sweeps.ts";
import { derive } from "./trace.ts";

export class Rows {
  private readonly steps: SweepSteps;
  private readonly bound: Bound;

  /** The step over the rows of matrices of at most `widest` columns; memory for itself is taken once, from `take`. */
  constructor({ steps, traced, numbers }: Fused, widest: number, take: (bytes: number) => number) {
    const { names } = steps.plan;
    const outputs = names.reduce((mask, name, i) => mask | (Number(!traced.definition.states.includes(name)) << i), 0);
    const calls = steps.forward(1, outputs, false, false);
    const course = { T: 1, rows: 1, n: widest, direction: 1, calls, given: -1, wanted: -1 } as const;
    this.steps = steps;
    this.bound = new Bound(steps.plan, numbers, course);
    this.bound.begin(take);
    // The step has no parameters: terms of parameters are terms of its numbers.
    const constants = noGrad(() => derive(traced, {}).map((t) => ({ values: t.toFloat32Array() })));
    constants.forEach(({ values }, i) => this.bound.constant(i, values));
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
    if (place >= 0) this.bound.note(place, at, 4 * stride);
  }

  /** Runs `count` rows from `first` on, of n columns. */
  run(first: number, count: number, n: number): void {
    const { at, tempsAt, stretches } = this.bound;
    const { calls } = stretches[0] as Stretch;
    const [only] = calls as [SweepCall];
    if (calls.length === 1 && only.formulas.length === 0) {
      only.run(at, first, count, 1, 1, n, n, n);
      return;
    }
    for (let t = first; t < first + count; t++) {
      for (const call of calls) {
        call.run(at, t, 1, 1, 1, n, n, n);
        evaluateFormulas(call.formulas, tempsAt, n);
      }
    }
  }
}
