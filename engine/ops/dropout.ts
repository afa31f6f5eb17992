/** Dropout as an op: the mask is stored as bits and serves backward too. */
import { numberOf, UNIT, withDefaults } from "../arguments.ts";
import { inReference, k } from "../backend.ts";
import { liftedOp } from "../composed.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { apply, gradOf, type Op, SAVES, saveFor } from "../op.ts";
import { allocate, recycle } from "../scope.ts";
import { axesOf, type Shape, sizeOf } from "../shape.ts";
import { alive, streamBytes, type Tensor } from "../tensor.ts";
import { reshape } from "./view.ts";

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** The probability of a zero, in [0, 1]; default 0.5. */
  p?: number;
  /** false: x as it is; default true. */
  training?: boolean;
  /** Where the random numbers come from; the default generator if not given. */
  generator?: Generator;
  /**
   * Axes along which all values share one mask; default none. 0 fixes the mask over time in [T, B, …]; [0, −2, −1] also drops
   * whole channels of [T, B, C, H, W].
   */
  sharedAxes?: number | readonly number[] | undefined;
}

/** A mask [outer, inner] as [outer, times, inner]. */
type Repeat = readonly [outer: number, times: number, inner: number];

interface Dropping {
  readonly p: number;
  readonly generator: Generator;
  /** All places of the first axis share a mask. */
  readonly isShared: boolean;
  /** Number of masks, and the repetitions that make them as many as there are values. */
  readonly masks: number;
  readonly repeats: readonly Repeat[];
}

const dropoutOp: Op<Dropping> = {
  name: "dropout",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, dropping) {
    const words = Math.ceil(dropping.masks / 32);
    const mask = saveFor(z, inReference() ? 128 * words : streamBytes(dropping.masks));
    const keep = allocate(128);
    k.fill(keep, 32, 1 - dropping.p);
    dropping.generator.bernoulli(mask, keep, 32, words, 1);
    recycle(keep, 128);
    writeFactors(z.ptr, z.saved, dropping);
    k.mul(z.ptr, z.ptr, x.ptr, z.size);
  },
  backward(z, x, _y, _w, dropping) {
    const dx = gradOf(x);
    if (dx === 0) return;
    const factors = allocate(4 * z.size);
    writeFactors(factors, z.saved, dropping);
    k.mulGrad(dx, z.gradPtr, factors, z.size);
    recycle(factors, 4 * z.size);
  },
};

/**
 * Writes 1 / (1 − p) for each value whose mask is set, else 0. The saved masks are bits, or numbers for the float64 kernels; each
 * repetition writes a larger copy of the factors, the last one all of them.
 */
function writeFactors(to: number, saved: number, { p, masks, repeats }: Dropping): void {
  let count = masks;
  let from = repeats.length === 0 ? to : allocate(4 * count);
  if (!inReference()) k.unpackBits(from, saved, count);
  k.affine(from, inReference() ? saved : from, count, p < 1 ? 1 / (1 - p) : 0, 0);
  repeats.forEach(([outer, times, inner], i) => {
    const next = i === repeats.length - 1 ? to : allocate(4 * count * times);
    k.expandAxis(next, from, outer, times, inner);
    recycle(from, 4 * count);
    from = next;
    count *= times;
  });
}

/** The masks of values of this shape, with axes from the end: the last shared axis is repeated first, so that the first axis repeats the longest runs. */
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
 * In training zᵢ = mᵢ·xᵢ / (1 − p) with masks mᵢ that are 0 with probability p, else 1, so that means stay as they are;
 * elsewhere z = x. The shape stays.  ∂L/∂xᵢ = mᵢ·∂L/∂zᵢ / (1 − p).
 *
 * With `sharedAxes` all values along these axes have the same mask: `sharedAxes: 0` drops a neuron of [T, B, N] for the whole
 * sequence, as a neuron that integrates over time needs it (a new mask in each step would average out).
 *
 * The masks are kept for backward, a bit each; they depend on the generator and the number of masks only.
 *
 * @throws RangeError unless p lies in [0, 1] and x has the shared axes, each named once; TypeError for a generator that is none.
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

/** x with zeros. Axes count from the end; where all steps share a mask, an x that repeats a step is multiplied once. */
const dropped = liftedOp(
  (x: Tensor, given: Pick<Dropping, "p" | "generator" | "isShared">, axes: readonly number[]): Tensor =>
    apply(dropoutOp, { ...given, ...masksOf(x.sizes, axes) }, x),
  ({ isShared }: { isShared: boolean }) => (isShared ? 1 : Infinity),
);
