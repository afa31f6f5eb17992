/**
 * Layers of neurons of any equation: parameters, options, states, printing, and the choice between compiled step and
 * kernels.
 */

import { numberOf, wrongType } from "../../engine/arguments.ts";
import { alive, buffer, inReference } from "../../engine/extend.ts";
import { full, noGrad, parameter, Tensor, zeros } from "../../engine/index.ts";
import type { Loading } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkCounters, checkState, IN_FLOAT32 } from "../layer/checks.ts";
import { checkPerNeuron } from "../layer/per-neuron.ts";
import { isUnchanged, Temporal, type Wanted } from "../layer/temporal.ts";
import { compilerFor, isLoaded, type Kinds, type Run, type Steps } from "./compiler.ts";
import { chosenForm, type Form, firingOf, type Named, readOptions } from "./form.ts";
import { REFRACTORY } from "./names.ts";
import type { CompiledNeuron } from "./op.ts";
import { type LoopValue, named, onRecord, type Rounding, scalar } from "./parameters.ts";
import { outputsOf, type Plain, runPlain } from "./plain.ts";
import type { Firing } from "./step.ts";
import type { Typed } from "./types.ts";

/** The class of layers with this name and form, which the first layer asks for. */
export function layersOf<Options extends object, Fields, State = unknown, Result = object>(
  name: string,
  formNow: () => Form & Typed<Options, Fields, State, Result>,
): new (
  options?: Options,
) => Neurons<State, Result> & Fields {
  const made = class extends Neurons {
    constructor(options: object = {}) {
      super(formNow(), options);
    }
  };
  Object.defineProperty(made, "name", { value: name });
  return made as never;
}

/** In the place of a tensor of an earlier step. */
const NONE = null as unknown as Tensor;

/** Fields of every layer. */
const FIELDS = {
  training: 0,
  firing: 0,
  form: 0,
  kinds: 0,
  stateNames: 0,
  plain: 0,
  parameterNames: 0,
  bounds: 0,
  loadings: 0,
  compiledSteps: 0,
  list: 0,
  parameterRounding: 0,
};

/** Whether layers have a property of this name, which no parameter may take. */
export const isProperty = (name: string): boolean => name in Neurons.prototype || name in FIELDS;

/** A layer of neurons, whatever their step. */
export class Neurons<State = unknown, Result = object> extends Temporal<State, Result, readonly Tensor[], Run> {
  /**
   * The form of the layer; with another step it has another form, whose states and parameters are the same.
   *
   * @internal
   */
  form: Form;
  /**
   * How neurons fire.
   *
   * @internal
   */
  readonly firing: Firing;
  /**
   * For each parameter whether all neurons share one value.
   *
   * @internal
   */
  readonly kinds: Kinds;
  /**
   * The names of the states that a step leaves to the next one.
   *
   * @internal
   */
  readonly stateNames: readonly string[];
  /** The options of hand-written kernels for such neurons, null where these are compiled. */
  private readonly plain: Plain | null;
  private readonly parameterNames: readonly string[];
  private readonly bounds: Readonly<Record<string, readonly number[]>>;
  /** The values that fixed parameters may take from a state. */
  private readonly loadings = new Map<Tensor, Loading>();
  private compiledSteps: Steps | null = null;
  /** A list for the tensors of a state, which steps take in turns. */
  private list: Tensor[] | null = null;
  /**
   * The rounding of parameters, whenever a step reads them; null for none.
   *
   * @internal
   */
  parameterRounding: Rounding | null = null;

  /** @internal */
  constructor(form: Form, options: object) {
    super();
    const read = readOptions(form, options);
    const { parameters, learned, bounds } = read;
    this.form = chosenForm(read);
    this.firing = firingOf(read);
    this.bounds = Object.fromEntries(Object.entries(bounds).filter(([key]) => learned.has(key)));
    this.parameterNames = Object.keys(parameters);
    this.stateNames = this.firing.hold > 0 ? [...this.form.states, REFRACTORY] : this.form.states;
    const kinds: Record<string, "scalar" | "column"> = {};
    this.kinds = kinds;
    this.plain = noGrad(() => {
      for (const key of this.parameterNames) {
        const t = read.tensor(key);
        if (learned.has(key)) parameter(t);
        else {
          buffer(t);
          this.loadings.set(t, { range: read.rangeOf(key) });
        }
        (this as unknown as Record<string, Tensor>)[key] = t;
        kinds[key] = t.size === 1 ? "scalar" : "column";
      }
      this.form = { ...this.form, initial: this.initialOf() };
      const [first] = learned;
      const plain = first === undefined ? this.plainOf() : `a learned ${first}`;
      if (typeof plain !== "string") return plain;
      this.compiledSteps = this.compiledFor(plain);
      return null;
    });
  }

  /**
   * The options of hand-written kernels that compute the same, or the option that no kernel knows. The constructor
   * calls this function.
   *
   * @internal
   */
  protected plainOf(): Plain | string {
    return "its step";
  }

