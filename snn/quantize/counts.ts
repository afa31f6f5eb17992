/** Counts non-zero inputs of a product, for profiles and costs. */

import { constantSource } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { sizeOf } from "../../engine/shape.ts";
import { formOf } from "../../engine/unchecked.ts";

/** Inputs of a product in one step. */
export interface StepCounts {
  /** Number of samples in which each input is not zero. */
  readonly nonZeros: Float32Array;
  /** Whether all inputs are 0, 1 or −1. */
  readonly isBinary: boolean;
  /** Number of equal consecutive steps that this one stands for. */
  readonly times: number;
}

/**
 * Counts the non-zero inputs of each step over samples: x [T, B, …, features] with `axes` axes of features. With at most one axis before the
 * features, x is one step. Counts packed spikes without unpacking, and repeated steps once.
 */
export function countsOfSteps(x: Tensor, axes: number): StepCounts[] {
  const inputs = sizeOf(x.sizes.slice(-axes));
  if (formOf(x) === "bits") {
    const nonZeros = x.reshape([-1, inputs]).sum({ axis: 0 }).toFloat32Array();
    return [{ nonZeros, isBinary: true, times: 1 }];
  }
  const source = x.ndim > axes ? constantSource(x) : null;
  const times = source === null ? 1 : x.size / source.size;
  const steps = source === null && x.ndim > axes + 1 ? (x.sizes[0] as number) : 1;
  const rows = (source ?? x).reshape([steps, -1, inputs]);
  const samples = rows.sizes[1] as number;
  const zeros = rows.eq(0).sum({ axis: 1 }).toFloat32Array();
  const units = rows.abs().eq(1).sum({ axis: 1 }).toFloat32Array();
  return Array.from({ length: steps }, (_, t) => {
    const [from, to] = [t * inputs, (t + 1) * inputs];
    const nonZeros = zeros.slice(from, to).map((n) => samples - n);
    return { nonZeros, isBinary: units.subarray(from, to).every((n, i) => n === nonZeros[i]), times };
  });
}

export const sumOfValues = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
