/** Rebuilds a chain of layers with batch normalisation and the scales of activations folded into the weights. */
import { wrongValue } from "../../../engine/arguments.ts";
import { AvgPool2d, Conv1d, Conv2d, Flatten, Generator, MaxPool2d, type Module, ReLU } from "../../../engine/index.ts";
import type { ChainBatchNorm, ChainPool, Link } from "./chain.ts";
import { affineOf, flattensAll, keepsChannels, lastWeightLayer, normalizedAxis, pads } from "./chain.ts";
import type { Affine, WeightLayer } from "./folded-weights.ts";
import { channelValue, FoldedWeights, isWeightLayer, weightChannelAxis } from "./folded-weights.ts";

/** How to rebuild a chain: the replacements of ReLU, the scales of activations, and the axes. */
export interface RebuiltForm {
  /** Number of axes of each layer's input, including the batch axis. */
  readonly axes: readonly number[];
  /** Scale of the activations of ReLU i: one for all channels, or one for each if these may differ. */
  scalesOf(i: number, mayDiffer: boolean): Float64Array;
  /** Replacement of a ReLU; its output times the threshold is the scaled activation. */
  activation(threshold: number): Module;
  /** Sums the outputs of the last layer with weights over time; null for no sum. */
  readonly sum: Module | null;
  /** Number of axes before the batch: 1 with time. */
  readonly before: 0 | 1;
}

/** A pending factor and shift of values, by channel on an axis that is counted from the end. */
interface Pending extends Affine {
  readonly axis: number;
  /** The batch normalisation that has this factor and shift; null for the scale of a ReLU. */
  readonly source: string | null;
}

/**
 * Modules of a rebuilt chain. A batch normalisation is folded into the layer with weights before it, or else after it; if neither is
 * possible, it becomes a depthwise convolution. A scale λ of a ReLU divides the weights before it and multiplies those after it. With ReLU as
 * the activation, the modules compute the same function as the chain.
 */
export function rebuilt(where: string, chain: readonly Link[], form: RebuiltForm): Module[] {
  const rebuild = new Rebuild(where, chain, form);
  for (const i of chain.keys()) rebuild.take(i);
  return rebuild.parts.map((part) => (part instanceof FoldedWeights ? part.made() : part));
}

class Rebuild {
  readonly parts: (FoldedWeights | Module)[] = [];
  private readonly where: string;
  private readonly chain: readonly Link[];
  private readonly form: RebuiltForm;
  private readonly end: number;
  /** Layer with weights since the last activation. */
  private last: FoldedWeights | null = null;
  /** Axis of its channels, counted from the end; 0 after Flatten, when channels are not an axis any more. */
  private channels = 0;
  /** Whether a pool after the layer in `last` has averaged padded zeros. */
  private isPadded = false;
  /** Whether a pool after the layer in `last` has taken maxima. */
  private isMaximum = false;
  private pending: Pending | null = null;

  constructor(where: string, chain: readonly Link[], form: RebuiltForm) {
    this.where = where;
    this.chain = chain;
    this.form = form;
    this.end = lastWeightLayer(chain);
  }

  /** Rebuilds layer i. */
  take(i: number): void {
    const { layer, name } = this.chain[i] as Link;
    const axes = this.form.axes[i] as number;
    if (isWeightLayer(layer)) this.product(i, layer);
    else if (layer instanceof ReLU) this.activation(i, axes);
    else if (layer instanceof Flatten) this.flatten(layer, name, axes);
    else if (layer instanceof AvgPool2d || layer instanceof MaxPool2d) this.pool(layer);
    else this.normalization(i, layer as ChainBatchNorm, name, axes);
  }

  private product(i: number, layer: WeightLayer): void {
    const { pending, form } = this;
    const takes =
      pending === null ||
      ((pending.scale.length === 1 || weightChannelAxis(layer) === pending.axis) &&
        (pending.shift === null || !pads(layer)));
    if (!takes) this.settle();
    const weights = new FoldedWeights(layer);
    if (this.pending !== null) weights.takeInputs(this.pending);
    this.pending = null;
    this.begin(weights);
    if (i === this.end && form.sum !== null) this.parts.push(form.sum);
  }

