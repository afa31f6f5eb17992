/**
 * The compiler of steps, where neurons find it. compiled.ts puts it here; the entry `jarvis-snn/core` does not load that file, and runs neurons
 * on hand-written kernels alone.
 */
import type { StepDefinition } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import type { Run as TemporalRun, Wanted } from "../layer/temporal.ts";
import type { Form, Initial, Named } from "./form.ts";
import type { CompiledNeuron } from "./op.ts";
import type { Starting } from "./parameters.ts";
import type { Firing } from "./step.ts";

/** For each parameter whether all neurons share one value. */
export type Kinds = StepDefinition["parameters"];

/** T steps of neurons, with the states after the last of them where these are wanted. */
export interface Run extends TemporalRun {
  readonly last: readonly Tensor[];
}

/** The steps of a layer: the step of its neurons, and the step of the scores by which they compete, or null. */
export interface Steps {
  readonly compiled: CompiledNeuron;
  readonly scores: CompiledNeuron | null;
}

/** A layer as the compiler knows it. */
export interface Layer extends Starting, Steps {
  readonly form: Form;
  readonly firing: Firing;
  onRecord(): Named | null;
  statesAtStart(step: Shape): Named;
  checkNeurons(shape: Shape): void;
}

export interface Compiler {
  /** @throws TypeError and RangeError where the step does something that no compiled step can. */
  compile(form: Form, kinds: Kinds, firing: Firing): Steps;
  /** Throws where the function of an initial value does something that no step may. */
  checkInitial(where: string, what: string, initial: Exclude<Initial, number>, kinds: Kinds): void;
  /** Runs T steps, with the arguments of `Temporal.advance`. */
  run(
    layer: Layer,
    current: Tensor,
    T: number,
    step: Shape,
    from: readonly Tensor[] | null,
    wanted: Wanted,
    over: boolean,
  ): Run;
  print(layer: Layer): string;
}

let compiler: Compiler | null = null;

export function useCompiler(given: Compiler): void {
  compiler = given;
}

/** Whether there is a compiler. */
export const isLoaded = (): boolean => compiler !== null;

/**
 * The compiler; `what` is the option or the use that needs it.
 *
 * @throws Error where there is none.
 */
export function compilerFor(where: string, what: string): Compiler {
  if (compiler !== null) return compiler;
  throw new Error(`${where}: ${what} is compiled; import it from "jarvis-snn"`);
}
