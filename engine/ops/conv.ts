/**
 * Convolutions. A value of a map has one accumulator that starts at the bias and takes (channel, row, column) ascending, a
 * weight's gradient one over (image, row, column); a value of an image takes sums over the filters, one from each
 * window over it, in the order of their places. So the bits depend neither on the number of images, nor on the size of
 * a block, nor on skipped zeros.
 */
import { joined, withDefaults, wrongValue } from "../arguments.ts";
import { k } from "../backend.ts";
import { apply, gradOf, holds, type Op, ready, SAVES, writeOutGradient } from "../op.ts";
import { allocate, recycle } from "../scope.ts";
import { checkShape, formatShape, sizeOf } from "../shape.ts";
import { alive, type Tensor } from "../tensor.ts";
import { choosePath, followerOf } from "./events.ts";
import { fillChannels, multiplyPatches, spreadMaps } from "./patches.ts";
import { checkOptionalShape } from "./tensors.ts";
import { type Axis, FLAT, imagesIn, type Pair, sizeOption, type Windows, windowOver, windows } from "./windows.ts";

/** Options of {@link conv1d} and {@link conv2d}. */
export interface ConvOptions<Size = Pair> {
  /** Steps of the window; default 1. */
  stride?: Size | undefined;
  /** Zeros before and behind each axis; default 0. */
  padding?: Size | undefined;
  /** Distance of the values under the window; default 1. */
  dilation?: Size | undefined;
  /** Channels and filters are cut into as many groups that do not see each other; default 1. */
  groups?: number;
}

/** Options of {@link convTranspose2d}. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Rows and columns more at the end, as a convolution with a stride maps several sizes to one; default 0. */
  outputPadding?: Pair | undefined;
}

const conv1dOp: Op<Windows> = {
  name: "conv",
  saves: SAVES.a | SAVES.b,
  reads: { a: ["bits"], gradient: ["places"] },
  lifts: 2,
  dense: (g) => ({ ...g, path: "dense" }),
  forward(z, x, w, bias, g) {
    // Gradients of images and weights that are one tensor must be written one after the other.
    if (x !== w) choosePath(x, g);
    if (g.path === "dense") ready("conv", x);
    // A sum that begins at −0 would tell whether a 0 was added to it or skipped.
    const start = bias === null ? 0 : allocate(4 * bias.size);
    if (start !== 0) k.affine(start, bias.ptr, bias.size, 1, 0);
    if (g.path !== "dense") followerOf(g, w.ptr, x, false).writeMaps(z.ptr, start);
    else multiplyPatches("maps", g, z.ptr, w.ptr, x.ptr, start);
    if (start !== 0) recycle(start, 4 * bias.size);
  },
  backward(z, x, w, bias, g) {
    const { places } = g;
    const planes = z.size / places;
    // A pool's planes are the last two axes: of conv1d, channels and places.
    const [height, width] = z.sizes.slice(-2) as [number, number];
    if (g.path === "dense" || height * width !== places) writeOutGradient(z);
    const adds = holds(x);
    const dx = gradOf(x, true);
    const dw = gradOf(w);
    const db = bias === null ? 0 : gradOf(bias);
    const sums = db === 0 ? 0 : allocate(4 * planes);
    const form = z.gradForm?.kind === "places" ? z.gradForm : null;
    const maps = { values: z.gradPtr, places: form?.places ?? 0, each: (form?.windows ?? 0) / planes, sums };
    const follower = dw !== 0 && g.path !== "dense" ? followerOf(g, dw, x, true) : null;
    if (dx !== 0 || follower !== null || maps.places !== 0) spreadMaps(g, maps, w.ptr, dx, adds, follower);
    else if (db !== 0) k.sumAxis(sums, z.gradPtr, planes, places, 1);
    if (follower !== null) follower.end(dw);
    else if (dw !== 0) multiplyPatches("weights", g, z.gradPtr, dw, x.ptr);
    if (db !== 0) addSums(db, sums, planes, bias.size);
  },
};

const conv2dOp: Op<Windows> = { ...conv1dOp, lifts: 3 };

/** db[c] += Σ of the sums of channel c over all planes, whose memory is given back. */
function addSums(db: number, sums: number, planes: number, channels: number): void {
  k.addSumAxis(db, sums, 1, planes / channels, channels, 1);
  recycle(sums, 4 * planes);
}

