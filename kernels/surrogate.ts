/** The step function and its surrogate derivatives, as kernels. */
import { derivativeLanes, exponentials, floorOf, innerFactor, isExponential, outerFactor, reachOf } from "./derivative";
import { loadTail, storeTail } from "./lanes";
import { scalarEnd } from "./span";

/**
 * `edge`: four lanes with θ if all columns share one, or with the θ of the last one to three columns; then four lanes with their u.
 * `none`: zeros.
 */
const edge = memory.data(32, 16);
const none = memory.data(16, 16);

/**
 * z[i] ← surrogate′(u[i] − threshold[i·step]), step 0 or 1; with the slope k:
 *
 *   kind 0, sigmoid: k·σ(kx)·(1 − σ(kx))     1, fastSigmoid: 1 / (1 + k|x|)²     2, atan: (k/2) / (1 + (π/2·k·x)²)
 *   3, erf: k/√π·exp(−k²x²)     4, triangular: max(0, 1 − |x|/k) / k     5, boxcar: |x| < k/2 ? 1/k : 0
 *   6, straightThrough: 1
 */
// @cut n by 16 → z, u, threshold * step
export function surrogate(z: usize, u: usize, threshold: usize, step: i32, n: i32, kind: i32, slope: f32): void {
  const fours = n >> 2;
  if (step == 0) v128.store(edge, v128.load32_splat(threshold));
  if (fours > 0) whole(z, u, step == 0 ? edge : threshold, (<usize>step) << 4, fours, kind, slope);
  if ((n & 3) == 0) return;
  const o = (<usize>fours) << 4;
  if (step != 0) v128.store(edge, loadTail(threshold + o, n));
  v128.store(edge + 16, loadTail(u + o, n));
  whole(edge + 16, edge + 16, edge, 0, 1, kind, slope);
  storeTail(z + o, n, v128.load(edge, 16));
}

/** `surrogate` for groups of four columns; thetaBytes is the distance between four θ and the next. */
function whole(z: usize, u: usize, threshold: usize, thetaBytes: usize, fours: i32, kind: i32, slope: f32): void {
  if (!isExponential(kind)) return derivatives(z, u, threshold, thetaBytes, fours, kind, slope);
  exponentials(z, u, threshold, thetaBytes, fours, kind, slope);
  derivatives(z, z, none, 0, fours, kind, slope);
}

function derivatives(z: usize, u: usize, threshold: usize, thetaBytes: usize, fours: i32, kind: i32, slope: f32): void {
  const inner = f32x4.splat(innerFactor(kind, slope));
  const outer = f32x4.splat(outerFactor(kind, slope));
  const reach = f32x4.splat(reachOf(kind, slope));
  const floor = f32x4.splat(floorOf(kind));
  z -= 16;
  u -= 16;
  threshold -= thetaBytes;
  do {
    z += 16;
    u += 16;
    threshold += thetaBytes;
    const x = f32x4.sub(v128.load(u), v128.load(threshold));
    v128.store(z, inline.always(derivativeLanes(kind, x, inner, outer, reach, floor)));
  } while (--fours != 0);
}

/** z[i] ← 1 if x[i] ≥ 0 (strict: > 0), else 0 */
// @cut n by 16 → z, x
export function spike(z: usize, x: usize, n: i32, strict: i32): void {
  // x > 0 is x ≥ the smallest positive float.
  const floor: f32 = strict != 0 ? reinterpret<f32>(1) : 0;
  for (const end = scalarEnd(z, n); z < end; z += 4, x += 4) store<f32>(z, load<f32>(x) >= floor ? 1 : 0);
}
