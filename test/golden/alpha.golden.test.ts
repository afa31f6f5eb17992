/** The Alpha neuron of snnTorch: the difference of two exponentials as a membrane. */
import { Alpha } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry } from "./snntorch.ts";

function alphaOf(entry: SnnTorchEntry): Counterpart {
  if (entry.class !== "Alpha") throw new Error(`${entry.name}: expected the class Alpha, got ${entry.class}`);
  const layer = new Alpha(optionsOf(entry, ["alpha", "beta", "threshold"]));
  const { alpha, beta, threshold } = layer;
  return { layer, states: { syn_exc: "exc", syn_inh: "inh", mem: "v" }, parameters: { alpha, beta, threshold } };
}

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/alpha",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  // The membrane of the step before decides on the reset alone, which is detached.
  run: (entry) => compareNeurons(entry, (input) => runOf(entry, input, alphaOf(entry)), { unconnected: ["init_mem"] }),
});
