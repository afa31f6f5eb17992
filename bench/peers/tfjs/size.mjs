/**
 * What a page loads of TF.js to run toy.mjs, if it is as little as possible: functions by name, of the gradients only those
 * that this network needs, and the WASM module for SIMD, without the two for browsers that lack it or have threads.
 */
import { registerGradient } from "@tensorflow/tfjs-core";
import { addGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Add_grad.js";
import { addNGradConfig } from "@tensorflow/tfjs-core/dist/gradients/AddN_grad.js";
import { divGradConfig } from "@tensorflow/tfjs-core/dist/gradients/RealDiv_grad.js";
import { reshapeGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Reshape_grad.js";
import { sumGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sum_grad.js";
import { unpackGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Unpack_grad.js";

const gradients = [addGradConfig, addNGradConfig, divGradConfig, reshapeGradConfig, sumGradConfig, unpackGradConfig];
for (const gradient of gradients) registerGradient(gradient);

export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
export {
  add,
  addN,
  cast,
  customGrad,
  div,
  greaterEqual,
  less,
  losses,
  matMul,
  mul,
  oneHot,
  randomUniform,
  reshape,
  setBackend,
  sigmoid,
  square,
  sub,
  tensor,
  tensor1d,
  train,
  transpose,
  unstack,
  variable,
} from "@tensorflow/tfjs-core";
