/** The JavaScript libraries that the benchmarks can be run against. */
import { cached } from "./cache.mjs";

const PINNED = {
  "@jax-js/jax": "0.1.25",
  "@tensorflow/tfjs": "4.22.0",
  "@tensorflow/tfjs-backend-wasm": "4.22.0",
  "onnxruntime-web": "1.30.0",
};

/** The folder with the packages; installs them if one is missing. */
export const peers = () => cached("peers", PINNED);
