/** SpikingJelly's LIF in every variant, IF, parametric LIF, quadratic and exponential IF; also KLIF, current-based LIF and Izhikevich. */
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { hasGradients, runNeurons, type SpikingJellyEntry } from "./spikingjelly.ts";

goldenSuite<{ entries: readonly SpikingJellyEntry[] }, SpikingJellyEntry>({
  file: "spikingjelly/neurons",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run(entry) {
    const { grads, ...outputs } = entry;
    compareNeurons(hasGradients(entry) ? entry : outputs, (input) => runNeurons(entry, input));
  },
});
