/** The Synaptic neuron of snnTorch: a synaptic current before a membrane. */
import { Synaptic } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import {
  AT_ONCE,
  AT_ONCE_ZERO,
  atOnce,
  type Counterpart,
  isAtOnce,
  optionsOf,
  runOf,
  type SnnTorchEntry,
} from "./snntorch.ts";

function synaptic(entry: SnnTorchEntry): Counterpart {
  if (entry.class !== "Synaptic") throw new Error(`${entry.name}: expected the class Synaptic, got ${entry.class}`);
  const options = optionsOf(entry, ["alpha", "beta", "threshold"]);
  const layer = isAtOnce(entry) ? atOnce(entry, options) : new Synaptic(options);
  const { alpha, beta, threshold } = layer;
  return { layer, states: { syn: "i", mem: "v" }, parameters: { alpha, beta, threshold } };
}

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/synaptic",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  peerBugs: { synaptic_subtract_nodelay: AT_ONCE },
  otherBugs: AT_ONCE_ZERO,
  run: (entry) => compareNeurons(entry, (input) => runOf(entry, input, synaptic(entry))),
});
