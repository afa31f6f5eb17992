/**
 * The network of tutorial 5 as an ONNX model for a batch of images: T time steps unrolled, spikes of the output counted.
 *
 *   node inference.mjs FORM BATCH     writes the model to the standard output
 */
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initialWeights, TUTORIAL } from "../data.mjs";
import { constant, input, model, node, output } from "./format.mjs";

const {
  sizes: [inputs, hidden, outputs],
  T,
  beta,
} = TUTORIAL;
const { w1, b1, w2, b2 } = initialWeights(TUTORIAL.sizes);
const steps = Array.from({ length: T }, (_, t) => t);

/** One step of neurons after the first: β·membrane + current − spikes. */
function integrate(layer, current, t) {
  const names = { decayed: `${layer}decayed${t}`, driven: `${layer}driven${t}` };
  return [
    node("Mul", [`${layer}membrane${t - 1}`, "beta"], [names.decayed]),
    node("Add", [names.decayed, current], [names.driven]),
    node("Sub", [names.driven, `${layer}spikes${t - 1}`], [`${layer}membrane${t}`]),
  ];
}

/** The membrane of the first step is its current. */
function neurons(layer, current, t) {
  return [
    ...(t === 0 ? [node("Identity", [current], [`${layer}membrane0`])] : integrate(layer, current, t)),
    node("Greater", [`${layer}membrane${t}`, "threshold"], [`${layer}fired${t}`]),
    node("Cast", [`${layer}fired${t}`], [`${layer}spikes${t}`], { to: 1 }),
  ];
}

const hiddenSpikes = steps.map((t) => `hidden spikes${t}`);
const currents = steps.map((t) => `current2 ${t}`);

/** The currents of the output, by a product in each step, or by one for all of them. */
const HEADS = {
  steps: steps.map((t) => node("Gemm", [hiddenSpikes[t], "w2", "b2"], [currents[t]])),
  once: [
    node("Concat", hiddenSpikes, ["all spikes"], { axis: 0 }),
    node("Gemm", ["all spikes", "w2", "b2"], ["all currents"]),
    node("Split", ["all currents"], currents, { axis: 0 }),
  ],
};

export const FORMS = Object.keys(HEADS);

/** The model for batches of B, whose head has one of the FORMS. */
export const inferenceModel = (form, B) =>
  model([
    node("Gemm", ["x", "w1", "b1"], ["current1"]),
    ...steps.flatMap((t) => neurons("hidden ", "current1", t)),
    ...HEADS[form],
    ...steps.flatMap((t) => neurons("out ", currents[t], t)),
    node(
      "Sum",
      steps.map((t) => `out spikes${t}`),
      ["counts"],
    ),
    constant("w1", [inputs, hidden], w1),
    constant("b1", [hidden], b1),
    constant("w2", [hidden, outputs], w2),
    constant("b2", [outputs], b2),
    constant("beta", [1], Float32Array.of(beta)),
    constant("threshold", [1], Float32Array.of(1)),
    input("x", [B, inputs]),
    output("counts", [B, outputs]),
  ]);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [form, B] = process.argv.slice(2);
  const bytes = inferenceModel(form, Number(B));
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
