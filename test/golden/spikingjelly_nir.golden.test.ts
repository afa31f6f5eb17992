/** Networks of SpikingJelly as its exporter writes them to NIR: the spikes and the gradient of the input, where neurons start at v_reset. */
import { sum } from "jarvis-snn";
import { fromNIR } from "jarvis-snn/nir";
import { expectGradients, expectSpikes } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { graphOf, type JsonGraph } from "./nir.ts";

interface Network extends NamedEntry {
  readonly graph: JsonGraph;
  /** [T, B, …]. */
  readonly input: GoldenTensor;
  readonly spikes: GoldenTensor;
  /** The gradient of the spikes. */
  readonly seed: GoldenTensor;
  readonly gradient: GoldenTensor;
}

goldenSuite<{ readonly dt: number; readonly networks: readonly Network[] }, Network>({
  file: "spikingjelly/nir",
  entries: ({ networks }) => networks,
  reads: ["networks", "dt"],
  leftOut: {},
  run({ name, graph, input, spikes, seed, gradient }, { dt }) {
    const network = fromNIR(graphOf(graph), { dt, numerics: "spikingjelly" });
    const x = toTensor(input, true);
    const z = network.forward(x);
    expectSpikes(name, z, spikes);
    sum(z.mul(toTensor(seed))).backward();
    expectGradients(name, { input: x }, { input: gradient }, 2e-4);
  },
});
