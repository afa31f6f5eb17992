/**
 * nano-js: nano.ts without kernels. Every op is a plain loop under its equation, so that nothing is left to look up; sums are those of
 * JavaScript's doubles, so the last bits differ from the kernels'. Spikes, losses and what is learned agree.
 */

type Shape = readonly number[];

// 1. Tensors: arrays with a shape, and with a gradient once backward needs it.

export class Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
  grad: Float32Array | null = null;

  constructor(shape: Shape) {
    this.shape = shape;
    this.data = new Float32Array(shape.reduce((product, n) => product * n, 1));
  }

  set(values: ArrayLike<number>): this {
    this.data.set(values);
    return this;
  }
}

// 2. The tape.

let tape: (() => void)[] | null = null;

export function record<Result>(step: () => Result): Result {
  tape = [];
  try {
    return step();
  } finally {
    tape = null;
  }
}

function gradOf(x: Tensor): Float32Array {
  x.grad ??= new Float32Array(x.data.length);
  return x.grad;
}

export function backward(loss: Tensor): void {
  gradOf(loss).fill(1);
  for (const passOn of (tape ?? []).reverse()) passOn();
}

// 3. Ops.

/** z = x·Wᵀ + b     ∂x += ∂z·W     ∂W += ∂zᵀ·x     ∂b += Σ ∂z.     Shapes: x [T, B, in] or [B, in], W [out, in], b [out]. */
export function linear(x: Tensor, W: Tensor, b: Tensor): Tensor {
  const [outputs = 0, inputs = 0] = W.shape;
  const z = new Tensor([...x.shape.slice(0, -1), outputs]);
  const rows = x.data.length / inputs;
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = b.data[o]!;
      for (let i = 0; i < inputs; i++) sum += x.data[r * inputs + i]! * W.data[o * inputs + i]!;
      z.data[r * outputs + o] = sum;
    }
  }
  tape?.push(() => {
    const [dz, dx, dW, db] = [gradOf(z), gradOf(x), gradOf(W), gradOf(b)];
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        const d = dz[r * outputs + o]!;
        if (d === 0) continue;
        for (let i = 0; i < inputs; i++) {
          dx[r * inputs + i]! += d * W.data[o * inputs + i]!;
          dW[o * inputs + i]! += d * x.data[r * inputs + i]!;
        }
        db[o]! += d;
      }
    }
  });
  return z;
}

/**
 * Leaky integrate-and-fire neurons. A step has no slope: backward takes that of σ(x) = 1 / (1 + e^(−slope·x)) in its place.
 *
 *   u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ else 0     v[t] = 0 if s[t] else u[t]
 *   ∂I[t] += ∂u[t] = ∂s[t]·σ′(u[t] − θ) + (0 if s[t] else ∂v[t])     ∂v[t−1] = β·∂u[t]
 *   Shapes: I, s [T, B, N].
 */
export function lif(I: Tensor, beta: number, theta: number, slope: number): Tensor {
  const [T = 0, B = 0, N = 0] = I.shape;
  const n = B * N;
  const s = new Tensor(I.shape);
  const u = new Float32Array(T * n);
  for (let i = 0; i < n; i++) {
    let v = 0;
    for (let t = 0; t < T; t++) {
      u[t * n + i] = Math.fround(Math.fround(beta * v) + I.data[t * n + i]!);
      const fires = u[t * n + i]! >= theta;
      s.data[t * n + i] = fires ? 1 : 0;
      v = fires ? 0 : u[t * n + i]!;
    }
  }
  tape?.push(() => {
    const [ds, dI] = [gradOf(s), gradOf(I)];
    for (let i = 0; i < n; i++) {
      let dv = 0;
      for (let t = T - 1; t >= 0; t--) {
        const sigmoid = 1 / (1 + Math.exp(-slope * (u[t * n + i]! - theta)));
        const du = ds[t * n + i]! * slope * sigmoid * (1 - sigmoid) + (s.data[t * n + i] === 1 ? 0 : dv);
        dI[t * n + i]! += du;
        dv = beta * du;
      }
    }
  });
  return s;
}

/** z = Σₜ x[t] / T     ∂x[t] += ∂z / T.     Shapes: x [T, B, N], z [B, N]. */
export function meanOverTime(x: Tensor): Tensor {
  const [T = 0, ...shape] = x.shape;
  const z = new Tensor(shape);
  const n = z.data.length;
  for (let t = 0; t < T; t++) for (let i = 0; i < n; i++) z.data[i]! += x.data[t * n + i]! / T;
  tape?.push(() => {
    const [dz, dx] = [gradOf(z), gradOf(x)];
    for (let t = 0; t < T; t++) for (let i = 0; i < n; i++) dx[t * n + i]! += dz[i]! / T;
  });
  return z;
}

/** L = mean over samples of log Σⱼ exp x[j] − x[y]     ∂x += (softmax(x) − [j = y])·∂L / B.     Shapes: x [B, K], y B classes, L [1]. */
export function crossEntropy(x: Tensor, y: ArrayLike<number>): Tensor {
  const [B = 0, K = 0] = x.shape;
  const softmax = new Float32Array(B * K);
  const loss = new Tensor([1]);
  for (let r = 0; r < B; r++) {
    const row = x.data.subarray(r * K, r * K + K);
    const largest = Math.max(...row);
    const sum = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (let j = 0; j < K; j++) softmax[r * K + j] = Math.exp(row[j]! - largest) / sum;
    loss.data[0]! += (largest + Math.log(sum) - row[y[r]!]!) / B;
  }
  tape?.push(() => {
    const [dLoss, dx] = [gradOf(loss)[0]!, gradOf(x)];
    for (let r = 0; r < B; r++) {
      for (let j = 0; j < K; j++) dx[r * K + j]! += ((softmax[r * K + j]! - (j === y[r] ? 1 : 0)) * dLoss) / B;
    }
  });
  return loss;
}

