/** The LIF layer: step by step, state between calls, constant currents, memory, learned decay. */
import { describe, expect, test } from "vitest";
import type { Module, Tensor } from "../../engine/index.ts";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  full,
  Generator,
  GroupNorm,
  gradcheck,
  keep,
  LayerNorm,
  Linear,
  linear,
  MaxPool2d,
  memoryStats,
  noGrad,
  resetPeak,
  Sequential,
  tape,
  tensor,
} from "../../engine/index.ts";
import { everyOption, RESETS, SURROGATES } from "../../test/support/lif.ts";
import { withLittleMemory } from "../../test/support/memory.ts";
import { bits, bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import type { LIFOptions, LIFState } from "../index.ts";
import { constantEncode, LIF, poissonEncode, RecurrentLIF, Stream, surrogate } from "../index.ts";

const T = 9;
const B = 3;
const N = 7;

const current = () => random([T, B, N], 1, { low: -0.5, high: 1.5 });

const nameOf = ({ reset, resetDelay, refractorySteps, fire }: LIFOptions) =>
  `${reset}, ${resetDelay ? "delayed" : "at once"}, held ${refractorySteps} steps, ${fire}`;

const courses = everyOption().filter(({ detachReset }) => detachReset);

describe.each(courses)("lif", (options) => {
  const name = nameOf(options);

  test(`lif: repeated steps give the bits of forward, ${name}`, () => {
    for (const extra of [{}, { rest: 0.1, inputScale: 0.7, ...(options.reset === "zero" && { resetValue: -0.2 }) }]) {
      const lif = new LIF({ beta: 0.9, ...options, ...extra });
      tape(() => {
        const x = current();
        const whole = lif.unroll(x);
        let state = lif.initialState([B, N]);
        const steps = x.unbind(0).map((input) => {
          const [spikes, next] = lif.step(input, state);
          state = next;
          return { spikes: bits(spikes), v: bits(next.v) };
        });
        expect(steps.flatMap((step) => step.spikes)).toEqual(bits(lif.forward(x)));
        expect(steps.flatMap((step) => step.v)).toEqual(bits(whole.v));
        expect(bits(state.v)).toEqual(bits(whole.state.v));
        expect(bits(state.refractory)).toEqual(bits(whole.state.refractory));
      });
    }
  });

  test(`lif: a sequence in two parts, the state carried across tapes, has the bits of one, ${name}`, () => {
    const lif = new LIF({ beta: 0.9, ...options });
    const x = current();
    const whole = tape(() => bits(lif.forward(x)));
    const [first, state] = tape(() => {
      const { spikes, state } = lif.unroll(x.slice(0, 0, 4));
      return [spikes, state] as const;
    });
    const second = tape(() => lif.unroll(x.slice(0, 4, T), state).spikes);
    expect([...bits(first), ...bits(second)]).toEqual(whole);
    for (const t of [x, first, second, state.v, state.refractory]) t.dispose();
  });

  test(`lif: samples of a batch do not touch each other's bits, ${name}`, () => {
    const lif = new LIF({ beta: 0.9, ...options, surrogate: surrogate.atan() });
    const run = (x: Tensor) => {
      const input = x.clone().detach();
      input.requiresGrad = true;
      const { spikes, membrane } = lif.unroll(input);
      spikes.sum().backward();
      return { spikes, membrane, gradient: input.grad as Tensor };
    };
    tape(() => {
      const x = current();
      const whole = run(x);
      for (let b = 0; b < B; b++) {
        const alone = run(x.slice(1, b, b + 1));
        for (const key of ["spikes", "membrane", "gradient"] as const) {
          expect(bits(alone[key])).toEqual(bits(whole[key].slice(1, b, b + 1)));
        }
      }
    });
  });

  test(`lif: a constant current gives the bits of the one written out, and its gradient, ${name}`, () => {
    for (const learnBeta of [false, true]) {
      const lif = new LIF({ beta: 0.9, learnBeta, ...options });
      const run = (written: boolean) =>
        tape(() => {
          const x = leaf([B, N], 3, { low: 0, high: 0.6 });
          const input = constantEncode(x, { timesteps: T });
          if (written) input.data;
          const { spikes, membrane } = lif.unroll(input);
          const out = [...bits(spikes), ...bits(membrane)];
          spikes.sum().backward();
          return { out, gradient: gradient(x) };
        });
      const constant = run(false);
      const written = run(true);
      expect(constant.out).toEqual(written.out);
      // The same products, summed over time in the order of backward instead of forward.
      constant.gradient.forEach((g, i) => {
        expect(Math.abs(g - (written.gradient[i] as number))).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(g)));
      });
      expect(constant.gradient.some((g) => g !== 0)).toBe(true);
    }
  });
});

