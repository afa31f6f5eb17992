/** The decay of a neuron per time step, from whatever describes it. */

import { exp, full, noGrad, parameter, type Tensor } from "../engine/index.ts";
import { persistentCopy } from "./per-neuron.ts";

/**
 * How a neuron decays: by beta, or by tau and dt in any common unit.
 *
 * At most one of beta and tau is given; dt and decay count with tau alone.
 */
export interface DecayOptions {
  /** Decay per step, in [0, 1]; default 0.95. A tensor [N] gives each neuron its own. */
  beta?: number | Tensor;
  /** Time constant instead of beta, in any unit of time; finite and > 0. */
  tau?: number;
  /** Time step in the unit of tau; finite and > 0, default 1. */
  dt?: number;
  /** beta = exp(−dt/tau) for "exp", the default, or 1 − dt/tau for "euler", where dt ≤ tau. */
  decay?: "exp" | "euler";
}

/** The options of a decay. */
export const DECAY_OPTIONS = "beta tau dt decay learnBeta";

/** β as a number or tensor. */
function betaOf(where: string, { beta, tau, dt = 1, decay = "exp" }: DecayOptions): number | Tensor {
  if (decay !== "exp" && decay !== "euler")
    throw new RangeError(`${where}: expected the decay "exp" or "euler", got ${JSON.stringify(decay)}`);
  if (!(dt > 0 && dt < Infinity)) throw new RangeError(`${where}: dt must be finite and > 0, got ${dt}`);
  if (tau === undefined) return beta ?? 0.95;
  if (beta !== undefined) throw new RangeError(`${where}: expected beta or tau, got both`);
  if (!(tau > 0 && tau < Infinity)) throw new RangeError(`${where}: tau must be finite and > 0, got ${tau}`);
  if (decay === "euler") return 1 - dt / tau;
  // By the kernel, not Math.exp: the same bits on every engine.
  return noGrad(() => exp(full([], -dt / tau)).item());
}

/**
 * β as a persistent tensor: a parameter if it is learned (stored raw, clamped in the forward pass), else a constant.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] or a learned one is not finite.
 */
export function decayTensor(where: string, options: DecayOptions, learn: boolean): Tensor {
  const beta = betaOf(where, options);
  const t = persistentCopy(where, beta);
  for (const value of t.data) {
    if (learn ? Number.isFinite(value) : value >= 0 && value <= 1) continue;
    t.dispose();
    throw new RangeError(`${where}: beta must ${learn ? "be finite" : "lie in [0, 1]"}, got ${value}`);
  }
  return learn ? parameter(t) : t;
}

/** β as the forward pass takes it: one that is learned is stored raw. */
export const clamped = (beta: Tensor): Tensor => (beta.isParameter ? beta.clamp(0, 1) : beta);
