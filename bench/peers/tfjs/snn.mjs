/** Two spiking layers in TF.js on its WASM backend (SIMD, one thread), as fast as its operations allow. */
import { dirname } from "node:path";
import { load, version } from "../packages.mjs";

export const tf = load("@tensorflow/tfjs");
const wasm = load("@tensorflow/tfjs-backend-wasm");

wasm.setWasmPaths(`${dirname(load.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
if (!(await tf.setBackend("wasm"))) throw new Error("TF.js: no WASM backend");

export const TITLE = `TF.js ${version("@tensorflow/tfjs")} (wasm)`;

/** Products of transposed operands are ten times slower than transposing first: `tf.matMul`'s own gradient is not used. */
export const product = tf.customGrad((x, w, save) => {
  save([x, w]);
  const gradFunc = (dz, [x, w]) => [tf.matMul(dz, w.transpose()), tf.matMul(x.transpose(), dz)];
  return { value: tf.matMul(x, w), gradFunc };
});

/** An input that needs no gradient stays outside. */
export const inputProduct = (x, w) =>
  tf.customGrad((w, save) => {
    save([x]);
    return { value: tf.matMul(x, w), gradFunc: (dz, [x]) => tf.matMul(x.transpose(), dz) };
  })(w);

/** 1 where the membrane is above 1; the derivative of the arctangent in its place backwards. */
const spike = tf.customGrad((membrane, save) => {
  save([membrane]);
  const gradFunc = (dz, [membrane]) => dz.div(membrane.sub(1).mul(Math.PI).square().add(1));
  return { value: membrane.greater(1).cast("float32"), gradFunc };
});

/** β·membrane + current − spikes, without a gradient for the spikes. */
const integrate = (membrane, current, spikes, beta) =>
  tf.customGrad((membrane, current) => ({
    value: membrane.mul(beta).add(current).sub(spikes),
    gradFunc: (dz) => [dz.mul(beta), dz],
  }))(membrane, current);

/** Spikes and membranes of T steps, from T currents. */
function leaky(currents, beta) {
  let membrane = currents[0];
  let spikes = spike(membrane);
  const all = { spikes: [spikes], membranes: [membrane] };
  for (const current of currents.slice(1)) {
    membrane = integrate(membrane, current, spikes, beta);
    spikes = spike(membrane);
    all.spikes.push(spikes);
    all.membranes.push(membrane);
  }
  return all;
}

/** Spikes of T steps, [T·B, inputs], for rates [B, inputs]. */
export const poisson = (rates, T) =>
  tf
    .less(tf.randomUniform([T, ...rates.shape]), rates)
    .cast("float32")
    .reshape([T * rates.shape[0], rates.shape[1]]);

/** A step of training `variables` on a loss. */
export function minimizing(loss, variables, lr) {
  const optimizer = tf.train.adam(lr);
  return () => {
    const value = optimizer.minimize(loss, true, variables);
    const [number] = value.dataSync();
    value.dispose();
    return number;
  };
}

/**
 * A training step. `spikes`: x is [T, B, inputs], and the loss the cross-entropy of the mean spikes; otherwise x is
 * [B, inputs], the same in all steps or, if `draws`, rates of spikes, and the loss the sum over time of the cross-entropies of
 * the membrane.
 */
export function trainingStep({ sizes: [inputs, hidden, outputs], T, B, beta, lr, weights, x, y, spikes, draws }) {
  const w1 = tf.variable(tf.tensor(weights.w1, [inputs, hidden]));
  const b1 = tf.variable(tf.tensor(weights.b1, [hidden]));
  const w2 = tf.variable(tf.tensor(weights.w2, [hidden, outputs]));
  const b2 = tf.variable(tf.tensor(weights.b2, [outputs]));
  const input = tf.tensor(x, [x.length / inputs, inputs]);
  const target = tf.oneHot(tf.tensor1d(y, "int32"), outputs).cast("float32");
  const targets = tf.tile(target, [T, 1]);
  const crossEntropy = tf.losses.softmaxCrossEntropy;

  function loss() {
    const current = inputProduct(draws ? poisson(input, T) : input, w1).add(b1);
    const currents = spikes || draws ? tf.unstack(current.reshape([T, B, hidden])) : Array(T).fill(current);
    const rows = tf.concat(leaky(currents, beta).spikes);
    const out = leaky(tf.unstack(product(rows, w2).add(b2).reshape([T, B, outputs])), beta);
    if (spikes) return crossEntropy(target, tf.addN(out.spikes).div(T));
    return crossEntropy(targets, tf.concat(out.membranes)).mul(T);
  }

  return minimizing(loss, [w1, b1, w2, b2], lr);
}
