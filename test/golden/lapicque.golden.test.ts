/** The Lapicque neuron of snnTorch: a circuit of R and C, also where these follow from beta. */
import { Lapicque, parameter, type Tensor } from "jarvis-snn";
import { expectClose } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry } from "./snntorch.ts";

/** The circuit as the peer derives it. */
const CIRCUIT = { absolute: 0, relative: 1e-6 };

function lapicque(entry: SnnTorchEntry): Counterpart {
  const { name, kwargs, params, buffers = {} } = entry;
  if (entry.class !== "Lapicque") throw new Error(`${name}: expected the class Lapicque, got ${entry.class}`);
  const [R, C, timeStep = 1] = [kwargs.R, kwargs.C, kwargs.time_step].map(quantityOf);
  const beta = params.beta === undefined ? quantityOf(kwargs.beta) : parameter(toTensor(params.beta));
  const layer = new Lapicque({
    ...optionsOf(entry, ["threshold"], ["beta", "learn_beta", "R", "C", "time_step"]),
    timeStep,
    ...(beta === undefined ? {} : { beta }),
    ...(R === undefined ? {} : { R }),
    ...(C === undefined ? {} : { C }),
  });
  expectClose(`${name}: R`, layer.R, buffers.R as GoldenTensor, CIRCUIT);
  expectClose(`${name}: C`, layer.C, buffers.C as GoldenTensor, CIRCUIT);
  const learned: Record<string, Tensor> = params.beta === undefined ? {} : { beta: beta as Tensor };
  return { layer, states: { mem: "v" }, parameters: { threshold: layer.threshold, ...learned } };
}

/** A number, or a tensor; undefined where there is none, false in the peer. */
function quantityOf(golden: unknown): number | Tensor | undefined {
  if (golden === undefined || golden === false) return undefined;
  return typeof golden === "number" ? golden : toTensor(golden as GoldenTensor);
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
  otherBugs: {
    learn_beta:
      "the circuit is computed from beta when the layer is made, so that a learned beta has no gradient; so here",
  },
  run: (entry) => compareNeurons(entry, (input) => runOf(entry, input, lapicque(entry))),
});
