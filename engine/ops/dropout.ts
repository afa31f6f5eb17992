/** Dropout as an op. Masks are stored as bits for backward. */
import { numberOf, UNIT, withDefaults } from "../arguments.ts";
import { inReference, k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES, saveBlock } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { alive, streamBytes, type Tensor } from "../core/tensor.ts";
import { liftedOp } from "../forms/values.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { axesOf, type Shape, sizeOf } from "../shape.ts";
import { reshape } from "./view.ts";

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** Probability of a zero, in [0, 1]; default 0.5. */
  p?: number;
  /** Whether to drop values; false returns x. Default true. */
  training?: boolean;
  /** Source of random numbers; the default generator if not given. */
  generator?: Generator;
  /**
   * Axes along which all values share one mask; default none. 0 fixes the mask of [T, B, …] over time; [0, −2, −1]
   * drops whole channels of [T, B, C, H, W], also fixed over time.
   */
  sharedAxes?: number | readonly number[] | undefined;
}

/** Expands masks [outer, inner] to [outer, times, inner]. */
type Repeat = readonly [outer: number, times: number, inner: number];

interface Dropping {
  readonly p: number;
  readonly generator: Generator;
  /** Whether all indices of the first axis share a mask. */
  readonly isShared: boolean;
  /** Number of masks, and the repetitions that expand the masks to all values. */
  readonly masks: number;
  readonly repeats: readonly Repeat[];
}

const dropoutOp: Op<Dropping> = {
  name: "dropout",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, dropping) {
    const words = Math.ceil(dropping.masks / 32);
    const mask = saveBlock(z, inReference() ? 128 * words : streamBytes(dropping.masks));
    const keep = allocateInScope(128);
    k.fill(keep, 32, 1 - dropping.p);
    dropping.generator.bernoulli(mask, keep, 32, words, 1);
    recycle(keep, 128);
    writeFactors(z.ptr, z.saved, dropping);
    k.mul(z.ptr, z.ptr, x.ptr, z.size);
  },
  backward(z, x, _y, _w, dropping) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    const factors = allocateInScope(4 * z.size);
    writeFactors(factors, z.saved, dropping);
    k.mulGrad(dx, z.gradPtr, factors, z.size);
    recycle(factors, 4 * z.size);
  },
};

/**
 * Writes a factor per value: 1 / (1 − p) if its mask is set, else 0. Saved masks are bits, or numbers for the float64
 * kernels. Each repetition writes a larger copy of the factors; the last one fills `to`.
 */
function writeFactors(to: number, saved: number, { p, masks, repeats }: Dropping): void {
  let count = masks;
  let from = repeats.length === 0 ? to : allocateInScope(4 * count);
  if (!inReference()) k.unpackBits(from, saved, count);
  k.affine(from, inReference() ? saved : from, count, p < 1 ? 1 / (1 - p) : 0, 0);
  repeats.forEach(([outer, times, inner], i) => {
    const next = i === repeats.length - 1 ? to : allocateInScope(4 * count * times);
    k.expandAxis(next, from, outer, times, inner);
    recycle(from, 4 * count);
    from = next;
    count *= times;
  });
}

/**
 * Masks for values of this shape; axes count from the end. Later axes are repeated first, so that the first axis
 * repeats the longest runs.
 */
function masksOf(shape: Shape, axes: readonly number[]): Pick<Dropping, "masks" | "repeats"> {
  const sizes = shape.map((n, axis) => (axes.includes(axis - shape.length) ? 1 : n));
  const masks = sizeOf(sizes);
  const repeats: Repeat[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const times = shape[axis] as number;
    if (sizes[axis] === times) continue;
    repeats.push([sizeOf(sizes.slice(0, axis)), times, sizeOf(sizes.slice(axis + 1))]);
    sizes[axis] = times;
  }
  return { masks, repeats };
}

const DROPOUT = {
  p: 0.5,
  training: true,
  generator: defaultGenerator,
  sharedAxes: undefined as number | readonly number[] | undefined,
} satisfies Record<keyof DropoutOptions, unknown>;

/**
 * In training, zᵢ = mᵢ·xᵢ / (1 − p) with masks mᵢ that are 0 with probability p, else 1, which preserves the mean; otherwise z = x. z has the shape
 * of x.  ∂L/∂xᵢ = mᵢ·∂L/∂zᵢ / (1 − p).
 *
 * With `sharedAxes`, all values along these axes share a mask. `sharedAxes: 0` drops a neuron of [T, B, N] for the
 * whole sequence. This suits neurons that integrate over time, where a new mask per time step would average out.
 *
 * Masks are saved for backward as bits. They depend only on the generator and the number of masks.
 *
 * @throws RangeError unless p lies in [0, 1] and x has the shared axes, each given once; TypeError for anything but a generator.
 * @see Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15.
 * @see Gal and Ghahramani (2016), A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, NeurIPS (masks fixed
 *   over time).
 *
 * @example
 * ```ts
 * import { dropout, Generator, ones } from "jarvis-snn";
 *
 * console.log(dropout(ones([4]), { p: 0.5, generator: new Generator(1) }).toArray()); // [ 2, 2, 2, 0 ]
 * ```
 */
export function dropout(x: Tensor, options: DropoutOptions = DROPOUT): Tensor {
  alive(x, "dropout");
  const { p, training, generator: given, sharedAxes } = withDefaults("dropout", DROPOUT, options);
  numberOf("dropout", "p", p, UNIT);
  const generator = generatorOf("dropout", given);
  const axes = sharedAxes === undefined ? [] : axesOf("dropout", sharedAxes, x.ndim);
  if (!training || p === 0) return reshape(x, x.sizes);
  const fromEnd = axes.map((axis) => axis - x.ndim);
  return dropped(x, { p, generator, isShared: axes[0] === 0 }, fromEnd);
}

/**
 * Drops values of x; axes count from the end. If x repeats one step and all steps share a mask, the step is multiplied
 * once.
 */
const dropped = liftedOp(
  (x: Tensor, given: Pick<Dropping, "p" | "generator" | "isShared">, axes: readonly number[]): Tensor =>
    applyOp(dropoutOp, { ...given, ...masksOf(x.sizes, axes) }, x),
  ({ isShared }: { isShared: boolean }) => (isShared ? 1 : Infinity),
);
