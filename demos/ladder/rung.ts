/** What all rungs have in common: a network that is trained step by step. */

export interface Training {
  /** Trains the network on x, rows of inputs, with their classes y, and returns the loss. */
  step(x: Float32Array, y: Uint8Array): number;
  /** Weights and biases of both layers, in the order in which they are drawn. */
  readonly weights: readonly { readonly data: ArrayLike<number> }[];
}

/** Makes a network from a seed, for T time steps. */
export type Make = (seed: number, options?: { readonly T?: number }) => Training;

/** The toy: 32 inputs as Poisson spikes, 128 neurons whose spikes are averaged over time, 2 classes. */
export const TOY = { inputs: 32, hidden: 128, classes: 2, T: 25, lr: 1e-3 } as const;

/** snnTorch's tutorial 5: images as a constant current, 1000 neurons, 10 neurons whose membranes are the scores in each time step. */
export const TUTORIAL5 = { inputs: 784, hidden: 1000, classes: 10, T: 25, lr: 5e-4 } as const;

/** Rows of a batch of both. */
export const B = 128;