  /** @internal */
  override forgetSteps(): void {
    this.compiledSteps = null;
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return this.loadings.get(t);
  }

  private compiledFor(what: string): Steps {
    return compilerFor(this.form.name, what).compile(this.form, this.kinds, this.firing);
  }

  /**
   * The step that runs where no hand-written kernels do.
   *
   * @internal
   */
  get compiled(): CompiledNeuron {
    this.compiledSteps ??= this.compiledFor("this use");
    return this.compiledSteps.compiled;
  }

  /**
   * Replaces the step and its form.
   *
   * @internal
   */
  useStep({ form, compiled }: Pick<Neurons, "form" | "compiled">): void {
    this.form = form;
    this.compiledSteps = { compiled, scores: this.scores };
  }

  /**
   * The scores of neurons that compete, else null.
   *
   * @internal
   */
  get scores(): CompiledNeuron | null {
    return this.compiledSteps?.scores ?? null;
  }

  protected override get where(): string {
    return this.form.name;
  }

  protected override get mainOutput(): string {
    return this.plain === null ? this.compiled.main : (outputsOf(this.plain)[0] as string);
  }

  protected override get inputName(): string {
    return "a current";
  }

  protected override get isObserved(): boolean {
    return true;
  }

  /** Compiled neurons make their outputs alone. */
  protected override isComposed(): boolean {
    return this.firing.inhibition !== null || inReference();
  }

  protected override checkInput(shape: Shape): void {
    this.checkNeurons(shape);
  }

  protected override advance(
    current: Tensor,
    T: number,
    step: Shape,
    from: readonly Tensor[] | null,
    wanted: Wanted,
    over: boolean,
  ): Run {
    const plain = this.plainNow();
    let run: Run;
    if (plain === null) {
      const compiler = compilerFor(this.form.name, "a learned or quantized parameter");
      run = compiler.run(this, current, T, step, from, wanted, over);
    } else {
      const { beta, threshold = null } = this as unknown as { readonly beta: Tensor; readonly threshold?: Tensor };
      const shape = wanted === "main" ? null : step;
      run = runPlain(plain, current, T, beta, threshold, from?.[0] ?? null, shape, over);
    }
    // Neither a record nor an output that is read later has the list of the states.
    if (from !== null && wanted !== "all" && run.z.op === null) this.list = (from as Tensor[]).fill(NONE);
    return run;
  }

  /**
   * The options of hand-written kernels where these compute the same still: no parameter has come to be learned, and no state has levels.
   *
   * @internal
   */
  plainNow(): Plain | null {
    const { plain, parameterNames } = this;
    if (plain === null || "levels" in this.chosen || this.parameterRounding !== null) return null;
    for (let i = 0; i < parameterNames.length; i++) if (this.parameterAt(i).requiresGrad) return null;
    return plain;
  }

  protected override stateAfter(run: Run): State {
    return this.completed(run.last);
  }

  /**
   * A state as the layer gives it, of tensors in the order of their names.
   *
   * @internal
   */
  completed(states: readonly Tensor[]): State {
    return named(this.stateNames, states) as State;
  }

  protected override start(step: Shape): State {
    return this.completed(this.valuesAtStart(step));
  }

  private valuesAtStart(step: Shape): readonly Tensor[] {
    const start = this.startTerms(this.parametersNow(), (t) => scalar(t).expand(step));
    return start.map((t) => (t === null ? zeros(step) : t.clone()));
  }

  /**
   * The states of the step before the first one.
   *
   * @internal
   */
  statesAtStart(step: Shape): Named {
    return named(this.stateNames, this.valuesAtStart(step));
  }

  /** The step and the derived backward step, as equations: ∇x is the gradient of x, and ∂x the part of it that arrives from outside. */
  override toString(): string {
    return isLoaded() ? compilerFor(this.form.name, "its equations").print(this) : super.toString();
  }

  /** @internal */
  override get printsEquations(): boolean {
    return isLoaded();
  }

  /**
   * The parameters, learned or not.
   *
   * @internal
   */
  givenParameters(): Tensor[] {
    return Object.keys(this.form.parameters).map((name) => this.parameterOf(name));
  }

  /**
   * The choices of the layer, such as its reset, and of some classes the numbers of the equation.
   *
   * @internal
   */
  get chosen(): Readonly<Record<string, unknown>> {
    return this.form.chosen ?? {};
  }

  /** A parameter by its name. */
  private parameterOf(name: string): Tensor {
    return (this as unknown as Named)[name] as Tensor;
  }

  /**
   * The parameters as the step takes them, within their bounds.
   *
   * @internal
   */
  parametersNow(): Named {
    const all: Record<string, Tensor> = {};
    for (const name of Object.keys(this.form.parameters)) {
      const t = this.parameterOf(name);
      const bounds = this.bounds[name];
      all[name] = bounds === undefined ? t : t.clamp(bounds[0] as number, bounds[1] as number);
    }
    return this.parameterRounding?.rounded(all) ?? all;
  }

