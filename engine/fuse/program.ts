/**
 * A compiled step over time. Time is a loop in TypeScript: a call for a step costs some tens of nanoseconds. The code of a run is compiled
 * when a run first needs it, once for all steps that differ in numbers alone.
 */
import { streamBytes } from "../tensor.ts";
import { remembered } from "./evaluation.ts";
import { Bound, type Course } from "./loop.ts";
import { Plan, type Wanted } from "./plan.ts";
import { type Mode, SweepSteps } from "./steps.ts";
import type { Expression } from "./terms.ts";
import { type StepDefinition, type Traced, trace } from "./trace.ts";

const compiled = new Map<string, SweepSteps>();

/** A step that has been traced. */
export class Program {
  readonly traced: Traced;

  /** @throws TypeError where the step does what a column cannot. */
  constructor(definition: StepDefinition) {
    this.traced = trace(definition);
  }

  /** The step with these gradients wanted, or none; what it saves depends on it. */
  compile(wanted: Wanted | null): Fused {
    const key = this.traced.key + JSON.stringify(wanted);
    const steps = remembered(compiled, key, () => new SweepSteps(new Plan(this.traced, wanted)));
    return new Fused(steps, this.traced);
  }
}

/** Runs of a step that are bound at a time; a further one takes the place of the first. */
const MOST_BOUND = 16;

/** How {@link Fused.backward} gives the gradient of an input, by its number. */
const MODES: readonly Mode[] = ["none", "write", "add"];

/** A compiled step with its numbers, and its runs. */
export class Fused {
  readonly steps: SweepSteps;
  /** The step, whose numbers may be others than those that the plan was made of. */
  readonly traced: Traced;
  /** The bits of the numbers. */
  readonly numbers: Uint32Array;
  /** Runs, and for each of them eight numbers that say which it is. */
  private readonly bound: Bound[] = [];
  private readonly keys: number[] = [];

  constructor(steps: SweepSteps, traced: Traced) {
    this.steps = steps;
    this.traced = traced;
    this.numbers = new Uint32Array(Float32Array.from(traced.numbers).buffer);
  }

  /** How many arrays [T, rows, n] of numbers forward saves. */
  get saves(): number {
    return this.steps.plan.savedNumbers;
  }

  /** How many arrays forward saves, of numbers first, then of bits. */
  get savedArrays(): number {
    return this.steps.plan.saved.length;
  }

  /** The bytes of array i that forward saves, of so many values. */
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
      const k = KEY * i;
      if (keys[k] !== kind || keys[k + 1] !== T || keys[k + 2] !== rows || keys[k + 3] !== n) continue;
      if (keys[k + 4] !== a || keys[k + 5] !== b || keys[k + 6] !== c || keys[k + 7] !== d) continue;
      const run = bound[i] as Bound;
      if (!run.isOpen) return run;
    }
    return this.bind(kind, T, rows, n, a, b, c, d);
  }

  private bind(kind: number, T: number, rows: number, n: number, a: number, b: number, c: number, d: number): Bound {
    const { bound, keys, steps } = this;
    const { plan } = steps;
    const inputs = this.traced.inputs.length;
    let calls: Course["calls"];
    if (kind === FORWARD)
      calls = steps.forward(
        T,
        a,
        b === 0,
        plan.found.some((found, i) => found && (c >> i) & 1),
      );
    else if (kind === SUPPORT) calls = steps.support(T);
    else {
      const modes = this.traced.inputs.map((_, i) => MODES[Math.floor(d / (1 << (2 * i))) % 4] as Mode);
      calls = steps.backward(T, a, modes, Math.floor(d / (1 << (2 * inputs))), c);
    }
    const direction = kind === FORWARD ? 1 : -1;
    const run = new Bound(plan, this.numbers, {
      T,
      rows,
      n,
      direction,
      calls,
      given: b,
      wanted: kind === SUPPORT ? -1 : c,
    });
    if (bound.length === MOST_BOUND) {
      bound.shift();
      keys.splice(0, KEY);
    }
    bound.push(run);
    keys.push(kind, T, rows, n, a, b, c, d);
    return run;
  }
}

const [FORWARD, BACKWARD, SUPPORT] = [0, 1, 2];
/** Numbers of a key. */
const KEY = 8;
