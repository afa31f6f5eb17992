/** Copies between blocks that lie at a stride: slices, concatenation, permutation. */
import { scalarEnd, vectorEnd } from "./span";

/** z[r·zStep + i] ← x[r·xStep + i] for r < rows, i < n; steps count elements. */
export function copyBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void {
  const bytes = (<usize>n) << 2;
  for (; rows > 0; rows--, z += (<usize>zStep) << 2, x += (<usize>xStep) << 2) memory.copy(z, x, bytes);
}

/** z[r·zStep + i] += x[r·xStep + i] for r < rows, i < n; steps count elements. */
export function addBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void {
  for (; rows > 0; rows--, z += (<usize>zStep) << 2, x += (<usize>xStep) << 2) {
    let to = z;
    let from = x;
    const end = scalarEnd(z, n);
    for (const stop = vectorEnd(z, n); to < stop; to += 16, from += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
    for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}

/** z[a, b, c, d] ← x[a·sa + b·sb + c·sc + d·sd] for z of shape [na, nb, nc, nd]; strides count elements. */
export function copyStrided(
  z: usize,
  x: usize,
  na: i32,
  nb: i32,
  nc: i32,
  nd: i32,
  sa: i32,
  sb: i32,
  sc: i32,
  sd: i32,
): void {
  for (let a = 0; a < na; a++) {
    for (let b = 0; b < nb; b++) {
      for (let c = 0; c < nc; c++) {
        let from = x + ((<usize>(a * sa + b * sb + c * sc)) << 2);
        for (let d = 0; d < nd; d++, z += 4, from += (<usize>sd) << 2) store<f32>(z, load<f32>(from));
      }
    }
  }
}

/** x[a·sa + b·sb + c·sc + d·sd] += z[a, b, c, d]: the gradient of `copyStrided`. */
export function addStrided(
  x: usize,
  z: usize,
  na: i32,
  nb: i32,
  nc: i32,
  nd: i32,
  sa: i32,
  sb: i32,
  sc: i32,
  sd: i32,
): void {
  for (let a = 0; a < na; a++) {
    for (let b = 0; b < nb; b++) {
      for (let c = 0; c < nc; c++) {
        let to = x + ((<usize>(a * sa + b * sb + c * sc)) << 2);
        for (let d = 0; d < nd; d++, z += 4, to += (<usize>sd) << 2) store<f32>(to, load<f32>(to) + load<f32>(z));
      }
    }
  }
}
