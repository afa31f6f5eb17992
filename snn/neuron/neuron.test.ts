import { describe, expect, test } from "vitest";
import {
  Adam,
  concat,
  crossEntropy,
  gradcheck,
  Linear,
  linear,
  Module,
  memoryStats,
  noGrad,
  resetPeak,
  Sequential,
  stack,
  sum,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { expectAsOnTensors, expectSameBits, type Layer, statesOf } from "../../test/support/layers.ts";
import { withLittleMemory } from "../../test/support/memory.ts";
import { AdaptiveLIF, Resetting, Resting, Subtracting } from "../../test/support/neurons.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import type { LIFOptions } from "../index.ts";
import { constantEncode, LIF, meanOverTime, neuron, Recurrent, Stream, spike, surrogate } from "../index.ts";

const [T, B, N] = [25, 3, 37];

const perNeuron = (low: number, high: number, seed: number) => random([N], seed, { low, high });

/** The methods of every neuron that tests use. */
const LAYERS: Record<string, () => Layer> = {
  AdaptiveLIF: () => new AdaptiveLIF() as unknown as Layer,
  "AdaptiveLIF, learned scalars": () =>
    new AdaptiveLIF({ learn: ["beta", "rho", "kappa", "threshold"] }) as unknown as Layer,
  "AdaptiveLIF, learned for each neuron": () =>
    new AdaptiveLIF({
      beta: perNeuron(0.5, 1.1, 1),
      kappa: perNeuron(0.5, 2, 2),
      learn: ["beta", "rho", "kappa"],
      constrain: { beta: [0, 1], rho: [0.5, 0.9] },
      surrogate: surrogate.atan(),
    }) as unknown as Layer,
  "AdaptiveLIF, refractory": () =>
    new AdaptiveLIF({ refractorySteps: 3, learn: ["beta", "threshold"], fire: "gt" }) as unknown as Layer,
  Resting: () => new Resting({ raw: perNeuron(-1, 2, 3), learn: ["rest", "raw", "threshold"] }) as unknown as Layer,
  Subtracting: () =>
    new Subtracting({
      learn: ["beta"],
      surrogate: surrogate.custom({ derivative: (x) => x.square().add(1).reciprocal() }),
    }) as unknown as Layer,
};

const currents = (seed: number, shape: readonly number[] = [T, B, N]) => random(shape, seed, { low: -0.5, high: 1.5 });

describe.each(Object.entries(LAYERS))("%s", (_, make) => {
  test("forward, unroll, step and Stream have the same bits", () => {
    expect(values(expectSameBits(make(), currents(1)))).toContain(1);
  });

  test("values and gradients are those of the step on tensors", () => {
    const layer = make();
    expectAsOnTensors(layer, leaf([T, B, N], 2, { low: -0.5, high: 1.5 }), statesOf(layer, [B, N], 0.5));
  });

  test("what tapes do with it leaves nothing behind", () => {
    const layer = make();
    const x = currents(3);
    const w = currents(4);
    const step = () =>
      tape(() => {
        const record = layer.unroll(x);
        (record.v as Tensor)
          .mul(w)
          .sum()
          .add((record.state.v as Tensor).sum())
          .add((record.spikes as Tensor).sum())
          .backward();
      });
    x.requiresGrad = true;
    step();
    expect(bytesKept(() => [step(), step()])).toBe(0);
    const outside = () => {
      const record = layer.unroll(x);
      const [s, next] = layer.step(x.select(0, 0), record.state);
      for (const t of [...Object.values(record), s]) if ("dispose" in t) (t as Tensor).dispose();
      for (const t of [...Object.values(record.state), ...Object.values(next)]) t.dispose();
      layer.forward(x).dispose();
    };
    expect(bytesKept(outside)).toBe(0);
    expect(bytesKept(() => expect(() => withLittleMemory(40_000, () => layer.unroll(x))).toThrow(/memory/))).toBe(0);
  });
});

describe("neuron: gradients of the smooth step are exact", () => {
  const x = random([4, 2, 3], 1, { low: -0.5, high: 1.5 });
  const state = { v: random([2, 3], 2), a: random([2, 3], 3) };

  test("of the current, the states, and learned parameters", () => {
    const layer = new AdaptiveLIF({ spiking: false, beta: tensor([0.9, 0.8, 0.7]), learn: ["beta", "rho", "kappa"] });
    gradcheck(
      (current, v, a, beta, rho, kappa) => {
        const inner = new AdaptiveLIF({
          spiking: false,
          learn: ["beta", "rho", "kappa"],
          beta: tensor([0.9, 0.8, 0.7]),
        });
        Object.assign(inner, { beta, rho, kappa });
        const record = inner.unroll(current, { v, a });
        return stack([record.spikes.sum(), record.membrane.sum(), record.a.square().sum(), record.state.v.sum()]);
      },
      [x, state.v, state.a, layer.beta, layer.rho, layer.kappa],
    );
  });

  test("through resets by where and select, with refractory steps that are due", () => {
    const held = {
      v: state.v,
      refractory: tensor([
        [0, 1, 2],
        [2, 0, 1],
      ]),
    };
    for (const Neuron of [Resetting, Subtracting]) {
      const layer = new Neuron({ spiking: false, refractorySteps: 2 });
      gradcheck((current, v) => layer.unroll(current, { ...held, v }).v, [x, state.v]);
    }
    const layer = new Resting({ spiking: false, learn: ["rest"] });
    gradcheck((current) => layer.unroll(current).v, [x]);
  });

  test("compiled they are those of the step on tensors", () => {
    for (const form of [
      surrogate.sigmoid(),
      surrogate.atan(),
      surrogate.erf(),
      surrogate.fastSigmoid(),
      surrogate.triangular(),
    ]) {
      const layer = new AdaptiveLIF({ spiking: false, surrogate: form });
      const [s, next] = layer.step(x.select(0, 0), state);
      const record = layer.unroll(x, state);
      expect(bits(record.spikes.select(0, 0))).toEqual(bits(s));
      expect(bits(record.a.select(0, 0))).toEqual(bits(next.a));
      expect(values(s).every((p) => p === 0 || p === 1)).toBe(false);
    }
  });

  test("a surrogate without a primitive is refused", () => {
    const custom = surrogate.custom({ derivative: (x) => x });
    expect(() => new AdaptiveLIF({ spiking: false, surrogate: custom })).toThrow(
      "AdaptiveLIF: spiking: false needs a surrogate with a primitive, got custom",
    );
  });
});

describe("neuron: LIF written as a step", () => {
  const ways: [string, typeof Resetting, LIFOptions][] = [
    ["zero", Resetting, {}],
    ["subtract", Subtracting, { reset: "subtract" }],
    ["zero, refractory", Resetting, { refractorySteps: 3 }],
    ["subtract, refractory", Subtracting, { reset: "subtract", refractorySteps: 1, fire: "gt" }],
  ];
  test.each(ways)("%s: has the spikes, membranes and input gradients of the layer", (_, Neuron, options) => {
    for (const form of [surrogate.sigmoid(), surrogate.atan(), surrogate.boxcar()]) {
      const { refractorySteps = 0, fire = "ge" } = options;
      const x = leaf([T, B, N], 5, { low: -0.3, high: 0.8 });
      const [mine, theirs] = [
        new Neuron({ refractorySteps, fire, surrogate: form }),
        new LIF({ ...options, surrogate: form }),
      ].map((layer) => {
        x.zeroGrad();
        const outputs = tape(() => {
          const record = layer.unroll(x);
          record.spikes.mul(currents(6)).sum().backward();
          return [record.spikes, record.membrane, record.v].map(bits);
        });
        return { outputs, gradient: gradient(x) };
      });
      expect(mine).toEqual(theirs);
    }
  });
});

test("neuron: a current that gets no gradient keeps the one that it has, constant over time or not", () => {
  const Blind = neuron({
    name: "Blind",
    state: { v: 0 },
    parameters: { gain: 2 },
    step: ({ current, v, gain }) => ({ membrane: current.detach().mul(gain), v }),
  });
  for (const T of [1, 4]) {
    const x = leaf([B, N], 3);
    tape(() => {
      const membrane = new Blind({ learn: ["gain"] }).forward(constantEncode(x, { timesteps: T }));
      // Later records give their gradients first.
      membrane.sum().add(x.mul(3).sum()).backward();
    });
    expect(gradient(x)).toEqual(new Array(B * N).fill(3));
  }
});

test("neuron: in refractory steps the state of the reset becomes what the step calls held", () => {
  const Leaking = neuron({
    name: "Leaking",
    state: { v: 0 },
    parameters: { beta: 0.5, threshold: 1 },
    step({ current, v, beta, threshold, spike }) {
      const u = v.mul(beta).add(current);
      const s = spike(u.sub(threshold));
      return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), held: v.mul(beta) };
    },
  });
  const current = tensor([1.5, 1.5, 1.5, 1.5]);
  const record = new Leaking({ refractorySteps: 2 }).unroll(current);
  expect(values(record.spikes)).toEqual([1, 0, 0, 1]);
  expect(values(record.membrane)).toEqual([1.5, 0.25, 0.125, 1.5625]);
  expect(values(record.v)).toEqual([0.5, 0.25, 0.125, 0.5625]);
  expect("held" in record).toBe(false);
  expect(values(new Leaking().forward(current))).toEqual([1, 1, 1, 1]);
  // @ts-expect-error: it is no output
  const none = () => record.held;
  expect(none()).toBe(undefined);
});