describe.each(RESETS)("lif", (reset) => {
  for (const resetDelay of [false, true]) {
    const name = `reset ${reset}, ${resetDelay ? "delayed" : "at once"}`;
    // With a detached reset, the analytic gradient omits a path that differences include.
    const value = reset === "zero" ? { resetValue: -0.1 } : {};
    const options = { reset, resetDelay, detachReset: false, spiking: false, rest: 0.1, inputScale: 0.8, ...value };

    test(`lif: gradients of the smooth neuron are the difference quotients, ${name}`, () => {
      for (const smooth of SURROGATES.filter(({ primitive }) => primitive !== null)) {
        const lif = new LIF({ ...options, beta: 0.9, surrogate: smooth });
        gradcheck(
          (x, v) => {
            const refractory = tensor([0, 0, 1, 0, 2, 0], { shape: [2, 3] });
            const { spikes, membrane, v: after, state } = lif.unroll(x, { v, refractory });
            return [spikes, membrane, after, state.v];
          },
          [random([4, 2, 3], 4), random([2, 3], 5)],
        );
      }
    });

    test(`lif: gradients of beta and threshold in the smooth neuron are the difference quotients, ${name}`, () => {
      const each = { beta: random([3], 6), threshold: random([3], 7) };
      const smooth = surrogate.sigmoid({ slope: 3 });
      const lif = new LIF({ ...options, ...each, learnBeta: true, surrogate: smooth });
      gradcheck(
        (x, beta, threshold) => {
          const { spikes, membrane, v } = Object.assign(lif, { beta, threshold }).unroll(x);
          return [spikes, membrane, v];
        },
        [random([4, 2, 3], 4), random([3], 6, { low: 0.5, high: 1 }), random([3], 7, { low: 0.8, high: 1.2 })],
      );
    });
  }
});

test("lif: a spike resets the membrane at once, with a delay at the next step", () => {
  const x = tensor([0.5, 0.75, 0, 0]);
  const run = (options: LIFOptions) =>
    tape(() => {
      const { spikes, membrane, v } = new LIF({ beta: 0.5, ...options }).unroll(x);
      return { s: values(spikes), u: values(membrane), v: values(v) };
    });
  expect(run({ reset: "subtract" })).toEqual({ s: [0, 1, 0, 0], u: [0.5, 1, 0, 0], v: [0.5, 0, 0, 0] });
  expect(run({ reset: "zero", resetValue: 0.5 })).toEqual({
    s: [0, 1, 0, 0],
    u: [0.5, 1, 0.25, 0.125],
    v: [0.5, 0.5, 0.25, 0.125],
  });
  expect(run({ reset: "none" })).toEqual({ s: [0, 1, 0, 0], u: [0.5, 1, 0.5, 0.25], v: [0.5, 1, 0.5, 0.25] });
  expect(run({ reset: "subtract", resetDelay: true })).toEqual({
    s: [0, 1, 0, 0],
    u: [0.5, 1, -0.5, -0.25],
    v: [0.5, 1, -0.5, -0.25],
  });
  expect(run({ fire: "gt" }).s).toEqual([0, 0, 0, 0]);
});

