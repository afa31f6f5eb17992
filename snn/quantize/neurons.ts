/** Neurons whose states lie on a few levels and whose decays are shifts. */
import { show } from "../../engine/arguments.ts";
import { touch } from "../../engine/extend.ts";
import { type Language, Program, replaced, type Value } from "../../engine/fuse/index.ts";
import { type Module, noGrad, type Tensor } from "../../engine/index.ts";
import { Staged } from "../layer/stage.ts";
import type { NeuronSpec } from "../neuron/form.ts";
import { Neurons } from "../neuron/neuron.ts";
import { CompiledNeuron } from "../neuron/op.ts";
import type { Named, Rounding } from "../neuron/parameters.ts";
import { type Firing, stepDefinition } from "../neuron/step.ts";
import { onLevel, type StateLevels } from "./levels.ts";
import { toShift } from "./shift.ts";

/** Fields of a `Recurrent` that this file uses; importing the class would add its code to every page. */
interface Linked {
  readonly neuron: Module;
}

/** Whether the module is a `Recurrent`. */
export const isLinked = (module: object): module is Linked => module instanceof Staged && "linked" in module;

/** Layers of neurons in a model, including those of a `RecurrentLIF`, which are not in a field. */
export function neuronsIn(model: Module): Neurons[] {
  const modules = model.namedModules().map(([, module]) => (isLinked(module) ? module.neuron : module));
  return [...new Set(modules.filter((module) => module instanceof Neurons))];
}

/**
 * Names of the states of each layer that are rounded to levels.
 *
 * @throws RangeError for neurons that cannot have levels, a state that none of them has, and values outside of the levels.
 */
export function statesOnLevels(where: string, layers: readonly Neurons[], levels: StateLevels): readonly string[][] {
  const { states } = levels;
  for (const { form, firing } of layers) {
    if (firing.spiking && firing.inhibition === null) continue;
    const got = `${form.name} with ${firing.spiking ? "inhibition" : "spiking: false"}`;
    throw new RangeError(`${where}: expected state for neurons that spike, each on its own, got ${got}`);
  }
  const known = layers.map((layer) => layer.form);
  const all = known.map(({ reset, states: own }) => own.filter((name) => states?.includes(name) ?? name === reset));
  const unknown = states?.find((name) => !all.some((names) => names.includes(name)));
  if (unknown !== undefined || all.every((names) => names.length === 0)) {
    const names = [...new Set(known.flatMap((form) => form.states))].join(", ");
    if (states !== null)
      throw new RangeError(`${where}: expected state.states of ${names}, got ${show(unknown ?? [])}`);
    const got = [...new Set(known.map(({ name }) => name))].join(", ");
    throw new RangeError(
      `${where}: expected neurons with spikes that reset a state, or state.states of ${names}, got ${got}`,
    );
  }
  for (const [i, layer] of layers.entries()) {
    if ((all[i] as string[]).length > 0) checkRange(where, layer, levels, all[i] as string[]);
  }
  return all;
}

/**
 * Throws unless θ is positive, and initial and reset values lie within the levels.
 *
 * @throws RangeError naming layer and value.
 */
function checkRange(where: string, layer: Neurons, levels: StateLevels, states: readonly string[]): void {
  const { name, parameters, reset } = layer.form;
  const valuesOf = (key: string): ArrayLike<number> => {
    const chosen = layer.chosen[key];
    if (typeof chosen === "number") return [chosen];
    return key in parameters ? ((layer as unknown as Named)[key] as Tensor).toFloat32Array() : [];
  };
  const check = (key: string, values: ArrayLike<number>, expected: string, fits: (x: number, i: number) => boolean) => {
    const wrong = Array.from(values).find((x, i) => !fits(x, i));
    if (wrong === undefined) return;
    const hint = "; give state.threshold, lowerLimit and upperLimit";
    throw new RangeError(`${where}: expected ${expected}, got ${name} with ${key} ${show(wrong)}${hint}`);
  };
  const thetas = levels.threshold === null ? valuesOf("threshold") : [levels.threshold];
  check("threshold", thetas, "levels of a threshold > 0", (x) => x > 0);
  const count = Math.max(...layer.givenParameters().map((t) => t.size), 1);
  const started = noGrad(() => {
    const start = layer.initialState([count]) as Readonly<Record<string, Tensor>>;
    return states.map((state) => (start[state] as Tensor).toFloat32Array());
  });
  const within = (x: number, i: number): boolean => {
    const theta = thetas[thetas.length === 1 ? 0 : i] ?? 1;
    return x >= levels.low * theta && x <= levels.high * theta;
  };
  const lie = `values from ${levels.low}·θ to ${levels.high}·θ`;
  for (const [i, x] of started.entries()) check(`${states[i]} at the start`, x, lie, within);
  if (!states.includes(reset as string) || (layer.chosen.reset ?? "zero") !== "zero") return;
  for (const key of RESET_VALUES) {
    const values = valuesOf(key);
    check(
      key,
      values.length === 1 ? Array.from({ length: thetas.length || 1 }, () => values[0] as number) : values,
      lie,
      within,
    );
  }
}

/** Parameters to which a reset may set the state. */
const RESET_VALUES = ["resetValue", "c"];

/**
 * Prepares a change of the layer to states on these levels, or back to floats if `levels` is null. Returns a function that makes the
 * change; until its call the layer is unchanged.
 */
