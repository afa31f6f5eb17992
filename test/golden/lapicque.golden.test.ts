/** The Lapicque neuron of snnTorch: a circuit of R and C, also where these follow from beta. */
import { Lapicque } from "jarvis-snn";
import { expectClose } from "../support/close.ts";
import type { GoldenTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry } from "./snntorch.ts";

/** The circuit as the peer derives it. */
const CIRCUIT = { absolute: 0, relative: 1e-6 };

function lapicque(entry: SnnTorchEntry): Counterpart {
  const { name, kwargs, buffers = {} } = entry;
  if (entry.class !== "Lapicque") throw new Error(`${name}: expected the class Lapicque, got ${entry.class}`);
  const { beta, R, C, time_step: timeStep = 1 } = kwargs as Record<string, number | undefined>;
  const layer = new Lapicque({
    ...optionsOf(entry, ["threshold"], ["beta", "R", "C", "time_step"]),
    timeStep: timeStep as number,
    ...(beta === undefined ? {} : { beta }),
    ...(R === undefined ? {} : { R }),
    ...(C === undefined ? {} : { C }),
  });
  expectClose(`${name}: R`, layer.R, buffers.R as GoldenTensor, CIRCUIT);
  expectClose(`${name}: C`, layer.C, buffers.C as GoldenTensor, CIRCUIT);
  return { layer, states: { mem: "v" }, parameters: { threshold: layer.threshold } };
}

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/lapicque",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  peerBugs: Object.fromEntries(
    ["subtract", "zero", "none", "R", "C"].map((kind) => [
      `lapicque_beta_${kind}`,
      "C (or R) follows from beta = exp(−Δt/RC), but the membrane steps by Euler and decays by 1 + ln beta; the preset does the same",
    ]),
  ),
  run: (entry) => compareNeurons(entry, (input) => runOf(entry, input, lapicque(entry))),
});
