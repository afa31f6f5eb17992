/** What a page loads of jax-js to run toy.mjs. */
export {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy,
  random,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
