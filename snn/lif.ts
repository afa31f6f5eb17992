import {
  alive,
  allOrNothing,
  checkShape,
  choiceOf,
  composed,
  emptyLike,
  emptySpikes,
  forwardOf,
  k,
  numberOf,
  ready,
  type Shape,
  scope,
  withDefaults,
} from "../engine/extend.ts";
import { Module, noGrad, parameter, type Tensor, zeros } from "../engine/index.ts";
import { RESETS } from "../kernels/reference/kinds.ts";
import { checkCounters, checkSequence, checkState, type Fire, IN_FLOAT32, STEPS, strictOf } from "./checks.ts";
import { clamped, DECAY, type DecayOptions, decayTensor } from "./decay.ts";
import { itself, lazy } from "./lazy.ts";
import { composeLif } from "./lif-composed.ts";
import { forwardPlain, isPlain, type Neuron, resetState } from "./lif-kernels.ts";
import { countersOf, membraneOf, runLif, stateOf } from "./lif-op.ts";
import { checkPerNeuron, persistentCopy } from "./per-neuron.ts";
import { checkSurrogate, type Surrogate } from "./surrogate.ts";
import { sigmoid } from "./surrogates.ts";

/** Options of {@link LIF}. */
export interface LIFOptions extends DecayOptions {
  /** θ; a tensor [N] gives each neuron its own. Finite, default 1. */
  threshold?: number | Tensor;
  /** v decays towards it; finite, default 0. */
  rest?: number;
  /** Factor of the current; finite, default 1. */
  inputScale?: number;
  /** What a spike does to v: sets it to resetValue, takes θ off, or nothing. Default "zero". */
  reset?: "zero" | "subtract" | "none";
  /** What v becomes at a reset to "zero"; finite, default 0. */
  resetValue?: number;
  /** The reset happens at the start of the next step instead of at the end of this one. Default false. */
  resetDelay?: boolean;
  /** No gradient through the reset; default true. */
  detachReset?: boolean;
  /** Fires at u ≥ θ ("ge", the default) or u > θ ("gt"). */
  fire?: Fire;
  /** Steps after a spike in which v is held, no input counts and nothing fires; an integer in [0, 2²⁴], default 0. */
  refractorySteps?: number;
  /** How the spike is differentiated; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
  /** Learns the threshold; one for all neurons unless it is given as a tensor, such as ones([N]). Default false. */
  learnThreshold?: boolean;
  /**
   * false: the surrogate's smooth primitive takes the place of the spike, and all gradients, also those through the reset,
   * are exact. Default true.
   */
  spiking?: boolean;
}

/** The defaults of these. */
export const LIF_DEFAULTS = {
  ...DECAY,
  threshold: undefined as number | Tensor | undefined,
  rest: 0,
  inputScale: 1,
  reset: "zero" as keyof typeof RESETS,
  resetValue: 0,
  resetDelay: false,
  detachReset: true,
  fire: "ge" as Fire,
  refractorySteps: 0,
  surrogate: undefined as Surrogate | undefined,
  learnThreshold: false,
  spiking: true,
} satisfies Record<keyof LIFOptions, unknown>;

/** State between time steps. */
export interface LIFState {
  /** v after the reset, [B, …]. */
  readonly v: Tensor;
  /** Steps that each neuron is still held, at most refractorySteps, [B, …]. */
  readonly refractory: Tensor;
}

