/** Neurons whose states lie on few levels, and whose decays are shifts. */
import { show } from "../../engine/arguments.ts";
import { type Language, replaced, type Value } from "../../engine/fuse/index.ts";
import { type Module, noGrad, type Tensor } from "../../engine/index.ts";
import { type Form, type Named, Neurons } from "../neuron.ts";
import { CompiledNeuron } from "../neuron-op.ts";
import { type Firing, stepOf } from "../neuron-step.ts";
import { type Levels, onLevel } from "./levels.ts";
import { toShift } from "./shift.ts";

/** What of a layer is written here, and `plain` of a LIF: what its own kernel needs, null where there is none. */
interface Inner {
  form: Form;
  compiled: CompiledNeuron;
  plain?: unknown;
  readonly firing: Firing;
  parametersNow(): Named;
}

const inner = (layer: Neurons): Inner => layer as unknown as Inner;

/** What of a `Recurrent` counts here. Its class would bring all of its code along. */
interface Linked {
  readonly neuron: Module;
  /** The step of neurons that feed themselves, made of that of the neurons. */
  linked: unknown;
}

const isLinked = (module: object): module is Linked => "linked" in module && "neuron" in module;

/** The layers of neurons in a model; those of a `RecurrentLIF` are none of its fields. */
export function neuronsIn(model: Module): Neurons[] {
  const modules = model.namedModules().map(([, module]) => (isLinked(module) ? module.neuron : module));
  return [...new Set(modules.filter((module) => module instanceof Neurons))];
}

/** Layers whose states are on levels, as they were before. */
const before = new WeakMap<Neurons, Pick<Inner, "form" | "compiled" | "plain">>();

/**
 * For each layer the names of its states that are put on levels.
 *
 * @throws RangeError for neurons that cannot have levels, and a state that none of them has.
 */
export function statesOf(where: string, layers: readonly Neurons[], { states }: Levels): readonly string[][] {
  for (const { form, firing } of layers.map(inner)) {
    if (firing.spiking && firing.inhibition === null) continue;
    const got = `${form.name} with ${firing.spiking ? "inhibition" : "spiking: false"}`;
    throw new RangeError(`${where}: expected state for neurons that spike, each on its own, got ${got}`);
  }
  const known = layers.map((layer) => inner(layer).form);
  const all = known.map(({ reset, states: own }) => own.filter((name) => states?.includes(name) ?? name === reset));
  const unknown = states?.find((name) => !all.some((names) => names.includes(name)));
  if (unknown !== undefined || all.every((names) => names.length === 0)) {
    const names = [...new Set(known.flatMap((form) => form.states))].join(", ");
    throw new RangeError(`${where}: expected state.states of ${names}, got ${show(unknown ?? [])}`);
  }
  return all;
}

/** Prepares the layer for states on levels, with null for floats. Returns what makes the change: nothing is written before. */
export function levelsOf(model: Module, layer: Neurons, levels: Levels | null, states: readonly string[]): () => void {
  const own = inner(layer);
  const floats = before.get(layer) ?? { form: own.form, compiled: own.compiled, plain: own.plain };
  const { form, compiled, plain } = floats;
  const isNone = levels === null || states.length === 0;
  const changed = isNone ? floats : { ...compiledWith(form, compiled, own.firing, levels, states), plain: null };
  return () => {
    if (isNone) before.delete(layer);
    else before.set(layer, floats);
    own.form = changed.form;
    own.compiled = changed.compiled;
    if (plain !== undefined) own.plain = changed.plain;
    for (const [, module] of model.namedModules()) {
      if (isLinked(module) && module.neuron === layer) module.linked = null;
    }
  };
}

function compiledWith(
  form: Form,
  { program }: CompiledNeuron,
  firing: Firing,
  levels: Levels,
  states: readonly string[],
): Pick<Inner, "form" | "compiled"> {
  const chosen = { ...form.chosen, levels: levels.count };
  const all = { ...form, chosen, step: quantizedStep(form, firing, levels, states) };
  return { form: all, compiled: new CompiledNeuron(stepOf(all, program.traced.definition.parameters, firing)) };
}

type Returned = Record<string, Value | number>;

/** The step with the membrane on its nearest level before it is compared to θ, and the states on theirs as they are stored. */
function quantizedStep(
  { step, parameters, reset }: Form,
  { hold, leaks }: Firing,
  levels: Levels,
  states: readonly string[],
): Form["step"] {
  return (argument: Language & Readonly<Record<string, Value>>) => {
    const theta = levels.threshold ?? ("threshold" in parameters ? (argument.threshold as Value) : 1);
    const nearest = onLevel(levels, argument, theta);
    const given = (step as (argument: object) => Returned)(argument);
    const { membrane } = Object(given) as { membrane?: Value };
    const isReset = states.includes(reset as string);
    const seen = typeof membrane === "object" && (isReset || states.some((name) => given[name] === membrane));
    const returned: Returned = seen ? replaced(given, membrane, nearest) : { ...given };
    // In refractory steps the state takes another value, which no other step reads.
    const stored = isReset && hold > 0 ? [...states, leaks ? "leaked" : "held"] : states;
    for (const name of stored) {
      const z = returned[name];
      if (z === undefined || (seen && z === returned.membrane)) continue;
      returned[name] = nearest(typeof z === "number" ? argument.constant(z) : z);
    }
    return returned;
  };
}

/** Parameters that are decays, where the neurons have them in [0, 1]. */
const DECAYS = ["alpha", "beta", "rho", "phi", "alphaE", "alphaI"];

/** The decays of a layer by their names: parameters between 0 and 1. */
export const decaysOf = (layer: Neurons): [name: string, decay: Tensor][] =>
  Object.entries(inner(layer).form.constrain ?? {})
    .filter(([name, [low, high]]) => DECAYS.includes(name) && low === 0 && high === 1)
    .map(([name]) => [name, (layer as unknown as Named)[name] as Tensor]);

/** Puts fixed decays on the nearest shift, for good, and reads learned ones there; without `shift` these are read as they are. */
export function setShifts(layer: Neurons, shift: boolean): void {
  const decays = decaysOf(layer);
  const own = inner(layer);
  Reflect.deleteProperty(own, "parametersNow");
  if (!shift) return;
  noGrad(() => {
    for (const [, t] of decays) if (!t.requiresGrad) t.copyFrom(toShift(t));
  });
  const learned = decays.filter(([, t]) => t.requiresGrad).map(([name]) => name);
  if (learned.length === 0) return;
  own.parametersNow = () => {
    const all: Record<string, Tensor> = { ...Neurons.prototype.parametersNow.call(layer) };
    for (const name of learned) all[name] = toShift(all[name] as Tensor);
    return all;
  };
}
