/** SpikingJelly's neurons in terms of this package. */
import {
  ExponentialIF,
  full,
  IF,
  Izhikevich,
  KLIF,
  LIF,
  type Module,
  ParametricLIF,
  QuadraticIF,
  type Surrogate,
  Synaptic,
  surrogate,
  type Tensor,
} from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import { lookUp, type NeuronGolden, type NeuronRun } from "./neurons.ts";

const { scaled } = surrogate;

/** Options of a surrogate by SpikingJelly's names; null, or none, is its default. */
type Attributes = Readonly<Record<string, number | string | boolean | null>>;

/** By SpikingJelly's names, with its defaults. */
const SURROGATES: Readonly<Record<string, (attributes: Readonly<Record<string, number>>) => Surrogate>> = {
  PiecewiseQuadratic: ({ alpha = 1 }) => surrogate.triangular({ width: 1 / alpha }),
  PiecewiseExp: ({ alpha = 1 }) => surrogate.piecewiseExp({ alpha }),
  Sigmoid: ({ alpha = 4 }) => surrogate.sigmoid({ slope: alpha }),
  SoftSign: ({ alpha = 2 }) => scaled(surrogate.fastSigmoid({ slope: alpha }), alpha / 2),
  SuperSpike: ({ alpha = 1 }) => scaled(surrogate.superSpike({ alpha: 1 }), alpha),
  ATan: ({ alpha = 2 }) => surrogate.atan({ alpha }),
  NonzeroSignLogAbs: ({ alpha = 1 }) => surrogate.nonzeroSignLogAbs({ alpha }),
  Erf: ({ alpha = 2 }) => surrogate.erf({ alpha }),
  PiecewiseLeakyReLU: ({ w = 1, c = 0.01 }) => surrogate.piecewiseLeakyReLU({ w, c }),
  SquarewaveFourierSeries: ({ n = 2, T_period = 8 }) => surrogate.squarewaveFourierSeries({ n, period: T_period }),
  S2NN: ({ alpha = 4, beta = 1 }) => surrogate.s2nn({ alpha, beta }),
  QPseudoSpike: ({ alpha = 2 }) => surrogate.qPseudoSpike({ alpha }),
  LeakyKReLU: ({ leak = 0, k = 1 }) => surrogate.leakyKReLU({ leak, k }),
  FakeNumericalGradient: ({ alpha = 0.3 }) => surrogate.fakeNumericalGradient({ alpha }),
  LogTailedReLU: ({ alpha = 0 }) => surrogate.logTailedReLU({ alpha }),
  Rect: ({ alpha = 1 }) => surrogate.boxcar({ width: 1 / alpha }),
  DeterministicPass: () => surrogate.straightThrough(),
};

/** The surrogate of SpikingJelly's name and attributes. */
export function spikingjellySurrogate(name: string, attributes: Attributes): Surrogate {
  const numbers = Object.entries(attributes).filter((pair): pair is [string, number] => typeof pair[1] === "number");
  return lookUp("surrogate", SURROGATES, name)(Object.fromEntries(numbers));
}

export interface SpikingJellyEntry extends NeuronGolden {
  readonly class: string;
  readonly note: string;
  readonly attrs: Readonly<Record<string, number | boolean | null>>;
  readonly surrogate: { readonly name: string } & Attributes;
  readonly params: GoldenTensors;
}

