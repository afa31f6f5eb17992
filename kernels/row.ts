/**
 * One row times a matrix, which is read once in place. n and k are multiples of 8 and 4; sums have the order of matmul.ts.
 */
import { madd } from "./lanes";

/** c [n] += a [k] · B [k, n] for contiguous rows: adds four rows of B to c at a time. */
export function rowTimesRows(c: usize, a: usize, b: usize, n: i32, k: i32, aStep: usize, bBytes: usize): void {
  const bytes = (<usize>n) << 2;
  for (; k > 0; k -= 4) {
    const a1 = a + aStep;
    const a2 = a1 + aStep;
    const a3 = a2 + aStep;
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a1);
    const x2 = v128.load32_splat(a2);
    const x3 = v128.load32_splat(a3);
    const b1 = b + bBytes;
    const b2 = b1 + bBytes;
    const b3 = b2 + bBytes;
    for (let o: usize = 0; o < bytes; o += 16) {
      let s = inline.always(madd(v128.load(c + o), x0, v128.load(b + o)));
      s = inline.always(madd(s, x1, v128.load(b1 + o)));
      s = inline.always(madd(s, x2, v128.load(b2 + o)));
      v128.store(c + o, inline.always(madd(s, x3, v128.load(b3 + o))));
    }
    a = a3 + aStep;
    b = b3 + bBytes;
  }
}

/**
 * c [n] += a [k] · B [k, n] for contiguous columns, eight at a time: products are transposed in registers, then added in order. With fused
 * multiply-add, B is transposed instead.
 */
export function rowTimesColumns(c: usize, a: usize, b: usize, n: i32, k: i32, colBytes: usize): void {
  const two = colBytes << 1;
  const three = two + colBytes;
  const four = two << 1;
  for (; n > 0; n -= 8, c += 32, b += four << 1) {
    let s0 = v128.load(c);
    let s1 = v128.load(c, 16);
    let x = a - 16;
    let q = b - 16;
    let p = k;
    do {
      x += 16;
      q += 16;
      const x4 = v128.load(x);
      s0 = inline.always(addFour(s0, x4, q, q + colBytes, q + two, q + three));
      const r = q + four;
      s1 = inline.always(addFour(s1, x4, r, r + colBytes, r + two, r + three));
      p -= 4;
    } while (p != 0);
    v128.store(c, s0);
    v128.store(c, s1, 16);
  }
}

/** sum[j] + x[0]·b[0, j] + x[1]·b[1, j] + x[2]·b[2, j] + x[3]·b[3, j] for four columns of b. */
function addFour(sum: v128, x: v128, b0: usize, b1: usize, b2: usize, b3: usize): v128 {
  const z0 = inline.always(factorOf(x, v128.load(b0)));
  const z1 = inline.always(factorOf(x, v128.load(b1)));
  const z2 = inline.always(factorOf(x, v128.load(b2)));
  const z3 = inline.always(factorOf(x, v128.load(b3)));
  const low01 = i32x4.shuffle(z0, z1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(z2, z3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(z0, z1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(z2, z3, 2, 6, 3, 7);
  sum = inline.always(plusTurned(sum, i32x4.shuffle(x, x, 0, 0, 0, 0), i64x2.shuffle(low01, low23, 0, 2)));
  sum = inline.always(plusTurned(sum, i32x4.shuffle(x, x, 1, 1, 1, 1), i64x2.shuffle(low01, low23, 1, 3)));
  sum = inline.always(plusTurned(sum, i32x4.shuffle(x, x, 2, 2, 2, 2), i64x2.shuffle(high01, high23, 0, 2)));
  return inline.always(plusTurned(sum, i32x4.shuffle(x, x, 3, 3, 3, 3), i64x2.shuffle(high01, high23, 1, 3)));
}

/** Four factors b of a column, or their products with x. */
function factorOf(x: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? b : f32x4.mul(x, b);
}

/** sum + the transposed products, or the transposed factors times x. */
function plusTurned(sum: v128, x: v128, turned: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? inline.always(madd(sum, x, turned)) : f32x4.add(sum, turned);
}
