/**
 * Rung 6: the memory of a tape. The first step is recorded: each op takes its memory, writes its descriptors, and leaves two functions, forward
 * and backward. All later steps call these functions: they make no tensor, no record and no block, and leave the collector next to nothing. One
 * block is the current of a layer, then its membrane, then its gradient. A gradient is overwritten, as each tensor is read once.
 */
import {
  alloc,
  kernels as k,
  LIF_DESCRIPTOR_BYTES,
  lifDescriptor,
  memory,
  PRODUCT_DESCRIPTOR_BYTES,
  productDescriptor,
} from "jarvis-snn/kernels";
import { gradOf, power, Tensor, take } from "../../nano/nano.ts";
import { type Neurons, type Ops, toyOf, tutorial5Of } from "../networks.ts";
import { draw, SIMPLE, Spikes } from "./bits.ts";
import { LEAKY, layerOf } from "./simd.ts";

/** Views of the whole memory, made anew where it has grown. */
let floats = new Float32Array(memory.buffer);
let integers = new Int32Array(memory.buffer);

function refreshViews(): void {
  if (floats.buffer === memory.buffer) return;
  floats = new Float32Array(memory.buffer);
  integers = new Int32Array(memory.buffer);
}

/** The steps of a batch of one size: its inputs, its classes, and what the ops do. */
interface Tape {
  readonly x: Tensor;
  readonly classes: number;
  readonly loss: Tensor;
  readonly forward: (() => void)[];
  readonly backward: (() => void)[];
}

/** What the ops of the step that is recorded leave: forward has run already; backward is asked for once all gradients after it have a place. */
let recorded: { forward: () => void; makeBackward: () => () => void }[] = [];

function keep(forward: () => void, makeBackward: () => () => void): void {
  forward();
  recorded.push({ forward, makeBackward });
}

/** Records the first step of a batch of this many rows. */
function recordTape(
  rows: number,
  inputs: number,
  scores: (x: Tensor) => Tensor,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): Tape {
  recorded = [];
  const [input, classes] = [new Tensor([rows, inputs]).set(x), take(rows)];
  constants.add(input);
  new Int32Array(memory.buffer, classes, rows).set(y);
  const loss = crossEntropy(scores(input), classes, rows);
  k.fill(gradOf(loss), 1, 1);
  const backward = recorded.toReversed().map(({ makeBackward }) => makeBackward());
  return { x: input, classes, loss, forward: recorded.map(({ forward }) => forward), backward };
}

/** Tensors that need no gradient. */
const constants = new WeakSet<Tensor>();

const training: Ops<never>["training"] = (inputs, scores) => {
  const tapes = new Map<number, Tape>();
  return (x, y) => {
    let tape = tapes.get(y.length);
    if (tape === undefined) {
      tape = recordTape(y.length, inputs, scores, x, y);
      tapes.set(y.length, tape);
    } else {
      refreshViews();
      floats.set(x, tape.x.ptr / 4);
      integers.set(y, tape.classes / 4);
      for (const run of tape.forward) run();
    }
    for (const run of tape.backward) run();
    refreshViews();
    return floats[tape.loss.ptr / 4] as number;
  };
};

/** Gradients are overwritten: the address of that of x, which has one reader. */
function gradientOf(x: Pick<Tensor, "size" | "gradPtr">): number {
  if (x.gradPtr !== 0)
    throw new Error("ladder: expected one reader of each tensor, whose gradient it overwrites, got two");
  x.gradPtr = take(x.size);
  return x.gradPtr;
}

type Product = Parameters<typeof productDescriptor>[1];
type Layer = Parameters<typeof lifDescriptor>[1];

/** Descriptors that are written once. */
const described = (words: Product): number => productDescriptor(alloc(PRODUCT_DESCRIPTOR_BYTES), words);
const describedLayer = (words: Layer): number => lifDescriptor(alloc(LIF_DESCRIPTOR_BYTES), words);

