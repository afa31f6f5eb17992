/**
 * Neurons of one's own, from a function of one time step.
 *
 * @module
 */

import { numberOf, wrongType } from "../../engine/arguments.ts";
import { inReference } from "../../engine/backend.ts";
import { onTensors } from "../../engine/fuse/in-reference.ts";
import { Program, print, type StepDefinition, type Value } from "../../engine/fuse/index.ts";
import { full, noGrad, parameter, Tensor, zeros } from "../../engine/index.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { buffer } from "../../engine/tape.ts";
import { alive } from "../../engine/tensor.ts";
import { checkCounters, checkState, IN_FLOAT32 } from "../layer/checks.ts";
import { checkPerNeuron } from "../layer/per-neuron.ts";
import { isUnchanged, Temporal, type Run as TemporalRun, type Wanted } from "../layer/temporal.ts";
import type { NeuronChoices, NoChoices, OptionalParameters, SourceOptions, Spellings } from "./definition.ts";
import { checkedForm, chosenForm, type Definition, type Form, firingOf, type Named, readOptions } from "./form.ts";
import { checkRivals, Rivals, rivalsOnTensors } from "./inhibition.ts";
import { FromParameters, type LoopValue, onRecord } from "./loop.ts";
import { CompiledNeuron, named, StepRun } from "./op.ts";
import { type PlainRun, plainOutput } from "./plain.ts";
import { type Firing, REFRACTORY, scoresOf, stepOf } from "./step.ts";
import type { NeuronClass, NeuronDefinition, NeuronOutputs, Typed } from "./types.ts";

/**
 * A class of neurons from a function of one time step: compiled to WebAssembly, differentiated, and fused over time.
 *
 * The step computes with symbols, once for each layer: it has no numbers to look at, and `where(v.gt(1), a, b)` takes the place
 * of an `if`. Each neuron is computed on its own. Parameters are properties of a layer and names in its state; those that are
 * learned are its parameters, the others buffers. A layer runs in `Sequential` and `Stream`, and has `forward`, `unroll`, `step`,
 * `initialState`; `String(layer)` shows the gradient that was derived.
 *
 *     const Leaky = neuron({
 *       name: "Leaky",
 *       state: { v: 0 },
 *       parameters: { beta: 0.9, threshold: 1 },
 *       step({ current, v, beta, threshold, spike }) {
 *         const u = v.mul(beta).add(current);
 *         const s = spike(u.sub(threshold));
 *         return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)) };
 *       },
 *     });
 *     const layer = new Leaky({ beta: 0.8, learn: ["beta"], constrain: { beta: [0, 1] } });
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; a parameter [N] gives each neuron on the last axis its own.
 *
 * A step that returns `membrane` and no `spikes` is a readout, as {@link LeakyIntegrator} is.
 *
 * @throws TypeError for a definition with names that are taken, values that are no numbers, or a step that is no function. The
 *   constructor of the class: TypeError for an option of another name or kind, and where the step does what a neuron cannot, for
 *   instance `v * beta`; RangeError for values beyond float32, bounds in the wrong order, names that are no parameters, options without
 *   effect for the choices, more than 31 outputs, or
 *   refractory steps of a neuron that has no spikes or no state to hold.
 */
export function neuron<
  State extends string,
  Parameters extends Readonly<Record<string, number>>,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
  const Optional extends OptionalParameters = NoChoices,
  const From extends Readonly<Record<string, SourceOptions>> = NoChoices,
  const Also extends Spellings = NoChoices,
>(
  definition: NeuronDefinition<State, Parameters, Outputs, Choices, Preset, Optional, From, Also>,
): NeuronClass<State, Parameters, Outputs, Choices, Preset, Optional, From, Also> {
  return layersOf(checkedForm(definition as unknown as Definition, isProperty)) as never;
}

/** The class of layers with this form. */
export function layersOf<Options extends object, Fields, State = unknown, Result = object>(
  form: Form & Typed<Options, Fields, State, Result>,
): new (
  options?: Options,
) => Neurons<State, Result> & Fields {
  const made = class extends Neurons {
    constructor(options: object = {}) {
      super(form, options);
    }
  };
  Object.defineProperty(made, "name", { value: form.name });
  return made as never;
}

