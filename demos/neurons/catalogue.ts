/** The neurons of the package, each with a current that shows what it does. */
import {
  AdaptiveLIF,
  AdEx,
  AdLIF,
  Alpha,
  adExPattern,
  ConductanceLIF,
  ExponentialIF,
  IF,
  Izhikevich,
  izhikevichPattern,
  KLIF,
  Lapicque,
  LIF,
  type Module,
  ParametricLIF,
  QuadraticIF,
  ResonateAndFire,
  Synaptic,
  type Tensor,
} from "jarvis-snn";

/** A layer of neurons, of which the demo reads the membrane. */
type Neurons = Module & { unroll(current: Tensor): { readonly spikes: Tensor; readonly membrane: Tensor } };

export interface Specimen {
  make(): Neurons;
  /** The current of the step, and the largest one of the f–I curve. */
  readonly step: number;
  readonly most: number;
  /** Length of a step in ms, where a neuron has units. */
  readonly dtMs?: number;
  /** Time steps of the response. */
  readonly timesteps?: number;
  /** The largest membrane that is drawn: the upstroke of a spike goes on beyond the threshold. */
  readonly peak?: number;
}

/** By the names of their classes; variants have a word behind it. */
export const SPECIMENS: Readonly<Record<string, Specimen>> = {
  IF: { make: () => new IF(), step: 0.07, most: 0.3 },
  LIF: { make: () => new LIF({ beta: 0.95 }), step: 0.08, most: 0.5 },
  "LIF, reset by subtraction": { make: () => new LIF({ beta: 0.95, reset: "subtract" }), step: 0.08, most: 0.5 },
  "LIF, 5 refractory steps": { make: () => new LIF({ beta: 0.95, refractorySteps: 5 }), step: 0.12, most: 0.5 },
  Lapicque: { make: () => new Lapicque({ R: 5, C: 4 }), step: 0.3, most: 2 },
  ParametricLIF: { make: () => new ParametricLIF({ w: -2 }), step: 1.3, most: 6 },
  KLIF: { make: () => new KLIF({ beta: 0.9, k: 1.5 }), step: 0.8, most: 4 },
  Synaptic: { make: () => new Synaptic({ alpha: 0.8, beta: 0.9 }), step: 0.03, most: 0.2 },
  Alpha: { make: () => new Alpha({ alpha: 0.9, beta: 0.8, threshold: 0.25 }), step: 0.05, most: 1 },
  AdaptiveLIF: { make: () => new AdaptiveLIF({ beta: 0.95, rho: 0.97, kappa: 0.5 }), step: 0.15, most: 0.6 },
  AdLIF: { make: () => new AdLIF({ a: 0.1, b: 0.6 }), step: 3, most: 12 },
  "AdLIF, symplectic": { make: () => new AdLIF({ form: "symplectic", a: 1, b: 8 }), step: 2.5, most: 12 },
  ConductanceLIF: { make: () => new ConductanceLIF(), step: 0.06, most: 0.4 },
  QuadraticIF: { make: () => new QuadraticIF({ tau: 10 }), step: 0.5, most: 4 },
  ExponentialIF: { make: () => new ExponentialIF({ tau: 10, sharpness: 0.1 }), step: 1, most: 4 },
  "AdEx, adaptation": adEx("adaptation"),
  "AdEx, regular bursting": adEx("regularBursting"),
  "Izhikevich, tonic spiking": izhikevich("tonicSpiking", 14, 40),
  "Izhikevich, tonic bursting": izhikevich("tonicBursting", 15, 40),
  ResonateAndFire: { make: () => new ResonateAndFire({ omega: 0.25, beta: 0.98 }), step: 0.25, most: 1.5 },
};

function adEx(name: Parameters<typeof adExPattern>[0]): Specimen {
  const { options, current } = adExPattern(name, { duration: 1 });
  const [step] = current.toFloat32Array();
  current.dispose();
  return { make: () => new AdEx(options), step: step as number, most: 1000, dtMs: 0.1, timesteps: 4000, peak: 0 };
}

function izhikevich(name: Parameters<typeof izhikevichPattern>[0], step: number, most: number): Specimen {
  const { options, current, state } = izhikevichPattern(name);
  for (const t of [current, state.v, state.u]) t.dispose();
  return { make: () => new Izhikevich(options), step, most, dtMs: options.dt, timesteps: 800, peak: 30 };
}
