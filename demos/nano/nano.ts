/**
 * nano: an engine that trains spiking networks, on one page. Tensors, a tape, the reverse loop, four ops, random spikes and Adam, over the
 * kernels of the package. After any number of steps its weights have the bits of `jarvis-snn`, which adds speed, safety and everything else.
 *
 * Read from top to bottom: memory, tape, ops, random numbers, optimizer, and a network that uses them.
 */
import {
  alloc,
  free,
  kernels as k,
  kinds,
  LIF_DESCRIPTOR_BYTES,
  lifDescriptor,
  memory,
  PRODUCT_DESCRIPTOR_BYTES,
  productDescriptor,
} from "jarvis-snn/kernels";

type Shape = readonly number[];

// 1. Memory. All numbers lie in one linear memory, where kernels read and write them by address.

/** Called at the end of the running step: gives back the memory that it has taken, and forgets its gradients. */
const atEnd: (() => void)[] = [];

/** The address of n numbers of 32 bits, which may hold anything. */
export function take(n: number): number {
  const address = alloc(4 * n);
  if (tape !== null) atEnd.push(() => free(address, 4 * n));
  return address;
}

export class Tensor {
  readonly shape: Shape;
  readonly size: number;
  /** The address of the numbers, float32, the last axis innermost. */
  readonly ptr: number;
  /** The address of ∂L/∂x; 0 until backward needs it. */
  gradPtr = 0;

  constructor(shape: Shape) {
    this.shape = shape;
    this.size = shape.reduce((product, n) => product * n, 1);
    this.ptr = take(this.size);
  }

  /** The numbers. A view ends when the memory grows: use it at once, and keep none. */
  get data(): Float32Array {
    return new Float32Array(memory.buffer, this.ptr, this.size);
  }

  set(values: ArrayLike<number>): this {
    this.data.set(values);
    return this;
  }
}

// 2. The tape. Each op appends the function that passes its gradient on. Backward calls them, the newest first.

export let tape: (() => void)[] | null = null;

/** Runs a step: its ops are recorded, and its memory is free afterwards. */
export function record<Result>(step: () => Result): Result {
  tape = [];
  try {
    return step();
  } finally {
    for (const end of atEnd.splice(0)) end();
    tape = null;
  }
}

/** The address of the gradient of x, to which backward adds: zeros at first. */
export function gradOf(x: Pick<Tensor, "size" | "gradPtr">): number {
  if (x.gradPtr === 0) {
    x.gradPtr = take(x.size);
    k.fill(x.gradPtr, x.size, 0);
    if (tape !== null) atEnd.push(() => Object.assign(x, { gradPtr: 0 }));
  }
  return x.gradPtr;
}

/** Adds ∂L/∂x to the gradient of every x that L was computed from. An op stands on the tape after those that made its inputs. */
export function backward(loss: Tensor): void {
  k.fill(gradOf(loss), 1, 1);
  for (const passOn of (tape ?? []).reverse()) passOn();
}

// 3. Ops. Forward computes z; backward reads ∂z = ∂L/∂z and adds to the gradients of the inputs.

const matrices = alloc(PRODUCT_DESCRIPTOR_BYTES);

/** c[i, j] ← init + Σₖ a[i, k]·b[k, j]. Steps aRow, bCol … say how far the next row or column lies, so that a matrix can be transposed. */
const multiply = (words: Parameters<typeof productDescriptor>[1]): void => k.gemm(productDescriptor(matrices, words));

