/** What classes that `neuron` has made are called with, from their definitions: a new neuron needs no row of its own. */
import * as snn from "../../../snn/index.ts";
import type { NeuronName } from "../../support/layers.ts";
import { choice, either, type Kind, list, listOf, num, oneOf, options, record, spare, t } from "./kinds.ts";

interface Made {
  readonly form: {
    readonly parameters: Readonly<Record<string, number>>;
    readonly choices?: Readonly<Record<string, readonly string[] | boolean | number>>;
    readonly numerics?: object;
  };
  readonly compiled: { readonly states: readonly string[] };
}

const CLASSES: Readonly<Record<string, unknown>> = { ...snn };

type Make = new (given?: object) => Made;

/** Options and methods of a class; `firing` are the options that all neurons have, `methods` those of a layer with such a state. */
export function neuronRow<Methods>(
  name: NeuronName,
  firing: Readonly<Record<string, Kind>>,
  methods: (state: Kind) => Methods,
): { readonly new: readonly [Kind]; readonly call: Methods } {
  const Class = CLASSES[name] as unknown as Make;
  const { form, compiled } = new Class();
  const { parameters, choices = {}, numerics = {} } = form;
  const states = `${compiled.states}`;
  const names = Object.keys(parameters);
  const values = Object.entries(parameters).map(([key, usual]) => [key, num(usual)] as const);
  const chosen = Object.entries(choices).map(([key, usual]): [string, Kind] => {
    if (typeof usual === "boolean") return [key, oneOf(["true", "false"], ["boolean"])];
    if (typeof usual === "number") return [key, num(usual)];
    // Words that add a state or leave one out would ask for another record.
    const words = usual.filter((word) => `${new Class({ [key]: word }).compiled.states}` === states);
    return [key, choice(...words)];
  });
  const presets = Object.keys(numerics);
  const all = {
    ...Object.fromEntries([...values, ...chosen]),
    learn: listOf(oneOf(names.map((key) => JSON.stringify(key)))),
    ...firing,
    numerics: spare(presets.length === 0 ? oneOf(["undefined"]) : choice(...presets)),
  };
  const state = record(Object.fromEntries(compiled.states.map((key) => [key, t(2, 3)])));
  return { new: [options(all)], call: methods(state) };
}

/** Options that some neurons refuse: those of spikes. */
export const OF_SPIKES = {
  refractorySteps: spare(num(0, 1, 3)),
  refractory: spare(choice("hold", "leak")),
  gradedSpikesFactor: spare(either(num(1, 2), t(3))),
  inhibition: spare(oneOf(["true", "false", '"output"'], ["boolean"])),
  constrain: spare(record({ beta: list(0, 1) })),
};
