/** Datasets and loaders: the selection, order and form of samples. */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { bytesKept, random, values } from "../../test/support/tensors.ts";
import type { Batch, Tensor } from "../index.ts";
import { DataLoader, Generator, gradcheck, manualSeed, parameter, TensorDataset, tape, tensor } from "../index.ts";

/** n samples of two values, [i, −i], with label i mod 3. */
function counted(n: number): TensorDataset {
  const x = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));
  return new TensorDataset(
    x,
    Array.from({ length: n }, (_, i) => i % 3),
  );
}

/** The samples of one epoch, batch by batch, copied. */
function epoch(loader: DataLoader): { x: number[]; y: number[]; shape: readonly number[] }[] {
  return Array.from(loader, ({ x, y }) => ({
    x: values(x),
    y: "data" in y ? values(y) : Array.from(y),
    shape: x.shape,
  }));
}

/** The first value of every sample of an epoch, which is its index. */
const order = (loader: DataLoader) => epoch(loader).flatMap(({ x }) => x.filter((_, i) => i % 2 === 0));

describe("dataset", () => {
  test("dataset: samples are one axis by default, or have the given shape", () => {
    expect(counted(4)).toMatchObject({ length: 4, shape: [2], targetShape: null });
    const images = new TensorDataset(new Uint8Array(24), [0, 1], { shape: [1, 3, 4] });
    expect(images).toMatchObject({ length: 2, shape: [1, 3, 4] });
    const scalars = new TensorDataset(new Float32Array(3), [0, 1, 2], { shape: [] });
    expect(scalars).toMatchObject({ length: 3, shape: [] });
  });

  test("dataset: tensors give their own shapes", () => {
    const set = new TensorDataset(random([5, 2, 3], 1), random([5, 4], 2));
    expect(set).toMatchObject({ length: 5, shape: [2, 3], targetShape: [4] });
    expect(new TensorDataset(new Float32Array(15), random([5, 4], 2))).toMatchObject({ length: 5, shape: [3] });
  });

  test("dataset: nothing of it lies in linear memory", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(bytesKept(() => void new TensorDataset(x, [0, 1]))).toBe(0);
  });

  test("dataset: live views are copied, since they do not last", () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const set = new TensorDataset(x.data, y.data);
    for (const t of [x, y]) t.copyFrom([0, 0]);
    expect([set.x, set.y]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  });

  const wrong: [message: string, make: () => unknown][] = [
    [
      "TensorDataset: expected whole samples, got 0 values for 0 targets",
      () => new TensorDataset(new Float32Array(0), []),
    ],
    [
      "TensorDataset: expected whole samples, got 0 values for 3 targets",
      () => new TensorDataset(new Float32Array(0), [0, 1, 2]),
    ],
    [
      "TensorDataset: expected whole samples, got 4 values for 0 targets",
      () => new TensorDataset(new Float32Array(4), []),
    ],
    [
      "TensorDataset: expected whole samples, got 7 values for 2 targets",
      () => new TensorDataset(new Float32Array(7), [0, 1]),
    ],
    [
      "TensorDataset: expected whole samples, got 7 values for 2 targets",
      () => new TensorDataset(new Float32Array(7), [0, 1], { shape: [2] }),
    ],
    [
      "TensorDataset: expected targets for 4 samples, got 3",
      () => new TensorDataset(new Float32Array(8), [0, 1, 2], { shape: [2] }),
    ],
    [
      "TensorDataset: expected targets for 4 samples, got 2",
      () => new TensorDataset(random([4, 3], 1), random([2, 2], 2)),
    ],
    [
      "TensorDataset: expected one class index a sample, got 8 for 4",
      () => new TensorDataset(new Float32Array(8), new Array(8).fill(0), { shape: [2] }),
    ],
    [
      "TensorDataset: expected class indices, got 0.5 at 1; values for regression come as a Float32Array",
      () => new TensorDataset(new Float32Array(4), [1, 0.5]),
    ],
    [
      "TensorDataset: expected positive integer sizes, got shape [0]",
      () => new TensorDataset(new Float32Array(4), [1, 0], { shape: [0] }),
    ],
    [
      "TensorDataset: scale must be finite, got NaN",
      () => new TensorDataset(new Uint8Array(4), [1, 0], { scale: Number.NaN }),
    ],
  ];
  test.each(wrong)("%s", (message, make) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  test("dataset: x of another type is a TypeError", () => {
    const make = () => new TensorDataset([1, 2] as unknown as Float32Array, [0]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow("TensorDataset: expected x as a Float32Array, a Uint8Array or a tensor");
  });
});

describe("loader", () => {
  test("loader: samples come in order, the last batch holds what is left", () => {
    const loader = new DataLoader(counted(7), { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(epoch(loader)).toEqual([
      { x: [0, -0, 1, -1, 2, -2], y: [0, 1, 2], shape: [3, 2] },
      { x: [3, -3, 4, -4, 5, -5], y: [0, 1, 2], shape: [3, 2] },
      { x: [6, -6], y: [0], shape: [1, 2] },
    ]);
  });

  test("loader: every epoch starts anew, and one that was left early too", () => {
    const loader = new DataLoader(counted(5), { batchSize: 2 });
    for (const { x } of loader) if (values(x)[0] === 2) break;
    expect(order(loader)).toEqual([0, 1, 2, 3, 4]);
    expect(order(loader)).toEqual([0, 1, 2, 3, 4]);
  });

  test("loader: dropLast leaves out a batch that is not full", () => {
    const loader = new DataLoader(counted(7), { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(order(loader)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(order(new DataLoader(counted(6), { batchSize: 3, dropLast: true }))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(order(new DataLoader(counted(3), { batchSize: 3, dropLast: true }))).toEqual([0, 1, 2]);
  });

  test("loader: a batch larger than the dataset is the dataset", () => {
    const loader = new DataLoader(counted(3), { batchSize: 100 });
    expect(loader.length).toBe(1);
    expect(epoch(loader)).toEqual([{ x: [0, -0, 1, -1, 2, -2], y: [0, 1, 2], shape: [3, 2] }]);
  });

  test("loader: shuffling gives every sample once, with its label, in another order each epoch", () => {
    const loader = new DataLoader(counted(50), { batchSize: 8, shuffle: true, generator: new Generator(1) });
    const [first, second] = [epoch(loader), epoch(loader)];
    const numbersOf = (batches: typeof first) => batches.flatMap(({ x }) => x.filter((_, i) => i % 2 === 0));
    const all = Array.from({ length: 50 }, (_, i) => i);
    for (const batches of [first, second]) {
      expect([...numbersOf(batches)].sort((a, b) => a - b)).toEqual(all);
      expect(batches.flatMap(({ y }) => y)).toEqual(numbersOf(batches).map((i) => i % 3));
      expect(numbersOf(batches)).not.toEqual(all);
    }
    expect(numbersOf(second)).not.toEqual(numbersOf(first));
  });

  test("loader: the order depends on the seed alone, of its generator or of the default one", () => {
    const run = (generator?: Generator) => {
      const loader = new DataLoader(counted(20), { shuffle: true, ...(generator && { generator }) });
      return [order(loader), order(loader)];
    };
    const expected = run(new Generator(7));
    expect(run(new Generator(7))).toEqual(expected);
    expect(run(new Generator(8))).not.toEqual(expected);
    manualSeed(7);
    expect(run()).toEqual(expected);
  });

  test("loader: bytes become floats, times the scale, in the shape of a sample", () => {
    const x = Uint8Array.of(0, 51, 102, 153, 204, 255, 1, 2);
    const loader = new DataLoader(new TensorDataset(x, [1, 0], { shape: [1, 2, 2], scale: 1 / 255 }), { batchSize: 2 });
    const [batch] = epoch(loader);
    expect(batch?.shape).toEqual([2, 1, 2, 2]);
    expect(batch?.x).toEqual(Array.from(x, (byte) => Math.fround(byte / 255)));
  });

  test("loader: class indices come as an Int32Array, values for regression as a tensor of their shape", () => {
    const x = new Float32Array(3);
    const targets = (y: ArrayLike<number> | Tensor) => {
      const [{ y: found }] = Array.from(new DataLoader(new TensorDataset(x, y, { shape: [1] }))) as [Batch];
      return found;
    };
    for (const labels of [[2, 0, 1], Uint8Array.of(2, 0, 1), Int32Array.of(2, 0, 1)]) {
      expect(targets(labels)).toEqual(Int32Array.of(2, 0, 1));
    }
    const scalars = targets(Float32Array.of(0.5, 1.5, 2.5)) as Tensor;
    expect(scalars.shape).toEqual([3]);
    expect(values(scalars)).toEqual([0.5, 1.5, 2.5]);
    const pairs = targets(Float32Array.of(1, 2, 3, 4, 5, 6)) as Tensor;
    expect(pairs.toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const matrices = targets(random([3, 2, 2], 3)) as Tensor;
    expect(matrices.shape).toEqual([3, 2, 2]);
  });

  test("loader: targets of a last batch that is not full have its size", () => {
    const set = new TensorDataset(new Float32Array(3), Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [1] });
    const batches = epoch(new DataLoader(set, { batchSize: 2 }));
    expect(batches.map(({ y }) => y)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  test("loader: an epoch allocates nothing after the first, inside a tape or outside, and dispose gives all back", () => {
    const kept = bytesKept(() => {
      const loader = new DataLoader(new TensorDataset(new Float32Array(700), new Float32Array(7)), { batchSize: 2 });
      tape(() => {
        for (const { x } of loader) x.sum();
      });
      expect(bytesKept(() => epoch(loader))).toBe(0);
      loader.dispose();
      expect(epoch(loader).length).toBe(4);
      loader.dispose();
    });
    expect(kept).toBe(0);
  });

  test("loader: the next batch overwrites the last, and a record that needed it notices", () => {
    const w = parameter(tensor([1, 1]));
    tape(() => {
      const losses: Tensor[] = [];
      for (const { x } of new DataLoader(counted(4), { batchSize: 2 })) losses.push(x.mul(w).sum());
      losses[1]?.backward();
      expect(() => losses[0]?.backward()).toThrow(/overwritten/);
    });
  });

  test("loader: a batch size that is not a positive integer, or leaves no batch, is a RangeError", () => {
    for (const batchSize of [0, -1, 1.5, Number.NaN]) {
      expect(() => new DataLoader(counted(4), { batchSize })).toThrow(
        new RangeError(`DataLoader: batchSize must be a positive integer, got ${batchSize}`),
      );
    }
    expect(() => new DataLoader(counted(4), { batchSize: 5, dropLast: true })).toThrow(
      new RangeError("DataLoader: no full batch of 5 in 4 samples; dropLast leaves none"),
    );
  });
});

test("data: targets that are no array, and what is no dataset, are TypeErrors", () => {
  const x = new Float32Array(4);
  for (const [y, got] of [
    [null, "null"],
    [undefined, "undefined"],
    [5, "5"],
    [{}, "object"],
  ] as unknown as [number[], string][]) {
    expect(() => new TensorDataset(x, y)).toThrow(
      new TypeError(`TensorDataset: expected y as an array or a tensor, got ${got}`),
    );
  }
  expect(() => new DataLoader([1, 2] as never)).toThrow(
    new TypeError("DataLoader: expected a dataset { length, batch }, got [1, 2]"),
  );
});

test("dataset: the shape is its own and frozen, so that changes of the given one change nothing", () => {
  const shape = [2, 1];
  const set = new TensorDataset(new Float32Array(4), [0, 1], { shape });
  shape[0] = 100_000;
  expect(set.shape).toEqual([2, 1]);
  for (const each of [set, new TensorDataset(random([2, 3], 1), random([2, 2], 2)), counted(3)]) {
    expect(Object.isFrozen(each.shape) && Object.isFrozen(each.targetShape)).toBe(true);
  }
});

test("dataset: arrays of another realm are arrays", () => {
  const x = runInNewContext("Float32Array.of(1, 2, 3, 4)") as Float32Array;
  const y = runInNewContext("Float32Array.of(0.5, 1.5)") as Float32Array;
  expect(epoch(new DataLoader(new TensorDataset(x, y)))).toEqual([{ x: [1, 2, 3, 4], y: [0.5, 1.5], shape: [2, 2] }]);
  const bytes = runInNewContext("Uint8Array.of(1, 2)") as Uint8Array;
  expect(epoch(new DataLoader(new TensorDataset(bytes, [3, 4]), { batchSize: 1 })).map(({ x }) => x)).toEqual([
    [1],
    [2],
  ]);
});

test("loader: a class index that no integer of 32 bits can hold is refused, when the dataset is made or the batch", () => {
  const message = (where: string, got: string) =>
    new RangeError(`${where}: expected class indices, got ${got}; values for regression come as a Float32Array`);
  for (const wrong of [2 ** 32, -(2 ** 31), Number.NaN, 0.5]) {
    const make = () => new TensorDataset(new Float32Array(2), [0, wrong]);
    expect(make).toThrow(message("TensorDataset", `${wrong} at 1`));
  }
  const labels = [0, 1, 2, -100] as unknown[];
  const loader = new DataLoader(new TensorDataset(new Float32Array(4), labels as number[]), { batchSize: 2 });
  expect(epoch(loader).flatMap(({ y }) => y)).toEqual([0, 1, 2, -100]);
  for (const [wrong, shown] of [
    [2 ** 32, "4294967296"],
    ["2", '"2"'],
    [undefined, "undefined"],
    [2n, "2n"],
  ]) {
    labels[2] = wrong;
    expect(() => epoch(loader)).toThrow(message("DataLoader", `${shown} at 2`));
  }
});

test("loader: a dataset that has lost values since is refused, before an order is drawn", () => {
  const generator = new Generator(1);
  const state = generator.getState();
  const labels = [0, 1, 2];
  const x = new Float32Array(6);
  const loader = new DataLoader(new TensorDataset(x, labels), { shuffle: true, generator });
  labels.pop();
  expect(() => epoch(loader)).toThrow(
    new RangeError("DataLoader: expected 3 values in the dataset, as when it was made, got 2"),
  );
  labels.push(2);
  structuredClone(x, { transfer: [x.buffer] });
  expect(() => epoch(loader)).toThrow(
    new RangeError("DataLoader: expected 6 values in the dataset, as when it was made, got 0"),
  );
  expect(generator.getState()).toEqual(state);
});

test("loader: an array that is detached in the middle of an epoch ends it", () => {
  const x = new Float32Array(4);
  const seen: number[] = [];
  const act = () => {
    for (const { y } of new DataLoader(new TensorDataset(x, [0, 1, 2, 3]), { batchSize: 2 })) {
      seen.push(...(y as Int32Array));
      structuredClone(x, { transfer: [x.buffer] });
    }
  };
  expect(act).toThrow("DataLoader: expected 4 values in the dataset, as when it was made, got 0");
  expect(seen).toEqual([0, 1]);
});

test("loader: batches that were disposed of are made anew, also in the middle of an epoch", () => {
  const kept = bytesKept(() => {
    const loader = new DataLoader(new TensorDataset(new Float32Array(4), Float32Array.of(1, 2, 3, 4)), {
      batchSize: 2,
    });
    const targets: number[] = [];
    for (const { x, y } of loader) {
      targets.push(...values(y));
      x.dispose();
      y.dispose();
    }
    expect(targets).toEqual([1, 2, 3, 4]);
    for (const { y } of loader) {
      expect(values(y).length).toBe(2);
      loader.dispose();
    }
  });
  expect(kept).toBe(0);
});

test("loader: inside of gradcheck its batches are constants, and afterwards it goes on", () => {
  const loader = new DataLoader(new TensorDataset(Float32Array.of(1, 2, 3, 4), [0, 1]));
  const input = tensor([1, 2]);
  gradcheck(
    (w) => {
      let total = w.sum();
      for (const { x } of loader) total = total.add(w.mul(x).sum());
      return total;
    },
    [input],
  );
  expect(epoch(loader).map(({ x }) => x)).toEqual([[1, 2, 3, 4]]);
});

test("loader: one that was first used in a tape that threw makes its batches anew", () => {
  const loader = new DataLoader(counted(2), { batchSize: 1 });
  const act = () =>
    tape(() => {
      for (const { x } of loader) if (x.size > 0) throw new Error("on purpose");
    });
  expect(act).toThrow("on purpose");
  expect(epoch(loader).map(({ y }) => y)).toEqual([[0], [1]]);
});

test("loader: the type of its targets follows from those of the dataset", () => {
  for (const { y } of new DataLoader(new TensorDataset(new Float32Array(2), Uint8Array.of(1, 0)))) {
    const labels: Int32Array = y;
    expect(labels).toEqual(Int32Array.of(1, 0));
  }
  for (const { y } of new DataLoader(new TensorDataset(new Float32Array(2), Float32Array.of(1, 0)))) {
    const targets: Tensor = y;
    expect(targets.shape).toEqual([2]);
  }
});
