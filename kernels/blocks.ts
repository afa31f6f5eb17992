/** Copies between strided or indexed blocks: slices, concatenation, permutation, selected rows, transposes. */
import { addTo } from "./elementwise";
import { storeTransposed } from "./lanes";

/** z[r·zStep + i] ← x[r·xStep + i] for r < rows, i < n; steps count elements. */
// @costs rows * n
// @let reach = (rows - 1)
// @cut rows if zStep >= n && apart(z, reach * zStep + n, x, reach * xStep + n) → z * zStep, x * xStep
export function copyBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void {
  const bytes = (<usize>n) << 2;
  for (; rows > 0; rows--, z += (<usize>zStep) << 2, x += (<usize>xStep) << 2) inline.always(copyRun(z, x, bytes));
}

/** Copies a run; for short runs a loop is cheaper than the call of memory.copy. */
function copyRun(z: usize, x: usize, bytes: usize): void {
  if (bytes > 64) memory.copy(z, x, bytes);
  else for (const end = z + bytes; z < end; z += 4, x += 4) store<u32>(z, load<u32>(x));
}

/** z[r·zStep + i] += x[r·xStep + i] for r < rows, i < n; steps count elements. */
// @costs rows * n
// @let reach = (rows - 1)
// @cut rows if zStep >= n && apart(z, reach * zStep + n, x, reach * xStep + n) → z * zStep, x * xStep
export function addBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void {
  for (; rows > 0; rows--, z += (<usize>zStep) << 2, x += (<usize>xStep) << 2) inline.always(addTo(z, x, n));
}

/** z[a, b, c, d] ← x[a·sa + b·sb + c·sc + d·sd] for z of shape [na, nb, nc, nd]; strides count elements and may be negative. */
// @costs na * nb * nc * nd
// @cut na → z * nb * nc * nd, x * sa
// @cut nb if na == 1 → z * nc * nd, x * sb
// @cut nc if na * nb == 1 → z * nd, x * sc
// @cut nd if na * nb * nc == 1 → z, x * sd
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
  const row = (<usize>nd) << 2;
  for (let a = 0; a < na; a++) {
    for (let b = 0; b < nb; b++) {
      for (let c = 0; c < nc; c++) {
        let from = x + ((<usize>(a * sa + b * sb + c * sc)) << 2);
        if (sd == 1) {
          inline.always(copyRun(z, from, row));
          z += row;
        } else for (let d = 0; d < nd; d++, z += 4, from += (<usize>sd) << 2) store<f32>(z, load<f32>(from));
      }
    }
  }
}

/** x[a·sa + b·sb + c·sc + d·sd] += z[a, b, c, d]: the gradient of `copyStrided`. */
// @costs na * nb * nc * nd
// @let d = reach(nd, sd), c = d + reach(nc, sc), b = c + reach(nb, sb)
// @cut na if Math.abs(sa) > b → z * nb * nc * nd, x * sa
// @cut nb if na == 1 && Math.abs(sb) > c → z * nc * nd, x * sb
// @cut nc if na * nb == 1 && Math.abs(sc) > d → z * nd, x * sc
// @cut nd if na * nb * nc == 1 && sd != 0 → z, x * sd
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
  const row = (<usize>nd) << 2;
  for (let a = 0; a < na; a++) {
    for (let b = 0; b < nb; b++) {
      for (let c = 0; c < nc; c++) {
        let to = x + ((<usize>(a * sa + b * sb + c * sc)) << 2);
        if (sd == 1) {
          inline.always(addTo(to, z, nd));
          z += row;
        } else
          for (let d = 0; d < nd; d++, z += 4, to += (<usize>sd) << 2) store<f32>(to, load<f32>(to) + load<f32>(z));
      }
    }
  }
}

/** z[i, :] ← x[index[i], :] for i < rows and rows of `width` values; the indices are i32. */
// @costs rows * width
// @cut rows → z * width, index
export function gatherRows(z: usize, x: usize, index: usize, rows: i32, width: i32): void {
  const row = (<usize>width) << 2;
  for (; rows > 0; rows--, z += row, index += 4) {
    inline.always(copyRun(z, x + row * <usize>load<i32>(index), row));
  }
}

/** z[index[i], :] += x[i, :] for i = 0, 1, …, rows − 1, except rows with index[i] = skip: the gradient of `gatherRows`. */
export function scatterRows(z: usize, x: usize, index: usize, rows: i32, width: i32, skip: i32): void {
  const row = (<usize>width) << 2;
  for (; rows > 0; rows--, x += row, index += 4) {
    const i = load<i32>(index);
    if (i != skip) inline.always(addTo(z + row * <usize>i, x, width));
  }
}

/** Number of rows of x that are transposed together, so that they fill whole cache lines of z. */
const TILE = 16;

/**
 * z [n, m] ← the transpose of x [m, n], in blocks of 4 × 4. From row to row, x advances by `apart` values (0 means n)
 * and z by `zApart` values (0 means m); both may be negative.
 */
// @costs m * n
// @cut n by 16 → z * (zApart || m), x, apart = apart || n, zApart = zApart || m
export function transpose(z: usize, x: usize, m: i32, n: i32, apart: i32, zApart: i32): void {
  const xRow = (<usize>(apart != 0 ? apart : n)) << 2;
  const zRow = (<usize>(zApart != 0 ? zApart : m)) << 2;
  const blockN = (n >> 2) << 2;
  for (let i = 0; i < m; i += TILE) {
    const end = min(m, i + TILE);
    const block = end & ~3;
    const length: usize = block > i ? (<usize>(block - i)) << 2 : 0;
    let fromTile = x + <usize>i * xRow;
    let toTile = z + ((<usize>i) << 2);
    for (let j = 0; j < blockN; j += 4, fromTile += 16, toTile += zRow << 2) {
      let from = fromTile;
      for (let to = toTile, stop = toTile + length; to != stop; from += xRow << 2, to += 16) {
        const x0 = v128.load(from);
        const x1 = v128.load(from + xRow);
        const x2 = v128.load(from + 2 * xRow);
        const x3 = v128.load(from + 3 * xRow);
        inline.always(storeTransposed(to, zRow, x0, x1, x2, x3));
      }
    }
    for (let r = i; r < block; r++) for (let j = blockN; j < n; j++) inline.always(copyOne(z, x, r, j, xRow, zRow));
    for (let r = block; r < end; r++) for (let j = 0; j < n; j++) inline.always(copyOne(z, x, r, j, xRow, zRow));
  }
}

function copyOne(z: usize, x: usize, i: i32, j: i32, xRow: usize, zRow: usize): void {
  store<f32>(z + <usize>j * zRow + ((<usize>i) << 2), load<f32>(x + <usize>i * xRow + ((<usize>j) << 2)));
}
