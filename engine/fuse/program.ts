/**
 * A compiled step over time. Equal steps that need nothing between them are one call of the module, whose code loops over time. The code of a
 * run is compiled when a run first needs it, once for all steps that differ in numbers alone.
 */

import { noGrad } from "../tape.ts";
import { streamBytes } from "../tensor.ts";
import { remembered } from "./evaluation.ts";
import { Bound, type Stretch } from "./loop.ts";
import { Plan, type Wanted } from "./plan.ts";
import { share } from "./share.ts";
import { evaluateFormulas, type SweepCall, SweepSteps } from "./sweeps.ts";
import type { Expression } from "./terms.ts";
import { derive, type StepDefinition, type Traced, trace } from "./trace.ts";

const compiled = new Map<string, SweepSteps>();

/** A step that has been traced. */
export class Program {
  readonly traced: Traced;

  /** @throws TypeError where the step does something that no column can, such as a sum. */
  constructor(definition: StepDefinition) {
    this.traced = trace(definition);
  }

  /** The step with these gradients wanted, or none; the saved values depend on these. */
  compile(wanted: Wanted | null): Fused {
    const key = this.traced.key + JSON.stringify(wanted);
    const steps = remembered(compiled, key, () => new SweepSteps(new Plan(this.traced, wanted)));
    return new Fused(steps, this.traced);
  }
}

/** Runs of a step that are bound at a time; a further one takes the place of the first. */
const MOST_BOUND = 16;

/** A compiled step with its numbers, and its runs. */
export class Fused {
  readonly steps: SweepSteps;
  /** The step, whose numbers may be others than those that the plan was made of. */
  readonly traced: Traced;
  /** The bits of the numbers. */
  readonly numbers: Uint32Array;
  /** Runs, and for each of them eight numbers that say which it is. */
  private readonly bound: Bound[] = [];
  private readonly keys: (readonly number[])[] = [];

  constructor(steps: SweepSteps, traced: Traced) {
    this.steps = steps;
    this.traced = traced;
    this.numbers = new Uint32Array(Float32Array.from(traced.numbers).buffer);
  }

  /** How many arrays [T, rows, n] of numbers forward saves. */
  get savedNumbers(): number {
    return this.steps.plan.savedNumbers;
  }

  /** How many arrays forward saves, of numbers first, then of bits. */
  get savedArrays(): number {
    return this.steps.plan.saved.length;
  }

  /** The bytes of array i that forward saves, of `size` values. */
  savedBytes(i: number, size: number): number {
    return i < this.steps.plan.savedNumbers ? 4 * size : streamBytes(size);
  }

  /** Which of the numbers that are saved are the output of this name, −1 for none. */
  savedAt(name: string): number {
    const { plan } = this.steps;
    const at = plan.saved.indexOf(plan.outputs[plan.names.indexOf(name)] as Expression);
    return at < plan.savedNumbers ? at : -1;
  }

  /** For each input, whether backward reads it again. */
  get reads(): readonly boolean[] {
    return this.steps.plan.reads;
  }

  /** Whether the gradient of the packed output matters at some elements alone: its derivative is 0 at others. */
  get hasSupport(): boolean {
    return this.steps.plan.support !== null;
  }

  /**
   * The run of T steps forward over [rows, n] columns, to the outputs in a mask, bit i for output i. `given`, `wanted`: masks of states that
   * do not start at 0, and of those that are wanted at the end.
   */
  forward(T: number, rows: number, n: number, outputs: number, given: number, wanted: number): Bound {
    return this.of(FORWARD, T, rows, n, outputs, given, wanted, 0);
  }

  /**
   * The run of T steps backward, from gradients of the outputs in a mask and of the last states in the mask `last`, to inputs, two bits of
   * `modes` each (0 none, 1 written, 2 added), and to the first states in the mask `wanted`. `given` as for forward.
   */
  backward(
    T: number,
    rows: number,
    n: number,
    outputs: number,
    given: number,
    wanted: number,
    last: number,
    modes: number,
  ): Bound {
    const more = modes + last * (1 << (2 * this.traced.inputs.length));
    return this.of(BACKWARD, T, rows, n, outputs, given, wanted, more);
  }

  /** The run that marks where the derivative is not 0, from arrays that a forward run of these sizes has saved. */
  support(T: number, rows: number, n: number, given: number): Bound {
    return this.of(SUPPORT, T, rows, n, 0, given, 0, 0);
  }

  /** The run of this key, bound where there is none that is free. */
  private of(kind: number, T: number, rows: number, n: number, a: number, b: number, c: number, d: number): Bound {
    const { bound, keys } = this;
    for (let i = 0; i < bound.length; i++) {
      const key = keys[i] as readonly number[];
      if (key[0] !== kind || key[1] !== T || key[2] !== rows || key[3] !== n) continue;
      if (key[4] !== a || key[5] !== b || key[6] !== c || key[7] !== d) continue;
      const run = bound[i] as Bound;
      if (!run.isOpen) return run;
    }
    return this.bind(kind, T, rows, n, a, b, c, d);
  }

  private bind(kind: number, T: number, rows: number, n: number, a: number, b: number, c: number, d: number): Bound {
    const { bound, keys, steps } = this;
    const { plan } = steps;
    const { inputs } = this.traced;
    const modes = () => inputs.map((_, i) => Math.floor(d / (1 << (2 * i))) % 4);
    const leaves = () => plan.found.some((found, i) => found && (c >> i) & 1);
    const calls =
      kind === FORWARD
        ? steps.forward(T, a, b === 0, leaves())
        : kind === SUPPORT
          ? steps.support(T)
          : steps.backward(T, a, modes(), Math.floor(d / (1 << (2 * inputs.length))), c);
    const direction = kind === FORWARD ? 1 : -1;
    const wanted = kind === SUPPORT ? -1 : c;
    const run = new Bound(plan, this.numbers, { T, rows, n, direction, calls, given: b, wanted });
    if (bound.length === MOST_BOUND) {
      bound.shift();
      keys.shift();
    }
    bound.push(run);
    keys.push([kind, T, rows, n, a, b, c, d]);
    return run;
  }
}

const [FORWARD, BACKWARD, SUPPORT] = [0, 1, 2];

/**
 * A step that runs over the rows of matrices: row t of a matrix is its array of step t. Rules for synapses use it, whose weights
 * are a matrix [out, in]: values that all rows share, of the neurons before, have a stride of 0; values that all
 * columns of a row share, of the neuron behind, are the inputs that the step calls `shared`.
 *
 * Arrays are noted once and stay, each until it is noted anew; a run makes no object.
 */
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
      if (share?.(this.bound, only, first, count, 1, 1, n)) return;
      only.run(at, first, count, 1, 1, n, n, n, 0, n);
      return;
    }
    for (let t = first; t < first + count; t++) {
      for (const call of calls) {
        call.run(at, t, 1, 1, 1, n, n, n, 0, n);
        evaluateFormulas(call.formulas, tempsAt, n);
      }
    }
  }
}
