/** Networks that remember by their thresholds, and trials for them: shared by the demos of working memory. */
import {
  AdaptiveLIF,
  arange,
  bernoulli,
  type Generator,
  LeakyIntegrator,
  Linear,
  noGrad,
  Recurrent,
  randn,
  Sequential,
  surrogate,
  type Tensor,
  tensor,
} from "jarvis-snn";

/** Length of a step. The papers take steps of 1 ms. */
export const DT_MS = 5;

/** Input neurons of a group. The neurons of a group have the same rate. */
const GROUP = 10;
/** Groups of input neurons: two for values or cues, two for commands or noise. */
const GROUPS = 4;
export const INPUTS = GROUPS * GROUP;
const CLASSES = 2;

/** The class of a step in which no answer is asked for: rows that `crossEntropy` ignores. */
export const NONE = -100;

/** Steps of a time. */
export const stepsOf = (ms: number): number => Math.round(ms / DT_MS);

/** Spike trains and the answers that they ask for. */
export interface Trials {
  /** Spikes [T, B, 40]. */
  readonly x: Tensor;
  /** The class asked for in each step of each trial, [T, B] in row-major order, {@link NONE} where none is. */
  readonly answers: Int32Array;
}

/** Spikes [T, B, 40] of neurons whose groups have these rates in Hz, [T, B, 4]. */
export function spikesOf(ratesHz: Float32Array, batch: number, generator: Generator): Tensor {
  const T = ratesHz.length / (batch * GROUPS);
  return noGrad(() => {
    const p = tensor(ratesHz, { shape: [T, batch, GROUPS, 1] }).mul(DT_MS / 1000);
    return bernoulli(p.expand([T, batch, GROUPS, GROUP]).reshape([T, batch, INPUTS]), { generator });
  });
}

/** Sizes and time constants of an {@link Lsnn}. */
export interface LsnnOptions {
  /** LIF neurons. */
  regular: number;
  /** LIF neurons with adaptive thresholds. */
  adaptive: number;
  /** τ of adaptive thresholds. */
  tauAdaptationMs: number;
  /** κ, by which a spike raises the threshold of an adaptive neuron; θ is 1. */
  kappa: number;
}

/** τ of membranes and of the readout. */
const TAU_MS = 20;
/** γ, which dampens the derivative of a spike on its way back through time. */
const DAMPENING = 0.3;

/** exp(−Δt/τ), with the bits of the tensor's exponential. */
const decayOf = (tauMs: number): number => noGrad(() => tensor(-DT_MS / tauMs).exp()).item();

/**
 * A long short-term memory of spiking neurons (LSNN): inputs, recurrent LIF neurons of which a part has adaptive thresholds, and a leaky
 * integrator for each class.
 *
 *   u[t] = β·v[t−1] + W·x[t] + W_rec·s[t−1]     s[t] = 1 if u[t] ≥ 1 + κ·a[t−1] else 0     v[t] = u[t] − s[t]
 *   a[t] = ρ·a[t−1] + s[t]                      y[t] = β·y[t−1] + W_out·s[t]
 *
 * κ is 0 for regular neurons. Membranes forget within some 20 ms, thresholds within seconds: a neuron that has fired is less excitable for
 * seconds, and the response to a recall depends on that. The derivative of a spike is 0.3·max(0, 1 − |u − θ|).
 *
 * Shapes: spikes [T, B, 40] → y [T, B, 2].
 *
 * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
 */
export class Lsnn extends Sequential {
  constructor({ regular, adaptive, tauAdaptationMs, kappa }: LsnnOptions) {
    const n = regular + adaptive;
    const beta = decayOf(TAU_MS);
    const input = new Linear(INPUTS, n, { bias: false });
    const kappas = noGrad(() => arange(0, n).ge(regular).mul(kappa));
    const shape = { beta, rho: decayOf(tauAdaptationMs), kappa: kappas };
    const neurons = new AdaptiveLIF({ ...shape, surrogate: surrogate.scaled(surrogate.triangular(), DAMPENING) });
    const recurrent = new Recurrent(neurons, { features: n, bias: false });
    startNormal(input);
    startNormal(recurrent.recurrent as Linear);
    super(input, recurrent, new Linear(n, CLASSES, { bias: false }), new LeakyIntegrator({ beta }));
  }

  /** The spikes [T, B, N] and the thresholds 1 + κ·a [T, B, N] of the recurrent neurons, and the readout [T, B, 2]. */
  activity(x: Tensor): Activity {
    const [input, recurrent, linear, readout] = this.modules as unknown as Layers;
    const { spikes, a } = recurrent.unroll(input.forward(x));
    return {
      spikes,
      output: readout.forward(linear.forward(spikes)),
      thresholds: () => a.mul((recurrent.neuron as Neurons).kappa).add(1),
    };
  }
}

type Neurons = InstanceType<typeof AdaptiveLIF>;
type Layers = [
  Linear,
  Recurrent<ReturnType<Neurons["initialState"]>, ReturnType<Neurons["unroll"]>>,
  Linear,
  LeakyIntegrator,
];

/** The activity of a network. */
export interface Activity {
  readonly spikes: Tensor;
  readonly output: Tensor;
  readonly thresholds: () => Tensor;
}

/** Normal weights of variance 1/in. */
function startNormal({ weight, inFeatures, outFeatures }: Linear): void {
  weight.copyFrom(noGrad(() => randn([outFeatures, inFeatures]).mul(1 / Math.sqrt(inFeatures))));
}
