/** The step of the toy trainer in jax-js: Poisson input, one layer of neurons, a linear readout of their mean spikes. */
import { initialWeights, TOY, toyBatch } from "../data.mjs";
import { serve } from "../serve.mjs";
import { crossEntropy, jax, minimizing, oneHot, poisson, TITLE } from "./snn.mjs";

const { numpy: np, lax, nn } = jax;
const { sizes, T, B, beta, slope } = TOY;
const [inputs, , outputs] = sizes;

/** 1 from the threshold on; the second term is 0 and has the derivative of a sigmoid. */
function spike(u) {
  const value = lax.stopGradient(u.ref);
  const s = nn.sigmoid(value.ref.sub(1).mul(slope));
  const derivative = s.ref.sub(np.square(s)).mul(slope);
  return np.where(value.ref.greaterEqual(1), 1, 0).add(u.sub(value).mul(derivative));
}

function loss({ w1, b1, w2, b2 }, input, target) {
  const layer = (x, w, b) => np.matmul(x, w.ref).add(b.ref);
  let u = layer(input.ref.slice(0), w1, b1);
  let s = spike(u.ref);
  let sum = s.ref;
  for (let t = 1; t < T; t++) {
    const kept = lax.stopGradient(s).mul(-beta).add(beta);
    u = u.mul(kept).add(layer(input.ref.slice(t), w1, b1));
    s = spike(u.ref);
    sum = sum.add(s.ref);
  }
  const value = crossEntropy(layer(sum.mul(1 / T), w2, b2), target.ref, B);
  jax.tree.dispose([u, s, input, target, w1, b1, w2, b2]);
  return value;
}

const { x, y } = toyBatch(TOY);
const next = poisson(np.array(x, { shape: [B, inputs] }), [T, B, inputs]);
await serve(TITLE, {
  step: minimizing(loss, sizes, initialWeights(sizes), next, oneHot(y, outputs), 1e-3),
});
