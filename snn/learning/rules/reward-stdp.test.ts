/** RewardSTDP compared with loops in float64 and formulas, and rewards that are rejected. */
import { Conv1d, Linear, Plastic, plasticity, RewardSTDP, STDP, type Tensor, tensor, zeros } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bits, random } from "../../../test/support/tensors.ts";

type Options = NonNullable<ConstructorParameters<typeof RewardSTDP>[0]>;

const linear = (weight: readonly (readonly number[])[]): Linear => {
  const layer = new Linear((weight[0] as readonly number[]).length, weight.length, { bias: false });
  layer.weight.copyFrom(tensor(weight as number[][]));
  return layer;
};

const rows = (n: number, m: number, seed: number, low: number): number[][] =>
  random([n, m], seed, { low, high: 1 }).toArray() as number[][];

/** Spikes [T][N], each with this probability. */
const spikesOf = (seed: number, steps: number, n: number, p: number): number[][] =>
  rows(steps, n, seed, 0).map((row) => row.map((x) => (x < p ? 1 : 0)));

/** The loop of the equations: the weight after each step, and e of each synapse in float64. */
function loop(
  w: number[][],
  pre: readonly number[][],
  post: readonly number[][],
  rewards: readonly number[],
  given: {
    trace: boolean;
    average: boolean;
    dt: number;
    order: "before" | "after" | "preFirst" | "postFirst";
    rewardAfter: "events" | "nothing";
    plus: (w: number) => number;
    minus: (w: number) => number;
    tauE: number;
    bounds: readonly [number, number];
  },
): number[][][] {
  const { trace, average, dt, order, rewardAfter, plus, minus, tauE, bounds } = given;
  const [x, y] = [w[0]?.map(() => 0) as number[], w.map(() => 0)];
  const e = w.map((row) => row.map(() => 0));
  const decay = Math.exp(-dt / 20);
  return pre.map((before, t) => {
    const behind = post[t] as number[];
    const change = w.map((row) => row.map(() => 0));
    const reward = () =>
      e.forEach((row, j) =>
        row.forEach((value, i) => {
          (change[j] as number[])[i] = 0.5 * (rewards[t] as number) * value * (trace ? dt : 1);
        }),
      );
    if (rewardAfter === "nothing") reward();
    const [oldX, oldY] = [x.map((v) => v * decay), y.map((v) => v * decay)];
    const [newX, newY] = [oldX.map((v, i) => v + (before[i] as number)), oldY.map((v, j) => v + (behind[j] as number))];
    const seenX = order === "after" || order === "preFirst" ? newX : oldX;
    const seenY = order === "after" || order === "postFirst" ? newY : oldY;
    const share = trace && average ? 1 / tauE : 1;
    e.forEach((row, j) =>
      row.forEach((value, i) => {
        const v = (w[j] as number[])[i] as number;
        const kept = trace ? value * Math.exp(-dt / tauE) : 0;
        const down = before[i] ? 0.15 * minus(v) * (seenY[j] as number) : 0;
        const up = behind[j] ? 0.1 * plus(v) * (seenX[i] as number) : 0;
        row[i] = kept + share * (up - down);
      }),
    );
    x.splice(0, x.length, ...newX);
    y.splice(0, y.length, ...newY);
    if (rewardAfter === "events") reward();
    w.forEach((row, j) =>
      row.forEach((v, i) => {
        row[i] = Math.min(bounds[1], Math.max(bounds[0], v + ((change[j] as number[])[i] as number)));
      }),
    );
    return w.map((row) => [...row]);
  });
}

const DEPENDENCES = {
  additive: [() => 1, () => 1],
  multiplicative: [(w: number) => 1 - w, (w: number) => w + 1],
  power: [(w: number) => (1 - w) ** 2, (w: number) => Math.sqrt(w + 1)],
  weight: [(w: number) => w, (w: number) => w],
} as const;

