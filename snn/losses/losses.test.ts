/** Losses over sequences: compared with other ops, gradients, lengths, memory, and errors. */
import { describe, expect, test } from "vitest";
import type { Reduction, Targets, Tensor } from "../../engine/index.ts";
import { Conv1d, Conv2d, crossEntropy, gradcheck, Linear, mseLoss, noGrad, tape, tensor } from "../../engine/index.ts";
import { bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  accuracyRate,
  accuracyTemporal,
  ceCountLoss,
  ceMaxMembraneLoss,
  ceRateLoss,
  ceTemporalLoss,
  confusionMatrix,
  l1RateSparsity,
  maximumRate,
  mseCountLoss,
  mseMembraneLoss,
  mseTemporalLoss,
  silence,
  spikeCount,
  spikeTimes,
  synapticOperations,
  tetLoss,
  vanRossumLoss,
} from "../index.ts";

/** Spikes of 0 and 1. */
const spikesOf = (shape: readonly number[], seed: number, requiresGrad = false): Tensor => {
  const drawn = random(shape, seed);
  return tensor(
    values(drawn).map((x) => (x > 0.8 ? 1 : 0)),
    { shape, requiresGrad },
  );
};

interface Common {
  weight?: Tensor | null;
  reduction?: Reduction;
  lengths?: ArrayLike<number> | undefined;
}
type Loss = (x: Tensor, y: Targets, options: Common) => Tensor;

const LOSSES: Readonly<Record<string, Loss>> = {
  ceRateLoss: (x, y, options) => ceRateLoss(x, y, { ...options, labelSmoothing: 0.1 }),
  ceCountLoss,
  "ceCountLoss of populations": (x, y, options) => ceCountLoss(x, y, { ...options, numClasses: 3 }),
  ceMaxMembraneLoss,
  tetLoss: (x, y, options) => tetLoss(x, y, { ...options, lambda: 0.3, target: 0.7 }),
  mseCountLoss: (x, y, options) => mseCountLoss(x, y, { ...options, correctRate: 0.7, incorrectRate: 0.3 }),
  "mseCountLoss of populations": (x, y, options) =>
    mseCountLoss(x, y, { ...options, correctRate: 0.7, incorrectRate: 0.3, numClasses: 3 }),
  mseMembraneLoss: (x, y, options) => mseMembraneLoss(x, y, { ...options, onTarget: 1.2, offTarget: -0.3 }),
  ceTemporalLoss,
  "ceTemporalLoss of reciprocals": (x, y, options) => ceTemporalLoss(x, y, { ...options, inverse: "reciprocal" }),
  mseTemporalLoss: (x, y, options) => mseTemporalLoss(x, y, { ...options, onTarget: 1, offTarget: -2 }),
  "mseTemporalLoss of two spikes": (x, y, options) =>
    mseTemporalLoss(x, y, { ...options, onTarget: [0, 2], offTarget: [3, -1], tolerance: 1 }),
};
const names = Object.keys(LOSSES);
const lossOf = (name: string): Loss => LOSSES[name] as Loss;
const isPopulation = (name: string): boolean => name.includes("populations");
/** Losses whose gradient is not the derivative of the function. */
const isTemporal = (name: string): boolean => name.includes("Temporal");

const [T, B, K] = [7, 4, 6];
const LENGTHS = [7, 1, 4, 6];
const Y = Int32Array.of(2, 0, 1, 2);

/** Binary or analogue, as the loss requires; padding is NaN, which must not be read. */
function inputOf(name: string, requiresGrad = false): Tensor {
  return isTemporal(name) ? spikesOf([T, B, K], 3, requiresGrad) : random([T, B, K], 3, { requiresGrad });
}

function withPadding(x: Tensor, value: number): Tensor {
  const data = x.toFloat32Array();
  data.forEach((_, i) => {
    const b = Math.floor(i / K) % B;
    if (Math.floor(i / (B * K)) >= (LENGTHS[b] as number)) data[i] = value;
  });
  return tensor(data, { shape: x.shape, requiresGrad: true });
}

