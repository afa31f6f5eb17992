/** Finds reasons why a network does not learn in a recording of one batch, and explains them in words. */
import { functionOf, joined, NOT_NEGATIVE, numberOf, POSITIVE, UNIT, withDefaults } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type FitOptions, type Module, noGrad, Tensor } from "../../engine/index.ts";
import { defaultGenerator } from "../../engine/protocol.ts";
import { sameShape } from "../../engine/shape.ts";
import type { FiringRateOptions, LayerNorms } from "./probes.ts";
import { checkRates, gradientNorms, namedLayers, RATES, rateOf } from "./probes.ts";
import { type LayerRecording, type Recording, recordOf } from "./record.ts";

/** Options of {@link diagnose}. */
export interface DiagnoseOptions extends FiringRateOptions {
  /** Loss of the output, one number, as in training. */
  loss: (output: Tensor) => Tensor;
  /** Makes the input of the model from x, as in `fit`; by default x is the input. */
  encode?: FitOptions["encode"];
  /** Share of silent neurons at which a layer counts as dead, in [0, 1]; default 0.9. */
  deadShare?: number;
  /** Share of saturated neurons at which a layer counts as saturated, in [0, 1]; default 0.5. */
  saturatedShare?: number;
  /**
   * A layer counts as unsupported if a smaller share of its neurons and steps passes a gradient; in [0, 1], default
   * 0.005.
   */
  passingShare?: number;
  /**
   * Gradients vanish if their norm is below this share of the norm at the layer next to the loss or, in recurrent layers, in the last steps; ≥ 0,
   * default 1e-4.
   */
  vanishing?: number;
  /** Gradients explode if their norm is above this multiple of the same norm; > 0, default 1e3. */
  exploding?: number;
}

const DEFAULTS = joined(RATES, {
  loss: null as unknown as DiagnoseOptions["loss"],
  encode: undefined as DiagnoseOptions["encode"],
  deadShare: 0.9,
  saturatedShare: 0.5,
  passingShare: 0.005,
  vanishing: 1e-4,
  exploding: 1e3,
}) satisfies Record<keyof DiagnoseOptions, unknown>;

/**
 * A reason why a network does not learn.
 *
 * - `nan`: a value is infinite or NaN from this place on
 * - `clamped`: `encode` makes the same spikes from different values above 1
 * - `dead`: almost no neuron fires
 * - `saturated`: most neurons fire in almost every step
 * - `disconnected`: no gradient arrives at the layer
 * - `unsupported`: a gradient arrives, but almost all membranes lie where the surrogate's derivative is 0
 * - `vanishing`, `exploding`: gradients become too small or too large towards the input or the first steps
 */
export type Trouble =
  | "nan"
  | "clamped"
  | "dead"
  | "saturated"
  | "disconnected"
  | "unsupported"
  | "vanishing"
  | "exploding";

/** A finding: a kind of trouble, with its numbers and a remedy. */
export interface Finding {
  /** The kind of trouble. */
  readonly trouble: Trouble;
  /** Name of the layer; for `nan` possibly a parameter, `input` or `loss`; for `clamped` `input`. */
  readonly layer: string;
  /** The reason in words, with numbers. */
  readonly reason: string;
  /** A remedy in words. */
  readonly advice: string;
}

/** Minimum, mean and maximum of some values. */
export interface Extent {
  /** The least value. */
  readonly min: number;
  /** The mean. */
  readonly mean: number;
  /** The largest value. */
  readonly max: number;
}

/** Numbers of a layer; null for values that it does not have. */
export interface LayerDiagnosis {
  /** The class of the layer. */
  readonly kind: string;
  /** Number of neurons. */
  readonly neurons: number;
  /** Spikes per step and neuron. */
  readonly rate: number | null;
  /** Share of silent neurons. */
  readonly silent: number | null;
  /** Share of saturated neurons. */
  readonly saturated: number | null;
  /** I, the current. */
  readonly current: Extent | null;
  /** u, the membrane. */
  readonly membrane: Extent | null;
  /** Mean θ, if the neurons have a threshold. */
  readonly threshold: number | null;
  /** √(‖∂L/∂s‖² + ‖∂L/∂u‖²): norm of the gradients that arrive. */
  readonly arriving: number;
  /** ‖∂L/∂I‖: norm of the gradient that the neurons pass on. */
  readonly leaving: number;
  /** Share of steps and neurons in which ∂L/∂I is not 0. */
  readonly passing: number;
  /** ‖∂L/∂I[t]‖ for each step. */
  readonly steps: Float64Array;
}

