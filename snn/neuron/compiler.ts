/**
 * The interface between neurons and the compiler of steps, which compiled.ts registers here. The entry `jarvis-snn/core` does not load
 * compiled.ts, so it runs only neurons that have hand-written kernels.
 */
import type { Range } from "../../engine/arguments.ts";
import type { StepDefinition } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import type { Run as TemporalRun } from "../layer/temporal.ts";
import type { NeuronSpec } from "./form.ts";
import type { CompiledNeuron } from "./op.ts";
import type { LoopValue, Named, Starting } from "./parameters.ts";
import type { Plain } from "./plain.ts";
import type { Firing } from "./step.ts";

/** For each parameter whether all neurons share one value. */
export type Kinds = StepDefinition["parameters"];

/** T steps of neurons, with the states after the last step if these are wanted. */
export interface NeuronSteps extends TemporalRun {
  readonly last: readonly Tensor[];
}

/** The steps of a layer: the step of its neurons, and the step of the scores by which they compete, or null. */
export interface Steps {
  readonly compiled: CompiledNeuron;
  readonly scores: CompiledNeuron | null;
}

/** The members of a layer that the compiler uses. */
export interface Layer extends Starting, Steps {
  readonly form: NeuronSpec;
  readonly firing: Firing;
  onRecord(): Named | null;
  loopOf(neuron: CompiledNeuron, recorded: Named | null): readonly LoopValue[];
  statesAtStart(step: Shape): Named;
  checkNeurons(shape: Shape): void;
}

/** The checked options of a layer under construction. */
export interface Making {
  /** The name of the class. */
  readonly name: string;
  readonly options: object;
  /** The names of the parameters in the order of their listing. */
  readonly parameterNames: readonly string[];
  readonly stateNames: readonly string[];
  readonly learned: ReadonlySet<string>;
  /** How the neurons fire; absent if the definition of the class was not read. */
  readonly firing?: Firing;
  /** A persistent tensor with the values of a parameter. */
  tensor(key: string): Tensor;
  /** The values that a parameter may have. */
  rangeOf(key: string): Range;
  /** The options for hand-written kernels that compute the same step; null if there are none, so that a compiled step runs. */
  plainOf(parameters: Named): Plain | null;
}

export interface Compiler {
  /** Reads all options of a class that has kernels, by its definition. */
  read(name: string, options: object): Making;
  /** Runs T steps; afterwards each of their outputs can be read. */
  begin(layer: Layer, current: Tensor, T: number, step: Shape, from: readonly Tensor[] | null): NeuronSteps;
  /** The main output of T steps. `states` contains the initial states, which the final states replace. */
  run(layer: Layer, current: Tensor, T: number, step: Shape, states: Tensor[] | null, over: boolean): Tensor;
}

let compiler: Compiler | null = null;

export function useCompiler(given: Compiler): void {
  compiler = given;
}

let readForKernels: Compiler["read"];

export function useKernelReader(read: Compiler["read"]): void {
  readForKernels = read;
}

/**
 * The options of a class that has kernels: all of its definition if that is loaded, else only those for the kernels.
 */
export const makingOf = (name: string, options: object): Making =>
  (compiler === null ? readForKernels : compiler.read)(name, options);

/**
 * The compiler; `what` is the option or the use that needs it.
 *
 * @throws Error if no compiler is loaded.
 */
export function compilerFor(where: string, what: string): Compiler {
  if (compiler !== null) return compiler;
  throw new Error(`${where}: ${what} is compiled; import it from "jarvis-snn"`);
}
