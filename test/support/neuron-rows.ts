/**
 * Every neuron of the package, once: its units and loops for the tests that run all neurons, the fuzzers among them. The compiler asks
 * for a row of each class.
 */
import * as snn from "../../snn/index.ts";
import { DIVISOR } from "../../snn/neuron/parts.ts";
import type { Layer, NeuronName } from "./layers.ts";
import { type Loop, over } from "./loops.ts";

type Options<Name extends NeuronName> = NonNullable<ConstructorParameters<(typeof snn)[Name]>[0]>;

export interface NeuronLoop<Name extends NeuronName> {
  readonly options?: Options<Name>;
  readonly loop: Loop;
  /** Currents lie in [−0.3, 0.7] times this, so that between 1 and 90 % of all steps have a spike. */
  readonly scale: number;
}

export interface NeuronRow<Name extends NeuronName> {
  /** Currents [low, high] that make it fire; default −0.5 to 1.5. */
  readonly currents?: readonly [low: number, high: number];
  /** Smaller ones, for differences; default half of them. */
  readonly gentle?: readonly [low: number, high: number];
  /** How far states may start from those at the start; default 0.5. */
  readonly spread?: number;
  /** Currents of random layers lie in ± this; default 3. */
  readonly scale?: number;
  /** Options besides the defaults and presets. */
  readonly variants?: Readonly<Record<string, Options<Name>>>;
  /** Names of presets that the class does not tell. */
  readonly presets?: readonly string[];
  /** Tolerances of gradcheck. */
  readonly check?: { readonly eps?: number; readonly atol?: number; readonly rtol?: number };
  /** Loops in float64 that are written from the paper, by what they run, where no other package has the neuron. */
  readonly loops?: Readonly<Record<string, NeuronLoop<Name>>>;
}

const resets = { late: { resetDelay: true, reset: "subtract", detachReset: false } } as const;

const f = Math.fround;

const resonating = (beta: number, omega: number, isReset: boolean): Loop =>
  over({ x: 0, y: 0 }, (z, I) => {
    const { x = 0, y = 0 } = z;
    z.x = beta * (Math.cos(omega) * x - Math.sin(omega) * y) + I;
    z.y = beta * (Math.sin(omega) * x + Math.cos(omega) * y);
    z.membrane = z.y;
    z.spikes = z.y >= 1 ? 1 : 0;
    if (z.spikes === 1 && isReset) [z.x, z.y] = [0, 1];
  });

/** KLIF with resetValue −0.25, or with a reset by subtraction. */
function klif(given: {
  readonly beta: number;
  readonly k: number;
  readonly rest?: number;
  readonly inputScale?: "leak" | "one";
  readonly reset?: "zero" | "subtract";
  readonly scaleReset?: boolean;
}): NeuronLoop<"KLIF"> {
  const { beta, k, rest = 0, inputScale = "leak", reset = "zero", scaleReset = false } = given;
  const loop = over({ v: rest }, (state, I) => {
    const h = rest + beta * ((state.v as number) - rest) + (inputScale === "leak" ? (1 - beta) * I : I);
    const F = Math.max(0, k * h);
    const s = F >= 1 ? 1 : 0;
    state.membrane = F;
    state.spikes = s;
    const q = scaleReset ? k : 1;
    state.v = reset === "subtract" ? (F - s) / q : s === 1 ? -0.25 : F / q;
  });
  const options = reset === "zero" ? { ...given, resetValue: -0.25 } : given;
  return { options, loop, scale: inputScale === "leak" ? 4 : 2 };
}

const ADLIF = { alpha: f(0.8), beta: f(0.95), a: 0.5, b: f(1.2) };

/** As Bittar and Garner write it, with the reset in the next step: their w and u of a step are made from u and s of the step before. */
const adlif: Loop = (current) => {
  const { alpha, beta, a, b } = ADLIF;
  const loop = over({ u: 0, s: 0, pending: 0 }, (state, I) => {
    const { u = 0, s = 0, pending = 0 } = state;
    const w = beta * pending + a * u + b * s;
    state.u = alpha * (u - s) + (1 - alpha) * (I - w);
    state.s = state.u >= 1 ? 1 : 0;
    state.pending = w;
  });
  const { u = [], s = [], pending = [] } = loop(current);
  return {
    spikes: s,
    membrane: u,
    v: u.map((x, t) => x - (s[t] as number)),
    w: pending.map((w, t) => beta * w + a * (u[t] as number) + b * (s[t] as number)),
  };
};

/** After Baronig et al. */
const symplectic = over({ v: 0, w: 0 }, (state, I) => {
  const { alpha, beta, a, b } = ADLIF;
  const { v = 0, w = 0 } = state;
  const u = alpha * v + (1 - alpha) * (I - w);
  const s = u >= 1 ? 1 : 0;
  state.membrane = u;
  state.spikes = s;
  state.v = u * (1 - s);
  state.w = beta * w + (1 - beta) * (a * state.v + b * s);
});