describe.each(names.filter((name) => name !== "ceTemporalLoss of reciprocals"))("%s", (name) => {
  const loss = lossOf(name);

  test.each(["mean", "sum", "none"] as const)("a padded batch is the %s of its samples alone", (reduction) => {
    const x = withPadding(inputOf(name), isTemporal(name) ? 1 : Number.NaN);
    const weight = isPopulation(name) ? random([3], 5, { low: 0.5, high: 2 }) : random([K], 5, { low: 0.5, high: 2 });
    // ceTemporalLoss divides by the weights, as in snnTorch, so a batch is not a mean of its samples.
    for (const w of name === "ceTemporalLoss" ? [null] : [null, weight]) {
      const [together, own] = tape(() => {
        const together = loss(x, Y, { lengths: LENGTHS, reduction, weight: w });
        together.sum().backward();
        const alone = LENGTHS.map((n, b) =>
          loss(x.slice(0, 0, n).slice(1, b, b + 1), Y.subarray(b, b + 1), { reduction, weight: w }),
        );
        const { length } = alone;
        const all = alone.flatMap(values);
        if (reduction === "none") return [values(together).sort(), all.sort()];
        const total = all.reduce((sum, value) => sum + value);
        return [values(together), [reduction === "mean" ? total / length : total]];
      });
      expectNear(together, own, `${name}, ${reduction}`, { absolute: 1e-5, relative: 1e-5 });
    }
  });

  test("the gradient of padding is 0, and that of the rest the gradient of the sample alone", () => {
    const x = withPadding(inputOf(name), isTemporal(name) ? 1 : Number.NaN);
    const together = tape(() => {
      loss(x, Y, { lengths: LENGTHS }).backward();
      return gradient(x);
    });
    LENGTHS.forEach((n, b) => {
      const alone = noGrad(() =>
        x
          .slice(0, 0, n)
          .slice(1, b, b + 1)
          .clone(),
      );
      alone.requiresGrad = true;
      tape(() => loss(alone, Y.subarray(b, b + 1), {}).backward());
      const own = gradient(alone).map((g) => g / B);
      const mine = together.filter((_, i) => Math.floor(i / K) % B === b);
      expectNear(mine.slice(0, n * K), own, `${name}, sample ${b}`, { absolute: 1e-6, relative: 1e-5 });
      expect(mine.slice(n * K).every((g) => g === 0)).toBe(true);
    });
  });

  test("lengths of all steps change nothing, and neither does the kind of the array of class indices", () => {
    const x = inputOf(name);
    const plain = values(loss(x, Y, {}));
    expect(values(loss(x, Y, { lengths: new Array(B).fill(T) }))).toEqual(plain);
    for (const y of [[...Y], Uint8Array.from(Y), tensor([...Y])]) expect(values(loss(x, y, {}))).toEqual(plain);
  });

  test.runIf(!isTemporal(name))("gradients are the difference quotients", () => {
    const weight = isPopulation(name) ? tensor([1, 2, 0.5]) : tensor([1, 2, 0.5, 1, 1.5, 0.7]);
    for (const options of [{}, { weight }, { lengths: LENGTHS }, { lengths: LENGTHS, weight, reduction: "sum" }]) {
      gradcheck((x) => loss(x, Y, options as Common), [inputOf(name)]);
    }
  });

  test("outside of tapes only the result stays", () => {
    const x = inputOf(name);
    const kept = bytesKept(() => loss(x, Y, { lengths: LENGTHS }).dispose());
    expect(kept).toBe(0);
  });

  test("wrong class indices, weights and lengths are errors with the values", () => {
    const x = inputOf(name);
    const where = name.split(" ")[0] as string;
    const classes = isPopulation(name) ? 3 : K;
    expect(() => loss(x, [0, 1], {})).toThrow(new RangeError(`${where}: expected 4 class indices, got 2`));
    expect(() => loss(x, [0, 1, classes, 0], {})).toThrow(
      new RangeError(`${where}: expected class indices in [0, ${classes - 1}], got ${classes} at 2`),
    );
    expect(() => loss(x, Y, { lengths: [7, 7] })).toThrow(new RangeError(`${where}: expected 4 lengths, got 2`));
    expect(() => loss(x, Y, { lengths: [7, 8, 1, 1] })).toThrow(
      new RangeError(`${where}: expected lengths in [0, 7], got 8 at 1`),
    );
    expect(() => loss(x, Y, { lengths: [7, 0, 1, 1] })).toThrow(
      new RangeError(`${where}: expected lengths of at least one step, got 0 at 1`),
    );
    expect(() => loss(x, Y, { weight: tensor([1]) })).toThrow(/weight \[\d\], got \[1\]$/);
    expect(() => loss(x, Y, { reduction: "max" as never })).toThrow(`${where}: expected the reduction`);
    expect(() => loss(tensor([1, 2]), Y, {})).toThrow(/\[T, B, …, K\], got \[2\]$/);
  });
});

