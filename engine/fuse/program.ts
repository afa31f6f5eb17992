/**
 * A compiled step over time. Time is a loop here: a call for a step costs some tens of nanoseconds, and what it runs is compiled
 * when it is first called, once for all steps that differ in numbers alone.
 */
import { simd } from "../backend.ts";
import { streamBytes } from "../tensor.ts";
import { Arrays, Sums } from "./arrays.ts";
import type { Expression } from "./expression.ts";
import { Plan, type Wanted } from "./plan.ts";
import { remembered } from "./remembered.ts";
import { Steps } from "./steps.ts";
import type { Call } from "./sweeps.ts";
import { type StepDefinition, type Traced, trace } from "./trace.ts";

/** An array over time: its address, and the values from one step to the next, 0 where all steps share one. */
export interface Stream {
  readonly at: number;
  readonly step: number;
}

/** The sizes of a run, and what forward and backward both read. Addresses of 4 bytes; arrays of a step are [rows, n]. */
export interface Run {
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly inputs: readonly Stream[];
  /** Of the derived parameters, [1] or [n]. */
  readonly parameters: readonly number[];
  /** The states before the first step, 0 for zeros. */
  readonly from: readonly number[];
  /** The arrays [T, rows, n] of which `savedBytes` gives the bytes. */
  readonly saved: readonly number[];
}

export interface ForwardRun extends Run {
  /** The states after the last step, 0 where that is not wanted; one may lie over `from`. */
  readonly to: readonly number[];
  /** Outputs by their names, [T, rows, n], or as a stream of T·rows·n bits those that are packed. */
  readonly outputs: Readonly<Record<string, number>>;
}

export interface BackwardRun extends Run {
  /** Gradients of outputs by their names; those that are missing are 0. */
  readonly gradients: Readonly<Record<string, Stream>>;
  /**
   * Gradients of inputs are written, and may lie over that of an output: a step writes when it has read all. With a step of 0
   * they are added to what is there. Null where none is wanted.
   */
  readonly dInputs: readonly (Stream | null)[];
  /** The gradients of the last states, 0 where there is none. */
  readonly dLast: readonly number[];
  /** Those of the first states, 0 where one is not wanted; it may lie over that of the last. */
  readonly dFirst: readonly number[];
  /** Added to the gradients of the derived parameters, 0 where it is not wanted. */
  readonly dParameters: readonly number[];
}

const compiled = new Map<string, Steps>();

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
    const steps = remembered(compiled, key, () => new Steps(new Plan(this.traced, wanted)));
    return new Fused(steps, this.traced);
  }
}

/** A compiled step with its numbers. */
export class Fused {
  readonly steps: Steps;
  /** The step, whose numbers may be others than those that the plan was made of. */
  readonly traced: Traced;
  /** The bits of the numbers. */
  readonly numbers: Uint32Array;

  constructor(steps: Steps, traced: Traced) {
    this.steps = steps;
    this.traced = traced;
    this.numbers = new Uint32Array(Float32Array.from(traced.numbers).buffer);
  }

  /** How many arrays [T, rows, n] of numbers forward saves. */
  get saves(): number {
    return this.steps.plan.savedNumbers;
  }

