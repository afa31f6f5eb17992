/** One image through the network of tutorial 5 in onnxruntime-web (WASM, one thread): the time steps are unrolled. */
import { mnistBatch, TUTORIAL } from "../data.mjs";
import { inferenceModel } from "../onnx/inference.mjs";
import { load, version } from "../packages.mjs";
import { serve } from "../serve.mjs";

const ort = load("onnxruntime-web");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const session = await ort.InferenceSession.create(inferenceModel("steps", 1), { executionProviders: ["wasm"] });
const { x } = mnistBatch(1);

async function batch() {
  const { counts } = await session.run({ x: new ort.Tensor("float32", x, [1, TUTORIAL.sizes[0]]) });
  return counts.data;
}

await serve(`onnxruntime-web ${version("onnxruntime-web")}`, { batch });