test("lif: start names the parameter from which v starts, learned or not, in forward, step and Stream", () => {
  const current = random([T, B, N], 3);
  const starts = [
    [{ start: "rest", rest: 0.5 }, 0.5],
    [{ start: "rest", rest: full([N], 0.5), reset: "subtract" }, 0.5],
    [{ start: "resetValue", resetValue: -0.5 }, -0.5],
    [{ start: "resetValue", resetValue: -0.5, learn: ["resetValue"] }, -0.5],
    [{ numerics: "spikingjelly", resetValue: 0.25, rest: 0.25 }, 0.25],
    [{ numerics: "spikingjelly", reset: "subtract", rest: 0.25 }, 0],
    [{ rest: 0.5, resetValue: 0.25 }, 0],
  ] as const satisfies readonly (readonly [LIFOptions, number])[];
  for (const [options, v] of starts) {
    for (const layer of [new LIF(options), new RecurrentLIF({ ...options, features: N })]) {
      const state = layer.initialState([B, N]);
      expect(values(state.v)).toEqual(new Array(B * N).fill(v));
      const spikes = values(layer.forward(current));
      expect(values(layer.unroll(current, state as never).spikes)).toEqual(spikes);
      const stream = new Stream(layer, [B, N]);
      expect(current.unbind(0).flatMap((x) => [...stream.step(x.toFloat32Array())])).toEqual(spikes);
    }
  }
  const learned = new LIF({ start: "resetValue", resetValue: -0.5, learn: ["resetValue"] });
  const { resetValue } = learned as unknown as { readonly resetValue: Tensor };
  // The membrane of the first step is β·resetValue + I.
  tape(() =>
    learned
      .unroll(tensor([[0.1]]))
      .membrane.sum()
      .backward(),
  );
  expect(resetValue.grad?.item()).toBeCloseTo(0.95, 6);
  expect(() => new LIF({ start: "rests" as "rest" })).toThrow('LIF: expected start "zero", "rest" or "resetValue"');
});

test("lif: a refractory neuron holds its state, takes no input and does not fire", () => {
  tape(() => {
    const lif = new LIF({ beta: 0.5, reset: "zero", resetValue: 0.25, refractorySteps: 2 });
    const { spikes, membrane, v, state } = lif.unroll(tensor([2, 2, 2, 0.5, 2]));
    expect(values(spikes)).toEqual([1, 0, 0, 0, 1]);
    expect(values(membrane)).toEqual([2, 0.25, 0.25, 0.625, 2.3125]);
    expect(values(v)).toEqual([0.25, 0.25, 0.25, 0.625, 0.25]);
    expect(values(state.refractory)).toEqual([2]);
  });
});

test("lif: tau and dt give beta, by an exponential or by Euler's step", () => {
  expect(new LIF({ tau: 20 }).beta.item()).toBeCloseTo(Math.exp(-1 / 20), 6);
  expect(new LIF({ tau: 20, dt: 5 }).beta.item()).toBeCloseTo(Math.exp(-1 / 4), 6);
  expect(new LIF({ tau: 20, dt: 5, decay: "euler" }).beta.item()).toBe(0.75);
  expect(new LIF().beta.item()).toBe(Math.fround(0.95));
});

test("lif: beta and threshold are in the state under their names; only what is learned is a parameter", () => {
  const beta = tensor([0.5, 0.75]);
  const named = (lif: LIF) => [Object.keys(lif.stateDict()), lif.namedParameters().map(([name]) => name)];
  expect(named(new LIF())).toEqual([["beta", "threshold"], []]);
  expect(named(new LIF({ learnThreshold: true }))).toEqual([["beta", "threshold"], ["threshold"]]);
  expect(named(new LIF({ rest: 0.1, resetValue: 0.2 }))).toEqual([["beta", "threshold"], []]);
  expect(named(new LIF({ rest: tensor([0.1]), learn: ["inputScale"] }))).toEqual([
    ["beta", "threshold", "rest", "inputScale"],
    ["inputScale"],
  ]);
  const lif = new LIF({ beta, learnBeta: true, learnThreshold: true });
  expect(lif.stateDict()).toEqual({
    beta: { shape: [2], data: Float32Array.of(0.5, 0.75) },
    threshold: { shape: [], data: Float32Array.of(1) },
  });
  expect(values(beta)).toEqual([0.5, 0.75]);
});

