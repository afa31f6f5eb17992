import { describe, expect, test } from "vitest";
import { Random } from "../../test/fuzz/random.ts";
import { expectSame, fused, runBackward, runForward, type Setting, stepOf, UNARY } from "../../test/support/fused.ts";
import { wasmHeap } from "../core/memory.ts";
import { gradcheck, withReference } from "../gradcheck.ts";
import { type Tensor, tensor } from "../index.ts";
import { Program, runOnTensors, type StepDefinition, tensorLanguage, type Value } from "./index.ts";
import type { Operands } from "./tensors.ts";

const SEED = 7;
/** Points where functions behave differently: zeros, infinities, NaN, subnormals, ties, the ends of exp. */
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  Infinity,
  -Infinity,
  Number.NaN,
  1e-40,
  -1e-40,
  3e38,
  -3e38,
  88.8,
  -88,
  -104,
  0.625,
  20.5,
  1e-20,
];

/** Random numbers for a step; the special ones come first. */
function settingFor(
  definition: StepDefinition,
  T: number,
  rows: number,
  n: number,
  special: readonly number[] = [],
): Setting {
  const random = new Random(SEED + n);
  const numbers = (count: number, scale = 1): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => special[i] ?? random.number(-2 * scale, 2 * scale));
  const outputs = Object.keys(definition.step(new Proxy({}, { get: () => anything }) as never));
  const named = (names: readonly string[], make: () => Float32Array) =>
    Object.fromEntries(names.map((x) => [x, make()]));
  const weight = (count: number) => Float32Array.from({ length: count }, () => random.number(-1, 1));
  return {
    T,
    rows,
    n,
    inputs: named(definition.inputs, () => numbers(T * rows * n)),
    states: named(definition.states, () => numbers(rows * n)),
    parameters: Object.fromEntries(
      Object.entries(definition.parameters).map(([name, kind]) => [
        name,
        Float32Array.from({ length: kind === "scalar" ? 1 : n }, () => random.number(0.3, 1.2)),
      ]),
    ),
    weights: named(outputs, () => weight(T * rows * n)),
    stateWeights: named(definition.states, () => weight(rows * n)),
  };
}

/** Has every method, each of which returns it. */
const anything: never = new Proxy(() => {}, { get: () => () => anything, apply: () => anything }) as never;

const BINARY = "add sub mul div maximum minimum gt ge lt le eq".split(" ") as "add"[];

describe("compiled as on tensors, with special values:", () => {
  test.each(UNARY)("%s", (op) => {
    const step = stepOf({
      name: op,
      inputs: ["current"],
      states: ["v"],
      parameters: {},
      step: ({ current, v }) => ({ z: current[op](), v: v[op]().add(current) }),
    });
    expectSame(step, settingFor(step, 2, 1, 37, SPECIAL));
  });

  test.each(BINARY)("%s", (op) => {
    const step = stepOf({
      name: op,
      inputs: ["current", "other"],
      states: [],
      parameters: { p: "column" },
      step: ({ current, other, p }) => ({
        z: current[op](other),
        w: other[op](0.5),
        y: current[op](current),
        q: current[op](p),
      }),
    });
    const setting = settingFor(step, 1, 1, SPECIAL.length ** 2);
    // All pairs.
    const pairs = (f: (i: number) => number) =>
      Float32Array.from({ length: SPECIAL.length ** 2 }, (_, i) => SPECIAL[f(i)] as number);
    const inputs = { current: pairs((i) => i % SPECIAL.length), other: pairs((i) => Math.floor(i / SPECIAL.length)) };
    expectSame(step, { ...setting, inputs });
  });

  test("where, select, spike, clamp, pow, softplus and constants", () => {
    const step = stepOf({
      name: "choices",
      inputs: ["x", "y", "c"],
      states: [],
      parameters: {},
      step: ({ x, y, c, where, select, spike, softplus, constant }) => {
        const s = spike(x.sub(y), (at) => at.abs().add(1).reciprocal());
        const strict = spike(x, () => 1, true);
        return {
          where: where(c, x, y),
          half: where(x.gt(y), x, 0),
          other: where(x.le(0.25), 0, c),
          method: x.where(c, 2),
          select: select(s, x, y.mul(2)),
          spike: s,
          strict,
          both: s.mul(strict).mul(x.ge(y)),
          chosen: where(s.mul(strict), c, x),
          clamp: x.clamp(-0.5, 1.25),
          low: x.clamp(null, 0.75),
          pow: x.pow(3),
          root: x.pow(0.3),
          square: x.pow(2),
          softplus: softplus(x),
          constant: constant(2).sub(x),
          fixed: 0.75,
        };
      },
    });
    const setting = settingFor(step, 2, 1, 61, SPECIAL);
    const c = setting.inputs.c as Float32Array;
    expectSame(step, { ...setting, inputs: { ...setting.inputs, c: c.map((v, i) => (i % 3 === 0 ? 0 : v)) } });
  });
});