describe("rates and counts", () => {
  const x = random([5, 3, 4], 1);
  const y = [3, 0, 1];

  test("ceRateLoss: labels that are repeated by hand give the same", () => {
    const repeated = Array.from({ length: 5 }, () => y).flat();
    expectNear(values(ceRateLoss(x, y)), values(crossEntropy(x, repeated)), "mean");
  });

  test("losses: the mean with weights is over the samples, not over the weights", () => {
    const weight = tensor([1, 2, 3, 4]);
    const losses = values(crossEntropy(spikeCount(x), y, { reduction: "none" }));
    const mean = y.reduce((sum, label, b) => sum + (label + 1) * (losses[b] as number), 0) / 3;
    expectNear(values(ceCountLoss(x, y, { weight })), [mean], "ceCountLoss");
    expect(Math.abs(crossEntropy(spikeCount(x), y, { weight }).item() - mean)).toBeGreaterThan(0.1);
  });

  test("losses: any axes between batch and classes are rows of their own", () => {
    const wide = random([5, 3, 2, 4], 2);
    const labels = [0, 1, 2, 3, 0, 1];
    const flat = wide.reshape([5, 6, 4]);
    for (const loss of [ceRateLoss, ceCountLoss, ceMaxMembraneLoss, mseCountLoss, mseMembraneLoss, tetLoss]) {
      expectNear(values(loss(wide, labels)), values(loss(flat, labels)), loss.name);
      const lengths = [2, 5, 3];
      const each = [2, 2, 5, 5, 3, 3];
      expectNear(values(loss(wide, labels, { lengths })), values(loss(flat, labels, { lengths: each })), loss.name);
    }
  });

  test("populations: neurons of a class stand beside each other, and their counts add up", () => {
    const spikes = spikesOf([6, 3, 8], 4);
    const counts = tensor(values(spikeCount(spikes)), { shape: [3, 4, 2] }).sum({ axis: -1 });
    expectNear(values(ceCountLoss(spikes, y, { numClasses: 4 })), values(crossEntropy(counts, y)), "ceCountLoss");
    expect(() => ceCountLoss(spikes, y, { numClasses: 3 })).toThrow(
      new RangeError("ceCountLoss: expected numClasses to divide 8 neurons, got 3"),
    );
    expect(accuracyRate(spikes, values(counts.argmax({ axis: -1 })), { numClasses: 4 })).toBe(1);
  });

  test("tetLoss: λ mixes the cross-entropy of all steps and the distance from φ", () => {
    const options = { lambda: 0.25, target: 0.5 };
    const distance = mseLoss(x, tensor(0.5)).item();
    expectNear(values(tetLoss(x, y, options)), [0.75 * ceRateLoss(x, y).item() + 0.25 * distance], "tetLoss");
    expect(values(tetLoss(x, y))).toEqual(values(ceRateLoss(x, y)));
    expect(() => tetLoss(x, y, { lambda: 2 })).toThrow(new RangeError("tetLoss: lambda must be in [0, 1], got 2"));
    const unused = new RangeError("tetLoss: expected lambda above 0 beside target, got 0");
    expect(() => tetLoss(x, y, { target: 0.5 })).toThrow(unused);
  });

  test("mseMembraneLoss: values as targets, of all steps or of each; class indices of each step", () => {
    const target = random([3, 4], 6);
    const each = random([5, 3, 4], 7);
    expectNear(values(mseMembraneLoss(x, target)), values(mseLoss(x, target)), "values");
    expectNear(values(mseMembraneLoss(x, each, { timeVarTargets: true })), values(mseLoss(x, each)), "in time");
    const labels = Array.from({ length: 5 }, () => y).flat();
    expectNear(
      values(mseMembraneLoss(x, labels, { timeVarTargets: true, weight: tensor([1, 2, 3, 4]) })),
      values(mseMembraneLoss(x, y, { weight: tensor([1, 2, 3, 4]) })),
      "class indices in time",
    );
    expect(() => mseMembraneLoss(x, target, { weight: tensor([1, 2, 3, 4]) })).toThrow(
      new RangeError("mseMembraneLoss: expected class indices beside a weight, got values"),
    );
  });
});