test("lif: a learned beta outside [0, 1] counts as the bound, is stored raw and gets no gradient", () => {
  const x = random([T, 2, 3], 8);
  const lif = new LIF({ beta: tensor([1.5, 0.5, -0.25]), learnBeta: true });
  const clamped = new LIF({ beta: tensor([1, 0.5, 0]) });
  tape(() => {
    const { spikes, membrane } = lif.unroll(x);
    expect(bits(membrane)).toEqual(bits(clamped.unroll(x).membrane));
    spikes.sum().add(membrane.sum()).backward();
  });
  const [above, inside, below] = gradient(lif.beta);
  expect([above, below]).toEqual([0, 0]);
  expect(inside).not.toBe(0);
  expect(values(lif.beta)).toEqual([1.5, 0.5, -0.25]);
});

test("lif: parameters within bounds of the caller count as the bound, are stored raw and get no gradient there", () => {
  const x = random([T, 2, 3], 8);
  const options = {
    beta: tensor([0.95, 0.5, 0.1]),
    threshold: 2,
    rest: -0.5,
    surrogate: surrogate.sigmoid({ slope: 2 }),
  };
  const constrain = { beta: [0.25, 0.75], threshold: [0.5, 1], rest: [-0.25, 0] } as const;
  const bounded = { ...options, beta: tensor([0.75, 0.5, 0.25]), threshold: 1, rest: -0.25 };
  expect(() => new LIF({ ...options, constrain })).toThrow("LIF: beta must be in [0.25, 0.75], got 0.949999988079071");
  const lif = new LIF({ ...options, constrain, learn: ["beta", "threshold", "rest"] });
  expect(lif.namedParameters().map(([name, t]) => [name, values(t)])).toEqual([
    ["beta", [...Float32Array.of(0.95, 0.5, 0.1)]],
    ["threshold", [2]],
    ["rest", [-0.5]],
  ]);
  tape(() => {
    const { membrane } = lif.unroll(x);
    expect(bits(membrane)).toEqual(bits(new LIF(bounded).unroll(x).membrane));
    membrane.square().sum().backward();
  });
  expect(gradient(lif.threshold)).toEqual([0]);
  const [above, inside, below] = gradient(lif.beta);
  expect([above, below]).toEqual([0, 0]);
  expect(inside).not.toBe(0);
  // The plain LIF of the hand-written kernels.
  const plain = new LIF({ threshold: 2, learnThreshold: true, constrain: { threshold: [0.5, 1] } });
  expect(bits(plain.forward(x))).toEqual(bits(new LIF({ threshold: 1 }).forward(x)));
});

test("lif: bounds name options that can be learned, low before high", () => {
  const make = (constrain: object) => () => new LIF({ constrain } as never);
  expect(make({ v: [0, 1] })).toThrow("LIF: expected constrain to name parameters, beta, threshold, rest, inputScale");
  const needed = (name: string) =>
    `LIF: expected ${name} as a number or a tensor, since learn or constrain name it, got `;
  for (const name of ["lowerBound", "gradedSpikesFactor"]) {
    expect(make({ [name]: [0, 1] })).toThrow(`${needed(name)}undefined`);
  }
  for (const options of [{ constrain: { inputScale: [0, 1] as const } }, { learn: ["inputScale"] as const }]) {
    expect(() => new LIF({ ...options, inputScale: "leak" })).toThrow(`${needed("inputScale")}"leak"`);
  }
  expect(new LIF({ beta: 1.5, constrain: { beta: [0, 2] } }).beta.item()).toBe(1.5);
  expect(make({ beta: [1, 0] })).toThrow("LIF: expected constrain.beta as [low, high], got [1, 0]");
  expect(() => new LIF({ reset: "subtract", constrain: { resetValue: [0, 1] } })).toThrow("LIF: ");
});

