/** Sequences of different lengths from a user's dataset, through fit and evaluate, to a spiking network that learns. */
import { expect, test } from "vitest";
import type { Batch, Dataset, Tensor } from "../../engine/index.ts";
import {
  Adam,
  bernoulli,
  DataLoader,
  evaluate,
  fit,
  full,
  Generator,
  Linear,
  padSequences,
  Sequential,
  TensorDataset,
  tensor,
} from "../../engine/index.ts";
import {
  accuracyRate,
  ceCountLoss,
  ceRateLoss,
  LIF,
  l1RateSparsity,
  lastMembrane,
  mseTemporalLoss,
  spikeCount,
  surrogate,
} from "../index.ts";

/**
 * Spike trains of 2 channels over 6 to 29 steps. The class is the channel that fires more. The padding after the end of a sequence is full of
 * spikes of the other channel, which would mislead a network that reads it.
 */
class Trains implements Dataset<Int32Array> {
  readonly sequences: { values: Float32Array; label: number }[];
  private readonly padding: number;

  constructor(count: number, seed: number, padding: number) {
    const draws = new Generator(seed);
    const random = (n: number) =>
      Array.from(draws.permutation(997))
        .slice(0, n)
        .map((i) => i / 997);
    this.padding = padding;
    this.sequences = Array.from({ length: count }, (_, i) => {
      const label = i % 2;
      const [length = 0, ...uniform] = random(61);
      const T = 6 + Math.floor(24 * length);
      const values = Float32Array.from({ length: 2 * T }, (_, j) =>
        (uniform[j] as number) < (j % 2 === label ? 0.7 : 0.25) ? 1 : 0,
      );
      return { values, label };
    });
  }

  get length(): number {
    return this.sequences.length;
  }

  batch(indices: readonly number[]) {
    const chosen = indices.map((i) => this.sequences[i] as (typeof this.sequences)[number]);
    const { x, lengths } = padSequences(
      chosen.map(({ values }) => values),
      { shape: [2], value: this.padding },
    );
    return { x, lengths, y: Int32Array.from(chosen, ({ label }) => label) };
  }
}

function network() {
  const generator = new Generator(1);
  return new Sequential(
    new Linear(2, 16, { generator }),
    new LIF({ beta: 0.9, surrogate: surrogate.fastSigmoid({ slope: 5 }) }),
    new Linear(16, 2, { generator }),
    new LIF({ beta: 0.9, surrogate: surrogate.fastSigmoid({ slope: 5 }) }),
  );
}

test("sequences of different length: fit learns from them, and padding plays no part", async () => {
  const weights: number[][] = [];
  for (const padding of [0, 50]) {
    const model = network();
    const data = new Trains(160, 1, padding);
    const loader = new DataLoader(data, { batchSize: 16, shuffle: true, generator: new Generator(2) });
    const history = await fit(model, loader, {
      epochs: 6,
      optimizer: new Adam(model.parameters(), { lr: 0.01 }),
      loss: (spikes, y, lengths) => ceCountLoss(spikes, y, { lengths }),
    });
    expect(history.at(-1)?.loss).toBeLessThan(0.7 * (history[0]?.loss as number));
    const right = evaluate(model, new Trains(200, 3, padding), (spikes, y, lengths) =>
      accuracyRate(spikes, y, { lengths }),
    );
    expect(right).toBeGreaterThan(0.9);
    weights.push(model.parameters().flatMap((p) => [...p.toFloat32Array()]));
  }
  expect(weights[1]).toEqual(weights[0]);
});

test("sequences of different length: a batch costs what its samples cost alone", async () => {
  const model = network();
  const data = new Trains(8, 5, 1);
  const lossOf = (loader: DataLoader<Int32Array>) =>
    evaluate(model, loader, (spikes, y, lengths) => ceRateLoss(spikes, y, { lengths }).item());
  const together = lossOf(new DataLoader(data, { batchSize: 8 }));
  expect(together).toBeCloseTo(lossOf(new DataLoader(data, { batchSize: 1 })), 5);
});

test("types: class indices of a plain loader go into every loss without a cast, and losses may be given as they are", async () => {
  const model = network();
  const loader = new DataLoader(new TensorDataset(new Float32Array(24), [0, 1], { shape: [6, 2] }));
  const batches: Iterable<Batch> = [{ x: tensor(new Float32Array(12), { shape: [6, 1, 2] }), y: Int32Array.of(1) }];
  const encode = (x: Batch["x"]) => x.transpose(0, 1);
  const optimizer = new Adam(model.parameters());
  await fit(model, loader, { epochs: 1, optimizer, encode, loss: (spikes, y) => ceRateLoss(spikes, y) });
  await fit(model, loader, { epochs: 1, optimizer, encode, loss: (spikes, y) => mseTemporalLoss(spikes, y) });
  await fit(model, loader, { epochs: 1, optimizer, encode, loss: ceCountLoss });
  await fit(model, batches, { epochs: 1, optimizer, loss: (spikes, y) => ceRateLoss(spikes, y) });
  await fit(model, batches, { epochs: 1, optimizer, loss: ceRateLoss });
  expect(evaluate(model, loader, accuracyRate, { encode })).toBe(0.5);
});

test("lengths: a tensor counts as an array does, in losses, readouts and batches", () => {
  const spikes = bernoulli(full([4, 2, 3], 0.5), { generator: new Generator(3) });
  const [list, given] = [[1, 3], tensor([1, 3])];
  const runs: ((lengths: ArrayLike<number> | Tensor) => unknown)[] = [
    (lengths) => ceRateLoss(spikes, [0, 1], { lengths }).item(),
    (lengths) => ceCountLoss(spikes, [0, 1], { lengths }).item(),
    (lengths) => mseTemporalLoss(spikes, [0, 1], { lengths }).item(),
    (lengths) => accuracyRate(spikes, [0, 1], { lengths }),
    (lengths) => spikeCount(spikes, { lengths }).toArray(),
    (lengths) => lastMembrane(spikes, { lengths }).toArray(),
    (lengths) => l1RateSparsity(spikes, { lengths }).item(),
  ];
  for (const run of runs) expect(run(given)).toEqual(run(list));
  const data: Dataset<Int32Array> = { length: 2, batch: () => ({ x: spikes, y: Int32Array.of(0, 1), lengths: given }) };
  for (const { lengths } of new DataLoader(data, { batchSize: 2 })) expect(lengths).toEqual(Int32Array.of(1, 3));
  expect(() => ceRateLoss(spikes, [0, 1], { lengths: tensor([1, 9]) })).toThrow(
    "ceRateLoss: expected lengths in [0, 4], got 9 at 1",
  );
  expect(() => ceRateLoss(spikes, [0, 1], { lengths: {} as never })).toThrow(
    "an array or a tensor of lengths, got object",
  );
  const gone = tensor([1, 2]);
  gone.dispose();
  expect(() => spikeCount(spikes, { lengths: gone })).toThrow(/^spikeCount: the tensor \[2\] was freed/);
});