test("compiled as on tensors: spikes that are and, or, not of others, stored as bits", () => {
  const smooth = (x: Value) => x.abs().add(1).reciprocal();
  const step = stepOf({
    name: "logical",
    inputs: ["x", "y"],
    states: ["v"],
    parameters: { beta: "scalar" },
    packed: ["spikes"],
    step({ x, y, v, beta, spike, where }) {
      const [a, b] = [spike(x, smooth), spike(y.mul(beta), smooth)];
      const either = a.maximum(b);
      const one = either.mul(a.minimum(b).lt(1));
      return { spikes: one, either, both: a.minimum(b), v: where(either, v.mul(beta), v.add(one)) };
    },
  });
  for (const n of [1, 5, 16, 37]) expectSame(step, settingFor(step, 3, 2, n, SPECIAL));
});

/** An adaptive neuron with three learned parameters, one of them per column, and a state that is also an output. */
const adaptive = stepOf({
  name: "adaptive",
  inputs: ["current"],
  states: ["v", "a"],
  parameters: { beta: "scalar", rho: "column", threshold: "scalar", kappa: "scalar" },
  packed: ["spikes"],
  step({ current, v, a, beta, rho, threshold, kappa, spike }) {
    const u = v.mul(beta.sigmoid()).add(current);
    const s = spike(u.sub(threshold).sub(a.mul(kappa)), (x, { constant }) => constant(1).div(x.mul(3).square().add(1)));
    return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), a: a.mul(rho).add(s) };
  },
});

/** Only scalars, so that rows form one long row; nested functions that take several sweeps. */
const curved = stepOf({
  name: "curved",
  inputs: ["current", "gate"],
  states: ["v", "w"],
  parameters: { beta: "scalar", gain: "scalar" },
  step({ current, gate, v, w, beta, gain, select, spike }) {
    const u = v.mul(beta).add(current.tanh()).sub(w.atan().mul(gain));
    const s = spike(u.sub(0.4), (x, { power }) => power(x.abs().mul(-3)));
    return { u: u.sin().mul(gate.sigmoid()), v: select(s, w.mul(0.1), u), w: w.mul(0.5).add(u.sin().atan().mul(s)) };
  },
});

/** A value that is two outputs, a state, and used in the step, so that the order of its gradient matters. */
const delayed = stepOf({
  name: "delayed",
  inputs: ["current"],
  states: ["v"],
  parameters: { beta: "scalar", threshold: "scalar" },
  packed: ["spikes"],
  step({ current, v, beta, threshold, spike, where }) {
    const reset = where(v.ge(threshold), threshold, 0);
    const u = v.mul(beta).add(current).sub(reset.detach());
    return {
      membrane: u,
      spikes: spike(u.sub(threshold), (x) => x.abs().add(1).reciprocal()),
      v: u,
      twice: u.square(),
    };
  },
});

test.each(["exp", "log", "tanh", "sigmoid"] as const)("%s of many values has the bits of the kernel", (op) => {
  const step = stepOf({ name: op, inputs: ["x"], states: [], parameters: {}, step: ({ x }) => ({ z: x[op]() }) });
  const setting = settingFor(step, 1, 1, 20_000);
  const [low, high] = op === "log" ? [-0.1, 40] : op === "exp" ? [-106, 90] : [-20, 20];
  const x = Float32Array.from({ length: 20_000 }, (_, i) => low + ((high - low) * i) / 20_000);
  expectSame(step, { ...setting, inputs: { x } });
});

describe("compiled as on tensors, at every length:", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 37, 513, 1000])("%i columns", (n) => {
    for (const [T, rows] of [
      [1, 1],
      [1, 3],
      [2, 1],
      [2, 3],
      [25, n < 40 ? 3 : 1],
    ] as const) {
      expectSame(adaptive, settingFor(adaptive, T, rows, n));
      expectSame(curved, settingFor(curved, T, rows, n));
      expectSame(delayed, settingFor(delayed, T, rows, n));
    }
  });
});

test("compiled as on tensors, where a step is more than what stays in a cache", () => {
  for (const step of [adaptive, curved, delayed]) {
    expectSame(step, settingFor(step, 3, 131, 501));
    expectSame(step, settingFor(step, 4, 1, 65_600));
  }
});

/** Inputs that are equal in all steps: read with a step of 0, with gradients summed over time. */
test("compiled as on tensors, with inputs that are constant over time", () => {
  for (const step of [adaptive, curved, delayed]) {
    const setting = settingFor(step, 5, 3, 37);
    const { current } = setting.inputs as { current: Float32Array };
    expectSame(step, { ...setting, inputs: { ...setting.inputs, current: current.slice(0, 3 * 37) } });
  }
});

