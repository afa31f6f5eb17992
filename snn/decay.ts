/** The decay of a neuron per time step, from whatever describes it. */

import { choiceOf, numberOf, POSITIVE, wrongValue } from "../engine/arguments.ts";
import { exp, full, noGrad, type Tensor } from "../engine/index.ts";

/**
 * How a neuron decays: by beta, or by tau and dt in any common unit.
 *
 * At most one of beta and tau is given; dt and decay are errors without tau.
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

/** The same, and whether beta is learned, with the defaults. */
export const DECAY = {
  beta: undefined as number | Tensor | undefined,
  tau: undefined as number | undefined,
  dt: 1,
  decay: "exp" as "exp" | "euler",
  learnBeta: false,
};

/**
 * β from `beta`, or from `tau` and `dt`; `usual` where neither is given. `asked` are the options that no preset gives.
 *
 * @throws RangeError for tau or dt that are not finite and > 0, for both beta and tau, dt or decay without tau, or an unknown decay.
 */
export function betaOf(where: string, given: typeof DECAY, usual = 0.95, asked: object = given): number | Tensor {
  const { beta, tau, dt, decay } = given;
  choiceOf(where, "decay", decay, ["exp", "euler"]);
  numberOf(where, "dt", dt, POSITIVE);
  for (const name of tau === undefined ? (["dt", "decay"] as const) : []) {
    const { [name]: value = DECAY[name] } = asked as Partial<typeof DECAY>;
    if (value !== DECAY[name]) throw new RangeError(`${where}: expected tau with ${name}, got none`);
  }
  if (tau === undefined) return beta === undefined ? usual : beta;
  if (beta !== undefined) throw wrongValue(where, "beta or tau", "both");
  numberOf(where, "tau", tau, POSITIVE);
  if (decay === "euler") return 1 - dt / tau;
  // By the kernel, not Math.exp: the same bits on every engine.
  return noGrad(() => exp(full([], -dt / tau)).item());
}
