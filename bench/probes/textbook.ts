/** A step of LIF neurons as textbooks write it, in vectors: the state v, the membrane and the spikes as numbers. */

/**
 * u[i] ← β·v[i] + current[i];  s[i] ← 1 if u[i] ≥ θ else 0;  v[i] ← u[i] − θ·s[i].  n is a multiple of 4.
 * 20 bytes a neuron: current and v are read, u, s and v are written.
 */
export function lifStep(u: usize, s: usize, v: usize, current: usize, n: i32, beta: f32, theta: f32): void {
  const b = f32x4.splat(beta);
  const t = f32x4.splat(theta);
  const one = f32x4.splat(1);
  const end = u + ((<usize>n) << 2);
  do {
    const membrane = f32x4.add(f32x4.mul(b, v128.load(v)), v128.load(current));
    const spike = v128.and(f32x4.ge(membrane, t), one);
    v128.store(u, membrane);
    v128.store(s, spike);
    v128.store(v, f32x4.sub(membrane, f32x4.mul(t, spike)));
    u += 16;
    s += 16;
    v += 16;
    current += 16;
  } while (u != end);
}