/** What {@link LIF.unroll} gives; all differentiable, and what is not read costs nothing. */
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
 * With resetDelay v[t] = u[t], and a state that reaches θ is reset in the next step: u = β·v + I − θ·s′ ("subtract") or
 * β·(s′ ? resetValue : v) + I ("zero") with s′ = fire(v − θ).
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]. β is dimensionless, β = exp(−dt/tau). Starts from v = 0. Backward replaces
 * ds/du by the surrogate's derivative at u − θ. snnTorch's `Leaky` is fire "gt", resetDelay, and by default reset
 * "subtract".
 *
 * @throws RangeError if a fixed β lies outside [0, 1] (a learned one is clamped instead), a number is not finite, beyond
 *   float32 or out of its range, both beta and tau are given, a choice is unknown, or `spiking: false` meets a surrogate
 *   without a primitive; TypeError for an option of another name or kind, or a value in the place of options.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class LIF extends Module {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  readonly beta: Tensor;
  /** θ, [] or [N]; a parameter if it is learned. */
  readonly threshold: Tensor;
  /** @internal */
  readonly neuron: Neuron;
  /** @internal */
  readonly spiking: boolean;

  constructor(options: LIFOptions = {}) {
    super();
    const given = withDefaults("LIF", LIF_DEFAULTS, options);
    const { threshold = 1, surrogate = sigmoid(), spiking } = given;
    checkSurrogate("LIF", surrogate);
    if (!spiking && surrogate.primitive === null) {
      throw new RangeError(`LIF: spiking: false needs a surrogate with a primitive, got ${surrogate.name}`);
    }
    this.spiking = spiking;
    this.neuron = {
      reset: RESETS[choiceOf("LIF", "reset", given.reset, ["zero", "subtract", "none"])],
      delayed: given.resetDelay ? 1 : 0,
      strict: strictOf("LIF", given.fire),
      resetValue: numberOf("LIF", "resetValue", given.resetValue, IN_FLOAT32),
      rest: numberOf("LIF", "rest", given.rest, IN_FLOAT32),
      inputScale: numberOf("LIF", "inputScale", given.inputScale, IN_FLOAT32),
      hold: numberOf("LIF", "refractorySteps", given.refractorySteps, STEPS),
      attached: given.detachReset ? 0 : 1,
      surrogate,
    };
    [this.beta, this.threshold] = noGrad(() => [
      decayTensor("LIF", given),
      persistentCopy("LIF", "threshold", threshold, IN_FLOAT32),
    ]);
    if (given.learnThreshold) parameter(this.threshold);
  }

  /**
   * Spikes [T, B, …] of a current [T, B, …], from v = 0.
   *
   * @throws RangeError unless the current has a time axis and fits the neurons of beta and threshold.
   */
  forward(current: Tensor): Tensor {
    return composed(LIF.spikes, this, current);
  }

  /**
   * The same, where the membrane may take the place of the current.
   *
   * @internal
   */
  override forwardOver(current: Tensor): Tensor {
    return this.forward === FORWARD ? composed(LIF.spikes, this, current, true) : this.forward(current);
  }

  private static spikes(lif: LIF, current: Tensor, over?: boolean): Tensor {
    lif.check(current);
    if (!lif.spiking) return lif.recordOf(current, null).spikes;
    return runLif(lif.neuron, current, lif.decay(), lif.threshold, null, null, false, over).spikes;
  }

  /**
   * Spikes, membrane and state over time, [T, B, …], from a given state on, by default zero; all differentiable. What is not
   * read costs nothing, inside of tapes.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step and counters of at most refractorySteps.
   */
  unroll(current: Tensor, state?: LIFState): LIFRecord {
    this.check(current);
    const from = state === undefined ? null : this.read(state, current.sizes.slice(1));
    return composed(LIF.recorded, this, current, from);
  }

  private static recorded(lif: LIF, current: Tensor, from: LIFState | null): LIFRecord {
    return lif.recordOf(current, from);
  }

  /** The same, with everything checked. */
  protected recordOf(current: Tensor, from: LIFState | null): LIFRecord {
    if (!this.spiking) return composeLif(this.neuron, current, this.decay(), this.threshold, from);
    const { v: v0 = null, refractory: r0 = null } = from ?? {};
    const run = runLif(this.neuron, current, this.decay(), this.threshold, v0, r0, true);
    const { spikes } = run;
    const v = lazy(spikes, () => stateOf(run), itself);
    const last = lazy(
      spikes,
      () => ({ v: v().select(0, -1), refractory: countersOf(run) ?? zeros(current.sizes.slice(1)) }),
      (state) => state.v,
    );
    return {
      spikes,
      get membrane() {
        return membraneOf(run);
      },
      get v() {
        return v();
      },
      get state() {
        return last();
      },
    };
  }

  /**
   * One time step: current [B, …] → spikes [B, …] and the next state; the same bits as `forward`.
   *
   * A loop of steps belongs inside `noGrad` or `tape`, with the state returned or kept: it is faster there, and what one step
   * leaves for the next is freed. For an input without an end there is {@link Stream}.
   *
   * @throws RangeError as `unroll`.
   */
  step(current: Tensor, state: LIFState): [spikes: Tensor, state: LIFState] {
    alive(current, "LIF");
    this.checkNeurons([1, ...current.sizes]);
    const from = this.read(state, current.sizes);
    return composed(LIF.advanced, this, current, from);
  }

  private static advanced(lif: LIF, current: Tensor, from: LIFState): [spikes: Tensor, state: LIFState] {
    return lif.advance(current, from);
  }

  /** A step with everything checked. */
  private advance(current: Tensor, from: LIFState): [spikes: Tensor, state: LIFState] {
    if (this.isQuick && !this.records(current, from.v)) return this.advanceQuickly(current, from);
    const { spikes, state } = this.recordOf(current.unsqueeze(0), from);
    return [spikes.reshape(current.sizes), state];
  }

  /** Whether a step is recorded. */
  private records(current: Tensor, v: Tensor): boolean {
    const wanted = current.requiresGrad || v.requiresGrad || this.beta.requiresGrad || this.threshold.requiresGrad;
    return scope.recording && wanted;
  }

  /** Whether one kernel call makes a step that is not recorded. */
  protected get isQuick(): boolean {
    return this.spiking && isPlain(this.neuron);
  }

  /** A step that one kernel call makes. */
  private advanceQuickly(current: Tensor, from: LIFState): [spikes: Tensor, state: LIFState] {
    const { threshold, neuron } = this;
    const beta = this.decay();
    for (const t of [current, beta, threshold, from.v]) ready("LIF", t);
    const spikes = emptySpikes(current.sizes);
    const v = emptyLike(current);
    const refractory = emptyLike(current);
    const { ptr, size } = current;
    k.fill(refractory.ptr, size, 0);
    forwardPlain(neuron, v.ptr, spikes.bits, ptr, from.v.ptr, beta.ptr, beta.size, threshold, 1, size, 0, 0);
    resetState(neuron, v.ptr, spikes, threshold);
    return [spikes, { v, refractory }];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): LIFState {
    const own = checkShape("LIF", shape);
    return allOrNothing(() => ({ v: zeros(own), refractory: zeros(own) }));
  }

  protected decay(): Tensor {
    return clamped(this.beta);
  }

  /** Throws unless this is a current that fits the neurons. */
  protected check(current: Tensor): void {
    checkSequence("LIF", "a current", current);
    this.checkNeurons(current.sizes);
  }

  /** The same for the shape [T, B, …] of a current. */
  protected checkNeurons(shape: Shape): void {
    checkPerNeuron("LIF", "beta", this.beta, shape);
    checkPerNeuron("LIF", "threshold", this.threshold, shape);
  }

  /** The state, read once; throws unless it is one for steps of this shape. */
  protected read(state: LIFState, shape: Shape): LIFState {
    const { v, refractory } = Object(state) as LIFState;
    checkState("LIF", "v", v, shape);
    checkState("LIF", "refractory", refractory, shape);
    if (this.neuron.hold > 0) checkCounters("LIF", refractory, this.neuron.hold);
    return { v, refractory };
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(LIF);
