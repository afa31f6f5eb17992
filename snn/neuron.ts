/**
 * Neurons of one's own, from a function of one time step.
 *
 * @module
 */

import { choiceOf, numberOf, type Range, withDefaults, wrongType, wrongValue } from "../engine/arguments.ts";
import { inReference, onTensors } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { derive, Program, print, type StepDefinition, type Value } from "../engine/fuse/index.ts";
import { full, Module, noGrad, parameter, stack, Tensor, zeros } from "../engine/index.ts";
import { forwardOf, locate } from "../engine/nn/module.ts";
import { checkShape, formatShape, type Shape } from "../engine/shape.ts";
import { buffer } from "../engine/tape.ts";
import { alive } from "../engine/tensor.ts";
import {
  checkCounters,
  checkNeeds,
  checkSequence,
  checkState,
  IN_FLOAT32,
  missing,
  STEPS,
  strictOf,
} from "./checks.ts";
import { boundsOf, chosenOf, first, optionsOf, within, withPreset } from "./definition.ts";
import { checkRivals, rivalsOnTensors, runRivals } from "./inhibition.ts";
import {
  chosenForm,
  type Definition,
  type Form,
  formOf,
  inhibitionOf,
  learnedOf,
  type Named,
  OPTIONS,
} from "./neuron-form.ts";
import { CompiledNeuron, type Operands, outputOf, type Passage, runNeuron } from "./neuron-op.ts";
import { type Firing, GRADED, REFRACTORY, scoresOf, stepOf } from "./neuron-step.ts";
import type {
  NeuronChoices,
  NeuronClass,
  NeuronDefinition,
  NeuronOutputs,
  NeuronState,
  NoChoices,
} from "./neuron-types.ts";
import { type Observer, observer } from "./observer.ts";
import { checkPerNeuron, persistentCopy } from "./per-neuron.ts";
import { checkSurrogate } from "./surrogate.ts";
import { sigmoid } from "./surrogates.ts";
import { resultOf } from "./unroll-result.ts";

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
  Parameter extends string,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
>(
  definition: NeuronDefinition<State, Parameter, Outputs, Choices, Preset>,
): NeuronClass<State, Parameter, Outputs, Choices, Preset> {
  const form = formOf(definition as unknown as Definition, isProperty);
  const made = class extends Neurons {
    constructor(options: object = {}) {
      super(form, options);
    }
  };
  Object.defineProperty(made, "name", { value: form.name });
  return made as unknown as NeuronClass<State, Parameter, Outputs, Choices, Preset>;
}

type State = NeuronState<string>;

/** Fields of every layer. */
const FIELDS = { training: 0, firing: 0, form: 0, bounds: 0, compiled: 0, scores: 0 };

const isProperty = (name: string): boolean => name in Neurons.prototype || name in FIELDS;

/** A layer of neurons, whatever their step. */
export class Neurons extends Module {
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