test("compiled as on tensors, from some of the outputs", () => {
  for (const step of [adaptive, curved, delayed]) {
    const setting = settingFor(step, 4, 3, 21);
    for (const name of Object.keys(setting.weights)) {
      const weights = { [name]: setting.weights[name] as Float32Array };
      expectSame(step, { ...setting, weights });
      expectSame(step, { ...setting, weights, stateWeights: {} });
    }
  }
});

test("single steps, whose states are overwritten in place, have the bits of one run", () => {
  const [T, n] = [6, 37];
  for (const step of [adaptive, delayed]) {
    const setting = settingFor(step, T, 1, n);
    const whole = expectSame(step, setting);
    let states = setting.states;
    for (let t = 0; t < T; t++) {
      const current = (setting.inputs.current as Float32Array).slice(t * n, (t + 1) * n);
      const now = fused(step, { ...setting, T: 1, inputs: { current }, states, weights: {}, stateWeights: {} });
      expect(now.outputs.spikes).toEqual(whole.outputs.spikes?.slice(t * n, (t + 1) * n));
      states = now.states as Record<string, Float32Array>;
    }
    expect(states).toEqual(whole.states);
  }
});

test("an output may lie over an input, and gradients over what they are made of", () => {
  const [T, n] = [5, 37];
  const setting = settingFor(delayed, T, 1, n);
  const want = fused(delayed, {
    ...setting,
    weights: { spikes: setting.weights.spikes as Float32Array },
    stateWeights: {},
  });
  const take = (values: Float32Array) => {
    const p = wasmHeap.allocate(4 * values.length);
    wasmHeap.view(p, values.length).set(values);
    return p;
  };
  const current = take(setting.inputs.current as Float32Array);
  const ds = take(setting.weights.spikes as Float32Array);
  const v = take(setting.states.v as Float32Array);
  const bits = take(new Float32Array(T * n));
  const program = new Program(delayed);
  const code = program.compile({ parameters: [false, false], outputs: ["spikes"] });
  const parameters = program.traced.derived.map((x) => take(setting.parameters[x.attr] as Float32Array));
  // u, the only saved array, overwrites the current; the state overwrites itself; and dI overwrites ds.
  expect([code.savedNumbers, code.reads]).toEqual([1, [false]]);
  const run = { T, rows: 1, n, inputs: [{ at: current, step: n }], parameters, from: [v], saved: [current] };
  runForward(code, { ...run, to: [v], outputs: { spikes: bits } });
  runBackward(code, {
    ...run,
    gradients: { spikes: { at: ds, step: n } },
    dInputs: [{ at: ds, step: n }],
    dLast: [0],
    dFirst: [0],
    dParameters: [0, 0],
  });
  expect(wasmHeap.view(ds, T * n)).toEqual(want.dInputs.current);
  expect(wasmHeap.view(v, n)).toEqual(want.states.v);
  for (const p of [current, ds, bits]) wasmHeap.release(p, 4 * T * n);
  wasmHeap.release(v, 4 * n);
  for (const p of parameters) wasmHeap.release(p, 4);
});

test("a gradient that is the same in all steps is read with a step of 0", () => {
  const [T, n] = [4, 21];
  const setting = settingFor(delayed, T, 1, n);
  const once = (setting.weights.spikes as Float32Array).slice(0, n);
  const repeated = Float32Array.from({ length: T * n }, (_, i) => once[i % n] as number);
  const many = fused(delayed, { ...setting, weights: { spikes: repeated } });
  const one = fused(delayed, { ...setting, weights: { spikes: once } });
  expect(one.dInputs).toEqual(many.dInputs);
});

test("the step on tensors is differentiable in float64, where the short exponential is exact", () => {
  const smooth = stepOf({
    name: "smooth",
    inputs: ["current"],
    states: ["v"],
    parameters: { beta: "scalar", gain: "column" },
    step({ current, v, beta, gain, where }) {
      const u = v.mul(beta.sigmoid()).add(current.mul(gain));
      return { u, v: where(u.gt(0.3), u.sub(u.sigmoid()), u.tanh()) };
    },
  });
  gradcheck(
    (current, beta, gain) =>
      Object.values(runOnTensors(smooth, { inputs: { current }, parameters: { beta, gain } } as Operands).outputs),
    [
      tensor([
        [0.5, 1, -1],
        [0.2, -0.7, 1.5],
        [1, 1, 1],
      ]),
      tensor(0.3),
      tensor([0.5, 1.5, -0.8]),
    ],
  );
  withReference(() => {
    const x = [0, -0.5, -3, -63.2, -100];
    const z = tensorLanguage.power(tensor(x) as unknown as Value) as unknown as Tensor;
    (z.toArray() as number[]).forEach((y, i) => expect(y / 2 ** (x[i] as number)).toBeCloseTo(1, 12));
  });
});