/** The transpose of a convolution: x holds the maps, z the images. */
const convTransposeOp: Op<Windows> = {
  name: "convTranspose2d",
  saves: SAVES.a | SAVES.b,
  lifts: 3,
  forward(z, x, w, bias, g) {
    if (bias !== null) fillChannels(z.ptr, bias.ptr, imagesIn(g), bias.size, g.size);
    spreadMaps(g, { values: x.ptr, places: 0, each: 0, sums: 0 }, w.ptr, z.ptr, bias !== null, null);
  },
  backward(z, x, w, bias, g) {
    const dx = gradOf(x);
    if (dx !== 0) multiplyPatches("maps", g, dx, w.ptr, z.gradPtr, 0, true);
    const dw = gradOf(w);
    if (dw !== 0) multiplyPatches("weights", g, x.ptr, dw, z.gradPtr);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) {
      const planes = z.size / g.size;
      const sums = allocate(4 * planes);
      k.sumAxis(sums, z.gradPtr, planes, z.size / planes, 1);
      addSums(db, sums, planes, bias.size);
    }
  },
};

/** The shapes that each convolution takes. */
const EXPECTED = {
  conv1d: "x [..., C, L] and weight [out, C / groups, k]",
  conv2d: "x [..., C, H, W] and weight [out, C / groups, kH, kW]",
  convTranspose2d: "x [..., C, H, W] and weight [C, out / groups, kH, kW]",
};

/** Throws unless x, weight and bias fit together; `axes` of the window. */
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

/** Without a size, as a layer of one axis has other sizes than one of two: `windowOver` knows the defaults. */
export const CONV = { stride: undefined, padding: undefined, dilation: undefined, groups: 1 };
const CONV_TRANSPOSE: Required<ConvTransposeOptions> = /* @__PURE__ */ joined(CONV, { outputPadding: undefined });

/** {@link conv1d} with options that are among the fields of something else. */
export const convolve1d = (x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions<number>): Tensor =>
  convolve("conv1d", x, weight, bias, options, 1);

/** {@link conv2d} in the same way. */
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
  return apply(axes === 1 ? conv1dOp : conv2dOp, g, x, weight, bias as Tensor);
}

/**
 * z[o, i] = bias[o] + Σ_c Σ_j weight[o, c, j]·x[c, stride·i + dilation·j − padding]
 *
 * x: [..., C, L], weight: [out, C / groups, k], bias: [out] or null, the default → z: [..., out, L′] with
 * L′ = ⌊(L + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. All leading axes are a batch, time among them: [T, B, C, L].
 * An x that is constant over its first axis is convolved once, and its gradient is taken once. Zeros
 * are skipped as in `conv2d`.
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
 * H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1. All leading axes are a batch, time among them:
 * [T, B, C, H, W]. An x that is constant over its first axis is convolved once, and its gradient is taken once.
 *
 * The cost of an x with many zeros, as spikes are, is the cost of its non-zeros, forward and for the weight gradient,
 * as for a gradient with many zeros, as behind a max pool, on its way to x. For finite values the results have the bits
 * of the dense products; −0 in the bias counts as 0. (A zero times an infinite weight is NaN in a dense product and
 * skipped in a sparse one.)
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
 * The transpose of {@link conv2d}, its gradient towards the images: every value of x is spread over a window of z.
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
  return apply(convTransposeOp, g, x, weight, bias as Tensor);
}

/** The window along an axis of the images of which x is the map. */
function windowUnder(axis: number, x: Tensor, weight: Tensor, options: Required<ConvTransposeOptions>): Axis {
  const where = "convTranspose2d";
  const places = x.sizes[x.ndim - 2 + axis] as number;
  // The unknown is the size: any size will do to read the options.
  const window = windowOver(where, axis, Infinity, weight.sizes[2 + axis] as number, options);
  const { stride, padding, dilation, kernel } = window;
  const { outputPadding = 0 } = options;
  const more = sizeOption(where, "outputPadding", outputPadding, axis, 0);
  if (more >= Math.max(stride, dilation)) {
    throw wrongValue(where, `outputPadding below stride ${stride} or dilation ${dilation}`, more);
  }
  return { ...window, places, size: (places - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1 };
}