describe("lif: memory", () => {
  const big = [20, 8, 64];
  const bytes = 4 * 20 * 8 * 64;

  /** Peak memory of fn, in bytes. */
  function peakOf(fn: () => unknown): number {
    const { live } = memoryStats();
    resetPeak();
    tape(() => {
      fn(); // its result is freed with the tape
    });
    return memoryStats().peak - live;
  }

  test("lif: outputs that are not read cost nothing", () => {
    const x = random(big, 9);
    const lif = new LIF();
    const spikesOnly = peakOf(() => lif.unroll(x).spikes);
    expect(peakOf(() => lif.forward(x))).toBeLessThanOrEqual(spikesOnly);
    for (const read of ["membrane", "v"] as const) {
      expect(peakOf(() => lif.unroll(x)[read])).toBeGreaterThanOrEqual(spikesOnly + bytes);
    }
    expect(spikesOnly).toBeLessThan(2.1 * bytes);
    x.dispose();
  });

  test("lif: a constant current is not written out, and neither is its gradient", () => {
    const x = leaf([8, 64], 9);
    const weights = random(big, 10);
    const lif = new LIF();
    const train = (written: boolean) => () =>
      tape(() => {
        const input = constantEncode(x, { timesteps: 20 });
        if (written) input.data;
        lif.forward(input).mul(weights).sum().backward();
      });
    train(false)();
    const constant = peakOf(train(false));
    expect(peakOf(train(true))).toBeGreaterThanOrEqual(constant + bytes);
    x.dispose();
    weights.dispose();
  });

  test("lif: outside of tapes forward leaves its spikes alone", () => {
    const x = leaf(big, 9);
    for (const refractorySteps of [0, 2]) {
      const lif = new LIF({ refractorySteps });
      expect(bytesKept(() => lif.forward(x).dispose())).toBe(0);
    }
  });
});

describe("lif: outputs are read late", () => {
  const options = { beta: 0.9, refractorySteps: 1 };
  const x = () => leaf([T, N], 12, { low: -0.5, high: 1.5 });

  const expected = (read: "membrane" | "v") =>
    tape(() => {
      const input = x();
      new LIF(options).unroll(input)[read].sum().backward();
      return gradient(input);
    });

  test("lif: an output that is looked at under noGrad or in an inner tape first keeps its gradient", () => {
    for (const read of ["membrane", "v"] as const) {
      for (const inner of [noGrad, tape]) {
        for (const returned of [false, true]) {
          tape(() => {
            const input = x();
            const record = new LIF(options).unroll(input);
            inner(() => (returned ? record[read] : record[read].mean().item()));
            record[read].sum().backward();
            expect(gradient(input), `${read}, ${inner.name}, ${returned}`).toEqual(expected(read));
          });
        }
      }
    }
  });

  test("lif: the state that is looked at under noGrad first still carries its gradient", () => {
    const gradientOf = (look: boolean) =>
      tape(() => {
        const input = x();
        const record = new LIF(options).unroll(input);
        if (look) noGrad(() => record.state.v.mean().item());
        record.state.v.sum().backward();
        return gradient(input);
      });
    expect(gradientOf(true)).toEqual(gradientOf(false));
  });

  test("lif: a record that is returned from its tape keeps every output, and nothing else", () => {
    const lif = new LIF(options);
    const input = x();
    const kept = bytesKept(() => {
      const record = noGrad(() => lif.unroll(input));
      expect(record.membrane.shape).toEqual([T, N]);
      expect(values(record.state.v)).toEqual(values(record.v).slice(-N));
      expect(record.state.refractory.shape).toEqual([N]);
      expect(record.v).toBe(record.v);
      expect(record.state).toBe(record.state);
      const { spikes, membrane, v, state } = record;
      for (const t of [spikes, membrane, v, state.v, state.refractory]) t.dispose();
    });
    expect(kept).toBe(0);
    input.dispose();
  });

  test("lif: what a failed backward pass has gathered is not part of the next one", () => {
    const run = (fail: boolean) =>
      tape(() => {
        const input = x();
        const factor = leaf([T, N], 13);
        const record = new LIF({ beta: 0.9 }).unroll(input);
        const product = record.spikes.mul(factor);
        const loss = record.membrane.sum().add(product.sum());
        if (fail) {
          factor.copyFrom(new Float32Array(factor.size));
          expect(() => loss.backward()).toThrow(/overwritten/);
        }
        record.spikes.sum().backward();
        return gradient(input);
      });
    expect(run(true)).toEqual(run(false));
  });
});

