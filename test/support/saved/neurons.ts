/** All neurons: plain, with all that they can learn, and with the options of other packages, as commit 3c77a22 has them. */
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
  LeakyIntegrator,
  LIF,
  neuron,
  ParametricLIF,
  QuadraticIF,
  RecurrentLIF,
  ResonateAndFire,
  SpikingLSTM,
  Synaptic,
  SynapticIntegrator,
  surrogate,
  TsodyksMarkram,
} from "jarvis-snn";
import { SpikingReLU } from "jarvis-snn/quantize";
import { type Cases, each, FEATURES, fed, NEURONS } from "./cases.ts";

/** Surrogates with a gradient far from the threshold, for neurons in mV. */
const wide = () => surrogate.fastSigmoid({ slope: 0.1 });
/** Currents that let neurons in mV fire. */
const [ADEX, CONDUCTANCE, IZHIKEVICH] = [3e5, 6, 80];

/** A neuron as a user defines it: a spike sets v to a parameter, from which v also starts. */
const Own = neuron({
  name: "Own",
  state: { v: ({ level }) => level.mul(0.5), trace: 0.25 },
  parameters: { beta: 0.9, level: -0.2, threshold: 0.6 },
  constrain: { beta: [0, 1] },
  step({ current, v, trace, beta, level, threshold, spike, select }) {
    const u = v.sub(level).mul(beta).add(level).add(current);
    const s = spike(u.sub(threshold).sub(trace.mul(0.5)));
    return { spikes: s, membrane: u, v: select(s, level, u), trace: trace.mul(0.5).add(s) };
  },
});

export const PLAIN: Cases = {
  LIF: fed(() => new LIF()),
  "LIF subtract": fed(() => new LIF({ beta: 0.8, threshold: 0.7, reset: "subtract", detachReset: false })),
  "LIF none": fed(() => new LIF({ tau: 4, reset: "none", surrogate: surrogate.atan() })),
  "LIF late": fed(() => new LIF({ resetDelay: true, resetInput: true, fire: "gt", surrogate: surrogate.triangular() })),
  "LIF of each neuron": fed(() => new LIF({ beta: each(0.5, 0.1), threshold: each(0.4, 0.1) })),
  "LIF to a value": fed(() => new LIF({ rest: 0.1, resetValue: -0.2, inputScale: "leak", lowerBound: -0.1 }), 9),
  "LIF of numbers of each neuron": fed(
    () => new LIF({ rest: each(0, 0.1), resetValue: each(-0.3, 0.1), inputScale: each(0.8, 0.1) }),
  ),
  "LIF refractory": fed(() => new LIF({ refractorySteps: 2, threshold: 0.6 })),
  "LIF refractory with a leak": fed(() => new LIF({ refractorySteps: 2, refractory: "leak", reset: "subtract" })),
  "LIF graded": fed(() => new LIF({ gradedSpikesFactor: 0.7 })),
  "LIF winner takes all": fed(() => new LIF({ inhibition: true, threshold: 0.6 })),
  "LIF smooth": fed(() => new LIF({ spiking: false, reset: "subtract" })),
  LeakyIntegrator: fed(() => new LeakyIntegrator()),
  "LeakyIntegrator of each neuron": fed(
    () => new LeakyIntegrator({ beta: each(0.5, 0.1), rest: 0.2, inputScale: 0.5 }),
  ),
  Lapicque: fed(() => new Lapicque({ R: 2, C: 3 }), 2),
  "Lapicque of a decay": fed(() => new Lapicque({ beta: 0.7, decay: "euler" }), 4),
  IF: fed(() => new IF()),
  ParametricLIF: fed(() => new ParametricLIF(), 3),
  KLIF: fed(() => new KLIF(), 3),
  QuadraticIF: fed(() => new QuadraticIF(), 2),
  ExponentialIF: fed(() => new ExponentialIF(), 2),
  AdaptiveLIF: fed(() => new AdaptiveLIF({ kappa: 0.3 })),
  "AdaptiveLIF refractory": fed(() => new AdaptiveLIF({ kappa: 0.3, refractorySteps: 1, reset: "zero" })),
  AdLIF: fed(() => new AdLIF(), 9),
  AdEx: fed(() => new AdEx({ surrogate: wide() }), ADEX),
  Alpha: fed(() => new Alpha(), 2),
  ConductanceLIF: fed(() => new ConductanceLIF({ surrogate: wide() }), CONDUCTANCE),
  Izhikevich: fed(() => new Izhikevich({ surrogate: wide() }), IZHIKEVICH),
  ResonateAndFire: fed(() => new ResonateAndFire(), 2),
  Synaptic: fed(() => new Synaptic()),
  SynapticIntegrator: fed(() => new SynapticIntegrator()),
  TsodyksMarkram: fed(() => new TsodyksMarkram()),
  SpikingReLU: fed(() => new SpikingReLU()),
  Own: fed(() => new Own()),
};

