/**
 * A compiled step over time. Consecutive equal steps with nothing in between are one call of the module, whose code
 * loops over time. The code of a run is compiled at its first use; steps that differ only in numbers share it.
 */

import { noGrad } from "../core/tape.ts";
import { streamBytes } from "../core/tensor.ts";
import { remembered } from "./evaluation.ts";
import { BoundRun, type Stretch } from "./loop.ts";
import { Plan, type WantedGradients } from "./plan.ts";
import { share } from "./share.ts";
import { evaluateFormulas, type SweepCall, SweepSteps } from "./sweeps.ts";
import type { Expression } from "./terms.ts";
import { derive, type StepDefinition, type Traced, trace } from "./trace.ts";

const compiled = new Map<string, SweepSteps>();

/** A traced step. */
export class Program {
  readonly traced: Traced;

  /** @throws TypeError if the step does something that a single column cannot, such as a sum. */
  constructor(definition: StepDefinition) {
    this.traced = trace(definition);
  }

  /** Compiles the step for these gradients, or for none; which values are saved depends on them. */
  compile(wanted: WantedGradients | null): Fused {
    const key = this.traced.key + JSON.stringify(wanted);
    const steps = remembered(compiled, key, () => new SweepSteps(new Plan(this.traced, wanted)));
    return new Fused(steps, this.traced);
  }
}

/** Most bound runs; one more replaces the oldest. */
const MOST_BOUND = 16;

/** A compiled step with its numbers and bound runs. */
export class Fused {
  readonly steps: SweepSteps;
  /** The step; its numbers may differ from those of the plan. */
  readonly traced: Traced;
  /** The bits of the numbers. */
  readonly numbers: Uint32Array;
  /** Bound runs; the key of each is eight numbers. */
  private readonly bound: BoundRun[] = [];
  private readonly keys: (readonly number[])[] = [];

  constructor(steps: SweepSteps, traced: Traced) {
    this.steps = steps;
    this.traced = traced;
    this.numbers = new Uint32Array(Float32Array.from(traced.numbers).buffer);
  }

  /** Number of arrays [T, rows, n] of numbers that forward saves. */
  get savedNumbers(): number {
    return this.steps.plan.savedNumbers;
  }

  /** Number of arrays that forward saves: numbers first, then bits. */
  get savedArrays(): number {
    return this.steps.plan.saved.length;
  }

  /** Bytes of saved array i with `size` values. */
  savedBytes(i: number, size: number): number {
    return i < this.steps.plan.savedNumbers ? 4 * size : streamBytes(size);
  }

  /** Index of the saved array that is the output of this name; −1 for none. */
  savedAt(name: string): number {
    const { plan } = this.steps;
    const at = plan.saved.indexOf(plan.outputs[plan.names.indexOf(name)] as Expression);
    return at < plan.savedNumbers ? at : -1;
  }

  /** For each input, whether backward reads it again. */
  get reads(): readonly boolean[] {
    return this.steps.plan.reads;
  }

  /**
   * A forward run of T steps over [rows, n] columns; bit i of `outputs` requests output i. `given`, `wanted`: masks of
   * states that do not start at 0, and of states requested at the end.
   */
  forward(T: number, rows: number, n: number, outputs: number, given: number, wanted: number): BoundRun {
    return this.of(FORWARD, T, rows, n, outputs, given, wanted, 0);
  }

  /**
   * A backward run of T steps. Masks: `outputs` and `last` say which outputs and last states have gradients, `wanted`
   * which first states need them, `given` as for forward. `modes` has two bits per input for how its gradient is
   * written: 0 not, 1 overwritten, 2 added, 3 overwritten as a leaf's gradient, without −0.
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
  ): BoundRun {
    const more = modes + last * (1 << (2 * this.traced.inputs.length));
    return this.of(BACKWARD, T, rows, n, outputs, given, wanted, more);
  }

  /** A bound run with this key that is not in use; binds a new one if necessary. */
  private of(kind: number, T: number, rows: number, n: number, a: number, b: number, c: number, d: number): BoundRun {
    const { bound, keys } = this;
    for (let i = 0; i < bound.length; i++) {
      const key = keys[i] as readonly number[];
      if (key[0] !== kind || key[1] !== T || key[2] !== rows || key[3] !== n) continue;
      if (key[4] !== a || key[5] !== b || key[6] !== c || key[7] !== d) continue;
      const run = bound[i] as BoundRun;
      if (!run.isOpen) return run;
    }
    return this.bind(kind, T, rows, n, a, b, c, d);
  }