/** Describes a product that follows bits. The kernel plans by the number of spikes in the first step; there is room for all. */
const follows = (words: Omit<Product, "a" | "work">): number =>
  described({ ...words, a: 0, work: take(words.m + 5 + ((words.m * words.k) >> 1) + 1) });

function linear(x: Tensor | Spikes, W: Tensor, b: Tensor): Tensor {
  const [n = 0, inputs = 0] = W.shape;
  const rows = x.size / inputs;
  const z = new Tensor([...x.shape.slice(0, -1), n]);
  const start = { c: z.ptr, init: b.ptr, m: rows, n, k: inputs, b: W.ptr, bRow: 1, bCol: inputs };
  if (x instanceof Spikes) followed(x, z, start, W, b);
  else {
    const product = described({ ...start, a: x.ptr });
    keep(
      () => k.gemm(product),
      () => {
        const [dz, dW, db] = [z.gradPtr, gradOf(W), gradOf(b)];
        const weights = described({ c: dW, init: dW, m: n, n: inputs, k: rows, a: dz, aRow: 1, aCol: n, b: x.ptr });
        const passOn = passedOn(x, dz, W, rows);
        return () => {
          k.gemm(weights);
          k.addSumAxis(db, dz, 1, rows, n, 1, 0);
          passOn();
        };
      },
    );
  }
  return z;
}

/** ∂x ← ∂z·W, where it is wanted */
function passedOn(x: Tensor | Spikes, dz: number, W: Tensor, rows: number): () => void {
  const [n = 0, inputs = 0] = W.shape;
  const isWanted = x instanceof Spikes ? x.wantsGradient : !constants.has(x);
  if (!isWanted) return () => {};
  const product = described({ c: gradientOf(x), m: rows, n: inputs, k: n, a: dz, b: W.ptr });
  return () => k.gemm(product);
}

/** z = s·Wᵀ + b and its gradients, as in rung 5. */
function followed(s: Spikes, z: Tensor, start: Omit<Product, "a">, W: Tensor, b: Tensor): void {
  const { m: rows, n, k: inputs } = start;
  const bits = take(rows * Math.ceil(inputs / 32));
  const count = k.alignBits(bits, s.bits, rows, inputs);
  const product = follows({ ...start, bits, count });
  keep(
    () => {
      k.alignBits(bits, s.bits, rows, inputs);
      k.gather(product);
    },
    () => {
      const [dz, dW, db] = [z.gradPtr, gradOf(W), gradOf(b)];
      const [columns, turned] = [take(inputs * Math.ceil(rows / 32)), take(W.size)];
      const weights = follows({ c: turned, init: turned, m: inputs, n, k: rows, b: dz, bits: columns, count });
      const passOn = passedOn(s, dz, W, rows);
      return () => {
        k.transposeBits(columns, bits, rows, inputs, 0);
        k.transpose(turned, dW, n, inputs, 0);
        k.gather(weights);
        k.transpose(dW, turned, inputs, n, 0);
        k.addSumAxis(db, dz, 1, rows, n, 1, 0);
        passOn();
      };
    },
  );
}

/** Spikes whose gradient may be the same in all steps: then the step from one to the next is 0. */
class KeptSpikes extends Spikes {
  gradStep = 0;
}