/** T steps of neurons, with the states after the last of them where these are wanted. */
interface Run extends TemporalRun {
  readonly last: readonly Tensor[];
}

/** Fields of every layer. */
const FIELDS = { training: 0, firing: 0, form: 0, bounds: 0, compiled: 0, scores: 0, starts: 0, startsOf: 0 };

const isProperty = (name: string): boolean => name in Neurons.prototype || name in FIELDS;

/** A layer of neurons, whatever their step. */
export class Neurons<State = unknown, Result = object> extends Temporal<State, Result, readonly Tensor[], Run> {
  /**
   * The step that runs.
   *
   * @internal
   */
  compiled: CompiledNeuron;
  /**
   * The form that the step was compiled from. Quantization writes another form and its step: the states and parameters stay.
   *
   * @internal
   */
  form: Form;
  /**
   * The scores of neurons that compete, else null.
   *
   * @internal
   */
  readonly scores: CompiledNeuron | null;
  /**
   * How the step runs.
   *
   * @internal
   */
  readonly firing: Firing;
  private readonly bounds: Readonly<Record<string, readonly number[]>>;
  private starts: FromParameters | null = null;
  /** The step whose initial values these are. */
  private startsOf: CompiledNeuron | null = null;

  /** @internal */
  constructor(form: Form, options: object) {
    super();
    const read = readOptions(form, options);
    const { parameters, learned, bounds } = read;
    this.form = chosenForm(read);
    this.firing = firingOf(read);
    this.bounds = Object.fromEntries(Object.entries(bounds).filter(([key]) => learned.has(key)));
    const [compiled, scores] = noGrad(() => {
      const kinds: Record<string, "scalar" | "column"> = {};
      for (const key of Object.keys(parameters)) {
        const t = read.tensor(key);
        if (learned.has(key)) parameter(t);
        else buffer(t, read.rangeOf(key));
        (this as unknown as Record<string, Tensor>)[key] = t;
        kinds[key] = t.size === 1 ? "scalar" : "column";
      }
      this.form = { ...this.form, initial: this.initialOf(kinds) };
      const { inhibition } = this.firing;
      return [
        new CompiledNeuron(stepOf(this.form, kinds, this.firing)),
        inhibition && new CompiledNeuron(scoresOf(this.form, kinds, this.firing)),
      ] as const;
    });
    this.compiled = compiled;
    this.scores = scores;
  }

  protected override get where(): string {
    return this.form.name;
  }

  protected override get mainOutput(): string {
    return this.compiled.main;
  }

  protected override get inputName(): string {
    return "a current";
  }

  protected override get isObserved(): boolean {
    return true;
  }

  /** Compiled neurons make their outputs alone. */
  protected override get isComposed(): boolean {
    return this.scores !== null || inReference();
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
    const plain = this.plainly(current, T, from?.[0] ?? null, wanted === "main" ? null : step, over);
    if (plain !== null) return plainly(plain, this.compiled.outputs);
    if (inReference()) return this.onTensors(current, T, step, from);
    const { compiled, scores } = this;
    const recorded = this.onRecord();
    const values = this.loopOf(compiled, recorded);
    const rivals = scores && new Rivals(scores, this.loopOf(scores, null), step[step.length - 1] as number);
    const run = new StepRun(compiled, current, T, values, from ?? this.firstValues(step, recorded), null, rivals);
    const outputs = wanted === "all" ? compiled.all : 1 << compiled.mainAt;
    return run.forward(outputs, wanted === "main" ? null : step, over);
  }

  /**
   * A run of neurons that hand-written kernels compute, from v on, or from zeros; null where there are no kernels for these. `shape`, that of
   * a step, asks for the last v.
   *
   * @internal
   */
  protected plainly(
    _current: Tensor,
    _T: number,
    _from: Tensor | null,
    _shape: Shape | null,
    _over: boolean,
  ): PlainRun | null {
    return null;
  }