  /**
   * The parameters where a gradient passes to one of them, else null. A run asks once, so that each is read, and clamped, once.
   *
   * @internal
   */
  onRecord(): Named | null {
    return onRecord(this, this.parameterNames.length);
  }

  /** @internal */
  parameterAt(i: number): Tensor {
    return (this as unknown as Named)[this.parameterNames[i] as string] as Tensor;
  }

  /**
   * The parameters of a loop, computed from the parameters of the step.
   *
   * @internal
   */
  loopOf(neuron: CompiledNeuron, recorded: Named | null): readonly LoopValue[] {
    return neuron.loop.of(this, recorded) as readonly LoopValue[];
  }

  /**
   * The initial value of each state, a tensor [] or [N] as `over` changes it, null for zeros.
   *
   * @internal
   */
  startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[] {
    const { name, initial, states } = this.form;
    let scalars: Named | null = null;
    const all = initial.map((value, i) => {
      if (typeof value === "function") scalars ??= mapped(parameters, scalar);
      const x = typeof value === "function" ? value(scalars as Named) : value;
      if (typeof x === "number") return x === 0 ? null : over(full([], x));
      const t = x as Tensor;
      if (!t.region?.open) alive(t, `${name}: the initial value of ${states[i]}`);
      // A parameter of 0 costs as much as the number 0.
      return t.isBuffer && t.size === 1 && Object.is(t.item(), 0) ? null : over(t);
    });
    return this.firing.hold > 0 ? [...all, null] : all;
  }

  /** The initial values of the states; a function that reads no parameter is replaced by its number. */
  private initialOf(): Form["initial"] {
    const { name, states, initial } = this.form;
    return initial.map((value, i) => {
      if (typeof value !== "function") return value;
      const what = `the initial value of ${states[i]}`;
      const fixed = withoutParameters(value);
      if (typeof fixed === "number") return numberOf(name, what, fixed, IN_FLOAT32);
      compilerFor(name, what).checkInitial(name, what, value, this.kinds);
      return value;
    });
  }

  /**
   * Throws unless the parameters fit a current of this shape, [T, B, …].
   *
   * @internal
   */
  checkNeurons(shape: Shape): void {
    const { form, firing, kinds, parameterNames } = this;
    const { name } = form;
    if (firing.inhibition !== null) checkRivals(name, shape.slice(1));
    for (let i = 0; i < parameterNames.length; i++) {
      const key = parameterNames[i] as string;
      const t = this.parameterAt(i);
      if (!(t instanceof Tensor)) {
        throw wrongType(name, `${key} as a tensor`, t, `; layer.${key}.copyFrom([…]) changes the values of a layer`);
      }
      checkPerNeuron(name, key, t, shape);
      if ((t.size === 1) === (kinds[key] === "scalar")) continue;
      // The compiled code reads a fixed number of values per parameter.
      throw new RangeError(`${name}: expected ${key} as the layer was made with it, got ${formatShape(t.sizes)}`);
    }
  }

  /**
   * The state, read once; throws unless it is one for steps of this shape.
   *
   * @internal
   */
  override read(state: State, shape: Shape): readonly Tensor[] {
    const { name } = this.form;
    const { stateNames: states } = this;
    const given = Object(state) as Record<string, Tensor>;
    const own = this.list ?? new Array<Tensor>(states.length);
    this.list = null;
    for (let i = 0; i < states.length; i++) {
      const key = states[i] as string;
      const t = given[key] as Tensor;
      checkState(name, key, t, shape);
      if (key === REFRACTORY) checkCounters(name, t, this.firing.hold);
      own[i] = t;
    }
    return own;
  }
}

/** The value of a function that reads no parameter, else undefined. */
function withoutParameters(value: (parameters: Named) => unknown): unknown {
  const get = (): never => {
    throw new TypeError("a parameter");
  };
  try {
    return value(new Proxy({}, { get }));
  } catch {
    // A function that throws for another reason throws again when it is traced.
    return undefined;
  }
}

/** Whether neurons are one compiled step, without an op between two of them, and no subclass has another `forward`. */
export const isCompiled = (layer: unknown): layer is Neurons =>
  layer instanceof Neurons && isUnchanged(layer) && layer.firing.inhibition === null;

/**
 * Throws unless a step of this shape has one axis of neurons, behind the batch's or none: on a map all neurons would
 * have to compete.
 */
function checkRivals(where: string, step: Shape): void {
  if (step.length === 1 || step.length === 2) return;
  const hint = step.length > 2 ? "; flatten the axes of the neurons that compete" : "";
  throw new RangeError(`${where}: inhibition needs currents [T, B, N], got steps of shape ${formatShape(step)}${hint}`);
}

const mapped = (all: Named, fn: (t: Tensor) => Tensor): Named =>
  Object.fromEntries(Object.entries(all).map(([key, t]) => [key, fn(t)]));
