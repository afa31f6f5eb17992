/** The Lapicque neuron of snnTorch: a circuit of R and C, also where these follow from beta. */
import { Lapicque, type Tensor } from "jarvis-snn";
import { expectClose, expectGradients } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import { type Counterpart, optionsOf, runOf, type SnnTorchEntry } from "./snntorch.ts";

/** The circuit as the peer derives it. */
const CIRCUIT = { absolute: 0, relative: 1e-6 };

function lapicque(entry: SnnTorchEntry): Counterpart & { readonly layer: Lapicque } {
  const { name, kwargs, params, buffers = {} } = entry;
  if (entry.class !== "Lapicque") throw new Error(`${name}: expected the class Lapicque, got ${entry.class}`);
  const [R, C, timeStep = 1] = [kwargs.R, kwargs.C, kwargs.time_step].map(quantityOf);
  const beta = quantityOf(params.beta ?? kwargs.beta);
  const options = optionsOf(entry, ["threshold"], ["beta", "learn_beta", "R", "C", "time_step"]);
  const derived = params.beta === undefined ? [] : [derivedOf(entry)];
  const layer = new Lapicque({
    ...options,
    learn: [...(options.learn as ["threshold"]), ...derived],
    timeStep,
    ...(beta === undefined ? {} : { beta }),
    ...(R === undefined ? {} : { R }),
    ...(C === undefined ? {} : { C }),
  });
  expectClose(`${name}: R`, layer.R, buffers.R as GoldenTensor, CIRCUIT);
  expectClose(`${name}: C`, layer.C, buffers.C as GoldenTensor, CIRCUIT);
  return { layer, states: { mem: "v" }, parameters: { threshold: layer.threshold } };
}

/** The part of the circuit that follows from beta. */
const derivedOf = ({ kwargs }: SnnTorchEntry): "R" | "C" => (quantityOf(kwargs.C) === undefined ? "C" : "R");

/**
 * Compares the gradient of a learned beta, which the layer takes as a constant: that of the R or C that follows from it, times
 * the derivative of RC = −Δt/ln β.
 */
function compareBeta(entry: SnnTorchEntry, { layer }: { readonly layer: Lapicque }): void {
  const beta = toTensor(entry.params.beta as GoldenTensor, true);
  const own = derivedOf(entry);
  const RC = beta.log().reciprocal().neg().mul(layer.timeStep.detach());
  const { grad } = layer[own];
  if (grad === null) throw new Error(`${entry.name}: no gradient of ${own}`);
  const upstream = grad.detach().div(layer[own === "C" ? "R" : "C"].detach());
  RC.mul(upstream.reshape(RC.shape)).sum().backward();
  expectGradients(entry.name, { beta }, { beta: entry.grads?.beta ?? null }, 2e-4);
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
      "the circuit is computed from beta when the layer is made and stays as it is; the first backward gives beta a gradient, which the test derives from that of the circuit",
  },
  run(entry) {
    const { beta, ...grads } = entry.grads ?? {};
    const counterpart = lapicque(entry);
    compareNeurons(entry.grads === undefined ? entry : { ...entry, grads }, (input) =>
      runOf(entry, input, counterpart),
    );
    if (beta !== undefined) compareBeta(entry, counterpart);
  },
});
