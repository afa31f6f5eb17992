/** One neuron under a current, for the Neuron room. A step is a millisecond. */
import { Generator, LIF, type LIFState, noGrad, randn, stack, type Tensor, tensor, zeros } from "jarvis-snn";
import { choice, number, type Values } from "../state/fields.ts";

/** Milliseconds that are shown. */
export const DURATION = 200;

export const neuronFields = {
  input: choice(["constant", "step", "noise", "pulses"], "constant"),
  current: number(1.5, 0, 5, 0.05),
  from: number(40, 0, 180, 5),
  to: number(140, 20, 200, 5),
  noise: number(1.5, 0, 5, 0.1),
  seed: number(0, 0, 9999, 1),
  lift: number(0.4, 0.05, 2, 0.05),
  pulses: {
    kind: "list",
    default: [20, 30, 40, 50, 90, 94, 98, 102, 150],
    min: 0,
    max: DURATION - 1,
    least: 0,
    most: 60,
  },
  tau: number(20, 1, 100, 1),
  threshold: number(1, 0.2, 3, 0.05),
  reset: choice(["zero", "subtract", "none"], "zero"),
  refractory: number(2, 0, 30, 1),
  adaptation: number(0, 0, 1, 0.02),
  tauAdaptation: number(100, 10, 400, 10),
} as const;

export type NeuronConfig = Values<typeof neuronFields>;

/** What N neurons did in T steps, each [T, N]. */
export interface Response {
  readonly spikes: Float32Array;
  /** u, before the reset. */
  readonly membrane: Float32Array;
  /** What adaptation takes off the current. */
  readonly adaptation: Float32Array;
}

/** The neuron; a constant current I drives its potential towards I, so currents are in units of the threshold's. */
function makeNeuron({ tau, threshold, reset, refractory }: NeuronConfig): LIF {
  return new LIF({ tau, dt: 1, inputScale: filling(tau), threshold, reset, refractorySteps: refractory });
}

/** 1 − β: the share of the way to its limit that a potential goes in a step. */
function filling(tau: number): number {
  return noGrad(
    () =>
      1 -
      tensor(-1 / tau)
        .exp()
        .item(),
  );
}

/** Runs neurons under currents [T, N]. */
export function respond(config: NeuronConfig, currents: Float32Array, neurons: number): Response {
  return noGrad(() => {
    const lif = makeNeuron(config);
    const current = tensor(currents, { shape: [currents.length / neurons, neurons] });
    try {
      if (config.adaptation > 0) return adapting(config, lif, current);
      const { spikes, membrane } = lif.unroll(current);
      return {
        spikes: spikes.toFloat32Array(),
        membrane: membrane.toFloat32Array(),
        adaptation: new Float32Array(currents.length),
      };
    } finally {
      lif.beta.dispose();
      lif.threshold.dispose();
    }
  });
}

/** Each spike adds b to a current a that is taken off the input and fades with its own time constant: step by step. */
function adapting({ adaptation: b, tauAdaptation }: NeuronConfig, lif: LIF, current: Tensor): Response {
  const N = current.shape[1] as number;
  const fade = tensor(-1 / tauAdaptation).exp();
  let state: LIFState = lif.initialState([N]);
  let a = zeros([N]);
  const rows: { spikes: Tensor; membrane: Tensor; a: Tensor }[] = [];
  for (const input of current.unbind(0)) {
    const record = lif.unroll(input.sub(a).unsqueeze(0), state);
    const spikes = record.spikes.select(0, 0);
    rows.push({ spikes, membrane: record.membrane.select(0, 0), a });
    a = a.mul(fade).add(spikes.mul(b));
    state = record.state;
  }
  const over = (key: "spikes" | "membrane" | "a"): Float32Array => stack(rows.map((row) => row[key])).toFloat32Array();
  return { spikes: over("spikes"), membrane: over("membrane"), adaptation: over("a") };
}

/** The current of each millisecond. */
export function currentOf(config: NeuronConfig): Float32Array {
  const { input, current, from, to, noise, seed, lift, pulses, tau } = config;
  if (input === "constant") return new Float32Array(DURATION).fill(current);
  if (input === "step") return Float32Array.from({ length: DURATION }, (_, t) => (t >= from && t < to ? current : 0));
  if (input === "noise") {
    return noGrad(() =>
      randn([DURATION], { generator: new Generator(seed) })
        .mul(noise)
        .add(current)
        .toFloat32Array(),
    );
  }
  // A pulse of one step that lifts the potential by `lift`.
  const height = noGrad(
    () =>
      lift /
      (1 -
        tensor(-1 / tau)
          .exp()
          .item()),
  );
  const times = new Set(pulses);
  return Float32Array.from({ length: DURATION }, (_, t) => (times.has(t) ? height : 0));
}

/** Currents of the f–I curve, and how long each is applied. */
const CURVE_CURRENTS = 41;
const CURVE_MOST = 5;
const CURVE_MS = 500;

/** Spikes a second for constant currents from 0 on. */
export function rateCurve(config: NeuronConfig): { currents: Float32Array; rates: Float32Array } {
  const currents = Float32Array.from({ length: CURVE_CURRENTS }, (_, i) => (CURVE_MOST * i) / (CURVE_CURRENTS - 1));
  const all = new Float32Array(CURVE_MS * CURVE_CURRENTS);
  for (let t = 0; t < CURVE_MS; t++) all.set(currents, t * CURVE_CURRENTS);
  const { spikes } = respond(config, all, CURVE_CURRENTS);
  const rates = new Float32Array(CURVE_CURRENTS);
  for (const [i, spike] of spikes.entries()) rates[i % CURVE_CURRENTS] = (rates[i % CURVE_CURRENTS] as number) + spike;
  return { currents, rates: rates.map((count) => (1000 * count) / CURVE_MS) };
}