/** Result of {@link diagnose}; `String(diagnosis)` is a text. */
export interface Diagnosis {
  /** Whether there are no findings. */
  readonly healthy: boolean;
  /** Findings, from the input to the loss. */
  readonly findings: readonly Finding[];
  /** Names of layers in the order of their first run. */
  readonly order: readonly string[];
  /** Numbers of all layers by name. */
  readonly layers: Readonly<Record<string, LayerDiagnosis>>;
  /** Norms of the gradients of parameters by name; 0 without a gradient. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The loss. */
  readonly loss: number;
  /** Share of the values of x outside [0, 1], which rate and latency encoders clamp; null without `encode`. */
  readonly beyondUnit: number | null;
  /** A table of the layers, and the findings in words. */
  toString(): string;
}

/**
 * Finds out why a network does not learn: runs one batch forward and backward as {@link record} does, without changing the model, and compares firing
 * rates and norms of gradients with bounds, which are options.
 *
 * A missing gradient is reported once, at the layer that stops it, not at the layers before it. A network without findings may still fail to learn,
 * for instance with a learning rate that is too large.
 *
 * With `encode`, an encoder as in `fit`, x is a batch of a data loader. The default generator is restored, so that a training run afterwards draws
 * the same random numbers.
 *
 * Shapes: x is an input of the model, or of `encode`; values of layers are [T, B, …].
 *
 * @throws TypeError if `model` is no model, if x, the encoded x or the loss is no tensor, and for an unknown option or a value of the wrong type;
 *   RangeError for bounds out of range, a model without layers of neurons, and errors of the model and the loss.
 *
 * @example
 * ```ts
 * import { crossEntropy, diagnose, LIF, Linear, manualSeed, meanOverTime, rand, Sequential } from "jarvis-snn";
 *
 * manualSeed(1);
 * const model = new Sequential(new Linear(5, 8), new LIF({ threshold: 100 }), new Linear(8, 2), new LIF());
 * const { healthy, findings } = diagnose(model, rand([10, 3, 5]), {
 *   loss: (output) => crossEntropy(meanOverTime(output), [0, 1, 1]),
 * });
 * console.log(healthy, findings[0]?.trouble, findings[0]?.layer); // false dead 1
 * ```
 */
export function diagnose(model: Module, x: Tensor, options: DiagnoseOptions): Diagnosis {
  const where = "diagnose";
  const given = withDefaults(where, DEFAULTS, options);
  const { deadShare, saturatedShare, passingShare, vanishing, exploding } = given;
  checkRates(where, given);
  numberOf(where, "deadShare", deadShare, UNIT);
  numberOf(where, "saturatedShare", saturatedShare, UNIT);
  numberOf(where, "passingShare", passingShare, UNIT);
  numberOf(where, "vanishing", vanishing, NOT_NEGATIVE);
  numberOf(where, "exploding", exploding, POSITIVE);
  const loss = functionOf(where, "loss", given.loss);
  const encode = given.encode === undefined ? undefined : functionOf(where, "encode", given.encode);
  return noGrad(() => {
    const input = encode ? encoded(where, x, encode) : x;
    const { recording, modules } = recordOf(where, model, input, { loss });
    const { order } = recording;
    if (order.length === 0)
      throw new RangeError("diagnose: expected a model with layers of neurons, got none that ran");
    const norms = gradientNorms(recording);
    const layers = Object.fromEntries(
      order.map((name) => {
        const layer = recording.layers[name] as LayerRecording;
        return [name, layerOf(layer, norms.layers[name] as LayerNorms, modules.get(name) as Module, given)];
      }),
    );
    const parameters = Object.fromEntries(
      model.namedParameters().map(([name]) => [name, norms.parameters[name] ?? 0] as const),
    );
    const isRecurrent = (name: string) => "recurrent" in (modules.get(name) ?? {});
    const beyondUnit = encode ? shareOf(x, (value) => value < 0 || value > 1) : null;
    const found = notANumber(model, x, input, recording) ?? [
      ...clamped(x, input, beyondUnit),
      ...findingsOf(namedLayers(where, "layers", { layers, order }), isRecurrent, given),
    ];
    const seen = {
      order,
      layers,
      parameters,
      loss: recording.loss as number,
      beyondUnit,
      findings: found,
      healthy: found.length === 0,
    };
    return { ...seen, toString: () => inWords(seen) };
  });
}

