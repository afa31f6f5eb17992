/**
 * Elementwise arithmetic on equal shapes.
 *
 * `f` computes, `fGrad` adds the vector-Jacobian product into the gradient of one operand. Broadcasting is done before (the op
 * `expand`), but that y may be a single value, so every kernel here runs over n consecutive values.
 */
import { ADD, AFFINE, DIV, DIV_GRAD, DIVISOR_GRAD, each, MUL, MUL_GRAD, SCALED, SUB } from "./each";
import { scalarEnd, vectorEnd } from "./span";

/** z[i] ← value */
export function fill(z: usize, n: i32, value: f32): void {
  const end = scalarEnd(z, n);
  const lanes = f32x4.splat(value);
  for (const stop = vectorEnd(z, n); z < stop; z += 16) v128.store(z, lanes);
  for (; z < end; z += 4) store<f32>(z, value);
}

/** z[i] ← x[i]; the ranges may overlap. */
export function copy(z: usize, x: usize, n: i32): void {
  memory.copy(z, x, (<usize>n) << 2);
}

/** z[i] += x[i] */
export function addTo(z: usize, x: usize, n: i32): void {
  inline.always(each(ADD, z, z, x, 0, n, 0, 0, 0));
}

/** z[i] += alpha·x[i] */
export function addScaled(z: usize, x: usize, n: i32, alpha: f32): void {
  inline.always(each(SCALED, z, x, 0, 0, n, 0, alpha, 0));
}

/** z[i] ← x[i] + y[i], or if `single` is 1, x[i] + y[0] */
export function add(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(ADD, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i] − y[i]; single as in `add` */
export function sub(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(SUB, z, x, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i]·y[i]; single as in `add` */
export function mul(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(MUL, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i]·y[i], the gradient of x·y towards x; single as in `add` */
export function mulGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(MUL_GRAD, dx, dz, y, 0, n, single, 0, 0));
}

/** z[i] ← x[i] / y[i]; single as in `add` */
export function div(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(DIV, z, x, y, 0, n, single, 0, 0));
}

/** dx[i] += dz[i] / y[i], the gradient of x / y towards x; single as in `add` */
export function divGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  inline.always(each(DIV_GRAD, dx, dz, y, 0, n, single, 0, 0));
}

/** dy[i] −= dz[i]·z[i] / y[i], the gradient of z = x / y towards y */
export function divisorGrad(dy: usize, dz: usize, z: usize, y: usize, n: i32): void {
  inline.always(each(DIVISOR_GRAD, dy, dz, y, z, n, 0, 0, 0));
}

/** z[i] ← alpha·x[i] + beta */
export function affine(z: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
  inline.always(each(AFFINE, z, x, 0, 0, n, 0, alpha, beta));
}