/** z = x·Wᵀ + b     ∂x += ∂z·W     ∂W += ∂zᵀ·x     ∂b += Σ ∂z.     Shapes: x [T, B, in] or [B, in], W [out, in], b [out]. */
export function linear(x: Tensor, W: Tensor, b: Tensor): Tensor {
  const [n = 0, inputs = 0] = W.shape;
  const rows = x.size / inputs;
  const z = new Tensor([...x.shape.slice(0, -1), n]);
  multiply({ c: z.ptr, init: b.ptr, m: rows, n, k: inputs, a: x.ptr, b: W.ptr, bRow: 1, bCol: inputs });
  tape?.push(() => {
    const [dz, dx, dW] = [gradOf(z), gradOf(x), gradOf(W)];
    multiply({ c: dx, init: dx, m: rows, n: inputs, k: n, a: dz, b: W.ptr });
    multiply({ c: dW, init: dW, m: n, n: inputs, k: rows, a: dz, aRow: 1, aCol: n, b: x.ptr });
    k.addSumAxis(gradOf(b), dz, 1, rows, n, 1);
  });
  return z;
}

const neurons = alloc(LIF_DESCRIPTOR_BYTES);

/** Spikes as the kernels write them: one bit each, in words of 32. */
export const bitsFor = (n: number): number => take(Math.ceil(n / 32) + 1);

/**
 * Leaky integrate-and-fire neurons, all time steps in one call. A step function has no slope: backward takes the slope of σ(x) = 1 / (1 + e^(−slope·x)).
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ else 0     v[t] = 0 if s[t] else u[t]
 *   ∂I[t] += ∂u[t] = ∂s[t]·σ′(u[t] − θ) + (0 if s[t] else ∂v[t])     ∂v[t−1] = β·∂u[t]
 *   Shapes: I, s [T, B, N], β and θ [1].
 */
export function lif(I: Tensor, beta: Tensor, theta: Tensor, slope: number): Tensor {
  const [T = 0, rows = 0, n = 0] = I.shape;
  const [u, s] = [new Tensor(I.shape), new Tensor(I.shape)];
  const bits = bitsFor(s.size);
  const layer = { T, rows, n, beta: beta.ptr, threshold: theta.ptr, reset: kinds.ZERO, u: u.ptr };
  k.lifForward(lifDescriptor(neurons, { ...layer, current: I.ptr, spikes: bits }));
  k.unpackBits(s.ptr, bits, s.size);
  tape?.push(() => {
    const du = take(I.size);
    k.lifBackward(lifDescriptor(neurons, { ...layer, kind: kinds.SIGMOID, slope, dSpikes: gradOf(s), dU: du }));
    k.addTo(gradOf(I), du, I.size);
  });
  return s;
}

/** z = Σₜ x[t] / T     ∂x[t] += ∂z / T.     Shapes: x [T, B, N], z [B, N]. */
export function meanOverTime(x: Tensor): Tensor {
  const [T = 0, ...shape] = x.shape;
  const z = new Tensor(shape);
  k.sumAxis(z.ptr, x.ptr, 1, T, z.size);
  k.affine(z.ptr, z.ptr, z.size, 1 / T, 0);
  tape?.push(() => k.sumAxisGrad(gradOf(x), gradOf(z), 1, T, z.size, 1 / T));
  return z;
}

/** L = mean over samples of log Σⱼ exp x[j] − x[y]     ∂x += (softmax(x) − [j = y])·∂L / B.     Shapes: x [B, K], y B classes, L [1]. */
export function crossEntropy(x: Tensor, y: ArrayLike<number>): Tensor {
  const [B = 0, K = 0] = x.shape;
  const loss = new Tensor([1]);
  const [losses, sums, classes] = [take(B), take(2 * B), take(B)]; // sums: log Σ exp of each row, for backward, and its maximum
  new Int32Array(memory.buffer, classes, B).set(y);
  k.crossEntropy(losses, sums, x.ptr, classes, 0, B, K, 0);
  k.sumAxis(loss.ptr, losses, 1, B, 1);
  k.affine(loss.ptr, loss.ptr, 1, 1 / B, 0);
  tape?.push(() => k.crossEntropyGrad(gradOf(x), x.ptr, sums, classes, 0, loss.gradPtr, 0, 1 / B, B, K, 0));
  return loss;
}

// 4. Random numbers. The stream of a seed has blocks of four numbers, which are counted: its only state is the number of the next block.

