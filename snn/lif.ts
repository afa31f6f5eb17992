import { choiceOf, numberOf, withDefaults, wrongType } from "../engine/arguments.ts";
import type { Value } from "../engine/fuse/index.ts";
import { type Tensor, zeros } from "../engine/index.ts";
import type { Shape } from "../engine/shape.ts";
import { RESETS } from "../kernels/reference/kinds.ts";
import { checkNeeds, checkState, type Fire, IN_FLOAT32 } from "./checks.ts";
import { betaOf, DECAY, type DecayOptions } from "./decay.ts";
import { boundsOf, noParameter, withPreset } from "./definition.ts";
import { type PlainLIF, runPlain } from "./lif-op.ts";
import { Neurons } from "./neuron.ts";
import { type Firing, GRADED } from "./neuron-step.ts";
import type { NeuronStep } from "./neuron-types.ts";
import { fired, RESET_NEEDS, type Reset } from "./reset.ts";
import type { Surrogate } from "./surrogate.ts";
import { atan, sigmoid, superSpike } from "./surrogates.ts";

/** Options of {@link LIF}. */
export interface LIFOptions extends DecayOptions {
  /** θ; a tensor [N] gives each neuron its own. Finite, default 1. */
  threshold?: number | Tensor;
  /** v decays towards it; finite, default 0. A tensor [N] gives each neuron its own, and makes it a parameter. */
  rest?: number | Tensor;
  /** v before the first step: 0 (the default), rest, or resetValue, which is 0 with other resets than "zero". */
  start?: "zero" | "rest" | "resetValue";
  /**
   * Factor of the current; finite, default 1. "leak" is 1 − β, with which a constant current I leads to v = rest + I. A tensor [N]
   * gives each neuron its own, and makes it a parameter.
   */
  inputScale?: number | Tensor | "leak";
  /** What a spike does to v: sets it to resetValue, takes θ off, or nothing. Default "zero". */
  reset?: "zero" | "subtract" | "none";
  /** The value of v after a reset to "zero", an error with other resets; finite, default 0. A tensor [N] gives each neuron its own value, and becomes a parameter. */
  resetValue?: number | Tensor;
  /** A floor under v, after the reset; finite, default none. A tensor [N] gives each neuron its own, and makes it a parameter. */
  lowerBound?: number | Tensor;
  /** The reset happens at the start of the next step instead of at the end of this one. Default false. */
  resetDelay?: boolean;
  /** A delayed reset to "zero" takes the input of its step too, as in snnTorch's RLeaky. Default false. */
  resetInput?: boolean;
  /** No gradient through the reset; default true. */
  detachReset?: boolean;
  /** Fires at u ≥ θ ("ge", the default) or u > θ ("gt"). */
  fire?: Fire;
  /** Steps after a spike in which v is held, no input counts and nothing fires; an integer in [0, 2²⁴], default 0. */
  refractorySteps?: number;
  /** "leak": in these steps, of which there must be some, v decays without input instead of being held, the default. */
  refractory?: "hold" | "leak";
  /** Graded spikes: spikes leave the layer times this factor; a number, or a tensor [] or [N]. Default: 0 and 1. */
  gradedSpikesFactor?: number | Tensor;
  /**
   * Winner takes all. true: in each step only the neuron of the last axis with the largest u − θ, of equal ones the first, may fire,
   * and the others are not reset; a delayed reset sees v alone. "output": all fire and are reset, but the spike of the winner alone
   * leaves the layer. Default false.
   */
  inhibition?: boolean | "output";
  /** How the spike is differentiated; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
  /** Learns the threshold; one for all neurons unless it is given as a tensor, such as ones([N]). Default false. */
  learnThreshold?: boolean;
  /** Names of further options that are learned, as parameters of these names. Default: none. */
  learn?: readonly LIFParameter[];
  /**
   * Bounds [low, high] of parameters. A learned value is stored raw and clamped in the forward pass, with zero gradient outside; a
   * fixed value outside is an error. Default: [0, 1] for beta.
   */
  constrain?: { readonly [name in LIFParameter]?: readonly [low: number, high: number] };
  /**
   * The options under which the neuron equals that of another package; explicit ones override them.
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
  numerics?: keyof typeof PRESETS;
  /**
   * false: the surrogate's smooth primitive takes the place of the spike, and all gradients, also those through the reset,
   * are exact. Default true.
   */
  spiking?: boolean;
}

