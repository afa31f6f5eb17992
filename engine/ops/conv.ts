/**
 * Convolutions, with a fixed order of sums. A map value has one accumulator, which starts at the bias and adds terms
 * in ascending order of (channel, row, column). A weight gradient has one accumulator over (image, row, column). An
 * image gradient adds one sum over filters per window, in the order of the windows; windows of 3 × 3 without a stride
 * have tiles instead (kernels/conv-tiles.ts), unless most gradients of the image's maps are 0. So results do not
 * depend on the number of images, on block sizes or on how zeros are stored.
 */
import { joined, withDefaults, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { gradientAt, holds } from "../core/gradient.ts";
import { applyOp, ready, SAVES } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { writeOutGradient } from "../forms/gradients.ts";
import type { PlacesForm, Shortcuts, ShortOp } from "../forms/shortcuts.ts";
import { checkOptionalShape, checkShape, formatShape, sizeOf } from "../shape.ts";
import { choosePath } from "./events.ts";
import { fillChannels, followPatches, multiplyPatches, spreadMaps } from "./patches.ts";
import { type Axis, FLAT, imagesIn, type Pair, sizeOption, type Windows, windowOver, windows } from "./windows.ts";

/** Options of {@link conv1d} and {@link conv2d}. */
export interface ConvOptions<Size = Pair> {
  /** Step between windows; default 1. */
  stride?: Size | undefined;
  /** Zeros added before and after each axis; default 0. */
  padding?: Size | undefined;
  /** Distance between neighbouring values in a window; default 1. */
  dilation?: Size | undefined;
  /** Number of groups of channels and filters; each filter reads only the channels of its group. Default 1. */
  groups?: number;
}

/** Options of {@link convTranspose2d}. */
export interface ConvTransposeOptions extends ConvOptions {
  /**
   * Extra rows and columns at the end of z; default 0. With a stride, a convolution maps several sizes to one, and this
   * option chooses among them.
   */
  outputPadding?: Pair | undefined;
}

const SHORTCUTS: Shortcuts<Windows> = {
  reads: { a: ["bits"], gradient: ["places"] },
  lifts: 2,
  dense: (g) => ({ ...g, path: "dense" }),
};

const conv1dOp: ShortOp<Windows> = {
  name: "conv",
  saves: SAVES.a | SAVES.b,
  shortcuts: SHORTCUTS,
  forward(z, x, w, bias, g) {
    // If x and w are one tensor, its two gradients must be written one after the other: the dense path does that.
    if (x !== w) choosePath(x, g);
    if (g.path === "dense") ready("conv", x);
    // Starts at bias + 0, since a sum that starts at −0 would show whether a 0 was added or skipped.
    const start = bias === null ? 0 : allocateInScope(4 * bias.size);
    if (start !== 0) k.affine(start, bias.ptr, bias.size, 1, 0);
    if (g.path !== "dense") followPatches(g, z.ptr, w.ptr, x, start);
    else multiplyPatches("maps", g, z.ptr, w.ptr, x.ptr, start);
    if (start !== 0) recycle(start, 4 * bias.size);
  },
  backward(z, x, w, bias, g) {
    const { places } = g;
    const planes = z.size / places;
    // A max pool works on planes of the last two axes; for conv1d these are channels and places.
    const [height, width] = z.sizes.slice(-2) as [number, number];
    if (g.path === "dense" || height * width !== places || g.isTiled) writeOutGradient(z);
    const adds = holds(x);
    const dx = gradientAt(x, true);
    const dw = gradientAt(w);
    const db = bias === null ? 0 : gradientAt(bias);
    const sums = db === 0 ? 0 : allocateInScope(4 * planes);
    const form = z.gradForm?.kind === "places" ? (z.gradForm as PlacesForm) : null;
    const maps = { values: z.gradPtr, places: form?.places ?? 0, each: (form?.windows ?? 0) / planes, sums };
    const followed = dw !== 0 && g.path !== "dense" ? x : null;
    const gradients = { weights: w.ptr, images: dx, adds, x: followed, dWeights: dw };
    if (dx !== 0 || followed !== null || maps.places !== 0) spreadMaps(g, maps, gradients);
    else if (db !== 0) k.sumAxis(sums, z.gradPtr, planes, places, 1);
    if (followed === null && dw !== 0) multiplyPatches("weights", g, z.gradPtr, dw, x.ptr);
    if (db !== 0) addSums(db, sums, planes, bias.size);
  },
};

const conv2dOp: ShortOp<Windows> = joined(conv1dOp, { shortcuts: joined(SHORTCUTS, { lifts: 3 }) });

/** db[c] += Σ of the sums of channel c over all planes. Frees the memory of `sums`. */
function addSums(db: number, sums: number, planes: number, channels: number): void {
  k.addSumAxis(db, sums, 1, planes / channels, channels, 1);
  recycle(sums, 4 * planes);
}

/** The transpose of a convolution: x holds the maps, z the images. */
const convTransposeOp: ShortOp<Windows> = {
  name: "convTranspose2d",
  saves: SAVES.a | SAVES.b,
  shortcuts: { lifts: 3 },
  forward(z, x, w, bias, g) {
    if (bias !== null) fillChannels(z.ptr, bias.ptr, imagesIn(g), bias.size, g.size);
    const images = { weights: w.ptr, images: z.ptr, adds: bias !== null, x: null, dWeights: 0 };
    spreadMaps(g, { values: x.ptr, places: 0, each: 0, sums: 0 }, images);
  },
  backward(z, x, w, bias, g) {
    const dx = gradientAt(x);
    if (dx !== 0) multiplyPatches("maps", g, dx, w.ptr, z.gradPtr, 0, true);
    const dw = gradientAt(w);
    if (dw !== 0) multiplyPatches("weights", g, x.ptr, dw, z.gradPtr);
    const db = bias === null ? 0 : gradientAt(bias);
    if (db !== 0) {
      const planes = z.size / g.size;
      const sums = allocateInScope(4 * planes);
      k.sumAxis(sums, z.gradPtr, planes, z.size / planes, 1);
      addSums(db, sums, planes, bias.size);
    }
  },
};

/** Expected shapes for errors. */
const EXPECTED = {
  conv1d: "x [..., C, L] and weight [out, C / groups, k]",
  conv2d: "x [..., C, H, W] and weight [out, C / groups, kH, kW]",
  convTranspose2d: "x [..., C, H, W] and weight [C, out / groups, kH, kW]",
};

/** Throws unless x, weight and bias fit together. `axes` is the number of window axes. */
function checkSizes(
  where: keyof typeof EXPECTED,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  axes: number,
): void {
  alive(x, where);
  alive(weight, where);
  const [first, second] = weight.sizes as [number, number];
  const [inputs, outputs] = where === "convTranspose2d" ? [first, second * groups] : [second * groups, first];
  const fits = weight.ndim === axes + 2 && x.sizes[x.ndim - axes - 1] === inputs;
  if (!(fits && Number.isInteger(groups) && groups > 0 && first % groups === 0)) {
    const got = `${formatShape(x.sizes)} and ${formatShape(weight.sizes)} with groups ${groups}`;
    const hint =
      weight.ndim === axes + 2 && inputs === 1 ? `; add the axis of channels by unsqueeze(x, ${-axes - 1})?` : "";
    throw wrongValue(where, EXPECTED[where], `${got}${hint}`);
  }
  checkOptionalShape(where, "bias", bias, [outputs]);
}

/** Sizes have no defaults here, since they depend on the number of axes; `windowOver` fills them in. */
export const CONV = { stride: undefined, padding: undefined, dilation: undefined, groups: 1 };
const CONV_TRANSPOSE: Required<ConvTransposeOptions> = joined(CONV, { outputPadding: undefined });

/** {@link conv1d} for options that are fields of a larger object. */
export const convolve1d = (x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions<number>): Tensor =>
  convolve("conv1d", x, weight, bias, options, 1);

/** {@link conv2d} for options that are fields of a larger object. */
export const convolve2d = (x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions): Tensor =>
  convolve("conv2d", x, weight, bias, options, 2);

function convolve(
  where: "conv1d" | "conv2d",
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvOptions,
  axes: number,
): Tensor {
  const { groups = 1 } = options;
  checkSizes(where, x, weight, bias, groups, axes);
  const [height, width] = x.sizes.slice(-2) as [number, number];
  const [kernelHeight, kernelWidth] = weight.sizes.slice(-2) as [number, number];
  const across = windowOver(where, 1, width, kernelWidth, options);
  const down = axes === 1 ? FLAT : windowOver(where, 0, height, kernelHeight, options);
  const places = axes === 1 ? [across.places] : [down.places, across.places];
  const shape = [...x.sizes.slice(0, -axes - 1), weight.sizes[0] as number, ...places];
  checkShape(where, shape);
  const g = windows(shape, sizeOf(shape.slice(-axes - 1)), groups, weight.sizes, down, across);
  return applyOp(axes === 1 ? conv1dOp : conv2dOp, g, x, weight, bias as Tensor);
}

/**
 * z[o, i] = bias[o] + Σ_c Σ_j weight[o, c, j]·x[c, stride·i + dilation·j − padding]
 *
 * x: [..., C, L], weight: [out, C / groups, k], bias: [out] or null, the default → z: [..., out, L′] with L′ = ⌊(L +
 * 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. All leading axes, including time, are a batch: [T, B, C, L]. If x
 * repeats one step along its first axis, the step is convolved once, and its gradient is computed once. Zeros are
 * skipped as in `conv2d`.
 *
 * @throws RangeError if sizes do not match, no window fits, or an option is out of range.
 */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions<number> = CONV,
): Tensor => convolve1d(x, weight, bias, withDefaults<ConvOptions<number>>("conv1d", CONV, options));