  /** The bytes of all arrays that forward saves, of so many values each: those of numbers, and then streams of bits. */
  savedBytes(size: number): number[] {
    const { saved, savedNumbers } = this.steps.plan;
    return saved.map((_, i) => (i < savedNumbers ? 4 * size : streamBytes(size)));
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

  /** The stream of bits ← where that derivative is not 0, from what a forward run has saved. */
  support(run: Run, bits: number): void {
    const { plan } = this.steps;
    const calls = this.steps.support(run.T);
    simd.kernels.fill(bits, Math.ceil((run.T * run.rows * run.n) / 32), 0);
    const arrays = new Arrays(plan, this.numbers, run);
    try {
      arrays.put("support", () => bits);
      arrays.pass(calls, 1);
    } finally {
      arrays.free();
    }
  }

  /** Runs T steps; `before` is called before step t, which may make its input only then. */
  forward(run: ForwardRun, before?: (t: number) => void): void {
    const calls = this.forwardCalls(run);
    const arrays = new Arrays(this.steps.plan, this.numbers, run);
    try {
      this.place(arrays, run);
      this.clear(run);
      arrays.pass(calls, 1, before);
    } finally {
      arrays.free();
    }
  }

  /**
   * A function that runs one step, again and again, on arrays that stay where they are, and makes no object. What it needs for
   * itself it takes once, from `take`.
   */
  repeated(run: ForwardRun, take: (bytes: number) => number): () => void {
    const [calls] = this.forwardCalls(run) as [readonly Call[]];
    const arrays = new Arrays(this.steps.plan, this.numbers, run, take);
    this.place(arrays, run);
    return () => {
      this.clear(run);
      arrays.once(calls);
    };
  }

  private forwardCalls({ T, from, to, outputs }: ForwardRun): readonly (readonly Call[])[] {
    const { plan } = this.steps;
    const mask = maskOf(plan.names, (name) => outputs[name] !== undefined);
    const leaves = plan.found.some((found, i) => found && to[i] !== 0);
    return this.steps.forward(T, mask, !from.some(isThere), leaves);
  }

  /** Notes where states and outputs of forward lie. */
  private place(arrays: Arrays, { from, to, outputs }: ForwardRun): void {
    const { plan } = this.steps;
    arrays.put("to", (i) => {
      const p = to[i] || arrays.scratch();
      return plan.found[i] ? p : arrays.copy(p, from[i] as number);
    });
    arrays.put("output", (i) => outputs[plan.names[i] as string], arrays.size);
  }

  /** Zeros the streams of bits, which steps add to. */
  private clear({ T, rows, n, outputs, saved }: ForwardRun): void {
    const { packed, savedNumbers } = this.steps.plan;
    const words = Math.ceil((T * rows * n) / 32);
    for (let i = 0; i < packed.length; i++) {
      const p = outputs[packed[i] as string];
      if (p !== undefined) simd.kernels.fill(p, words, 0);
    }
    for (let i = savedNumbers; i < saved.length; i++) simd.kernels.fill(saved[i] as number, words, 0);
  }

  /**
   * Runs T steps backwards, from what a forward run of the same sizes has saved; `before` is called before step t, which may add to
   * the gradients of its outputs only then.
   */
  backward(run: BackwardRun, before?: (t: number) => void): void {
    const { plan } = this.steps;
    const { T, dInputs, dLast, dFirst } = run;
    const outputs = maskOf(plan.names, (name) => run.gradients[name] !== undefined);
    const modes = dInputs.map((x) => (x === null ? "none" : x.step === 0 ? "add" : "write"));
    const calls = this.steps.backward(T, outputs, modes, maskOf(dLast, isThere), maskOf(dFirst, isThere));
    const arrays = new Arrays(plan, this.numbers, run);
    try {
      arrays.putStreams("gradient", (i) => run.gradients[plan.names[i] as string]);
      arrays.putStreams("dInput", (i) => dInputs[i]);
      arrays.putStreams("next", (i) => after(dInputs[i]));
      arrays.put("dLast", (i) => dLast[i]);
      arrays.put("dState", (i) => dFirst[i] || arrays.scratch());
      const sums = new Sums(arrays, run.dParameters);
      arrays.pass(calls, -1, before, sums.often, () => sums.collect());
      sums.finish();
    } finally {
      arrays.free();
    }
  }
}

const isThere = (p: number): boolean => p !== 0;

/** A bit for each entry, set where it holds. */
function maskOf<X>(list: readonly X[], holds: (x: X) => boolean): number {
  let mask = 0;
  for (let i = 0; i < list.length; i++) if (holds(list[i] as X)) mask |= 1 << i;
  return mask;
}

/** The stream one step on. */
const after = (x: Stream | null | undefined): Stream | null => (x ? { at: x.at + 4 * x.step, step: x.step } : null);