test("lif: gradients flow through a state that is carried within a tape", () => {
  const lif = new LIF({ beta: 0.9, detachReset: false, refractorySteps: 1, reset: "subtract" });
  const run = (parts: number[]) =>
    tape(() => {
      const input = leaf([T, N], 12, { low: -0.5, high: 1.5 });
      let state: LIFState | undefined;
      let loss: Tensor = tensor(0);
      let from = 0;
      for (const to of parts) {
        const record = lif.unroll(input.slice(0, from, to), state);
        state = record.state;
        loss = loss.add(record.spikes.sum()).add(record.membrane.square().sum());
        from = to;
      }
      loss.backward();
      return gradient(input);
    });
  const whole = run([T]);
  // The sums of the loss are split, the path through time is not.
  run([3, 5, T]).forEach((g, i) => {
    expect(g).toBeCloseTo(whole[i] as number, 4);
  });
});

test("lif: a state that is kept outlives its tape, detached", () => {
  const lif = new LIF();
  let state = lif.initialState([N]);
  tape(() => {
    const record = lif.unroll(leaf([T, N], 12), state);
    state = { v: keep(record.state.v), refractory: keep(record.state.refractory) };
  });
  expect(state.v.requiresGrad).toBe(false);
  expect(values(tape(() => lif.unroll(random([T, N], 1), state).spikes))).toHaveLength(T * N);
});

test("lif: a state that is overwritten before backward is noticed", () => {
  const state = { v: leaf([N], 14), refractory: tensor(new Float32Array(N)) };
  expect(() =>
    tape(() => {
      const { spikes } = new LIF({ learnBeta: true }).unroll(leaf([T, N], 12), state);
      state.v.copyFrom(new Float32Array(N));
      spikes.sum().backward();
    }),
  ).toThrow(/overwritten/);
});

test("lif: a second backward through another output is an error, not a gradient that is lost", () => {
  tape(() => {
    const record = new LIF().unroll(leaf([T, N], 12));
    const membrane = record.membrane.sum();
    record.spikes.sum().backward();
    expect(() => membrane.backward()).toThrow("consumed");
  });
});

test("lif: smooth neurons have exact gradients whatever the reset, and leave nothing behind outside of tapes", () => {
  for (const reset of ["zero", "subtract"] as const) {
    const lif = new LIF({ spiking: false, reset, surrogate: surrogate.sigmoid({ slope: 3 }) });
    gradcheck((x) => lif.forward(x), [random([4, 2, 3], 4)]);
    const x = random([4, 2, 3], 4);
    expect(bytesKept(() => lif.forward(x).dispose())).toBe(0);
  }
});

test("lif: what is given per neuron is a list, one for each on the last axis", () => {
  const x = random([4, 3, 3], 4);
  const one = "LIF: expected threshold to be one number or";
  for (const shape of [
    [3, 1],
    [1, 3],
  ]) {
    const message = `${one} [N], got [${shape.join(", ")}]`;
    expect(() => new LIF({ threshold: random(shape, 5) })).toThrow(new RangeError(message));
  }
  const two = new LIF({ threshold: random([2], 5) });
  expect(() => two.forward(x)).toThrow(new RangeError(`${one} [3], got [2] for a current [4, 3, 3]`));
  expect(new LIF({ threshold: random([1, 1], 5) }).forward(x).shape).toEqual([4, 3, 3]);
});

