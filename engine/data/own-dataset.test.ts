/** Users' datasets: the calls of a loader, the owner of a batch's memory, and errors. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { collected } from "../../test/support/garbage.ts";
import { bytesKept, random, values } from "../../test/support/tensors.ts";
import type { Batch, Dataset, Tensor } from "../index.ts";
import {
  accuracy,
  crossEntropy,
  DataLoader,
  evaluate,
  fit,
  Generator,
  gradcheck,
  Linear,
  memoryStats,
  mseLoss,
  padSequences,
  SGD,
  TensorDataset,
  tape,
  tensor,
} from "../index.ts";

/** n samples of two values, [i, −i], with label i mod 3; records the requested indices. */
function counted(n: number) {
  const asked: number[][] = [];
  const made: Tensor[] = [];
  const dataset = {
    length: n,
    batch(indices: readonly number[]) {
      asked.push([...indices]);
      const x = tensor(indices.flatMap((i) => [i, -i])).reshape([indices.length, 2]);
      made.push(x.mul(2), x);
      return { x, y: Int32Array.from(indices, (i) => i % 3) };
    },
  };
  return { dataset, asked, made };
}

describe("a dataset of one's own", () => {
  test("loader: asks for the indices of each batch, in order or shuffled as for a TensorDataset", () => {
    const { dataset, asked } = counted(5);
    const sizes = Array.from(new DataLoader(dataset, { batchSize: 2 }), ({ x, y, size }) => [x.shape, [...y], size]);
    expect(asked).toEqual([[0, 1], [2, 3], [4]]);
    expect(sizes).toEqual([
      [[2, 2], [0, 1], 2],
      [[2, 2], [2, 0], 2],
      [[1, 2], [1], 1],
    ]);
    const options = { batchSize: 2, shuffle: true, dropLast: true };
    const stored = new TensorDataset(Float32Array.of(0, 1, 2, 3, 4), [0, 0, 0, 0, 0]);
    const same = Array.from(new DataLoader(stored, { ...options, generator: new Generator(3) }), ({ x }) => values(x));
    asked.length = 0;
    expect([...new DataLoader(dataset, { ...options, generator: new Generator(3) })].length).toBe(2);
    expect(asked).toEqual(same);
  });

  test("loader: a batch lives until the next one, and everything else that was made for it is gone at once", () => {
    const { dataset, made } = counted(4);
    const kept = bytesKept(() => {
      const loader = new DataLoader(dataset, { batchSize: 2 });
      const [first] = loader;
      expect(values((first as Batch).x)).toEqual([0, -0, 1, -1]);
      expect(() => made[0]?.data).toThrow("was freed");
      for (const { x } of loader) {
        expect(() => first?.x.data).toThrow("was freed");
        expect(values(x).reduce((sum, value) => sum + value)).toBe(0);
      }
      loader.dispose();
    });
    expect(kept).toBe(0);
  });

  test("loader: tensors that the dataset keeps are neither freed nor copied", () => {
    const x = random([3, 2], 1);
    const target = random([3], 2);
    const whole: Dataset<Tensor> = { length: 3, batch: () => ({ x, y: target }) };
    const loader = new DataLoader(whole);
    for (let epoch = 0; epoch < 2; epoch++) {
      for (const batch of loader) {
        expect(batch.x).toBe(x);
        expect(batch.y).toBe(target);
      }
    }
    loader.dispose();
    expect(x.shape).toEqual([3, 2]);
    expect(values(x).length).toBe(6);
  });

  test("loader: a view of what the dataset keeps is a copy of the loader's; targets may be any object of tensors", () => {
    const all = random([4, 3], 1);
    const kept = bytesKept(() => {
      const loader = new DataLoader(
        {
          length: 4,
          batch: ([first = 0]) => ({ x: all.slice(0, first, first + 1), y: { box: all.select(0, first), name: "a" } }),
        },
        { batchSize: 1 },
      );
      const seen = Array.from(loader, ({ x, y }) => [values(x), values(y.box), y.name]);
      expect(seen[1]).toEqual([values(all).slice(3, 6), values(all).slice(3, 6), "a"]);
      loader.dispose();
    });
    expect(kept).toBe(0);
  });

  test("loader: inside of a tape a batch is a constant of that tape", () => {
    const { dataset } = counted(4);
    const loader = new DataLoader(dataset, { batchSize: 4 });
    const weight = tensor([[1], [2]], { requiresGrad: true });
    tape(() => {
      for (const { x } of loader) x.matmul(weight).sum().backward();
    });
    expect(weight.grad?.toArray()).toEqual([[6], [-6]]);
    expect([...loader].length).toBe(1);
    gradcheck(
      (w) => {
        let total = w.sum();
        for (const { x } of loader) total = total.add(x.matmul(w).sum());
        return total;
      },
      [weight.detach()],
    );
    expect([...loader].length).toBe(1);
  });

  test("loader: lengths come as whole numbers, copied", () => {
    const lengths = [3, 1];
    const [batch] = new DataLoader({ length: 2, batch: () => ({ x: random([3, 2, 4], 1), y: [0, 1], lengths }) });
    expect(batch?.lengths).toEqual(Int32Array.of(3, 1));
    expect(batch?.lengths).not.toBe(lengths);
  });

  const x = random([2, 2], 1);
  const refused: [message: string, dataset: unknown][] = [
    ["DataLoader: expected a dataset { length, batch }, got null", null],
    ["DataLoader: expected batch of the dataset as a function, got undefined", { length: 3 }],
    ["DataLoader: length of the dataset must be a positive integer, got 0", { length: 0, batch: () => ({ x, y: [] }) }],
    ['DataLoader: expected length of the dataset as a number, got "3"', { length: "3", batch: () => ({ x, y: [] }) }],
    ["DataLoader: expected a batch { x, y }, got undefined", { length: 2, batch: () => undefined }],
    ["DataLoader: x of a batch: expected a tensor, got [1, 2]", { length: 2, batch: () => ({ x: [1, 2], y: [0, 1] }) }],
    [
      "DataLoader: x of a batch: expected a tensor, got undefined",
      { length: 2, batch: async () => ({ x, y: [0, 1] }) },
    ],
    ["DataLoader: expected 2 lengths, got 1", { length: 2, batch: () => ({ x, y: [0, 1], lengths: [1] }) }],
    [
      "DataLoader: expected lengths of at least one step, got 0 at 1",
      { length: 2, batch: () => ({ x, y: [0, 1], lengths: [1, 0] }) },
    ],
    ["DataLoader: expected lengths in", { length: 2, batch: () => ({ x, y: [0, 1], lengths: [1, 0.5] }) }],
  ];
  test.each(refused)("%s", (message, dataset) => {
    const kept = bytesKept(() => {
      expect(() => [...new DataLoader(dataset as Dataset)]).toThrow(message);
    });
    expect(kept).toBe(0);
  });

  test("loader: an error of the dataset passes through, and nothing stays", () => {
    const kept = bytesKept(() => {
      const loader = new DataLoader(
        {
          length: 4,
          batch(indices) {
            const x = random([indices.length, 2], 1);
            if (indices[0] !== 0) throw new Error("on purpose");
            return { x, y: Int32Array.from(indices) };
          },
        },
        { batchSize: 2 },
      );
      expect(() => [...loader]).toThrow("on purpose");
      loader.dispose();
    });
    expect(kept).toBe(0);
  });
});