describe("times", () => {
  /** Neuron 0 fires at 1 and 3, neuron 1 at 0, neuron 2 never. */
  const raster = (requiresGrad = false) =>
    tensor([[[0, 1, 0]], [[1, 0, 0]], [[0, 0, 0]], [[1, 0, 0]], [[0, 0, 0]]], { requiresGrad });

  test("spikeTimes: the first spikes of each neuron, and T − 1 where there are fewer", () => {
    expect(spikeTimes(raster()).toArray()).toEqual([[[1, 0, 4]]]);
    expect(spikeTimes(raster(), { count: 3 }).toArray()).toEqual([[[1, 0, 4]], [[3, 4, 4]], [[4, 4, 4]]]);
    expect(spikeTimes(raster(), { count: 2, lengths: [3] }).toArray()).toEqual([[[1, 0, 2]], [[2, 2, 2]]]);
  });

  test("spikeTimes: the gradient is −1 at the time itself, added up where times are equal", () => {
    const spikes = raster(true);
    tape(() =>
      spikeTimes(spikes, { count: 3 })
        .mul(tensor([[[1]], [[10]], [[100]]]))
        .sum()
        .backward(),
    );
    expect(spikes.grad?.toArray()).toEqual([
      [[0, -1, 0]],
      [[-1, 0, 0]],
      [[0, 0, 0]],
      [[-10, 0, 0]],
      [[-100, -110, -111]],
    ]);
  });

  test("ceTemporalLoss: the cross-entropy of early spikes, whose weights divide as in crossEntropy", () => {
    const spikes = raster();
    const times = tensor([[1, 0, 4]]);
    expectNear(values(ceTemporalLoss(spikes, [1])), values(crossEntropy(times.neg(), [1])), "negate");
    const inverse = "reciprocal" as const;
    const expected = values(crossEntropy(times.add(1).reciprocal(), [1], { weight: tensor([1, 2, 3]) }));
    expectNear(values(ceTemporalLoss(spikes, [1], { inverse, weight: tensor([1, 2, 3]) })), expected, inverse);
  });

  test("mseTemporalLoss: distances in units of T; negative times count from its end", () => {
    const square = (t: number) => (t / 5) ** 2;
    const spikes = raster();
    const of = (options: object, y: Targets = [1]) =>
      values(mseTemporalLoss(spikes, y, { reduction: "none", ...options }));
    expectNear(of({}), [square(3), 0, 0], "by default 0 and the last step");
    expectNear(of({ onTarget: 1, offTarget: 3 }), [square(2), square(1), square(1)], "steps");
    expectNear(of({ onTarget: 1, offTarget: 3, tolerance: 2 }), [square(2), 0, 0], "a tolerance");
    expectNear(of({ targetIsTime: true }, tensor([[0, 2, -2]])), [square(1), square(2), square(1)], "times");
    expectNear(of({ weight: tensor([0, 3, 0]) }), [3 * square(3), 0, 0], "a weight");
    const two = of({ onTarget: [0, 2], offTarget: [1, 3] });
    expectNear(two, [0, 0, square(3), 0, square(2), square(1)], "two spikes");
    const given = of({ targetIsTime: true }, tensor([[[1, 0, 1]], [[3, 2, 3]]]));
    expectNear(given, two, "two times");
    expect(of({ targetIsTime: true }, [1, 0, 1, 3, 2, 3])).toEqual(given);
  });

  test("mseTemporalLoss: lists of two lengths, and times that do not fit, are errors", () => {
    const of =
      (options: object, y: Targets = [1]) =>
      () =>
        mseTemporalLoss(raster(), y, options);
    expect(of({ onTarget: [0, 1], offTarget: [2] })).toThrow(
      new RangeError("mseTemporalLoss: expected onTarget and offTarget of one length, got 2 and 1"),
    );
    expect(of({ onTarget: [] })).toThrow("mseTemporalLoss: expected at least one time as onTarget, got none");
    expect(of({ targetIsTime: true }, [1, 2])).toThrow(
      "mseTemporalLoss: expected times [1, 3], or more of them, got 2",
    );
    expect(of({ targetIsTime: true, weight: tensor([1, 1, 1]) }, [1, 2, 3])).toThrow(
      "mseTemporalLoss: expected class indices beside a weight, got times",
    );
  });

  test("accuracyTemporal: the class that fires first, with a neuron without spikes at the end", () => {
    const spikes = raster();
    expect([0, 1, 2].map((label) => accuracyTemporal(spikes, [label]))).toEqual([0, 1, 0]);
    expect(accuracyTemporal(spikes.slice(2, 0, 1).mul(0), [0])).toBe(1);
  });
});

