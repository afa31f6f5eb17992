/**
 * Rung 4: SIMD. The kernels of the package take the place of the loops: four numbers at a time, and products in blocks that stay in the caches.
 * nano is this rung. What tutorial 5 needs besides stands here, by the same tape.
 */
import { alloc, kernels as k, kinds, LIF_DESCRIPTOR_BYTES, lifDescriptor, memory } from "jarvis-snn/kernels";
import {
  adam,
  backward,
  bitsFor,
  gradOf,
  lif,
  linear,
  meanOverTime,
  record,
  Tensor,
  take,
  tape,
} from "../../nano/nano.ts";
import { type Neurons, type Ops, tutorial5Of } from "../networks.ts";

export { toy } from "../../nano/nano.ts";

/** The words by which the neurons of tutorial 5 differ from those of the toy. */
export const LEAKY = { reset: kinds.SUBTRACT, delayed: 1, strict: 1, kind: kinds.ATAN, slope: 2 } as const;

/** The words of neurons over a current [T, B, N], or [B, N] for all steps, and the values of a step. */
export function layerOf(I: Tensor, { T, beta, theta }: Neurons) {
  const [rows = 0, n = 0] = I.shape.slice(-2);
  const isConstant = I.shape.length === 2;
  const words = { T, rows, n, beta: beta.ptr, threshold: theta.ptr, current: I.ptr };
  return {
    size: rows * n,
    shape: [T, rows, n],
    isConstant,
    words: { ...words, stepCurrent: isConstant ? 0 : rows * n },
  };
}

const neuronsAt = alloc(LIF_DESCRIPTOR_BYTES);

/** u[t] = β·u[t−1] + I[t] − θ·s[t−1]     s[t] = 1 if u[t] > θ else 0.     ∂I of a constant current is the sum over its steps. */
function leaky(I: Tensor, neurons: Neurons): { u: Tensor; s: Tensor } {
  const { size, shape, isConstant, words } = layerOf(I, neurons);
  const [u, s] = [new Tensor(shape), new Tensor(shape)];
  const spikes = bitsFor(s.size);
  const layer = { ...LEAKY, ...words, u: u.ptr };
  k.lifForward(lifDescriptor(neuronsAt, { ...layer, spikes }));
  k.unpackBits(s.ptr, spikes, s.size);
  tape?.push(() => {
    const gradients = { ...layer, dSpikes: s.gradPtr, dMembrane: u.gradPtr };
    const dU = take(isConstant ? size : s.size);
    if (isConstant) k.lifBackward(lifDescriptor(neuronsAt, { ...gradients, dU, stepDU: 0, dSum: gradOf(I) }));
    else {
      k.lifBackward(lifDescriptor(neuronsAt, { ...gradients, dU }));
      k.addTo(gradOf(I), dU, I.size);
    }
  });
  return { u, s };
}

/** L = Σ of log Σⱼ exp x[j] − x[y] over steps and samples, divided by the samples.     Shapes: x [T, B, K] or [B, K], y B classes. */
export function crossEntropy(x: Tensor, y: ArrayLike<number>): Tensor {
  const K = x.shape.at(-1) as number;
  const [rows, B] = [x.size / K, y.length];
  const loss = new Tensor([1]);
  const [losses, sums, classes] = [take(rows), take(2 * rows), take(rows)];
  for (let r = 0; r < rows; r += B) new Int32Array(memory.buffer, classes + 4 * r, B).set(y);
  k.crossEntropy(losses, sums, x.ptr, classes, 0, rows, K, 0);
  k.sumAxis(loss.ptr, losses, 1, rows, 1);
  k.affine(loss.ptr, loss.ptr, 1, 1 / B, 0);
  tape?.push(() => k.crossEntropyGrad(gradOf(x), x.ptr, sums, classes, 0, loss.gradPtr, 0, 1 / B, rows, K, 0));
  return loss;
}

/** A step on a tape that is made anew. */
export const training: Ops<never>["training"] = (inputs, scores) => (x, y) =>
  record(() => {
    const loss = crossEntropy(scores(new Tensor([y.length, inputs]).set(x)), y);
    backward(loss);
    return loss.data[0] as number;
  });

const ops: Ops<Tensor> = {
  training,
  adam,
  poisson: (x, T, random) => random.spikes(x, T),
  linear,
  lif: (I, { beta, theta }) => lif(I, beta, theta, 10),
  leaky,
  meanOverTime,
};

export const tutorial5 = tutorial5Of(ops);
