/** The toy and tutorial 5 from ops, for the rungs from SIMD on: what changes from rung to rung is how the ops compute. */
import { type adam, randomNumbers, Tensor } from "../nano/nano.ts";
import { type Make, TOY, TUTORIAL5 } from "./rung.ts";

/** The random numbers of a seed, with the number of the next block of four for the rungs that draw bits by themselves. */
export type Random = ReturnType<typeof randomNumbers> & { readonly seed: number; block: number };

/** A layer of leaky neurons over T steps; β and θ have one value. */
export interface Neurons {
  readonly T: number;
  readonly beta: Tensor;
  readonly theta: Tensor;
}

/** The ops of a rung; S are its spikes. */
export interface Ops<S> {
  /** A step: the mean over the samples of the cross-entropies of scores(x), [B, K] or [T, B, K], and its gradients. */
  training(inputs: number, scores: (x: Tensor) => Tensor): (x: ArrayLike<number>, y: ArrayLike<number>) => number;
  readonly adam: typeof adam;
  /** Random spikes [T, B, N], with the probabilities x [B, N]. */
  poisson(x: Tensor, T: number, random: Random): S;
  linear(x: Tensor | S, W: Tensor, b: Tensor): Tensor;
  /** The spikes of the toy's neurons: a reset to 0 at once, the derivative of a sigmoid. */
  lif(I: Tensor, neurons: Neurons): S;
  /**
   * Membrane and spikes of the tutorial's neurons: θ is taken off a step later, the derivative of an arctangent. A current [B, N] is the same
   * in all steps.
   */
  leaky(I: Tensor, neurons: Neurons): { readonly u: Tensor; readonly s: S };
  meanOverTime(s: S): Tensor;
}

/** Two linear layers, drawn from the seed; β = 0.95, θ = 1. */
function prepare(
  ops: Pick<Ops<never>, "adam">,
  seed: number,
  T: number,
  { inputs, hidden, classes, lr }: Record<keyof typeof TOY, number>,
) {
  const random = { ...randomNumbers(seed), seed, block: 0 };
  const uniform = (shape: readonly number[], from: number) => random.uniform(shape, 1 / Math.sqrt(from));
  const [W1, b1] = [uniform([hidden, inputs], inputs), uniform([hidden], inputs)];
  const [W2, b2] = [uniform([classes, hidden], hidden), uniform([classes], hidden)];
  const neurons = { T, beta: new Tensor([1]).set([0.95]), theta: new Tensor([1]).set([1]) };
  const weights = [W1, b1, W2, b2];
  for (const { size } of weights) random.block += Math.ceil(size / 4);
  return { random, neurons, W1, b1, W2, b2, weights, update: ops.adam(weights, lr) };
}

/** Inputs → random spikes → neurons → mean over time → classes. */
export const toyOf =
  <S>(ops: Ops<S>): Make =>
  (seed, { T = TOY.T } = {}) => {
    const { random, neurons, W1, b1, W2, b2, weights, update } = prepare(ops, seed, T, TOY);
    const train = ops.training(TOY.inputs, (x) => {
      const spikes = ops.lif(ops.linear(ops.poisson(x, T, random), W1, b1), neurons);
      return ops.linear(ops.meanOverTime(spikes), W2, b2);
    });
    return { weights, step: (x, y) => updated(train(x, y), update) };
  };

/** Inputs as a current → neurons → neurons, whose membranes are scores in each step. */
export const tutorial5Of =
  <S>(ops: Ops<S>): Make =>
  (seed, { T = TUTORIAL5.T } = {}) => {
    const { neurons, W1, b1, W2, b2, weights, update } = prepare(ops, seed, T, TUTORIAL5);
    const train = ops.training(TUTORIAL5.inputs, (x) => {
      const { s } = ops.leaky(ops.linear(x, W1, b1), neurons);
      return ops.leaky(ops.linear(s, W2, b2), neurons).u;
    });
    return { weights, step: (x, y) => updated(train(x, y), update) };
  };

function updated(loss: number, update: () => void): number {
  update();
  return loss;
}
