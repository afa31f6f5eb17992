/** Parts of encoders: shapes over time, and spikes that are computed as numbers and stored as bits. */
import { type Range, WHOLE } from "../../engine/arguments.ts";
import { alive, inReference, k, ready } from "../../engine/extend.ts";
import { arange, noGrad, type Tensor } from "../../engine/index.ts";
import { checkSize, type Shape } from "../../engine/shape.ts";
import { emptySpikesOf } from "../../engine/unchecked.ts";

/** Range of step counts: float32 represents all integers up to 2²⁴. */
export const STEP_COUNTS: Range = {
  expected: "an integer in [1, 2²⁴]",
  fits: (x) => WHOLE.fits(x) && x >= 1 && x <= 2 ** 24,
};

/** Range of a step index. */
export const stepAmong = (timesteps: number): Range => ({
  expected: `an integer in [0, ${timesteps - 1}]`,
  fits: (t) => WHOLE.fits(t) && t < timesteps,
});

/** Shape [T, ...] of x over T steps. */
export function shapeOverTime(where: string, timesteps: number, x: Tensor): Shape {
  alive(x, where);
  const shape = [timesteps, ...x.sizes];
  checkSize(where, shape, timesteps * x.size);
  return shape;
}

/** Steps 0 … T − 1 as [T, 1, …], which broadcast over a tensor with `ndim` axes. */
export const stepsOver = (timesteps: number, ndim: number): Tensor =>
  arange(0, timesteps).reshape([timesteps, ...new Array<number>(ndim).fill(1)]);

/** Packs the zeros and ones that `fires` computes as spikes in bits, without a gradient, and frees the numbers. */
export function packed(where: string, shape: Shape, fires: () => Tensor): Tensor {
  const z = emptySpikesOf(shape);
  noGrad(() => {
    const s = fires();
    ready(where, s);
    if (inReference()) k.copy(z.ptr, s.ptr, z.size);
    else k.packBits(z.bits, s.ptr, 1, z.size);
  });
  return z;
}
