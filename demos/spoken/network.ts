/** A recurrent network of adaptive neurons that names a spoken word. */
import {
  AdaptiveLIF,
  LeakyIntegrator,
  Linear,
  Module,
  meanOverTime,
  noGrad,
  Recurrent,
  rand,
  surrogate,
  type Tensor,
  tensor,
} from "jarvis-snn";

export interface SpokenNetworkOptions {
  /** C, the number of inputs in a time step, over all axes behind time and batch. */
  inputs: number;
  /** N, the neurons of the recurrent layer. */
  hidden: number;
  classes: number;
  /** Δt, the length of a time step. */
  binMs: number;
}

/** Time constants at the start of the training. Each neuron draws its constants of membrane and threshold, and learns them from there. */
const MEMBRANE_MS = [10, 50] as const;
const ADAPTATION_MS = [50, 300] as const;
const READOUT_MS = 50;

/** κ: a spike raises the threshold, 1 at rest, by κ. */
const KAPPA = 0.3;

/**
 * Linear, recurrent adaptive LIF neurons, linear, leaky integrators. The class is the integrator whose membrane has the largest mean.
 *
 *   u[t] = β·v[t−1] + W·x[t] + W_rec·s[t−1] + b     s[t] = 1 if u[t] ≥ 1 + κ·a[t−1] else 0     v[t] = u[t] − s[t]     a[t] = ρ·a[t−1] + s[t]
 *   y[t] = β_out·y[t−1] + W_out·s[t] + b_out        logits = Σ_t y[t] / T
 *
 * β = exp(−Δt/τ) and ρ = exp(−Δt/τₐ), of each neuron, from time constants of 10 … 50 ms and 50 … 300 ms at the start. Shapes: spikes
 * [T, B, …] with C values a step → logits [B, K].
 *
 * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
 */
export class SpokenNetwork extends Module {
  readonly fc1: Linear;
  readonly recurrent: ReturnType<typeof adaptive>;
  readonly fc2: Linear;
  readonly readout: LeakyIntegrator;

  constructor({ inputs, hidden, classes, binMs }: SpokenNetworkOptions) {
    super();
    this.fc1 = new Linear(inputs, hidden);
    this.recurrent = adaptive(hidden, binMs);
    this.fc2 = new Linear(hidden, classes);
    this.readout = new LeakyIntegrator({ beta: decays(READOUT_MS, READOUT_MS, 1, binMs).item() });
  }

  forward(x: Tensor): Tensor {
    return meanOverTime(this.activity(x).membrane);
  }

  /** The spikes [T, B, N] of the recurrent neurons, and the membranes [T, B, K] of the integrators. */
  activity(x: Tensor): { hidden: Tensor; membrane: Tensor } {
    const [T, B] = x.shape as [number, number];
    const hidden = this.recurrent.forward(this.fc1.forward(x.reshape([T, B, this.fc1.inFeatures])));
    return { hidden, membrane: this.readout.forward(this.fc2.forward(hidden)) };
  }
}

function adaptive(features: number, binMs: number) {
  const neurons = new AdaptiveLIF({
    beta: decays(...MEMBRANE_MS, features, binMs),
    rho: decays(...ADAPTATION_MS, features, binMs),
    kappa: KAPPA,
    learn: ["beta", "rho"],
    surrogate: surrogate.fastSigmoid({ slope: 10 }),
  });
  return new Recurrent(neurons, { features });
}

/** exp(−Δt/τ) for n time constants τ, drawn uniformly. */
const decays = (low: number, high: number, n: number, binMs: number): Tensor =>
  noGrad(() =>
    tensor(-binMs)
      .div(
        rand([n])
          .mul(high - low)
          .add(low),
      )
      .exp(),
  );