describe("neuron: outputs of unroll", () => {
  test("cost no memory where nothing reads them, and leave nothing after backward", () => {
    const layer = new AdaptiveLIF();
    const x = leaf([T, B, N], 7);
    tape(() => layer.forward(x).sum().backward()); // the gradient of x remains
    const [bytes, state] = [4 * T * B * N, 2 * 4 * B * N];
    const liveAfter = (fn: () => void) =>
      tape(() => {
        const { live } = memoryStats();
        fn();
        return memoryStats().live - live;
      });
    const forward = liveAfter(() => layer.forward(x));
    // One value saved, and the spikes as bits.
    expect(forward).toBeLessThan(bytes + bytes / 8);
    let record: ReturnType<typeof layer.unroll>;
    expect(liveAfter(() => layer.unroll(x))).toBeLessThan(forward + state + 256);
    const read = liveAfter(() => {
      record = layer.unroll(x);
      record.membrane.sum();
    });
    expect(read).toBeGreaterThanOrEqual(forward + bytes);
    expect(liveAfter(() => layer.forward(x).sum().backward())).toBeLessThan(bytes / 8);
  });

  test("pass gradients on from any of them alone, and from none", () => {
    const layer = new AdaptiveLIF({ learn: ["beta"] });
    const x = leaf([T, B, N], 8, { low: -0.5, high: 1.5 });
    const gradients = (["spikes", "membrane", "v", "a", "state"] as const).map((name) => {
      x.zeroGrad();
      tape(() => {
        const record = layer.unroll(x);
        const z = name === "state" ? record.state.a : record[name];
        z.sum().backward();
      });
      return gradient(x);
    });
    for (const g of gradients) expect(g.some((d) => d !== 0)).toBe(true);
    expect(new Set(gradients.map(String)).size).toBe(4); // v has the gradient of the membrane
    expect(() => tape(() => layer.unroll(x).spikes.detach().sum().backward())).toThrow("nothing was recorded");
  });

  test("read under noGrad, in an inner tape or after backward", () => {
    const layer = new AdaptiveLIF();
    for (const inner of [noGrad, tape]) {
      const x = leaf([T, B, N], 9);
      tape(() => {
        const record = layer.unroll(x);
        const first = inner(() => bits(record.membrane));
        expect(bits(record.membrane)).toEqual(first);
        record.membrane.sum().backward();
        expect(bits(record.membrane)).toEqual(first);
        expect(bits(record.v).length).toBe(T * B * N);
        expect(() => record.v.sum().backward()).toThrow("consumed");
      });
      expect(gradient(x).some((d) => d !== 0)).toBe(true);
    }
    const x = leaf([T, B, N], 9);
    tape(() => {
      const record = layer.unroll(x);
      record.spikes.sum().backward();
      expect(() => record.membrane.sum().backward()).toThrow("consumed");
    });
  });

  test("are errors after their tape, and where what they come from was overwritten", () => {
    const layer = new AdaptiveLIF();
    const x = currents(10);
    const record = tape(() => {
      const whole = layer.unroll(x);
      return () => whole;
    })();
    x.dispose();
    expect(() => record.membrane.data).toThrow(/freed/);
    const other = currents(10);
    tape(() => {
      const whole = layer.unroll(other);
      const again = layer.unroll(other);
      other.copyFrom(other.toFloat32Array());
      expect(() => whole.membrane).toThrow("AdaptiveLIF: membrane was first read after the current");
      layer.beta.copyFrom([0.5]);
      expect(() => again.v).toThrow("was overwritten");
    });
  });

  test("backward refuses what was overwritten since", () => {
    const layer = new AdaptiveLIF({ learn: ["beta"] });
    const x = leaf([T, B, N], 11);
    tape(() => {
      const loss = layer.forward(x).sum();
      layer.beta.copyFrom([0.5]);
      expect(() => loss.backward()).toThrow("backward of AdaptiveLIF: a value it needs, of shape [], was overwritten");
    });
  });

  test("are returned from a tape as a whole", () => {
    const layer = new AdaptiveLIF();
    const x = currents(12);
    const record = tape(() => layer.unroll(x));
    expect(bits(record.v.select(0, -1))).toEqual(bits(record.state.v));
    expect(bits(record.spikes)).toEqual(bits(layer.forward(x)));
  });
});