export function levelsOf(layer: Neurons, levels: StateLevels | null, states: readonly string[]): () => void {
  const own = layer.form.own ?? { form: layer.form, compiled: layer.compiled };
  if (levels === null || states.length === 0) return () => layer.useStep(own);
  const step = compiledWith(own, layer.firing, levels, states);
  return () => layer.useStep(step);
}

function compiledWith(
  own: Pick<Neurons, "form" | "compiled">,
  firing: Firing,
  levels: StateLevels,
  states: readonly string[],
): Pick<Neurons, "form" | "compiled"> {
  const { form } = own;
  const { parameters } = own.compiled.program.traced.definition;
  const chosen = { ...form.chosen, levels: levels.count };
  const all = { ...form, own, chosen, step: quantizedStep(form, firing, levels, states) };
  return { form: all, compiled: new CompiledNeuron(new Program(stepDefinition(all, parameters, firing))) };
}

type Returned = Record<string, Value | number>;

/** The step with the membrane rounded before it is compared to θ, and states rounded when they are stored. */
function quantizedStep(
  { step, parameters, reset }: NeuronSpec,
  { hold, leaks }: Firing,
  levels: StateLevels,
  states: readonly string[],
): NeuronSpec["step"] {
  return (argument: Language & Readonly<Record<string, Value>>) => {
    const theta = levels.threshold ?? ("threshold" in parameters ? (argument.threshold as Value) : 1);
    const nearest = onLevel(levels, argument, theta);
    const given = (step as (argument: object) => Returned)(argument);
    const { membrane } = Object(given) as { membrane?: Value };
    const isReset = states.includes(reset as string);
    const seen = typeof membrane === "object" && (isReset || states.some((name) => given[name] === membrane));
    const returned: Returned = seen ? replaced(given, membrane, nearest) : { ...given };
    // In refractory steps the stored state is a different value, which nothing else in the step reads.
    const stored = isReset && hold > 0 ? [...states, leaks ? "leaked" : "held"] : states;
    for (const name of stored) {
      const z = returned[name];
      if (z === undefined || (seen && z === returned.membrane)) continue;
      returned[name] = nearest(typeof z === "number" ? argument.constant(z) : z);
    }
    return returned;
  };
}

/** Names of parameters that are decays, if their values lie in [0, 1]. */
const DECAYS = ["alpha", "beta", "rho", "phi", "alphaE", "alphaI"];

/** Names of parameters that do not affect decays. */
const OTHERS = ["threshold", "rest", "resetValue", "lowerBound", "inputScale", "gradedSpikesFactor"];

/** Decays of a layer by name: parameters of these names with values or bounds in [0, 1]. */
function decaysOf(layer: Neurons): [name: string, decay: Tensor][] {
  const { parameters, constrain = {} } = layer.form;
  return Object.keys(parameters)
    .filter((name) => DECAYS.includes(name))
    .map((name): [string, Tensor] => [name, (layer as unknown as Named)[name] as Tensor])
    .filter(([name, t]) => isUnit(constrain[name] ?? []) || isUnit(t.toFloat32Array()));
}

const isUnit = (values: ArrayLike<number>): boolean =>
  values.length > 0 && Array.from(values).every((x) => x >= 0 && x <= 1);

/**
 * Layers of neurons with decays.
 *
 * @throws RangeError for neurons whose decay is not a parameter, such as those with a time constant, and if no neurons have decays.
 */
export function decayingIn(where: string, layers: readonly Neurons[]): Neurons[] {
  const decaying = layers.filter((layer) => decaysOf(layer).length > 0);
  const other = layers
    .filter((layer) => !decaying.includes(layer))
    .map((layer) => layer.form)
    .find(({ parameters }) => Object.keys(parameters).some((name) => !OTHERS.includes(name)));
  if (other === undefined && decaying.length > 0) return decaying;
  const got = other === undefined ? "none" : `${other.name} with ${Object.keys(other.parameters).join(", ")}`;
  throw new RangeError(`${where}: expected neurons with decays in [0, 1], parameters ${DECAYS.join(", ")}, got ${got}`);
}

/** Makes the layer round its decays to the nearest shifts, or without `shift` use them unrounded. */
export function setShifts(layer: Neurons, shift: boolean): void {
  const decays = shift ? decaysOf(layer) : [];
  if (decays.length === 0 && layer.parameterRounding === null) return;
  layer.parameterRounding = decays.length === 0 ? null : shiftsOf(decays.map(([name]) => name));
  // A stream reads parameters again after a write.
  for (const t of layer.givenParameters()) touch(t);
}

const shiftsOf = (names: readonly string[]): Rounding => ({
  names,
  rounded: (all) => ({ ...all, ...Object.fromEntries(names.map((name) => [name, toShift(all[name] as Tensor)])) }),
});

/** Rounded decays of a model, by the parameter that holds the decay. */
export function shiftsIn(model: Module): Map<Tensor, Tensor> {
  const shifts = new Map<Tensor, Tensor>();
  for (const layer of neuronsIn(model)) {
    if (layer.parameterRounding === null) continue;
    const now = layer.parametersNow();
    for (const name of layer.parameterRounding.names)
      shifts.set((layer as unknown as Named)[name] as Tensor, now[name] as Tensor);
  }
  return shifts;
}
