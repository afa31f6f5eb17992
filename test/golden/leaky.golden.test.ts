/** The Leaky neuron of snnTorch, 12 steps in every variant: spikes, membranes and gradients. */
import { LIF, parameter } from "jarvis-snn";
import { toTensor } from "../support/golden.ts";
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

const QUANTITIES = ["beta", "threshold", "graded_spikes_factor"];

function leaky(entry: SnnTorchEntry): Counterpart {
  if (entry.class !== "Leaky") throw new Error(`${entry.name}: expected the class Leaky, got ${entry.class}`);
  const options = optionsOf(entry, QUANTITIES);
  const layer = isAtOnce(entry) ? atOnce(entry, options) : new LIF(options);
  const { beta, threshold } = layer;
  const all: Readonly<Record<string, unknown>> = Object(layer);
  const graded = all.gradedSpikesFactor ?? all.divisor ?? parameter(toTensor(one));
  return {
    layer,
    states: { mem: "v" },
    parameters: { beta, threshold, graded_spikes_factor: graded as typeof beta },
  };
}

const one = { shape: [], data: [1] };

/** Twelve steps of the same float32 recursion. */
const TIGHT = { states: 2e-6, gradients: 5e-5 };

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/leaky",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  peerBugs: {
    leaky_subtract_nodelay: AT_ONCE,
    leaky_sg_triangular:
      "the derivative is +threshold below the threshold and −threshold from there on; a surrogate of the test",
  },
  otherBugs: {
    ...AT_ONCE_ZERO,
    "inhibition with graded_spikes_factor":
      "spikes leave the layer without the factor, by which a reset at once divides them nevertheless. The test does the same",
  },
  run: (entry) => compareNeurons(entry, (input) => runOf(entry, input, leaky(entry)), TIGHT),
});
