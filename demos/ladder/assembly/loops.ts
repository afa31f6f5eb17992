/**
 * The loops of nano-js in AssemblyScript, without SIMD: the same sums in the same order. Arrays are addresses of float32, row by row; sums are
 * float64, as those of JavaScript are. Names, equations and arguments are those of nano-js, outputs first.
 */

/** The first byte after the constants. */
export const heapBase: usize = __heap_base;

function at(x: usize, i: i32): f64 {
  return <f64>load<f32>(x + ((<usize>i) << 2));
}

function put(x: usize, i: i32, value: f64): void {
  store<f32>(x + ((<usize>i) << 2), <f32>value);
}

function add(x: usize, i: i32, value: f64): void {
  put(x, i, at(x, i) + value);
}

/** z = x·Wᵀ + b */
export function linear(z: usize, x: usize, W: usize, b: usize, rows: i32, inputs: i32, outputs: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = at(b, o);
      for (let i = 0; i < inputs; i++) sum += at(x, r * inputs + i) * at(W, o * inputs + i);
      put(z, r * outputs + o, sum);
    }
  }
}

/** ∂x += ∂z·W     ∂W += ∂zᵀ·x     ∂b += Σ ∂z */
export function linearGrad(
  dx: usize,
  dW: usize,
  db: usize,
  dz: usize,
  x: usize,
  W: usize,
  rows: i32,
  inputs: i32,
  outputs: i32,
): void {
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      const d = at(dz, r * outputs + o);
      if (d === 0) continue;
      for (let i = 0; i < inputs; i++) {
        add(dx, r * inputs + i, d * at(W, o * inputs + i));
        add(dW, o * inputs + i, d * at(x, r * inputs + i));
      }
      add(db, o, d);
    }
  }
}

/** u[t] = β·v[t−1] + I[t]     s[t] = 1 if u[t] ≥ θ else 0     v[t] = 0 if s[t] else u[t] */
export function lif(s: usize, u: usize, I: usize, T: i32, n: i32, beta: f64, theta: f64): void {
  for (let i = 0; i < n; i++) {
    let v: f64 = 0;
    for (let t = 0; t < T; t++) {
      put(u, t * n + i, <f64>(<f32>(beta * v)) + at(I, t * n + i));
      const fires = at(u, t * n + i) >= theta;
      put(s, t * n + i, fires ? 1 : 0);
      v = fires ? 0 : at(u, t * n + i);
    }
  }
}

/** ∂I[t] += ∂u[t] = ∂s[t]·σ′(u[t] − θ) + (0 if s[t] else ∂v[t])     ∂v[t−1] = β·∂u[t] */
export function lifGrad(
  dI: usize,
  ds: usize,
  s: usize,
  u: usize,
  T: i32,
  n: i32,
  beta: f64,
  theta: f64,
  slope: f64,
): void {
  for (let i = 0; i < n; i++) {
    let dv: f64 = 0;
    for (let t = T - 1; t >= 0; t--) {
      const sigmoid = 1 / (1 + Math.exp(-slope * (at(u, t * n + i) - theta)));
      const du = at(ds, t * n + i) * slope * sigmoid * (1 - sigmoid) + (at(s, t * n + i) === 1 ? 0 : dv);
      add(dI, t * n + i, du);
      dv = beta * du;
    }
  }
}

/** z = Σₜ x[t] / T, to which it adds */
export function meanOverTime(z: usize, x: usize, T: i32, n: i32): void {
  for (let t = 0; t < T; t++) for (let i = 0; i < n; i++) add(z, i, at(x, t * n + i) / <f64>T);
}

/** ∂x[t] += ∂z / T */
export function meanOverTimeGrad(dx: usize, dz: usize, T: i32, n: i32): void {
  for (let t = 0; t < T; t++) for (let i = 0; i < n; i++) add(dx, t * n + i, at(dz, i) / <f64>T);
}

