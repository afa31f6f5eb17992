/** Deterministic spike codes, for the encoders of snn/coding. */
import { setBits } from "./bits";

/**
 * Time to first spike: bits [T, n], a stream, ← 1 at t = round((1 − x)·(T − 1)), half to even, with x clamped to [0, 1]; else 0. Values x ≤ eps
 * and NaN do not spike.
 */
export function firstSpike(bits: usize, x: usize, n: i32, T: i32, eps: f32): void {
  memory.fill(bits, 0, ((<usize>n * <usize>T + 31) >> 5) << 2);
  for (let i = 0; i < n; i++) {
    const value = min<f32>(load<f32>(x + ((<usize>i) << 2)), 1);
    if (!(value > eps)) continue;
    // Beyond 2²⁴, rounding may exceed the last step.
    const t = min(T - 1, <i32>nearest<f32>((1 - max<f32>(value, 0)) * <f32>(T - 1)));
    inline.always(setBits(bits, t * n + i, 1));
  }
}