/**
 * z[o, u, v] = bias[o] + Σ_c Σ_i Σ_j weight[o, c, i, j]·x[c, stride·u + dilation·i − padding, stride·v + dilation·j − padding]
 *
 * x: [..., C, H, W], weight: [out, C / groups, kH, kW], bias: [out] or null, the default → z: [..., out, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1. All leading axes, including time, are a batch: [T, B, C,
 * H, W]. If x repeats one step along its first axis, the step is convolved once, and its gradient is computed once.
 *
 * If x has many zeros, as spikes do, forward and the weight gradient skip them. If ∂L/∂z has many zeros, as before a
 * max pool, ∂L/∂x skips them. For finite values, results have the same bits as dense products; −0 in the bias counts as 0.
 * (0·∞ is NaN in a dense product, and skipped in a sparse one.)
 *
 * @throws RangeError if sizes do not match, no window fits, or an option is out of range.
 *
 * @example
 * ```ts
 * import { conv2d, ones } from "jarvis-snn";
 *
 * console.log(conv2d(ones([1, 3, 3]), ones([1, 1, 2, 2])).toArray()); // [ [ [ 4, 4 ], [ 4, 4 ] ] ]
 * ```
 */
export const conv2d = (x: Tensor, weight: Tensor, bias: Tensor | null = null, options: ConvOptions = CONV): Tensor =>
  convolve2d(x, weight, bias, withDefaults<ConvOptions>("conv2d", CONV, options));