type Bounds = Omit<Required<DiagnoseOptions>, "loss" | "encode">;

/** Input of the model for a batch. */
function encoded(where: string, x: Tensor, encode: NonNullable<DiagnoseOptions["encode"]>): Tensor {
  alive(x, where);
  const random = defaultGenerator.getState();
  try {
    const input = encode(x, undefined);
    alive(input, `${where}: encode`);
    return input;
  } finally {
    defaultGenerator.setState(random);
  }
}

/** Share of the values of t for which `counts` is true. */
const shareOf = (t: Tensor, counts: (value: number) => boolean): number =>
  t.toFloat32Array().filter(counts).length / t.size;

/**
 * The finding that an encoder over time makes the same spikes from different values of x above 1; empty if it does not.
 */
function clamped(x: Tensor, input: Tensor, share: number | null): Finding[] {
  const [T = 0, ...shape] = input.shape;
  if (share === null || !sameShape(shape, x.shape) || shareOf(input, (s) => s === 0 || s === 1) < 1) return [];
  const spikes = input.toFloat32Array();
  const trains = new Map<number, string>();
  for (const [i, value] of x.toFloat32Array().entries()) {
    if (value > 1 && !trains.has(value))
      trains.set(value, Array.from({ length: T }, (_, t) => spikes[t * x.size + i]).join(""));
  }
  if (trains.size < 2 || new Set(trains.values()).size > 1) return [];
  const reason = `${beyond(share)}, and encode gives all values above 1 the same spikes`;
  return [{ trouble: "clamped", layer: "input", reason, advice: SCALE }];
}

const SCALE = "scale the data to [0, 1], as pixels of 0 to 255 by the option scale: 1 / 255 of TensorDataset";

const beyond = (share: number): string => `${percent(share)} of the values of the input lie beyond [0, 1]`;

function layerOf(layer: LayerRecording, norms: LayerNorms, module: Module, bounds: Bounds): LayerDiagnosis {
  const { kind, current, spikes, membrane, gradients } = layer;
  const rate = spikes === null ? null : rateOf(spikes, bounds);
  const [, , ...step] = (spikes ?? membrane ?? current)?.shape ?? [];
  const passed = gradients?.current?.toFloat32Array() ?? new Float32Array(1);
  const [s, u] = [norms.spikes?.norm ?? 0, norms.membrane?.norm ?? 0];
  return {
    kind,
    neurons: step.reduce((product, n) => product * n, 1),
    rate: rate?.mean ?? null,
    silent: rate?.silent ?? null,
    saturated: rate?.saturated ?? null,
    current: current && extentOf(current),
    membrane: membrane && extentOf(membrane),
    threshold: thresholdOf(module),
    arriving: Math.sqrt(s * s + u * u),
    leaving: norms.current?.norm ?? 0,
    passing: passed.filter((g) => g !== 0).length / passed.length,
    steps: norms.current?.steps ?? new Float64Array(),
  };
}

function extentOf(t: Tensor): Extent {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of t.toFloat32Array()) {
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { min, mean: sum / t.size, max };
}

function thresholdOf(module: object): number | null {
  const { threshold, neuron } = module as { threshold?: unknown; neuron?: { threshold?: unknown } };
  const t = threshold ?? neuron?.threshold;
  return t instanceof Tensor ? extentOf(t).mean : null;
}