describe("neuron: states", () => {
  test("are carried from one tape to the next, and gradients within one", () => {
    const layer = new AdaptiveLIF({ learn: ["beta"] });
    const x = leaf([T, B, N], 13, { low: -0.5, high: 1.5 });
    const whole = layer.forward(x);
    let state = layer.initialState([B, N]);
    for (let t = 0; t < T; t += 5) {
      const part = x.slice(0, t, t + 5);
      const now = tape(() => {
        const record = layer.unroll(part, state);
        record.spikes.sum().backward();
        return { spikes: record.spikes, state: record.state };
      });
      expect(bits(now.spikes)).toEqual(bits(whole.slice(0, t, t + 5)));
      state = now.state;
    }
    // In one tape, parts give the gradients of the whole.
    const w = currents(14);
    const once = (run: () => Tensor) => {
      x.zeroGrad();
      layer.beta.zeroGrad();
      tape(() => run().mul(w).sum().backward());
      return { x: gradient(x), beta: gradient(layer.beta)[0] as number };
    };
    const want = once(() => layer.forward(x));
    const inParts = once(() => {
      const first = layer.unroll(x.slice(0, 0, 10));
      const second = layer.unroll(x.slice(0, 10, 25), first.state);
      return concat([first.spikes, second.spikes]);
    });
    expect(inParts.x).toEqual(want.x);
    expect(inParts.beta).toBeCloseTo(want.beta, 2);
    const inSteps = once(() => {
      let state = layer.initialState([B, N]);
      return stack(
        x.unbind(0).map((now) => {
          const [s, next] = layer.step(now, state);
          state = next;
          return s;
        }),
      );
    });
    expect(inSteps.x).toEqual(want.x);
    expect(inSteps.beta).toBeCloseTo(want.beta, 2);
  });

  test("start from functions of parameters, which learn", () => {
    const layer = new Resting({ rest: random([3], 15, { low: -1, high: 0 }), learn: ["rest"] });
    const state = layer.initialState([2, 3]);
    expect(values(state.v)).toEqual([...values(layer.rest), ...values(layer.rest)].map((r) => r * 0.5));
    expect(values(state.trace)).toEqual(new Array(6).fill(0.25));
    const x = zeros([1, 2, 3]);
    tape(() => layer.unroll(x, state).v.sum().backward());
    const fixed = gradient(layer.rest);
    layer.rest.zeroGrad();
    tape(() => layer.unroll(x).v.sum().backward());
    expect(gradient(layer.rest)).not.toEqual(fixed);
  });

  test("one tensor as two of them, and as the current", () => {
    const layer = new AdaptiveLIF();
    const both = leaf([B, N], 16);
    const apart = [0, 1, 2].map(() => leaf([B, N], 16));
    tape(() => layer.step(both, { v: both, a: both })[1].v.sum().backward());
    const [x, v, a] = apart as [Tensor, Tensor, Tensor];
    tape(() => layer.step(x, { v, a })[1].v.sum().backward());
    expectNear(
      gradient(both),
      gradient(x).map((d, i) => d + (gradient(v)[i] as number) + (gradient(a)[i] as number)),
      "sum",
    );
  });
});

