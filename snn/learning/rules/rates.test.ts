/** Hebbian, Oja and BCM: rules that use rates. */
import { BCM, Conv1d, Hebbian, Linear, Oja, Plastic, type Tensor, tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bits, random } from "../../../test/support/tensors.ts";

const linear = (weight: Tensor): Linear => {
  const [outputs, inputs] = weight.shape as [number, number];
  const layer = new Linear(inputs, outputs, { bias: false });
  layer.weight.copyFrom(weight);
  return layer;
};

const rowsOf = (t: Tensor): number[][] => t.toArray() as number[][];

/** The largest difference between the weight and these numbers. */
const off = (layer: Linear, wanted: readonly (readonly number[])[]): number =>
  Math.max(
    ...layer.weight
      .sub(tensor(wanted as number[][]))
      .abs()
      .toFloat32Array(),
  );

describe("Hebbian", () => {
  test("rates: each step adds η·post·pre, also for rates of 0 and below", () => {
    const [T, N, M] = [20, 5, 3];
    const layer = linear(random([M, N], 1));
    const plastic = new Plastic(layer, new Hebbian({ activity: "rates", eta: tensor([0.01, 0.02, 0.03]) }));
    let state = plastic.initialState(2);
    expect(state.traces).toEqual({});
    const w = rowsOf(layer.weight);
    for (let t = 0; t < T; t++) {
      const [x, y] = [random([2, N], 10 + t), random([2, M], 50 + t)].map((r, i) => (t % 4 === i ? r.relu() : r)) as [
        Tensor,
        Tensor,
      ];
      state = plastic.step(x, y, state);
      const [pre, post] = [rowsOf(x), rowsOf(y)];
      w.forEach((row, j) =>
        row.forEach((value, i) => {
          const product = pre.reduce((sum, sample, b) => sum + (sample[i] as number) * (post[b]?.[j] as number), 0);
          row[i] = value + 0.01 * (j + 1) * product;
        }),
      );
      expect(off(layer, w), `step ${t}`).toBeLessThan(3e-6);
    }
  });

  test("spikes: a pair strengthens whichever comes first, and one in the same step as its order says", () => {
    const change = (times: readonly [number, number], order: "before" | "after" | "preFirst" | "postFirst"): number => {
      const layer = linear(tensor([[0.5]]));
      const plastic = new Plastic(layer, new Hebbian({ etaPre: 0.1, etaPost: 0.2, tauPre: 10, tauPost: 5, order }));
      let state = plastic.initialState(1);
      for (let t = 0; t < 8; t++)
        state = plastic.step(tensor([[t === times[0] ? 1 : 0]]), tensor([[t === times[1] ? 1 : 0]]), state);
      return layer.weight.item() - 0.5;
    };
    expect(change([1, 4], "before")).toBeCloseTo(0.2 * Math.exp(-3 / 10), 6);
    expect(change([4, 1], "before")).toBeCloseTo(0.1 * Math.exp(-3 / 5), 6);
    expect(change([2, 2], "before")).toBe(0);
    expect(change([2, 2], "after")).toBeCloseTo(0.3, 6);
    expect(change([2, 2], "preFirst")).toBeCloseTo(0.2, 6);
    expect(change([2, 2], "postFirst")).toBeCloseTo(0.1, 6);
  });

  test("options of spikes are refused with rates, and the other way round", () => {
    expect(() => new Hebbian({ activity: "rates", etaPre: 1 })).toThrow(
      'expected activity "spikes" with etaPre, got "rates"',
    );
    expect(() => new Hebbian({ activity: "rates", interaction: "nearest" })).toThrow(/interaction/);
    expect(() => new Hebbian({ eta: 1 })).toThrow('expected activity "rates" with eta, got "spikes"');
    expect(() => new Hebbian({ tauPre: -1 })).toThrow("Hebbian: tauPre must be finite and > 0, got -1");
  });
});

describe("Oja", () => {
  test("a convolution learns as the sum over the places of its window", () => {
    const conv = new Conv1d(1, 2, 3, { bias: false });
    const dense = linear(conv.weight.reshape([2, 3]));
    const x = random([1, 1, 6], 4);
    const y = conv.forward(x);
    new Plastic(conv, new Oja()).step(x, y, new Plastic(conv, new Oja()).initialState([1, 1, 6]));
    const values = x.toFloat32Array();
    const windows = tensor([0, 1, 2, 3].map((i) => Array.from(values.subarray(i, i + 3))));
    const plastic = new Plastic(dense, new Oja());
    plastic.step(windows, y.reshape([2, 4]).transpose(0, 1).clone(), plastic.initialState(4));
    const difference = conv.weight.reshape([2, 3]).sub(dense.weight).abs().toFloat32Array();
    expect(Math.max(...difference)).toBeLessThan(1e-6);
  });

  test("the neurons of sanger become the principal components one by one", () => {
    // Inputs along three axes with variances of 4, 1 and 1/4, rotated by an orthogonal matrix.
    const axes = [
      [2, 2, 1],
      [-2, 1, 2],
      [1, -2, 2],
    ].map((row) => row.map((v) => v / 3));
    const parts = random([3000, 3], 11, { low: -Math.sqrt(3), high: Math.sqrt(3) }).mul(tensor([2, 1, 0.5]));
    const inputs = parts.matmul(tensor(axes));
    const layer = linear(random([3, 3], 12, { low: -0.3, high: 0.3 }));
    const plastic = new Plastic(layer, new Oja({ variant: "sanger", eta: 0.02 }), { reduction: "mean" });
    let state = plastic.initialState(10);
    for (let pass = 0; pass < 10; pass++) {
      for (const batch of inputs.reshape([300, 10, 3]).unbind(0))
        state = plastic.step(batch, layer.forward(batch), state);
    }
    rowsOf(layer.weight).forEach((row, j) => {
      const along = row.reduce((sum, w, i) => sum + w * (axes[j]?.[i] as number), 0);
      expect(Math.abs(along), `component ${j}`).toBeGreaterThan(0.98);
      expect(Math.hypot(...row)).toBeCloseTo(1, 1);
    });
  });

  test("alpha is refused with the other variants", () => {
    expect(() => new Oja({ variant: "sanger", alpha: 2 })).toThrow(RangeError);
    expect(() => new Oja({ variant: "pca" as "oja" })).toThrow(/variant.*pca/);
  });
});

