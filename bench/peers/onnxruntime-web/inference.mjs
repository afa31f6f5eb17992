/** One image through the network of tutorial 5 in onnxruntime-web (WASM, one thread): the time steps are unrolled. */
import { initialWeights, mnistBatch, TUTORIAL } from "../data.mjs";
import { load, version } from "../packages.mjs";
import { serve } from "../serve.mjs";
import { constant, input, model, node, output } from "./onnx.mjs";

const {
  sizes: [inputs, hidden, outputs],
  T,
  beta,
} = TUTORIAL;
const { w1, b1, w2, b2 } = initialWeights(TUTORIAL.sizes);

/** One step of neurons after the first: β·membrane + current − spikes. */
function integrate(layer, current, t) {
  const names = { decayed: `${layer}decayed${t}`, driven: `${layer}driven${t}` };
  return [
    node("Mul", [`${layer}membrane${t - 1}`, "beta"], names.decayed),
    node("Add", [names.decayed, current], names.driven),
    node("Sub", [names.driven, `${layer}spikes${t - 1}`], `${layer}membrane${t}`),
  ];
}

/** The membrane of the first step is its current. */
function neurons(layer, current, t) {
  return [
    ...(t === 0 ? [node("Identity", [current], `${layer}membrane0`)] : integrate(layer, current, t)),
    node("Greater", [`${layer}membrane${t}`, "threshold"], `${layer}fired${t}`),
    node("Cast", [`${layer}fired${t}`], `${layer}spikes${t}`, { to: 1 }),
  ];
}

const steps = Array.from({ length: T }, (_, t) => t);
const graph = model([
  node("Gemm", ["x", "w1", "b1"], "current1"),
  ...steps.flatMap((t) => [
    ...neurons("hidden ", "current1", t),
    node("Gemm", [`hidden spikes${t}`, "w2", "b2"], `current2 ${t}`),
    ...neurons("out ", `current2 ${t}`, t),
  ]),
  node(
    "Sum",
    steps.map((t) => `out spikes${t}`),
    "counts",
  ),
  constant("w1", [inputs, hidden], w1),
  constant("b1", [hidden], b1),
  constant("w2", [hidden, outputs], w2),
  constant("b2", [outputs], b2),
  constant("beta", [1], Float32Array.of(beta)),
  constant("threshold", [1], Float32Array.of(1)),
  input("x", [1, inputs]),
  output("counts", [1, outputs]),
]);

const ort = load("onnxruntime-web");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
const { x } = mnistBatch(1);

async function batch() {
  const { counts } = await session.run({ x: new ort.Tensor("float32", x, [1, inputs]) });
  return counts.data;
}

await serve(`onnxruntime-web ${version("onnxruntime-web")}`, { batch });