test("neuron: a current that is constant over time gets the sum of its gradients", () => {
  const layer = new AdaptiveLIF({ learn: ["beta"] });
  const x = leaf([B, N], 17, { low: 0, high: 1 });
  const w = currents(18);
  const gradientOf = (current: (x: Tensor) => Tensor) => {
    x.zeroGrad();
    const spikes = tape(() => {
      const s = layer.forward(current(x));
      s.mul(w).sum().backward();
      return bits(s);
    });
    return { spikes, gradient: gradient(x) };
  };
  const constant = gradientOf((x) => constantEncode(x, { timesteps: T }));
  const written = gradientOf((x) => stack(Array.from({ length: T }, () => x)));
  expect(constant.spikes).toEqual(written.spikes);
  expectNear(constant.gradient, written.gradient, "constant", { absolute: 1e-4 });
});

test("neuron: the gradient of a mean over time is that of each step", () => {
  const layer = new AdaptiveLIF();
  const x = leaf([T, B, N], 19, { low: -0.5, high: 1.5 });
  const gradients = [meanOverTime, (s: Tensor) => sum(s, { axis: 0 }).div(T)].map((mean) => {
    x.zeroGrad();
    tape(() =>
      mean(layer.forward(x))
        .mul(random([B, N], 20))
        .sum()
        .backward(),
    );
    return gradient(x);
  });
  expectNear(gradients[0] as number[], gradients[1] as number[], "mean");
  expect((gradients[0] as number[]).some((d) => d !== 0)).toBe(true);
});

test("neuron: currents of any shape, spikes of other neurons among them", () => {
  const layer = new AdaptiveLIF({ beta: tensor([0.8]), learn: ["beta"] });
  const x = random([T, 6], 23, { low: -0.5, high: 1.5 });
  const apart = x.unbind(1).map((one) => layer.forward(one));
  for (const [i, row] of layer.forward(x).unbind(1).entries()) expect(bits(row)).toEqual(bits(apart[i] as Tensor));
  const grid = layer.forward(x.reshape([T, 2, 1, 3]));
  expect(grid.shape).toEqual([T, 2, 1, 3]);
  expect(bits(grid)).toEqual(bits(layer.forward(x)));
  const single = layer.unroll(x.slice(0, 0, 1));
  expect(bits(single.v.select(0, 0))).toEqual(bits(single.state.v));
  const [first] = layer.step(x.select(0, 0).select(0, 0), layer.initialState([]));
  expect(first.shape).toEqual([]);

  const second = new AdaptiveLIF({ threshold: 0.5, learn: ["beta"] });
  const input = leaf([T, 6], 24, { low: -0.5, high: 1.5 });
  const through = (current: (s: Tensor) => Tensor) => {
    input.zeroGrad();
    const spikes = tape(() => {
      const s = second.forward(current(layer.forward(input)));
      s.mul(random([T, 6], 25))
        .sum()
        .backward();
      return bits(s);
    });
    return { spikes, gradient: gradient(input) };
  };
  const packed = through((s) => s);
  expect(packed).toEqual(through((s) => s.mul(1)));
  expect(packed.gradient.some((d) => d !== 0)).toBe(true);
});

test("neuron: a current that other ops read too gets the sum of their gradients", () => {
  const layer = new AdaptiveLIF();
  const x = leaf([T, B, N], 26, { low: -0.5, high: 1.5 });
  const w = random([T, B, N], 27);
  const gradientOf = (loss: (current: Tensor) => Tensor) => {
    x.zeroGrad();
    tape(() => loss(x.mul(2)).backward());
    return gradient(x);
  };
  const spikes = (current: Tensor) => layer.forward(current).mul(w).sum();
  const alone = [gradientOf(spikes), gradientOf((current) => current.square().sum())];
  const both = [
    gradientOf((current) => spikes(current).add(current.square().sum())),
    gradientOf((current) => current.square().sum().add(spikes(current))),
  ];
  for (const sum of both) {
    expectNear(
      sum,
      (alone[0] as number[]).map((d, i) => d + ((alone[1] as number[])[i] as number)),
      "sum",
    );
  }
});

