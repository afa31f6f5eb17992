/**
 * Elementwise arithmetic on equal shapes.
 *
 * `f` computes, `fGrad` adds the vector-Jacobian product to the gradient of one operand. Broadcasting happens before (the op `expand`), except
 * that y may be a single value, so every kernel here runs over n consecutive values.
 */
import { ADD, AFFINE, DIV, DIV_GRAD, DIVISOR_GRAD, each, MUL, MUL_GRAD, SCALED, SUB } from "./each";
import { scalarEnd, vectorEnd } from "./span";

/** z[i] ← value */
// @cut n by 16 → z
export function fill(z: usize, n: i32, value: f32): void {
  const end = scalarEnd(z, n);
  const lanes = f32x4.splat(value);
  for (const stop = vectorEnd(z, n); z < stop; z += 16) v128.store(z, lanes);
  for (; z < end; z += 4) store<f32>(z, value);
}

/** z[i] ← x[i]; the ranges may overlap. */
// @cut n by 16 if apart(z, n, x, n) → z, x
export function copy(z: usize, x: usize, n: i32): void {
  memory.copy(z, x, (<usize>n) << 2);
}

/** z[i] += x[i] */
// @cut n by 16 → z, x
export function addTo(z: usize, x: usize, n: i32): void {
  inline.always(each(ADD, z, z, x, 0, n, 0, 0, 0));
}

/** z[i] += alpha·x[i] */
// @cut n by 16 → z, x
export function addScaled(z: usize, x: usize, n: i32, alpha: f32): void {
  inline.always(each(SCALED, z, x, 0, 0, n, 0, alpha, 0));
}

/** z[i] ← x[i] + y[i], or if `single` is 1, x[i] + y[0] */
// @cut n by 16 → z, x, y * +!single
export function add(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(ADD, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i] − y[i]; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function sub(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(SUB, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i]·y[i]; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function mul(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(MUL, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i]·y[i], the gradient of x·y towards x; single as in `add` */
// @cut n by 16 → dx, dz, y * +!single
export function mulGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(MUL_GRAD, dx, dz, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i] / y[i]; single as in `add` */
// @cut n by 16 → z, x, y * +!single
export function div(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(DIV, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i] / y[i], the gradient of x / y towards x; single as in `add` */
// @cut n by 16 → dx, dz, y * +!single
export function divGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(DIV_GRAD, dx, dz, y, 0, n, single, 0, 0));
}

/** dy[i] −= dz[i]·z[i] / y[i], the gradient of z = x / y towards y */
// @cut n by 16 → dy, dz, z, y
export function divisorGrad(dy: usize, dz: usize, z: usize, y: usize, n: i32): void {
  inline.always(each(DIVISOR_GRAD, dy, dz, y, z, n, 0, 0, 0));
}

/** z[i] ← alpha·x[i] + beta */
// @cut n by 16 → z, x
export function affine(z: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
  inline.always(each(AFFINE, z, x, 0, 0, n, 0, alpha, beta));
}
