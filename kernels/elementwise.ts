/**
 * Elementwise arithmetic on equal shapes.
 *
 * `f` computes, `fGrad` adds the vector-Jacobian product into the gradient of one operand. Broadcasting is done before
 * (the op `expand`), but that y may be a single value, so every loop here runs over n consecutive values: four lanes at a time, then a
 * scalar tail.
 */
import { scalarEnd, spread, stepOf, vectorEnd } from "./span";

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
  const end = scalarEnd(z, n);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16) {
    v128.store(z, f32x4.add(v128.load(z), v128.load(x)));
  }
  for (; z < end; z += 4, x += 4) store<f32>(z, load<f32>(z) + load<f32>(x));
}

/** z[i] += alpha·x[i] */
export function addScaled(z: usize, x: usize, n: i32, alpha: f32): void {
  const end = scalarEnd(z, n);
  const scale = f32x4.splat(alpha);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16) {
    v128.store(z, f32x4.add(v128.load(z), f32x4.mul(scale, v128.load(x))));
  }
  for (; z < end; z += 4, x += 4) store<f32>(z, load<f32>(z) + alpha * load<f32>(x));
}

/** z[i] ← x[i] + y[i], or if `single` is 1, x[i] + y[0] */
export function add(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16, y += step) {
    v128.store(z, f32x4.add(v128.load(x), v128.load(y)));
  }
  for (; z < end; z += 4, x += 4, y += step >> 2) store<f32>(z, load<f32>(x) + load<f32>(y));
}

/** z[i] ← x[i] − y[i]; single as in `add` */
export function sub(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16, y += step) {
    v128.store(z, f32x4.sub(v128.load(x), v128.load(y)));
  }
  for (; z < end; z += 4, x += 4, y += step >> 2) store<f32>(z, load<f32>(x) - load<f32>(y));
}

/** z[i] ← x[i]·y[i]; single as in `add` */
export function mul(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16, y += step) {
    v128.store(z, f32x4.mul(v128.load(x), v128.load(y)));
  }
  for (; z < end; z += 4, x += 4, y += step >> 2) store<f32>(z, load<f32>(x) * load<f32>(y));
}

/** dx[i] += dz[i]·y[i], the gradient of x·y towards x; single as in `add` */
export function mulGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(dx, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(dx, n); dx < stop; dx += 16, dz += 16, y += step) {
    v128.store(dx, f32x4.add(v128.load(dx), f32x4.mul(v128.load(dz), v128.load(y))));
  }
  for (; dx < end; dx += 4, dz += 4, y += step >> 2) store<f32>(dx, load<f32>(dx) + load<f32>(dz) * load<f32>(y));
}

/** z[i] ← x[i] / y[i]; single as in `add` */
export function div(z: usize, x: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(z, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16, y += step) {
    v128.store(z, f32x4.div(v128.load(x), v128.load(y)));
  }
  for (; z < end; z += 4, x += 4, y += step >> 2) store<f32>(z, load<f32>(x) / load<f32>(y));
}

/** dx[i] += dz[i] / y[i], the gradient of x / y towards x; single as in `add` */
export function divGrad(dx: usize, dz: usize, y: usize, n: i32, single: i32): void {
  const end = scalarEnd(dx, n);
  const step = stepOf(single);
  y = spread(y, single);
  for (const stop = vectorEnd(dx, n); dx < stop; dx += 16, dz += 16, y += step) {
    v128.store(dx, f32x4.add(v128.load(dx), f32x4.div(v128.load(dz), v128.load(y))));
  }
  for (; dx < end; dx += 4, dz += 4, y += step >> 2) store<f32>(dx, load<f32>(dx) + load<f32>(dz) / load<f32>(y));
}

/** dy[i] −= dz[i]·z[i] / y[i], the gradient of z = x / y towards y */
export function divisorGrad(dy: usize, dz: usize, z: usize, y: usize, n: i32): void {
  const end = scalarEnd(dy, n);
  for (const stop = vectorEnd(dy, n); dy < stop; dy += 16, dz += 16, z += 16, y += 16) {
    const quotient = f32x4.div(f32x4.mul(v128.load(dz), v128.load(z)), v128.load(y));
    v128.store(dy, f32x4.sub(v128.load(dy), quotient));
  }
  for (; dy < end; dy += 4, dz += 4, z += 4, y += 4) {
    store<f32>(dy, load<f32>(dy) - (load<f32>(dz) * load<f32>(z)) / load<f32>(y));
  }
}

/** z[i] ← alpha·x[i] + beta */
export function affine(z: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
  const end = scalarEnd(z, n);
  const scale = f32x4.splat(alpha);
  const offset = f32x4.splat(beta);
  for (const stop = vectorEnd(z, n); z < stop; z += 16, x += 16) {
    v128.store(z, f32x4.add(f32x4.mul(scale, v128.load(x)), offset));
  }
  for (; z < end; z += 4, x += 4) store<f32>(z, alpha * load<f32>(x) + beta);
}