/**
 * The transpose of {@link conv2d}, equal to its gradient with respect to x: every value of x is spread over a window of
 * z.
 *
 * x: [..., C, H, W], weight: [C, out / groups, kH, kW], bias: [out] or null, the default → z: [..., out, H′, W′] with
 * H′ = (H − 1)·stride − 2·padding + dilation·(kH − 1) + outputPadding + 1. Leading axes as in `conv2d`.
 *
 * @throws RangeError if sizes do not match, nothing is left of z, an option is out of range, or outputPadding is neither
 *   below the stride nor below the dilation.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTransposeOptions = CONV_TRANSPOSE,
): Tensor {
  const settings = withDefaults("convTranspose2d", CONV_TRANSPOSE, options);
  const { groups } = settings;
  checkSizes("convTranspose2d", x, weight, bias, groups, 2);
  const y = windowUnder(0, x, weight, settings);
  const q = windowUnder(1, x, weight, settings);
  const shape = [...x.sizes.slice(0, -3), (weight.sizes[1] as number) * groups, y.size, q.size];
  const g = windows(checkShape("convTranspose2d", shape), sizeOf(shape.slice(-3)), groups, weight.sizes, y, q);
  // Forward spreads maps over images here, without tiles, which would change the order of its sums.
  return applyOp(convTransposeOp, { ...g, isTiled: false }, x, weight, bias as Tensor);
}

/** The window along an axis of the result z; it has as many places as the axis of x has values. */
function windowUnder(axis: number, x: Tensor, weight: Tensor, options: Required<ConvTransposeOptions>): Axis {
  const where = "convTranspose2d";
  const places = x.sizes[x.ndim - 2 + axis] as number;
  // The size is not known yet, and checking the options needs none.
  const window = windowOver(where, axis, Infinity, weight.sizes[2 + axis] as number, options);
  const { stride, padding, dilation, kernel } = window;
  const { outputPadding = 0 } = options;
  const more = sizeOption(where, "outputPadding", outputPadding, axis, 0);
  if (more >= Math.max(stride, dilation)) {
    throw wrongValue(where, `outputPadding below stride ${stride} or dilation ${dilation}`, more);
  }
  return { ...window, places, size: (places - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1 };
}