  protected override stateAfter(run: Run): State {
    return this.completed(named(this.compiled.states, run.last));
  }

  /**
   * A state as the layer gives it.
   *
   * @internal
   */
  completed(state: Named): State {
    return state as State;
  }

  protected override start(step: Shape): State {
    return this.completed(this.statesAtStart(step));
  }

  /**
   * The states of the step before the first one.
   *
   * @internal
   */
  statesAtStart(step: Shape): Named {
    const start = this.startTerms(this.parametersNow(), (t) => scalar(t).expand(step));
    return named(
      this.compiled.states,
      start.map((t) => (t === null ? zeros(step) : t.clone())),
    );
  }

  /** The step and the derived backward step, as equations: ∇x is the gradient of x, and ∂x the part of it that arrives from outside. */
  override toString(): string {
    return print(this.compiled.program.traced, SYMBOLS, this.form.initial);
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
    return all;
  }

  /**
   * The parameters where a gradient passes to one of them, else null. A run asks once, so that each is read, and clamped, once.
   *
   * @internal
   */
  onRecord(): Named | null {
    return onRecord(this, this.compiled.parameters.length);
  }

  /** @internal */
  parameterAt(i: number): Tensor {
    return (this as unknown as Named)[this.compiled.parameters[i] as string] as Tensor;
  }

  /**
   * The parameters of a loop, computed from those of the step.
   *
   * @internal
   */
  loopOf(neuron: CompiledNeuron, recorded: Named | null): readonly LoopValue[] {
    return neuron.loop.of(this, recorded) as readonly LoopValue[];
  }

  /**
   * The states before the first step of a shape, in their order: those of a state, which is read and checked, or those at the start, null
   * for zeros.
   *
   * @internal
   */
  startFrom(step: Shape, state: object | null, recorded: Named | null): readonly (LoopValue | null)[] {
    return state === null ? this.firstValues(step, recorded) : this.read(state as State, step);
  }

  /** The states before the first step: tensors of this shape where a gradient may pass, else values [1] or [N], and null for zeros. */
  private firstValues(shape: Shape, recorded: Named | null): readonly (LoopValue | null)[] {
    if (recorded !== null) return this.startTerms(recorded, (t) => scalar(t).expand(shape));
    const { compiled } = this;
    if (this.startsOf !== compiled) {
      // Quantization writes another form and its step.
      this.starts = new FromParameters(compiled.parameters.length, (now) => this.startTerms(now, (t) => t), true);
      this.startsOf = compiled;
    }
    return (this.starts as FromParameters).of(this, null);
  }

  /** The initial value of each state, a tensor [] or [N] as `over` changes it, null for zeros. */
  private startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[] {
    const { name, initial, states } = this.form;
    let scalars: Named | null = null;
    const all = initial.map((value, i) => {
      if (typeof value === "function") scalars ??= mapped(parameters, scalar);
      const x = typeof value === "function" ? value(scalars as Named) : value;
      if (typeof x === "number") return x === 0 ? null : over(full([], x));
      const t = x as Tensor;
      if (!t.region?.open) alive(t, `${name}: the initial value of ${states[i]}`);
      // A parameter of 0 costs what the number 0 does.
      return t.isBuffer && t.size === 1 && Object.is(t.item(), 0) ? null : over(t);
    });
    return this.firing.hold > 0 ? [...all, null] : all;
  }

  /**
   * The initial values of the states: numbers in the place of functions that read no parameter. Throws where a function does what a step
   * may not: on tensors `beta * 2` would be NaN in silence.
   */
  private initialOf(parameters: StepDefinition["parameters"]): Form["initial"] {
    const { states, initial } = this.form;
    return initial.map((value, i) => {
      if (typeof value !== "function") return value;
      const what = `the initial value of ${states[i]}`;
      const name = `${this.form.name}: ${what}`;
      const get = (given: Named, key: string) => {
        if (key in parameters) return given[key];
        throw new TypeError(`${name}: expected a function of ${Object.keys(parameters).join(", ")}, got one of ${key}`);
      };
      const fixed = withoutParameters(value);
      if (typeof fixed === "number") return numberOf(this.form.name, what, fixed, IN_FLOAT32);
      const step = (argument: unknown) => {
        const x = value(new Proxy(argument as Named, { get: get as never }));
        if (typeof x === "number") numberOf(this.form.name, what, x, IN_FLOAT32);
        return { [states[i] as string]: x instanceof Tensor ? 0 : (x as Value) };
      };
      new Program({ name, inputs: [], states: [], parameters, step });
      return value;
    });
  }

