import { allOrNothing, checkOptions, composed, emptyLike, emptySpikes, ready, scope } from "../engine/extend.ts";
import { Module, parameter, Tensor, zeros } from "../engine/index.ts";
import { checkCurrent, checkFire, checkState, type Fire } from "./checks.ts";
import { clamped, DECAY_OPTIONS, type DecayOptions, decayTensor } from "./decay.ts";
import { itself, lazy } from "./lazy.ts";
import { composeLif } from "./lif-composed.ts";
import { forwardPlain, isPlain, type Neuron, RESETS, resetState } from "./lif-kernels.ts";
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
  /** Steps after a spike in which v is held, no input counts and nothing fires; an integer ≥ 0, default 0. */
  refractorySteps?: number;
  /** How the spike is differentiated; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
  /** Learns the threshold; default false. */
  learnThreshold?: boolean;
  /**
   * false: the surrogate's smooth primitive takes the place of the spike, and all gradients, also those through the reset,
   * are exact. Default true.
   */
  spiking?: boolean;
}

/** The names of these. */
export const LIF_OPTIONS =
  `${DECAY_OPTIONS} threshold rest inputScale reset resetValue resetDelay detachReset fire refractorySteps ` +
  "surrogate learnThreshold spiking";

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
 * @throws RangeError if a fixed β lies outside [0, 1] (a learned one is clamped instead), a number is not finite or out of
 *   its range, both beta and tau are given, a choice is unknown, or `spiking: false` meets a surrogate without a primitive;
 *   TypeError for an option of another name, or a value in the place of options.
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
    checkOptions("LIF", options, LIF_OPTIONS);
    const { threshold = 1, learnBeta = false, learnThreshold = false, fire = "ge", reset = "zero" } = options;
    const surrogate = options.surrogate ?? sigmoid();
    checkSurrogate("LIF", surrogate);
    checkFire("LIF", fire);
    if (typeof RESETS[reset] !== "number")
      throw new RangeError(`LIF: expected reset "zero", "subtract" or "none", got ${JSON.stringify(reset)}`);
    const hold = options.refractorySteps ?? 0;
    if (!Number.isInteger(hold) || hold < 0)
      throw new RangeError(`LIF: refractorySteps must be an integer ≥ 0, got ${hold}`);
    this.spiking = options.spiking ?? true;
    if (!this.spiking && surrogate.primitive === null) {
      throw new RangeError(`LIF: spiking: false needs a surrogate with a primitive, got ${surrogate.name}`);
    }
    this.neuron = {
      reset: RESETS[reset],
      delayed: options.resetDelay === true ? 1 : 0,
      strict: fire === "gt" ? 1 : 0,
      resetValue: finite("resetValue", options.resetValue ?? 0),
      rest: finite("rest", options.rest ?? 0),
      inputScale: finite("inputScale", options.inputScale ?? 1),
      hold,
      attached: options.detachReset === false ? 1 : 0,
      surrogate,
    };
    checkThreshold(threshold);
    [this.beta, this.threshold] = allOrNothing(() => [
      decayTensor("LIF", options, learnBeta),
      persistentCopy("LIF", threshold),
    ]);
    if (learnThreshold) parameter(this.threshold);
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
    const isOwn = this.forward === LIF.prototype.forward;
    return isOwn ? composed(LIF.spikes, this, current, true) : this.forward(current);
  }

  private static spikes(lif: LIF, current: Tensor, over?: boolean): Tensor {
    if (!lif.spiking) return lif.unroll(current).spikes;
    lif.check(current);
    return runLif(lif.neuron, current, lif.decay(), lif.threshold, null, null, false, over).spikes;
  }

  /**
   * Spikes, membrane and state over time, [T, B, …], from a given state on, by default zero; all differentiable. What is not
   * read costs nothing. Outside of tapes, what was not read before `backward`, or before the spikes are disposed, goes with it.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step.
   */
  unroll(current: Tensor, state?: LIFState): LIFRecord {
    this.check(current, state);
    if (!this.spiking) return composeLif(this.neuron, current, this.decay(), this.threshold, state ?? null);
    const { v: v0 = null, refractory: r0 = null } = state ?? {};
    const run = runLif(this.neuron, current, this.decay(), this.threshold, v0, r0, true);
    const { spikes } = run;
    const v = lazy(spikes, () => stateOf(run), itself);
    const last = lazy(
      spikes,
      () => ({ v: v().select(0, -1), refractory: countersOf(run) ?? zeros(current.shape.slice(1)) }),
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
   * A step belongs inside `noGrad` or `tape`, with the state returned or kept, so that what it leaves behind is freed. For an
   * input without an end there is {@link Stream}.
   *
   * @throws RangeError as `unroll`.
   */
  step(current: Tensor, state: LIFState): [spikes: Tensor, state: LIFState] {
    if (this.spiking && isPlain(this.neuron) && !this.records(current, state.v)) return this.advance(current, state);
    const record = this.unroll(current.unsqueeze(0), state);
    return [record.spikes.reshape(current.shape), record.state];
  }

  /** Whether a step is recorded. */
  private records(current: Tensor, v: Tensor | undefined): boolean {
    const wanted = current.requiresGrad || v?.requiresGrad || this.beta.requiresGrad || this.threshold.requiresGrad;
    return scope.recording && wanted;
  }

  /** A step of a plain neuron that nobody will differentiate. */
  private advance(current: Tensor, state: LIFState): [spikes: Tensor, state: LIFState] {
    this.checkShape([1, ...current.shape], state);
    const { threshold, neuron } = this;
    const beta = this.decay();
    for (const t of [current, beta, threshold, state.v, state.refractory]) ready("LIF", t);
    const spikes = emptySpikes(current.shape);
    const v = emptyLike(current);
    const { ptr, size } = current;
    forwardPlain(neuron, v.ptr, spikes.bits, ptr, state.v.ptr, beta.ptr, beta.size, threshold, 1, size, 0, 0);
    resetState(neuron, v.ptr, spikes, threshold);
    return [spikes, { v, refractory: zeros(current.shape) }];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): LIFState {
    return { v: zeros(shape), refractory: zeros(shape) };
  }

  protected decay(): Tensor {
    return clamped(this.beta);
  }

  protected check(current: Tensor, state?: LIFState): void {
    checkCurrent("LIF", current);
    this.checkShape(current.shape, state);
  }

  /** Throws unless neurons and state fit a current [T, B, …]. */
  private checkShape(shape: readonly number[], state?: LIFState): void {
    checkPerNeuron("LIF", "beta", this.beta, shape);
    checkPerNeuron("LIF", "threshold", this.threshold, shape);
    if (state === undefined) return;
    checkState("LIF", "v", state.v, shape.slice(1));
    checkState("LIF", "refractory", state.refractory, shape.slice(1));
  }
}

function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`LIF: ${name} must be finite, got ${value}`);
  return value;
}

function checkThreshold(threshold: number | Tensor): void {
  if (threshold instanceof Tensor) for (const value of threshold.toFloat32Array()) finite("threshold", value);
  else finite("threshold", threshold);
}