test("neuron: the gradient of the current takes the place of that of the spikes", () => {
  // Functions that are evaluated between sweeps.
  const Swinging = neuron({
    name: "Swinging",
    state: { v: 0, phase: 0.3 },
    parameters: { omega: 0.7 },
    step({ current, v, phase, omega, spike }) {
      const u = v.mul(phase.cos()).add(current.atan());
      const s = spike(u.sub(0.5));
      return { spikes: s, v: u.sub(s), phase: phase.add(omega).add(u.sin()) };
    },
  });
  for (const layer of [new Resting({ learn: ["raw"] }), new Swinging({ learn: ["omega"] })]) {
    for (const shape of [
      [T, B, N],
      [4, 70, 1000],
    ]) {
      const x = leaf(shape, 30, { low: -0.5, high: 1.5 });
      const w = random(shape, 31);
      const [over, apart] = [(current: Tensor) => current.mul(1), (current: Tensor) => current].map((use) => {
        x.zeroGrad();
        const peak = tape(() => {
          const spikes = layer.forward(use(x));
          resetPeak();
          const { live } = memoryStats();
          spikes.backward(w);
          return memoryStats().peak - live;
        });
        return { gradient: gradient(x), peak };
      });
      expect(over?.gradient).toEqual(apart?.gradient);
      expect(over?.gradient.some((d) => d !== 0)).toBe(true);
      // The gradient of the spikes and some arrays of a step, no second array over time.
      if (layer instanceof Resting) expect(over?.peak).toBeLessThan(1.95 * 4 * x.size);
      for (const t of [x, w]) t.dispose();
    }
  }
});

test("neuron: in the float64 reference hard spikes are those of the step", () => {
  const layer = new AdaptiveLIF({ refractorySteps: 1 });
  const x = random([6, 2, 3], 28, { low: -0.5, high: 1.5 });
  const want = values(layer.forward(x));
  expect(want).toContain(1);
  let got: number[] = [];
  gradcheck(
    (y) => {
      got = Array.from(layer.forward(x).toFloat32Array());
      const [s] = layer.step(x.select(0, 0), layer.initialState([2, 3]));
      return y.mul(s.detach());
    },
    [random([2, 3], 29)],
  );
  expect(got).toEqual(want);
});

test("neuron: parameters are properties and names in the state, those that are learned parameters", () => {
  const layer = new AdaptiveLIF({ kappa: tensor([1, 2, 3]), learn: ["rho", "kappa"] });
  expect(Object.keys(layer.stateDict())).toEqual(["beta", "rho", "threshold", "kappa"]);
  expect(layer.namedParameters().map(([name]) => name)).toEqual(["rho", "kappa"]);
  expect(values(layer.kappa)).toEqual([1, 2, 3]);
  const other = new AdaptiveLIF({ kappa: tensor([0, 0, 0]), beta: 0.1, rho: 0.2, threshold: 0.3 });
  other.loadStateDict(layer.stateDict());
  const x = currents(21, [T, 2, 3]);
  expect(bits(other.forward(x))).toEqual(bits(layer.forward(x)));
  expect(AdaptiveLIF.name).toBe("AdaptiveLIF");
  expect(layer).toBeInstanceOf(AdaptiveLIF);
  expect(layer).toBeInstanceOf(Module);
});

test("neuron: a network with it learns, and runs on a stream", () => {
  const layer = new AdaptiveLIF({ learn: ["beta", "rho"], constrain: { beta: [0, 1], rho: [0, 1] } });
  const network = new Sequential(new Linear(4, 16), layer, new Linear(16, 2));
  const optimizer = new Adam(network.parameters(), { lr: 1e-2 });
  const x = random([10, 8, 4], 22, { low: 0, high: 2 });
  const labels = [0, 1, 0, 1, 0, 1, 0, 1];
  const losses = Array.from({ length: 30 }, () => {
    const loss = tape(() => {
      const loss = crossEntropy(meanOverTime(network.forward(x)), labels);
      optimizer.zeroGrad();
      loss.backward();
      return loss;
    });
    optimizer.step();
    return loss.item();
  });
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 0.9);
  const stream = new Stream(network, [8, 4]);
  const all = network.forward(x);
  for (const [t, now] of x.unbind(0).entries()) {
    expect(bits(stream.step(now.toFloat32Array()).slice())).toEqual(bits(all.select(0, t)));
  }
});

test("neuron: a step of a stream leaves linear memory as it is", () => {
  const stream = new Stream(new AdaptiveLIF({ learn: ["beta"], constrain: { beta: [0, 1] } }), [2, 3]);
  const x = new Float32Array(6).fill(0.5);
  stream.step(x);
  expect(bytesKept(() => [stream.step(x), stream.step(x)])).toBe(0);
  expect(bytesKept(() => stream.dispose())).toBeLessThan(0);
});

test("neuron: a layer shows its step and the gradient that was derived", () => {
  expect(String(new AdaptiveLIF({ surrogate: surrogate.straightThrough() }))).toMatchInlineSnapshot(`
    "AdaptiveLIF
      u = v·β + I
      s = [u − θ − a·κ ≥ 0]
      v′ = u − detach(s)·θ
      a′ = a·ρ + s
    backward
      ∇s = ∂s + ∂a′
      ∇u = ∂u + ∂v′ + ∇s
      ∇I = ∇u
      ∇v = ∇u·β
      ∇a = ∂a′·ρ − ∇s·κ
      ∇β += ∇u·v
      ∇ρ += ∂a′·a
      ∇θ += −∂v′·s − ∇s
      ∇κ += −∇s·a"
  `);
});

