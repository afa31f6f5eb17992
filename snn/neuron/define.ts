/**
 * User-defined neurons, from a function of one time step.
 *
 * @module
 */
import { objectOf } from "../../engine/arguments.ts";
import {
  type DefinitionBefore,
  type OptionalParameters,
  type Rewritten,
  rewritten,
  type Spellings,
  type WithoutMembers,
} from "./before.ts";
import { checkedForm } from "./checked.ts";
import "./compiled.ts";
import type { Making } from "./compiler.ts";
import type { NeuronChoices, NoChoices, ParameterEntries, SourceOptions } from "./definition.ts";
import { Described } from "./described.ts";
import { type NeuronSpec, specOf } from "./form.ts";
import { Neurons } from "./neuron.ts";
import type { NeuronClass, NeuronDefinition, NeuronOutputs, Typed } from "./types.ts";

/** Makes a class of a definition. */
type Define = <
  State extends string,
  const Parameters extends ParameterEntries,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
>(
  definition: NeuronDefinition<State, Parameters, Outputs, Choices, Preset>,
) => NeuronClass<State, Parameters, Outputs, Choices, Preset>;

/**
 * A class of neurons from a function of one time step: compiled to WebAssembly, differentiated, and fused over time.
 *
 * The step computes with symbols, once for each layer. It sees no numbers, so `where(v.gt(1), a, b)` replaces an `if`. Each neuron is
 * computed on its own. Parameters are properties of a layer and names in its state; learned ones are module parameters, the others buffers.
 * A layer runs in `Sequential` and `Stream`, and has `forward`, `unroll`, `step`, `initialState`; `String(layer)` shows the gradient that
 * was derived.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; a parameter [N] gives each neuron on the last axis its own.
 *
 * A step that returns `membrane` and no `spikes` is a readout, as {@link LeakyIntegrator} is.
 *
 * @throws TypeError for a definition with names that are taken, values that are not numbers, or a step that is not a function. The constructor of
 *   the class: TypeError for an unknown option, an option of a different type, and a step that no neuron can run, for instance `v * beta`;
 *   RangeError for values beyond float32, bounds in the wrong order, names that are not parameters, options that have no effect with these choices,
 *   more than 31 outputs, or refractory steps of a neuron that has no spikes or no state to hold.
 *
 * @example
 * ```ts
 * import { neuron, ones } from "jarvis-snn";
 *
 * const Leaky = neuron({
 *   name: "Leaky",
 *   state: { v: 0 },
 *   parameters: { beta: 0.9, threshold: 1 },
 *   step({ current, v, beta, threshold, spike }) {
 *     const u = v.mul(beta).add(current);
 *     const s = spike(u.sub(threshold));
 *     return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)) };
 *   },
 * });
 * const layer = new Leaky({ beta: 0.5, threshold: 1.5, learn: ["beta"], constrain: { beta: [0, 1] } });
 * console.log(layer.unroll(ones([4, 1, 1])).membrane.flatten().toArray()); // [ 1, 1.5, 1, 1.5 ]
 * console.log(String(layer).includes("∇β")); // true
 * ```
 */
export function neuron<
  State extends string,
  const Parameters extends ParameterEntries,
  const Outputs extends NeuronOutputs<State>,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
>(
  definition: NeuronDefinition<State, Parameters, Outputs, Choices, Preset> & WithoutMembers,
): NeuronClass<State, Parameters, Outputs, Choices, Preset>;
/** @deprecated Write `optional`, `from`, `also`, `fold` and `learn` in the entry of each parameter, not beside the parameters. */
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
  definition: DefinitionBefore<State, Parameters, Outputs, Choices, Preset, Optional, From, Also>,
): NeuronClass<State, Rewritten<Parameters, Optional, From, Also>, Outputs, Choices, Preset>;
export function neuron(definition: object): unknown {
  const form = checkedForm(rewritten(objectOf("neuron", "a definition", definition)), isProperty);
  return layersOf(form.name, () => form);
}

/**
 * Like `neuron`, for neurons of the package: a definition is read when the first layer is made, so a program that imports all neurons does
 * not read the definitions of unused ones. Tests check these definitions.
 */
export const lazyNeuron: Define = /* @__NO_SIDE_EFFECTS__ */ (definition) => {
  let form: NeuronSpec | null = null;
  const formNow = (): NeuronSpec => {
    form ??= specOf(definition);
    return form;
  };
  return layersOf(definition.name, formNow) as never;
};

/** The class of layers with this name; `form` is read when the first layer is made. */
/* @__NO_SIDE_EFFECTS__ */
function layersOf<Options extends object, Fields, State = unknown, Result = object>(
  name: string,
  formNow: () => NeuronSpec & Typed<Options, Fields, State, Result>,
): new (
  options?: Options,
) => Neurons<State, Result> & Fields {
  const made = class extends Neurons {
    constructor(options: object = {}) {
      super(new Described(formNow(), options));
    }
  };
  Object.defineProperty(made, "name", { value: name });
  return made as never;
}

/** Whether layers have a property of this name, which no parameter may take. */
function isProperty(name: string): boolean {
  bare ??= new Neurons({ parameterNames: [], plainOf: () => null } as unknown as Making);
  return name in bare;
}

/** A layer without parameters. */
let bare: Neurons | null = null;