describe.each(["trace", "step"] as const)("eligibility %s", (eligibility) => {
  const cases = (Object.keys(DEPENDENCES) as (keyof typeof DEPENDENCES)[]).flatMap((dependence) =>
    (["before", "after", "preFirst", "postFirst"] as const).map((order) => ({ dependence, order })),
  );
  test.each(cases)(
    "RewardSTDP: the weights of each step are those of a loop in float64, $dependence, $order",
    ({ dependence, order }) => {
      const [T, N, M] = [60, 5, 3];
      const [pre, post] = [spikesOf(7, T, N, 0.3), spikesOf(8, T, M, 0.3)];
      const [rewards] = rows(1, T, 9, -1) as [number[]];
      const w = rows(M, N, 10, -1);
      for (const [rewardAfter, average] of [
        ["events", false],
        ["nothing", eligibility === "trace"],
      ] as const) {
        const layer = linear(w);
        const rule = new RewardSTDP({
          ...{ eta: 0.5, dt: 0.5, order, rewardAfter, eligibility, dependence },
          ...(eligibility === "trace" ? { tauE: 30, average } : {}),
          ...(dependence === "power" ? { muPlus: 2, muMinus: 0.5 } : {}),
        } as Options);
        const plastic = new Plastic(layer, rule, { bounds: [-1, 1] });
        let state = plastic.initialState(1);
        const [plus, minus] = DEPENDENCES[dependence];
        const rounded = w.map((row) => row.map(Math.fround));
        const settings = { dt: 0.5, order, rewardAfter, average, plus, minus, tauE: 30, bounds: [-1, 1] as const };
        const expected = loop(rounded, pre, post, rewards, { trace: eligibility === "trace", ...settings });
        for (let t = 0; t < T; t++) {
          const reward = rewards[t] as number;
          state = plastic.step(tensor([pre[t] as number[]]), tensor([post[t] as number[]]), state, { reward });
          const off = layer.weight.sub(tensor(expected[t] as number[][])).abs();
          expect(Math.max(...off.toFloat32Array()), `step ${t}`).toBeLessThan(5e-6);
        }
        expect(layer.weight.toArray()).not.toEqual(tensor(w).toArray());
      }
    },
  );
});

test("RewardSTDP: a reward long after a pair changes the weight by what is left of the eligibility", () => {
  const layer = linear([[0.5]]);
  const plastic = new Plastic(layer, new RewardSTDP({ eta: 0.2 }));
  let state = plastic.initialState(1);
  const at = (times: readonly number[], t: number) => tensor([[times.includes(t) ? 1 : 0]]);
  for (let t = 0; t <= 510; t++) {
    state = plastic.step(at([0], t), at([10], t), state, t === 510 ? { reward: 3 } : {});
    if (t < 510) expect(layer.weight.item()).toBe(0.5);
  }
  const change = 0.2 * 3 * 0.1 * Math.exp(-10 / 20) * Math.exp(-500 / 1000);
  expect(layer.weight.item() - 0.5).toBeCloseTo(change, 6);
});

test("RewardSTDP: the spike behind first leaves a negative eligibility, and a negative reward turns both signs", () => {
  const weightAfter = (first: number, second: number, reward: number): number => {
    const layer = linear([[0.5]]);
    const plastic = new Plastic(layer, new RewardSTDP());
    plastic.events(
      [0, 10, 20],
      [{ pre: first ? [] : 0, post: first ? 0 : [] }, { pre: second ? [] : 0, post: second ? 0 : [] }, { reward }],
    );
    return layer.weight.item() - 0.5;
  };
  const [causal, other] = [weightAfter(0, 1, 1), weightAfter(1, 0, 1)];
  const left = Math.exp(-10 / 20) * Math.exp(-10 / 1000);
  expect(causal).toBeCloseTo(0.1 * left, 6);
  expect(other).toBeCloseTo(-0.15 * left, 6);
  expect(weightAfter(0, 1, -1)).toBeCloseTo(-causal, 7);
  expect(weightAfter(1, 0, -1)).toBeCloseTo(-other, 7);
});

test("RewardSTDP: without a reward no weight changes", () => {
  const layer = linear([
    [0.25, 0.5],
    [0.75, 0],
  ]);
  const before = bits(layer.weight);
  const plastic = new Plastic(layer, new RewardSTDP(), { bounds: [0, 1] });
  let state = plastic.initialState(1);
  for (let t = 0; t < 9; t++) state = plastic.step(tensor([[1, t % 2]]), tensor([[t % 3, 1]]), state);
  expect(bits(layer.weight)).toEqual(before);
  expect(Math.abs((state.synapses.e as Tensor).toFloat32Array()[0] as number)).toBeGreaterThan(0);
});