// 4. Random numbers: Philox 4×32-10 (Salmon et al., 2011), which encrypts the numbers 0, 1, 2 … by the seed.

/** The high half of the product of two words of 32 bits. */
function highProduct(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = a1 * b0 + (((a0 * b0) / 65536) >>> 0);
  return (a1 * b1 + Math.floor(middle / 65536) + (((a0 * b1 + (middle % 65536)) / 65536) >>> 0)) >>> 0;
}

/** Four words of 32 bits: the block of this number, in one of two streams of the seed. */
function philox(seed: number, block: number, stream: number): [number, number, number, number] {
  let [x0, x1, x2, x3] = [block, 0, stream, 0];
  let [key0, key1] = [seed, 0];
  for (let round = 0; round < 10; round++) {
    const [low0, high0] = [Math.imul(x0, 0xd2511f53), highProduct(x0, 0xd2511f53)];
    const [low1, high1] = [Math.imul(x2, 0xcd9e8d57), highProduct(x2, 0xcd9e8d57)];
    [x0, x1, x2, x3] = [(high1 ^ x1 ^ key0) >>> 0, low1 >>> 0, (high0 ^ x3 ^ key1) >>> 0, low0 >>> 0];
    [key0, key1] = [(key0 + 0x9e3779b9) >>> 0, (key1 + 0xbb67ae85) >>> 0];
  }
  return [x0, x1, x2, x3];
}

export function randomNumbers(seed: number) {
  let next = 0;
  const words = (from: number, count: number, stream = 0) =>
    Array.from({ length: Math.ceil(count / 4) }, (_, b) => philox(seed, from + b, stream)).flat();
  return {
    /** Numbers between −bound and bound: 24 bits of a word each. */
    uniform(shape: Shape, bound: number): Tensor {
      const x = new Tensor(shape);
      const drawn = words(next, x.data.length);
      next += Math.ceil(x.data.length / 4);
      return x.set(
        x.data.map((_, i) =>
          Math.fround(Math.fround((drawn[i]! >>> 8) * 2 ** -24 * Math.fround(2 * bound)) - Math.fround(bound)),
        ),
      );
    },

    /**
     * The Poisson code: s = 1 where (h + f)·2⁻¹⁶ < x, with h half a word of 32 bits: of 32 words the low halves, then the high ones. f, 24
     * bits of a word of a second stream, decides one draw in 65 536.     Shapes: x [B, N], s [T, B, N].
     */
    spikes(x: Tensor, T: number): Tensor {
      const s = new Tensor([T, ...x.shape]);
      const total = s.data.length;
      const drawn = words(next, 32 * Math.ceil(total / 64));
      for (let i = 0; i < total; i++) {
        const word = drawn[32 * Math.floor(i / 64) + (i % 32)]!;
        const half = i % 64 < 32 ? word & 0xffff : word >>> 16;
        const rate = x.data[i % x.data.length]! * 65536;
        const isClose = half <= rate && half + 1 > rate;
        const fraction = isClose ? (philox(seed, next + (i >> 2), 1)[i % 4]! >>> 8) * 2 ** -24 : 0;
        s.data[i] = half + fraction < rate && (isClose || half + 1 <= rate) ? 1 : 0;
      }
      next += Math.ceil(total / 4);
      return s;
    },
  };
}

// 5. Adam (Kingma and Ba, 2015).

/** After t steps:  m = β₁m + (1 − β₁)g     v = β₂v + (1 − β₂)g²     w −= lr / (1 − β₁ᵗ)·m / (√v / √(1 − β₂ᵗ) + ε) */
export function adam(weights: readonly Tensor[], lr: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): () => void {
  const all = weights.map((w) => ({
    w: w.data,
    g: gradOf(w),
    m: new Float32Array(w.data),
    v: new Float32Array(w.data),
  }));
  for (const { m, v } of all) [m.fill(0), v.fill(0)];
  let t = 0;
  return () => {
    t++;
    const [rate, root] = [lr / (1 - beta1 ** t), Math.sqrt(1 - beta2 ** t)];
    for (const { w, g, m, v } of all) {
      for (let i = 0; i < w.length; i++) {
        m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
        v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! ** 2;
        w[i]! -= (rate * m[i]!) / (Math.sqrt(v[i]!) / root + epsilon);
      }
      g.fill(0);
    }
  };
}

// 6. The network of nano.ts.

export function toy(seed: number, { inputs = 32, hidden = 128, classes = 2, T = 25, lr = 1e-3 } = {}) {
  const random = randomNumbers(seed);
  const uniform = (shape: Shape, from: number) => random.uniform(shape, 1 / Math.sqrt(from));
  const [W1, b1] = [uniform([hidden, inputs], inputs), uniform([hidden], inputs)];
  const [W2, b2] = [uniform([classes, hidden], hidden), uniform([classes], hidden)];
  const weights = [W1, b1, W2, b2];
  const update = adam(weights, lr);

  function forward(x: ArrayLike<number>): { scores: Tensor; spikes: Tensor } {
    const input = new Tensor([x.length / inputs, inputs]).set(x);
    const spikes = lif(linear(random.spikes(input, T), W1, b1), Math.fround(0.95), 1, 10);
    return { scores: linear(meanOverTime(spikes), W2, b2), spikes };
  }

  function step(x: ArrayLike<number>, y: ArrayLike<number>): number {
    const loss = record(() => {
      const loss = crossEntropy(forward(x).scores, y);
      backward(loss);
      return loss.data[0]!;
    });
    update();
    return loss;
  }

  return { weights, step, forward };
}
