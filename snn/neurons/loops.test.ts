/** Neurons that no other package has as a golden: each against a loop in float64, written from its paper. */
import { AdLIF, Izhikevich, KLIF, ResonateAndFire, surrogate, type Tensor, tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { compare, type Loop, over } from "../../test/support/loops.ts";

describe("resonate and fire", () => {
  const loop = (beta: number, omega: number, isReset: boolean): Loop =>
    over({ x: 0, y: 0 }, (z, I) => {
      const { x = 0, y = 0 } = z;
      z.x = beta * (Math.cos(omega) * x - Math.sin(omega) * y) + I;
      z.y = beta * (Math.sin(omega) * x + Math.cos(omega) * y);
      z.membrane = z.y;
      z.spikes = z.y >= 1 ? 1 : 0;
      if (z.spikes === 1 && isReset) [z.x, z.y] = [0, 1];
    });

  test("resonate and fire: as in a float64 loop", () => {
    compare(new ResonateAndFire(), loop(Math.fround(0.95), Math.fround(0.3), true), 1.5);
    compare(new ResonateAndFire({ beta: 0.5, omega: 1, reset: "none" }), loop(0.5, 1, false), 3);
  });

  test("resonate and fire: a rhythm of its own makes it fire, a faster one does not", () => {
    const omega = (2 * Math.PI) / 20;
    const layer = new ResonateAndFire({ omega, beta: 0.97 });
    const every = (period: number): Tensor =>
      tensor(Array.from({ length: 200 }, (_, t) => (t % period === 0 ? 0.6 : 0)));
    const count = (x: Tensor): number => layer.forward(x).sum().item();
    expect(count(every(20))).toBeGreaterThan(1);
    expect(count(every(10))).toBe(0);
  });
});

describe("klif", () => {
  const f = Math.fround;
  const loop = (options: {
    beta: number;
    k: number;
    rest: number;
    subtract: boolean;
    decays: boolean;
    scales: boolean;
  }): Loop =>
    over({ v: options.rest }, (state, I) => {
      const { beta, k, rest, subtract, decays, scales } = options;
      const v = state.v as number;
      const h = rest + beta * (v - rest) + (decays ? (1 - beta) * I : I);
      const F = Math.max(0, k * h);
      const s = F >= 1 ? 1 : 0;
      state.membrane = F;
      state.spikes = s;
      const q = scales ? k : 1;
      state.v = subtract ? (F - s) / q : s === 1 ? -0.25 : F / q;
    });

  test.each([
    { beta: 0.5, k: 1, rest: 0, subtract: false, decays: true, scales: false },
    { beta: 0.75, k: f(1.3), rest: 0.125, subtract: true, decays: false, scales: false },
    { beta: 0.75, k: f(0.7), rest: 0, subtract: true, decays: false, scales: true },
    { beta: 0.5, k: f(1.7), rest: 0, subtract: false, decays: false, scales: true },
  ])("klif: as in a float64 loop, %o", (options) => {
    const { beta, k, rest, subtract, decays, scales } = options;
    const layer = new KLIF({
      ...{ beta, k, rest, inputScale: decays ? "leak" : "one", scaleReset: scales },
      ...(subtract ? { reset: "subtract" } : { resetValue: -0.25 }),
    });
    compare(layer, loop(options), decays ? 4 : 2);
  });
});

describe("adlif", () => {
  const [alpha, beta, a, b] = [Math.fround(0.8), Math.fround(0.95), 0.5, Math.fround(1.2)];

  test("adlif: as in a float64 loop after Bittar and Garner, who reset in the next step", () => {
    // Their w and u of a step are made from u and s of the step before; v is u − s.
    const loop = over({ u: 0, s: 0, pending: 0 }, (state, I) => {
      const { u = 0, s = 0, pending = 0 } = state;
      const w = beta * pending + a * u + b * s;
      state.u = alpha * (u - s) + (1 - alpha) * (I - w);
      state.s = state.u >= 1 ? 1 : 0;
      state.pending = w;
    });
    const renamed: Loop = (current) => {
      const { u = [], s = [], pending = [] } = loop(current);
      return {
        spikes: s,
        membrane: u,
        v: u.map((x, t) => x - (s[t] as number)),
        w: pending.map((w, t) => beta * w + a * (u[t] as number) + b * (s[t] as number)),
      };
    };
    compare(new AdLIF({ alpha, beta, a, b }), renamed, 16);
  });

  test("adlif: symplectic, as in a float64 loop after Baronig et al.", () => {
    const loop = over({ v: 0, w: 0 }, (state, I) => {
      const { v = 0, w = 0 } = state;
      const u = alpha * v + (1 - alpha) * (I - w);
      const s = u >= 1 ? 1 : 0;
      state.membrane = u;
      state.spikes = s;
      state.v = u * (1 - s);
      state.w = beta * w + (1 - beta) * (a * state.v + b * s);
    });
    compare(new AdLIF({ alpha, beta, a, b, form: "symplectic" }), loop, 12);
  });
});

test("izhikevich: numerics spikingjelly is its node, with v0 and w at 0", () => {
  const [tau, tauW, vc, vr] = [2, 2, 0.8, -0.1];
  const loop = over({ v: 0, u: 0 }, (state, I) => {
    const { v = 0, u = 0 } = state;
    const h = v + (I + (v - vr) * (v - vc) - u) / tau;
    const s = h >= 1 ? 1 : 0;
    state.membrane = h;
    state.spikes = s;
    state.u = u + (0.3 * (h - vr) - u) / tauW + 0.2 * s;
    state.v = s === 1 ? 0 : h;
  });
  const f = Math.fround;
  compare(new Izhikevich({ numerics: "spikingjelly", b: f(0.3), d: f(0.2) }), loop, 3);
  expect(String(new Izhikevich({ numerics: "spikingjelly", surrogate: surrogate.atan() }))).toContain("≥");
});