/** All that each neuron can learn, as numbers of the layer or of each neuron. */
export const LEARNED: Cases = {
  "LIF beta and threshold": fed(() => new LIF({ learnBeta: true, learnThreshold: true })),
  "LIF of each neuron": fed(
    () => new LIF({ beta: each(0.5, 0.1), threshold: each(0.4, 0.1), learnBeta: true, learnThreshold: true }),
  ),
  LIF: fed(
    () =>
      new LIF({
        threshold: 0.6,
        rest: 0.1,
        inputScale: 1.1,
        resetValue: each(0.1, 0.05),
        lowerBound: 0.15,
        gradedSpikesFactor: 0.9,
        learnBeta: true,
        learnThreshold: true,
        learn: ["rest", "inputScale", "resetValue", "lowerBound", "gradedSpikesFactor"],
        constrain: { threshold: [0.2, 0.9] },
      }),
  ),
  "LIF refractory": fed(() => new LIF({ refractorySteps: 1, learnBeta: true, learnThreshold: true })),
  LeakyIntegrator: fed(() => new LeakyIntegrator({ learnBeta: true, learn: ["rest", "inputScale"] })),
  Lapicque: fed(() => new Lapicque({ R: 2, C: 3, learn: ["R", "C", "timeStep", "threshold", "resetValue"] })),
  IF: fed(() => new IF({ learn: ["threshold", "resetValue", "gradedSpikesFactor"], gradedSpikesFactor: 1 })),
  ParametricLIF: fed(
    () => new ParametricLIF({ w: each(-0.5, 0.2), learn: ["w", "threshold", "rest", "resetValue"] }),
    3,
  ),
  KLIF: fed(() => new KLIF({ scaleReset: true, learn: ["beta", "k", "threshold", "rest", "resetValue"] }), 3),
  QuadraticIF: fed(() => new QuadraticIF({ learn: ["tau", "a", "rest", "critical", "threshold", "resetValue"] }), 2),
  ExponentialIF: fed(
    () =>
      new ExponentialIF({
        synapse: "decayFirst",
        learn: ["tau", "sharpness", "rheobase", "rest", "threshold", "resetValue", "alpha"],
      }),
  ),
  AdaptiveLIF: fed(
    () =>
      new AdaptiveLIF({
        kappa: 0.3,
        reset: "zero",
        synapse: "jumpFirst",
        learn: ["beta", "rho", "threshold", "kappa", "rest", "resetValue", "alpha"],
      }),
    0.7,
  ),
  AdLIF: fed(() => new AdLIF({ form: "symplectic", learn: ["alpha", "beta", "a", "b", "threshold", "resetValue"] }), 9),
  AdEx: fed(
    () =>
      new AdEx({
        synapse: "decayFirst",
        dt: 0.5,
        surrogate: wide(),
        learn: ["alpha", "C", "gL", "EL", "VT", "deltaT", "a", "tauW", "b", "resetValue", "threshold", "dt"],
      }),
    ADEX / 3,
  ),
  Alpha: fed(
    () => new Alpha({ learn: ["alpha", "beta", "threshold"], constrain: { alpha: [0.85, 0.95], beta: [0.7, 0.83] } }),
    2,
  ),
  ConductanceLIF: fed(
    () =>
      new ConductanceLIF({
        surrogate: wide(),
        learn: ["capacitance", "leak", "alphaE", "alphaI", "reversalE", "reversalI", "rest", "threshold", "resetValue"],
      }),
    CONDUCTANCE,
  ),
  Izhikevich: fed(
    () =>
      new Izhikevich({
        surrogate: wide(),
        learn: [
          ...(["a", "b", "c", "d", "dt", "threshold", "square", "linear"] as const),
          ...(["bias", "recoveryRest", "recoveryLeak", "v0"] as const),
        ],
      }),
    IZHIKEVICH,
  ),
  ResonateAndFire: fed(() => new ResonateAndFire({ learn: ["beta", "omega", "threshold", "resetValue"] }), 2),
  Synaptic: fed(() => new Synaptic({ learn: ["alpha", "beta", "threshold", "rest", "resetValue"] })),
  SynapticIntegrator: fed(() => new SynapticIntegrator({ inputScale: "leak", learn: ["alpha", "beta", "rest"] })),
  TsodyksMarkram: fed(() => new TsodyksMarkram({ phi: 0.4, rho: 0.8, learn: ["U", "phi", "rho"] })),
  SpikingReLU: fed(() => new SpikingReLU({ learn: ["threshold", "initial"] })),
  Own: fed(() => new Own({ level: each(-0.3, 0.1), learn: ["beta", "level", "threshold"] })),
};

