/** Norse's conductance-based LIF. */
import { ConductanceLIF } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, SENSITIVE } from "./neurons.ts";
import { cobaKind, decayAt, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/coba_izhikevich",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  kind: cobaKind,
  leftOut: {
    izhikevich: "tested in test/golden/izhikevich.golden.test.ts",
    coba_lif_step_AS_SHIPPED: "a fault of Norse: its recurrent cell overwrites the input, which has no effect",
  },
  run: (entry) =>
    compareNeurons(
      entry,
      (input) => {
        const at = (name: string): number => numberAt(entry, name);
        const neuron = new ConductanceLIF({
          numerics: "norse",
          capacitance: 1 / (entry.dt * at("c_m_inv")),
          leak: at("g_l"),
          alphaE: decayAt(entry, "tau_syn_exc_inv"),
          alphaI: decayAt(entry, "tau_syn_inh_inv"),
          ...{ reversalE: at("e_rev_E"), reversalI: at("e_rev_I") },
          ...{ rest: at("v_rest"), threshold: at("v_thresh"), resetValue: at("v_reset") },
          surrogate: surrogateAt(entry),
        });
        return runCell(
          {
            neuron,
            state: (given) => ({ gE: given("g_e"), gI: given("g_i"), v: given("v") }),
            outputs: (record) => ({ z: record("spikes"), v: record("v"), g_e: record("gE"), g_i: record("gI") }),
          },
          entry,
          input,
        );
      },
      SENSITIVE,
    ),
});
