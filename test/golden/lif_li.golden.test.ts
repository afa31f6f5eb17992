/** Norse's LIF with a synaptic current, fed forward with five surrogates and recurrent, and its leaky integrator. */
import { Synaptic, SynapticIntegrator } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { decayAt, type NorseCell, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

/** The integrator, in other words `li` and not `lif`. */
const isReadout = ({ name }: NorseEntry): boolean => /^li(?!f)/.test(name);

function cellOf(entry: NorseEntry): NorseCell {
  const isMembrane = isReadout(entry);
  const alpha = decayAt(entry, "tau_syn_inv");
  const beta = decayAt(entry, "tau_mem_inv");
  const rest = numberAt(entry, "v_leak");
  const state: NorseCell["state"] = (given) => ({ i: given("i"), v: given("v") });
  const outputs: NorseCell["outputs"] = (record) => ({
    z: record(isMembrane ? "membrane" : "spikes"),
    i: record("i"),
    v: record("v"),
  });
  if (isMembrane) return { neuron: new SynapticIntegrator({ numerics: "norse", alpha, beta, rest }), state, outputs };
  if (!entry.name.startsWith("lif")) throw new Error(`no cell for ${entry.name}`);
  const neuron = new Synaptic({
    numerics: "norse",
    ...{ alpha, beta, rest, threshold: numberAt(entry, "v_th"), resetValue: numberAt(entry, "v_reset") },
    // The recurrent cell cuts the gradient through the reset, the other one does not.
    detachReset: "recurrent" in entry.weights,
    surrogate: surrogateAt(entry),
  });
  return { neuron, state, outputs };
}

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/lif_li",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run: (entry) =>
    compareNeurons(entry, (input) => runCell(cellOf(entry), entry, input), {
      // The output z of an integrator is its membrane.
      spikes: isReadout(entry) ? [] : ["z"],
    }),
});
