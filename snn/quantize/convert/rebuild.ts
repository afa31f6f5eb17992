/** A chain of layers again, with batch normalisation and the scales of its activations in the weights. */
import { wrongValue } from "../../../engine/arguments.ts";
import { AvgPool2d, Conv1d, Conv2d, Flatten, Generator, MaxPool2d, type Module, ReLU } from "../../../engine/index.ts";
import { affineOf, type BatchNorm, isWhole, keepsChannels, type Link, lastProduct, normalizedAxis, pads } from "./chain.ts";
import { type Affine, channelAxis, isProduct, Weights } from "./products.ts";

/** What stands in the place of the activations, and in which form the layers are. */
export interface Form {
  /** Axes of the input of each layer, with that of the batch. */
  readonly axes: readonly number[];
  /** The scale of the activations of layer i: one for all, or one for each channel where these may differ. */
  scalesOf(i: number, mayDiffer: boolean): Float64Array;
  /** The module in the place of an activation. */
  activation(threshold: number): Module;
  /** Sums the outputs of the last layer with weights; null leaves them as they are. */
  readonly sum: Module | null;
  /** Axes in front of the batch: 1 with time. */
  readonly before: 0 | 1;
}

/** What is still to be done to the values at a place, by channels on an axis that is counted from the end. */
interface Pending extends Affine {
  readonly axis: number;
  /** The batch normalisation that it is of. */
  readonly name: string;
}

const NOTHING: Float64Array = /* @__PURE__ */ Float64Array.of(1);

/** The modules of a chain: with all scales 1 and ReLU for the activations they compute what the chain computes. */
export function rebuilt(where: string, chain: readonly Link[], form: Form): Module[] {
  const { axes, sum, before } = form;
  const parts: (Weights | Module)[] = [];
  const end = lastProduct(chain);
  if (end < 0) throw wrongValue(where, "a network with Linear, Conv1d or Conv2d", "one without");
  /** The layer with weights since the last activation, and where its channels are: 0 where no more. */
  let last: Weights | null = null;
  let channels = 0;
  /** Between it and this place the ends of averages count zeros, or maxima are taken. */
  let isPadded = false;
  let isOrdered = false;
  let pending: Pending | null = null;

  const begin = (weights: Weights): void => {
    parts.push(weights);
    last = weights;
    channels = channelAxis(weights.layer);
    isPadded = false;
    isOrdered = false;
  };
  /** Does what is pending by a convolution of its own. */
  const settle = (): void => {
    if (pending === null) return;
    begin(standalone(where, pending));
    last?.takeOutputs(pending);
    pending = null;
  };

  for (const [i, { layer, name }] of chain.entries()) {
    const ndim = axes[i] as number;
    if (isProduct(layer)) {
      if (pending !== null && !takes(layer, pending)) settle();
      const weights = new Weights(layer);
      if (pending !== null) weights.takeInputs(pending);
      pending = null;
      begin(weights);
      if (i === end && sum !== null) parts.push(sum);
    } else if (layer instanceof ReLU) {
      if (i > end) parts.push(new ReLU());
      else if (pending?.name !== undefined && (pending as Pending).name !== "") settle();
      if (i > end) {
        last = null;
        continue;
      }
      const hasWeights = last !== null;
      if (!hasWeights && pending !== null) continue; // spikes are not negative
      const mayDiffer = hasWeights && channels === 1 - ndim && keepsChannels(chain, i, channels, ndim);
      const scale = form.scalesOf(i, mayDiffer);
      (last as Weights | null)?.takeOutputs({ scale: scale.map((each) => 1 / each), shift: null });
      parts.push(form.activation(hasWeights ? 1 : (scale[0] as number)));
      pending = { scale, shift: null, axis: 1 - ndim, name: "" };
      last = null;
    } else if (layer instanceof Flatten) {
      const whole = isWhole(layer, ndim);
      if (pending !== null && (pending as Pending).scale.length > 1) {
        if (!whole || (pending as Pending).axis !== 1 - ndim) settle();
        else pending = { ...(pending as Pending), axis: -1 };
      }
      channels = 0;
      parts.push(flattened(where, layer, name, ndim, before));
    } else if (layer instanceof AvgPool2d || layer instanceof MaxPool2d) {
      const isMax = layer instanceof MaxPool2d;
      const now = pending as Pending | null;
      if (now !== null && (isMax ? now.scale.some((each) => each < 0) : now.shift !== null && pads(layer))) settle();
      isPadded ||= !isMax && pads(layer);
      isOrdered ||= isMax;
      parts.push(isMax ? new MaxPool2d(layer.kernel, layer.options) : new AvgPool2d(layer.kernel, layer.options));
    } else {
      const affine = affineOf(layer as BatchNorm);
      const axis = normalizedAxis(layer as BatchNorm, ndim);
      const fits = channels === axis && !isPadded && !(isOrdered && affine.scale.some((each) => each < 0));
      if (last !== null && pending === null && fits) (last as Weights).takeOutputs(affine);
      else if (i > end) throw noPlace(where, name);
      else pending = after(pending, { ...affine, axis, name });
    }
  }
  return parts.map((part) => (part instanceof Weights ? part.made() : part));
}

/** Whether the layer can take up what is to be done to its input. */
const takes = (layer: Weights["layer"], { scale, shift, axis }: Pending): boolean =>
  (scale.length === 1 || channelAxis(layer) === axis) && (shift === null || !pads(layer));

/** What is left to be done where a batch normalisation follows on something that is. */
function after(first: Pending | null, then: Pending & { shift: Float64Array }): Pending {
  const { scale, shift } = first ?? { scale: NOTHING, shift: null };
  const n = then.scale.length;
  const of = (values: Float64Array, c: number): number => values[Math.floor((c * values.length) / n)] as number;
  return {
    ...then,
    scale: then.scale.map((each, c) => each * of(scale, c)),
    shift: then.shift.map((each, c) => each + (shift === null ? 0 : of(shift, c) * (then.scale[c] as number))),
  };
}

/** A convolution of each channel by itself, with weights of 1. */
function standalone(where: string, { scale, axis, name }: Pending): Weights {
  const C = scale.length;
  if (axis !== -2 && axis !== -3) throw noPlace(where, name);
  const options = { groups: C, generator: new Generator(0) };
  const layer = axis === -2 ? new Conv1d(C, C, 1, options) : new Conv2d(C, C, 1, options);
  layer.weight.copyFrom(new Float32Array(C).fill(1));
  layer.bias?.copyFrom(new Float32Array(C));
  return new Weights(layer);
}

const noPlace = (where: string, name: string): RangeError =>
  wrongValue(where, "batch normalisation beside a layer with weights that can take it up", name);

/** The same Flatten with axes in front. */
function flattened(where: string, layer: Flatten, name: string, ndim: number, before: number): Flatten {
  const { startAxis, endAxis } = layer;
  if (startAxis === 0 || startAxis === -ndim) throw wrongValue(where, "samples that stay apart", `${name} of axis 0`);
  const moved = (axis: number): number => (axis < 0 ? axis : axis + before);
  return new Flatten(moved(startAxis), moved(endAxis));
}
