/** Tensors with reproducible values, and what tests ask of tensors. */
import { expect } from "vitest";
import { memoryStats, type Tensor, tensor } from "../../engine/index.ts";
import { listOf, numbers, type Tolerance } from "./sides.ts";

export interface RandomTensorOptions {
  low?: number;
  high?: number;
  requiresGrad?: boolean;
}

/** The same values for the same seed, uniform in [low, high), by default [−2, 2). */
export function random(shape: readonly number[], seed: number, options: RandomTensorOptions = {}): Tensor {
  const { low = -2, high = 2, requiresGrad = false } = options;
  const size = shape.reduce((product, n) => product * n, 1);
  return tensor(new Float32Array(numbers(size, seed, low, high)), { shape: [...shape], requiresGrad });
}

/** A random tensor that requires a gradient. */
export function leaf(shape: readonly number[], seed: number, options: RandomTensorOptions = {}): Tensor {
  return random(shape, seed, { ...options, requiresGrad: true });
}

/** The values as plain numbers. */
export function values(t: Tensor): number[] {
  return listOf(t.data);
}

/** The gradient of a leaf as plain numbers; zeros where nothing has reached it. */
export function gradient(t: Tensor): number[] {
  return t.grad === null ? new Array<number>(t.size).fill(0) : values(t.grad);
}

/** The bits of the values: NaN, infinities and the sign of zero included. */
export function bits(t: Tensor | Float32Array): number[] {
  const floats = t instanceof Float32Array ? t.slice() : t.toFloat32Array();
  return listOf(new Uint32Array(floats.buffer));
}

/** Bytes of linear memory that are in use after fn and were not before. */
export function bytesKept(fn: () => void): number {
  const { live } = memoryStats();
  fn();
  return memoryStats().live - live;
}

/**
 * Fails with `what` where a value is off by more than absolute + relative·|expected|. By default a handful of roundings
 * of 2⁻²⁴ ≈ 6·10⁻⁸ each: our own exp and log are within 2 ulp, sums of tens of terms within a few more.
 */
export function expectNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  { absolute = 2e-6, relative = 4e-6 }: Tolerance = {},
): void {
  expect(actual.length, what).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [got, value] = [actual[i] as number, expected[i] as number];
    if (Object.is(got, value) || Math.abs(got - value) <= absolute + relative * Math.abs(value)) continue;
    expect.fail(`${what}, element ${i} of ${expected.length}: got ${got}, expected ${value}`);
  }
}
