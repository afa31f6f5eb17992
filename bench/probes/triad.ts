/** The bandwidth of a = b + s·c: two arrays read, one written. */

const SCALE: f32 = 3;

/** a[i] ← b[i] + s·c[i].  n is a multiple of 16. */
export function triad(a: usize, b: usize, c: usize, n: i32): void {
  const s = f32x4.splat(SCALE);
  const end = a + ((<usize>n) << 2);
  do {
    v128.store(a, f32x4.add(v128.load(b), f32x4.mul(v128.load(c), s)));
    v128.store(a, f32x4.add(v128.load(b, 16), f32x4.mul(v128.load(c, 16), s)), 16);
    v128.store(a, f32x4.add(v128.load(b, 32), f32x4.mul(v128.load(c, 32), s)), 32);
    v128.store(a, f32x4.add(v128.load(b, 48), f32x4.mul(v128.load(c, 48), s)), 48);
    a += 64;
    b += 64;
    c += 64;
  } while (a != end);
}
