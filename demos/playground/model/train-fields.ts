/** What can be set in the Train room: one table for the controls, the address and the run. */

import { choice, level, number, type Values } from "../state/fields.ts";
import { PIXELS } from "./image.ts";

/** Numbers of a sample of the toy. */
const FEATURES = 32;

export const trainFields = {
  data: choice(["moons", "circles", "xor", "spirals", "linear", "mnist"], "moons"),
  noise: number(0.1, 0, 0.4, 0.02),
  fields: level(8, [1, 4, 6, 8, 12, 16]),
  encode: choice(["ttfs", "poisson", "constant"], "ttfs"),
  timesteps: number(8, 4, 100, 1),
  layers: { kind: "list", default: [24, 16], min: 1, max: 256, least: 1, most: 3 },
  cells: choice(
    [
      ...(["LIF", "IF", "Lapicque", "ParametricLIF", "KLIF", "Synaptic", "Alpha", "AdaptiveLIF", "AdLIF"] as const),
      ...(["QuadraticIF", "ExponentialIF", "AdEx", "Izhikevich", "ConductanceLIF", "ResonateAndFire"] as const),
    ],
    "LIF",
  ),
  links: choice(["forward", "recurrent"], "forward"),
  beta: number(0.9, 0, 1, 0.01),
  threshold: number(0.5, 0.1, 3, 0.1),
  reset: choice(["subtract", "zero", "none"], "subtract"),
  refractory: number(0, 0, 10, 1),
  surrogate: choice(["fastSigmoid", "sigmoid", "atan", "triangular", "boxcar"], "fastSigmoid"),
  slope: number(5, 1, 50, 1),
  readout: choice(["membrane", "rate"], "membrane"),
  optimizer: choice(["adam", "adamw", "sgd", "rmsprop"], "adam"),
  lr: level(0.01, [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]),
  batch: level(32, [8, 16, 32, 64, 128, 256]),
  seed: number(0, 0, 9999, 1),
} as const;

export type TrainConfig = Values<typeof trainFields>;

/** Points in the plane have a map; the others have not. */
export function isPlanar(data: TrainConfig["data"]): boolean {
  return data !== "linear" && data !== "mnist";
}

/** Values that a network sees of a sample. */
export function featuresOf({ data, fields }: TrainConfig): number {
  if (data === "linear") return FEATURES;
  return data === "mnist" ? PIXELS : 2 * fields;
}

/**
 * The most potentials of a sample, time steps times neurons, that the page computes: a batch of 1000 points then needs
 * about 100 MB for each array of them, and linear memory never shrinks.
 */
export const MOST_POTENTIALS = 25_600;

/** The most time steps for such layers. */
export function mostTimesteps(layers: readonly number[]): number {
  const neurons = layers.reduce((sum, size) => sum + size, 0);
  return Math.min(trainFields.timesteps.max, Math.floor(MOST_POTENTIALS / neurons));
}

export const classesOf = ({ data }: TrainConfig): number => (data === "mnist" ? 10 : 2);

/** Values that suit a kind of data, set where it is chosen: the toy of `npm start` with its code and its neurons, digits with a wider layer. */
export const presets: Record<TrainConfig["data"], Partial<TrainConfig>> = {
  moons: {},
  circles: {},
  xor: {},
  spirals: { layers: [32, 24], noise: 0.02 },
  linear: {
    encode: "poisson",
    timesteps: 25,
    layers: [128],
    beta: 0.95,
    threshold: 1,
    reset: "zero",
    surrogate: "sigmoid",
    slope: 10,
    readout: "rate",
    lr: 0.001,
    batch: 128,
  },
  mnist: { encode: "poisson", timesteps: 25, layers: [96], threshold: 1, lr: 0.003, batch: 64 },
};
