/** Weights on grids of few values, with the straight-through gradient. */
import { inReference, k, type Op, passGradient, ready, recycle } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { allocateInScope, applyOp, emptyOf, SAVES } from "../../engine/unchecked.ts";

/** Bits of a weight; "ternary" weights are −1, 0 or 1 times a scale. */
export type WeightBits = 2 | 3 | 4 | 5 | 6 | 7 | 8 | "ternary";

/** The grid of a weight. */
export interface Grid {
  readonly bits: WeightBits;
  /** Whether each output, a row of the weight, has its own scale. */
  readonly perChannel: boolean;
}

/** Largest q of a grid, 2^(bits − 1) − 1. */
export const largestInteger = (bits: WeightBits): number => (bits === "ternary" ? 1 : 2 ** (bits - 1) - 1);

/** Number of scales of a weight on this grid. */
export const scaleCount = ({ perChannel }: Grid, weight: Tensor): number =>
  perChannel ? (weight.sizes[0] as number) : 1;

/** Smallest scale; a row of zeros has it. */
const SMALLEST = 2 ** -126;

/** Δ of ternary weights, as a share of the mean of |w|. */
const THRESHOLD = 0.7;

/** Adding and subtracting this number rounds to an integer, half to even, in float32 and in the float64 of `gradcheck`. */
const ROUNDING = 1.5 * 2 ** 23;
const ROUNDING_64 = 1.5 * 2 ** 52;

/** A weight times this factor, clamped to ±1, is the weight's sign, unless the weight is negligible next to others. */
const HUGE = 3e38;

/** Number of values that remain in the cache from one kernel to the next. */
const PIECE = 4096;

/**
 * z ← the weight on its grid; scales ← s, one per row.
 *
 *   z = s·q,  q = round(w / s),  s = max|w| / (2^(bits − 1) − 1)
 *   ternary  z = s·q,  q = sign(w) where |w| > Δ, else 0,  Δ = 0.7·mean|w|,  s = mean of the |w| > Δ
 *
 * No |w / s| exceeds the largest q, so nothing is clipped. Weights on a grid do not change by a bit: for n = 2^(bits − 1) − 1, (max|w| / n)·n / n
 * equals max|w| / n in float32, and ternary means are taken of |w| / max|w|.
 */
function toGrid(z: number, scales: number, w: number, rows: number, n: number, bits: WeightBits): void {
  const isTernary = bits === "ternary";
  const bytes = isTernary ? 16 + 4 * n : 16;
  const work = allocateInScope(bytes);
  for (let i = 0; i < rows; i++) {
    const [to, from, scale] = [z + 4 * i * n, w + 4 * i * n, scales + 4 * i];
    if (isTernary) toTernary(to, scale, from, n, work);
    else toSteps(to, scale, from, n, largestInteger(bits), work);
    // −0 becomes 0, and rows of zeros remain zeros.
    atLeast(scale, SMALLEST, work);
    for (let at = 0; at < n; at += PIECE) {
      const [piece, size] = [to + 4 * at, Math.min(PIECE, n - at)];
      k.affine(piece, piece, size, 1, 0);
      k.mul(piece, piece, scale, size, 1);
    }
  }
  recycle(work, bytes);
}

/** One row: z ← q, scale ← max|w| / n, where n is `steps`. */
function toSteps(z: number, scale: number, w: number, n: number, steps: number, work: number): void {
  k.abs(z, w, n);
  largestTo(scale, z, n);
  k.fill(work, 1, steps);
  k.div(scale, scale, work, 1, 0);
  atLeast(scale, SMALLEST, work);
  const rounding = inReference() ? ROUNDING_64 : ROUNDING;
  for (let at = 0; at < n; at += PIECE) {
    const [piece, size] = [z + 4 * at, Math.min(PIECE, n - at)];
    k.div(piece, w + 4 * at, scale, size, 1);
    k.affine(piece, piece, size, 1, rounding);
    k.affine(piece, piece, size, 1, -rounding);
  }
}

/** One row: z ← q, scale ← the mean of |w| > Δ. */
function toTernary(z: number, scale: number, w: number, n: number, work: number): void {
  const [mean, count, limit, sizes] = [work, work + 4, work + 8, work + 16];
  k.abs(sizes, w, n);
  k.copy(z, sizes, n);
  largestTo(scale, z, n);
  atLeast(scale, SMALLEST, limit);
  k.div(sizes, sizes, scale, n, 1);
  k.sumAxis(mean, sizes, 1, n, 1);
  k.affine(mean, mean, 1, THRESHOLD / n, 0);
  k.gt(z, sizes, mean, n, 1);
  k.mul(sizes, sizes, z, n, 0);
  k.sumAxis(mean, sizes, 1, n, 1);
  k.sumAxis(count, z, 1, n, 1);
  // In a row of zeros, no |w| exceeds Δ.
  atLeast(count, 1, limit);
  k.div(mean, mean, count, 1, 0);
  k.mul(scale, scale, mean, 1, 0);
  // The sign, for all values that are not tiny.
  k.affine(sizes, w, n, HUGE, 0);
  k.clamp(sizes, sizes, n, -1, 1);
  k.mul(z, z, sizes, n, 0);
}

/** to[0] ← the largest of n values, NaN if one of them is NaN; overwrites the values. */
function largestTo(to: number, x: number, n: number): void {
  for (let left = n; left > 1; ) {
    const half = left >> 1;
    left -= half;
    k.maximum(x, x, x + 4 * left, half, 0);
  }
  k.copy(to, x, 1);
}

/** x[0] ← max(x[0], least); `work` has room for a number. */
function atLeast(x: number, least: number, work: number): void {
  k.fill(work, 1, least);
  k.maximum(x, x, work, 1, 0);
}

/** z = the weight on its grid.  ∂L/∂w = ∂L/∂z: the straight-through estimator. */
const gridOp: Op<Grid> = {
  name: "quantize",
  saves: SAVES.nothing,
  forward(z, w, _b, _c, grid) {
    const rows = scaleCount(grid, w);
    const scales = allocateInScope(4 * rows);
    toGrid(z.ptr, scales, w.ptr, rows, w.size / rows, grid.bits);
    recycle(scales, 4 * rows);
  },
  backward: (z, w) => passGradient(z, w),
};

/** The weight on its grid, with the straight-through gradient. */
export const onGrid = (w: Tensor, grid: Grid): Tensor => applyOp(gridOp, grid, w);

/** The weight on its grid, and the scales, without gradients. */
export function gridOf(w: Tensor, grid: Grid): { z: Tensor; scales: Tensor } {
  ready("quantize", w);
  const scales = emptyOf([scaleCount(grid, w)]);
  const z = emptyOf(w.sizes);
  toGrid(z.ptr, scales.ptr, w.ptr, scales.size, w.size / scales.size, grid.bits);
  return { z, scales };
}