describe("neuron: what is refused", () => {
  const step = ({ current, spike }: { current: never; spike(x: never): never }) => ({ spikes: spike(current) });
  const base = { name: "Odd", state: {}, parameters: {}, step };
  const definitions: [object, string][] = [
    [{ ...base, name: "" }, 'neuron: expected a name that begins with a letter, got ""'],
    [{ ...base, name: "1", choices: class {} }, 'neuron: expected a name that begins with a letter, got "1"'],
    [{ ...base, state: { v: "0" } }, 'Odd: expected the initial value of v as a number, got "0"'],
    [{ ...base, parameters: { beta: 1e40 } }, "Odd: the default of beta must be finite and in the range of float32"],
    [{ ...base, parameters: { current: 1 } }, "Odd: current is a name that is taken; call the parameter otherwise"],
    [{ ...base, parameters: { forward: 1 } }, "Odd: forward is a name that is taken"],
    [{ ...base, parameters: { learn: 1 } }, "Odd: learn is a name that is taken"],
    [{ ...base, parameters: { training: 1 } }, "Odd: training is a name that is taken"],
    [{ ...base, state: { membrane: 0 } }, "Odd: membrane is a name that is taken; call the state otherwise"],
    [{ ...base, state: { held: 0 } }, "Odd: held is a name that is taken; call the state otherwise"],
    [{ ...base, parameters: { late: 1 } }, "Odd: late is a name that is taken"],
    [{ ...base, state: { x: 0 }, parameters: { x: 0 } }, "Odd: x is a name that is taken"],
    [{ ...base, reset: "v" }, 'Odd: expected reset as one of the states , got "v"'],
    [{ ...base, step: 1 }, "Odd: expected step as a function, got 1"],
  ];
  test.each(definitions)("%j", (definition, message) => {
    expect(() => neuron(definition as never)).toThrow(message);
  });
  test("a definition that is none", () => {
    for (const none of [null, undefined, 1, [], "v"]) expect(() => neuron(none as never)).toThrow(TypeError);
  });

  const options: [object, string][] = [
    [{ gamma: 1 }, "AdaptiveLIF: expected the options beta, rho, threshold, kappa, learn"],
    [{ beta: null }, "AdaptiveLIF: expected beta as a number or a tensor, got null"],
    [{ beta: "1" }, 'AdaptiveLIF: expected beta as a number or a tensor, got "1"'],
    [{ beta: 1e40 }, "AdaptiveLIF: beta must be finite and in the range of float32"],
    [{ beta: [1, 2] }, "one for each neuron is tensor([1, 2])"],
    [{ learn: "beta" }, 'AdaptiveLIF: expected learn as a list of parameters, got "beta"'],
    [{ learn: ["gamma"] }, 'expected learn to name parameters, beta, rho, threshold, kappa, got "gamma"'],
    [
      { constrain: { gamma: [0, 1] } },
      'expected constrain to name parameters, beta, rho, threshold, kappa, got "gamma"',
    ],
    [{ constrain: { beta: [1, 0] } }, "AdaptiveLIF: expected constrain.beta as [low, high], got [1, 0]"],
    [{ constrain: { beta: [0] } }, "constrain.beta must have 2 entries"],
    [{ constrain: { beta: 1 } }, "expected constrain.beta as a list of numbers"],
    [{ surrogate: "atan" }, "AdaptiveLIF: expected a surrogate such as surrogate.atan()"],
    [{ fire: "eq" }, 'AdaptiveLIF: expected fire "ge" or "gt"'],
    [{ refractorySteps: -1 }, "AdaptiveLIF: refractorySteps must be an integer in [0, 2²⁴]"],
    [{ spiking: 1 }, "AdaptiveLIF: expected spiking of type boolean"],
  ];
  test.each(options)("%j", (given, message) => {
    expect(bytesKept(() => expect(() => new AdaptiveLIF(given as never)).toThrow(message))).toBe(0);
  });

  test("refractory steps without a state that is held", () => {
    const Bare = neuron({
      name: "Bare",
      state: { w: 0 },
      parameters: {},
      step: ({ current, w, spike }) => ({ spikes: spike(current.add(w)), w: current }),
    });
    expect(() => new Bare({ refractorySteps: 1 })).toThrow('name it in the definition, reset: "w"');
    const Named = neuron({
      name: "Named",
      state: { w: 0 },
      parameters: {},
      reset: "w",
      step: ({ current, w, spike }) => ({ spikes: spike(current.add(w).sub(1)), w: current }),
    });
    expect(values(new Named({ refractorySteps: 1 }).forward(tensor([1, 1, 1, 1])))).toEqual([1, 0, 1, 0]);
  });

  test("steps that do what a neuron cannot, when a layer is made", () => {
    const layerOf = (step: unknown) => {
      const Odd = neuron({ name: "Odd", state: { v: 0 }, parameters: { beta: 1 }, step } as never) as new () => Module;
      return () => new Odd();
    };
    type Any = { readonly [name in "v" | "beta" | "gamma" | "current"]: never } & { spike(x: unknown): never };
    const steps: [(given: Any) => unknown, string][] = [
      [({ v, beta }) => ({ spikes: v * beta, v }), "Odd: a value of a step is no number; write a.add(b)"],
      [({ current, spike }) => ({ spikes: spike(current) }), "Odd: the step must return the next value of the state v"],
      [
        ({ v }) => ({ v }),
        "Odd: expected the step to return spikes, made by spike(x), or the membrane of a readout, got undefined",
      ],
      [({ v, current }) => ({ spikes: current, v }), "Odd: expected spikes to be 0 or 1"],
      [
        ({ v, spike }) => ({ spikes: (spike as (...given: unknown[]) => never)(v, { threshold: 1 }), v }),
        "Odd: spike takes one value, such as spike(u.sub(threshold)); the surrogate is an option of the layer",
      ],
      [
        ({ v, spike }) => ({ spikes: spike(v), v, state: v }),
        "Odd: the step returns state, which is a name of its own",
      ],
      [({ gamma, spike }) => ({ spikes: spike(gamma), v: gamma }), "Odd: the step asks for gamma"],
      [() => 1, "Odd: expected the step to return its outputs by name, got 1"],
    ];
    for (const [step, message] of steps) {
      expect(bytesKept(() => expect(layerOf(step), message).toThrow(message))).toBe(0);
    }
  });

  test("refractory steps and feedback of a readout, which has no spikes", () => {
    const Readout = neuron({
      name: "Readout",
      state: { v: 0 },
      parameters: { beta: 0.5 },
      step({ current, v, beta }) {
        const u = v.mul(beta).add(current);
        return { membrane: u, v: u };
      },
    });
    expect(values(new Readout().forward(tensor([1, 0, 1])))).toEqual([1, 0.5, 1.25]);
    expect(() => new Readout({ refractorySteps: 2 })).toThrow(
      "Readout: refractorySteps counts from spikes; expected 0 for a readout, got 2",
    );
    expect(() => new Recurrent(new Readout() as never, { features: 1 })).toThrow(
      "Recurrent: expected neurons with spikes to feed back, got Readout, a readout",
    );
  });

  test("a parameter that was replaced by one of another kind", () => {
    const layer = Object.assign(new AdaptiveLIF(), { beta: tensor([0.5, 0.6]) });
    expect(() => layer.forward(zeros([4, 3, 2]))).toThrow("expected beta as the layer was made with it, got [2]");
  });

  test("currents and states of other shapes", () => {
    const layer = new AdaptiveLIF({ beta: tensor([0.5, 0.6]), refractorySteps: 2 });
    const state = layer.initialState([3, 2]);
    const calls: [() => unknown, string][] = [
      [() => layer.forward(zeros([])), "AdaptiveLIF: expected a current [T, B, …], got []"],
      [() => layer.forward(zeros([4, 3])), "AdaptiveLIF: expected beta to be one number or [3], got [2]"],
      [
        () => layer.unroll(zeros([4, 3, 2]), { ...state, v: zeros([2]) }),
        "expected a state v of shape [3, 2], got [2]",
      ],
      [() => layer.step(zeros([3, 2]), {} as never), "AdaptiveLIF: expected a state with v as a tensor, got undefined"],
      [() => layer.step(zeros([3, 2]), { ...state, refractory: zeros([3, 2]).add(3) }), "integers in [0, 2], got 3"],
      [() => layer.initialState([0]), "AdaptiveLIF: expected positive integer sizes"],
      [() => layer.forward(1 as never), "AdaptiveLIF: expected a tensor, got 1"],
    ];
    for (const [call, message] of calls) expect(() => tape(call), message).toThrow(message);
  });
});

