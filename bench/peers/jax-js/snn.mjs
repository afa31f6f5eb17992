/**
 * Two spiking layers in jax-js on its WASM backend, in its fastest mode: one `jit` around forward, backward and Adam. Every
 * use of an array but the last takes a `.ref`.
 */
import { load, version } from "../packages.mjs";

export const jax = load("@jax-js/jax");
const { numpy: np, lax, nn, random } = jax;

await jax.init("wasm");
jax.defaultDevice("wasm");

export const TITLE = `jax-js ${version("@jax-js/jax")} (wasm)`;

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPS = 1e-8;

/** 1 where the membrane is above 1; the second term is 0 and has the derivative of the arctangent. */
function spike(membrane) {
  const value = lax.stopGradient(membrane.ref);
  const distance = value.ref.sub(1);
  const slope = np.square(distance.ref.mul(Math.PI)).add(1);
  return np.where(distance.greater(0), 1, 0).add(membrane.sub(value).div(slope));
}

/** Spikes and membranes of T steps, from T currents. */
function leaky(currents, beta) {
  const [first, ...rest] = currents;
  const all = { spikes: [spike(first.ref)], membranes: [first] };
  for (const current of rest) {
    const before = lax.stopGradient(all.spikes.at(-1).ref);
    const membrane = all.membranes.at(-1).ref.mul(beta).add(current).sub(before);
    all.spikes.push(spike(membrane.ref));
    all.membranes.push(membrane);
  }
  return all;
}

/** Draws spikes [T, B, inputs] for rates [B, inputs], anew at each call. */
export function poisson(rates, [T, B, inputs]) {
  const draw = jax.jit((key, rates) => np.where(random.bernoulli(key, rates, [T, B, inputs]), 1, 0));
  let calls = 0;
  return () => draw(random.key(calls++), rates.ref);
}

const total = (arrays) => arrays.reduce((a, b) => a.add(b));

function adam(weights, means, squares, gradients, bias1, bias2, lr) {
  const next = [{}, {}, {}];
  for (const name of Object.keys(weights)) {
    const mean = means[name].mul(BETA1).add(gradients[name].ref.mul(1 - BETA1));
    const square = squares[name].mul(BETA2).add(np.square(gradients[name]).mul(1 - BETA2));
    const deviation = np.sqrt(square.ref.div(bias2.ref)).add(EPS);
    next[0][name] = weights[name].sub(mean.ref.div(bias1.ref).mul(lr).div(deviation));
    next[1][name] = mean;
    next[2][name] = square;
  }
  jax.tree.dispose([bias1, bias2]);
  return next;
}

/** Classes as rows that are 1 in one place. */
export const oneHot = (y, classes) =>
  np.array(
    Float32Array.from({ length: y.length * classes }, (_, i) => (i % classes === y[Math.floor(i / classes)] ? 1 : 0)),
    { shape: [y.length, classes] },
  );

/** Of B rows, on average. */
export const crossEntropy = (logits, target, B) =>
  nn
    .logSoftmax(logits)
    .mul(target)
    .sum()
    .mul(-1 / B);

/** A step of training a network of two layers on a loss of its weights, an input, which `next` gives, and the target. */
export function minimizing(loss, [inputs, hidden, outputs], weights, next, target, lr) {
  const shapes = { w1: [inputs, hidden], b1: [hidden], w2: [hidden, outputs], b2: [outputs] };
  const of = (make) => Object.fromEntries(Object.keys(shapes).map((name) => [name, make(name)]));
  let state = [
    of((name) => np.array(weights[name], { shape: shapes[name] })),
    of((name) => np.zeros(shapes[name])),
    of((name) => np.zeros(shapes[name])),
  ];
  const train = jax.jit((weights, means, squares, input, target, bias1, bias2) => {
    const [value, gradients] = jax.valueAndGrad(loss)(jax.tree.ref(weights), input, target);
    return [value, adam(weights, means, squares, gradients, bias1, bias2, lr)];
  });
  let t = 0;
  return async () => {
    t++;
    const [bias1, bias2] = [np.array(1 - BETA1 ** t), np.array(1 - BETA2 ** t)];
    const [value, after] = train(...state, next(), target.ref, bias1, bias2);
    state = after;
    await jax.blockUntilReady(state);
    return (await value.data())[0];
  };
}

/** A training step; as `trainingStep` of the TF.js peer. */
export function trainingStep({ sizes, T, B, beta, lr, weights, x, y, spikes, draws }) {
  const [inputs, , outputs] = sizes;
  const given = np.array(x, { shape: spikes ? [T, B, inputs] : [B, inputs] });
  const next = draws ? poisson(given, [T, B, inputs]) : () => given.ref;
  const inTime = spikes || draws;

  function loss({ w1, b1, w2, b2 }, input, target) {
    const layer = (x, w, b) => np.matmul(x, w.ref).add(b.ref);
    const steps = Array.from({ length: T }, (_, t) => t);
    const constant = inTime ? null : layer(input.ref, w1, b1);
    const currents = steps.map((t) => (inTime ? layer(input.ref.slice(t), w1, b1) : constant.ref));
    const first = leaky(currents, beta);
    const out = leaky(
      first.spikes.map((s) => layer(s, w2, b2)),
      beta,
    );
    const value = spikes
      ? crossEntropy(total(out.spikes).mul(1 / T), target.ref, B)
      : total(out.membranes.map((membrane) => crossEntropy(membrane, target.ref, B)));
    jax.tree.dispose([first.membranes, spikes ? out.membranes : out.spikes, constant, input, target, w1, b1, w2, b2]);
    return value;
  }

  return minimizing(loss, sizes, weights, next, oneHot(y, outputs), lr);
}
