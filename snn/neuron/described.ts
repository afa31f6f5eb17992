/**
 * Reads the options of layers by the definition of their class, and adds the members of layers that need the
 * definition. The members join the class of neuron.ts when this file is loaded.
 */
import type { Range } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { Program, print } from "../../engine/fuse/index.ts";
import { full, type Tensor, zeros } from "../../engine/index.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkCounters } from "../layer/checks.ts";
import type { Kinds, Making, Steps } from "./compiler.ts";
import { rangeIn } from "./definition.ts";
import { equationOf } from "./equation.ts";
import { Equation, firingOf, type NeuronSpec, type Programs, readOptions } from "./form.ts";
import { REFRACTORY } from "./names.ts";
import { Neurons } from "./neuron.ts";
import { CompiledNeuron } from "./op.ts";
import { type LoopValue, type Named, named, onRecord, scalar } from "./parameters.ts";
import type { Plain } from "./plain.ts";
import { PLAIN_FORMS } from "./plain-forms.ts";
import { type Firing, scoresOf, stepDefinition } from "./step.ts";

/** Shorter names in equations. */
export const SYMBOLS = "current I winner w spikes s membrane u threshold θ refractory r";

/** The options of a layer, read by its definition. */
export class Described implements Making {
  readonly name: string;
  readonly options: object;
  readonly parameterNames: readonly string[];
  readonly learned: ReadonlySet<string>;
  readonly bounds: Readonly<Record<string, readonly number[]>>;
  readonly firing: Firing;
  /** For each parameter whether all neurons share one value. */
  readonly kinds: Kinds = {};
  equation: Equation;
  /** Null once the layer has its parameters. */
  private read: ReturnType<typeof readOptions> | null;

  constructor(form: NeuronSpec, options: object) {
    const read = readOptions(form, options);
    this.read = read;
    this.name = form.name;
    this.options = options;
    this.parameterNames = Object.keys(read.parameters);
    this.learned = read.learned;
    this.bounds = read.bounds;
    this.firing = firingOf(read);
    this.equation = new Equation(form);
  }

  get stateNames(): readonly string[] {
    const { states } = this.equation.form;
    return this.firing.hold > 0 ? [...states, REFRACTORY] : states;
  }

  tensor(key: string): Tensor {
    return (this.read as NonNullable<typeof this.read>).tensor(key);
  }

  rangeOf(key: string): Range {
    return rangeIn(this.bounds[key]);
  }

  plainOf(parameters: Named): Plain | null {
    const { parameterNames, firing, learned } = this;
    const kinds = this.kinds as Record<string, "scalar" | "column">;
    for (const key of parameterNames) kinds[key] = (parameters[key] as Tensor).size === 1 ? "scalar" : "column";
    this.equation = equationOf(this.read as NonNullable<typeof this.read>, kinds, firing);
    this.read = null;
    const { form } = this.equation;
    const plain = learned.size === 0 ? form.plain?.(form, firing) : null;
    if (plain) return plain;
    this.programs();
    return null;
  }

  /** The step of the neurons and the step of the scores by which they compete, traced. */
  private programs(): Programs {
    const { equation, kinds, firing } = this;
    equation.programs ??= {
      step: new Program(stepDefinition(equation.form, kinds, firing)),
      scores: firing.inhibition && new Program(scoresOf(equation.form, kinds, firing)),
    };
    return equation.programs;
  }

  /** The steps that run if no hand-written kernels do. */
  steps(): Steps {
    const { step, scores } = this.programs();
    return { compiled: new CompiledNeuron(step), scores: scores && new CompiledNeuron(scores) };
  }
}

/** The description of a layer; a layer made for kernels alone gets it at the first use. */
function describedOf(layer: Neurons): Described {
  const { making } = layer;
  if (making instanceof Described) return making;
  const described = new Described(PLAIN_FORMS[making.name] as NeuronSpec, making.options);
  described.plainOf(layer as unknown as Named);
  layer.making = described;
  return described;
}

// neuron.ts cannot declare these members, whose types need the compiler.
/** @internal */
declare module "./neuron.ts" {
  interface Neurons<State = unknown, Result = object> {
    /** The equation with the choices of the layer. @internal */
    get form(): NeuronSpec;
    /** How neurons fire. @internal */
    get firing(): Firing;
    /** The step that runs if no hand-written kernels do. @internal */
    get compiled(): CompiledNeuron;
    /** The scores of neurons that compete, else null. @internal */
    get scores(): CompiledNeuron | null;
    /** The choices of the layer, such as its reset, and for some classes the numbers of the equation. @internal */
    get chosen(): Readonly<Record<string, unknown>>;
    /** Replaces the step and its form. @internal */
    useStep(step: Pick<Neurons, "form" | "compiled">): void;
    /**
     * The parameters if one of them needs a gradient, else null. A run calls this once, so each parameter is read, and clamped, once.
     * @internal
     */
    onRecord(): Named | null;
    /** The parameters of a loop, computed from the parameters of the step. @internal */
    loopOf(neuron: CompiledNeuron, recorded: Named | null): readonly LoopValue[];
    /** The initial value of each state, a tensor [] or [N] passed through `over`, or null for zeros. @internal */
    startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[];
    /** The states of the step before the first one. @internal */
    statesAtStart(step: Shape): Named;
    /** Throws unless a current of this shape is [T, N] or [T, B, N]. @internal */
    checkRivals(shape: Shape): void;
    /** Throws unless these counters of refractory steps are integers in [0, hold]. @internal */
    checkHeld(counters: Tensor, hold: number): void;
  }
}

