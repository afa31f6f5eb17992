/** SpikingJelly's LIF in every variant, IF, parametric LIF, quadratic and exponential IF. */
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { runNeurons, type SpikingJellyEntry } from "./spikingjelly.ts";

goldenSuite<{ entries: readonly SpikingJellyEntry[] }, SpikingJellyEntry>({
  file: "spikingjelly/neurons",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run: (entry) => compareNeurons(entry, (input) => runNeurons(entry, input)),
});
