/** A chain of additions of four values in jax-js, without jit: what an op costs that runs as it is called. */
import { serve } from "../serve.mjs";
import { jax, TITLE } from "./snn.mjs";

const w = jax.numpy.ones([4]);

async function chain() {
  let x = w.ref;
  for (let i = 0; i < 1000; i++) x = x.add(w.ref);
  await x.data();
}

await serve(TITLE, { chain });