  /** @internal */
  constructor(form: Form, options: object) {
    super();
    const { name, choices = {}, numerics = {} } = form;
    const read = withDefaults<typeof OPTIONS & Record<string, unknown>>(
      name,
      { ...optionsOf(Object.keys(form.parameters), choices), ...OPTIONS },
      options,
    );
    const asked = { ...read };
    const given = withPreset(name, read, numerics);
    const { learn = form.learn ?? [], constrain = {}, surrogate = sigmoid(), spiking, gradedSpikesFactor } = given;
    const isGraded = gradedSpikesFactor !== undefined || (Array.isArray(learn) && learn.includes(GRADED));
    const parameters = isGraded ? { ...form.parameters, [GRADED]: 1 } : form.parameters;
    const names = Object.keys(parameters);
    checkSurrogate(name, surrogate);
    if (!spiking && surrogate.primitive === null) {
      throw new RangeError(`${name}: spiking: false needs a surrogate with a primitive, got ${surrogate.name}`);
    }
    const strict = strictOf(name, given.fire) === 1;
    const leaks = choiceOf(name, "refractory", given.refractory, ["hold", "leak"]) === "leak";
    const chosen = chosenOf(name, choices, given);
    this.form = chosenForm(form, parameters, chosen);
    const hold = numberOf(name, "refractorySteps", given.refractorySteps, STEPS);
    if (hold > 0 && form.reset === null) {
      throw new RangeError(
        `${name}: refractorySteps needs a state that is held; name it in the definition, reset: "${form.states[0]}"`,
      );
    }
    const inhibition = inhibitionOf(name, given.inhibition);
    this.firing = { surrogate, strict, hold, leaks, isGraded, inhibition, spiking };
    const learned = learnedOf(name, names, learn);
    const { refractory = "hold" } = asked;
    const { needs = {} } = form;
    // A definition or a preset learns a parameter where this has an effect.
    if (asked.learn === undefined) for (const key of names) if (missing(needs, key, chosen)) learned.delete(key);
    checkNeeds(
      name,
      needs,
      (key) => learned.has(key) || (asked[key] !== undefined && asked[key] !== first(choices[key])),
      chosen,
    );
    if (hold === 0 && refractory !== "hold") throw wrongValue(name, `refractorySteps > 0 with refractory "leak"`, hold);
    const bounds = { ...form.constrain, ...boundsOf(name, names, constrain) };
    this.bounds = Object.fromEntries(Object.entries(bounds).filter(([key]) => learned.has(key)));
    const rangeOf = (key: string): Range => {
      const own = bounds[key];
      return own === undefined || learned.has(key) ? IN_FLOAT32 : within(own as readonly [number, number]);
    };
    const [compiled, scores] = noGrad(() => {
      const kinds: Record<string, "scalar" | "column"> = {};
      for (const key of names) {
        const value = given[key] === undefined ? parameters[key] : given[key];
        const range = rangeOf(key);
        const t = persistentCopy(name, key, value as number | Tensor, range);
        if (learned.has(key)) parameter(t);
        else buffer(t, range);
        (this as unknown as Record<string, Tensor>)[key] = t;
        kinds[key] = t.size === 1 ? "scalar" : "column";
      }
      this.checkInitial(kinds);
      return [
        new CompiledNeuron(stepOf(this.form, kinds, this.firing)),
        inhibition && new CompiledNeuron(scoresOf(this.form, kinds, this.firing)),
      ] as const;
    });
    this.compiled = compiled;
    this.scores = scores;
  }

  /**
   * Spikes [T, B, …] of a current [T, B, …], from the state at the start; of neurons without spikes the membrane.
   *
   * @throws RangeError unless the current has a time axis and fits the parameters of each neuron.
   */
  forward(current: Tensor): Tensor {
    return this.run(current, false);
  }

  /**
   * The same, where what forward saves may take the place of the current.
   *
   * @internal
   */
  override forwardOver(current: Tensor): Tensor {
    return this.forward === FORWARD ? this.run(current, true) : this.forward(current);
  }

  private run(current: Tensor, over: boolean): Tensor {
    this.checkCurrent(current);
    if (observer !== null) return this.seen(current, null, false)[this.compiled.main] as Tensor;
    return composed(Neurons.spikes, this, current, over);
  }

  /**
   * Spikes of neurons that hand-written kernels compute, null where there are none for these.
   *
   * @internal
   */
  protected plainly(_current: Tensor, _parameters: Named, _over: boolean): Tensor | null {
    return null;
  }

  private checkCurrent(current: Tensor): void {
    try {
      checkSequence(this.form.name, "a current", current);
      this.checkNeurons(current.sizes);
    } catch (error) {
      throw locate(error, "", this);
    }
  }

  private static spikes(layer: Neurons, current: Tensor, over: boolean): Tensor {
    const parameters = layer.parametersNow();
    if (inReference()) return layer.onTensors(current, null, parameters)[layer.compiled.main] as Tensor;
    const plain = layer.plainly(current, parameters, over);
    if (plain !== null) return plain;
    const { compiled } = layer;
    const operands = layer.operands(current, current.sizes[0] as number, null, parameters);
    if (layer.scores !== null) {
      const rivals = runRivals(compiled, layer.scores, operands, parameters, current.sizes.slice(1));
      return stack(rivals.map((passage) => passage.z));
    }
    return runNeuron(compiled, operands, [compiled.main], null, over).z;
  }

  unroll(current: Tensor, state?: never): object {
    this.checkCurrent(current);
    const from = state === undefined ? null : this.read(state, current.sizes.slice(1));
    if (observer !== null) return this.seen(current, from, from !== null);
    return composed(Neurons.recorded, this, current, from);
  }

  /** The result of `unroll`, which the observer of `record` sees too. */
  private seen(current: Tensor, from: State | null, continues: boolean): Readonly<Record<string, unknown>> {
    const run = (own: Tensor) => composed(Neurons.recorded, this, own, from) as Readonly<Record<string, unknown>>;
    return (observer as Observer).run(this, current, continues, run);
  }

