/** One sample of a sequence as numbers, for text plots and charts. */
import { numberOf, WHOLE, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { formatShape } from "../../engine/shape.ts";
import { checkSequence } from "../layer/checks.ts";

/** One sample of a sequence: values [T, N]. */
export interface Sample {
  readonly values: Float32Array;
  readonly T: number;
  readonly N: number;
}

/** A copy of one sample of x, [T, B, …] or [T]. */
export function sampleOf(where: string, x: Tensor, sample: number): Sample {
  checkSequence(where, "a sequence", x);
  const [T = 1, B = 1] = x.sizes;
  if (numberOf(where, "sample", sample, WHOLE) >= B) {
    throw wrongValue(where, `a sample below ${B}`, `${sample} of ${formatShape(x.sizes)}`);
  }
  const all = x.toFloat32Array();
  const N = x.size / (T * B);
  const values = new Float32Array(T * N);
  for (let t = 0; t < T; t++) {
    const from = (t * B + sample) * N;
    values.set(all.subarray(from, from + N), t * N);
  }
  return { values, T, N };
}
