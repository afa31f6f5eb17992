/**
 * User-defined neurons, from a function of one time step.
 *
 * @module
 */
import "./compiled.ts";
import type { NeuronChoices, NoChoices, OptionalParameters, SourceOptions, Spellings } from "./definition.ts";
import { checkedForm, type Definition, type Form } from "./form.ts";
import { isProperty, layersOf } from "./neuron.ts";
import type { NeuronClass, NeuronDefinition, NeuronOutputs } from "./types.ts";

/**
 * A class of neurons from a function of one time step: compiled to WebAssembly, differentiated, and fused over time.
 *
 * The step computes with symbols, once for each layer: it has no numbers to look at, and `where(v.gt(1), a, b)` takes the place
 * of an `if`. Each neuron is computed on its own. Parameters are properties of a layer and names in its state; those that are
 * learned are its parameters, the others buffers. A layer runs in `Sequential` and `Stream`, and has `forward`, `unroll`, `step`,
 * `initialState`; `String(layer)` shows the gradient that was derived.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; a parameter [N] gives each neuron on the last axis its own.
 *
 * A step that returns `membrane` and no `spikes` is a readout, as {@link LeakyIntegrator} is.
 *
 * @throws TypeError for a definition with names that are taken, values that are no numbers, or a step that is no function. The
 *   constructor of the class: TypeError for an option of another name or kind, and where the step does something that
 *   no neuron can, for instance `v * beta`; RangeError for values beyond float32, bounds in the wrong order, names that
 *   are no parameters, options without effect for the choices, more than 31 outputs, or refractory steps of a neuron
 *   that has no spikes or no state to hold.
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
  const form = checkedForm(definition as unknown as Definition, isProperty);
  return layersOf(form.name, () => form) as never;
}

/**
 * The same for neurons of the package: a definition is read and checked when the first layer is made, so that a program that imports
 * all neurons starts without the definitions of those that it does not use.
 */
export const lazyNeuron: typeof neuron = (definition) => {
  let form: Form | null = null;
  const formNow = (): Form => {
    form ??= checkedForm(definition as unknown as Definition, isProperty);
    return form;
  };
  return layersOf(definition.name, formNow) as never;
};