  private static recorded(layer: Neurons, current: Tensor, from: State | null): object {
    const parameters = layer.parametersNow();
    const result = inReference()
      ? layer.onTensors(current, from, parameters)
      : layer.overTime(current, from, parameters, current.sizes.slice(1));
    return Object.assign(result, { state: layer.completed(result.state as Named) });
  }

  private overTime(current: Tensor, from: State | null, parameters: Named, shape: Shape) {
    const { compiled, scores } = this;
    const operands = this.operands(current, current.sizes[0] as number, from, parameters);
    if (scores === null) return unrolled(compiled, operands, shape);
    const passages = runRivals(compiled, scores, operands, parameters, shape);
    const { last } = passages[passages.length - 1] as Passage;
    const over = (of: (passage: Passage) => Tensor): Tensor => stack(passages.map(of));
    const z = over((passage) => passage.z);
    const { main, states, outputs } = compiled;
    return resultOf(main, z, named(states, last), outputs, (_, i) => over((passage) => outputOf(passage, i)));
  }

  /**
   * A state as the layer gives it.
   *
   * @internal
   */
  completed(state: Named): Named {
    return state;
  }

  step(current: Tensor, state: never): [z: Tensor, state: unknown] {
    alive(current, this.form.name);
    this.checkNeurons([1, ...current.sizes]);
    const from = this.read(state, current.sizes);
    if (observer !== null) {
      const { [this.compiled.main]: z, state: next } = this.seen(current.unsqueeze(0), from, true);
      return [(z as Tensor).squeeze(0), next];
    }
    return composed(Neurons.advanced, this, current, from);
  }

  private static advanced(layer: Neurons, current: Tensor, from: State): [z: Tensor, state: Named] {
    const parameters = layer.parametersNow();
    const { compiled } = layer;
    const { main } = compiled;
    if (inReference()) {
      const { [main]: z, state } = layer.onTensors(current.unsqueeze(0), from, parameters);
      return [(z as Tensor).squeeze(0), layer.completed(state as Named)];
    }
    const operands = layer.operands(current, 1, from, parameters);
    const { z, last } =
      layer.scores === null
        ? runNeuron(compiled, operands, [main], current.sizes)
        : (runRivals(compiled, layer.scores, operands, parameters, current.sizes)[0] as Passage);
    return [z, layer.completed(named(compiled.states, last))];
  }

  initialState(shape: readonly number[]): unknown {
    return composed(Neurons.started, this, checkShape(this.form.name, shape));
  }

