/** The step function and the surrogates of its derivative, as kernels of their own. */
import { derivativeLanes, innerFactor, outerFactor, reachOf } from "./derivative";
import { loadSome, storeSome } from "./lanes";
import { scalarEnd } from "./span";

/**
 * z[i] ← surrogate′(u[i] − threshold[i·step]), step 0 or 1; with the slope k:
 *
 *   kind 0, sigmoid: k·σ(kx)·(1 − σ(kx))     1, fastSigmoid: 1 / (1 + k|x|)²     2, atan: (k/2) / (1 + (π/2·k·x)²)
 *   3, erf: k/√π·exp(−k²x²)     4, triangular: max(0, 1 − |x|/k) / k     5, boxcar: |x| < k/2 ? 1/k : 0
 *   6, straightThrough: 1
 */
export function surrogate(z: usize, u: usize, threshold: usize, step: i32, n: i32, kind: i32, slope: f32): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  let theta = v128.load32_splat(threshold);
  for (let part = 4; n > 0; n -= part) {
    const four = n >= 4;
    if (!four) part = 1;
    if (step != 0) theta = loadSome(threshold, four);
    storeSome(z, four, inline.always(derivativeLanes(kind, f32x4.sub(loadSome(u, four), theta), inner, outer, reach)));
    const bytes = (<usize>part) << 2;
    z += bytes;
    u += bytes;
    threshold += step != 0 ? bytes : 0;
  }
}

/** z[i] ← 1 where x[i] ≥ 0 (strict: > 0), else 0 */
export function spike(z: usize, x: usize, n: i32, strict: i32): void {
  // x > 0 is x ≥ the smallest positive float.
  const floor: f32 = strict != 0 ? reinterpret<f32>(1) : 0;
  for (const end = scalarEnd(z, n); z < end; z += 4, x += 4) store<f32>(z, load<f32>(x) >= floor ? 1 : 0);
}
