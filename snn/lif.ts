import { choiceOf, numberOf, UNIT, withDefaults } from "../engine/arguments.ts";
import type { Value } from "../engine/fuse/index.ts";
import { type Tensor, zeros } from "../engine/index.ts";
import type { Shape } from "../engine/shape.ts";
import { RESETS } from "../kernels/reference/kinds.ts";
import { checkState, type Fire, IN_FLOAT32 } from "./checks.ts";
import { betaOf, DECAY, type DecayOptions } from "./decay.ts";
import { type PlainLIF, runPlain } from "./lif-op.ts";
import { type NeuronStep, Neurons } from "./neuron.ts";
import type { Firing } from "./neuron-step.ts";
import type { Surrogate } from "./surrogate.ts";

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
 * Shapes: current [T, B, …] → spikes [T, B, …]; β and θ [] or [N]. β is dimensionless, β = exp(−dt/tau); defaults β = 0.95, θ = 1,
 * reset "zero". Starts from v = 0. Backward replaces ds/du by the surrogate's derivative at u − θ. snnTorch's `Leaky` is fire "gt",
 * resetDelay, and by default reset "subtract". `String(lif)` shows the step with these options and its gradient.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] (a learned one is clamped instead), a number is not finite, beyond
 *   float32 or out of its range, both beta and tau are given, a choice is unknown, or `spiking: false` meets a surrogate
 *   without a primitive; TypeError for an option of another name or kind, or a value in the place of options.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class LIF extends Neurons {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  declare readonly beta: Tensor;
  /** θ, [] or [N]; a parameter if it is learned. */
  declare readonly threshold: Tensor;
  private readonly plain: PlainLIF | null;

  constructor(options: LIFOptions = {}) {
    const given = withDefaults("LIF", LIF_DEFAULTS, options);
    const { learnBeta, learnThreshold, threshold, surrogate, fire, refractorySteps, spiking } = given;
    const equation: Equation = {
      reset: choiceOf("LIF", "reset", given.reset, ["zero", "subtract", "none"]),
      resetValue: numberOf("LIF", "resetValue", given.resetValue, IN_FLOAT32),
      resetDelay: given.resetDelay,
      detachReset: given.detachReset,
      rest: numberOf("LIF", "rest", given.rest, IN_FLOAT32),
      inputScale: numberOf("LIF", "inputScale", given.inputScale, IN_FLOAT32),
    };
    super(
      {
        name: "LIF",
        states: ["v"],
        initial: [0],
        parameters: { beta: 0.95, threshold: 1 },
        reset: "v",
        areSaved: false,
        ranges: learnBeta ? {} : { beta: UNIT },
        step: stepOf(equation),
      },
      {
        beta: betaOf("LIF", given),
        threshold,
        learn: [...(learnBeta ? ["beta"] : []), ...(learnThreshold ? ["threshold"] : [])],
        constrain: learnBeta ? { beta: [0, 1] } : undefined,
        surrogate,
        fire,
        refractorySteps,
        spiking,
      },
    );
    this.plain = plainOf(equation, this.firing);
  }

  /** @internal */
  protected override plainly(current: Tensor, { beta, threshold }: Parameters, over: boolean): Tensor | null {
    return this.plain && runPlain(this.plain, current, beta as Tensor, threshold as Tensor, over);
  }

  /**
   * Spikes, membrane and state over time, [T, B, …], from a given state on, by default zero; all differentiable. Inside of tapes
   * what is not read costs nothing; what is read is computed by another forward run.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step and counters of at most refractorySteps; Error
   *   where an output is first read after the current, a state or a parameter was overwritten or freed.
   */
  override unroll(current: Tensor, state?: LIFState): LIFRecord {
    return super.unroll(current, state as never) as LIFRecord;
  }

  /**
   * One time step: current [B, …] → spikes [B, …] and the next state; the same bits as `forward`.
   *
   * A loop of steps belongs inside `noGrad` or `tape`, with the state returned or kept: it is faster there, and what one step
   * leaves for the next is freed. For an input without an end there is {@link Stream}.
   *
   * @throws RangeError as `unroll`.
   */
  override step(current: Tensor, state: LIFState): [spikes: Tensor, state: LIFState] {
    return super.step(current, state as never) as [Tensor, LIFState];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  override initialState(shape: readonly number[]): LIFState {
    return super.initialState(shape) as LIFState;
  }

  /** @internal */
  protected override read(state: never, shape: Shape): never {
    const own = super.read(state, shape);
    if (this.firing.hold === 0) checkState("LIF", "refractory", Object(state).refractory, shape);
    return own as never;
  }

  /**
   * The counters of neurons that are never held stay 0.
   *
   * @internal
   */
  override completed(state: Parameters): Parameters {
    return "refractory" in state ? state : { ...state, refractory: zeros((state.v as Tensor).sizes) };
  }
}

type Parameters = Readonly<Record<string, Tensor>>;

/** What the equation of a LIF depends on besides its parameters. */
type Equation = Pick<
  typeof LIF_DEFAULTS,
  "reset" | "resetValue" | "resetDelay" | "detachReset" | "rest" | "inputScale"
>;

/** The step of a LIF; options are resolved while it is traced, so that one that is not used costs nothing. */
const stepOf =
  ({ reset, resetValue, resetDelay, detachReset, rest, inputScale }: Equation) =>
  ({ current, v, beta, threshold, spike, late, select }: NeuronStep<"v" | "beta" | "threshold">) => {
    const seen = (s: Value): Value => (detachReset ? s.detach() : s);
    const isLate = resetDelay && reset !== "none";
    const due = isLate ? seen(late(v.sub(threshold))) : null;
    const before = due !== null && reset === "zero" ? select(due, resetValue, v) : v;
    const taken = due !== null && reset === "subtract" ? select(due, threshold, 0) : null;

    const decayed = rest === 0 ? before.mul(beta) : before.sub(rest).mul(beta).add(rest);
    const integrated = decayed.add(inputScale === 1 ? current : current.mul(inputScale));
    const u = taken === null ? integrated : integrated.sub(taken);
    const s = spike(u.sub(threshold));

    let after = u;
    if (!isLate && reset === "zero") after = select(seen(s), resetValue, u);
    if (!isLate && reset === "subtract") after = u.sub(select(seen(s), threshold, 0));
    return { spikes: s, membrane: u, v: after, held: taken === null ? before : before.sub(taken) };
  };

/** The numbers of the kernels of plain LIF; null where there is none for such neurons. */
function plainOf(equation: Equation, { surrogate, strict, hold, spiking }: Firing): PlainLIF | null {
  const { reset, resetValue, resetDelay, detachReset, rest, inputScale } = equation;
  const isPlain = hold === 0 && rest === 0 && inputScale === 1 && spiking && (detachReset || reset === "none");
  if (!isPlain || surrogate.kind < 0) return null;
  return { reset: RESETS[reset], resetValue, delayed: resetDelay ? 1 : 0, strict: strict ? 1 : 0, surrogate };
}
