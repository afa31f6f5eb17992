/** The layers of a convertible network as a chain; errors name the layers that cannot be converted. */
import { wrongValue } from "../../../engine/arguments.ts";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
} from "../../../engine/index.ts";
import { traitOf } from "../../../engine/protocol.ts";
import { axisOf } from "../../../engine/shape.ts";
import { layersOf } from "../../layer/stepping.ts";
import { type Affine, isWeightLayer, type WeightLayer, weightChannelAxis } from "./folded-weights.ts";

export type ChainPool = AvgPool2d | MaxPool2d;
export type ChainBatchNorm = BatchNorm1d | BatchNorm2d;
export type ChainLayer = WeightLayer | ChainBatchNorm | ChainPool | Flatten | Dropout | ReLU;

const KNOWN = [Linear, Conv1d, Conv2d, BatchNorm1d, BatchNorm2d, AvgPool2d, MaxPool2d, Flatten, Dropout, ReLU];

/** A layer at its index. */
export interface Link {
  readonly layer: ChainLayer;
  /** Index and class of the layer, for errors. */
  readonly name: string;
}

/** The layers in order; Dropout, which does nothing in evaluation, is left out. */
export function chainOf(where: string, model: unknown, maxPool: "refuse" | "spikes"): Link[] {
  const links: Link[] = [];
  for (const [i, layer] of layersOf(where, model).entries()) {
    const name = `${layer.constructor.name} at ${i}`;
    const isKnown = KNOWN.some((kind) => layer instanceof kind) && traitOf(layer) !== null;
    if (!isKnown) throw unknownLayer(where, name);
    if (layer instanceof MaxPool2d && maxPool === "refuse") {
      const expected =
        'AvgPool2d, or maxPool: "spikes", as the rate of the maximum of spikes is above the largest rate';
      throw wrongValue(where, expected, name);
    }
    if (isNormalization(layer) && layer.runningMean === null) {
      throw wrongValue(where, "batch normalisation with running statistics", `${name} without`);
    }
    if (!(layer instanceof Dropout)) links.push({ layer: layer as ChainLayer, name });
  }
  if (lastWeightLayer(links) < 0) throw wrongValue(where, "a network with Linear, Conv1d or Conv2d", "one without");
  return links;
}

const unknownLayer = (where: string, name: string): TypeError =>
  new TypeError(
    `${where}: expected Linear, Conv1d, Conv2d, BatchNorm1d, BatchNorm2d, AvgPool2d, MaxPool2d, Flatten, Dropout or ReLU, got ${name}; ` +
      "of a module with a forward of its own give the layers, in a list or in Sequential",
  );

const isNormalization = (layer: Module): layer is ChainBatchNorm =>
  layer instanceof BatchNorm1d || layer instanceof BatchNorm2d;

/** Index of the last layer with weights; −1 without one. */
export const lastWeightLayer = (chain: readonly Link[]): number =>
  chain.map(({ layer }) => isWeightLayer(layer)).lastIndexOf(true);

/** A batch normalisation in evaluation: scale γ / √(variance + eps) and shift β − mean·scale. */
export function affineOf({
  weight,
  bias,
  runningMean,
  runningVar,
  eps,
}: ChainBatchNorm): Affine & { shift: Float64Array } {
  const mean = runningMean?.toFloat32Array() as Float32Array;
  const gamma = weight?.toFloat32Array();
  const beta = bias?.toFloat32Array();
  const variance = runningVar?.toFloat32Array() as Float32Array;
  const scale = Float64Array.from(variance, (v, c) => (gamma?.[c] ?? 1) / Math.sqrt(v + eps));
  return { scale, shift: scale.map((factor, c) => (beta?.[c] ?? 0) - (mean[c] as number) * factor) };
}

/** Axis of the channels of a batch normalisation for inputs of `ndim` axes, counted from the end. */
export function normalizedAxis(layer: ChainBatchNorm, ndim: number): number {
  if (layer instanceof BatchNorm2d) return -3;
  return axisOf("toSpiking", layer.axis ?? (ndim === 2 ? -1 : -2), ndim) - ndim;
}

/** Whether a Flatten joins all axes except the batch. */
export const flattensAll = ({ startAxis, endAxis }: Flatten, ndim: number): boolean =>
  axisOf("toSpiking", startAxis, ndim) === 1 && axisOf("toSpiking", endAxis, ndim) === ndim - 1;

/** Whether the layer pads its input with zeros that count. */
export function pads(layer: ChainLayer): boolean {
  if (layer instanceof AvgPool2d && layer.options.countIncludePad === false) return false;
  const padding =
    layer instanceof Conv1d || layer instanceof Conv2d ? layer.padding : (layer as ChainPool).options?.padding;
  return [padding ?? 0].flat().some((n) => n !== 0);
}

/**
 * Whether each channel of ReLU i may have its own scale, which requires that the next layer with weights reads the same channels. The
 * channels are on `axis`, counted from the end, of `ndim` axes.
 */
export function keepsChannels(chain: readonly Link[], i: number, axis: number, ndim: number): boolean {
  let at = axis;
  let axes = ndim;
  for (const { layer } of chain.slice(i + 1)) {
    if (layer instanceof Flatten) {
      if (!flattensAll(layer, axes) || at !== 1 - axes) return false;
      [at, axes] = [-1, 2];
    } else if (isWeightLayer(layer)) return weightChannelAxis(layer) === at;
    else if (isNormalization(layer) && normalizedAxis(layer, axes) !== at) return false;
  }
  return false;
}
