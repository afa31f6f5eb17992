/** Statistics of a recording: firing rates and norms of gradients. */
import { NOT_NEGATIVE, numberOf, objectOf, withDefaults } from "../../engine/arguments.ts";
import { noGrad, type Tensor } from "../../engine/index.ts";
import type { LayerRecording, Recording } from "./record.ts";

/** Firing rates of a layer, in spikes per step. */
export interface FiringRate {
  /** Mean over all steps, samples and neurons. */
  readonly mean: number;
  /** Rate of each neuron, in row-major order: the mean over steps and samples. */
  readonly perNeuron: Float64Array;
  /** Share of the neurons whose rate is at most `silentRate`, in [0, 1]. */
  readonly silent: number;
  /** Share of the neurons whose rate is at least `saturatedRate`, in [0, 1]. */
  readonly saturated: number;
}

/** Options of {@link firingRates}. */
export interface FiringRateOptions {
  /** Rate up to which a neuron counts as silent, ≥ 0; default 0: it never fires. */
  silentRate?: number;
  /** Rate from which a neuron counts as saturated, ≥ 0; default 0.9. */
  saturatedRate?: number;
}

export const RATES: Required<FiringRateOptions> = { silentRate: 0, saturatedRate: 0.9 };

/**
 * Firing rates, by name, of all layers of a recording that have spikes.
 *
 *   r[n] = Σ_t Σ_b s[t, b, n] / (T·B)
 *
 * Layers are in the order of `recording.order`.
 *
 * Shapes: spikes [T, B, …] → `perNeuron` has one rate for each element of the axes after B; for spikes [T] there is one rate.
 *
 * @throws TypeError for anything but a recording, an unknown option or a value of the wrong type; RangeError for a rate that is negative or not
 *   finite; Error if the recording was freed.
 *
 * @example
 * ```ts
 * import { firingRates, IF, record, Sequential, tensor } from "jarvis-snn";
 *
 * const model = new Sequential(new IF());
 * const rates = firingRates(record(model, tensor([0.5, 0]).expand([4, 1, 2])));
 * console.log(rates["0"]?.mean, rates["0"]?.perNeuron, rates["0"]?.silent); // 0.25 Float64Array(2) [ 0.5, 0 ] 0.5
 * ```
 */
export function firingRates(
  recording: Pick<Recording, "layers"> & Partial<Pick<Recording, "order">>,
  options: FiringRateOptions = RATES,
): Record<string, FiringRate> {
  const given = withDefaults("firingRates", RATES, options);
  checkRates("firingRates", given);
  const rates: Record<string, FiringRate> = {};
  for (const [name, { spikes }] of layersOf("firingRates", recording)) {
    if (spikes !== null) rates[name] = rateOf(spikes, given);
  }
  return rates;
}

export function checkRates(where: string, { silentRate, saturatedRate }: Required<FiringRateOptions>): void {
  numberOf(where, "silentRate", silentRate, NOT_NEGATIVE);
  numberOf(where, "saturatedRate", saturatedRate, NOT_NEGATIVE);
}

export function rateOf(spikes: Tensor, { silentRate, saturatedRate }: Required<FiringRateOptions>): FiringRate {
  const axis = spikes.ndim > 1 ? [0, 1] : 0;
  const counts = noGrad(() => spikes.sum({ axis }).toFloat32Array());
  const samples = spikes.size / counts.length;
  const perNeuron = Float64Array.from(counts, (count) => count / samples);
  const share = (is: (rate: number) => boolean) => perNeuron.filter(is).length / perNeuron.length;
  return {
    mean: perNeuron.reduce((sum, rate) => sum + rate, 0) / perNeuron.length,
    perNeuron,
    silent: share((rate) => rate <= silentRate),
    saturated: share((rate) => rate >= saturatedRate),
  };
}

/** Norm of a gradient over time. */
export interface GradientNorm {
  /** ‖g‖₂ over all values. */
  readonly norm: number;
  /** ‖g[t]‖₂ of each step. */
  readonly steps: Float64Array;
}

/** Norms of the gradients at a layer; null without a gradient. */
export interface LayerNorms {
  /** Norm of ∂L/∂I, which the neurons pass on. */
  readonly current: GradientNorm | null;
  /** Norm of ∂L/∂s, which arrives at the spikes. */
  readonly spikes: GradientNorm | null;
  /** Norm of ∂L/∂u, which arrives at the membrane. */
  readonly membrane: GradientNorm | null;
}

/** Result of {@link gradientNorms}. */
export interface GradientNorms {
  /** Names of the layers in the order of their first run. */
  readonly order: readonly string[];
  /** Norms by layer name. */
  readonly layers: Readonly<Record<string, LayerNorms>>;
  /** ‖g‖₂ by parameter name. */
  readonly parameters: Readonly<Record<string, number>>;
}

/**
 * Norms of the gradients of a recording with a loss, for each layer, step and parameter; sums in float64.
 *
 *   ‖g‖₂ = √Σ g²
 *
 * @throws TypeError for anything but a recording; RangeError for a recording without a loss; Error if it was freed.
 *
 * @example
 * ```ts
 * import { gradientNorms, LIF, Linear, rand, record, Sequential } from "jarvis-snn";
 *
 * const model = new Sequential(new Linear(5, 8), new LIF({ threshold: 0.5 }));
 * const { layers, parameters } = gradientNorms(record(model, rand([10, 3, 5]), { loss: (z) => z.mean() }));
 * console.log(Object.keys(parameters), layers["1"]?.current?.steps.length); // [ '0.weight', '0.bias' ] 10
 * ```
 */
export function gradientNorms(
  recording: Pick<Recording, "layers" | "gradients"> & Partial<Pick<Recording, "order">>,
): GradientNorms {
  const layers: Record<string, LayerNorms> = {};
  const all = layersOf("gradientNorms", recording);
  for (const [name, { gradients }] of all) {
    if (gradients === null) throw new RangeError("gradientNorms: expected a recording with a loss, got one without");
    const { current, spikes, membrane } = gradients;
    layers[name] = { current: normOf(current), spikes: normOf(spikes), membrane: normOf(membrane) };
  }
  const parameters = Object.entries(recording.gradients ?? {}).map(([name, g]) => [name, length(g.toFloat32Array())]);
  return { order: all.map(([name]) => name), layers, parameters: Object.fromEntries(parameters) };
}

const layersOf = (
  where: string,
  recording: Pick<Recording, "layers"> & Partial<Pick<Recording, "order">>,
): [string, LayerRecording][] =>
  namedLayers(where, "a recording, with layers", objectOf(where, "a recording", recording) as typeof recording);

/** The layers with their names, in order. */
export function namedLayers<Layer>(
  where: string,
  expected: string,
  { layers, order }: { readonly layers: Readonly<Record<string, Layer>>; readonly order?: readonly string[] },
): [name: string, layer: Layer][] {
  const all = objectOf(where, expected, layers) as Readonly<Record<string, Layer>>;
  return (order ?? Object.keys(all)).map((name) => [name, all[name] as Layer]);
}

function normOf(gradient: Tensor | null): GradientNorm | null {
  if (gradient === null) return null;
  const values = gradient.toFloat32Array();
  const size = values.length / (gradient.shape[0] as number);
  const steps = new Float64Array(values.length / size);
  for (let t = 0; t < steps.length; t++) steps[t] = length(values.subarray(t * size, (t + 1) * size));
  return { norm: length(steps), steps };
}

/** ‖x‖₂. Squares of the smallest float32 do not underflow in float64. */
function length(x: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (x[i] as number);
  return Math.sqrt(sum);
}
