import { type Range, wrongValue } from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import { full, log, mul, type Tensor } from "../../engine/index.ts";
import { IN_FLOAT32 } from "../layer/checks.ts";
import { checkValue } from "../layer/per-neuron.ts";
import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import { DIVISOR } from "../neuron/parts.ts";
import { fired, RESET, RESET_NEEDS } from "../neuron/reset.ts";
import { atan } from "../surrogates/known.ts";

const BETA = {
  /** exp(−timeStep/RC), in (0, 1), in place of R, C or both; a number, or a tensor [N]. Default none. */
  beta: null,
};

/**
 * Lapicque's neuron: the current charges a capacitor, which leaks through a resistor.
 *
 *   u[t] = β·v[t−1] + R(1 − β)·I[t]      β = exp(−Δt/RC)         (decay: "exp", exact for a current that is constant in a step)
 *   u[t] = (1 − Δt/RC)·v[t−1] + Δt/C·I[t]                        (decay: "euler", as in snnTorch)
 *   s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; R, C, Δt, θ [] or [N]. Δt and RC share a unit of time, I·R has the unit of θ. Defaults R = 1, C = 20,
 * Δt = 1 (`timeStep`), θ = 1, resetValue = 0. Resets are those of {@link LIF}, default "zero". Starts from v = 0. With `beta`, β = exp(−Δt/RC)
 * determines R or C if one is missing; if both are, R = 1. `numerics: "snntorch"` computes C from β in the same way, but uses Euler steps, so its
 * membrane decays by 1 + ln β, not β (for β = 0.5 by 0.307).
 *
 * @throws RangeError for beta outside of (0, 1), for beta with both R and C, unless R, C and Δt are positive, or as any neuron does.
 * @see Lapicque (1907), Recherches quantitatives sur l'excitation électrique des nerfs traitée comme une polarisation, Journal de
 *   Physiologie et de Pathologie Générale 9.
 *
 * @example
 * ```ts
 * import { Lapicque, ones } from "jarvis-snn";
 *
 * const neuron = new Lapicque({ R: 0.5, C: 10, timeStep: 1 }); // RC is 5 steps
 * const { membrane } = neuron.unroll(ones([4, 1, 1])); // towards I·R = 0.5
 * console.log(`${membrane.flatten()}`); // Tensor([4], [0.090635, 0.16484, 0.22559, 0.27534])
 * console.log(`${new Lapicque({ beta: 0.9 }).C}`); // Tensor([], [9.4912])
 * ```
 */
export const Lapicque = lazyNeuron({
  name: "Lapicque",
  state: { v: 0 },
  parameters: {
    /** R, the resistance, in units of θ per current; finite and > 0. Default 1. */
    R: {
      default: 1,
      from: {
        options: BETA,
        value: (given: Given) => (given.C === undefined ? undefined : otherOf("C", given)),
      },
    },
    /** C, the capacitance; RC is a time in the unit of timeStep; finite and > 0. Default 20. */
    C: {
      default: 20,
      from: {
        options: BETA,
        value: (given: Given) => (given.C === undefined ? otherOf("R", given) : undefined),
      },
    },
    /** Δt, the duration of a step, in the unit of RC; finite and > 0. Default 1. */
    timeStep: 1,
    /** θ, in the unit of v; finite. Default 1. */
    threshold: 1,
    /** Value to which `reset: "zero"` sets v; an error with other values of `reset`; finite. Default 0. */
    resetValue: 0,
  },
  constrain: { R: DIVISOR, C: DIVISOR, timeStep: DIVISOR },
  choices: united(RESET, {
    /** Decay per step: exp(−Δt/RC), or 1 − Δt/RC for "euler". Default "exp". */
    decay: ["exp", "euler"],
  }),
  needs: RESET_NEEDS,
  numerics: {
    snntorch: {
      decay: "euler",
      fire: "gt",
      reset: "subtract",
      resetDelay: true,
      resetInput: true,
      surrogate: /* @__PURE__ */ atan(),
    },
  },
  step(argument, choices) {
    const { current, v, R, C, timeStep, threshold, resetValue, constant } = argument;
    const part = timeStep.div(R.mul(C));
    const beta = choices.decay === "exp" ? part.neg().exp() : constant(1).sub(part);
    const scale = choices.decay === "exp" ? R.mul(constant(1).sub(beta)) : timeStep.div(C);
    const decay = (x: Value) => x.mul(beta);
    return fired(argument, choices, { v, threshold, resetValue, decay, input: current.mul(scale) });
  },
});

/** A layer of {@link Lapicque}'s neurons. */
export type Lapicque = InstanceType<typeof Lapicque>;

/** Options of {@link Lapicque}. */
export type LapicqueOptions = NonNullable<ConstructorParameters<typeof Lapicque>[0]>;

type Given = { readonly [name in "beta" | "R" | "C" | "timeStep"]?: number | Tensor };

/** R or C from RC = −Δt/ln β, if β is given and this one is not. */
function otherOf(name: "R" | "C", given: Given): Tensor | undefined {
  const { beta, R, C, timeStep = 1, [name]: one = 1 } = given;
  if (beta === undefined) return undefined;
  checkValue("Lapicque", "beta", beta, DECAY);
  if (R !== undefined && C !== undefined) throw wrongValue("Lapicque", "beta, or both R and C", "all three");
  checkValue("Lapicque", name, one, IN_FLOAT32);
  checkValue("Lapicque", "timeStep", timeStep, IN_FLOAT32);
  for (const b of typeof beta === "number" ? [Math.fround(beta)] : beta.toFloat32Array()) {
    if (!DECAY.fits(b)) throw wrongValue("Lapicque", "beta in (0, 1)", b);
  }
  // Computed by the kernel, since Math.log differs between engines.
  const decays = typeof beta === "number" ? full([], beta) : beta;
  return mul(log(decays).reciprocal().neg(), timeStep).div(one);
}

const DECAY: Range = { expected: "in (0, 1)", fits: (x) => x > 0 && x < 1 };
