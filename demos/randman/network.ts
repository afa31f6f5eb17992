import { LeakyIntegrator, LIF, Linear, Module, maxMembrane, surrogate, type Tensor, ttfsEncode } from "jarvis-snn";

export interface RandmanNetworkOptions {
  inputs: number;
  hidden: number;
  classes: number;
}

/** Length of a step. */
export const STEP_MS = 1;
const TIMESTEPS = 100;
/** The last step with an input spike: coordinates are spread over the first half. */
const LAST_SPIKE = 49;

/**
 * Linear, LIF, linear, leaky integrator: the class is that of the integrator that rises highest. Each input neuron spikes once, so
 * nothing but times tells the manifolds apart.
 */
export class RandmanNetwork extends Module {
  readonly fc1: Linear;
  readonly lif: LIF;
  readonly fc2: Linear;
  readonly readout: LeakyIntegrator;

  constructor({ inputs, hidden, classes }: RandmanNetworkOptions) {
    super();
    this.fc1 = new Linear(inputs, hidden);
    // A neuron gets a single spike of each input. Weights up to 1/√inputs would hardly take it to its threshold.
    this.fc1.weight.copyFrom(this.fc1.weight.toFloat32Array().map((w) => 3 * w));
    this.lif = new LIF({ beta: 0.95, surrogate: surrogate.fastSigmoid({ slope: 10 }) });
    this.fc2 = new Linear(hidden, classes);
    this.readout = new LeakyIntegrator({ beta: 0.95 });
  }

  /** Logits [B, K] of points [B, M] in [0, 1]. */
  forward(x: Tensor): Tensor {
    // A class whose membrane never rises is at its maximum, 0, in all silent steps. The first of them has no spikes to learn from.
    return maxMembrane(this.activity(x).membrane, { ties: "share" });
  }

  /** Spikes [100, B, N] of the inputs and of the hidden neurons, and the membrane [100, B, K] of the integrators. */
  activity(x: Tensor): { input: Tensor; hidden: Tensor; membrane: Tensor } {
    const input = spikeTimes(x);
    const hidden = this.lif.forward(this.fc1.forward(input));
    return { input, hidden, membrane: this.readout.forward(this.fc2.forward(hidden)) };
  }
}

/** Spikes [100, B, M]: neuron i fires once, at step round(49·x_i). */
export function spikeTimes(x: Tensor): Tensor {
  const early = x.mul(-LAST_SPIKE / (TIMESTEPS - 1)).add(1);
  return ttfsEncode(early, { timesteps: TIMESTEPS });
}
