/** The gradient of AdaptiveLIF over a long run with a narrow surrogate, compared with loops in float64. */
import { expect, test } from "vitest";
import { tape, tensor } from "../../engine/index.ts";
import { gradient, random, values } from "../../test/support/tensors.ts";
import { AdaptiveLIF } from "../index.ts";

const [T, N] = [240, 100];
const current = random([T, 1, N], 1, { low: 0, high: 3 });
const weights = random([T, 1, N], 2, { low: -1, high: 1 });
const threshold = 0.5;

/** Spikes, and the gradient of Σ weights·spikes with respect to the current, with the preset "norse"; `round` rounds every operation. */
function loop(rho: number, round: (x: number) => number) {
  const [alpha, beta, kappa] = [0.8, 0.9, 1.8].map(Math.fround) as [number, number, number];
  const scale = Math.fround(1 - beta);
  const f = round;
  const [x, w] = [values(current), values(weights)];
  const spikes = new Array<number>(T * N);
  const dx = new Array<number>(T * N);
  for (let n = 0; n < N; n++) {
    let [i, v, a] = [0, 0, 0];
    const steps: [u: number, s: number, derivative: number][] = [];
    for (let at = n; at < T * N; at += N) {
      const u = f(f(v * beta) + f(i * scale));
      const left = f(a * rho);
      const above = f(u - f(f(left * kappa) + threshold));
      const s = Number(above > 0);
      const d = f(f(Math.abs(above) * 100) + 1);
      steps.push([u, s, f(1 / f(d * d))]);
      spikes[at] = s;
      [i, v, a] = [f(f(i * alpha) + (x[at] as number)), s > 0 ? 0 : u, f(left + s)];
    }
    let [di, dv, da] = [0, 0, 0];
    for (const [t, [u, s, derivative]] of [...steps.entries()].reverse()) {
      const at = t * N + n;
      dx[at] = di;
      const d = f(f(f((w[at] as number) + da) - f(dv * u)) * derivative);
      const du = f(d + dv * (1 - s));
      [da, dv, di] = [f(f(da - f(d * kappa)) * rho), f(du * beta), f(f(di * alpha) + f(du * scale))];
    }
  }
  return { spikes, dx };
}

function layer(rho: number) {
  const neurons = new AdaptiveLIF({ numerics: "norse", rho, threshold });
  const x = tensor(current.toFloat32Array(), { shape: [T, 1, N], requiresGrad: true });
  const spikes = tape(() => {
    const s = neurons.forward(x);
    s.mul(weights).sum().backward();
    return values(s);
  });
  return { spikes, dx: gradient(x) };
}

/** The largest difference relative to the largest value. */
function distance(got: readonly number[], want: readonly number[]): number {
  const largest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return got.reduce((most, x, i) => Math.max(most, Math.abs(x - (want[i] as number))), 0) / largest;
}

/** ρ of τ_a = 7389 steps, from Norse's memory task; in float32 the relative error of 1 − ρ is 2·10⁻⁴. Also the nearest ρ with few bits. */
const NEAR_ONE = 1 - 0.001 / Math.exp(2);
const FEW_BITS = 1 - 2 ** -13;

test("adaptive lif: 240 steps under superSpike(100) have the roundings of the formula in float32, and no more", () => {
  for (const rho of [NEAR_ONE, FEW_BITS]) {
    const rounded = Math.fround(rho);
    const got = layer(rho);
    const inFloat32 = loop(rounded, Math.fround);
    expect(got.spikes.filter((s) => s === 1).length).toBeGreaterThan(400);
    expect(got.spikes).toEqual(inFloat32.spikes);
    expect(got.dx.map((d) => d + 0)).toEqual(inFloat32.dx.map((d) => d + 0));
    const exact = loop(rounded, (x) => x);
    expect(got.spikes).toEqual(exact.spikes);
    // Membranes are off by about 10⁻⁷ of θ, and the derivative by 2·100 times as much, over several consecutive spikes.
    expect(distance(got.dx, exact.dx)).toBeLessThan(1e-3);
  }
});

test("adaptive lif: what is left of the distance to float64 is the rounding of a ρ near 1", () => {
  const exact = loop(NEAR_ONE, (x) => x);
  const ofRounding = distance(loop(Math.fround(NEAR_ONE), (x) => x).dx, exact.dx);
  expect(distance(layer(NEAR_ONE).dx, exact.dx)).toBeLessThan(2 * ofRounding);
  expect(ofRounding).toBeGreaterThan(1e-3);
  // A ρ that float32 represents exactly has no such error.
  expect(distance(layer(FEW_BITS).dx, loop(FEW_BITS, (x) => x).dx)).toBeLessThan(ofRounding / 3);
});
