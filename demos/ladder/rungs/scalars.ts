/**
 * Rung 1: scalars with closures, as micrograd has them (Karpathy, 2020). Each number is an object that keeps the numbers it was made of and
 * a function that passes its gradient on to them. Nothing can be smaller, and nothing slower: a step makes an object for each product.
 */
import { randomNumbers, Tensor } from "../../nano/nano-js.ts";
import { type Make, TOY } from "../rung.ts";

const nothing = (): void => {};

class Value {
  grad = 0;
  passOn: () => void = nothing;
  data: number;
  readonly from: readonly Value[];

  constructor(data: number, from: readonly Value[] = []) {
    this.data = data;
    this.from = from;
  }

  /** A number made of this one and of another, with its derivatives towards both. */
  private with(other: Value, data: number, d: number, dOther: number): Value {
    const z = new Value(data, [this, other]);
    z.passOn = () => {
      this.grad += d * z.grad;
      other.grad += dOther * z.grad;
    };
    return z;
  }

  add(y: Value): Value {
    return this.with(y, this.data + y.data, 1, 1);
  }

  mul(y: Value): Value {
    return this.with(y, this.data * y.data, y.data, this.data);
  }
}

/** f(x), with its derivative there. */
function map(x: Value, data: number, d: number): Value {
  const z = new Value(data, [x]);
  z.passOn = () => {
    x.grad += d * z.grad;
  };
  return z;
}

/** Adds ∂L/∂x to the gradient of every x that L was made of: each passes its own on after all that it was used for. */
function backward(loss: Value): void {
  const order: Value[] = [];
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const x of value.from) visit(x);
    order.push(value);
  };
  visit(loss);
  loss.grad = 1;
  for (const value of order.reverse()) value.passOn();
}

const numbers = (values: ArrayLike<number>): Value[] => Array.from(values, (value) => new Value(value));

const sum = (values: readonly Value[], first = new Value(0)): Value => values.reduce((total, x) => total.add(x), first);

/** z = W·x + b */
const linear = (x: readonly Value[], W: readonly Value[], b: readonly Value[]): Value[] =>
  b.map((start, o) =>
    sum(
      x.map((value, i) => value.mul(W[o * x.length + i] as Value)),
      start,
    ),
  );

const [BETA, THETA, SLOPE] = [Math.fround(0.95), 1, 10];

/** The spikes of a neuron over time, for its currents: u = β·v + I, a spike where u ≥ θ, v = 0 after a spike and else u. */
function spikesOf(currents: readonly Value[]): Value[] {
  const zero = new Value(0);
  const beta = new Value(BETA);
  let v = zero;
  return currents.map((I) => {
    const u = beta.mul(v).add(I);
    const sigmoid = 1 / (1 + Math.exp(-SLOPE * (u.data - THETA)));
    const fires = u.data >= THETA;
    v = fires ? zero : u;
    return map(u, fires ? 1 : 0, SLOPE * sigmoid * (1 - sigmoid));
  });
}

/** log Σⱼ exp x[j] − x[y] */
function crossEntropy(x: readonly Value[], y: number): Value {
  const largest = Math.max(...x.map(({ data }) => data));
  const total = sum(
    x.map((score) => {
      const e = Math.exp(score.data - largest);
      return map(score, e, e);
    }),
  );
  const log = map(total, largest + Math.log(total.data), 1 / total.data);
  return log.add(map(x[y] as Value, -(x[y] as Value).data, -1));
}

function adam(weights: readonly Value[], lr: number): () => void {
  const moments = weights.map(() => ({ m: 0, v: 0 }));
  let t = 0;
  return () => {
    t++;
    const [rate, root] = [lr / (1 - 0.9 ** t), Math.sqrt(1 - 0.999 ** t)];
    for (const [i, w] of weights.entries()) {
      const moment = moments[i] as { m: number; v: number };
      moment.m = 0.9 * moment.m + 0.1 * w.grad;
      moment.v = 0.999 * moment.v + 0.001 * w.grad ** 2;
      w.data -= (rate * moment.m) / (Math.sqrt(moment.v) / root + 1e-8);
      w.grad = 0;
    }
  };
}

export const toy: Make = (seed, { T = TOY.T } = {}) => {
  const { inputs, hidden, classes, lr } = TOY;
  const random = randomNumbers(seed);
  const uniform = (n: number, from: number) => numbers(random.uniform([n], 1 / Math.sqrt(from)).data);
  const [W1, b1] = [uniform(hidden * inputs, inputs), uniform(hidden, inputs)];
  const [W2, b2] = [uniform(classes * hidden, hidden), uniform(classes, hidden)];
  const weights = [W1, b1, W2, b2];
  const update = adam(weights.flat(), lr);

  /** The loss of sample b, with its spikes [T, B, inputs]. */
  function lossOf(spikes: Float32Array, b: number, rows: number, y: number): Value {
    const currents = Array.from({ length: T }, (_, t) => {
      const at = (t * rows + b) * inputs;
      return linear(numbers(spikes.subarray(at, at + inputs)), W1, b1);
    });
    const rates = b1.map((_, n) => {
      const total = sum(spikesOf(currents.map((I) => I[n] as Value)));
      return map(total, total.data / T, 1 / T);
    });
    return crossEntropy(linear(rates, W2, b2), y);
  }

  function step(x: Float32Array, y: Uint8Array): number {
    const rows = y.length;
    const { data } = random.spikes(new Tensor([rows, inputs]).set(x), T);
    const total = sum(Array.from(y, (label, b) => lossOf(data, b, rows, label)));
    const loss = map(total, total.data / rows, 1 / rows);
    backward(loss);
    update();
    return loss.data;
  }

  const read = (values: readonly Value[]) => ({
    get data() {
      return values.map(({ data }) => data);
    },
  });
  return { step, weights: weights.map(read) };
};