  /** The step on tensors, for the float64 kernels of `gradcheck`. */
  private onTensors(current: Tensor, _T: number, step: Shape, from: readonly Tensor[] | null): Run {
    const { program, states, outputs: names, main } = this.compiled;
    const parameters = this.parametersNow();
    const before = from ?? this.startTerms(parameters, (t) => scalar(t).expand(step));
    const given = states.map((name, i) => [name, before[i]] as const).filter(([, t]) => t !== null);
    const isStep = current.ndim === step.length;
    const operands = {
      inputs: { current: isStep ? current.unsqueeze(0) : current },
      states: Object.fromEntries(given) as Named,
      parameters: mapped(parameters, scalar),
    };
    const { outputs, states: last } =
      this.scores === null
        ? onTensors(program.traced, operands)
        : rivalsOnTensors(this.compiled, this.scores, operands);
    const z = outputs[main] as Tensor;
    return {
      z: isStep ? z.squeeze(0) : z,
      names,
      output: (i) => outputs[names[i] as string] as Tensor,
      last: states.map((name) => last[name] as Tensor),
    };
  }

  /**
   * Throws unless the parameters fit a current of this shape, [T, B, …].
   *
   * @internal
   */
  checkNeurons(shape: Shape): void {
    if (this.scores !== null) checkRivals(this.form.name, shape.slice(1));
    const { compiled } = this;
    const { name, columns, parameters } = compiled;
    for (let i = 0; i < parameters.length; i++) {
      const key = parameters[i] as string;
      const t = this.parameterAt(i);
      if (!(t instanceof Tensor)) {
        throw wrongType(name, `${key} as a tensor`, t, `; layer.${key}.copyFrom([…]) changes the values of a layer`);
      }
      checkPerNeuron(name, key, t, shape);
      if ((t.size === 1) !== columns[i]) continue;
      // The compiled code reads a fixed number of values per parameter.
      throw new RangeError(`${name}: expected ${key} as the layer was made with it, got ${formatShape(t.sizes)}`);
    }
  }

  /**
   * The state, read once; throws unless it is one for steps of this shape.
   *
   * @internal
   */
  protected override read(state: State, shape: Shape): readonly Tensor[] {
    const { name } = this.form;
    const { states } = this.compiled;
    const given = Object(state) as Record<string, Tensor>;
    const own: Tensor[] = [];
    for (let i = 0; i < states.length; i++) {
      const key = states[i] as string;
      const t = given[key] as Tensor;
      checkState(name, key, t, shape);
      if (key === REFRACTORY) checkCounters(name, t, this.firing.hold);
      own.push(t);
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

/** Whether neurons are one compiled step, without an op between two of them, and no subclass has changed what they compute. */
export const isCompiled = (layer: unknown): layer is Neurons =>
  layer instanceof Neurons && isUnchanged(layer) && layer.scores === null;

/** Shorter names in equations. */
export const SYMBOLS = "current I winner w spikes s membrane u threshold θ refractory r";

const plainly = (run: PlainRun, names: readonly string[]): Run => ({
  z: run.z,
  names,
  output: (i) => plainOutput(run, names[i] as "membrane" | "v"),
  last: run.last === null ? [] : [run.last],
});

const mapped = (all: Named, fn: (t: Tensor) => Tensor): Named =>
  Object.fromEntries(Object.entries(all).map(([key, t]) => [key, fn(t)]));

/** One value for all neurons broadcasts to a step of any shape, also to one without axes. */
const scalar = (t: Tensor): Tensor => (t.size === 1 && t.ndim > 0 ? t.reshape([]) : t);
