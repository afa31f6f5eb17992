/** Neurons besides LIF and connections within a layer, which a page loads when they are chosen. */
import {
  AdaptiveLIF,
  AdEx,
  AdLIF,
  Alpha,
  ConductanceLIF,
  ExponentialIF,
  IF,
  Izhikevich,
  KLIF,
  Lapicque,
  type Linear,
  ParametricLIF,
  QuadraticIF,
  Recurrent,
  ResonateAndFire,
  Synaptic,
} from "jarvis-snn";
import type { Cells } from "./cell-traits.ts";
import { type CellsOf, forwardLIF, type Neurons, surrogateOf } from "./network.ts";
import type { TrainConfig } from "./train-fields.ts";

/** Layers of any kind of neuron. The connections within a layer have no biases, as those between layers. */
export const anyCells: CellsOf = (config, size) => {
  const [neurons, gain] = KINDS[config.cells](config);
  if (config.links === "forward") return { neurons, gain, within: null };
  const layer = new Recurrent(neurons, { features: size, bias: false });
  return { neurons: layer, gain, within: (layer.recurrent as Linear).weight };
};

/** The neurons, and the factor of their current, by which a weight raises a potential about as much as in LIF. */
type Kind = (config: TrainConfig) => readonly [Neurons, number];

/** Options of every class. */
const common = (config: TrainConfig) => ({
  refractorySteps: config.refractory,
  surrogate: surrogateOf(config),
});

const firing = (config: TrainConfig) => ({ ...common(config), threshold: config.threshold });

const resetting = (config: TrainConfig) => ({ ...firing(config), reset: config.reset });

/**
 * A membrane in units of an upstroke, v = −65 mV + 95 mV·y: 0 is the potential after a spike of Izhikevich's cell, 1 its 30 mV. With w for
 * (u + 13)/95 mV its equation is y′ = 3.8·y² − 0.2·y − 0.0316 − w, w′ = 0.02·(0.2·y − w), and a spike adds 8/95 to w. It rests at −0.0526.
 */
const REGULAR_SPIKING = { ...{ square: 3.8, linear: -0.2, bias: -0.0316, c: 0, d: 8 / 95 }, v0: -0.0526, threshold: 1 };

/** Brette and Gerstner's equation in units of the upstroke, with a time constant of 5 steps. */
const EXPONENTIAL = {
  ...{ C: 1, gL: 1, EL: 0, VT: 0.8, deltaT: 0.1, resetValue: 0, threshold: 1, dt: 0.2 },
  ...{ a: 0.2, b: 0.1, tauW: 10 },
};

const KINDS: Record<Cells, Kind> = {
  LIF: (config) => [forwardLIF(config), 1],
  IF: (config) => [new IF(resetting(config)), 1],
  // RC is 10 steps.
  Lapicque: (config) => [new Lapicque({ ...resetting(config), R: 10, C: 1 }), 1],
  ParametricLIF: (config) => [new ParametricLIF({ ...resetting(config), inputScale: "one" }), 1],
  KLIF: (config) => {
    const { beta } = config;
    return [new KLIF({ ...resetting(config), beta, inputScale: "one", scaleReset: true, learn: ["k"] }), 1];
  },
  Synaptic: (config) => [new Synaptic({ ...resetting(config), beta: config.beta, alpha: 0.8 }), 1],
  Alpha: (config) => [new Alpha(resetting(config)), 1],
  AdaptiveLIF: (config) => {
    const { beta, threshold } = config;
    return [new AdaptiveLIF({ ...resetting(config), beta, kappa: threshold / 2 }), 1];
  },
  // The equation has a factor of 1 − α = 0.1.
  AdLIF: (config) => [new AdLIF({ ...firing(config), alpha: 0.9 }), 10],
  // The time constant is 2 steps here, and in the next one.
  QuadraticIF: (config) => {
    const { threshold } = config;
    return [new QuadraticIF({ ...firing(config), a: 1 / threshold, critical: threshold / 2, resetValue: 0 }), 2];
  },
  ExponentialIF: (config) => {
    const { threshold } = config;
    const upstroke = { sharpness: threshold / 10, rheobase: 0.8 * threshold, resetValue: 0 };
    return [new ExponentialIF({ ...firing(config), ...upstroke }), 2];
  },
  AdEx: (config) => [new AdEx({ ...common(config), ...EXPONENTIAL }), 5],
  // A step is half a millisecond.
  Izhikevich: (config) => [new Izhikevich({ ...common(config), ...REGULAR_SPIKING }), 2],
  ConductanceLIF: (config) => {
    const { threshold, reset } = config;
    const channels = { alphaE: 0.5, alphaI: 0.5, reversalE: 8 * threshold, reversalI: -2 * threshold };
    const membrane = { capacitance: 10, rest: 0, ...(reset === "zero" ? { resetValue: 0 } : {}) };
    return [new ConductanceLIF({ ...resetting(config), ...channels, ...membrane }), 2.5];
  },
  ResonateAndFire: (config) => {
    const { beta, threshold } = config;
    return [new ResonateAndFire({ ...firing(config), beta, omega: 0.5, resetValue: threshold }), 2];
  },
};
