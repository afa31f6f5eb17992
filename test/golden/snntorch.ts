/** snnTorch's Leaky neuron and its surrogates in terms of this package. */
import { clamp, neuron, type Surrogate, surrogate, type Tensor } from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import type { NamedEntry } from "../support/golden-suite.ts";
import type { NeuronGolden, NeuronRun } from "./neurons.ts";

/** Surrogates by snnTorch's names, with its parameters in their order and its defaults. */
const SURROGATES: Readonly<Record<string, (...parameters: number[]) => Surrogate>> = {
  atan: (alpha = 2) => surrogate.atan({ alpha }),
  fast_sigmoid: (slope = 25) => surrogate.fastSigmoid({ slope }),
  sigmoid: (slope = 25) => surrogate.sigmoid({ slope }),
  straight_through: () => surrogate.straightThrough(),
  straight_through_estimator: () => surrogate.straightThrough(),
  heaviside: () => surrogate.heaviside(),
  // As shipped: +threshold below, −threshold from 0 on; not a triangle.
  triangular: (threshold = 1) =>
    surrogate.custom({
      derivative: (x) =>
        x
          .ge(0)
          .mul(-2 * threshold)
          .add(threshold),
    }),
  SFS: (slope = 25, bound = 1) => surrogate.sparseFastSigmoid({ slope, bound }),
  spike_rate_escape: (beta = 1, slope = 25) => surrogate.spikeRateEscape({ beta, slope }),
};

/** The surrogate of a name and its parameters, in snnTorch's order. */
export function snntorchSurrogate(name: string, parameters: Readonly<Record<string, number>>): Surrogate {
  const make = SURROGATES[name];
  if (make === undefined) throw new Error(`no surrogate for ${JSON.stringify(name)}`);
  return make(...Object.values(parameters));
}

/** No gradient through spikes. */
export const noSurrogate = surrogate.custom({ derivative: () => 0 });

/** The surrogate of a name such as "atan" or "fast_sigmoid25". */
export function surrogateOf(text: string): Surrogate {
  const [, name = "", parameter] = /^(\D*?)(-?[\d.]+)?$/.exec(text) ?? [];
  const make = SURROGATES[name];
  if (make === undefined) throw new Error(`no surrogate for ${JSON.stringify(text)}`);
  return parameter === undefined ? make() : make(Number(parameter));
}

/** An entry of a file of neurons. */
export interface SnnTorchEntry extends NamedEntry, NeuronGolden {
  readonly class: string;
  readonly surrogate: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Fixed quantities; learned ones are in params. */
  readonly buffers?: GoldenTensors;
  readonly params: GoldenTensors;
  /** By the peer's names of states; null for zeros. */
  readonly init_state?: GoldenTensors | null;
}

/** The layer that a test makes of an entry, and the names that the layer shares with the peer's. */
export interface Counterpart {
  readonly layer: Unrolling;
  /** Our names of the peer's states. */
  readonly states: Readonly<Record<string, string>>;
  /** Leaves by the peer's names. */
  readonly parameters: Readonly<Record<string, Tensor>>;
}

interface Unrolling {
  unroll(x: Tensor, state?: never): object;
  initialState(shape: readonly number[]): object;
}

/** Options of the peer's constructors that all neurons have, by our names; `optionsOf` knows how to read them. */
const COMMON = {
  reset_mechanism: "reset",
  reset_delay: "resetDelay",
  inhibition: "inhibition",
} as const;

/** Keyword arguments that say what the buffers and params hold, or which of these are learned. */
const IMPLIED = ["threshold", "graded_spikes_factor", "surrogate_disable"];

/** Our names of the peer's quantities. */
const QUANTITIES: Readonly<Record<string, string>> = {
  threshold: "threshold",
  beta: "beta",
  alpha: "alpha",
  graded_spikes_factor: "gradedSpikesFactor",
};

/**
 * Options of a neuron from an entry: those named here by their quantities in the file, learned where it says so.
 *
 * @throws Error for a keyword argument without a counterpart.
 */