/** By the class's name. */
const CLASSES: Readonly<Record<string, (entry: SpikingJellyEntry) => object>> = {
  LIFNode: (entry) =>
    new LIF({
      ...common(entry),
      tau: numberAt(entry, "tau", 2),
      rest: resetAt(entry),
      inputScale: isOn(entry, "decay_input", true) ? "leak" : 1,
    }),
  IFNode: (entry) => new IF(common(entry)),
  ParametricLIFNode: (entry) =>
    new ParametricLIF({
      ...common(entry),
      w: toTensor(entry.params.w as GoldenTensor),
      rest: resetAt(entry),
      inputScale: isOn(entry, "decay_input", true) ? "leak" : "one",
    }),
  QIFNode: (entry) =>
    new QuadraticIF({
      ...common(entry),
      tau: numberAt(entry, "tau", 2),
      critical: numberAt(entry, "v_c", 0.8),
      a: numberAt(entry, "a0", 1),
      rest: numberAt(entry, "v_rest", 0),
    }),
  EIFNode: (entry) =>
    new ExponentialIF({
      ...common(entry),
      tau: numberAt(entry, "tau", 2),
      sharpness: numberAt(entry, "delta_T", 1),
      rheobase: numberAt(entry, "theta_rh", 0.8),
      rest: numberAt(entry, "v_rest", 0),
    }),
  KLIFNode: (entry) =>
    new KLIF({
      ...common(entry),
      beta: 1 - 1 / numberAt(entry, "tau", 2),
      k: toTensor(entry.params.k as GoldenTensor),
      learn: ["k"],
      rest: resetAt(entry),
      inputScale: isOn(entry, "decay_input", true) ? "leak" : "one",
      scaleReset: isOn(entry, "scale_reset", false),
    }),
  CUBALIFNode: (entry) =>
    new Synaptic({
      ...common(entry),
      alpha: numberAt(entry, "c_decay", 0.5),
      beta: numberAt(entry, "v_decay", 0.75),
    }),
  IzhikevichNode: (entry) => {
    const { reset, resetValue = 0, ...others } = common(entry);
    if (reset !== "zero") throw new Error(`${entry.name}: no Izhikevich neurons with the soft reset`);
    const tau = numberAt(entry, "tau", 2);
    const [rest, critical] = [numberAt(entry, "v_rest", -0.1), numberAt(entry, "v_c", 0.8)];
    const square = numberAt(entry, "a0", 1);
    return new Izhikevich({
      ...others,
      // a0·(v − v_rest)·(v − v_c), multiplied out.
      ...{ dt: 1 / tau, square, linear: -square * (rest + critical), bias: square * rest * critical },
      ...{ a: tau / numberAt(entry, "tau_w", 2), b: numberAt(entry, "a", 0), recoveryRest: rest },
      ...{ c: resetValue, d: numberAt(entry, "b", 0) },
    });
  },
};

/** v_reset, which is the resting value and the one at the start too; 0 for the soft reset. */
const resetAt = (entry: SpikingJellyEntry): number => (optionOf(entry, "v_reset") as number | null) ?? 0;

/** v_reset None is the soft reset. */
const resetOf = (entry: SpikingJellyEntry): { reset: "zero" | "subtract"; resetValue?: number } =>
  optionOf(entry, "v_reset") === null ? { reset: "subtract" } : { reset: "zero", resetValue: resetAt(entry) };

const common = (entry: SpikingJellyEntry) => ({
  numerics: "spikingjelly" as const,
  threshold: numberAt(entry, "v_threshold", 1),
  ...resetOf(entry),
  detachReset: isOn(entry, "detach_reset", false),
  surrogate: spikingjellySurrogate(entry.surrogate.name, entry.surrogate),
});

const numberAt = (entry: SpikingJellyEntry, name: string, usual: number): number => {
  const value = optionOf(entry, name) ?? usual;
  if (typeof value !== "number") throw new Error(`${entry.name}: expected a number ${name}, got ${value}`);
  return value;
};

const isOn = (entry: SpikingJellyEntry, name: string, usual: boolean): boolean =>
  (optionOf(entry, name) ?? usual) === true;

const WORDS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

/** An option, undefined where the peer's default holds; some stand in the note alone: "{'tau': 2.0, 'v_c': 0.8}, v_rest=0". */
function optionOf(
  { name: entry, attrs, note = "" }: SpikingJellyEntry,
  name: string,
): number | boolean | null | undefined {
  if (name in attrs) return attrs[name];
  const [, text] = new RegExp(`\\b${name}\\b['"]?\\s*[:=]\\s*([-+.\\w]+)`).exec(note) ?? [];
  if (text === undefined) return undefined;
  const value = text in WORDS ? WORDS[text] : Number(text);
  if (Number.isNaN(value)) throw new Error(`${entry}: expected a value of ${name} in the note, got ${note}`);
  return value;
}

/**
 * Whether gradients of an entry can be compared: with detach_reset, `IzhikevichNode` still lets them through v_reset and b, which
 * no option here does.
 */
export const hasGradients = (entry: SpikingJellyEntry): boolean =>
  entry.class !== "IzhikevichNode" ||
  !isOn(entry, "detach_reset", false) ||
  (resetAt(entry) === 0 && numberAt(entry, "b", 0) === 0);

interface Neurons extends Module {
  initialState(shape: readonly number[]): object;
  unroll(current: Tensor, state?: object): Readonly<Record<string, Tensor>>;
}

/** Runs the neurons of an entry from their own start, which lacks w_rest alone. */
export function runNeurons(entry: SpikingJellyEntry, input: Tensor): NeuronRun {
  const neurons = lookUp("neurons", CLASSES, entry.class)(entry) as Neurons;
  const shape = input.shape.slice(1);
  const rest = numberAt(entry, "w_rest", 0);
  const start = rest === 0 ? undefined : { ...neurons.initialState(shape), u: full(shape, rest) };
  const { spikes: spk = null, v = null, u: w = null, i: c = null } = neurons.unroll(input, start);
  return { outputs: { spk, v, w, c }, leaves: { input, ...Object.fromEntries(neurons.namedParameters()) } };
}
