/**
 * Layers of neurons: parameters, states, and the choice between hand-written kernels and a compiled step. This file is all that kernels
 * need; described.ts adds the other members to the class.
 */

import { wrongType } from "../../engine/arguments.ts";
import { inReference } from "../../engine/extend.ts";
import { noGrad, parameter, Tensor, zeros } from "../../engine/index.ts";
import type { Loading } from "../../engine/protocol.ts";
import type { Shape } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import { checkPerNeuron } from "../layer/per-neuron.ts";
import { isUnchanged, shapeOfStep, Temporal } from "../layer/temporal.ts";
import { compilerFor, type Making, type NeuronSteps, type Steps } from "./compiler.ts";
import { type Named, named, type Rounding } from "./parameters.ts";
import type { Plain } from "./plain.ts";
import { NeuronRun, runSteps } from "./run.ts";

/** A class of layers whose constructor takes options that were read. */
export type LayersOf<State, Result, Fields> = new (making: object) => Neurons<State, Result> & Fields;

/** Placeholder that keeps no tensor of an earlier step alive. */
const NONE = null as unknown as Tensor;

/** The states of hand-written kernels before the first step. */
const FROM_ZEROS: null[] = [null];

/** The reason that errors give if a layer made for kernels needs the compiler. */
const PARAMETER = "a learned or quantized parameter";

/** A layer of neurons with any step. */
export class Neurons<State = unknown, Result = object> extends Temporal<State, Result, Tensor[], NeuronSteps> {
  /**
   * The names of the states that pass from step to step.
   *
   * @internal
   */
  readonly stateNames: readonly string[];
  /**
   * The checked options: all of the definition, or only those for kernels if the definition is not loaded.
   *
   * @internal
   */
  making: Making;
  /**
   * The form that replaces the form of the equation; null for none.
   *
   * @internal
   */
  replaced: object | null = null;
  /**
   * The options of hand-written kernels for this layer; null if the step is compiled.
   *
   * @internal
   */
  protected readonly plain: Plain | null;
  /** @internal */
  protected override readonly where: string;
  /** @internal */
  protected readonly parameterNames: readonly string[];
  /** For each parameter whether all neurons share one value. */
  private readonly isShared: boolean[] = [];
  /**
   * Whether one neuron's spike keeps others from firing.
   *
   * @internal
   */
  readonly competes: boolean;
  /** The number of refractory steps. */
  private readonly heldSteps: number;
  /**
   * The parameters for hand-written kernels. The object hides the list: a list in a field would be part of the module's
   * state.
   */
  private readonly parameterValues: { list: readonly Tensor[] } = { list: [] };
  /**
   * The compiled steps, which run if no hand-written kernels do; null before their first use.
   *
   * @internal
   */
  protected compiledSteps: Steps | null = null;
  /** A list for the tensors of a state, reused by successive steps. */
  private list: Tensor[] | null = null;
  /**
   * The rounding that is applied to parameters when a step reads them; null for none.
   *
   * @internal
   */
  parameterRounding: Rounding | null = null;

  /** @internal */
  constructor(making: Making) {
    super();
    this.making = making;
    this.where = making.name;
    this.parameterNames = making.parameterNames;
    this.plain = noGrad(() => {
      for (const key of making.parameterNames) {
        const t = making.tensor(key);
        if (making.learned.has(key)) parameter(t);
        else t.isBuffer = true;
        (this as unknown as Record<string, Tensor>)[key] = t;
        this.isShared.push(t.size === 1);
      }
      return making.plainOf(this as unknown as Named);
    });
    this.stateNames = making.stateNames;
    const { inhibition = null, hold = 0 } = making.firing ?? {};
    this.competes = inhibition !== null;
    this.heldSteps = hold;
  }

  /**
   * The values that a fixed parameter may take from a state.
   *
   * @internal
   */
  override loadingOf(t: Tensor): Loading | undefined {
    const { learned, parameterNames } = this.making;
    const key = parameterNames[this.givenParameters().indexOf(t)];
    return key === undefined || learned.has(key) ? undefined : { range: this.making.rangeOf(key) };
  }

  protected override get mainOutput(): string {
    return (this.plain as Plain).outputs[0] as string;
  }

  protected override get inputName(): string {
    return "a current";
  }

  protected override get isObserved(): boolean {
    return true;
  }

  /** Compiled neurons create no tensors besides their outputs. */
  protected override isComposed(): boolean {
    return this.competes || inReference();
  }

  protected override checkInput(shape: Shape): void {
    this.checkNeurons(shape);
  }

  protected override advance(current: Tensor, T: number, step: Shape, from: readonly Tensor[] | null): NeuronSteps {
    const plain = this.plainNow();
    if (plain === null) return compilerFor(this.where, PARAMETER).begin(this, current, T, step, from);
    return new NeuronRun(plain, current, T, this.parameterValues.list, from ?? FROM_ZEROS).forward(true, step);
  }