/** Four patterns that overlap with their neighbours. */
const PATTERNS = [0, 1, 2, 3].map((k) =>
  Array.from({ length: 12 }, (_, i) => Math.exp(-((((i - 3 * k + 18) % 12) - 6) ** 2) / 4)),
);

describe("BCM", () => {
  test.each(["before", "after"] as const)(
    "the weights and thresholds of each step are those of a loop in float64, order %s",
    (order) => {
      const [T, B, N, M] = [200, 2, 5, 3];
      const layer = linear(random([M, N], 1, { low: 0, high: 0.5 }));
      const plastic = new Plastic(layer, new BCM({ eta: 0.02, tau: 15, dt: 0.5, order }), {
        reduction: "mean",
        bounds: [-2, 2],
      });
      let state = plastic.initialState(B);
      const [w, start] = [rowsOf(layer.weight), rowsOf(layer.weight)];
      const theta = Array.from({ length: B }, () => new Array<number>(M).fill(0));
      const share = 1 - Math.exp(-0.5 / 15);
      for (let t = 0; t < T; t++) {
        const x = random([B, N], 20 + t, { low: 0, high: 1 });
        const y = layer.forward(x);
        state = plastic.step(x, y, state);
        // Rates computed with the loop's own weights.
        const pre = rowsOf(x);
        const post = pre.map((sample) => w.map((row) => row.reduce((sum, v, i) => sum + v * (sample[i] as number), 0)));
        const change = w.map((row) => row.map(() => 0));
        post.forEach((rates, b) =>
          rates.forEach((rate, j) => {
            const [old, row] = [theta[b]?.[j] as number, change[j] as number[]];
            const next = old + share * (rate * rate - old);
            // Without the rate of the step, θ still decays.
            const at = order === "after" ? next : old * (1 - share);
            row.forEach((value, i) => {
              row[i] = value + (0.02 * (pre[b]?.[i] as number) * rate * (rate - at)) / B;
            });
            (theta[b] as number[])[j] = next;
          }),
        );
        w.forEach((row, j) =>
          row.forEach((v, i) => {
            row[i] = Math.min(2, Math.max(-2, v + (change[j]?.[i] as number)));
          }),
        );
        expect(off(layer, w), `w in step ${t}`).toBeLessThan(1e-5);
        const far = (state.traces.theta as Tensor).sub(tensor(theta)).abs().toFloat32Array();
        expect(Math.max(...far), `θ in step ${t}`).toBeLessThan(1e-5);
      }
      expect(off(layer, start)).toBeGreaterThan(0.02);
    },
  );

  test("a neuron becomes selective for one of four patterns, and its threshold for the mean square of its rate", () => {
    const layer = linear(random([3, 12], 5, { low: 0.1, high: 0.2 }));
    const plastic = new Plastic(layer, new BCM({ eta: 0.002, tau: 60 }), { bounds: [-10, 10] });
    const selectivity = (): number[] => {
      const rates = rowsOf(layer.forward(tensor(PATTERNS)).relu().transpose(0, 1).clone());
      return rates.map((row) => 1 - row.reduce((a, b) => a + b) / 4 / Math.max(...row));
    };
    const before = selectivity();
    let state = plastic.initialState(1);
    const inputs = PATTERNS.map((pattern) => tensor([pattern]));
    for (let t = 0; t < 10000; t++) {
      const x = inputs[t % 4] as Tensor;
      state = plastic.step(x, layer.forward(x).relu(), state);
    }
    for (const value of before) expect(value).toBeLessThan(0.3);
    // 3/4 is the maximum for four patterns: a rate at only one.
    for (const value of selectivity()) expect(value).toBeGreaterThan(0.72);
    const rates = rowsOf(layer.forward(tensor(PATTERNS)).relu());
    const meanSquares = [0, 1, 2].map((j) => rates.reduce((sum, row) => sum + (row[j] as number) ** 2, 0) / 4);
    const theta = (state.traces.theta as Tensor).toFloat32Array();
    for (const [j, mean] of meanSquares.entries()) {
      // At the fixed point the rate at the pattern is θ = E[y²], so 4 with four patterns.
      expect(Math.max(...rates.map((row) => row[j] as number))).toBeCloseTo(4, 0);
      expect(Math.abs((theta[j] as number) - mean)).toBeLessThan(0.25 * mean);
    }
  });

  test("a silent neuron keeps its weights", () => {
    const layer = linear(random([2, 4], 1));
    const before = bits(layer.weight);
    const plastic = new Plastic(layer, new BCM());
    plastic.step(tensor([[1, 2, 3, 4]]), tensor([[0, 0]]), plastic.initialState(1));
    expect(bits(layer.weight)).toEqual(before);
  });

  test("a time constant that is not positive is refused", () => {
    expect(() => new BCM({ tau: -100 })).toThrow("BCM: tau must be finite and > 0, got -100");
    expect(() => new BCM({ tau: 0 })).toThrow(RangeError);
  });
});
