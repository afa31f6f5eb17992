/** Neurons of other packages in forms that none of their goldens covers: each compared with a loop in float64. */
import {
  AdaptiveLIF,
  ConductanceLIF,
  ExponentialIF,
  gradcheck,
  IF,
  LIF,
  neuron,
  ParametricLIF,
  QuadraticIF,
  Recurrent,
  rand,
  Stream,
  Synaptic,
  SynapticIntegrator,
  surrogate,
  type Tensor,
  TsodyksMarkram,
  tape,
  tensor,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { compare, type Loop, over } from "../../test/support/loops.ts";
import { values } from "../../test/support/tensors.ts";

const f = Math.fround;

/** The loop, without a state that the layer lacks. */
const without =
  (loop: Loop, name: string): Loop =>
  (current) => {
    const { [name]: _, ...others } = loop(current);
    return others;
  };

describe("against float64 loops", () => {
  test("adaptive lif: as Bellec et al. write it, with the reset of the public contract", () => {
    const [beta, rho, kappa] = [f(0.95), f(0.97), f(1.8)];
    const loop = over({ v: 0, a: 0 }, (state, I) => {
      const { v = 0, a = 0 } = state;
      state.membrane = beta * v + I;
      state.spikes = state.membrane >= 1 + kappa * a ? 1 : 0;
      state.v = state.membrane - state.spikes;
      state.a = rho * a + state.spikes;
    });
    compare(new AdaptiveLIF(), loop, 2);
  });

  test("adaptive lif: with rest, input scale, a synapse that comes first, and a as a current", () => {
    const [alpha, beta, rho, kappa, rest] = [f(0.8), f(0.9), f(0.7), f(0.6), 0.25];
    const loop = over({ i: 0, v: rest, a: 0 }, (state, I) => {
      const { i = 0, v = 0, a = 0 } = state;
      state.i = alpha * i + I;
      state.membrane = rest + beta * (v - rest) + (1 - beta) * (state.i - kappa * a);
      state.spikes = state.membrane >= 0.5 ? 1 : 0;
      state.v = state.spikes === 1 ? -0.125 : state.membrane;
      state.a = rho * a + state.spikes;
    });
    const layer = new AdaptiveLIF({
      ...{ alpha, beta, rho, kappa, rest, threshold: 0.5, resetValue: -0.125, reset: "zero" },
      ...{ synapse: "decayFirst", inputScale: "leak", adaptation: "current" },
    });
    compare(layer, loop, 2);
  });

  test("parametric lif: β is 1 − σ(w)", () => {
    const w = f(-0.75);
    const k = 1 / (1 + Math.exp(-w));
    const loop = over({ v: 0.125 }, (state, I) => {
      state.membrane = 0.125 + (1 - k) * ((state.v as number) - 0.125) + I;
      state.spikes = state.membrane >= 1 ? 1 : 0;
      state.v = state.membrane - state.spikes;
    });
    compare(new ParametricLIF({ w, rest: 0.125, reset: "subtract", inputScale: "one" }), loop, 2);
  });

  test("quadratic and exponential if: as their equations", () => {
    const [tau, a, critical, low] = [4, f(0.7), f(0.6), f(-0.1)];
    const quadratic = over({ v: 0.0625 }, (state, I) => {
      const v = state.v as number;
      state.membrane = v + (a * (v - 0.0625) * (v - critical) + I) / tau;
      state.spikes = state.membrane >= 1 ? 1 : 0;
      state.v = state.spikes === 1 ? low : state.membrane;
    });
    compare(new QuadraticIF({ tau, a, critical, rest: 0.0625 }), quadratic, 6);

    const [sharpness, rheobase] = [0.5, f(0.8)];
    const exponential = over({ v: 0 }, (state, I) => {
      const v = state.v as number;
      state.membrane = v + (-v + sharpness * Math.exp((v - rheobase) / sharpness) + I) / tau;
      state.spikes = state.membrane >= 1 ? 1 : 0;
      state.v = state.spikes === 1 ? low : state.membrane;
    });
    compare(new ExponentialIF({ tau, sharpness }), exponential, 5);
  });

  test("exponential if: a sharp neuron that starts far above its rheobase stays finite", () => {
    const layer = new ExponentialIF({ sharpness: 1e-3, detachReset: false, learn: ["sharpness"] });
    tape(() => {
      const current = tensor([[0], [0], [3]], { requiresGrad: true });
      const { spikes, v } = layer.unroll(current, { v: tensor([50]) } as never);
      expect(values(spikes)).toEqual([1, 0, 1]);
      v.square().sum().backward();
      expect(values(current.grad as Tensor).every(Number.isFinite)).toBe(true);
      expect(Number.isFinite(layer.sharpness.grad?.item())).toBe(true);
    });
  });

  test("conductance lif: as Brette et al. write it", () => {
    const [alphaE, alphaI] = [f(0.818730753), f(0.904837418)];
    const loop = over({ gE: 0, gI: 0, v: -60 }, (state, I) => {
      const { gE = 0, gI = 0, v = 0 } = state;
      state.gE = alphaE * gE + Math.max(I, 0);
      state.gI = alphaI * gI + Math.max(-I, 0);
      state.membrane = v + (-60 - v + state.gE * (0 - v) + state.gI * (-80 - v)) / 20;
      state.spikes = state.membrane >= -50 ? 1 : 0;
      state.v = state.spikes === 1 ? -60 : state.membrane;
    });
    compare(new ConductanceLIF(), loop, 0.6);
  });

  test("synaptic: a current that comes first, one that jumps first and one that is late", () => {
    const [alpha, beta] = [f(0.7), f(0.9)];
    for (const synapse of ["decayFirst", "jumpFirst", "late"] as const) {
      const loop = over({ i: 0, v: 0 }, (state, I) => {
        const { i = 0, v = 0 } = state;
        const taken = { decayFirst: alpha * i + I, jumpFirst: i + I, late: i }[synapse];
        state.i = synapse === "jumpFirst" ? alpha * (i + I) : alpha * i + I;
        state.membrane = beta * v + taken;
        state.spikes = state.membrane >= 1 ? 1 : 0;
        state.v = state.spikes === 1 ? 0 : state.membrane;
      });
      compare(new Synaptic({ alpha, beta, synapse }), loop, 1);
    }
  });

  test("tsodyks and markram: spikes meet u and x after their decay", () => {
    const [U, phi, rho] = [f(0.2), f(0.9), f(0.95)];
    const loop = over({ u: 0, x: 1 }, (state, s) => {
      const { u = 0, x = 0 } = state;
      const [less, more] = [phi * u, 1 - rho * (1 - x)];
      state.u = less + U * (1 - less) * s;
      state.membrane = state.u * more * s;
      state.x = more - state.membrane;
    });
    compare(new TsodyksMarkram({ U, phi, rho }), loop, 1);
  });
});

describe("tsodyks and markram", () => {
  const every = (period: number): Tensor => tensor(Array.from({ length: 60 }, (_, t) => (t % period === 0 ? 1 : 0)));
  const released = (layer: TsodyksLayer): number[] => values(layer.forward(every(10))).filter((x) => x !== 0);
  type TsodyksLayer = InstanceType<typeof TsodyksMarkram>;

  test("tsodyks and markram: without facilitation the first release is U, and each one is smaller", () => {
    const all = released(new TsodyksMarkram());
    expect(all[0]).toBe(0.5);
    expect(all.every((x, i) => i === 0 || x < (all[i - 1] as number))).toBe(true);
  });

  test("tsodyks and markram: a small U that spikes raise releases more each time", () => {
    const all = released(new TsodyksMarkram({ U: 0.04, phi: 0.999, rho: 0.9 }));
    expect(all.every((x, i) => i === 0 || x > (all[i - 1] as number))).toBe(true);
  });
});

describe("bindsnet and snntorch", () => {
  test("if: numerics bindsnet is IFNodes, above its reset", () => {
    const loop = over({ v: 0, count: 0 }, (state, I) => {
      const { v = 0, count = 0 } = state;
      state.membrane = count === 0 ? v + I : v;
      const left = Math.max(0, count - 1);
      state.spikes = state.membrane >= 13 ? 1 : 0;
      state.count = state.spikes === 1 ? 5 : left;
      state.v = state.spikes === 1 ? 0 : state.membrane;
    });
    compare(new IF({ numerics: "bindsnet" }), without(loop, "count"), 12);
  });

  test("synaptic: numerics bindsnet is CurrentLIFNodes, above rest, which counts before it integrates", () => {
    const [alpha, beta] = [f(0.60653066), f(0.990049834)];
    const loop = over({ i: 0, v: 0, count: 0 }, (state, I) => {
      const { i = 0, v = 0, count = 0 } = state;
      const left = Math.max(0, count - 1);
      state.i = alpha * i + I;
      const u = beta * v + (left === 0 ? state.i : 0);
      state.spikes = u >= 13 ? 1 : 0;
      state.count = state.spikes === 1 ? 5 : left;
      state.v = state.spikes === 1 ? 0 : u;
    });
    compare(new Synaptic({ numerics: "bindsnet" }), without(loop, "count"), 6);
  });

  test("if: numerics snntorch is Leaky with a beta of 1", () => {
    const current = rand([40, 2, 5]).sub(0.2);
    const [own, leaky] = [new IF({ numerics: "snntorch" }), new LIF({ numerics: "snntorch", beta: 1 })];
    expect(values(own.unroll(current).membrane)).toEqual(values(leaky.unroll(current).membrane));
    expect(values(own.forward(current))).toContain(1);
  });
});

describe("gradients", () => {
  const smooth = { spiking: false, surrogate: surrogate.sigmoid({ slope: 3 }) } as const;
  // Their defaults, and other options that select a different form.
  const layers = {
    IF: () => new IF({ ...smooth, learn: ["threshold", "resetValue"] }),
    ParametricLIF: () => new ParametricLIF({ ...smooth, learn: ["w", "threshold", "rest", "resetValue"] }),
    AdaptiveLIF: () => new AdaptiveLIF({ ...smooth, learn: ["beta", "rho", "threshold", "kappa", "rest"] }),
    LSNN: () =>
      new AdaptiveLIF({
        numerics: "norse",
        ...smooth,
        learn: ["alpha", "beta", "rho", "threshold", "kappa", "rest", "resetValue"],
      }),
    QuadraticIF: () =>
      new QuadraticIF({ ...smooth, learn: ["tau", "a", "rest", "critical", "threshold", "resetValue"] }),
    ExponentialIF: () =>
      new ExponentialIF({ ...smooth, learn: ["tau", "sharpness", "rheobase", "rest", "threshold", "resetValue"] }),
    ConductanceLIF: () =>
      new ConductanceLIF({
        ...{ reversalE: 3, reversalI: -1, rest: 0, threshold: 1, resetValue: -0.1, capacitance: 4, ...smooth },
        learn: ["capacitance", "leak", "alphaE", "alphaI", "reversalE", "reversalI", "rest", "threshold", "resetValue"],
      }),
    Synaptic: () => new Synaptic({ numerics: "norse", ...smooth, learn: ["alpha", "beta", "rest", "resetValue"] }),
    SynapticIntegrator: () => new SynapticIntegrator({ numerics: "norse", learn: ["alpha", "beta", "rest"] }),
    TsodyksMarkram: () => new TsodyksMarkram({ phi: 0.7, rho: 0.8, learn: ["U", "phi", "rho"] }),
  };

  test.each(Object.entries(layers))("%s: those of the current and of all that is learned are exact", (_, make) => {
    const layer = make();
    const learned = layer.namedParameters();
    expect(learned.length).toBeGreaterThan(1);
    const replaced = (copies: Tensor[]) =>
      Object.assign(layer, Object.fromEntries(learned.map(([name], i) => [name, copies[i]])));
    gradcheck(
      (x, ...copies) => replaced(copies).forward(x).square().sum(),
      [rand([5, 2, 3]).sub(0.3), ...learned.map(([, t]) => t)],
    );
  });
});

describe("definitions", () => {
  test("a parametric lif learns w where nothing else is said", () => {
    expect(new ParametricLIF().namedParameters().map(([name]) => name)).toEqual(["w"]);
    expect(new ParametricLIF({ learn: [] }).parameters()).toEqual([]);
    expect(new ParametricLIF({ learn: ["threshold"] }).namedParameters().map(([name]) => name)).toEqual(["threshold"]);
  });

  test("a state of a part that is left out is none of the layer", () => {
    expect(Object.keys(new AdaptiveLIF().initialState([2]))).toEqual(["v", "a"]);
    expect(Object.keys(new AdaptiveLIF({ synapse: "late" }).initialState([2]))).toEqual(["i", "v", "a"]);
    expect(Object.keys(new ExponentialIF({ numerics: "norse" }).initialState([2]))).toEqual(["i", "v"]);
  });

  test("what a definition leaves out or learns is checked", () => {
    const define = (part: object) => () => {
      const Odd = neuron({
        name: "Odd",
        state: { v: 0, i: 0 },
        parameters: { beta: 1 },
        ...part,
        step: ({ current, v, i, beta, spike }) => {
          const u = v.mul(beta).add(current);
          return { spikes: spike(u), v: u, i };
        },
      });
      return new Odd();
    };
    expect(define({ learn: ["gamma"] })).toThrow("Odd: expected learn to name parameters, beta, got");
    expect(define({ learn: "beta" })).toThrow(TypeError);
    expect(define({ without: "i" })).toThrow(TypeError);
    expect(define({ without: () => ["v"] })).toThrow(
      'Odd: expected without to name states that no spike resets, got "v"',
    );
    expect(define({ without: () => ["j"] })).toThrow(TypeError);
    expect(define({ without: () => ["i"] })).toThrow(
      /the step asks for the state i, which a layer with these choices is without/,
    );
  });

  test("neurons run in streams and with recurrence, also where a state is left out", () => {
    const x = rand([6, 2, 3]).mul(2);
    for (const layer of [new AdaptiveLIF(), new AdaptiveLIF({ numerics: "norse", alpha: 0.5 }), new ExponentialIF()]) {
      const stream = new Stream(layer, [2, 3]);
      const steps = x.unbind(0).map((t) => [...stream.step(t.toFloat32Array())]);
      expect(steps.flat()).toEqual(values(layer.forward(x)));
      const recurrent = new Recurrent(layer, { features: 3 });
      expect(values(recurrent.unroll(x).spikes)).toEqual(values(recurrent.forward(x)));
    }
  });
});
