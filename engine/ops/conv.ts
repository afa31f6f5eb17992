/**
 * Convolutions. The values under the windows are a matrix, places in a window × places of the window, which two tables
 * describe (kernels/patches.ts). Three products tie it to weights and maps:
 *
 *   maps = bias + weights · patches        weights += maps · patchesᵀ        images += the patches weightsᵀ · maps
 *
 * Small images are taken several at a time. A value of a map has one accumulator that starts at the bias and takes (channel,
 * row, column) ascending, a weight's gradient one over (image, row, column); a value of an image takes what the windows over
 * it give in the order of their places. So neither the number of images nor the size of a block shows in the bits.
 */
import { k } from "../backend.ts";
import { apply, gradOf, type Op, SAVES_A, SAVES_B } from "../op.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { once } from "./expand.ts";
import { type Axis, along, FLAT, type Pair, windowOver } from "./windows.ts";

/** Options of {@link conv1d} and {@link conv2d}. */
export interface ConvOptions<Size = Pair> {
  /** Steps of the window; default 1. */
  stride?: Size;
  /** Zeros before and behind each axis; default 0. */
  padding?: Size;
  /** Distance of the values under the window; default 1. */
  dilation?: Size;
  /** Channels and filters are cut into as many groups that do not see each other; default 1. */
  groups?: number;
}

/** Options of {@link convTranspose2d}. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Rows and columns more at the end, as a convolution with a stride maps several sizes to one; default 0. */
  outputPadding?: Pair;
}

/** Images [groups·channels, y.size, x.size], and the maps [groups·filters, y.places, x.places] of windows over them. */
interface Windows {
  /** The result's. */
  readonly shape: Shape;
  readonly images: number;
  readonly groups: number;
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis;
  readonly x: Axis;
}

function windows(shape: Shape, values: number, groups: number, weight: Shape, y: Axis, x: Axis): Windows {
  const [all, channels] = weight as [number, number];
  const images = values / (groups * channels * y.size * x.size);
  return { shape, images, groups, channels, filters: all / groups, y, x };
}

/** Places of the window that are worked on at a time: those of several small images, or some of a large one. */
const BLOCK = 256;

/**
 * One of the three products; the name tells the result. Maps are overwritten unless `adds`, the others are added to.
 * Takes the addresses of the maps and images of all samples, of the weights, and of the bias or 0.
 */
function multiply(
  result: "maps" | "weights" | "images",
  { images: total, groups, channels, filters, y, x }: Windows,
  maps: number,
  weights: number,
  images: number,
  bias = 0,
  adds = false,
): void {
  const taps = channels * y.kernel * x.kernel;
  const places = y.places * x.places;
  const rows = groups * filters;
  const planes = groups * channels;
  const size = y.size * x.size;
  // A row and a plane with their padding.
  const width = x.size + 2 * x.padding;
  const plane = width * (y.size + 2 * y.padding);
  const isPadded = plane > size;
  const batch = Math.max(1, Math.min(total, Math.floor(BLOCK / places)));
  // The workspace: tables of taps and of places, images with their padding, their maps side by side.
  const paddedAt = 4 * (taps + batch * places);
  const sideAt = paddedAt + (isPadded ? 4 * batch * planes * plane : 0);
  const bytes = sideAt + (batch > 1 ? 4 * batch * places * rows : 0);
  const tapTable = allocate(bytes);
  const placeTable = tapTable + 4 * taps;
  const padded = tapTable + paddedAt;
  const inner = padded + 4 * (y.padding * width + x.padding);
  k.grid(tapTable, channels, y.kernel, x.kernel, plane, y.dilation * width, x.dilation);
  k.grid(placeTable, batch, y.places, x.places, planes * plane, y.stride * width, x.stride);
  if (isPadded) k.fill(padded, batch * planes * plane, 0);
  for (let first = 0; first < total; first += batch) {
    const count = Math.min(batch, total - first);
    const n = count * places;
    const image = images + 4 * first * planes * size;
    const map = maps + 4 * first * rows * places;
    const side = count > 1 ? tapTable + sideAt : map;
    if (isPadded && result !== "images") {
      eachBlock("copyBlocks", inner, image, count * planes, plane, size, y.size, x.size, width, x.size);
    }
    if (count > 1 && result !== "maps") {
      eachBlock("copyBlocks", side, map, count, places, rows * places, rows, places, n, places);
    }
    if (bias !== 0) k.expandAxis(side, bias, rows, n, 1);
    const startsFromMap = bias !== 0 || (adds && count === 1);
    for (let i = 0; i < groups; i++) {
      const m = side + 4 * i * filters * n;
      const w = weights + 4 * i * filters * taps;
      const p = (isPadded ? padded : image) + 4 * i * channels * plane;
      if (result === "maps") {
        k.gemmGathered(m, w, p, tapTable, placeTable, startsFromMap ? m : 0, filters, n, taps, taps, 1, n, n, 1);
      } else if (result === "weights") {
        k.gemmGathered(w, m, p, placeTable, tapTable, w, filters, taps, n, n, 1, taps, taps, 1);
      } else addPatches(p, m, w, tapTable, placeTable, filters, taps, n);
    }
    if (count > 1 && result === "maps") {
      const move = adds ? "addBlocks" : "copyBlocks";
      eachBlock(move, map, side, count, rows * places, places, rows, places, places, n);
    }
    if (isPadded && result === "images") {
      eachBlock("addBlocks", image, inner, count * planes, size, plane, y.size, x.size, x.size, width);
      k.fill(padded, count * planes * plane, 0);
    }
  }
  recycle(tapTable, bytes, scope.region);
}