export function randomNumbers(seed: number) {
  let block = 0;
  const draw = (count: number) => {
    block += Math.ceil(count / 4);
    return [seed, 0, block - Math.ceil(count / 4), 0] as const;
  };
  return {
    /** Numbers between −bound and bound. */
    uniform(shape: Shape, bound: number): Tensor {
      const x = new Tensor(shape);
      k.uniform(x.ptr, x.size, ...draw(x.size));
      k.affine(x.ptr, x.ptr, x.size, 2 * bound, -bound);
      return x;
    },

    /** The Poisson code: each value is the probability of its spike, drawn anew in each step. No gradient. Shapes: x [B, N], s [T, B, N]. */
    spikes(x: Tensor, T: number): Tensor {
      const s = new Tensor([T, ...x.shape]);
      const bits = bitsFor(s.size);
      k.bernoulli(bits, x.ptr, x.size, T, 1, ...draw(s.size), 0, 0);
      k.unpackBits(s.ptr, bits, s.size);
      return s;
    },
  };
}

// 5. Adam (Kingma and Ba, 2015).

/** After t steps:  m = β₁m + (1 − β₁)g     v = β₂v + (1 − β₂)g²     w −= lr / (1 − β₁ᵗ)·m / (√v / √(1 − β₂ᵗ) + ε) */
export function adam(weights: readonly Tensor[], lr: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): () => void {
  const zeros = ({ shape, size }: Tensor) => new Tensor(shape).set(new Float32Array(size));
  // Outside of a step: the end of a step would give these gradients back.
  const all = weights.map((w) => ({ w, g: gradOf(w), m: zeros(w), v: zeros(w) }));
  const numbers = new Tensor([9]);
  let t = 0;
  return () => {
    const rates = [lr / (1 - power(beta1, ++t)), 1 / Math.sqrt(1 - power(beta2, t)), epsilon];
    numbers.set([1, 0, beta1, 1 - beta1, beta2, 1 - beta2, ...rates]);
    for (const { w, g, m, v } of all) {
      k.adam(w.ptr, g, m.ptr, v.ptr, 0, w.size, numbers.ptr);
      k.fill(g, w.size, 0);
    }
  };
}

/** βᵗ by squares, which has the same bits on every machine. Math.pow has not. */
export const power = (base: number, t: number): number =>
  t === 0 ? 1 : power(base * base, t >> 1) * (t % 2 === 1 ? base : 1);

// 6. A network: inputs → neurons → mean over time → classes.

/** The toy of the package. `step` trains it on x, B rows of inputs, with classes y, and returns the loss. */
export function toy(seed: number, { inputs = 32, hidden = 128, classes = 2, T = 25, lr = 1e-3 } = {}) {
  const random = randomNumbers(seed);
  const uniform = (shape: Shape, from: number) => random.uniform(shape, 1 / Math.sqrt(from));
  const [W1, b1] = [uniform([hidden, inputs], inputs), uniform([hidden], inputs)];
  const [W2, b2] = [uniform([classes, hidden], hidden), uniform([classes], hidden)];
  const [beta, theta] = [new Tensor([1]).set([0.95]), new Tensor([1]).set([1])];
  const weights = [W1, b1, W2, b2];
  const update = adam(weights, lr);

  /** Scores of the classes [B, K]. */
  function forward(x: ArrayLike<number>): Tensor {
    const input = new Tensor([x.length / inputs, inputs]).set(x);
    const s = lif(linear(random.spikes(input, T), W1, b1), beta, theta, 10);
    return linear(meanOverTime(s), W2, b2);
  }

  function step(x: ArrayLike<number>, y: ArrayLike<number>): number {
    const loss = record(() => {
      const loss = crossEntropy(forward(x), y);
      backward(loss);
      return loss.data[0] as number;
    });
    update();
    return loss;
  }

  return { weights, step, scores: (x: ArrayLike<number>) => record(() => forward(x).data.slice()) };
}
