/**
 * LIF: a definition of neuron/neuron.ts, and the choice between hand-written kernels (plain.ts) and the compiled step.
 */
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { zerosLike } from "../../engine/unchecked.ts";
import { RESETS } from "../../kernels/reference/kinds.ts";
import { checkState } from "../layer/checks.ts";
import { betaOf, DECAY, leakTo } from "../neuron/decay.ts";
import { united } from "../neuron/definition.ts";
import { formOf } from "../neuron/form.ts";
import { layersOf } from "../neuron/neuron.ts";
import { makePlain, type Plain } from "../neuron/plain.ts";
import { fired, RESET, RESET_NEEDS, type Reset, startOf } from "../neuron/reset.ts";
import type { Firing } from "../neuron/step.ts";
import type { FieldsOf, OptionsOf, Typed } from "../neuron/types.ts";
import { atan, sigmoid, superSpike } from "../surrogates/known.ts";

/** The equation of {@link LIF}, its parameters and its options. */
export const LIF_FORM = /* @__PURE__ */ formOf({
  name: "LIF",
  state: { v: startOf },
  parameters: {
    /** β, the decay per step, in [0, 1]; a tensor [N] gives each neuron its own. Default 0.95. */
    beta: 0.95,
    /** θ, in the unit of v; a tensor [N] gives each neuron its own. Default 1. */
    threshold: 1,
  },
  from: { beta: { options: DECAY, value: (given, asked) => betaOf("LIF", given, asked) } },
  optional: {
    /** v decays towards it; a tensor [N] gives each neuron its own, and makes it a parameter. Default 0. */
    rest: 0,
    /**
     * Factor of the current; "leak" is 1 − β, with which a constant current I leads to v = rest + I. A tensor [N] gives each neuron its
     * own, and makes it a parameter. Default 1.
     */
    inputScale: [1, "leak"],
    /**
     * The value of v after a reset to "zero", an error with other resets. A tensor [N] gives each neuron its own, and makes it a parameter.
     * Default 0.
     */
    resetValue: 0,
    /** A floor under v, after the reset; a tensor [N] gives each neuron its own, and makes it a parameter. Default: none. */
    lowerBound: null,
  },
  also: {
    /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
    learnBeta: { learn: "beta" },
    /** Learns the threshold; one for all neurons unless it is given as a tensor, such as ones([N]). Default false. */
    learnThreshold: { learn: "threshold" },
  },
  choices: /* @__PURE__ */ united(
    {
      /** v before the first step: 0, rest, or resetValue, which is 0 with other resets than "zero". Default "zero". */
      start: ["zero", "rest", "resetValue"],
    },
    RESET,
  ),
  needs: RESET_NEEDS,
  constrain: { beta: [0, 1] },
  numerics: {
    // β of τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly, 100 ms in BindsNET.
    snntorch: { fire: "gt", reset: "subtract", resetDelay: true, surrogate: /* @__PURE__ */ atan() },
    norse: {
      beta: 0.9,
      start: "rest",
      decay: "euler",
      inputScale: "leak",
      fire: "gt",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
    spikingjelly: {
      beta: 0.5,
      start: "resetValue",
      decay: "euler",
      inputScale: "leak",
      detachReset: false,
      surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }),
    },
    nir: { decay: "euler", inputScale: "leak", fire: "gt" },
    bindsnet: { beta: 0.990049834, start: "rest", threshold: 13, refractorySteps: 5, refractory: "leak" },
  },
  step(argument, choices) {
    const { current, v, beta, threshold, rest, inputScale, resetValue, lowerBound, constant, where } = argument;
    const { decay, scaled } = leakTo({ rest, beta, inputScale, constant });
    const all = fired(argument, choices, { v, threshold, resetValue, decay, input: scaled(current) });
    if (lowerBound === null) return all;
    // A late reset may fall below; else v is held, also at the floor, where a maximum would halve its gradient.
    const isLate = choices.resetDelay && choices.reset !== "none";
    const held = isLate ? where(all.held.lt(lowerBound), lowerBound, all.held) : all.held;
    return { ...all, v: all.v.maximum(lowerBound), leaked: all.leaked.maximum(lowerBound), held };
  },
});

/** Options of {@link LIF}. */
export interface LIFOptions extends OptionsOf<typeof LIF_FORM> {
  /**
   * The options under which the neuron equals the one of another package; explicit options override them. Default:
   * none.
   *
   * - "snntorch", `Leaky`: fire "gt", reset "subtract", resetDelay, surrogate.atan()
   * - "norse", `LIFBoxCell`: decay "euler", β = 0.9, inputScale "leak", start "rest", fire "gt", detachReset false,
   *   surrogate.superSpike()
   * - "spikingjelly", `LIFNode`: decay "euler", β = 0.5, inputScale "leak", start "resetValue", detachReset false,
   *   surrogate.sigmoid({ slope: 4 }); a v_reset other than 0 is `rest` and `resetValue`
   * - "nir", `LIF` at a small step: decay "euler", inputScale "leak", fire "gt"
   * - "bindsnet", `LIFNodes` at 1 ms, in mV above its rest: β = exp(−1/100), start "rest", threshold 13, refractorySteps 5,
   *   refractory "leak"
   */
  readonly numerics?: "snntorch" | "norse" | "spikingjelly" | "nir" | "bindsnet";
}

