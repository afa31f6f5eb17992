/** The decay of a membrane per time step, given by beta or by a time constant, and the membrane that decays by it. */

import { numberOf, POSITIVE, wrongValue } from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import { exp, full, noGrad, type Tensor } from "../../engine/index.ts";
import type { SourceValues } from "./definition.ts";
import type { StepLanguage } from "./step.ts";

/** Options that describe a decay beta per step. At most one of beta and tau is given; dt and decay are errors without tau. */
export type DecaySource = {
  /** Time constant instead of beta, in any unit of time; finite and > 0. Default: none. */
  readonly tau: number;
  /** Time step in the unit of tau; finite and > 0. An error without tau. Default 1. */
  readonly dt: number;
  /** beta = exp(−dt/tau), or 1 − dt/tau for "euler", which needs dt ≤ tau. An error without tau. Default "exp". */
  readonly decay: readonly ["exp", "euler"];
};

const DECAY: DecaySource = { tau: Number.NaN, dt: 1, decay: ["exp", "euler"] };

/**
 * How a neuron decays: by beta, or by tau and dt in any common unit.
 *
 * At most one of beta and tau is given; dt and decay are errors without tau.
 */
export interface DecayOptions extends Partial<SourceValues<DecaySource>> {
  /** Decay per step, in [0, 1]; default 0.95. A tensor [N] gives each neuron its own. */
  readonly beta?: number | Tensor;
}

/**
 * β from `tau` and `dt`, undefined without them. `asked` are the options of the caller, without those of a preset.
 *
 * @throws RangeError for tau or dt that are not finite and > 0, for both beta and tau, dt or decay without tau.
 */
export function betaOf(where: string, given: DecayOptions, asked: DecayOptions): number | undefined {
  const { tau, dt = DECAY.dt, decay } = given;
  numberOf(where, "dt", dt, POSITIVE);
  if (tau === undefined) {
    for (const name of ["dt", "decay"] as const) {
      const usual = name === "dt" ? DECAY.dt : DECAY.decay[0];
      if ((asked[name] ?? usual) !== usual) throw new RangeError(`${where}: expected tau with ${name}, got none`);
    }
    return undefined;
  }
  if (asked.beta !== undefined) throw wrongValue(where, "beta or tau", "both");
  numberOf(where, "tau", tau, POSITIVE);
  if (decay === "euler") return 1 - dt / tau;
  // The kernel gives the same bits on every engine; Math.exp does not.
  return noGrad(() => exp(full([], -dt / tau)).item());
}

/** The source of the decay of a class of this name: `tau`, `dt` and `decay`. */
export const decayFor = /* @__NO_SIDE_EFFECTS__ */ (where: string) => ({
  options: DECAY,
  value: (given: DecayOptions, asked: DecayOptions): number | undefined => betaOf(where, given, asked),
});

/**
 * A membrane that decays by β towards rest, v ← rest + β(v − rest), and adds its input times a scale; the scale "leak" is 1 − β. A rest of
 * 0 and a scale of 1 cost nothing.
 */
export function leakTo({
  constant,
  beta,
  rest,
  inputScale,
}: Pick<StepLanguage, "constant"> & {
  readonly beta: Value;
  readonly rest: Value | number;
  readonly inputScale: Value | number | "leak";
}): { decay(v: Value): Value; scaled(input: Value): Value } {
  const scale = inputScale === "leak" ? constant(1).sub(beta) : inputScale;
  return {
    decay: (v) => (rest === 0 ? v.mul(beta) : v.sub(rest).mul(beta).add(rest)),
    scaled: (input) => (scale === 1 ? input : input.mul(scale)),
  };
}