/** Copies or adds `count` blocks, at steps of zNext and xNext values. */
function eachBlock(
  move: "copyBlocks" | "addBlocks",
  z: number,
  x: number,
  count: number,
  zNext: number,
  xNext: number,
  rows: number,
  n: number,
  zStep: number,
  xStep: number,
): void {
  for (let i = 0; i < count; i++) k[move](z + 4 * i * zNext, x + 4 * i * xNext, rows, n, zStep, xStep);
}

/** p += the patches wᵀ · m of n places. Blocks of places ascend and those of taps descend, as `addGathered` goes. */
function addPatches(
  p: number,
  m: number,
  w: number,
  tapTable: number,
  placeTable: number,
  filters: number,
  taps: number,
  n: number,
): void {
  const bytes = 4 * Math.min(taps, BLOCK) * Math.min(n, BLOCK);
  const patches = allocate(bytes);
  for (let place = 0; place < n; place += BLOCK) {
    const columns = Math.min(BLOCK, n - place);
    for (let end = taps; end > 0; end -= BLOCK) {
      const tap = Math.max(0, end - BLOCK);
      k.gemm(patches, w + 4 * tap, m + 4 * place, 0, end - tap, columns, filters, 1, taps, n, 1, columns, 0, 0);
      k.addGathered(p, patches, tapTable + 4 * tap, placeTable + 4 * place, end - tap, columns);
    }
  }
  recycle(patches, bytes, scope.region);
}

/** db[c] += Σ of the gradient of z over channel c, of `size` values an image */
function addChannelSums(db: number, z: Tensor, channels: number, size: number): void {
  const rows = z.size / size;
  const sums = allocate(4 * rows);
  k.sumAxis(sums, z.gradPtr, rows, size, 1);
  k.addSumAxis(db, sums, 1, rows / channels, channels, 1);
  recycle(sums, 4 * rows, scope.region);
}

const convOp: Op<Windows> = {
  name: "conv",
  saves: SAVES_A | SAVES_B,
  shape: ({ shape }) => shape,
  forward: (z, x, w, bias, g) => multiply("maps", g, z.ptr, w.ptr, x.ptr, bias?.ptr),
  backward(z, x, w, bias, g) {
    const dx = gradOf(x);
    if (dx !== 0) multiply("images", g, z.gradPtr, w.ptr, dx);
    const dw = gradOf(w);
    if (dw !== 0) multiply("weights", g, z.gradPtr, dw, x.ptr);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) addChannelSums(db, z, bias.size, g.y.places * g.x.places);
  },
};

/** The transpose of a convolution: x holds the maps, z the images. */
const convTransposeOp: Op<Windows> = {
  name: "convTranspose",
  saves: SAVES_A | SAVES_B,
  shape: ({ shape }) => shape,
  forward(z, x, w, bias, g) {
    const size = g.y.size * g.x.size;
    if (bias === null) k.fill(z.ptr, z.size, 0);
    else for (let i = 0; i < z.size; i += bias.size * size) k.expandAxis(z.ptr + 4 * i, bias.ptr, bias.size, size, 1);
    multiply("images", g, x.ptr, w.ptr, z.ptr);
  },
  backward(z, x, w, bias, g) {
    const dx = gradOf(x);
    if (dx !== 0) multiply("maps", g, dx, w.ptr, z.gradPtr, 0, true);
    const dw = gradOf(w);
    if (dw !== 0) multiply("weights", g, x.ptr, dw, z.gradPtr);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) addChannelSums(db, z, bias.size, g.y.size * g.x.size);
  },
};