/** The options of other packages. KLIF of SpikingJelly learns k since then: `learn` names nothing, as it was. */
export const PRESETS: Cases = {
  "LIF snntorch": fed(() => new LIF({ numerics: "snntorch" })),
  "LIF norse": fed(() => new LIF({ numerics: "norse" }), 9),
  "LIF spikingjelly": fed(() => new LIF({ numerics: "spikingjelly" }), 3),
  "LIF nir": fed(() => new LIF({ numerics: "nir", tau: 3 }), 4),
  "LIF bindsnet": fed(() => new LIF({ numerics: "bindsnet", surrogate: wide() }), 14),
  "LeakyIntegrator norse": fed(() => new LeakyIntegrator({ numerics: "norse" })),
  "LeakyIntegrator spikingjelly": fed(() => new LeakyIntegrator({ numerics: "spikingjelly" })),
  "LeakyIntegrator nir": fed(() => new LeakyIntegrator({ numerics: "nir", tau: 3 })),
  "Lapicque snntorch": fed(() => new Lapicque({ numerics: "snntorch" }), 9),
  "IF norse": fed(() => new IF({ numerics: "norse" })),
  "IF spikingjelly": fed(() => new IF({ numerics: "spikingjelly" })),
  "IF nir": fed(() => new IF({ numerics: "nir" })),
  "IF snntorch": fed(() => new IF({ numerics: "snntorch" })),
  "IF bindsnet": fed(() => new IF({ numerics: "bindsnet", surrogate: wide() }), 14),
  "ParametricLIF spikingjelly": fed(() => new ParametricLIF({ numerics: "spikingjelly" }), 3),
  "KLIF spikingjelly": fed(() => new KLIF({ numerics: "spikingjelly", learn: [] }), 3),
  "QuadraticIF spikingjelly": fed(() => new QuadraticIF({ numerics: "spikingjelly" }), 2),
  "ExponentialIF norse": fed(() => new ExponentialIF({ numerics: "norse" }), 4),
  "ExponentialIF spikingjelly": fed(() => new ExponentialIF({ numerics: "spikingjelly" }), 2),
  "AdaptiveLIF norse": fed(() => new AdaptiveLIF({ numerics: "norse" }), 9),
  "AdaptiveLIF bindsnet": fed(() => new AdaptiveLIF({ numerics: "bindsnet", surrogate: wide() }), 14),
  "AdEx norse": fed(() => new AdEx({ numerics: "norse", surrogate: wide() }), 9),
  "Alpha snntorch": fed(() => new Alpha({ numerics: "snntorch" }), 2),
  "ConductanceLIF norse": fed(() => new ConductanceLIF({ numerics: "norse", surrogate: wide() }), 14),
  "Izhikevich norse": fed(() => new Izhikevich({ numerics: "norse", surrogate: wide() }), 2 * IZHIKEVICH),
  "Izhikevich spikingjelly": fed(() => new Izhikevich({ numerics: "spikingjelly" }), 2),
  "Synaptic snntorch": fed(() => new Synaptic({ numerics: "snntorch" })),
  "Synaptic norse": fed(() => new Synaptic({ numerics: "norse" }), 6),
  "Synaptic spikingjelly": fed(() => new Synaptic({ numerics: "spikingjelly" })),
  "Synaptic nir": fed(() => new Synaptic({ numerics: "nir" }), 6),
  "Synaptic bindsnet": fed(() => new Synaptic({ numerics: "bindsnet", surrogate: wide() }), 14),
  "SynapticIntegrator norse": fed(() => new SynapticIntegrator({ numerics: "norse" })),
  "SynapticIntegrator nir": fed(() => new SynapticIntegrator({ numerics: "nir" })),
  "TsodyksMarkram norse": fed(() => new TsodyksMarkram({ numerics: "norse" })),
  "RecurrentLIF snntorch": fed((generator) => new RecurrentLIF({ features: NEURONS, numerics: "snntorch", generator })),
  "SpikingLSTM snntorch": (generator) =>
    new SpikingLSTM(FEATURES, 3, { numerics: "snntorch", threshold: 0.1, generator }),
};