describe("vanRossumLoss", () => {
  const train = (T: number, ...times: number[]) =>
    tensor(
      Array.from({ length: T }, (_, t) => [times.includes(t) ? 1 : 0]),
      { shape: [T, 1] },
    );

  test("vanRossumLoss: a missing spike costs 1/2, two far from each other cost 1, as in the paper", () => {
    const options = { tau: 50, dt: 0.5 };
    const none = train(4000);
    // Δt/τ·Σ e^(−2tΔt/τ) is 1/2 up to a factor of 1 + Δt/τ.
    expect(vanRossumLoss(train(4000, 5), none, options).item()).toBeCloseTo(0.505, 3);
    expect(vanRossumLoss(train(4000, 5), train(4000, 2000), options).item()).toBeCloseTo(1.01, 3);
    expect(vanRossumLoss(train(4000, 5), train(4000, 5), options).item()).toBe(0);
  });

  test("vanRossumLoss: the distance of two spikes grows with their distance as 1 − e^(−|δ|/τ)", () => {
    const distances = [1, 4, 20].map((gap) => vanRossumLoss(train(3000, 5), train(3000, 5 + gap), { tau: 40 }).item());
    [1, 4, 20].forEach((gap, i) => {
      // Within the factor of the discrete sum, Δt/τ / (1 − e^(−2Δt/τ))·2.
      const factor = 0.025 / ((1 - Math.exp(-0.05)) / 2);
      expect(distances[i]).toBeCloseTo(factor * (1 - Math.exp(-gap / 40)), 4);
    });
  });

  test("vanRossumLoss: gradients, reductions and lengths", () => {
    const target = spikesOf([6, 3, 2], 5);
    for (const options of [{}, { tau: 2, reduction: "sum" as const }, { lengths: [6, 2, 4], tau: 3 }]) {
      gradcheck((x, y) => vanRossumLoss(x, y, options), [random([6, 3, 2], 4), target]);
    }
    const x = leaf([6, 3, 2], 4);
    const each = values(vanRossumLoss(x, target, { reduction: "none" }));
    expect(each.length).toBe(6);
    expectNear(values(vanRossumLoss(x, target)), [each.reduce((sum, d) => sum + d) / 6], "mean");
    const lengths = [6, 2, 4];
    const alone = lengths.flatMap((n, b) =>
      values(
        vanRossumLoss(x.slice(0, 0, n).slice(1, b, b + 1), target.slice(0, 0, n).slice(1, b, b + 1), {
          reduction: "none",
        }),
      ),
    );
    expectNear(values(vanRossumLoss(x, target, { lengths, reduction: "none" })), alone, "lengths");
    const padded = tensor(
      values(x).map((value, i) =>
        Math.floor(i / 6) < (lengths[Math.floor(i / 2) % 3] as number) ? value : Number.NaN,
      ),
      { shape: x.shape, requiresGrad: true },
    );
    const gradients = [x, padded].map((spikes) => {
      tape(() => vanRossumLoss(spikes, target, { lengths }).backward());
      return gradient(spikes);
    });
    expect(gradients[1]).toEqual(gradients[0]);
    expect(() => vanRossumLoss(x, target.slice(0, 0, 5))).toThrow(
      new RangeError("vanRossumLoss: expected a target [6, 3, 2], got [5, 3, 2]"),
    );
  });
});