/** Options of a LIF that can be learned. */
export type LIFParameter =
  | "beta"
  | "threshold"
  | "rest"
  | "inputScale"
  | "resetValue"
  | "lowerBound"
  | "gradedSpikesFactor";

type Start = NonNullable<LIFOptions["start"]>;

const PRESETS = {
  snntorch: { fire: "gt", reset: "subtract", resetDelay: true, surrogate: /* @__PURE__ */ atan() },
  norse: {
    start: "rest",
    decay: "euler",
    inputScale: "leak",
    fire: "gt",
    detachReset: false,
    surrogate: /* @__PURE__ */ superSpike(),
  },
  spikingjelly: {
    start: "resetValue",
    decay: "euler",
    inputScale: "leak",
    detachReset: false,
    surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }),
  },
  nir: { decay: "euler", inputScale: "leak", fire: "gt" },
  bindsnet: { start: "rest", threshold: 13, refractorySteps: 5, refractory: "leak" },
} as const satisfies Readonly<Record<string, LIFOptions>>;

/** β where neither it nor a time constant is given: τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly, 100 ms in BindsNET. */
const USUAL_BETA: Readonly<Record<string, number>> = { norse: 0.9, spikingjelly: 0.5, bindsnet: 0.990049834 };

/** The defaults of these. */
export const LIF_DEFAULTS = {
  ...DECAY,
  threshold: undefined as number | Tensor | undefined,
  rest: undefined as number | Tensor | undefined,
  inputScale: undefined as number | Tensor | "leak" | undefined,
  reset: "zero" as keyof typeof RESETS,
  start: "zero" as Start,
  resetValue: undefined as number | Tensor | undefined,
  lowerBound: undefined as number | Tensor | undefined,
  resetDelay: false,
  resetInput: false,
  detachReset: true,
  fire: "ge" as Fire,
  refractorySteps: 0,
  refractory: "hold" as "hold" | "leak",
  gradedSpikesFactor: undefined as number | Tensor | undefined,
  inhibition: undefined as boolean | "output" | undefined,
  surrogate: undefined as Surrogate | undefined,
  learnThreshold: false,
  learn: undefined as readonly LIFParameter[] | undefined,
  constrain: undefined as LIFOptions["constrain"],
  numerics: undefined as keyof typeof PRESETS | undefined,
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
    const read = withDefaults("LIF", LIF_DEFAULTS, options);
    const asked: Partial<typeof read> = { ...read };
    const given = withPreset("LIF", read, PRESETS);
    const { learnBeta, learnThreshold, threshold, surrogate, fire, refractorySteps, refractory, spiking } = given;
    const { gradedSpikesFactor, inhibition, numerics = "" } = given;
    const { learn: more = [], constrain: own = {} } = given;
    if (!Array.isArray(more)) throw wrongType("LIF", "learn as a list of parameters", more);
    const learn = [...(learnBeta ? ["beta"] : []), ...(learnThreshold ? ["threshold"] : []), ...more];
    const constrain = boundsOf("LIF", PARAMETERS, own);
    const named = [...learn, ...Object.keys(constrain)];
    if (GRADED in constrain && gradedSpikesFactor === undefined && !learn.includes(GRADED)) {
      throw noParameter("LIF", GRADED, gradedSpikesFactor);
    }
    const [extra, equation] = equationOf(given, named);
    const isAsked = (name: string): boolean =>
      named.includes(name) || (name in asked && asked[name as keyof typeof asked] !== false);
    checkNeeds("LIF", RESET_NEEDS, isAsked, equation);
    const { start } = equation;
    // Where no spike sets v to resetValue, it is 0.
    const from = start === "zero" ? 0 : equation[start];
    super(
      {
        name: "LIF",
        states: ["v"],
        initial: [from ?? ((parameters) => parameters[start])],
        parameters: { beta: 0.95, threshold: 1, ...extra } as Readonly<Record<string, number>>,
        reset: "v",
        chosen: equation as Pick<Equation, keyof Equation>,
        constrain: { beta: [0, 1] },
        step: stepOf(equation, refractorySteps > 0 && refractory === "hold"),
      },
      {
        beta: betaOf("LIF", given, USUAL_BETA[numerics], asked),
        threshold,
        ...extra,
        learn,
        constrain,
        surrogate,
        fire,
        refractorySteps,
        refractory: refractorySteps === 0 ? asked.refractory : refractory,
        gradedSpikesFactor,
        inhibition,
        spiking,
      },
    );
    this.plain = from === 0 ? plainOf(equation, this.firing) : null;
  }

  /** @internal */
  protected override plainly(current: Tensor, { beta, threshold }: Parameters, over: boolean): Tensor | null {
    const { plain, chosen } = this;
    // The kernels know no levels of states.
    if (plain === null || "levels" in chosen) return null;
    return runPlain(plain, current, beta as Tensor, threshold as Tensor, over);
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

/** The equation of a LIF besides its parameters: numbers, or null where there is a parameter of that name. */
interface Equation extends Reset {
  readonly rest: number | null;
  readonly start: Start;
  readonly inputScale: number | "leak" | null;
  readonly resetValue: number | null;
  /** undefined where there is none. */
  readonly lowerBound: number | null | undefined;
}

const USUAL = { rest: 0, inputScale: 1, resetValue: 0, lowerBound: undefined };

const PARAMETERS = ["beta", "threshold", ...Object.keys(USUAL), GRADED];

/**
 * The equation, and what of it are parameters, by name: tensors, and the `named` ones, which are learned or bounded. Other numbers are
 * part of the code.
 */
function equationOf(
  given: typeof LIF_DEFAULTS,
  named: readonly string[],
): [parameters: Record<string, number | Tensor>, equation: Equation] {
  const parameters: Record<string, number | Tensor> = {};
  const numbers: Record<string, number | null> = {};
  for (const [name, usual] of Object.entries(USUAL)) {
    const asked = given[name as keyof typeof USUAL];
    const value = asked === undefined ? usual : asked;
    if (value === "leak" || value === undefined) {
      if (named.includes(name)) throw noParameter("LIF", name, value);
      continue;
    }
    const isParameter = typeof value !== "number" || named.includes(name);
    numbers[name] = isParameter ? null : numberOf("LIF", name, value, IN_FLOAT32);
    if (isParameter) parameters[name] = value;
  }
  const { resetDelay, resetInput, detachReset } = given;
  const reset = choiceOf("LIF", "reset", given.reset, ["zero", "subtract", "none"]);
  const start = choiceOf("LIF", "start", given.start, ["zero", "rest", "resetValue"]);
  const choices = { start, reset, resetDelay, resetInput, detachReset };
  return [parameters, { inputScale: "leak", ...numbers, ...choices } as Equation];
}

/**
 * The step of a LIF, which is held in refractory steps or not. Options are resolved while the step is traced, so that one that is not
 * used costs nothing.
 */
const stepOf =
  ({ rest, inputScale, resetValue, lowerBound, ...choices }: Equation, isHeld: boolean) =>
  (argument: NeuronStep<"v" | "beta" | "threshold" | keyof typeof USUAL>) => {
    const { current, v, beta, threshold, constant, where } = argument;
    const at = rest ?? argument.rest;
    const decay = (x: Value): Value => (at === 0 ? x.mul(beta) : x.sub(at).mul(beta).add(at));
    const scale = inputScale === "leak" ? constant(1).sub(beta) : (inputScale ?? argument.inputScale);
    const input = scale === 1 ? current : current.mul(scale);
    const membrane = { v, threshold, resetValue: resetValue ?? argument.resetValue, decay, input };
    const all = fired(argument, choices, membrane);
    if (lowerBound === undefined) return all;
    const low = lowerBound ?? argument.lowerBound;
    const bounded = { ...all, v: all.v.maximum(low), leaked: all.leaked.maximum(low) };
    if (!isHeld || !choices.resetDelay || choices.reset === "none") return bounded;
    // A late reset may fall below; else v is held, also at the floor, where a maximum would halve its gradient.
    return { ...bounded, held: where(all.held.lt(low), low, all.held) };
  };

/** The numbers of the kernels of plain LIF; null where there is none for such neurons. */
function plainOf(equation: Equation, firing: Firing): PlainLIF | null {
  const { reset, resetValue, resetDelay, resetInput, detachReset, rest, inputScale, lowerBound } = equation;
  const { surrogate, strict, hold, isGraded, inhibition, spiking } = firing;
  if (hold > 0 || isGraded || !spiking) return null;
  if (rest !== 0 || inputScale !== 1 || resetValue === null || lowerBound !== undefined) return null;
  if (!(detachReset || reset === "none") || surrogate.kind < 0) return null;
  if (inhibition !== null || (resetInput && resetDelay && reset === "zero")) return null;
  return { reset: RESETS[reset], resetValue, delayed: resetDelay ? 1 : 0, strict: strict ? 1 : 0, surrogate };
}
