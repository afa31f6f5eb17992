/** SLSTM of snnTorch. */
import { SpikingLSTM, type Tensor } from "jarvis-snn";
import { mapValues, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, type NeuronRun } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry } from "./snntorch.ts";

function slstm(entry: SnnTorchEntry): Counterpart {
  if (entry.class !== "SLSTM") throw new Error(`${entry.name}: expected the class SLSTM, got ${entry.class}`);
  const { input_size, hidden_size, threshold = 1 } = entry.kwargs as Record<string, number>;
  const layer = new SpikingLSTM(input_size as number, hidden_size as number, {
    ...optionsOf(entry, [], ["input_size", "hidden_size"]),
    threshold,
  });
  layer.loadStateDict(
    mapValues(layer.stateDict(), (own, name) => {
      const golden = entry.params[name];
      return golden === undefined ? own : { shape: golden.shape, data: toTensor(golden).toFloat32Array() };
    }),
  );
  return { layer, states: { syn: "c", mem: "v" }, parameters: Object.fromEntries(layer.namedParameters()) };
}

/**
 * The peer starts anew in each step where the input and the cell differ in size: it compares the shape of the state with that of the
 * input. Steps are samples then.
 */
function run(entry: SnnTorchEntry, input: Tensor): NeuronRun {
  const { input_size, hidden_size } = entry.kwargs as Record<string, number>;
  if (input_size === hidden_size) return runOf(entry, input, slstm(entry));
  const { outputs, leaves } = runOf(entry, input.flatten(0, 1).unsqueeze(0), slstm(entry));
  const [T, B] = entry.input.shape as [number, number];
  const apart = mapValues(outputs, (t) => (t as Tensor).reshape([T, B, hidden_size as number]));
  return { outputs: apart, leaves: { ...leaves, input } };
}

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/slstm",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  peerBugs: Object.fromEntries(
    ["none", "subtract", "zero"].map((reset) => [
      `slstm_${reset}`,
      "each step starts from a state of zeros where the sizes of input and cell differ; the test feeds steps as samples, a float64 loop checks the recurrence",
    ]),
  ),
  run: (entry) => compareNeurons(entry, (input) => run(entry, input)),
});