describe("activity", () => {
  const spikes = tensor(
    [
      [
        [1, 0, 0],
        [1, 0, 1],
      ],
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
    ],
    {},
  );

  test("l1RateSparsity: every spike costs λ", () => {
    expectNear(values(l1RateSparsity(spikes)), [5e-5], "λ = 1e-5");
    expectNear(values(l1RateSparsity(spikes, { lambda: 0.1, lengths: [1, 2] })), [0.4], "lengths");
  });

  test("maximumRate and silence: squares beyond a rate, which is the mean over steps and samples", () => {
    // Rates: 3/4, 0, 1/2.
    expectNear(values(maximumRate(spikes, { maximum: 0.6 })), [0.15 ** 2], "maximumRate");
    expectNear(values(silence(spikes, { minimum: 0.6, lambda: 2 })), [2 * (0.6 ** 2 + 0.1 ** 2)], "silence");
    expectNear(values(silence(spikes, { minimum: 0.6, lengths: [1, 2] })), [0.6 ** 2 + 0.1 ** 2], "lengths");
    expect(() => maximumRate(spikes, {} as never)).toThrow(
      new RangeError("maximumRate: maximum must be in [0, 1], got NaN"),
    );
    gradcheck((x) => maximumRate(x, { maximum: 0.1 }), [random([4, 3, 2], 1)]);
    gradcheck((x) => silence(x, { minimum: 0.4, lengths: [4, 2, 1] }), [random([4, 3, 2], 1)]);
  });

  test("synapticOperations: spikes times fan-out, of a sample on average", () => {
    expect(synapticOperations(spikes, 7).item()).toBe((5 * 7) / 2);
    expect(synapticOperations(spikes, tensor([1, 10, 100])).item()).toBe((3 * 1 + 2 * 100) / 2);
    expect(synapticOperations(spikes, new Linear(3, 5), { lengths: [1, 2] }).item()).toBe((4 * 5) / 2);
    expect(() => synapticOperations(spikes, new Linear(4, 5))).toThrow(
      new RangeError("synapticOperations: expected spikes [T, B, …, 4], got [T, 2, 3]"),
    );
    expect(() => synapticOperations(spikes, "3" as never)).toThrow(TypeError);
    gradcheck((x) => synapticOperations(x, tensor([1, 2])), [random([4, 3, 2], 1)]);
  });

  test("synapticOperations: the fan-out of a convolution is what its outputs read of each place", () => {
    const layers = [
      new Conv2d(2, 6, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 }),
      new Conv2d(2, 4, 3),
      new Conv1d(2, 3, 3, { stride: 2, padding: 2 }),
    ];
    for (const layer of layers) {
      const map = layer instanceof Conv1d ? [9] : [6, 7];
      const x = spikesOf([3, 2, 2, ...map], 6, true);
      // The gradient of the sum of all outputs with all weights 1 is the number of outputs that read a place.
      layer.weight.copyFrom(new Float32Array(layer.weight.size).fill(1));
      const fanOut = tape(() => {
        layer.forward(x).sum().backward();
        return gradient(x);
      });
      const expected = values(x).reduce((sum, s, i) => sum + s * (fanOut[i] as number), 0) / 2;
      expect(synapticOperations(x, layer).item()).toBeCloseTo(expected, 3);
    }
    expect(() => synapticOperations(spikesOf([3, 2, 3, 6, 7], 1), layers[1] as Conv2d)).toThrow(
      new RangeError("synapticOperations: expected spikes of 2 channels before 2 axes, got [T, 2, 3, 6, 7]"),
    );
  });
});

describe("metrics", () => {
  test("accuracyRate: the class with most spikes among the steps of its sample", () => {
    const spikes = tensor([
      [
        [0, 1],
        [1, 0],
      ],
      [
        [0, 0],
        [0, 1],
      ],
      [
        [0, 0],
        [0, 1],
      ],
    ]);
    expect(accuracyRate(spikes, [1, 1])).toBe(1);
    expect(accuracyRate(spikes, [1, 1], { lengths: [3, 1] })).toBe(0.5);
    expect(bytesKept(() => accuracyRate(spikes, [1, 1]))).toBe(0);
  });

  test("confusionMatrix: rows are classes, columns predictions, and batches add up", () => {
    const output = tensor([
      [3, 1, 2],
      [0, 5, 1],
      [0, 0, 4],
      [9, 0, 0],
    ]);
    const matrix = confusionMatrix(output, [0, 1, 1, 2]);
    expect(matrix).toEqual([
      [1, 0, 0],
      [0, 1, 1],
      [1, 0, 0],
    ]);
    expect(confusionMatrix(output, Int32Array.of(0, 1, 2, 0), { into: matrix })).toBe(matrix);
    expect(matrix).toEqual([
      [3, 0, 0],
      [0, 2, 1],
      [1, 0, 1],
    ]);
    const wrong = [[0, 0, 0], [0, 0, 0], [0]];
    expect(() => confusionMatrix(output, [0, 1, 1, 2], { into: wrong })).toThrow(
      "confusionMatrix: into must have 3 lists of 3 counts",
    );
    expect(() => confusionMatrix(output, [0, 1, 1, 2], { into: new Array(3) })).toThrow(
      "confusionMatrix: expected into as lists of counts",
    );
    expect(() => confusionMatrix(output, [0, 1, 3, 2])).toThrow(
      "confusionMatrix: expected class indices in [0, 2], got 3 at 2",
    );
  });
});
