/** The step function and the surrogates of its derivative, as kernels of their own. */
import { ATAN, derivativeLanes, FAST_SIGMOID, innerFactor, outerFactor, SIGMOID } from "./derivative";
import { scalarEnd, vectorEnd } from "./span";

/**
 * z[i] ← surrogate′(u[i] − threshold[i·step]), step 0 or 1; with the slope k:
 *
 *   kind 0, sigmoid: k·σ(kx)·(1 − σ(kx))     1, fastSigmoid: 1 / (1 + k|x|)²     2, atan: (k/2) / (1 + (π/2·k·x)²)
 */
export function surrogate(z: usize, u: usize, threshold: usize, step: i32, n: i32, kind: i32, slope: f32): void {
  if (kind == SIGMOID) inline.always(derivatives(SIGMOID, z, u, threshold, step, n, slope));
  else if (kind == FAST_SIGMOID) inline.always(derivatives(FAST_SIGMOID, z, u, threshold, step, n, slope));
  else inline.always(derivatives(ATAN, z, u, threshold, step, n, slope));
}

function derivatives(kind: i32, z: usize, u: usize, threshold: usize, step: i32, n: i32, slope: f32): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const stepBytes = (<usize>step) << 2;
  let theta = v128.load32_splat(threshold);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, u += 16, threshold += stepBytes << 2) {
    if (step != 0) theta = v128.load(threshold);
    v128.store(z, inline.always(derivativeLanes(kind, f32x4.sub(v128.load(u), theta), inner, outer)));
  }
  for (let rest = n & 3; rest > 0; rest--, z += 4, u += 4, threshold += stepBytes) {
    if (step != 0) theta = v128.load32_zero(threshold);
    v128.store32_lane(z, derivativeLanes(kind, f32x4.sub(v128.load32_zero(u), theta), inner, outer), 0);
  }
}

/** z[i] ← 1 where x[i] ≥ 0 (strict: > 0), else 0 */
export function spike(z: usize, x: usize, n: i32, strict: i32): void {
  // x > 0 is x ≥ the smallest positive float.
  const floor: f32 = strict != 0 ? reinterpret<f32>(1) : 0;
  for (const end = scalarEnd(z, n); z < end; z += 4, x += 4) store<f32>(z, load<f32>(x) >= floor ? 1 : 0);
}