/** The first place, from the parameters to the gradients, with an infinite or NaN value; null if there is none. */
function notANumber(
  model: Module,
  x: Tensor,
  input: Tensor,
  { layers, order, loss, gradients }: Recording,
): Finding[] | null {
  const places: [string, string, Tensor | null, string][] = [
    ...model.namedParameters().map(([name, p]): [string, string, Tensor, string] => [name, "the parameter", p, SPOILT]),
    ["input", "the input", x, "look at the data and their scale"],
    ["input", "the encoded input", input, "look at encode"],
    ...namedLayers("diagnose", "layers", { layers, order }).flatMap(
      ([name, { current, membrane }]): [string, string, Tensor | null, string][] => [
        [
          name,
          `the current of ${name}`,
          current,
          "look at the module before this layer, and at the scale of its weights",
        ],
        [name, `the membrane of ${name}`, membrane, "look at the equations and the parameters of these neurons"],
      ],
    ),
  ];
  for (const [layer, place, t, advice] of places) {
    const bad = t?.toFloat32Array().filter((value) => !Number.isFinite(value)).length ?? 0;
    if (bad === 0) continue;
    const what = place === "the parameter" ? `${place} ${layer}` : place;
    return [
      { trouble: "nan", layer, reason: `${bad} of ${t?.size} values of ${what} are infinite or no numbers`, advice },
    ];
  }
  if (!Number.isFinite(loss)) {
    const advice = "look for a logarithm of 0, a division by 0 or an overflow in the loss";
    return [{ trouble: "nan", layer: "loss", reason: `the loss is ${loss}, though all layers are finite`, advice }];
  }
  for (const [name, g] of Object.entries(gradients ?? {})) {
    if (g.toFloat32Array().every(Number.isFinite)) continue;
    const reason = `the gradient of ${name} is infinite or no number, though the loss is finite`;
    return [
      {
        trouble: "nan",
        layer: name,
        reason,
        advice: "look for √0 or a division by 0 behind this parameter; clip gradients",
      },
    ];
  }
  return null;
}

const SPOILT = "a training step has spoilt it: begin anew with a smaller learning rate, and clip gradients";

function findingsOf(
  all: readonly [name: string, layer: LayerDiagnosis][],
  isRecurrent: (name: string) => boolean,
  bounds: Bounds,
): Finding[] {
  const findings: Finding[] = [];
  const reference =
    all
      .map(([, { leaving }]) => leaving)
      .filter((leaving) => leaving > 0)
      .pop() ?? 0;
  // From the loss to the input: the first layer that stops or inflates a gradient explains all layers before it.
  let isStopped = false;
  let explodes = false;
  let forgets = false;
  for (const [name, layer] of [...all].reverse()) {
    const add = (trouble: Trouble, reason: string, advice: string) =>
      findings.unshift({ trouble, layer: name, reason: `${name} (${layer.kind}): ${reason}`, advice });
    const { arriving, leaving } = layer;
    const ratio = reference === 0 ? 1 : leaving / reference;
    if (!isStopped) {
      isStopped = true;
      if (arriving === 0) add("disconnected", "no gradient arrives at its spikes or membrane", CONNECT);
      else if (layer.passing < bounds.passingShare) add("unsupported", unsupported(layer), WIDEN);
      else if (ratio < bounds.vanishing) add("vanishing", vanishing(layer, ratio), BALANCE);
      else isStopped = false;
    }
    const time = overTime(layer.steps);
    const inTime = `‖∂L/∂I‖ in the first steps is ${brief(time)} times that in the last ones`;
    if (!explodes && (time > bounds.exploding || ratio > bounds.exploding)) {
      explodes = true;
      if (time > bounds.exploding) add("exploding", inTime, TAME_TIME);
      else add("exploding", `‖∂L/∂I‖ is ${brief(leaving)}, ${brief(ratio)} times that next to the loss`, TAME);
    }
    if (isRecurrent(name) && !forgets && time < bounds.vanishing) {
      forgets = true;
      add("vanishing", inTime, REMEMBER);
    }
    if ((layer.silent ?? 0) >= bounds.deadShare) add("dead", dead(layer), EXCITE);
    if ((layer.saturated ?? 0) >= bounds.saturatedShare) add("saturated", saturated(layer, bounds), CALM);
  }
  return findings;
}

const CONNECT =
  "look for detach, noGrad or a comparison between this layer and the loss, for weights that are 0, and for a loss that does not read it";
const WIDEN =
  "bring the membranes near the threshold (scale of the weights, a bias, a normalisation, the threshold), or take a wider surrogate";
const BALANCE =
  "take a wider surrogate, larger weights or a normalisation before the layers, and fewer of them, or connections that skip some";
const TAME =
  "take smaller weights, a normalisation before the layers or a flatter surrogate, and clip gradients (clipGradNorm)";
const TAME_TIME =
  "take smaller recurrent weights or a smaller decay, keep the reset detached, clip gradients, or cut the sequence into parts";
const REMEMBER =
  "take a decay nearer to 1, an adaptive threshold, or larger recurrent weights, where early steps matter";