test("RewardSTDP: each sample of a batch has its eligibility and its reward; their changes add up", () => {
  const spikes = [
    [
      [1, 0],
      [0, 1],
    ],
    [
      [0, 1],
      [1, 1],
    ],
    [
      [1, 1],
      [0, 0],
    ],
  ] as const;
  const rewards = [
    [0, 0.5],
    [1, -1],
    [0.25, 2],
  ] as const;
  const run = (samples: readonly number[], reward: (t: number) => number | readonly number[]): Tensor => {
    const layer = linear([
      [0.5, 0.25],
      [0, 0.125],
    ]);
    const plastic = new Plastic(layer, new RewardSTDP());
    let state = plastic.initialState(samples.length);
    for (const [t, rows] of spikes.entries()) {
      const x = tensor(samples.map((b) => [...(rows[b] as readonly number[])]));
      const y = tensor(samples.map((b) => [...(rows[b] as readonly number[])].reverse()));
      state = plastic.step(x, y, state, { reward: reward(t) });
    }
    return layer.weight.sub(
      tensor([
        [0.5, 0.25],
        [0, 0.125],
      ]),
    );
  };
  const both = run([0, 1], (t) => rewards[t] as readonly number[]);
  const alone = [0, 1].map((b) => run([b], (t) => rewards[t]?.[b] as number));
  const sum = (alone[0] as Tensor).add(alone[1] as Tensor);
  expect(Math.max(...both.sub(sum).abs().toFloat32Array())).toBeLessThan(1e-6);
  expect(Math.max(...both.abs().toFloat32Array())).toBeGreaterThan(0.01);
});

test("RewardSTDP: a convolution whose window is the whole input learns as a linear layer", () => {
  const [pre, post] = [spikesOf(1, 30, 6, 0.4), spikesOf(2, 30, 2, 0.4)];
  const w = rows(2, 6, 3, 0);
  const dense = linear(w);
  const conv = new Conv1d(2, 2, 3, { bias: false });
  conv.weight.copyFrom(tensor(w).reshape([2, 2, 3]));
  const learning = (layer: Linear | Conv1d) => new Plastic(layer, new RewardSTDP({ tauE: 10 }), { bounds: [0, 1] });
  const [linearly, overWindows] = [learning(dense), learning(conv)];
  let [one, other] = [linearly.initialState(1), overWindows.initialState([1, 2, 3])];
  for (let t = 0; t < 30; t++) {
    const [x, y] = [tensor([pre[t] as number[]]), tensor([post[t] as number[]])];
    const reward = t % 4 === 3 ? { reward: t % 8 === 3 ? 1 : -0.5 } : {};
    one = linearly.step(x, y, one, reward);
    other = overWindows.step(x.reshape([1, 2, 3]), y.reshape([1, 2, 1]), other, reward);
  }
  expect(bits(conv.weight)).toEqual(bits(dense.weight));
  expect(bits(dense.weight)).not.toEqual(bits(tensor(w)));
});