test("lif: more spikes than addresses reach are refused, though their bits would fit", () => {
  const x = random([1024], 4);
  const act = () => poissonEncode(x, { timesteps: 2 ** 21 });
  expect(act).toThrow(RangeError);
  expect(act).toThrow("expected at most 2³⁰ elements, got shape [2097152, 1024]");
});

describe("lif: in a Sequential the membrane takes the place of the current", () => {
  type Make = (generator: Generator) => Module[];

  const between = (first: Module, second: Module, generator: Generator) => [
    new Linear(N, 5, { generator }),
    first,
    new Linear(5, 3, { generator }),
    second,
  ];
  const neurons: Record<string, Make> = {
    plain: (g) => between(new LIF(), new LIF({ reset: "subtract", surrogate: surrogate.atan() }), g),
    "learned beta": (g) =>
      between(new LIF({ learnBeta: true }), new LIF({ beta: tensor([0.5, 0.75, 1]), learnThreshold: true }), g),
    refractory: (g) => between(new LIF({ refractorySteps: 2 }), new LIF({ detachReset: false }), g),
    recurrent: (g) => between(new RecurrentLIF({ features: 5, generator: g }), new LIF(), g),
  };

  /** Layers before neurons, and whether only the neurons read their output. */
  const conv = (generator: Generator) => new Conv2d(2, 4, 3, { padding: 1, generator });
  const stacks: Record<string, readonly [isAlone: boolean, make: Make]> = {
    "a convolution": [true, (g) => [conv(g)]],
    "batch norm": [true, (g) => [conv(g), new BatchNorm2d(4)]],
    "group norm": [true, (g) => [conv(g), new GroupNorm(2, 4)]],
    "layer norm": [true, (g) => [conv(g), new LayerNorm([8])]],
    "a max pool": [true, (g) => [conv(g), new MaxPool2d(2)]],
    "an average pool": [true, (g) => [conv(g), new AvgPool2d(2)]],
    "a max pool of spikes": [true, (g) => [conv(g), new LIF({ threshold: 0.1 }), new MaxPool2d(2)]],
    dropout: [true, (g) => [conv(g), new Dropout(0.5, { generator: g })]],
    "another shape": [false, (g) => [conv(g), new Flatten(2)]],
  };

  /** Output and gradients of a network, and its peak memory. */
  function train(make: Make, shape: number[], run: (modules: Module[]) => (x: Tensor) => Tensor) {
    const modules = make(new Generator(1));
    const forward = run(modules);
    const x = leaf([T, B, ...shape], 3);
    resetPeak();
    const before = memoryStats().live;
    const output = tape(() => {
      const z = forward(x);
      z.mul(random(z.shape, 8)).sum().backward();
      return bits(z);
    });
    const peak = memoryStats().peak - before;
    const leaves = [x, ...modules.flatMap((module) => module.parameters())];
    return { bits: [output, ...leaves.map((t) => bits(t.grad as Tensor))], peak };
  }

  const oneByOne = (modules: Module[]) => (x: Tensor) => modules.reduce((z, module) => module.forward(z), x);
  const sequential = (modules: Module[]) => {
    const network = new Sequential(...modules);
    return (x: Tensor) => network.forward(x);
  };

  test.each(Object.entries(neurons))("lif: %s neurons give the same bits so, in less memory", (_name, make) => {
    const [alone, held] = [train(make, [N], sequential), train(make, [N], oneByOne)];
    expect(alone.bits).toEqual(held.bits);
    expect(alone.peak).toBeLessThan(held.peak);
  });

  test.each(Object.entries(stacks))("lif: so do neurons behind %s", (_name, [isAlone, make]) => {
    const network: Make = (g) => [...make(g), new LIF({ threshold: 0.2, surrogate: surrogate.atan() })];
    const [alone, held] = [train(network, [2, 8, 8], sequential), train(network, [2, 8, 8], oneByOne)];
    expect(alone.bits).toEqual(held.bits);
    expect(new Set(alone.bits[0]).size).toBe(2);
    if (isAlone) expect(alone.peak).toBeLessThan(held.peak);
    else expect(alone.peak).toBe(held.peak);
  });

  test("lif: a forward of one's own is called, and what it can hold stays as it is", () => {
    let seen: Tensor | null = null;
    class Watched extends LIF {
      override forward(current: Tensor): Tensor {
        seen = current;
        return super.forward(current);
      }
    }
    class Held extends Linear {
      override forward(x: Tensor): Tensor {
        seen = super.forward(x);
        return seen;
      }
    }
    const x = random([T, B, N], 3);
    for (const modules of [
      [new Linear(N, 5), new Watched()],
      [new Held(N, 5), new LIF()],
    ]) {
      tape(() => {
        new Sequential(...modules).forward(x).sum().backward();
        const { weight, bias } = modules[0] as Linear;
        expect(bits(seen as unknown as Tensor)).toEqual(bits(linear(x, weight, bias)));
      });
    }
  });
});