  /** @internal */
  static started(layer: Neurons, shape: Shape): Named {
    const start = layer.start(shape, layer.parametersNow());
    const state = start.map((t) => (t === null ? zeros(shape) : t.clone()));
    return layer.completed(named(layer.compiled.states, state));
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
   * The parameters of the compiled loop, computed from those of the step.
   *
   * @internal
   */
  loopParameters(parameters: Named): Tensor[] {
    return derive(this.compiled.program.traced, parameters);
  }

  private operands(current: Tensor, T: number, from: State | null, parameters: Named): Operands {
    return {
      current,
      T,
      parameters: this.loopParameters(parameters),
      from: this.before(current.sizes.slice(1), from, parameters),
    };
  }

  /**
   * The parameters by their names and the states before the first step, for a run over a current of this shape, [T, B, …]: the states that
   * are given, or those at the start.
   *
   * @internal
   */
  takenBy(shape: Shape, state: object | null): { parameters: Named; from: (Tensor | null)[] } {
    this.checkNeurons(shape);
    const step = shape.slice(1);
    const parameters = this.parametersNow();
    return { parameters, from: this.before(step, state && this.read(state as State, step), parameters) };
  }

  /** The states before the first step, in their order: those that were given, or those at the start. */
  private before(shape: Shape, from: State | null, parameters: Named): (Tensor | null)[] {
    if (from === null) return this.start(shape, parameters);
    return this.compiled.states.map((name) => (from as unknown as Named)[name] as Tensor);
  }

  /** The states before the first step, null for zeros. */
  private start(shape: Shape, parameters: Named): (Tensor | null)[] {
    const { name, states, initial } = this.form;
    const scalars = Object.fromEntries(Object.entries(parameters).map(([key, t]) => [key, scalar(t)]));
    const all = initial.map((value, i) => {
      const x = typeof value === "function" ? value(scalars) : value;
      if (x === 0) return null;
      if (typeof x === "number") return full(shape, x);
      const t = x as Tensor;
      alive(t, `${name}: the initial value of ${states[i]}`);
      // A parameter of 0 costs what the number 0 does.
      if (t.size === 1 && !t.requiresGrad && Object.is(t.item(), 0)) return null;
      return scalar(t).expand(shape);
    });
    return this.firing.hold > 0 ? [...all, null] : all;
  }

  /** Throws where the initial value of a state does what a step may not: on tensors `beta * 2` would be NaN in silence. */
  private checkInitial(parameters: StepDefinition["parameters"]): void {
    const { states, initial } = this.form;
    initial.forEach((value, i) => {
      if (typeof value !== "function") return;
      const name = `${this.form.name}: the initial value of ${states[i]}`;
      const get = (given: Named, key: string) => {
        if (key in parameters) return given[key];
        throw new TypeError(`${name}: expected a function of ${Object.keys(parameters).join(", ")}, got one of ${key}`);
      };
      const step = (argument: unknown) => {
        const x = value(new Proxy(argument as Named, { get: get as never }));
        if (typeof x === "number") numberOf(this.form.name, `the initial value of ${states[i]}`, x, IN_FLOAT32);
        return { [states[i] as string]: x instanceof Tensor ? 0 : (x as Value) };
      };
      new Program({ name, inputs: [], states: [], parameters, step });
    });
  }

  /** The step on tensors, for the float64 kernels of `gradcheck`. */
  private onTensors(current: Tensor, from: State | null, parameters: Named): Readonly<Record<string, unknown>> {
    const { program, states } = this.compiled;
    const before = this.before(current.sizes.slice(1), from, parameters);
    const given = states.map((name, i) => [name, before[i]] as const).filter(([, t]) => t !== null);
    const operands = {
      inputs: { current },
      states: Object.fromEntries(given) as Named,
      parameters: Object.fromEntries(Object.entries(parameters).map(([key, t]) => [key, scalar(t)])),
    };
    const { outputs, states: last } =
      this.scores === null
        ? onTensors(program.traced, operands)
        : rivalsOnTensors(this.compiled, this.scores, operands);
    const { [REFRACTORY]: _, ...all } = outputs;
    return { ...all, state: last };
  }

  /**
   * Throws unless the parameters fit a current of this shape, [T, B, …].
   *
   * @internal
   */
  checkNeurons(shape: Shape): void {
    if (this.scores !== null) checkRivals(this.form.name, shape.slice(1));
    const { name, parameters } = this.compiled.program.traced.definition;
    for (const key of Object.keys(parameters)) {
      const t = this.parameterOf(key);
      if (!(t instanceof Tensor)) {
        throw wrongType(name, `${key} as a tensor`, t, `; layer.${key}.copyFrom([…]) changes the values of a layer`);
      }
      checkPerNeuron(name, key, t, shape);
      if ((t.size === 1) === (parameters[key] === "scalar")) continue;
      // The compiled code reads a fixed number of values per parameter.
      throw new RangeError(`${name}: expected ${key} as the layer was made with it, got ${formatShape(t.sizes)}`);
    }
  }

  /**
   * The state, read once; throws unless it is one for steps of this shape.
   *
   * @internal
   */
  protected read(state: State, shape: Shape): State {
    const { name } = this.form;
    const given = Object(state) as Record<string, Tensor>;
    const copy: Record<string, Tensor> = {};
    for (const key of this.compiled.states) {
      copy[key] = given[key] as Tensor;
      checkState(name, key, copy[key], shape);
      if (key === REFRACTORY) checkCounters(name, copy[key], this.firing.hold);
    }
    return copy as State;
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Neurons);

/** Whether neurons are one compiled step, without an op between two of them, and no subclass has changed what they compute. */
export const isCompiled = (layer: unknown): layer is Neurons =>
  layer instanceof Neurons && layer.forward === FORWARD && layer.scores === null;

/** Shorter names in equations. */
export const SYMBOLS = "current I winner w spikes s membrane u threshold θ refractory r";

/** Runs neurons from operands for steps of this shape on: what they give, and the state after the last step. */
export function unrolled(neuron: CompiledNeuron, operands: Operands, shape: Shape): Readonly<Record<string, unknown>> {
  const passage = runNeuron(neuron, operands, neuron.outputs, shape);
  const state = named(neuron.states, passage.last);
  return resultOf(neuron.main, passage.z, state, neuron.outputs, (_, i) => outputOf(passage, i));
}

export const named = (names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i] as Tensor]));

/** One value for all neurons broadcasts to a step of any shape, also to one without axes. */
const scalar = (t: Tensor): Tensor => (t.size === 1 && t.ndim > 0 ? t.reshape([]) : t);