/** SpikingJelly's node, with v0 and w at 0. */
const izhikevich = over({ v: 0, u: 0 }, (state, I) => {
  const [tau, tauW, vc, vr] = [2, 2, 0.8, -0.1];
  const { v = 0, u = 0 } = state;
  const h = v + (I + (v - vr) * (v - vc) - u) / tau;
  const s = h >= 1 ? 1 : 0;
  state.membrane = h;
  state.spikes = s;
  state.u = u + (0.3 * (h - vr) - u) / tauW + 0.2 * s;
  state.v = s === 1 ? 0 : h;
});

export const NEURON_ROWS: { readonly [Name in NeuronName]: NeuronRow<Name> } = {
  LIF: { currents: [-1, 20], presets: ["snntorch", "norse", "spikingjelly", "nir"], variants: resets },
  IF: { currents: [-1, 20], variants: resets },
  ParametricLIF: {},
  Lapicque: {
    currents: [-1, 10],
    variants: {
      "from beta": { beta: 0.5, learn: ["R", "C", "threshold"] },
      "by Euler": { decay: "euler", R: 2, C: 4, learn: ["R", "C", "timeStep"], reset: "subtract", resetDelay: true },
    },
  },
  Synaptic: { variants: { ...resets, learned: { learn: ["alpha", "beta", "threshold"], refractorySteps: 2 } } },
  SynapticIntegrator: { variants: { learned: { learn: ["alpha", "beta"] } } },
  Alpha: {
    currents: [-1, 4],
    variants: {
      learned: { learn: ["alpha", "beta", "threshold"] },
      subtract: { reset: "subtract", detachReset: false, learn: ["threshold"] },
      "late zero": { reset: "zero", resetDelay: true },
      "late subtract": { reset: "subtract", resetDelay: true, detachReset: false },
    },
  },
  KLIF: {
    loops: {
      "of β ½": klif({ beta: 0.5, k: 1 }),
      "with rest, by subtraction": klif({ beta: 0.75, k: f(1.3), rest: 0.125, inputScale: "one", reset: "subtract" }),
      "scaled, by subtraction": klif({ beta: 0.75, k: f(0.7), inputScale: "one", reset: "subtract", scaleReset: true }),
      scaled: klif({ beta: 0.5, k: f(1.7), inputScale: "one", scaleReset: true }),
    },
  },
  AdaptiveLIF: { currents: [-1, 60], gentle: [-0.5, 1] },
  AdLIF: {
    currents: [-1, 12],
    loops: {
      explicit: { options: ADLIF, loop: adlif, scale: 16 },
      symplectic: { options: { ...ADLIF, form: "symplectic" }, loop: symplectic, scale: 12 },
    },
  },
  ConductanceLIF: { currents: [-20, 40], scale: 40 },
  ExponentialIF: {},
  QuadraticIF: {},
  // In mV and pA: wider differences, which roundings of large values do not hide.
  AdEx: { currents: [0, 30000], gentle: [0, 500], scale: 2000, check: { eps: 1e-3 } },
  Izhikevich: {
    currents: [0, 30],
    scale: 30,
    check: { eps: 1e-3 },
    loops: {
      "numerics: spikingjelly": {
        options: { numerics: "spikingjelly", b: f(0.3), d: f(0.2) },
        loop: izhikevich,
        scale: 3,
      },
    },
  },
  ResonateAndFire: {
    loops: {
      defaults: { loop: resonating(f(0.95), f(0.3), true), scale: 1.5 },
      "without a reset": { options: { beta: 0.5, omega: 1, reset: "none" }, loop: resonating(0.5, 1, false), scale: 3 },
    },
  },
  TsodyksMarkram: { currents: [0, 1], spread: 0.1 },
};

/** The names of all neurons but `LeakyIntegrator`, which has no spikes. */
export const NEURON_NAMES = Object.keys(NEURON_ROWS) as NeuronName[];

const CLASSES: Readonly<Record<string, unknown>> = { ...snn };

/** The class of a neuron, without the types of its own options. */
export const neuronClass = (name: NeuronName) => CLASSES[name] as new (options?: object) => Layer;

interface Bounded {
  readonly form: { readonly constrain?: Readonly<Record<string, readonly [low: number, high: number]>> };
}

/** The neurons whose steps divide by parameters, and these. */
export const DIVISORS = NEURON_NAMES.map((name): readonly [name: NeuronName, parameters: readonly string[]] => {
  const { constrain = {} } = (new (neuronClass(name))() as unknown as Bounded).form;
  return [name, Object.keys(constrain).filter((key) => `${constrain[key]}` === `${DIVISOR}`)];
}).filter(([, parameters]) => parameters.length > 0);