test("lif: a backward pass through a current that was consumed says so, also again", () => {
  const lif = new LIF();
  const x = leaf([2, 1], 5);
  tape(() => {
    const h = x.mul(2).reshape([2, 1]);
    const spikes = lif.forward(h);
    const loss = spikes.sum();
    h.sum().backward();
    expect(() => loss.backward()).toThrow("consumed");
    expect(() => spikes.mul(2).sum().backward()).toThrow("consumed");
  });
});

test("lif: a backward pass that ran out of memory can be repeated", () => {
  const lif = new LIF({ learnBeta: true });
  const x = leaf([8, 5000], 6);
  // The gradient of a sum over time, that of a product, and a materialised one.
  const w = random([3, 5000], 7);
  const losses = [(s: Tensor) => s.sum(), (s: Tensor) => linear(s, w).sum(), (s: Tensor) => s.mul(s).sum()];
  let failures = 0;
  for (const learnBeta of [false, true]) {
    lif.beta.requiresGrad = learnBeta;
    for (const loss of losses) {
      const run = (attempt: (spikes: Tensor) => boolean): number[] => {
        const input = x.clone().detach();
        input.requiresGrad = true;
        const found = tape(() => {
          const spikes = lif.forward(input);
          if (!attempt(spikes)) loss(spikes).backward();
          return [...gradient(input), ...gradient(lif.beta)];
        });
        lif.beta.zeroGrad();
        input.dispose();
        return found;
      };
      const expected = run(() => false);
      for (let free = 1000; free < 2e6; free *= 1.5) {
        const found = run((spikes) => {
          const first = loss(spikes);
          return withLittleMemory(Math.floor(free), () => {
            try {
              first.backward();
              return true;
            } catch (error) {
              expect(error).toBeInstanceOf(RangeError);
              failures++;
              return false;
            }
          });
        });
        expect(found).toEqual(expected);
      }
    }
  }
  expect(failures).toBeGreaterThan(0);
});

test("lif: what a wrapped forward keeps is not written over by the membrane", () => {
  const [linearForward, lifForward] = [Linear.prototype.forward, LIF.prototype.forward];
  const [layer, lif] = [new Linear(2, 2), new LIF()];
  const seen: Tensor[] = [];
  const network = new Sequential(layer, lif);
  const x = random([3, 1, 2], 8);
  const expected = tape(() => bits(layer.forward(x)));
  try {
    Linear.prototype.forward = function (input) {
      const z = linearForward.call(this, input);
      seen.push(z);
      return z;
    };
    tape(() => {
      network.forward(x);
      expect(bits(seen[0] as Tensor)).toEqual(expected);
    });
    Linear.prototype.forward = linearForward;
    LIF.prototype.forward = function (input) {
      seen.push(input);
      return lifForward.call(this, input);
    };
    tape(() => {
      network.forward(x);
      expect(seen).toHaveLength(2);
      expect(bits(seen[1] as Tensor)).toEqual(expected);
    });
  } finally {
    Linear.prototype.forward = linearForward;
    Reflect.deleteProperty(LIF.prototype, "forward"); // uncovers the one of its prototype
  }
});