const EXCITE =
  "raise the current (larger weights, a bias, a normalisation, inputScale), lower the threshold, or take a decay nearer to 1";
const CALM =
  "lower the current (smaller weights, a normalisation, inputScale), raise the threshold, or penalise the rate";

const percent = (share: number | null): string => `${brief(100 * (share ?? 0))} %`;

/** Three significant digits. */
function brief(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  return size >= 1e-3 && size < 1e5 ? String(+x.toPrecision(3)) : x.toExponential(1);
}

const unsupported = ({ arriving, passing, membrane, threshold }: LayerDiagnosis): string =>
  `a gradient of norm ${brief(arriving)} arrives, but the surrogate's derivative is 0 in ${percent(1 - passing)} of all steps and ` +
  `neurons: ${lie(membrane, threshold)}`;

const vanishing = ({ arriving, leaving, membrane, threshold }: LayerDiagnosis, ratio: number): string =>
  `‖∂L/∂I‖ is ${brief(leaving)}, ${brief(ratio)} times that next to the loss; the neurons pass on ${brief(leaving / arriving)} of ` +
  `the norm that arrives: ${lie(membrane, threshold)}`;

const dead = ({ silent, neurons, rate, membrane, threshold }: LayerDiagnosis): string =>
  `${neurons === 1 ? "its neuron does" : `${percent(silent)} of its ${neurons} neurons do`} not fire, ` +
  `the mean rate is ${brief(rate ?? 0)}: ${lie(membrane, threshold)}`;

const saturated = ({ saturated: share, neurons, rate, current }: LayerDiagnosis, { saturatedRate }: Bounds): string =>
  `${neurons === 1 ? "its neuron fires" : `${percent(share)} of its ${neurons} neurons fire`} in at least ` +
  `${percent(saturatedRate)} of the steps, the mean rate is ${brief(rate ?? 0)}: ` +
  `the current has a mean of ${brief(current?.mean ?? 0)}`;

/** The range of the membranes relative to the threshold, in words. */
function lie(membrane: Extent | null, threshold: number | null): string {
  const theta = threshold === null ? "" : `, the threshold is ${brief(threshold)}`;
  if (membrane === null) return `the layer gives no membrane${theta}`;
  const { min, mean, max } = membrane;
  return `the membrane lies between ${brief(min)} and ${brief(max)}, with a mean of ${brief(mean)}${theta}`;
}

/**
 * Norm in the first quarter of the steps over the norm in the last quarter; 1 if there are too few steps or no gradient.
 */
function overTime(steps: Float64Array): number {
  const n = Math.floor(steps.length / 4);
  const total = (part: Float64Array): number => part.reduce((all, norm) => all + norm, 0);
  const last = total(steps.subarray(steps.length - n));
  return n === 0 || last === 0 ? 1 : total(steps.subarray(0, n)) / last;
}

const HEAD = ["layer", "class", "neurons", "rate", "silent", "saturated", "arriving", "leaving", "passing"];

type Seen = Omit<Diagnosis, "healthy" | "parameters" | "toString">;

function inWords({ layers, order, findings, loss, beyondUnit }: Seen): string {
  const share = (x: number | null) => (x === null ? "–" : percent(x));
  const rows = namedLayers("diagnose", "layers", { layers, order }).map(([name, layer]) => {
    const { kind, neurons, rate, silent, saturated: full, arriving, leaving, passing } = layer;
    const numbers = [rate === null ? "–" : brief(rate), share(silent), share(full), brief(arriving), brief(leaving)];
    return [name, kind, String(neurons), ...numbers, percent(passing)];
  });
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, i) => Math.max(...table.map((row) => (row[i] as string).length)));
  const cell = (text: string, i: number) =>
    i < 2 ? text.padEnd(widths[i] as number) : text.padStart(widths[i] as number);
  const lines = table.map((row) => row.map(cell).join("  "));
  const reasons = findings.map(({ trouble, reason, advice }) => `${trouble}: ${reason}.\n  → ${advice}.`);
  const verdict = findings.length === 0 ? ["No reason found why this network should not learn."] : reasons;
  const data = beyondUnit === null ? [] : [beyond(beyondUnit)];
  return [`loss ${brief(loss)}`, ...data, "", ...lines, "", ...verdict].join("\n");
}
