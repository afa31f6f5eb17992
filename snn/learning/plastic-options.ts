/** Options, states and events of a plastic connection: types, defaults and checks. */
import {
  COUNT,
  isPlain,
  listOf,
  NUMBER,
  numberOf,
  numbersOf,
  objectOf,
  type Range,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { ready } from "../../engine/extend.ts";
import { exp, full, noGrad, Tensor } from "../../engine/index.ts";
import { rootOf } from "../../engine/lasting.ts";
import { formatShape, type Shape, sameShape } from "../../engine/shape.ts";
import { checkNotUsedUp, IN_FLOAT32 } from "../layer/checks.ts";
import { persistentCopy } from "../layer/per-neuron.ts";
import type { Rule } from "./plasticity.ts";
import type { Spiking } from "./synapses.ts";

/** Options of {@link Plastic}. */
export interface PlasticOptions {
  /** Bounds [low, high] that weights are clamped to. Default none. */
  bounds?: readonly [low: number, high: number];
  /**
   * Σ_i |w_ji| to which {@link Plastic.normalize} scales the weights of each postsynaptic neuron, a number or a tensor [out]. The connection
   * normalizes after every step that applies its changes, or after each `every`-th of them; with `every: Infinity` never. Default none.
   */
  normalize?: number | Tensor | { readonly sum: number | Tensor; readonly every?: number };
  /** Whether the changes of the samples of a batch are summed or averaged. Default "sum". */
  reduction?: "sum" | "mean";
  /** Decay of all weights, which are multiplied by 1 − weightDecay after each step that applies its changes. Default 0. */
  weightDecay?: number;
}

export const DEFAULTS = {
  bounds: undefined as readonly [number, number] | undefined,
  normalize: undefined as PlasticOptions["normalize"],
  reduction: "sum" as "sum" | "mean",
  weightDecay: 0,
};

/** Checked options; for `normalize`, the number of steps in between, and the sum or null. */
export interface CheckedOptions {
  readonly bounds: readonly [number, number];
  readonly sum: Tensor | null;
  readonly every: number;
  readonly reduction: "sum" | "mean";
  readonly weightDecay: number;
}

/** Options of {@link Plastic.step}. */
export interface PlasticStepOptions {
  /** Reward of this step: a number, or one for each sample of the batch. Default none: the rule's `onReward` does not run. */
  reward?: number | ArrayLike<number> | Tensor | undefined;
  /** false accumulates the changes until the next step that applies them. Default true. */
  apply?: boolean;
}

export const STEP_DEFAULTS = { reward: undefined as PlasticStepOptions["reward"], apply: true };

/** State of a connection between steps. {@link Plastic.step} reuses the memory of its tensors. */
export interface PlasticState {
  /** Traces by name, in the shape of the pre- or postsynaptic spikes. */
  readonly traces: Readonly<Record<string, Tensor>>;
  /** Synaptic states by name, [B, out, in], or [B, out, in·kernel] for a convolution; multiply them by `scales`. */
  readonly synapses: Readonly<Record<string, Tensor>>;
  /** Factor of each synaptic state: the decay that all its synapses share. */
  readonly scales: Readonly<Record<string, number>>;
  /** Time since the start, in the unit of dt. */
  readonly time: number;
  /**
   * Neurons that spiked in the last step, for states that last one step.
   *
   * @internal
   */
  readonly last: readonly Spiking[] | null;
}

/** A state that is written in place. */
export type WorkingState = Pick<PlasticState, "traces" | "synapses"> & {
  readonly scales: Record<string, number>;
  time: number;
  last: readonly Spiking[] | null;
};

/**
 * A working copy of a state with the tensors of the rule, to be written in place. Reads each value once.
 *
 * @throws TypeError for anything but a state.
 */
export function workingState(where: string, { traces, synapse }: Rule, state: PlasticState): WorkingState {
  const given = Object(state) as PlasticState;
  return {
    traces: picked<Tensor>(where, "traces", given, traces),
    synapses: picked<Tensor>(where, "synapses", given, synapse),
    scales: picked<number>(where, "scales", given, synapse),
    time: given.time,
    last: given.last ?? null,
  };
}

/** Selects the values of these names from a part of a state. Runs in every step, so it makes no lists. */
function picked<T>(
  where: string,
  part: "traces" | "synapses" | "scales",
  state: PlasticState,
  names: readonly { readonly name: string }[],
): Record<string, T> {
  const all = state[part] as unknown;
  if (typeof all !== "object" || all === null) objectOf(where, `${part} of the state by name`, all);
  const own: Record<string, T> = {};
  for (let i = 0; i < names.length; i++) {
    const { name } = names[i] as { readonly name: string };
    own[name] = (all as Readonly<Record<string, T>>)[name] as T;
  }
  return own;
}

/** An event of {@link Plastic.events}: spikes of all pre- or all postsynaptic neurons, or of the neurons with these indices. */
export type PlasticEvent =
  | "pre"
  | "post"
  | "both"
  | {
      /** Index of the presynaptic neuron that spikes, or a list of indices. Default none. */
      readonly pre?: number | readonly number[];
      /** Index of the postsynaptic neuron that spikes, or a list of indices. Default none. */
      readonly post?: number | readonly number[];
      /** Reward at this time. Default none. */
      readonly reward?: number;
    };

export const NO_BOUNDS = [-Infinity, Infinity] as const;

/** e^(−Δt/τ). */
export const decayOver = (elapsed: number, tau: number): number => noGrad(() => exp(full([], -elapsed / tau)).item());

export function weightBounds(bounds: unknown): readonly [number, number] {
  if (bounds === undefined) return NO_BOUNDS;
  if (!Array.isArray(bounds)) throw wrongType("Plastic", "bounds [low, high]", bounds);
  const [low, high] = listOf("Plastic", "bounds", bounds, NUMBER, 2) as [number, number];
  if (Math.fround(low) >= Math.fround(high))
    throw wrongValue("Plastic", "bounds [low, high] with low < high", show(bounds));
  return [low, high];
}

const NORM_DEFAULTS = { sum: undefined as number | Tensor | undefined, every: 1 };

/** The sum, and the number of steps between normalizations. */
export function weightNorm(normalize: PlasticOptions["normalize"]): [sum: Tensor | null, every: number] {
  if (normalize === undefined) return [null, 1];
  const sumOf = (name: string, sum: number | Tensor | undefined) =>
    noGrad(() => persistentCopy("Plastic", name, sum as number | Tensor, POSITIVE_IN_FLOAT32));
  if (typeof normalize === "number" || normalize instanceof Tensor) return [sumOf("normalize", normalize), 1];
  const { sum, every } = withDefaults("Plastic: normalize", NORM_DEFAULTS, normalize);
  if (every !== Infinity) numberOf("Plastic", "normalize.every", every, COUNT);
  return [sumOf("normalize.sum", sum), every];
}

const POSITIVE_IN_FLOAT32: Range = {
  expected: "positive in float32",
  fits: (x) => Math.fround(x) > 0 && IN_FLOAT32.fits(x),
};

export function rewardsOf(where: string, reward: unknown, batch: number): number[] {
  if (typeof reward === "number") return new Array(batch).fill(numberOf(where, "reward", reward, IN_FLOAT32));
  const values = reward instanceof Tensor ? reward.toFloat32Array() : numbersOf(where, "reward as numbers", reward);
  if (values.length !== batch)
    throw wrongValue(where, `a reward, or ${batch} of them, one for each sample`, values.length);
  return Array.from(values, (value, b) => numberOf(where, `reward[${b}]`, value, IN_FLOAT32));
}

/** Throws unless a state has this tensor in this shape, in memory that it shares with no tensor seen before. */
export function checkStateTensor(
  where: string,
  kind: "traces" | "synapses",
  name: string,
  t: unknown,
  shape: Shape,
  seen: Tensor[],
): void {
  if (!(t instanceof Tensor)) throw wrongType(where, `a state with ${kind}.${name}, from initialState`, t);
  checkNotUsedUp(where, t);
  ready(where, t);
  if (!sameShape(t.sizes, shape)) {
    throw wrongValue(where, `${kind}.${name} of the state ${formatShape(shape)}`, formatShape(t.sizes));
  }
  const owner = rootOf(t);
  if (seen.includes(owner)) {
    throw wrongValue(where, `a tensor of its own for ${kind}.${name} of the state`, "one that is there already");
  }
  seen.push(owner);
}

const EVENT_DEFAULTS = { pre: undefined as unknown, post: undefined as unknown, reward: undefined as unknown };

/** Pre- and postsynaptic neurons that spike at an event, and the reward. */
export function eventOf(where: string, kind: unknown, inputs: number, outputs: number) {
  const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  if (kind === "pre") return { pre: all(inputs), post: [], reward: null };
  if (kind === "post") return { pre: [], post: all(outputs), reward: null };
  if (kind === "both") return { pre: all(inputs), post: all(outputs), reward: null };
  if (!isPlain(kind)) {
    const expected = '"pre", "post", "both" or { pre, post, reward }';
    throw typeof kind === "string" ? wrongValue(where, expected, show(kind)) : wrongType(where, expected, kind);
  }
  const { pre, post, reward } = withDefaults(where, EVENT_DEFAULTS, kind);
  const list = (name: string, given: unknown, n: number): number[] => {
    if (given === undefined) return [];
    return listOf(where, name, typeof given === "number" ? [given] : given, {
      expected: `an integer in [0, ${n - 1}]`,
      fits: (i) => Number.isInteger(i) && i >= 0 && i < n,
    });
  };
  return {
    pre: list("pre", pre, inputs),
    post: list("post", post, outputs),
    reward: reward === undefined ? null : numberOf(where, "reward", reward, IN_FLOAT32),
  };
}