describe("stream: modules of one's own", () => {
  /** The neuron of tensor ops, whose state exists only inside its forward. */
  class Forgetful extends Module {
    forward(current: Tensor): Tensor {
      let v = zeros(current.shape.slice(1));
      return stack(
        current.unbind(0).map((now) => {
          const u = v.mul(0.9).add(now);
          const s = spike(u);
          v = u.sub(s);
          return s;
        }),
      );
    }
  }

  class Stepping extends Forgetful {
    step(x: Tensor, { inner: [v] }: { inner: [Tensor] }): [Tensor, { inner: [Tensor] }] {
      const u = v.mul(0.9).add(x);
      const s = spike(u);
      return [s, { inner: [u.sub(s)] }];
    }
    initialState(shape: readonly number[]): { inner: [Tensor] } {
      return { inner: [zeros(shape)] };
    }
  }

  test("whose state is not known are refused", () => {
    const message = "Stream: expected modules whose state is known, got Forgetful";
    expect(bytesKept(() => expect(() => new Stream([new Forgetful()], [2, 3])).toThrow(message))).toBe(0);
  });

  test("that have a step of their own keep it", () => {
    const layer = new Stepping();
    const stream = new Stream(layer, [2, 3]);
    const x = random([10, 2, 3], 30, { low: 0, high: 0.8 });
    const all = layer.forward(x);
    expect(values(all)).toContain(1);
    for (let again = 0; again < 2; again++) {
      for (const [t, now] of x.unbind(0).entries()) {
        expect(bits(stream.step(now.toFloat32Array()).slice())).toEqual(bits(all.select(0, t)));
      }
      stream.reset();
    }
    expect(bytesKept(() => stream.dispose())).toBeLessThan(0);
  });

  /** z[t] = 2·a[t] + b[t] of two sums; `next` gives the state after a step. */
  function sums(start: unknown, next: (a: Tensor, b: Tensor) => unknown): Module {
    return new (class Sums extends Forgetful {
      step(x: Tensor, { a, b }: { a: Tensor; b: Tensor }): [Tensor, unknown] {
        return [a.add(x).mul(2).add(b.sub(x)), next(a.add(x), b.sub(x))];
      }
      initialState(): unknown {
        return start;
      }
    })();
  }

  test("keep their state by its names, whatever their order", () => {
    const stream = new Stream(
      sums({ a: zeros([1]), b: zeros([1]) }, (a, b) => ({ b, a })),
      [1],
    );
    expect([1, 2, 3].map((x) => stream.step([x])[0])).toEqual([1, 3, 6]);
    stream.dispose();
  });

  test("give states of tensors, of the same names", () => {
    for (const start of [{ a: 0, b: 0 }, null, 3, { a: zeros([1]), b: undefined }]) {
      const make = () =>
        new Stream(
          sums(start, () => start),
          [1],
        );
      expect(make).toThrow(TypeError);
      expect(make).toThrow("Stream: expected a state of tensors, got");
    }
    const start = { a: zeros([1]), b: zeros([1]) };
    const wrong: [next: unknown, type: typeof TypeError, message: string][] = [
      [{ a: start.a }, RangeError, "Stream: expected a state of a, b, got a"],
      [{ ...start, c: start.a }, RangeError, "Stream: expected a state of a, b, got a, b, c"],
      [{ a: start.a, c: start.b }, RangeError, "Stream: expected a state of a, b, got a, c"],
      [{ a: start.a, b: 1 }, TypeError, "Stream: expected a state of tensors, got 1"],
      [start.a, RangeError, "Stream: expected a state of a, b, got"],
      [undefined, TypeError, "Stream: expected a state of tensors, got undefined"],
    ];
    for (const [next, type, message] of wrong) {
      const stream = new Stream(
        sums(start, () => next),
        [1],
      );
      expect(() => stream.step([1])).toThrow(type);
      expect(() => stream.step([1])).toThrow(message);
      stream.dispose();
    }
  });

  test("that change what a neuron computes are refused", () => {
    class Louder extends AdaptiveLIF {
      override forward(current: Tensor): Tensor {
        return super.forward(current.mul(2));
      }
    }
    expect(() => new Stream(new Louder(), [2, 3])).toThrow("got Louder with another forward and the step of");
  });
});

