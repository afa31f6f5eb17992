/** Norse's Izhikevich cell: five of its presets under a step of current, and gradients over 60 steps. */
import { Izhikevich } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, SENSITIVE } from "./neurons.ts";
import { cobaKind, type NorseCell, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

function cellOf(entry: NorseEntry): NorseCell {
  const at = (name: string): number => numberAt(entry, name);
  return {
    neuron: new Izhikevich({
      numerics: "norse",
      ...{ a: at("a"), b: at("b"), c: at("c"), d: at("d"), square: at("sq"), linear: at("mn"), bias: at("bias") },
      threshold: at("v_th"),
      dt: at("tau_inv") * entry.dt,
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ v: given("v"), u: given("u") }),
    outputs: (record) => ({ z: record("spikes"), v: record("v"), u: record("u") }),
  };
}

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/coba_izhikevich",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  kind: cobaKind,
  leftOut: {
    coba_lif_feed_forward_step: "tested in coba.golden.test.ts",
    coba_lif_step_AS_SHIPPED: "tested in coba.golden.test.ts",
  },
  run(entry) {
    if (cobaKind(entry) !== "izhikevich") throw new Error(`no cell for ${entry.name}`);
    compareNeurons(entry, (input) => runCell(cellOf(entry), entry, input), SENSITIVE);
  },
});
