/**
 * Rung 5: spikes as bits. A spike is 0 or 1, so that a bit has all of it, and a product with spikes has no products: it adds up the rows that
 * the bits name. Terms that are left out would have added 0, so the sums have the same bits. Spikes that are drawn need no gradient.
 */
import {
  alloc,
  kernels as k,
  kinds,
  LIF_DESCRIPTOR_BYTES,
  lifDescriptor,
  PRODUCT_DESCRIPTOR_BYTES,
  productDescriptor,
} from "jarvis-snn/kernels";
import { adam, bitsFor, linear as denseLinear, gradOf, Tensor, take, tape } from "../../nano/nano.ts";
import { type Neurons, type Ops, type Random, toyOf, tutorial5Of } from "../networks.ts";
import { LEAKY, layerOf, training } from "./simd.ts";

/** Spikes [T, B, N] as a stream of bits. */
export class Spikes {
  readonly shape: readonly number[];
  readonly size: number;
  readonly bits: number;
  readonly wantsGradient: boolean;
  gradPtr = 0;

  constructor(shape: readonly number[], wantsGradient: boolean) {
    this.shape = shape;
    this.size = shape.reduce((product, n) => product * n, 1);
    this.bits = bitsFor(this.size);
    this.wantsGradient = wantsGradient;
  }
}

const product = alloc(PRODUCT_DESCRIPTOR_BYTES);

/** c[i, :] ← init + the rows of b that the bits of row i name.     Shapes: c [m, n], bits [m, k] in rows of whole words, b [k, n]. */
function follow(
  words: { c: number; init: number; m: number; n: number; k: number; b: number },
  bits: number,
  count: number,
  bCol = 1,
): void {
  const work = take(words.m + 5 + ((count + 1) >> 1));
  const bRow = bCol === 1 ? words.n : 1;
  k.gather(productDescriptor(product, { ...words, a: 0, bRow, bCol, bits, count, work }));
}

/** z = s·Wᵀ + b     ∂s += ∂z·W     ∂W += ∂zᵀ·s     ∂b += Σ ∂z.     Shapes: s [T, B, in], W [out, in], b [out]. */
function linear(s: Spikes, W: Tensor, b: Tensor): Tensor {
  const [n = 0, inputs = 0] = W.shape;
  const rows = s.size / inputs;
  const z = new Tensor([...s.shape.slice(0, -1), n]);
  const bits = take(rows * Math.ceil(inputs / 32));
  const count = k.alignBits(bits, s.bits, rows, inputs);
  follow({ c: z.ptr, init: b.ptr, m: rows, n, k: inputs, b: W.ptr }, bits, count, inputs);
  tape?.push(() => {
    const [dz, dW] = [z.gradPtr, gradOf(W)];
    const [columns, turned] = [take(inputs * Math.ceil(rows / 32)), take(W.size)];
    k.transposeBits(columns, bits, rows, inputs, 0);
    k.transpose(turned, dW, n, inputs, 0);
    follow({ c: turned, init: turned, m: inputs, n, k: rows, b: dz }, columns, count);
    k.transpose(dW, turned, inputs, n, 0);
    k.addSumAxis(gradOf(b), dz, 1, rows, n, 1, 0);
    if (!s.wantsGradient) return;
    const dx = gradOf(s);
    k.gemm(productDescriptor(product, { c: dx, init: dx, m: rows, n: inputs, k: n, a: dz, b: W.ptr }));
  });
  return z;
}

const neuronsAt = alloc(LIF_DESCRIPTOR_BYTES);

/** The neurons of rung 4: their kernels write bits, so that nothing is unpacked. */
function neurons(I: Tensor, options: Neurons, kind: object): { u: Tensor; s: Spikes } {
  const { size, shape, isConstant, words } = layerOf(I, options);
  const [u, s] = [new Tensor(shape), new Spikes(shape, true)];
  const layer = { ...kind, ...words, u: u.ptr };
  k.lifForward(lifDescriptor(neuronsAt, { ...layer, spikes: s.bits }));
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

/** z = Σₜ s[t] / T     ∂s[t] += ∂z / T.     Bits are counted. */
function meanOverTime(s: Spikes): Tensor {
  const [T = 0, ...shape] = s.shape;
  const z = new Tensor(shape);
  k.sumBits(z.ptr, s.bits, T, z.size);
  k.affine(z.ptr, z.ptr, z.size, 1 / T, 0);
  tape?.push(() => k.sumAxisGrad(gradOf(s), z.gradPtr, 1, T, z.size, 1 / T));
  return z;
}

/** The first of the blocks that so many numbers take. */
export function draw(random: Random, count: number): number {
  const { block } = random;
  random.block += Math.ceil(count / 4);
  return block;
}

/** The words of the toy's neurons. */
export const SIMPLE = { reset: kinds.ZERO, kind: kinds.SIGMOID, slope: 10 } as const;

const ops: Ops<Spikes> = {
  training,
  adam,
  poisson(x, T, random) {
    const s = new Spikes([T, ...x.shape], false);
    k.bernoulli(s.bits, x.ptr, x.size, T, 1, random.seed, 0, draw(random, s.size), 0, 0, 0);
    return s;
  },
  linear: (x, W, b) => (x instanceof Spikes ? linear(x, W, b) : denseLinear(x, W, b)),
  lif: (I, options) => neurons(I, options, SIMPLE).s,
  leaky: (I, options) => neurons(I, options, LEAKY),
  meanOverTime,
};

export const toy = toyOf(ops);
export const tutorial5 = tutorial5Of(ops);
