/** LIF, a layer of neurons with hand-written kernels; snn/neuron/plain-forms.ts has the equation with all options. */
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { zerosLike } from "../../engine/unchecked.ts";
import { checkState } from "../layer/checks.ts";
import { makingOf } from "../neuron/compiler.ts";
import { keepName, type LayersOf, Neurons } from "../neuron/neuron.ts";
import type { LIF_FORM } from "../neuron/plain-forms.ts";
import type { FieldsOf, OptionsOf } from "../neuron/types.ts";

/** Options of {@link LIF}. */
export interface LIFOptions extends OptionsOf<typeof LIF_FORM> {
  /**
   * Presets with which the neuron equals that of another package; explicit options override them. Default none.
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
  /** Remaining refractory steps of each neuron, at most refractorySteps, [B, …]. */
  readonly refractory: Tensor;
}

/** Result of {@link LIF.unroll}; all outputs are differentiable, and an output that is not read costs nothing. */
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
 * With resetDelay, v[t] = u[t], and a state that reaches θ is reset in the next step: u = β·v + I − θ·s′ ("subtract"), β·(s′ ? resetValue : v) + I
 * ("zero") or, with resetInput, s′ ? resetValue : β·v + I, where s′ = fire(v − θ).
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; β and θ [] or [N]. β is dimensionless, β = exp(−dt/tau); defaults β = 0.95, θ = 1, reset "zero",
 * resetValue 0. Starts from v = 0 unless `start` is given. Backward replaces ds/du by the surrogate's derivative at u − θ. `numerics` selects the
 * options of another package. `String(lif)` shows the step with these options and its gradient.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] or the bounds of `constrain` (a learned β is clamped instead), a number is not finite, beyond
 *   float32 or out of range, both beta and tau are given, a choice is unknown, the other options make an option ineffective, `learn` or `constrain`
 *   name an option that is not a number or tensor, or `spiking: false` is given with a surrogate without a primitive; TypeError for an unknown option
 *   or a value of the wrong type, or a value instead of options.
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
export class LIF extends (Neurons as unknown as LayersOf<LIFState, LIFRecord, FieldsOf<typeof LIF_FORM>>) {
  constructor(options: LIFOptions = {}) {
    super(makingOf("LIF", options));
    keepName(LIF, "LIF");
  }

  /** @internal */
  override read(state: LIFState, shape: Shape): Tensor[] {
    const own = super.read(state, shape);
    if (own.length === 1) checkState("LIF", "refractory", Object(state).refractory, shape);
    return own;
  }

  /**
   * Adds refractory counters of 0 for neurons without a refractory period.
   *
   * @internal
   */
  override completed(states: readonly Tensor[]): LIFState {
    const v = states[0] as Tensor;
    return { v, refractory: states[1] ?? zerosLike(v) };
  }
}