test("neuron: names are typed", () => {
  const layer = new AdaptiveLIF({ beta: 0.5, learn: ["rho"] });
  const beta: Tensor = layer.beta;
  const membrane: Tensor = layer.unroll(zeros([1, 1])).membrane;
  const { v, a } = layer.initialState([1]);
  expect([beta, membrane, v, a].every((t) => t.size === 1)).toBe(true);
  const typed = (): void => {
    // @ts-expect-error: no parameter of this name
    new AdaptiveLIF({ gamma: 1 });
    // @ts-expect-error: no parameter of this name
    new AdaptiveLIF({ learn: ["gamma"] });
    // @ts-expect-error: no parameter of this name
    layer.gamma;
    // @ts-expect-error: no output of this name
    layer.unroll(zeros([1])).u;
    // @ts-expect-error: a state is missing
    layer.step(zeros([1]), { v });
    // @ts-expect-error: spikes or membrane are missing
    neuron({ name: "X", state: { v: 0 }, parameters: {}, step: ({ v }) => ({ v }) });
    neuron({
      name: "X",
      state: { v: 0, w: 0 },
      parameters: { beta: 1 },
      // @ts-expect-error: the state w is not returned
      step: ({ current, spike }) => ({ spikes: spike(current), v: current }),
    });
    neuron({
      name: "X",
      state: { v: 0 },
      parameters: { beta: 1 },
      // @ts-expect-error: no parameter of this name
      step: ({ current, gamma, spike }) => ({ spikes: spike(current), v: gamma }),
    });
    neuron({
      name: "X",
      state: { v: 0 },
      parameters: { beta: 1 },
      // @ts-expect-error: values are no numbers
      step: ({ v, beta, spike }) => ({ spikes: spike(v), v: v * beta }),
    });
    neuron({
      name: "X",
      state: { v: 0 },
      parameters: {},
      // @ts-expect-error: no state of this name
      reset: "w",
      step: ({ v, spike }) => ({ spikes: spike(v), v }),
    });
  };
  expect(typed).toBeTypeOf("function");
});

test("neuron: a gradient that is the product of a few outputs has the bits of one that is written out", () => {
  const layer = new AdaptiveLIF();
  const w = random([2, 40], 3);
  const run = (isWrittenOut: boolean) =>
    tape(() => {
      const x = leaf([7, 3, 40], 4, { low: 0, high: 1 });
      const spikes = layer.forward(x.mul(1));
      const z = linear(isWrittenOut ? spikes.mul(1) : spikes, w);
      z.mul(random([7, 3, 2], 5))
        .sum()
        .backward();
      return bits(x.grad as Tensor);
    });
  expect(run(false)).toEqual(run(true));
  expect(run(false).some((word) => word !== 0)).toBe(true);
});