export function optionsOf(
  { name, kwargs, buffers = {}, params, surrogate: kind }: SnnTorchEntry,
  quantities: readonly string[],
  others: readonly string[] = [],
): Record<string, unknown> {
  const options: Record<string, unknown> = { numerics: "snntorch", surrogate: surrogateOf(kind) };
  if (kwargs.surrogate_disable === true) options.surrogate = noSurrogate;
  const known = [...Object.keys(COMMON), ...IMPLIED, ...quantities, ...quantities.map((q) => `learn_${q}`), ...others];
  const unknown = Object.keys(kwargs).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${name}: no counterpart of ${unknown.join(", ")}`);
  for (const [key, option] of Object.entries(COMMON)) if (key in kwargs) options[option] = kwargs[key];
  // The delayed reset is detached, the immediate one is not.
  options.detachReset = kwargs.reset_delay !== false;
  const learn: string[] = [];
  for (const quantity of quantities) {
    const golden = params[quantity] ?? buffers[quantity];
    if (golden === undefined) continue;
    // Where neurons compete the peer forgets the factor.
    if (quantity === "graded_spikes_factor" && kwargs.inhibition === true) continue;
    const t = toTensor(golden);
    const isLearned = quantity in params;
    const option = QUANTITIES[quantity] as string;
    if (isLearned) learn.push(option);
    // A fixed decay outside [0, 1] is an error here; the peer clamps it.
    options[option] = isLearned || !["alpha", "beta"].includes(quantity) ? t : clamp(t, 0, 1);
  }
  return { ...options, learn };
}

/** Runs the counterpart of an entry, from its initial state. */
export function runOf(
  { init_state: init, kwargs, outputs: expected, input: { shape } }: SnnTorchEntry,
  input: Tensor,
  { layer, states, parameters }: Counterpart,
): NeuronRun {
  const leaves: Record<string, Tensor> = { input, ...parameters };
  const named: Readonly<Record<string, string>> = { spk: "spikes", ...states };
  let from: Record<string, Tensor> | undefined;
  if (init) {
    from = { ...(layer.initialState(shape.slice(1)) as Record<string, Tensor>) };
    for (const [name, golden] of Object.entries(init)) {
      const t = toTensor(golden, true);
      leaves[`init_${name}`] = t;
      from[named[name] as string] = t;
    }
  }
  const record = layer.unroll(input, from as never) as Record<string, Tensor>;
  // The peer's mem is that before the reset, where this comes a step late.
  const ours = { ...named, mem: kwargs.reset_delay === false ? "v" : "membrane" };
  const outputs = Object.keys(expected).map(
    (name) => [name, record[ours[name as keyof typeof ours]] as Tensor] as const,
  );
  return { outputs: Object.fromEntries(outputs), leaves };
}

/**
 * Neurons of snnTorch with reset_delay false in the modes that our neurons do not have. The reset R of the state comes first, as it
 * would a step late, and after the spike s the rest of the reset, s/d − R:
 *
 *   u[t] = β·v[t−1] + I[t] − θ·R                v[t] = u[t] − θ·(s[t]/d − R)     ("subtract")
 *   u[t] = β·(1 − R)·v[t−1] + I[t]              v[t] = u[t] − u[t]·(s[t]/d − R)  ("zero")
 *   u[t] = (1 − R)·(β·v[t−1] + I[t])            the same                         ("zero" with resetInput)
 *
 * A membrane that is still above the threshold after its reset is reset again before it may fire, and the gradient flows through the
 * second part. d is 1, but for graded spikes with inhibition, whose factor divides spikes that it has not multiplied.
 */
export const AtOnce = neuron({
  name: "AtOnce",
  state: { i: 0, v: 0 },
  parameters: { alpha: 0, beta: 0.5, threshold: 1, divisor: 1 },
  choices: { reset: ["subtract", "zero"], resetInput: false },
  step({ current, i, v, alpha, beta, threshold, divisor, spike, late }, { reset, resetInput }) {
    const input = i.mul(alpha).add(current);
    const pending = late(v.sub(threshold)).detach();
    const kept = pending.neg().add(1);
    const isZero = reset === "zero";
    let u = (isZero && !resetInput ? v.mul(kept) : v).mul(beta).add(input);
    if (isZero && resetInput) u = u.mul(kept);
    if (!isZero) u = u.sub(threshold.mul(pending));
    const s = spike(u.sub(threshold));
    const due = s.div(divisor).sub(pending);
    return { spikes: s, membrane: u, i: input, v: u.sub(due.mul(isZero ? u : threshold)) };
  },
});

/** The options that this neuron has, of an entry. */
export function atOnce(entry: SnnTorchEntry, options: Record<string, unknown>): InstanceType<typeof AtOnce> {
  const { surrogate: kind, alpha, beta, threshold, gradedSpikesFactor, inhibition, reset, learn } = options;
  const known = { surrogate: kind, alpha, beta, threshold, gradedSpikesFactor, inhibition, reset, fire: "gt" };
  const factor = isRivals(entry) ? factorOf(entry) : undefined;
  const isLearned = factor !== undefined && "graded_spikes_factor" in entry.params;
  return new AtOnce({
    ...known,
    ...(factor === undefined ? {} : { divisor: toTensor(factor) }),
    learn: [...(learn as readonly string[]), ...(isLearned ? ["divisor"] : [])],
    resetInput: entry.class !== "Leaky",
  } as never);
}

/** Whether an entry has such a mode: one to "zero" differs where a state is reset that the step before has left above the threshold. */
export function isAtOnce(entry: SnnTorchEntry): boolean {
  const { reset_delay: isLate, reset_mechanism: reset = "subtract" } = entry.kwargs;
  if (isLate !== false || reset === "none") return false;
  return reset === "subtract" || isRivals(entry) || entry.init_state?.mem !== undefined;
}

/** Whether the largest membrane alone may fire. */
const isRivals = ({ kwargs }: SnnTorchEntry): boolean => kwargs.inhibition === true;

const factorOf = ({ params, buffers = {} }: SnnTorchEntry): GoldenTensor | undefined =>
  params.graded_spikes_factor ?? buffers.graded_spikes_factor;

/** The entry without options that the peer takes and ignores. */
export function without(entry: SnnTorchEntry, ...ignored: readonly string[]): SnnTorchEntry {
  const kwargs = Object.entries(entry.kwargs).filter(([key]) => !ignored.includes(key));
  return { ...entry, kwargs: Object.fromEntries(kwargs) };
}

/** Faults of the peer, for the page on conformance. */
export const AT_ONCE =
  "a membrane that is above the threshold after its reset loses the threshold a second time before it may fire; composed in the test";
/** The same of other options. */
export const AT_ONCE_ZERO = {
  'reset_delay false, "zero", inhibition or an initial membrane':
    "a state that is above the threshold is set to zero before its step too; composed in the test",
};