const { checkParameter: checkValues } = Neurons.prototype;

/** The members of layers that need their definition. */
class Members extends Neurons {
  override get form(): NeuronSpec {
    return describedOf(this).equation.form;
  }

  override get firing(): Firing {
    return describedOf(this).firing;
  }

  override get compiled(): CompiledNeuron {
    this.compiledSteps ??= describedOf(this).steps();
    return this.compiledSteps.compiled;
  }

  override get scores(): CompiledNeuron | null {
    this.compiledSteps ??= describedOf(this).steps();
    return this.compiledSteps.scores;
  }

  override get chosen(): Readonly<Record<string, unknown>> {
    return this.form.chosen ?? {};
  }

  protected override get mainOutput(): string {
    return this.plain === null ? this.compiled.main : (this.plain.outputs[0] as string);
  }

  override useStep({ form, compiled }: Pick<Neurons, "form" | "compiled">): void {
    const { scores } = this;
    describedOf(this).equation = new Equation(form);
    this.compiledSteps = { compiled, scores };
    this.replaced = form.own === undefined ? null : form;
  }

  override forgetSteps(): void {
    this.compiledSteps = null;
  }

  protected override start(step: Shape): unknown {
    return this.completed(valuesAtStart(this, step));
  }

  override statesAtStart(step: Shape): Named {
    return named(this.stateNames, valuesAtStart(this, step));
  }

  /** The step and the derived backward step, as equations: ∇x is the gradient of x, and ∂x its part from outside the step. */
  override toString(): string {
    return print(this.compiled.program.traced, SYMBOLS, this.form.initial);
  }

  override parametersNow(): Named {
    const { bounds, learned } = describedOf(this);
    const all: Record<string, Tensor> = {};
    for (const [i, name] of this.parameterNames.entries()) {
      const t = this.parameterAt(i);
      const within = learned.has(name) ? bounds[name] : undefined;
      all[name] = within === undefined ? t : t.clamp(within[0] as number, within[1] as number);
    }
    return this.parameterRounding?.rounded(all) ?? all;
  }

  override onRecord(): Named | null {
    return onRecord(this, this.parameterNames.length);
  }

  override loopOf(neuron: CompiledNeuron, recorded: Named | null): readonly LoopValue[] {
    return neuron.loop.of(this, recorded) as readonly LoopValue[];
  }

  override startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[] {
    const { name, initial, states } = this.form;
    let scalars: Named | null = null;
    const all = initial.map((value, i) => {
      if (typeof value === "function") scalars ??= mapped(parameters, scalar);
      const x = typeof value === "function" ? value(scalars as Named) : value;
      if (typeof x === "number") return x === 0 ? null : over(full([], x));
      const t = x as Tensor;
      if (!t.region?.open) alive(t, `${name}: the initial value of ${states[i]}`);
      // A buffer that holds 0 starts from zeros, like the number 0.
      return t.isBuffer && t.size === 1 && Object.is(t.item(), 0) ? null : over(t);
    });
    return this.firing.hold > 0 ? [...all, null] : all;
  }

  override checkParameter(key: string, t: Tensor, shape: Shape, wasShared: boolean): void {
    checkValues.call(this, key, t, shape, wasShared);
    if ((t.size === 1) === wasShared) return;
    // The compiled code reads a fixed number of values per parameter.
    throw new RangeError(`${this.where}: expected ${key} as the layer was made with it, got ${formatShape(t.sizes)}`);
  }

  /** Refuses maps: there the neurons of all axes would have to compete. */
  override checkRivals([, ...step]: Shape): void {
    if (step.length === 1 || step.length === 2) return;
    const hint = step.length > 2 ? "; flatten the axes of the neurons that compete" : "";
    throw new RangeError(
      `${this.where}: inhibition needs currents [T, B, N], got steps of shape ${formatShape(step)}${hint}`,
    );
  }

  override checkHeld(counters: Tensor, hold: number): void {
    checkCounters(this.where, counters, hold);
  }
}

const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(Members.prototype);
Object.defineProperties(Neurons.prototype, members);

function valuesAtStart(layer: Neurons, step: Shape): readonly Tensor[] {
  const start = layer.startTerms(layer.parametersNow(), (t) => scalar(t).expand(step));
  return start.map((t) => (t === null ? zeros(step) : t.clone()));
}

const mapped = (all: Named, fn: (t: Tensor) => Tensor): Named =>
  Object.fromEntries(Object.entries(all).map(([key, t]) => [key, fn(t)]));
