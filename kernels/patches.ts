/**
 * The values under a window that moves over an image, as a matrix P[p, j] = x[rows[p] + cols[j]]: row p is a place in the
 * window, column j a place of the window, and two tables of integers say how far they lie apart. Strides, dilation,
 * channels and several images at a time are all in the tables. `gemmGathered` multiplies such a matrix in place.
 */

/** table[i, j, k] ← i·si + j·sj + k·sk, as integers     i < ni, j < nj, k < nk */
export function grid(table: usize, ni: i32, nj: i32, nk: i32, si: i32, sj: i32, sk: i32): void {
  for (let i = 0; i < ni; i++) {
    for (let j = 0; j < nj; j++) {
      for (let k = 0; k < nk; k++, table += 4) store<i32>(table, i * si + j * sj + k * sk);
    }
  }
}

/**
 * x[rows[p] + cols[j]] += P[p, j] for the m rows of P, the last one first, and its n columns from the first to the last.
 *
 * In this order every x receives what the windows over it give in the order of their places, however the columns are cut
 * into blocks. Both tables ascend.
 */
export function addGathered(x: usize, patches: usize, rows: usize, cols: usize, m: i32, n: i32): void {
  for (let p = m - 1; p >= 0; p--) {
    const to = x + ((<usize>load<i32>(rows + ((<usize>p) << 2))) << 2);
    let from = patches + ((<usize>p * <usize>n) << 2);
    let j = cols;
    let left = n;
    for (; left >= 4; left -= 4, from += 16, j += 16) {
      const first = load<i32>(j);
      if (load<i32>(j, 12) - first == 3) {
        const at = to + ((<usize>first) << 2);
        v128.store(at, f32x4.add(v128.load(at), v128.load(from)));
      } else for (let i: usize = 0; i < 16; i += 4) addOne(to, j + i, from + i);
    }
    for (; left > 0; left--, from += 4, j += 4) addOne(to, j, from);
  }
}

function addOne(x: usize, col: usize, from: usize): void {
  const at = x + ((<usize>load<i32>(col)) << 2);
  store<f32>(at, load<f32>(at) + load<f32>(from));
}
