/** A recurrent network of fixed weights, whose spikes alone keep what its input has left. The demos `ring` and `associative` use it. */
import { type Generator, type Linear, noGrad, Recurrent, rand, randn, Synaptic, type Tensor, tensor } from "jarvis-snn";

/** Options of an {@link Attractor}. Times are in ms, which is the step, and currents in thresholds. */
export interface AttractorOptions {
  /** W [N, N]: what a spike of neuron j adds to the synaptic current of neuron k, at row k and column j. */
  weight: Tensor;
  /** Time constants of the synaptic current and of the membrane. */
  tauMs: { synapse: number; membrane: number };
  /** Steps without a spike behind each spike. */
  refractorySteps: number;
  /** Standard deviation of the noise in the synaptic current. */
  noise: number;
  /** ξ: independent numbers of this shape, with mean 0 and variance 1. */
  draw(shape: readonly number[]): Tensor;
}

/** Normal numbers. */
export const normal =
  (generator: Generator) =>
  (shape: readonly number[]): Tensor =>
    randn(shape, { generator });

/** Sums of four uniform numbers, in (−√12, √12): nearly normal, without the kernels of `randn`, 12 kB that a page may not need otherwise. */
export const nearlyNormal =
  (generator: Generator) =>
  (shape: readonly number[]): Tensor =>
    rand([...shape, 4], { generator })
      .sum({ axis: -1 })
      .sub(2)
      .mul(Math.sqrt(3));

/** Synaptic currents and membranes, and the spikes of the last step. */
export type AttractorState = ReturnType<ReturnType<typeof recurrent>["initialState"]>;

/**
 * Leaky integrate-and-fire neurons, each of which feeds all others through slow synapses of fixed weights:
 *
 *   i[t] = α·i[t−1] + (1 − α)·d[t] + W·s[t−1] + ε·√(1 − α²)·ξ[t]
 *   u[t] = β·v[t−1] + (1 − β)·i[t]      s[t] = 1 if u[t] ≥ 1 else 0      v[t] = 0 where s[t] = 1, else u[t]
 *
 * A drive d in units of the threshold, constant and alone, becomes the current i = d; the noise ε is the standard deviation of i that
 * the noise leaves where it is alone. α = exp(−1/τ_synapse), β = exp(−1/τ_membrane).
 */
export class Attractor {
  private readonly layer: ReturnType<typeof recurrent>;
  /** The factors of the drive and of ξ. */
  private readonly scale: { readonly drive: number; readonly noise: number };
  private readonly draw: AttractorOptions["draw"];

  constructor({ weight, tauMs, refractorySteps, noise, draw }: AttractorOptions) {
    const [alpha, beta] = [decayOf(tauMs.synapse), decayOf(tauMs.membrane)];
    this.layer = recurrent(weight.shape[0] as number, { alpha, beta, refractorySteps });
    (this.layer.recurrent as Linear).weight.copyFrom(weight);
    this.scale = { drive: 1 - alpha, noise: noise * Math.sqrt(1 - alpha * alpha) };
    this.draw = draw;
  }

  /** Spikes [T, B, N] of so many steps under a drive [B, N], from a state or from the start, and the state behind them. */
  run(drive: Tensor, steps: number, state?: AttractorState): { spikes: Tensor; state: AttractorState } {
    return noGrad(() => {
      const noise = this.draw([steps, ...drive.shape]).mul(this.scale.noise);
      const result = this.layer.unroll(noise.add(drive.mul(this.scale.drive)), state);
      return { spikes: result.spikes, state: result.state };
    });
  }
}

const recurrent = (features: number, options: { alpha: number; beta: number; refractorySteps: number }) =>
  new Recurrent(new Synaptic({ ...options, inputScale: "leak" }), { features, bias: false });

/** exp(−1/τ) for a step of 1, by the kernels of tensors, whose bits are the same on every machine. */
const decayOf = (tau: number): number => noGrad(() => tensor(-1 / tau).exp()).item();
