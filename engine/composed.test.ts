/** Composed ops outside of tapes: intermediate tensors are freed once the result exists, and never before. */
import { expect, test, vi } from "vitest";
import { bytesKept, leaf, random, values } from "../test/support/tensors.ts";
import { composed } from "./core/tape.ts";
import { memory } from "./core/wasm.ts";
import {
  amax,
  crossEntropy,
  linear,
  matmul,
  max,
  mseLoss,
  noGrad,
  parameter,
  select,
  softmax,
  stack,
  type Tensor,
  tape,
  tensor,
  unbind,
} from "./index.ts";

const _KB = 1024;

test("composed: without a gradient only the result is left", () => {
  const x = random([16, 8, 16], 1);
  const y = random([8, 1], 2);
  const results: Record<string, () => Tensor> = {
    add: () => x.add(y),
    amax: () => amax(x, { axis: [0, 2] }),
    sum: () => x.sum({ axis: [0, 2] }),
    softmax: () => softmax(x, 0),
    matmul: () => matmul(x, random([2, 1, 16, 4], 3).reshape([2, 1, 16, 4])),
    mseLoss: () => mseLoss(x, y),
    div: () => x.div(3),
  };
  for (const [name, run] of Object.entries(results)) {
    const operand = name === "matmul" ? random([2, 1, 16, 4], 3) : null;
    let z: Tensor | undefined;
    const kept = bytesKept(() => {
      z = operand === null ? run() : matmul(x, operand);
    });
    const own = bytesKept(() => void random(z?.shape ?? [], 4));
    expect(kept, name).toBe(own);
    expect((z as Tensor).data.length, name).toBe(z?.size);
    z?.dispose();
    operand?.dispose();
  }
});

test("composed: of results that look into each other, each has memory of its own", () => {
  const x = random([3, 4], 5);
  const [sum, row] = composed((x: Tensor) => {
    const sum = x.add(1);
    return [sum, select(sum, 0, 1)] as const;
  }, x);
  const expected = values(sum).slice(4, 8);
  noGrad(() => random([100], 6).add(1));
  expect(values(row)).toEqual(expected);
  sum.dispose();
  expect(values(row)).toEqual(expected);
});

test("composed: an expansion in another shape can be read and reshaped on", () => {
  const x = tensor([1, 2, 3]);
  const spread = x.expand([2, 3]).unsqueeze(1);
  expect(spread.reshape([2, 3, 1]).reshape([2, 3]).toArray()).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(linear(spread, tensor([[1, 1, 1]])).toArray()).toEqual([[[6]], [[6]]]);
});

test("composed: a result that looks into a tensor of the caller goes on to do so, and no copy is made", () => {
  const x = random([4, 64], 6);
  const kept = bytesKept(() => {
    const row = select(x, 0, 3);
    const spread = row.expand([1000, 64]);
    expect(values(row)).toEqual(values(x).slice(192));
    const view = row.reshape([8, 8]);
    row.dispose();
    expect(values(view)).toEqual(values(x).slice(192));
    const column = select(x, 1, 3);
    expect(values(column)).toEqual(values(x).filter((_, i) => i % 64 === 3));
    for (const t of [view, spread, column, ...unbind(x, 1)]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("composed: results of composed ops inside others, in chains, used twice", () => {
  const run = (x: Tensor, y: Tensor) => {
    const stacked = stack([x.div(2), y.add(1).maximum(0.25)], 1);
    const rows = matmul(stacked, softmax(stacked, 0).transpose());
    return mseLoss(rows, y.select(0, 0).slice(0, 0, 2)).add(crossEntropy(stacked.select(0, 1), [0, 2]));
  };
  const [x, y] = [leaf([3, 3], 7), leaf([3, 3], 8)];
  const inTape = tape(() => run(x, y).item());
  expect(run(x, y).item()).toBe(inTape);
});

test("composed: max gives two results, which are both the caller's", () => {
  const x = random([4, 5], 11);
  const kept = bytesKept(() => {
    const { values: top, indices } = max(x, { axis: 1 });
    expect(top.toArray()).toEqual(tape(() => x.amax({ axis: 1 }).toArray()));
    for (const t of [top, indices]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("composed: dispose of a sparse product and of a loss gives everything back", () => {
  const x = tensor(
    Float32Array.from({ length: 4000 }, (_, i) => (i % 10 === 0 ? 1 : 0)),
    { shape: [40, 100] },
  );
  const w = leaf([16, 100], 12);
  const kept = bytesKept(() => {
    const z = linear(x, w);
    const loss = crossEntropy(z, new Int32Array(40));
    for (const t of [loss, z]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("composed: a result that becomes a parameter leaves its graph, and nothing of it stays", () => {
  const x = leaf([8, 4, 8], 16);
  const kept = bytesKept(() => {
    const sums = parameter(x.sum({ axis: [0, 2] }));
    const column = parameter(x.select(2, 0));
    expect(values(column)).toEqual(values(x).filter((_, i) => i % 8 === 0));
    expect(sums.shape).toEqual([4]);
    for (const t of [sums, column]) t.dispose();
  });
  expect(kept).toBe(0);
});

test("composed: an error on the way gives everything back, at every depth", () => {
  const x = leaf([10], 13);
  const failure = new Error("on purpose");
  const inner = (a: Tensor) => {
    a.exp();
    noGrad(() => a.mul(2));
    return a.mul(3).add(a);
  };
  const kept = bytesKept(() => {
    expect(() =>
      composed((a: Tensor): Tensor => {
        composed(inner, a).square();
        throw failure;
      }, x),
    ).toThrow(failure);
  });
  expect(kept).toBe(0);
  // Outside of a composed op, the tensor belongs to the caller.
  expect(bytesKept(() => x.exp())).toBeGreaterThan(0);
});

test("composed: what an inner tape returns belongs to the op, and an input that comes back as it is stays", () => {
  const x = random([10], 14);
  const kept = bytesKept(() => {
    const z = composed((a: Tensor) => a.mul(noGrad(() => a.exp())), x);
    z.dispose();
    expect(
      composed((a: Tensor) => {
        a.exp();
        return a;
      }, x),
    ).toBe(x);
  });
  expect(kept).toBe(0);
  expect(values(x).length).toBe(10);
});

test("composed: where the memory ends half-way, what was made so far is given back", () => {
  const x = random([300, 7, 300], 15);
  const refuse = vi.spyOn(memory, "grow").mockImplementation(() => {
    throw new RangeError("refused");
  });
  const hoard: Tensor[] = [];
  try {
    expect(() => {
      for (;;) hoard.push(tensor(new Float32Array(100_000)));
    }).toThrow(/^out of memory/);
    // Room for one intermediate, not for two.
    for (let i = 0; i < 10; i++) hoard.pop()?.dispose();
    expect(bytesKept(() => expect(() => softmax(x, 0)).toThrow(/^out of memory/))).toBe(0);
    expect(bytesKept(() => expect(() => mseLoss(x, tensor([0]).reshape([]))).toThrow(/^out of memory/))).toBe(16);
  } finally {
    refuse.mockRestore();
    for (const t of hoard) t.dispose();
  }
  const z = softmax(x, 0);
  expect(z.shape).toEqual([300, 7, 300]);
  for (const t of [x, z]) t.dispose();
});
