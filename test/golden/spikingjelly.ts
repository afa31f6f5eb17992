/** SpikingJelly's neurons in terms of this package. */
import {
  ExponentialIF,
  full,
  IF,
  LIF,
  type Module,
  ParametricLIF,
  QuadraticIF,
  type Surrogate,
  surrogate,
  type Tensor,
  zeros,
} from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import type { NeuronGolden, NeuronRun } from "./neurons.ts";

export interface SpikingJellyEntry extends NeuronGolden {
  readonly class: string;
  readonly note: string;
  readonly attrs: Readonly<Record<string, number | boolean | null>>;
  readonly surrogate: { readonly name: string; readonly alpha: number };
  readonly params: GoldenTensors;
}

/** By the class's name. */
const CLASSES: Readonly<Record<string, (entry: SpikingJellyEntry) => object>> = {
  LIFNode: (entry) =>
    new LIF({
      numerics: "spikingjelly",
      ...common(entry),
      tau: numberAt(entry, "tau"),
      rest: resetAt(entry),
      inputScale: entry.attrs.decay_input === true ? "leak" : 1,
    }),
  IFNode: (entry) => new IF({ numerics: "spikingjelly", ...common(entry) }),
  ParametricLIFNode: (entry) =>
    new ParametricLIF({
      numerics: "spikingjelly",
      ...common(entry),
      w: toTensor(entry.params.w as GoldenTensor),
      rest: resetAt(entry),
      inputScale: entry.attrs.decay_input === true ? "leak" : "one",
    }),
  QIFNode: (entry) =>
    new QuadraticIF({
      numerics: "spikingjelly",
      ...common(entry),
      tau: numberAt(entry, "tau"),
      critical: noted(entry, "v_c"),
      a: noted(entry, "a0"),
    }),
  EIFNode: (entry) =>
    new ExponentialIF({
      numerics: "spikingjelly",
      ...common(entry),
      tau: numberAt(entry, "tau"),
      sharpness: noted(entry, "delta_T"),
      rheobase: noted(entry, "theta_rh"),
    }),
};

/** v_reset, which is the resting value and the one at the start too; 0 for the soft reset. */
const resetAt = ({ attrs }: SpikingJellyEntry): number => (attrs.v_reset as number | null) ?? 0;

/** v_reset None is the soft reset. */
const resetOf = (entry: SpikingJellyEntry): { reset: "zero" | "subtract"; resetValue?: number } =>
  entry.attrs.v_reset === null ? { reset: "subtract" } : { reset: "zero", resetValue: numberAt(entry, "v_reset") };

const common = (entry: SpikingJellyEntry) => ({
  threshold: numberAt(entry, "v_threshold"),
  ...resetOf(entry),
  detachReset: entry.attrs.detach_reset === true,
  surrogate: surrogateOf(entry.surrogate),
});

function numberAt({ name: entry, attrs }: SpikingJellyEntry, name: string): number {
  const value = attrs[name];
  if (typeof value !== "number") throw new Error(`${entry}: expected a number ${name}, got ${value}`);
  return value;
}

/** Some options stand in the note alone: "{'tau': 2.0, 'v_c': 0.8}". */
function noted({ name: entry, note }: SpikingJellyEntry, name: string): number {
  const [, value] = new RegExp(`'${name}': ([-\\d.e]+)`).exec(note) ?? [];
  if (value === undefined) throw new Error(`${entry}: expected ${name} in the note, got ${note}`);
  return Number(value);
}

export function surrogateOf({ name, alpha }: { readonly name: string; readonly alpha: number }): Surrogate {
  if (name === "Sigmoid") return surrogate.sigmoid({ slope: alpha });
  if (name === "ATan") return surrogate.atan({ alpha });
  throw new Error(`no surrogate for ${name}`);
}

interface Neurons extends Module {
  unroll(current: Tensor, state: object): Readonly<Record<string, Tensor>>;
}

/** Runs the neurons of an entry. */
export function runNeurons(entry: SpikingJellyEntry, input: Tensor): NeuronRun {
  const make = CLASSES[entry.class];
  if (make === undefined) throw new Error(`${entry.name}: no neurons for ${entry.class}`);
  const neurons = make(entry) as Neurons;
  const shape = input.shape.slice(1);
  const { spikes: spk = null, v = null } = neurons.unroll(input, {
    v: full(shape, resetAt(entry)),
    refractory: zeros(shape),
  });
  return { outputs: { spk, v }, leaves: { input, ...Object.fromEntries(neurons.namedParameters()) } };
}
