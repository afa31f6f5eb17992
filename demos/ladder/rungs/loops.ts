/**
 * Rung 3: compiled loops. The numbers move into one linear memory, and the loops of nano-js, compiled by AssemblyScript, read and write them
 * by address. JavaScript is left with tensors, the tape and the calls.
 */
import { heapBase, instantiate } from "../build/loops.ts";
import { type Make, TOY } from "../rung.ts";

type Shape = readonly number[];

const memory = new WebAssembly.Memory({ initial: 1 });
const k = instantiate(memory);

/** Blocks that are free, by their bytes, and the first byte after all blocks. */
const blocks = new Map<number, number[]>();
let end = heapBase;

/** Blocks that the running step has taken, as address and bytes. */
let taken: [address: number, bytes: number][] = [];

/** The address of n zeros. */
function take(n: number): number {
  const bytes = Math.ceil(n / 4) * 16;
  const address = blocks.get(bytes)?.pop() ?? newBlock(bytes);
  new Float32Array(memory.buffer, address, n).fill(0);
  if (tape !== null) taken.push([address, bytes]);
  return address;
}

function newBlock(bytes: number): number {
  if (!blocks.has(bytes)) blocks.set(bytes, []);
  const address = end;
  end += bytes;
  const pages = Math.ceil((end - memory.buffer.byteLength) / 65536);
  if (pages > 0) memory.grow(pages);
  return address;
}

class Tensor {
  readonly shape: Shape;
  readonly size: number;
  readonly ptr: number;
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
}

let tape: (() => void)[] | null = null;

/** Runs a step: its ops are recorded, and its memory is free afterwards. */
function record<Result>(step: () => Result): Result {
  tape = [];
  try {
    return step();
  } finally {
    for (const [address, bytes] of taken) blocks.get(bytes)?.push(address);
    taken = [];
    tape = null;
  }
}

function gradOf(x: Tensor): number {
  if (x.gradPtr === 0) x.gradPtr = take(x.size);
  return x.gradPtr;
}

function backward(loss: Tensor): void {
  new Float32Array(memory.buffer, gradOf(loss), 1).fill(1);
  for (const passOn of (tape ?? []).reverse()) passOn();
}

function linear(x: Tensor, W: Tensor, b: Tensor): Tensor {
  const [outputs = 0, inputs = 0] = W.shape;
  const rows = x.size / inputs;
  const z = new Tensor([...x.shape.slice(0, -1), outputs]);
  k.linear(z.ptr, x.ptr, W.ptr, b.ptr, rows, inputs, outputs);
  tape?.push(() => k.linearGrad(gradOf(x), gradOf(W), gradOf(b), gradOf(z), x.ptr, W.ptr, rows, inputs, outputs));
  return z;
}

function lif(I: Tensor, beta: number, theta: number, slope: number): Tensor {
  const [T = 0] = I.shape;
  const [s, u] = [new Tensor(I.shape), take(I.size)];
  const n = I.size / T;
  k.lif(s.ptr, u, I.ptr, T, n, beta, theta);
  tape?.push(() => k.lifGrad(gradOf(I), gradOf(s), s.ptr, u, T, n, beta, theta, slope));
  return s;
}

function meanOverTime(x: Tensor): Tensor {
  const [T = 0, ...shape] = x.shape;
  const z = new Tensor(shape);
  k.meanOverTime(z.ptr, x.ptr, T, z.size);
  tape?.push(() => k.meanOverTimeGrad(gradOf(x), gradOf(z), T, z.size));
  return z;
}

function crossEntropy(x: Tensor, y: ArrayLike<number>): Tensor {
  const [B = 0, K = 0] = x.shape;
  const [loss, softmax, labels] = [new Tensor([1]), take(x.size), take(B)];
  new Int32Array(memory.buffer, labels, B).set(y);
  k.crossEntropy(loss.ptr, softmax, x.ptr, labels, B, K);
  tape?.push(() => k.crossEntropyGrad(gradOf(x), softmax, labels, gradOf(loss), B, K));
  return loss;
}

function randomNumbers(seed: number) {
  let block = 0;
  const draw = (count: number): number => {
    block += Math.ceil(count / 4);
    return block - Math.ceil(count / 4);
  };
  return {
    uniform(shape: Shape, bound: number): Tensor {
      const x = new Tensor(shape);
      k.uniform(x.ptr, x.size, bound, seed, draw(x.size));
      return x;
    },

    spikes(x: Tensor, T: number): Tensor {
      const s = new Tensor([T, ...x.shape]);
      k.spikes(s.ptr, x.ptr, x.size, T, seed, draw(s.size));
      return s;
    },
  };
}

function adam(weights: readonly Tensor[], lr: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): () => void {
  const all = weights.map((w) => ({ w: w.ptr, g: gradOf(w), m: take(w.size), v: take(w.size), n: w.size }));
  let t = 0;
  return () => {
    t++;
    const [rate, root] = [lr / (1 - beta1 ** t), Math.sqrt(1 - beta2 ** t)];
    for (const { w, g, m, v, n } of all) k.adam(w, g, m, v, n, rate, root, beta1, beta2, epsilon);
  };
}

export const toy: Make = (seed, { T = TOY.T } = {}) => {
  const { inputs, hidden, classes, lr } = TOY;
  const random = randomNumbers(seed);
  const uniform = (shape: Shape, from: number) => random.uniform(shape, 1 / Math.sqrt(from));
  const [W1, b1] = [uniform([hidden, inputs], inputs), uniform([hidden], inputs)];
  const [W2, b2] = [uniform([classes, hidden], hidden), uniform([classes], hidden)];
  const weights = [W1, b1, W2, b2];
  const update = adam(weights, lr);

  function step(x: Float32Array, y: Uint8Array): number {
    const loss = record(() => {
      const input = new Tensor([y.length, inputs]);
      input.data.set(x);
      const spikes = lif(linear(random.spikes(input, T), W1, b1), Math.fround(0.95), 1, 10);
      const loss = crossEntropy(linear(meanOverTime(spikes), W2, b2), y);
      backward(loss);
      return loss.data[0] as number;
    });
    update();
    return loss;
  }

  return { weights, step };
};