describe("what is refused", () => {
  const layer = linear([
    [0.5, 0.25, 0.125],
    [0, 1, 0.75],
  ]);
  const plastic = new Plastic(layer, new RewardSTDP(), { bounds: [0, 1] });
  let state = plastic.initialState(2);
  const [x, y] = [
    tensor([
      [1, 0, 1],
      [0, 1, 1],
    ]),
    tensor([
      [1, 1],
      [0, 1],
    ]),
  ];
  state = plastic.step(x, y, state, { reward: [1, 0.5] });

  const all = () => [layer.weight, ...Object.values(state.traces), ...Object.values(state.synapses)].map(bits);

  test.each<[string, unknown, new (message: string) => Error, RegExp]>([
    [
      "one reward too few",
      [1],
      RangeError,
      /^RewardSTDP\.step: expected a reward, or 2 of them, one for each sample, got 1$/,
    ],
    ["one too many", tensor([1, 2, 3]), RangeError, /2 of them.*got 3$/],
    ["none", [], RangeError, /2 of them.*got 0$/],
    ["NaN", Number.NaN, RangeError, /^RewardSTDP\.step: expected reward finite, got NaN$|reward.*finite.*NaN/],
    ["NaN for a sample", [1, Number.NaN], RangeError, /reward\[1\].*finite.*NaN/],
    ["an infinite one", Float32Array.of(-Infinity, 1), RangeError, /reward\[0\].*finite.*-Infinity/],
    ["words", "two", TypeError, /^RewardSTDP\.step: expected reward as numbers.*two/],
    ["null", null, TypeError, /^RewardSTDP\.step: expected reward as numbers.*null/],
    ["words among numbers", [1, "2"], TypeError, /reward.*2/],
  ])("RewardSTDP: %s as a reward is an error with the value, and nothing is written", (_, reward, Kind, message) => {
    const [before, { time, scales }] = [all(), state];
    const scale = scales.e;
    const call = () => plastic.step(x, y, state, { reward: reward as number });
    expect(call).toThrow(Kind);
    expect(call).toThrow(message);
    expect(all()).toEqual(before);
    expect([state.time, state.scales.e]).toEqual([time, scale]);
  });

  test("RewardSTDP: shapes and spikes that are wrong are errors with a reward too, and nothing is written", () => {
    const before = all();
    for (const call of [
      () => plastic.step(x, zeros([2, 3]), state, { reward: 1 }),
      () => plastic.step(zeros([1, 3]), zeros([1, 2]), state, { reward: 1 }),
      () =>
        plastic.step(
          tensor([
            [1, Number.NaN, 0],
            [0, 0, 0],
          ]),
          y,
          state,
          { reward: 1 },
        ),
    ]) {
      expect(call).toThrow(RangeError);
      expect(all()).toEqual(before);
    }
  });

  test("RewardSTDP: a weight that has become NaN is an error that names its place, and nothing is written", () => {
    const mine = linear([[0.5, 0.25]]);
    const own = new Plastic(mine, new RewardSTDP());
    let now = own.initialState(1);
    now = own.step(tensor([[1, 0]]), tensor([[1]]), now, { reward: 1 });
    mine.weight.copyFrom([0.5, Number.NaN]);
    const before = Object.values(now.traces).map(bits);
    const call = () => own.step(tensor([[1, 1]]), tensor([[1]]), now, { reward: 1 });
    expect(call).toThrow(new RangeError("RewardSTDP.step: expected finite weights, got NaN at [0, 1]"));
    expect(Object.values(now.traces).map(bits)).toEqual(before);
    expect(mine.weight.toArray()).toEqual([[0.5, Number.NaN]]);
    expect(now.time).toBe(1);
  });

  test("RewardSTDP: a reward that makes a weight infinite is an error that names it", () => {
    const mine = linear([[3e38, 1]]);
    const own = new Plastic(mine, new RewardSTDP({ aPlus: 1e38, order: "after", eta: 1e38 }));
    const call = () => own.step(tensor([[1, 0]]), tensor([[1]]), own.initialState(1), { reward: 1 });
    expect(call).toThrow(/^RewardSTDP\.step.*expected finite weights, got (Infinity|NaN) at \[0, 0\]/);
  });

  test.each<[Options, new (message: string) => Error, RegExp]>([
    [{ tauE: -1 }, RangeError, /^RewardSTDP: tauE must be finite and > 0, got -1$/],
    [{ tauE: 0 }, RangeError, /^RewardSTDP: tauE must be finite and > 0, got 0$/],
    [{ tauPlus: -20 }, RangeError, /^RewardSTDP: tauPlus must be finite and > 0, got -20$/],
    [{ tauMinus: 0 }, RangeError, /^RewardSTDP: tauMinus must be finite and > 0, got 0$/],
    [{ tauE: Number.NaN }, RangeError, /tauE.* got NaN$/],
    [{ eta: Infinity }, RangeError, /eta.* got Infinity$/],
    [{ dt: 0 }, RangeError, /dt.* got 0$/],
    [{ eligibility: "step", tauE: 10 }, RangeError, /eligibility "trace" with tauE, got "step"/],
    [{ eligibility: "step", average: true }, RangeError, /eligibility "trace" with average, got "step"/],
    [{ muPlus: 2 }, RangeError, /dependence "power" with muPlus, got "additive"/],
    [{ eligibility: "none" as "step" }, RangeError, /eligibility.*none/],
    [{ numerics: "norse" as "bindsnet" }, RangeError, /numerics.*norse/],
    [{ decay: "euler", tauPlus: 0.5 }, RangeError, /dt ≤ the tau of x, 0\.5/],
    [{ tauE: tensor([1, 2]) }, RangeError, /tauE.*\[2\]/],
    [{ tau: 3 } as Options, TypeError, /tau/],
  ])("RewardSTDP: %j is refused", (options, Kind, message) => {
    const make = () => new RewardSTDP(options);
    expect(make).toThrow(Kind);
    expect(make).toThrow(message);
  });

  test("RewardSTDP: bounds are needed where the change depends on them", () => {
    const rule = () => new RewardSTDP({ dependence: "multiplicative" });
    expect(() => new Plastic(layer, rule())).toThrow(/bounds/);
    expect(() => new Plastic(layer, rule(), { bounds: [0, 1] })).not.toThrow();
  });

  test("plasticity: a reward that reads spikes or traces is refused for a convolution, which has these at each place", () => {
    const Reading = plasticity({
      name: "Reading",
      traces: { x: { of: "pre", tau: 20 } },
      parameters: {},
      onReward: ({ x, reward }) => x.mul(reward),
    });
    const conv = new Conv1d(1, 1, 2);
    expect(() => new Plastic(conv, new Reading())).toThrow(
      /^Reading: expected a Linear layer for onReward with spikes or traces.*got Conv1d$/,
    );
    expect(() => new Plastic(linear([[1]]), new Reading())).not.toThrow();
    expect(() => new Plastic(conv, new RewardSTDP())).not.toThrow();
    expect(() => new Plastic(conv, new STDP())).not.toThrow();
  });
});
