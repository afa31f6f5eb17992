/** Norse's conductance-based LIF, and its Izhikevich cell: five presets under a step of current, and gradients over 60 steps. */
import { ConductanceLIF, Izhikevich } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, lookUp, SENSITIVE } from "./neurons.ts";
import { decayAt, type NorseCell, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

/** By kinds of entries. */
const CELLS: Readonly<Record<string, (entry: NorseEntry) => NorseCell>> = {
  coba_lif_feed_forward_step(entry) {
    const at = (name: string): number => numberAt(entry, name);
    return {
      neuron: new ConductanceLIF({
        numerics: "norse",
        capacitance: 1 / (entry.dt * at("c_m_inv")),
        leak: at("g_l"),
        alphaE: decayAt(entry, "tau_syn_exc_inv"),
        alphaI: decayAt(entry, "tau_syn_inh_inv"),
        ...{ reversalE: at("e_rev_E"), reversalI: at("e_rev_I") },
        ...{ rest: at("v_rest"), threshold: at("v_thresh"), resetValue: at("v_reset") },
        surrogate: surrogateAt(entry),
      }),
      state: (given) => ({ gE: given("g_e"), gI: given("g_i"), v: given("v") }),
      outputs: (record) => ({ z: record("spikes"), v: record("v"), g_e: record("gE"), g_i: record("gI") }),
    };
  },
  izhikevich(entry) {
    const at = (name: string): number => numberAt(entry, name);
    return {
      neuron: new Izhikevich({
        numerics: "norse",
        ...{ a: at("a"), b: at("b"), c: at("c"), d: at("d"), square: at("sq"), linear: at("mn"), bias: at("bias") },
        threshold: at("v_th"),
        dt: at("tau_inv") * entry.dt,
        surrogate: surrogateAt(entry),
      }),
      state: (given) => ({ v: given("v"), u: given("u") }),
      outputs: (record) => ({ z: record("spikes"), v: record("v"), u: record("u") }),
    };
  },
};

/** The recurrent conductance-based cell, with which Norse ignores its input, is a kind of its own. */
function kind({ name, weights }: NorseEntry): string {
  if (name.startsWith("izhikevich")) return "izhikevich";
  if (!name.startsWith("coba")) return name;
  return weights.recurrent === undefined ? "coba_lif_feed_forward_step" : "coba_lif_step_AS_SHIPPED";
}

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/coba_izhikevich",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  kind,
  leftOut: {
    coba_lif_step_AS_SHIPPED: "a fault of Norse: its recurrent cell overwrites the input, which has no effect",
  },
  run: (entry) =>
    compareNeurons(entry, (input) => runCell(lookUp("cell", CELLS, kind(entry))(entry), entry, input), SENSITIVE),
});