  private bind(kind: number, T: number, rows: number, n: number, a: number, b: number, c: number, d: number): BoundRun {
    const { bound, keys, steps } = this;
    const { plan } = steps;
    const { inputs } = this.traced;
    const modes = () => inputs.map((_, i) => Math.floor(d / (1 << (2 * i))) % 4);
    const leaves = () => plan.found.some((found, i) => found && (c >> i) & 1);
    const calls =
      kind === FORWARD
        ? steps.forward(T, a, b === 0, leaves())
        : steps.backward(T, a, modes(), Math.floor(d / (1 << (2 * inputs.length))), c);
    const direction = kind === FORWARD ? 1 : -1;
    const run = new BoundRun(plan, this.numbers, { T, rows, n, direction, calls, given: b, wanted: c });
    if (bound.length === MOST_BOUND) {
      bound.shift();
      keys.shift();
    }
    bound.push(run);
    keys.push([kind, T, rows, n, a, b, c, d]);
    return run;
  }
}

const [FORWARD, BACKWARD] = [0, 1];

/**
 * A step over the rows of matrices: row t of a matrix is the array of step t. Synaptic rules use it for weights [out,
 * in]. Presynaptic values, which all rows share, have stride 0. Postsynaptic values, which all columns of a row share,
 * are the step's `shared` inputs.
 *
 * Addresses of arrays remain set until they are set again. A run allocates no objects.
 */
export class Rows {
  private readonly steps: SweepSteps;
  private readonly bound: BoundRun;

  /** Runs the step over rows of at most `widest` columns. `take` allocates its memory, once. */
  constructor({ steps, traced, numbers }: Fused, widest: number, take: (bytes: number) => number) {
    const { names } = steps.plan;
    const outputs = names.reduce((mask, name, i) => mask | (Number(!traced.definition.states.includes(name)) << i), 0);
    const calls = steps.forward(1, outputs, false, false);
    const course = { T: 1, rows: 1, n: widest, direction: 1, calls, given: -1, wanted: -1 } as const;
    this.steps = steps;
    this.bound = new BoundRun(steps.plan, numbers, course);
    this.bound.begin(take);
    // The step has no parameters, so terms of parameters are terms of numbers.
    const constants = noGrad(() => derive(traced, {}).map((t) => t.toFloat32Array()));
    constants.forEach((values, i) => this.bound.parameter(i, values));
  }

  /** Place of an input; −1 if the step does not read it. */
  inputPlace(name: string): number {
    const { places, traced } = this.steps.plan;
    const i = traced.definition.inputs.indexOf(name);
    return places.get("input")?.[i] ?? places.get("shared")?.[i] ?? -1;
  }

  outputPlace(name: string): number {
    return this.steps.plan.places.get("output")?.[this.steps.plan.names.indexOf(name)] ?? -1;
  }

  /** Place of a state that passes from row to row, [n]. */
  statePlace(name: string): number {
    return this.steps.plan.places.get("to")?.[this.steps.plan.traced.definition.states.indexOf(name)] ?? -1;
  }

  /** Place of the list of columns, as byte offsets in a row; −1 for steps without one. */
  get listPlace(): number {
    return this.steps.plan.places.get("list")?.[0] ?? -1;
  }

  /** Sets the address of an array, and the number of values between rows. */
  note(place: number, at: number, stride: number): void {
    if (place >= 0) this.bound.note(place, at, 4 * stride);
  }

  /** Runs `count` rows from `first` on, with n columns. */
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