/** The neurons of rung 5. Over T steps the membrane lies over the current, and ∂I over the membrane. */
function neurons(I: Tensor, options: Neurons, kind: Partial<Layer>): { u: Tensor; s: KeptSpikes } {
  const { size, shape, isConstant, words } = layerOf(I, options);
  const [u, s] = [isConstant ? new Tensor(shape) : I, new KeptSpikes(shape, true)];
  s.gradStep = size;
  const layer = { ...kind, ...words, u: u.ptr };
  const forward = describedLayer({ ...layer, spikes: s.bits });
  keep(
    () => k.lifForward(forward),
    () => {
      const { gradPtr: dMembrane } = u;
      const gradients = { ...layer, dSpikes: s.gradPtr, stepDSpikes: s.gradStep, dMembrane };
      if (isConstant) {
        const dI = gradientOf(I);
        const backward = describedLayer({ ...gradients, dU: take(size), stepDU: 0, dSum: dI });
        return () => {
          k.fill(dI, size, 0);
          k.lifBackward(backward);
        };
      }
      I.gradPtr = u.ptr;
      const backward = describedLayer({ ...gradients, dU: u.ptr });
      return () => k.lifBackward(backward);
    },
  );
  return { u, s };
}

/** z = Σₜ s[t] / T. Its gradient is the same in all steps, and is passed on as that of one. */
function meanOverTime(s: KeptSpikes): Tensor {
  const [T = 0, ...shape] = s.shape;
  const z = new Tensor(shape);
  keep(
    () => {
      k.sumBits(z.ptr, s.bits, T, z.size);
      k.affine(z.ptr, z.ptr, z.size, 1 / T, 0);
    },
    () => {
      s.gradPtr = z.gradPtr;
      s.gradStep = 0;
      return () => k.affine(z.gradPtr, z.gradPtr, z.size, 1 / T, 0);
    },
  );
  return z;
}

/** The loss of rung 4; the classes of the samples stand in the place of the first rows, and are copied to those of further steps. */
function crossEntropy(x: Tensor, classes: number, B: number): Tensor {
  const K = x.shape.at(-1) as number;
  const rows = x.size / K;
  const loss = new Tensor([1]);
  const [losses, sums, labels] = [take(rows), take(2 * rows), take(rows)];
  keep(
    () => {
      for (let r = 0; r < rows; r += B) k.copy(labels + 4 * r, classes, B);
      k.crossEntropy(losses, sums, x.ptr, labels, 0, rows, K, 0);
      k.sumAxis(loss.ptr, losses, 1, rows, 1, 0);
      k.affine(loss.ptr, loss.ptr, 1, 1 / B, 0);
    },
    () => {
      const dx = gradientOf(x);
      return () => {
        k.fill(dx, x.size, 0);
        k.crossEntropyGrad(dx, x.ptr, sums, labels, 0, loss.gradPtr, 0, 1 / B, rows, K, 0);
      };
    },
  );
  return loss;
}

/** Adam of nano, whose numbers are written by index. */
const adam: Ops<never>["adam"] = (weights, lr) => {
  const all = weights.map((w) => ({ w, g: gradOf(w), m: zeros(w), v: zeros(w) }));
  const numbers = new Tensor([9]).set([1, 0, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 0, 0, 1e-8]);
  let t = 0;
  return () => {
    t++;
    refreshViews();
    floats[numbers.ptr / 4 + 6] = lr / (1 - power(0.9, t));
    floats[numbers.ptr / 4 + 7] = 1 / Math.sqrt(1 - power(0.999, t));
    for (const { w, g, m, v } of all) {
      k.adam(w.ptr, g, m, v, 0, w.size, numbers.ptr);
      k.fill(g, w.size, 0);
    }
  };
};

function zeros({ size }: Tensor): number {
  const address = take(size);
  k.fill(address, size, 0);
  return address;
}

export const ops: Ops<KeptSpikes> = {
  training,
  adam,
  poisson(x, T, random) {
    const s = new KeptSpikes([T, ...x.shape], false);
    keep(
      () => k.bernoulli(s.bits, x.ptr, x.size, T, 1, random.seed, 0, draw(random, s.size), 0, 0, 0),
      () => () => {},
    );
    return s;
  },
  linear,
  lif: (I, options) => neurons(I, options, SIMPLE).s,
  leaky: (I, options) => neurons(I, options, LEAKY),
  meanOverTime,
};

export const toy = toyOf(ops);
export const tutorial5 = tutorial5Of(ops);