describe("TensorDataset as a dataset", () => {
  test("batch: the samples of the indices, scaled, with their targets", () => {
    const set = new TensorDataset(Uint8Array.of(0, 1, 2, 3, 4, 5), [7, 8, 9], { scale: 0.5 });
    const { x, y } = set.batch([2, 0, 2]);
    expect(x.toArray()).toEqual([
      [2, 2.5],
      [0, 0.5],
      [2, 2.5],
    ]);
    expect(y).toEqual(Int32Array.of(9, 7, 9));
    const regression = new TensorDataset(random([3, 2], 1), random([3, 4], 2));
    expect(regression.batch([1]).y.toArray()).toEqual([values(random([3, 4], 2)).slice(4, 8)]);
    expect(() => set.batch([3])).toThrow(new RangeError("TensorDataset: expected indices in [0, 2], got 3 at 0"));
    expect(() => set.batch([])).toThrow(new RangeError("TensorDataset: expected at least one index, got none"));
  });
});

describe("padSequences", () => {
  test("padSequences: sequences stand beside each other, time first", () => {
    const { x, lengths } = padSequences([Float32Array.of(1, 2, 3, 4, 5, 6), [7, 8]], { shape: [2], value: -1 });
    expect(x.toArray()).toEqual([
      [
        [1, 2],
        [7, 8],
      ],
      [
        [3, 4],
        [-1, -1],
      ],
      [
        [5, 6],
        [-1, -1],
      ],
    ]);
    expect(lengths).toEqual(Int32Array.of(3, 1));
    expect(padSequences([Uint8Array.of(1, 2), [3]]).x.toArray()).toEqual([
      [1, 3],
      [2, 0],
    ]);
  });

  test("padSequences: tensors give the same, and get their part of the gradient", () => {
    const [a, b] = [random([3, 2], 1), random([1, 2], 2)];
    const arrays = padSequences([a.toFloat32Array(), b.toFloat32Array()], { shape: [2] });
    const tensors = padSequences([a, b]);
    expect(tensors.x.toArray()).toEqual(arrays.x.toArray());
    expect(tensors.lengths).toEqual(arrays.lengths);
    gradcheck((a, b) => padSequences([a, b], { value: 2 }).x.square(), [a, b]);
    expect(bytesKept(() => padSequences([a, b]).x.dispose())).toBe(0);
  });

  const refused: [message: string, make: () => unknown][] = [
    ["padSequences: expected at least one sequence, got none", () => padSequences([])],
    ["padSequences: expected a list of sequences, got object", () => padSequences(Float32Array.of(1) as never)],
    [
      "padSequences: expected whole steps of 2 values, one at least, got 3 values at 1",
      () =>
        padSequences(
          [
            [1, 2],
            [1, 2, 3],
          ],
          { shape: [2] },
        ),
    ],
    ["padSequences: expected whole steps of 1 values, one at least, got 0 values at 0", () => padSequences([[]])],
    [
      "padSequences: expected steps of one shape, got [3, 2] and [3, 3]",
      () => padSequences([random([3, 2], 1), random([3, 3], 1)]),
    ],
    ["padSequences: expected a tensor, got [1, 2]", () => padSequences([random([3, 2], 1), [1, 2]] as never)],
    ["padSequences: expected sequences [T, …], got []", () => padSequences([tensor(1)])],
  ];
  test.each(refused)("%s", (message, make) => {
    expect(make).toThrow(message);
  });
});

