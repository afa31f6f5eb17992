/** Readouts: [T, B, …] → [B, …]. */
import { expect, test } from "vitest";
import { bernoulli, crossEntropy, full, Generator, gradcheck, type Tensor, tape, tensor } from "../../engine/index.ts";
import { bytesKept, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import type { LengthsOptions, MaxMembraneOptions } from "../index.ts";
import {
  ceMaxMembraneLoss,
  filteredTrace,
  lastMembrane,
  maxMembrane,
  meanOverTime,
  spikeCount,
  spikeTimes,
} from "../index.ts";

const x = tensor([
  [0, 1, 3],
  [0, 1, -1],
  [1, 0, 2],
  [0, 1, -4],
]);

test("readout: rate, count, last and largest value of each neuron", () => {
  expect(values(meanOverTime(x))).toEqual([0.25, 0.75, 0]);
  expect(values(spikeCount(x))).toEqual([1, 3, 0]);
  expect(values(lastMembrane(x))).toEqual([0, 1, -4]);
  expect(values(maxMembrane(x))).toEqual([1, 1, 3]);
});

test("readout: a trace adds every spike and decays in between", () => {
  expect(values(filteredTrace(tensor([1, 0, 1, 0]), { beta: 0.5 }))).toEqual([1, 0.5, 1.25, 0.625]);
  expect(values(filteredTrace(tensor([1, 0])))).toEqual([1, Math.fround(0.95)]);
});

test("readout: only time goes, all other axes stay", () => {
  const long = random([4, 2, 3, 5], 1);
  for (const readout of [meanOverTime, spikeCount, lastMembrane, maxMembrane]) {
    expect(readout(long).shape).toEqual([2, 3, 5]);
  }
  expect(filteredTrace(long).shape).toEqual([4, 2, 3, 5]);
});

test("readout: gradients are the difference quotients", () => {
  const readouts: ((x: Tensor) => Tensor)[] = [
    meanOverTime,
    spikeCount,
    lastMembrane,
    maxMembrane,
    (x) => filteredTrace(x, { beta: 0.7 }),
  ];
  for (const readout of readouts) gradcheck(readout, [random([4, 2, 3], 2)]);
});

test("readout: of equal maxima the first step gets the gradient, or all steps share it", () => {
  const ties = [
    [0, 1, -1],
    [0, 3, 2],
    [0, 3, 2],
    [0, 0, 2],
  ];
  const gradientOf = (options?: MaxMembraneOptions) => {
    const v = tensor(ties, { shape: [4, 3, 1], requiresGrad: true });
    tape(() =>
      maxMembrane(v, options)
        .mul(tensor([1, 6, 12]).reshape([3, 1]))
        .sum()
        .backward(),
    );
    return gradient(v);
  };
  const first = [1, 0, 0, 0, 6, 12, 0, 0, 0, 0, 0, 0];
  expect(gradientOf()).toEqual(first);
  expect(gradientOf({ ties: "first" })).toEqual(first);
  expect(gradientOf({ ties: "share" })).toEqual([0.25, 0, 0, 0.25, 3, 4, 0.25, 3, 4, 0.25, 0, 4]);
  // Only the steps of each sample.
  expect(gradientOf({ ties: "share", lengths: [2, 4, 2] })).toEqual([0.5, 0, 0, 0.5, 3, 12, 0, 3, 0, 0, 0, 0]);
  expect(gradientOf({ lengths: [2, 1, 4] })).toEqual([1, 6, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0]);
  expect(() => gradientOf({ ties: "last" as never })).toThrow(
    new RangeError('maxMembrane: expected ties "first" or "share", got "last"'),
  );
});

test("readout: the loss of the largest membrane takes the same steps as the readout", () => {
  const silent = () => tensor(new Float32Array(24), { shape: [4, 2, 3], requiresGrad: true });
  const losses: ((v: Tensor) => Tensor)[] = [
    (v) => ceMaxMembraneLoss(v, [0, 2]),
    (v) => crossEntropy(maxMembrane(v), [0, 2]),
  ];
  const [ofLoss, ofReadout] = losses.map((loss) => {
    const v = silent();
    tape(() => loss(v).backward());
    return gradient(v);
  });
  expect(ofLoss?.slice(0, 6).every((d) => d !== 0)).toBe(true);
  expect(ofLoss).toEqual(ofReadout);
});

test("readout: what a sample gives does not depend on the batch that it is in, also for one output", () => {
  for (const T of [25, 300]) {
    const x = random([T, 3, 1], 8);
    for (const read of [meanOverTime, spikeCount]) {
      expect(values(read(x.slice(1, 1, 2)))).toEqual([values(read(x))[1]]);
    }
  }
});

test("readout: with lengths, each sample is read as if it were alone, whatever its padding holds", () => {
  const lengths = [4, 1, 3];
  const T = 5;
  const x = random([T, 3, 2], 4);
  const padded = x.toFloat32Array().map((value, i) => {
    return Math.floor(i / 6) < (lengths[Math.floor(i / 2) % 3] as number) ? value : Number.NaN;
  });
  const readouts: ((x: Tensor, options?: LengthsOptions) => Tensor)[] = [
    meanOverTime,
    spikeCount,
    lastMembrane,
    maxMembrane,
    (x, options) => spikeTimes(x, { count: 2, ...options }).sum({ axis: 0 }),
    (x, options) => filteredTrace(x, { beta: 0.5, ...options }).sum({ axis: 0 }),
  ];
  for (const read of readouts) {
    const batch = tensor(padded, { shape: [T, 3, 2], requiresGrad: true });
    const samples = lengths.map((n, b) =>
      x
        .slice(0, 0, n)
        .slice(1, b, b + 1)
        .clone(),
    );
    for (const sample of samples) sample.requiresGrad = true;
    const [together, alone] = tape(() => {
      const together = read(batch, { lengths });
      together.square().sum().backward();
      const each = samples.map((sample) => read(sample));
      for (const z of each) z.square().sum().backward();
      return [values(together), each.flatMap(values)];
    });
    expect(together).toEqual(alone);
    samples.forEach((sample, b) => {
      const mine = gradient(batch).filter((_, i) => Math.floor(i / 2) % 3 === b);
      const padding = new Array(mine.length - sample.size).fill(0);
      expectNear(mine, [...gradient(sample), ...padding], `the gradient of sample ${b}`);
    });
  }
});

test("readout: with lengths, gradients are the difference quotients", () => {
  const options = { lengths: [4, 1, 3] };
  const readouts: ((x: Tensor, options: LengthsOptions) => Tensor)[] = [
    meanOverTime,
    spikeCount,
    lastMembrane,
    maxMembrane,
    (x, { lengths }) => filteredTrace(x, { beta: 0.7, lengths }),
  ];
  for (const readout of readouts) gradcheck((x) => readout(x, options), [random([4, 3, 2], 2)]);
});

test("readout: a trace is 0 after the steps of its sample", () => {
  const x = tensor([
    [1, 1],
    [0, 1],
    [1, 0],
  ]);
  expect(filteredTrace(x, { beta: 0.5, lengths: Int32Array.of(3, 2) }).toArray()).toEqual([
    [1, 1],
    [0.5, 1.5],
    [1.25, 0],
  ]);
});

test("readout: spikes that were packed are masked, and stay packed for whoever else reads them", () => {
  const spikes = bernoulli(full([6, 2, 40], 0.5), { generator: new Generator(1) });
  const counts = spikeCount(spikes, { lengths: [6, 2] });
  const first = spikeCount(spikes.slice(0, 0, 2));
  expect(values(counts).slice(40)).toEqual(values(first).slice(40));
  expect(values(counts).slice(0, 40)).toEqual(values(spikeCount(spikes)).slice(0, 40));
});

test("readout: lengths that do not fit are errors, and nothing stays", () => {
  const x = random([4, 3, 2], 1);
  expect(() => meanOverTime(x, { lengths: [1, 2] })).toThrow(new RangeError("meanOverTime: expected 3 lengths, got 2"));
  expect(() => spikeCount(x, { lengths: [1, 2, 5] })).toThrow(
    new RangeError("spikeCount: expected lengths in [0, 4], got 5 at 2"),
  );
  expect(() => lastMembrane(x, { lengths: [1, 0, 4] })).toThrow(
    new RangeError("lastMembrane: expected lengths of at least one step, got 0 at 1"),
  );
  expect(() => maxMembrane(tensor([1, 2]), { lengths: [1] })).toThrow(
    new RangeError("maxMembrane: expected a membrane [T, B, …] beside lengths, got [2]"),
  );
  expect(() => meanOverTime(x, [1, 2, 3] as never)).toThrow(TypeError);
  for (const readout of [meanOverTime, spikeCount, lastMembrane, maxMembrane, spikeTimes, filteredTrace]) {
    expect(bytesKept(() => readout(x, { lengths: [1, 2, 3] }).dispose())).toBe(0);
  }
});
