import { type Range, wrongValue } from "../../engine/arguments.ts";
import { composed } from "../../engine/composed.ts";
import type { Value } from "../../engine/fuse/index.ts";
import { full, log, mul, noGrad, type Tensor } from "../../engine/index.ts";
import { IN_FLOAT32 } from "../checks.ts";
import { neuron } from "../neuron.ts";
import type { NeuronOptions } from "../neuron-types.ts";
import { DIVISOR } from "../parts.ts";
import { checkValue } from "../per-neuron.ts";
import { fired, RESET, RESET_NEEDS } from "../reset.ts";
import { atan } from "../surrogates.ts";

const CHOICES = { ...RESET, decay: ["exp", "euler"] } as const;

const Circuit = /* @__PURE__ */ neuron({
  name: "Lapicque",
  state: { v: 0 },
  parameters: { R: 1, C: 20, timeStep: 1, threshold: 1, resetValue: 0 },
  constrain: { R: DIVISOR, C: DIVISOR, timeStep: DIVISOR },
  choices: CHOICES,
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

/** Options of {@link Lapicque}. */
export type LapicqueOptions = NeuronOptions<
  "R" | "C" | "timeStep" | "threshold" | "resetValue",
  typeof CHOICES,
  "snntorch"
> & {
  /** exp(−timeStep/RC), in (0, 1), in the place of R or C or both; a number, or a tensor [N]. */
  readonly beta?: number | Tensor;
};

/**
 * Lapicque's neuron: a capacitor that leaks through a resistor and is charged by the current.
 *
 *   u[t] = β·v[t−1] + R(1 − β)·I[t]      β = exp(−Δt/RC)         (decay: "exp", exact for a current that is constant in a step)
 *   u[t] = (1 − Δt/RC)·v[t−1] + Δt/C·I[t]                        (decay: "euler", as in snnTorch)
 *   s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; R, C, Δt, θ [] or [N]. Δt and RC share a unit of time, I·R has the unit of θ. Defaults R = 1,
 * C = 20, Δt = 1 (`timeStep`), θ = 1, resetValue = 0. Resets as in {@link LIF}, default "zero". Starts from v = 0. With `beta` the missing ones of R (else 1) and C follow from
 * β = exp(−Δt/RC). `numerics: "snntorch"` computes C from β in the same way but steps by Euler: its membrane then decays by 1 + ln β,
 * not β (for β = 0.5 by 0.307).
 *
 * @throws RangeError for beta outside of (0, 1), for beta with both R and C, unless R, C and Δt are positive, or as any neuron does.
 * @see Lapicque (1907), Recherches quantitatives sur l'excitation électrique des nerfs traitée comme une polarisation, Journal de
 *   Physiologie et de Pathologie Générale 9.
 */
export class Lapicque extends Circuit {
  constructor(options: LapicqueOptions = {}) {
    const made: Tensor[] = [];
    try {
      super(withoutBeta(options, made));
    } finally {
      for (const t of made) t.dispose();
    }
  }
}

/** The options with R and C in the place of beta; `made` gets the tensor among them that the caller frees. */
function withoutBeta(options: LapicqueOptions, made: Tensor[]): ConstructorParameters<typeof Circuit>[0] {
  const beta = (options as LapicqueOptions | null)?.beta;
  if (beta === undefined) return options;
  const keys = Object.keys(options).filter((key) => key !== "beta") as (keyof LapicqueOptions)[];
  const others: LapicqueOptions = Object.fromEntries(keys.map((key) => [key, options[key]]));
  const { R, C, timeStep = 1 } = others;
  checkValue("Lapicque", "beta", beta, DECAY);
  for (const [name, value] of Object.entries({ R, C, timeStep })) {
    if (value !== undefined) checkValue("Lapicque", name, value, IN_FLOAT32);
  }
  if (R !== undefined && C !== undefined) throw wrongValue("Lapicque", "beta, or both R and C", "all three");
  for (const b of typeof beta === "number" ? [Math.fround(beta)] : beta.toFloat32Array()) {
    if (!DECAY.fits(b)) throw wrongValue("Lapicque", "beta in (0, 1)", b);
  }
  const missing = composed(otherOf, beta, C ?? R ?? 1, timeStep);
  made.push(missing);
  return C !== undefined ? { ...others, R: missing } : { ...others, R: R ?? 1, C: missing };
}

/** The other of R and C, from RC = −Δt/ln β. */
function otherOf(beta: number | Tensor, given: number | Tensor, timeStep: number | Tensor): Tensor {
  // By the kernel, not Math.log: the same bits on every engine.
  const decays = typeof beta === "number" ? full([], beta) : beta;
  return noGrad(() => mul(log(decays).reciprocal().neg(), timeStep).div(given));
}

const DECAY: Range = { expected: "in (0, 1)", fits: (x) => x > 0 && x < 1 };
