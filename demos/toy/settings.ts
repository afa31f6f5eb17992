/** The settings of the toy: those of the network, of its training and of its code. */

export type Encoding = "poisson" | "ttfs" | "constant";

export interface ToyOptions {
  epochs: number;
  timesteps: number;
  hidden: number;
  lr: number;
  batchSize: number;
  /** Weights, order of the samples, coding. */
  seed: number;
  /** The samples. */
  dataSeed: number;
  encode: Encoding;
  refractory: number;
}

export const DEFAULTS: ToyOptions = {
  epochs: 10,
  timesteps: 25,
  hidden: 128,
  lr: 1e-3,
  batchSize: 128,
  seed: 0,
  dataSeed: 0,
  encode: "poisson",
  refractory: 0,
};
