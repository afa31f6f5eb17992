/**
 * The network of demos/nano in ops of `jarvis-snn/engine`; its spikes and its neurons are written by `jarvis-snn/extend`, and no file of snn takes
 * part. `npm run walks` counts the files that a step passes: those of the engine that a reader needs first.
 */
import { Adam, crossEntropy, linear, mean, parameter, tape, tensor, zeros } from "jarvis-snn/engine";
import {
  addressOf,
  allocate,
  apply,
  empty,
  gradOf,
  k,
  recycle,
  SAVES,
  saveFor,
  streamBytes,
  valuesAt,
} from "jarvis-snn/extend";

const BETA = Math.fround(0.95);
const THETA = 1;
const SLOPE = 10;

/**
 * Leaky integrate-and-fire neurons, in plain loops.
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ else 0     v[t] = 0 if s[t] else u[t]
 *   ∂I[t] += ∂u[t] = ∂s[t]·σ′(u[t] − θ) + β·∂v[t]     ∂v[t−1] = ∂u[t] unless s[t−1].     Shapes: I, s [T, B, N].
 */
const lifOp = {
  name: "lif",
  saves: SAVES.output,
  forward(s, I, _b, _c, attrs) {
    attrs.membrane = saveFor(s, 4 * I.size);
    const [current, spikes, u] = [addressOf(I), addressOf(s), attrs.membrane].map((p) => valuesAt(p, I.size));
    const n = I.size / attrs.T;
    for (let i = 0; i < n; i++) {
      let v = 0;
      for (let at = i; at < I.size; at += n) {
        u[at] = Math.fround(BETA * v) + current[at];
        spikes[at] = u[at] >= THETA ? 1 : 0;
        v = spikes[at] === 1 ? 0 : u[at];
      }
    }
  },
  backward(s, I, _b, _c, { T, membrane }) {
    const dI = gradOf(I);
    if (dI === 0) return;
    const [gradient, ds, spikes, u] = [dI, gradOf(s), addressOf(s), membrane].map((p) => valuesAt(p, I.size));
    const n = I.size / T;
    for (let i = 0; i < n; i++) {
      let dv = 0;
      for (let at = I.size - n + i; at >= 0; at -= n) {
        const sigmoid = 1 / (1 + Math.exp(-SLOPE * (u[at] - THETA)));
        const du = ds[at] * SLOPE * sigmoid * (1 - sigmoid) + (spikes[at] === 1 ? 0 : dv);
        gradient[at] += du;
        dv = BETA * du;
      }
    }
  },
};

/** A network with the weights and the random numbers of nano for this seed; each call of `step` trains it on x, rows of inputs, and classes y. */
export function nanoStep(seed, { inputs = 32, hidden = 128, classes = 2, T = 25, lr = 1e-3 } = {}) {
  let block = 0;
  const draw = (count) => {
    block += Math.ceil(count / 4);
    return [seed, 0, block - Math.ceil(count / 4), 0];
  };
  const uniform = (shape, from) => {
    const bound = 1 / Math.sqrt(from);
    const w = zeros(shape);
    k.uniform(addressOf(w), w.size, ...draw(w.size));
    k.affine(addressOf(w), addressOf(w), w.size, 2 * bound, -bound);
    return parameter(w);
  };
  const spikesOf = (x) => {
    const s = empty([T, ...x.shape]);
    const bits = allocate(streamBytes(s.size));
    k.bernoulli(bits, addressOf(x), x.size, T, 1, ...draw(s.size), 0, 0);
    k.unpackBits(addressOf(s), bits, s.size);
    recycle(bits, streamBytes(s.size));
    return s;
  };
  const [W1, b1] = [uniform([hidden, inputs], inputs), uniform([hidden], inputs)];
  const [W2, b2] = [uniform([classes, hidden], hidden), uniform([classes], hidden)];
  const weights = [W1, b1, W2, b2];
  const optimizer = new Adam(weights, { lr });
  const input = (x) => tensor(x, { shape: [x.length / inputs, inputs] });

  /** Scores of the classes for a tensor of inputs [B, inputs]. */
  function forward(x) {
    const s = apply(lifOp, { T }, linear(spikesOf(x), W1, b1));
    return linear(mean(s, { axis: 0 }), W2, b2);
  }

  function step(x, y) {
    const loss = tape(() => {
      const loss = crossEntropy(forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      return loss.item();
    });
    optimizer.step();
    return loss;
  }

  return { weights, input, step };
}
