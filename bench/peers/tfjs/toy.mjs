/** The step of the toy trainer in TF.js: Poisson input, one layer of neurons, a linear readout of their mean spikes. */
import { initialWeights, TOY, toyBatch } from "../data.mjs";
import { serve } from "../serve.mjs";
import { inputProduct, minimizing, poisson, product, TITLE, tf } from "./snn.mjs";

const {
  sizes: [inputs, hidden, outputs],
  T,
  B,
  beta,
  slope,
} = TOY;

/** 1 from the threshold on; the derivative of a sigmoid in its place backwards. */
const spike = tf.customGrad((u, save) => {
  save([u]);
  const gradFunc = (dz, [u]) => {
    const s = u.sub(1).mul(slope).sigmoid();
    return dz.mul(s.sub(s.square()).mul(slope));
  };
  return { value: u.greaterEqual(1).cast("float32"), gradFunc };
});

/** β·u where there was no spike, and the current. */
const integrate = (u, current, spikes) =>
  tf.customGrad((u, current, save) => {
    const kept = spikes.mul(-beta).add(beta);
    save([kept]);
    return { value: u.mul(kept).add(current), gradFunc: (dz, [kept]) => [dz.mul(kept), dz] };
  })(u, current);

const data = toyBatch(TOY);
const weights = initialWeights(TOY.sizes);
const w1 = tf.variable(tf.tensor(weights.w1, [inputs, hidden]));
const b1 = tf.variable(tf.tensor(weights.b1, [hidden]));
const w2 = tf.variable(tf.tensor(weights.w2, [hidden, outputs]));
const b2 = tf.variable(tf.tensor(weights.b2, [outputs]));
const rates = tf.tensor(data.x, [B, inputs]);
const target = tf.oneHot(tf.tensor1d(data.y, "int32"), outputs).cast("float32");

function loss() {
  const currents = tf.unstack(inputProduct(poisson(rates, T), w1).add(b1).reshape([T, B, hidden]));
  let u = currents[0];
  const spikes = [spike(u)];
  for (const current of currents.slice(1)) {
    u = integrate(u, current, spikes.at(-1));
    spikes.push(spike(u));
  }
  return tf.losses.softmaxCrossEntropy(target, product(tf.addN(spikes).div(T), w2).add(b2));
}

await serve(TITLE, { step: minimizing(loss, [w1, b1, w2, b2], 1e-3) });