describe("fit and evaluate", () => {
  /** Sums of sequences of different length, time first. */
  function sums(n: number): Dataset<Tensor> {
    const sequences = Array.from({ length: n }, (_, i) => Float32Array.from({ length: 1 + (i % 4) }, (_, t) => i - t));
    return {
      length: n,
      batch(indices) {
        const chosen = indices.map((i) => sequences[i] as Float32Array);
        return { ...padSequences(chosen, { shape: [1] }), y: tensor(chosen.map((s) => s.reduce((a, b) => a + b))) };
      },
    };
  }

  test("fit: lengths go to encode and to the loss, and the size of a batch is its number of samples", async () => {
    const model = new Linear(1, 1, { bias: false });
    const seen: unknown[] = [];
    const sizes: number[] = [];
    const history = await fit(model, new DataLoader(sums(10), { batchSize: 4 }), {
      epochs: 1,
      optimizer: new SGD(model.parameters(), { lr: 0 }),
      encode(x, lengths) {
        expect(x.shape).toEqual([Math.max(...(lengths ?? [])), lengths?.length, 1]);
        return x;
      },
      loss(output, y, lengths) {
        seen.push([...(lengths ?? [])]);
        return mseLoss(output.sum({ axis: 0 }).squeeze(1), y);
      },
      onBatch: ({ size }) => sizes.push(size),
    });
    expect(seen).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [1, 2],
    ]);
    expect(sizes).toEqual([4, 4, 2]);
    expect(history.length).toBe(1);
  });

  test("evaluate: takes a dataset as it is; the metric is told lengths, and weighted by samples", () => {
    const model = new Linear(1, 1, { bias: false });
    const told: number[] = [];
    const mean = evaluate(model, sums(40), (_output, _y, lengths) => {
      told.push(lengths?.length ?? Number.NaN);
      return lengths?.length as number;
    });
    expect(told).toEqual([32, 8]);
    expect(mean).toBe((32 * 32 + 8 * 8) / 40);
  });

  test("fit: takes a dataset as it is, in another order each epoch, and frees what its loader made", async () => {
    const { dataset, asked } = counted(40);
    const model = new Linear(2, 3);
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    await fit(model, dataset, { epochs: 1, optimizer, loss: crossEntropy });
    asked.length = 0;
    await collected();
    const { live } = memoryStats();
    await fit(model, dataset, {
      epochs: 2,
      optimizer,
      loss: crossEntropy,
    });
    expect(memoryStats().live).toBe(live);
    expect(asked.map(({ length }) => length)).toEqual([32, 8, 32, 8]);
    expect(
      asked
        .slice(0, 2)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(asked[2]).not.toEqual(asked[0]);
  });

  test("fit: the size of a batch that is made by hand is that of its lengths, or of its targets", async () => {
    const model = new Linear(1, 1);
    const sizes: number[] = [];
    const x = random([5, 2, 1], 1);
    const batches: Batch[] = [
      { x, y: Int32Array.of(0, 0) },
      { x, y: Int32Array.of(0), lengths: Int32Array.of(5, 3) },
      { x, y: random([3], 1) },
      { x, y: random([3], 1), size: 7 },
    ];
    await fit(model, batches, {
      epochs: 1,
      optimizer: new SGD(model.parameters(), { lr: 0 }),
      loss: (output) => output.sum(),
      onBatch: ({ size }) => sizes.push(size),
    });
    expect(sizes).toEqual([2, 2, 3, 7]);
  });
});

