/** Parts of the encoders: shapes over time, and spikes that are computed as numbers and stored as bits. */
import { type Range, WHOLE } from "../../engine/arguments.ts";
import { alive, inReference, k, ready } from "../../engine/extend.ts";
import { arange, noGrad, type Tensor } from "../../engine/index.ts";
import { checkSize, type Shape } from "../../engine/shape.ts";
import { emptySpikes } from "../../engine/unchecked.ts";

/** Numbers of steps that float32 counts one by one. */
export const STEP_COUNTS: Range = {
  expected: "an integer in [1, 2²⁴]",
  fits: (x) => WHOLE.fits(x) && x >= 1 && x <= 2 ** 24,
};

/** A step among these. */
export const stepAmong = (timesteps: number): Range => ({
  expected: `an integer in [0, ${timesteps - 1}]`,
  fits: (t) => WHOLE.fits(t) && t < timesteps,
});

/** The shape [T, ...] over T steps of x. */
export function shapeOverTime(where: string, timesteps: number, x: Tensor): Shape {
  alive(x, where);
  const shape = [timesteps, ...x.sizes];
  checkSize(where, shape, timesteps * x.size);
  return shape;
}

/** The steps 0 … T − 1 as [T, 1, …], which broadcast over a tensor with `ndim` axes. */
export const stepsOver = (timesteps: number, ndim: number): Tensor =>
  arange(0, timesteps).reshape([timesteps, ...new Array<number>(ndim).fill(1)]);

/** Spikes of this shape as bits, from zeros and ones that `fires` computes. No gradient; the numbers are freed. */
export function packed(where: string, shape: Shape, fires: () => Tensor): Tensor {
  const z = emptySpikes(shape);
  noGrad(() => {
    const s = fires();
    ready(where, s);
    if (inReference()) k.copy(z.ptr, s.ptr, z.size);
    else k.packBits(z.bits, s.ptr, 1, z.size);
  });
  return z;
}