  protected override mainOver(current: Tensor, over: boolean): Tensor {
    return this.run(current, current.sizes[0] as number, shapeOfStep(current.sizes), null, over);
  }

  protected override oneStep(current: Tensor, states: Tensor[]): [z: Tensor, state: State] {
    const z = this.run(current, 1, current.sizes, states, false);
    const state = this.completed(states);
    for (let i = 0; i < states.length; i++) states[i] = NONE;
    this.list = states;
    return [z, state];
  }

  /** The main output of T steps, from zeros, or from the states in the list, which the last states replace. */
  private run(current: Tensor, T: number, step: Shape, states: Tensor[] | null, over: boolean): Tensor {
    const plain = this.plainNow();
    if (plain === null) return compilerFor(this.where, PARAMETER).run(this, current, T, step, states, over);
    return runSteps(plain, current, T, this.parameterValues.list, states ?? FROM_ZEROS, states && step, over);
  }

  /**
   * The hand-written kernels if they still compute the same step: no parameter is learned by now, and no state is rounded.
   *
   * @internal
   */
  plainNow(): Plain | null {
    const { plain, parameterNames, parameterValues } = this;
    if (plain === null || this.replaced !== null || this.parameterRounding !== null) return null;
    const all = this as unknown as Named;
    for (let i = 0; i < parameterNames.length; i++) {
      const t = all[parameterNames[i] as string] as Tensor;
      if (t.requiresGrad) return null;
      // Records refer to the list, so a change makes a new list.
      if (parameterValues.list[i] !== t) parameterValues.list = this.givenParameters();
    }
    return plain;
  }

  protected override stateAfter(run: NeuronSteps): State {
    return this.completed(run.last);
  }

  /**
   * The public state, from tensors in the order of their names.
   *
   * @internal
   */
  completed(states: readonly Tensor[]): State {
    return named(this.stateNames, states) as State;
  }

  /** @internal */
  protected override start(step: Shape): State {
    return this.completed([zeros(step)]);
  }

  /**
   * The parameters as a step reads them.
   *
   * @internal
   */
  parametersNow(): Named {
    return named(this.parameterNames, this.givenParameters());
  }

  /**
   * The parameters, learned or not.
   *
   * @internal
   */
  givenParameters(): Tensor[] {
    return this.parameterNames.map((_, i) => this.parameterAt(i));
  }

  /** @internal */
  parameterAt(i: number): Tensor {
    return (this as unknown as Named)[this.parameterNames[i] as string] as Tensor;
  }

  /**
   * Throws unless the parameters fit a current of this shape, [T, B, …].
   *
   * @internal
   */
  checkNeurons(shape: Shape): void {
    const { parameterNames, isShared } = this;
    const all = this as unknown as Named;
    if (this.competes) this.checkRivals(shape);
    for (let i = 0; i < parameterNames.length; i++) {
      const key = parameterNames[i] as string;
      const t = all[key] as Tensor;
      if (!(t instanceof Tensor && t.size === 1 && isShared[i]))
        this.checkParameter(key, t, shape, isShared[i] === true);
    }
  }

  /**
   * Throws unless a parameter fits a current of this shape. `wasShared`: the layer was made with one value for all neurons.
   *
   * @internal
   */
  checkParameter(key: string, t: Tensor, shape: Shape, _wasShared: boolean): void {
    const { where } = this;
    if (!(t instanceof Tensor)) {
      throw wrongType(where, `${key} as a tensor`, t, `; layer.${key}.copyFrom([…]) changes the values of a layer`);
    }
    checkPerNeuron(where, key, t, shape);
  }

  /**
   * The tensors of a state, read once; throws unless they fit steps of this shape.
   *
   * @internal
   */
  override read(state: State, shape: Shape): Tensor[] {
    const { where, stateNames: states } = this;
    const given = Object(state) as Record<string, Tensor>;
    const own = this.list ?? new Array<Tensor>(states.length);
    this.list = null;
    for (let i = 0; i < states.length; i++) {
      const key = states[i] as string;
      const t = given[key] as Tensor;
      checkState(where, key, t, shape);
      own[i] = t;
    }
    if (this.heldSteps > 0) this.checkHeld(own[states.length - 1] as Tensor, this.heldSteps);
    return own;
  }
}

/** Whether the whole layer is one compiled step, and no subclass overrides `forward`. */
export const isCompiled = (layer: unknown): layer is Neurons =>
  layer instanceof Neurons && isUnchanged(layer) && !layer.competes;

/** Restores the name of a class that a bundler has changed; models print it. */
export function keepName(made: { readonly name: string }, name: string): void {
  if (made.name !== name) Object.defineProperty(made, "name", { value: name });
}
