/** SLSTM of snnTorch. */
import { SpikingLSTM, type Tensor } from "jarvis-snn";
import { mapValues, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, type NeuronRun } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry, without } from "./snntorch.ts";

function slstm(entry: SnnTorchEntry): Counterpart {
  if (entry.class !== "SLSTM") throw new Error(`${entry.name}: expected the class SLSTM, got ${entry.class}`);
  const { input_size, hidden_size, threshold = 1 } = entry.kwargs as Record<string, number>;
  const layer = new SpikingLSTM(input_size as number, hidden_size as number, {
    threshold,
    bias: entry.kwargs.bias !== false,
    ...optionsOf(entry, ["threshold"], ["input_size", "hidden_size", "bias"]),
  });
  layer.loadStateDict(
    mapValues(layer.stateDict(), (own, name) => {
      const golden = entry.params[name];
      return golden === undefined ? own : { shape: golden.shape, data: toTensor(golden).toFloat32Array() };
    }),
  );
  const parameters = { ...Object.fromEntries(layer.namedParameters()), threshold: layer.neuron.threshold };
  return { layer, states: { syn: "c", mem: "v" }, parameters };
}

/**
 * The peer starts anew in each step where the input and the cell differ in size: it compares the shape of the state with that of the
 * input. Steps are samples then, and nothing reads an initial state.
 */
function run(given: SnnTorchEntry, input: Tensor): NeuronRun {
  const entry = without(given, "inhibition");
  const { input_size, hidden_size } = entry.kwargs as Record<string, number>;
  if (input_size === hidden_size) return runOf(entry, input, slstm(entry));
  const { outputs, leaves } = runOf({ ...entry, init_state: null }, input.flatten(0, 1).unsqueeze(0), slstm(entry));
  const unread = Object.entries(entry.init_state ?? {}).map(
    ([name, t]) => [`init_${name}`, toTensor(t, true)] as const,
  );
  const [T, B] = entry.input.shape as [number, number];
  const apart = mapValues(outputs, (t) => (t as Tensor).reshape([T, B, hidden_size as number]));
  return { outputs: apart, leaves: { ...leaves, ...Object.fromEntries(unread), input } };
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
  otherBugs: { inhibition: "every neuron fires, as without it; the test leaves the option out" },
  run: (entry) => compareNeurons(entry, (input) => run(entry, input)),
});