/** Options of a LIF that can be learned. */
export type LIFParameter = NonNullable<LIFOptions["learn"]>[number];

/** State between time steps. */
export interface LIFState {
  /** v after the reset, [B, …]. */
  readonly v: Tensor;
  /** Steps that each neuron is still held, at most refractorySteps, [B, …]. */
  readonly refractory: Tensor;
}

/** The result of {@link LIF.unroll}; all outputs are differentiable, and an output that is not read costs nothing. */
export interface LIFRecord {
  /** s, [T, B, …]. */
  readonly spikes: Tensor;
  /** u, the membrane before the reset, [T, B, …]. */
  readonly membrane: Tensor;
  /** v, the state after the reset, [T, B, …]. */
  readonly v: Tensor;
  /** The state after the last step. */
  readonly state: LIFState;
}

/**
 * Leaky integrate-and-fire neuron.
 *
 *   u[t] = rest + β(v[t−1] − rest) + inputScale·I[t]     s[t] = 1 if u[t] ≥ θ else 0
 *   v[t] = u[t] − θ·s[t]  ("subtract"),  s[t] ? resetValue : u[t]  ("zero"),  u[t]  ("none")
 *
 * With resetDelay v[t] = u[t], and a state that reaches θ is reset in the next step: u = β·v + I − θ·s′ ("subtract"),
 * β·(s′ ? resetValue : v) + I ("zero") or, with resetInput, s′ ? resetValue : β·v + I, where s′ = fire(v − θ).
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; β and θ [] or [N]. β is dimensionless, β = exp(−dt/tau); defaults β = 0.95, θ = 1,
 * reset "zero", resetValue 0. Starts from v = 0, or as `start` says. Backward replaces ds/du by the surrogate's derivative at u − θ.
 * `numerics` names the options of other packages. `String(lif)` shows the step with these options and its gradient.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] unless `constrain` says otherwise (a learned β is clamped instead), a number
 *   is not finite, beyond float32 or out of its range, both beta and tau are given, a choice is unknown, an option is without
 *   effect for the others, `learn` or `constrain` name an option that is no number or tensor, or `spiking: false` meets a surrogate
 *   without a primitive; TypeError for an option of another name or kind, or a value instead of options.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { full, LIF } from "jarvis-snn";
 *
 * const lif = new LIF({ beta: 0.5, threshold: 1, reset: "subtract" });
 * const { spikes, membrane } = lif.unroll(full([5, 1, 1], 0.75)); // [T, B, N]
 * console.log(membrane.flatten().toArray()); // [ 0.75, 1.125, 0.8125, 1.15625, 0.828125 ]
 * console.log(spikes.flatten().toArray()); // [ 0, 1, 0, 1, 0 ]
 * ```
 */
export class LIF extends /* @__PURE__ */ layersOf(
  "LIF",
  () => LIF_FORM as typeof LIF_FORM & Typed<LIFOptions, FieldsOf<typeof LIF_FORM>, LIFState, LIFRecord>,
) {
  /** @internal */
  protected override plainOf(): Plain | string {
    return this.form.initial[0] === 0 ? plainOf(this.chosen as unknown as Equation, this.firing) : "start";
  }

  /** @internal */
  override read(state: LIFState, shape: Shape): readonly Tensor[] {
    const own = super.read(state, shape);
    if (this.firing.hold === 0) checkState("LIF", "refractory", Object(state).refractory, shape);
    return own;
  }

  /**
   * The counters of neurons that are never held stay 0.
   *
   * @internal
   */
  override completed(states: readonly Tensor[]): LIFState {
    const v = states[0] as Tensor;
    return { v, refractory: states[1] ?? zerosLike(v) };
  }
}

/** The options of the equation: a number for each fixed parameter, null where there is a tensor. */
interface Equation extends Reset {
  readonly rest: number | null;
  readonly inputScale: number | "leak" | null;
  readonly resetValue: number | null;
  readonly lowerBound?: number | null;
}

/** The numbers of the kernels of plain LIF, or the option that they do not know. */
function plainOf(equation: Equation, firing: Firing): Plain | string {
  const { reset, resetValue, resetDelay, resetInput, detachReset, rest, inputScale, lowerBound } = equation;
  const { surrogate, strict, hold, isGraded, inhibition, spiking } = firing;
  if (hold > 0) return "refractorySteps";
  if (isGraded) return "gradedSpikesFactor";
  if (!spiking) return "spiking: false";
  if (rest !== 0) return "rest";
  if (inputScale !== 1) return "inputScale";
  if (resetValue === null) return "resetValue";
  if (lowerBound !== undefined) return "lowerBound";
  if (!detachReset && reset !== "none") return "detachReset: false";
  if (surrogate.kind < 0) return `surrogate.${surrogate.name}`;
  if (inhibition !== null) return "inhibition";
  if (resetInput && resetDelay && reset === "zero") return "resetInput";
  const delayed = resetDelay ? 1 : 0;
  return makePlain("LIF", { reset: RESETS[reset], resetValue, delayed, strict: strict ? 1 : 0, surrogate });
}
