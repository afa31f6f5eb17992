/** Quantized states of snnTorch: the levels, and neurons whose membranes lie on them. */
import { LIF, neuron, Synaptic, type Tensor } from "jarvis-snn";
import { quantize, type StateOptions } from "jarvis-snn/quantize";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, lookUp, type NeuronGolden } from "./neurons.ts";

interface Entry extends NeuronGolden {
  /** The neuron; none for values that are put on levels. */
  readonly class?: string;
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

const OPTIONS: Readonly<Record<string, keyof StateOptions>> = {
  num_bits: "bits",
  uniform: "uniform",
  thr_centered: "thrCentered",
  threshold: "threshold",
  lower_limit: "lowerLimit",
  upper_limit: "upperLimit",
  multiplier: "multiplier",
};

const KWARGS: Readonly<Record<string, string>> = {
  alpha: "alpha",
  beta: "beta",
  threshold: "threshold",
  reset_mechanism: "reset",
};

const renamed = (table: Readonly<Record<string, string>>, given: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [lookUp("option", table, name), value]));

/** The membrane is the current. */
const Passing = neuron({
  name: "Passing",
  state: { v: 0 },
  parameters: {},
  step: ({ current, spike }) => ({ spikes: spike(current), membrane: current, v: current }),
});

function layerOf({ name, class: kind, kwargs = {} }: Entry) {
  const options = { numerics: "snntorch", ...renamed(KWARGS, kwargs) } as const;
  if (kind === undefined) return new Passing();
  if (kind === "Leaky") return new LIF(options);
  if (kind === "Synaptic") return new Synaptic(options);
  throw new Error(`${name}: no layer for ${kind}`);
}

function run(entry: Entry, input: Tensor) {
  const isAlone = entry.class === undefined;
  const states = entry.class === "Synaptic" ? ["v", "i"] : ["v"];
  const layer = quantize(layerOf(entry), {
    state: { ...renamed(OPTIONS, entry.options), states } as unknown as StateOptions,
  });
  const { spikes, membrane, i } = layer.unroll(isAlone ? input.unsqueeze(0) : input) as unknown as Record<
    string,
    Tensor
  >;
  const outputs = { spk: spikes, mem: membrane, syn: i, z: isAlone ? membrane?.squeeze(0) : null } as Record<
    string,
    Tensor
  >;
  return { outputs, leaves: { input } };
}

goldenSuite<{ levels: Entry[]; neurons: Entry[] }, Entry>({
  file: "snntorch/state_quant",
  entries: ({ levels, neurons }) => [...levels, ...neurons],
  reads: ["levels", "neurons"],
  leftOut: {},
  run: (entry) =>
    compareNeurons(entry, (input) => run(entry, input), { spikes: ["spk"], states: 2e-6, gradients: 5e-5 }),
});
