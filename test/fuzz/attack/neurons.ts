/** Arguments for classes that `neuron` has made, drawn from their definitions: a new neuron needs no row of its own. */
import type { Tensor } from "../../../engine/index.ts";
import * as snn from "../../../snn/index.ts";
import { Neurons } from "../../../snn/neuron/neuron.ts";
import { SpikingReLU } from "../../../snn/quantize/index.ts";
import type { NeuronName } from "../../support/layers.ts";
import { choice, either, type Kind, list, listOf, num, oneOf, options, record, spare, t } from "./kinds.ts";

interface Made {
  readonly form: {
    readonly parameters: Readonly<Record<string, number>>;
    readonly choices?: Readonly<Record<string, readonly string[] | boolean | number>>;
    readonly numerics?: object;
    readonly needs?: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
  };
  readonly compiled: { readonly states: readonly string[] };
}

type Make = new (given?: object) => Made;

/** The classes of equations; `LIF` and `LeakyIntegrator` have options that the definition does not say. */
const CLASSES = Object.entries({ ...snn, SpikingReLU }).filter(
  ([name, made]) =>
    typeof made === "function" && made.prototype instanceof Neurons && !["LIF", "LeakyIntegrator"].includes(name),
) as unknown as [string, Make][];

interface Row<Methods> {
  readonly new: readonly [Kind];
  readonly call: Methods;
}

type Name = Exclude<NeuronName, "LIF"> | "SpikingReLU";

/** Rows by the names of the classes; `firing` are the options that all neurons have, `methods` those of a layer with such a state. */
export const neuronRows = <Methods>(firing: Readonly<Record<string, Kind>>, methods: (state: Kind) => Methods) =>
  Object.fromEntries(CLASSES.map(([name, Class]) => [name, rowOf(Class, firing, methods)])) as {
    readonly [_ in Name]: Row<Methods>;
  };

function rowOf<Methods>(
  Class: Make,
  firing: Readonly<Record<string, Kind>>,
  methods: (state: Kind) => Methods,
): Row<Methods> {
  const { form, states } = inspected(Class, {});
  const { parameters, choices = {}, numerics = {}, needs = {} } = form;
  const names = Object.keys(parameters);
  const values = Object.entries(parameters).map(([key, usual]): [string, Kind] => {
    const column = { ...t(3), draw: () => `full([3], ${usual})` };
    return [key, either(num(usual), column)];
  });
  const chosen = Object.entries(choices).map(([key, usual]): [string, Kind] => {
    if (typeof usual === "boolean") return [key, oneOf(["true", "false"], ["boolean"])];
    if (typeof usual === "number") return [key, num(usual)];
    // Words that add a state or leave one out would ask for another record.
    const words = usual.filter(
      (word) => `${inspected(Class, { ...neededBy(form, key), [key]: word }).states}` === `${states}`,
    );
    return [key, choice(...words)];
  });
  const presets = Object.keys(numerics);
  const all = {
    // An option that needs others is refused beside most of them.
    ...Object.fromEntries([...values, ...chosen].map(([key, kind]) => [key, key in needs ? spare(kind) : kind])),
    learn: listOf(oneOf(names.filter((key) => !(key in needs)).map((key) => JSON.stringify(key)))),
    ...firing,
    numerics: spare(presets.length === 0 ? oneOf(["undefined"]) : choice(...presets)),
  };
  const state = record(Object.fromEntries(states.map((key) => [key, t(2, 3)])));
  return { new: [options(all)], call: methods(state) };
}

/** Choices with which a choice has an effect. */
const neededBy = ({ needs = {} }: Made["form"], key: string): object =>
  Object.fromEntries(Object.entries(needs[key] ?? {}).map(([choice, values]) => [choice, values[0]]));

/** The definition of a layer and its states. */
function inspected(Class: Make, given: object): { form: Made["form"]; states: readonly string[] } {
  const layer = new Class(given);
  const { form, compiled } = layer;
  for (const key of Object.keys(form.parameters))
    ((layer as unknown as Record<string, Tensor>)[key] as Tensor).dispose();
  return { form, states: compiled.states };
}

/** Options that some neurons refuse: those of spikes. */
export const OF_SPIKES = {
  refractorySteps: spare(num(0, 1, 3)),
  refractory: spare(choice("hold", "leak")),
  gradedSpikesFactor: spare(either(num(1, 2), t(3))),
  inhibition: spare(oneOf(["true", "false", '"output"'], ["boolean"])),
  constrain: spare(record({ beta: list(0, 1) })),
};