  private begin(weights: FoldedWeights): void {
    this.parts.push(weights);
    this.last = weights;
    this.channels = weightChannelAxis(weights.layer);
    this.isPadded = false;
    this.isMaximum = false;
  }

  private activation(i: number, axes: number): void {
    const { parts, form, chain } = this;
    if (i > this.end) {
      // After the sum S over t steps: max(S, 0) = t·max(S/t, 0).
      parts.push(new ReLU());
      this.last = null;
      return;
    }
    if (this.pending !== null && this.pending.source !== null) this.settle();
    const { last, channels } = this;
    // A positive scale of non-negative activations changes nothing in a ReLU.
    if (last === null && this.pending !== null) return;
    const mayDiffer = last !== null && channels === 1 - axes && keepsChannels(chain, i, channels, axes);
    const scale = form.scalesOf(i, mayDiffer);
    last?.takeOutputs({ scale: scale.map((each) => 1 / each), shift: null });
    parts.push(form.activation(last === null ? (scale[0] as number) : 1));
    this.pending = { scale, shift: null, axis: 1 - axes, source: null };
    this.last = null;
  }

  private flatten(layer: Flatten, name: string, axes: number): void {
    const { pending, form, where } = this;
    const { startAxis, endAxis } = layer;
    if (startAxis === 0 || startAxis === -axes)
      throw wrongValue(where, "Flatten that keeps the batch", `${name} from 0`);
    if (pending !== null && pending.scale.length > 1) {
      if (flattensAll(layer, axes) && pending.axis === 1 - axes) this.pending = { ...pending, axis: -1 };
      else this.settle();
    }
    this.channels = 0;
    const moved = (axis: number): number => (axis < 0 ? axis : axis + form.before);
    this.parts.push(new Flatten(moved(startAxis), moved(endAxis)));
  }

  private pool(layer: ChainPool): void {
    const { pending } = this;
    const isMaximum = layer instanceof MaxPool2d;
    const isPadded = !isMaximum && pads(layer);
    if (pending !== null && ((isMaximum && hasNegative(pending)) || (isPadded && pending.shift !== null)))
      this.settle();
    this.isPadded ||= isPadded;
    this.isMaximum ||= isMaximum;
    this.parts.push(new (isMaximum ? MaxPool2d : AvgPool2d)(layer.kernel, layer.options));
  }

  private normalization(i: number, layer: ChainBatchNorm, name: string, axes: number): void {
    const { last, pending, where } = this;
    const affine = { ...affineOf(layer), axis: normalizedAxis(layer, axes), source: name };
    const fits = this.channels === affine.axis && !this.isPadded && !(this.isMaximum && hasNegative(affine));
    if (last !== null && pending === null && fits) last.takeOutputs(affine);
    else if (i > this.end) throw noPlace(where, name);
    else this.pending = pending === null ? affine : after(pending, affine);
  }

  /** Adds a layer for the pending factor and shift. */
  private settle(): void {
    const { pending, where } = this;
    if (pending === null) return;
    this.begin(standalone(where, pending));
    this.last?.takeOutputs(pending);
    this.pending = null;
  }
}

const hasNegative = ({ scale }: Affine): boolean => scale.some((each) => each < 0);

function after(first: Pending, then: Pending & { readonly shift: Float64Array }): Pending {
  const n = then.scale.length;
  const scale = then.scale.map((each, c) => each * channelValue(first.scale, c, n));
  const shift = then.shift.map((each, c) =>
    first.shift === null ? each : each + channelValue(first.shift, c, n) * (then.scale[c] as number),
  );
  return { ...then, scale, shift };
}

/** A depthwise convolution with weights of 1. */
function standalone(where: string, { scale, axis, source }: Pending): FoldedWeights {
  const C = scale.length;
  if (axis !== -2 && axis !== -3) throw noPlace(where, source);
  const options = { groups: C, generator: new Generator(0) };
  const layer = axis === -2 ? new Conv1d(C, C, 1, options) : new Conv2d(C, C, 1, options);
  layer.weight.copyFrom(new Float32Array(C).fill(1));
  layer.bias?.copyFrom(new Float32Array(C));
  return new FoldedWeights(layer);
}

const noPlace = (where: string, source: string | null): RangeError =>
  wrongValue(where, "batch normalisation of the outputs or inputs of a layer with weights", `${source}`);
