/** A chain of additions of four values in TF.js. */
import { serve } from "../serve.mjs";
import { TITLE, tf } from "./snn.mjs";

const w = tf.ones([4]);

function chain() {
  tf.tidy(() => {
    let x = w;
    for (let i = 0; i < 1000; i++) x = tf.add(x, w);
    x.dataSync();
  });
}

await serve(TITLE, { chain });
