/** Norse's adaptive exponential cells, fed forward and recurrent: the AdEx neuron in units of its threshold, behind a synapse. */
import { AdEx } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, SENSITIVE } from "./neurons.ts";
import { decayAt, kindOf, type NorseCell, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

function cellOf(entry: NorseEntry): NorseCell {
  const at = (name: string): number => numberAt(entry, name);
  return {
    neuron: new AdEx({
      numerics: "norse",
      alpha: decayAt(entry, "tau_syn_inv"),
      dt: entry.dt * at("tau_mem_inv"),
      ...{ EL: at("v_leak"), VT: at("v_th"), threshold: at("v_th"), resetValue: at("v_reset") },
      ...{ deltaT: at("delta_T"), a: at("adaptation_current"), b: at("adaptation_spike") },
      tauW: at("tau_mem_inv") / at("tau_ada_inv"),
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ i: given("i"), v: given("v"), w: given("a") }),
    outputs: (record) => ({ z: record("spikes"), i: record("i"), v: record("v"), a: record("w") }),
  };
}

const elsewhere = "tested in adaptive.golden.test.ts";

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/adaptive",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  kind: kindOf(["lif_box", "iaf", "lsnn", "ada_lif", "lif_ex"]),
  leftOut: { lif_box: elsewhere, iaf: elsewhere, lsnn: elsewhere, ada_lif: elsewhere, lif_ex: elsewhere },
  run(entry) {
    if (!entry.name.startsWith("lif_adex")) throw new Error(`no cell for ${entry.name}`);
    compareNeurons(entry, (input) => runCell(cellOf(entry), entry, input), SENSITIVE);
  },
});