test("types: targets follow from the dataset, and losses take those of a plain loader without a cast", async () => {
  const labelled = new DataLoader(new TensorDataset(new Float32Array(4), Uint8Array.of(0, 1)));
  const plain = new DataLoader(new TensorDataset(new Float32Array(4), [0, 1]));
  const own = new DataLoader({ length: 1, batch: () => ({ x: random([1, 2], 1), y: { label: 3 } }) });
  expectTypeOf(labelled).toEqualTypeOf<DataLoader<Int32Array>>();
  expectTypeOf(plain).toEqualTypeOf<DataLoader<Int32Array>>();
  expectTypeOf(own).toEqualTypeOf<DataLoader<{ label: number }>>();
  const unknown: Iterable<Batch> = plain;
  const model = new Linear(2, 2);
  const options = { epochs: 1, optimizer: new SGD(model.parameters(), { lr: 0.1 }) };
  await fit(model, plain, { ...options, loss: (output, y) => crossEntropy(output, y) });
  await fit(model, unknown, { ...options, loss: (output, y) => crossEntropy(output, y) });
  await fit(model, plain, { ...options, loss: crossEntropy });
  await fit(model, unknown, { ...options, loss: crossEntropy });
  await fit(model, own, {
    ...options,
    loss(output, y, lengths) {
      expectTypeOf(y).toEqualTypeOf<{ label: number }>();
      expectTypeOf(lengths).toEqualTypeOf<Int32Array | undefined>();
      return output.sum().mul(y.label);
    },
  });
  expectTypeOf(evaluate(model, plain, accuracy)).toEqualTypeOf<number>();
  expectTypeOf(
    evaluate(model, unknown, (output, y, lengths) => accuracy(output, y) + (lengths?.length ?? 0)),
  ).toEqualTypeOf<number>();
});
