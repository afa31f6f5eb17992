import {
  constantEncode,
  type Generator,
  LeakyIntegrator,
  LIF,
  Linear,
  lastMembrane,
  Module,
  populationEncode,
  surrogate,
  type Tensor,
  tensor,
} from "jarvis-snn/core";
import { VALUES } from "./environment.ts";

/** The codes of an observation. */
export const CODES = ["current", "population"] as const;

export interface NetworkOptions {
  /** Hidden neurons. */
  hidden: number;
  /** K, the values of the output. */
  outputs: number;
  /** T, time steps for one observation. */
  timesteps: number;
  /** "current": the values are currents of all steps. "population": each value is the spike times of 12 neurons. */
  encode: string;
  /** Draws the weights. */
  generator: Generator;
}

/** Factors that bring metres, radians and their velocities to a common size: a pole that is balanced tilts by few hundredths. */
const SCALES = [1, 1, 10, 1];
/** Neurons of a value in the code "population". */
const FIELDS = 12;

/**
 * Linear, LIF, linear, leaky integrator: the output is the membrane after the last of T steps.
 *
 * An observation of the cart tells its whole state, so the network starts from v = 0 at every decision. Decisions are then samples like
 * any others, and the training can take them in one batch.
 */
export class SpikingNetwork extends Module {
  readonly fc1: Linear;
  readonly lif: LIF;
  readonly fc2: Linear;
  readonly readout: LeakyIntegrator;
  private readonly scales = tensor(SCALES);
  private readonly timesteps: number;
  private readonly encode: string;

  constructor({ hidden, outputs, timesteps, encode, generator }: NetworkOptions) {
    super();
    const isCurrent = encode === "current";
    this.timesteps = timesteps;
    this.encode = encode;
    this.fc1 = new Linear(isCurrent ? VALUES : VALUES * FIELDS, hidden, { generator });
    // The four values are near 0 while the pole stands. Wider biases spread the neurons from silence to a spike in every other step,
    // and a single spike of an input takes wider weights to matter.
    for (const p of this.fc1.parameters()) scale(p, isCurrent ? 2 : 3);
    this.lif = new LIF({ beta: 0.8, reset: "subtract", surrogate: surrogate.fastSigmoid({ slope: 5 }) });
    this.fc2 = new Linear(hidden, outputs, { generator });
    scale(this.fc2.weight, 0.2); // of a policy that has learned nothing, both actions are about as likely
    this.readout = new LeakyIntegrator({ beta: 0.9 });
  }

  /** Outputs [B, K] of observations [B, 4]. */
  forward(observations: Tensor): Tensor {
    return lastMembrane(this.activity(observations).membrane);
  }

  /** Currents [T, B, 4] or spikes [T, B, 48] of the input, spikes [T, B, N] of the hidden neurons, the membrane [T, B, K]. */
  activity(observations: Tensor): { input: Tensor; hidden: Tensor; membrane: Tensor } {
    const input = this.coded(observations.mul(this.scales));
    const hidden = this.lif.forward(this.fc1.forward(input));
    return { input, hidden, membrane: this.readout.forward(this.fc2.forward(hidden)) };
  }

  private coded(values: Tensor): Tensor {
    const { timesteps } = this;
    if (this.encode === "current") return constantEncode(values, { timesteps });
    // The hyperbolic tangent gives small values most of the neurons.
    return populationEncode(values.tanh(), { timesteps, neurons: FIELDS, low: -1, high: 1 }).flatten(2);
  }
}

const scale = (p: Tensor, factor: number): Tensor => p.copyFrom(p.toFloat32Array().map((w) => factor * w));