/** L = mean over samples of log Σⱼ exp x[j] − x[y], to which it adds; y are integers. */
export function crossEntropy(loss: usize, softmax: usize, x: usize, y: usize, B: i32, K: i32): void {
  for (let r = 0; r < B; r++) {
    let largest = at(x, r * K);
    for (let j = 1; j < K; j++) largest = Math.max(largest, at(x, r * K + j));
    let sum: f64 = 0;
    for (let j = 0; j < K; j++) sum += Math.exp(at(x, r * K + j) - largest);
    for (let j = 0; j < K; j++) put(softmax, r * K + j, Math.exp(at(x, r * K + j) - largest) / sum);
    add(loss, 0, (largest + Math.log(sum) - at(x, r * K + load<i32>(y + ((<usize>r) << 2)))) / <f64>B);
  }
}

/** ∂x += (softmax(x) − [j = y])·∂L / B */
export function crossEntropyGrad(dx: usize, softmax: usize, y: usize, dLoss: usize, B: i32, K: i32): void {
  for (let r = 0; r < B; r++) {
    const label = load<i32>(y + ((<usize>r) << 2));
    for (let j = 0; j < K; j++) {
      add(dx, r * K + j, ((at(softmax, r * K + j) - (j === label ? 1 : 0)) * at(dLoss, 0)) / <f64>B);
    }
  }
}

/** Eight blocks of four words of 32 bits, and one more. */
const words = memory.data(128, 16);
const single = memory.data(16, 16);

/** The block of this number in one of two streams of the seed: Philox 4×32-10 (Salmon et al., 2011). */
function philox(to: usize, seed: u32, block: u32, stream: u32): void {
  let x0 = block;
  let x1: u32 = 0;
  let x2 = stream;
  let x3: u32 = 0;
  let key1: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>x0 * 0xd2511f53;
    const p1 = <u64>x2 * 0xcd9e8d57;
    x0 = <u32>(p1 >> 32) ^ x1 ^ seed;
    x1 = <u32>p1;
    x2 = <u32>(p0 >> 32) ^ x3 ^ key1;
    x3 = <u32>p0;
    seed += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  store<u32>(to, x0);
  store<u32>(to, x1, 4);
  store<u32>(to, x2, 8);
  store<u32>(to, x3, 12);
}

/** The word of this number, as a number in [0, 1) of its 24 high bits. */
function fraction(words: usize, i: i32): f64 {
  return <f64>(load<u32>(words + ((<usize>i) << 2)) >>> 8) / 16777216;
}

/** Numbers between −bound and bound, from a block of the stream on. */
export function uniform(z: usize, n: i32, bound: f32, seed: u32, block: u32): void {
  for (let i = 0; i < n; i++) {
    if ((i & 3) === 0) philox(words, seed, block + (i >> 2), 0);
    put(z, i, <f64>(<f32>(fraction(words, i & 3) * <f64>(2 * bound)) - bound));
  }
}

/** The Poisson code of x [n] over T steps, as in nano-js. */
export function spikes(s: usize, x: usize, n: i32, T: i32, seed: u32, block: u32): void {
  for (let i = 0; i < T * n; i++) {
    if ((i & 63) === 0) {
      for (let b = 0; b < 8; b++) philox(words + ((<usize>b) << 4), seed, block + (i >> 3) + b, 0);
    }
    const word = load<u32>(words + ((<usize>i & 31) << 2));
    const half = <f64>((i & 63) < 32 ? word & 0xffff : word >>> 16);
    const rate = at(x, i % n) * 65536;
    let fires = half + 1 <= rate;
    if (half <= rate && !fires) {
      philox(single, seed, block + (i >> 2), 1);
      fires = half + fraction(single, i & 3) < rate;
    }
    put(s, i, fires ? 1 : 0);
  }
}

/** Adam (Kingma and Ba, 2015), after which the gradients are zeros. */
export function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  rate: f64,
  root: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
): void {
  for (let i = 0; i < n; i++) {
    put(m, i, beta1 * at(m, i) + (1 - beta1) * at(g, i));
    put(v, i, beta2 * at(v, i) + (1 - beta2) * (at(g, i) * at(g, i)));
    put(w, i, at(w, i) - (rate * at(m, i)) / (Math.sqrt(at(v, i)) / root + epsilon));
    put(g, i, 0);
  }
}