/** What each convolution takes. */
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
  const [first, second] = weight.shape as [number, number];
  const [inputs, outputs] = where === "convTranspose2d" ? [first, second * groups] : [second * groups, first];
  const fits = weight.ndim === axes + 2 && x.shape[x.ndim - axes - 1] === inputs;
  if (!(fits && Number.isInteger(groups) && groups > 0 && first % groups === 0)) {
    const got = `${formatShape(x.shape)} and ${formatShape(weight.shape)} with groups ${groups}`;
    throw new RangeError(`${where}: expected ${EXPECTED[where]}, got ${got}`);
  }
  if (bias !== null && (bias.ndim !== 1 || bias.size !== outputs)) {
    throw new RangeError(`${where}: expected a bias [${outputs}], got ${formatShape(bias.shape)}`);
  }
}

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
  const constant = once(axes === 1 ? conv1d : conv2d, axes + 1, x, weight, bias, options as ConvOptions<number>);
  if (constant !== null) return constant;
  const [height, width] = x.shape.slice(-2) as [number, number];
  const [kernelHeight, kernelWidth] = weight.shape.slice(-2) as [number, number];
  const across = windowOver(where, 1, width, kernelWidth, options);
  const down = axes === 1 ? FLAT : windowOver(where, 0, height, kernelHeight, options);
  const places = axes === 1 ? [across.places] : [down.places, across.places];
  const shape = [...x.shape.slice(0, -axes - 1), weight.shape[0] as number, ...places];
  const g = windows(checkShape(where, shape), x.size, groups, weight.shape, down, across);
  return apply(convOp, g, x, weight, bias as Tensor);
}

/**
 * z[o, i] = bias[o] + Σ_c Σ_j weight[o, c, j]·x[c, stride·i + dilation·j − padding]
 *
 * x: [..., C, L], weight: [out, C / groups, k], bias: [out] or null, the default → z: [..., out, L′] with
 * L′ = ⌊(L + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. All leading axes are a batch, time among them: [T, B, C, L].
 * An x that is constant over its first axis is convolved once, and its gradient is taken once.
 *
 * @throws RangeError if sizes do not match, no window fits, or an option is out of range.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvOptions<number> = {},
): Tensor {
  return convolve("conv1d", x, weight, bias, options, 1);
}

/**
 * z[o, u, v] = bias[o] + Σ_c Σ_i Σ_j weight[o, c, i, j]·x[c, stride·u + dilation·i − padding, stride·v + dilation·j − padding]
 *
 * x: [..., C, H, W], weight: [out, C / groups, kH, kW], bias: [out] or null, the default → z: [..., out, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1. All leading axes are a batch, time among them:
 * [T, B, C, H, W]. An x that is constant over its first axis is convolved once, and its gradient is taken once.
 *
 * @throws RangeError if sizes do not match, no window fits, or an option is out of range.
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: ConvOptions = {}): Tensor {
  return convolve("conv2d", x, weight, bias, options, 2);
}

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
  options: ConvTransposeOptions = {},
): Tensor {
  const { groups = 1 } = options;
  checkSizes("convTranspose2d", x, weight, bias, groups, 2);
  const constant = once(convTranspose2d, 3, x, weight, bias, options);
  if (constant !== null) return constant;
  const y = windowUnder(0, x, weight, options);
  const q = windowUnder(1, x, weight, options);
  const shape = [...x.shape.slice(0, -3), (weight.shape[1] as number) * groups, y.size, q.size];
  const g = windows(checkShape("convTranspose2d", shape), sizeOf(shape), groups, weight.shape, y, q);
  return apply(convTransposeOp, g, x, weight, bias as Tensor);
}

/** The window along an axis of the images of which x is the map. */
function windowUnder(axis: number, x: Tensor, weight: Tensor, options: ConvTransposeOptions): Axis {
  const where = "convTranspose2d";
  const places = x.shape[x.ndim - 2 + axis] as number;
  // The size is what is looked for: any will do to read the options.
  const window = windowOver(where, axis, Infinity, weight.shape[2 + axis] as number, options);
  const { stride, padding, dilation, kernel } = window;
  const more = along(where, "outputPadding", options.outputPadding ?? 0, axis, 0);
  if (more >= Math.max(stride, dilation)) {
    throw new RangeError(
      `${where}: expected outputPadding below stride ${stride} or dilation ${dilation}, got ${more}`,
    );
  }
  return { ...window, places, size: (places - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1 };
}
