/** The reverse pass: its additions to gradients, and every case in which it must throw. */
import { expect, test } from "vitest";
import { bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  argmax,
  concat,
  crossEntropy,
  full,
  keep,
  Linear,
  linear,
  max,
  memoryStats,
  noGrad,
  ones,
  parameter,
  SGD,
  softmax,
  stack,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../index.ts";

test("backward: the gradient of a product is the other factor, and intermediates have none", () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const y = tensor([4, 5, 6], { requiresGrad: true });
  tape(() => {
    const z = x.mul(y);
    z.sum().backward();
    expect(z.grad).toBe(null);
  });
  expect(gradient(x)).toEqual([4, 5, 6]);
  expect(gradient(y)).toEqual([1, 2, 3]);
});

test("backward: a tensor that is used several times gets the sum", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const y = x.mul(x).add(x);
    y.add(y)
      .add(concat([x, x]).sum())
      .sum()
      .backward();
  });
  // 2·(2x + 1) + 2·2: the scalar sum is broadcast over two elements.
  expect(gradient(x)).toEqual([10, 14]);
});

test("backward: gradients accumulate over tapes until zeroGrad", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const step = () => tape(() => x.square().sum().backward());
  step();
  step();
  expect(gradient(x)).toEqual([4, 8]);
  x.zeroGrad();
  expect(x.grad).toBe(null);
  step();
  expect(gradient(x)).toEqual([2, 4]);
});

test("backward: two losses of one tape accumulate, and each record is consumed once", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const first = x.square().sum();
    const second = x.mul(10).sum();
    second.backward();
    expect(gradient(x)).toEqual([10, 10]);
    first.backward();
    expect(gradient(x)).toEqual([12, 14]);
  });
});

test("backward: a leaf of one element is its own loss, again and again", () => {
  const x = tensor(3, { requiresGrad: true });
  tape(() => {
    x.backward();
    x.backward();
  });
  expect(x.grad?.item()).toBe(2);
  tape(() => x.sum().backward());
  expect(x.grad?.item()).toBe(3);
});

test("backward: an upstream gradient takes the place of the loss, also one that is not written out", () => {
  const x = leaf([2, 3], 1);
  tape(() => x.mul(2).backward(tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] })));
  expect(gradient(x)).toEqual([2, 4, 6, 8, 10, 12]);
  x.zeroGrad();
  tape(() => x.mul(2).backward(tensor([1, 2, 3]).expand([2, 3])));
  expect(gradient(x)).toEqual([2, 4, 6, 2, 4, 6]);
  x.zeroGrad();
  tape(() => x.sum().backward(tensor(5)));
  expect(gradient(x)).toEqual([5, 5, 5, 5, 5, 5]);
});

test("backward: inside an inner tape it walks on into the outer ones", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const y = x.square();
    tape(() => {
      const z = y.mul(3);
      tape(() => z.sum().backward());
      expect(gradient(x)).toEqual([6, 12]);
    });
  });
  expect(gradient(x)).toEqual([6, 12]);
});

test("backward: inside an inner tape it leaves records of the outer one that it does not reach", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const mine = x.square();
    const other = x.mul(7).sum();
    tape(() => mine.sum().backward());
    expect(gradient(x)).toEqual([2, 4]);
    other.backward();
  });
  expect(gradient(x)).toEqual([9, 11]);
});

test("backward: leaves inside, outside and between tapes get gradients that live as long as they do", () => {
  const outside = tensor([1, 2], { requiresGrad: true });
  const kept = tape(() => {
    const between = tensor([3, 4], { requiresGrad: true });
    const inner = tape(() => {
      const inside = tensor([5, 6], { requiresGrad: true });
      outside.mul(between).mul(inside).sum().backward();
      expect(gradient(inside)).toEqual([3, 8]);
      return inside;
    });
    tape(() => random([64], 1));
    expect(gradient(between)).toEqual([5, 12]);
    return keep(inner);
  });
  tape(() => random([64], 1));
  expect(gradient(outside)).toEqual([15, 24]);
  expect(gradient(kept)).toEqual([3, 8]);
});

test("backward: a second one over the same records says so", () => {
  const x = leaf([2], 2);
  tape(() => {
    const y = x.square();
    const loss = y.sum();
    loss.backward();
    expect(() => loss.backward()).toThrow(/backward: .*consumed by an earlier backward/);
    expect(() => y.mul(2).sum().backward()).toThrow(/backward: .*consumed by an earlier backward/);
  });
});

test("backward: over a tensor that was returned from its tape it says so", () => {
  const x = leaf([2], 3);
  const loss = tape(() => x.sum());
  expect(() => tape(() => loss.backward())).toThrow(/backward: .*returned from its tape/);
  const consumed = tape(() => {
    const sum = x.sum();
    sum.backward();
    return sum;
  });
  expect(() => tape(() => consumed.backward())).toThrow(/backward: .*returned from its tape/);
});

test("backward: without a record it asks how the loss was computed", () => {
  const x = leaf([2], 4);
  const message = /backward: nothing was recorded; was the loss computed under noGrad\(\)/;
  expect(() => tape(() => tensor(1).mul(2).backward())).toThrow(message);
  expect(() => tape(() => noGrad(() => x.sum()).backward())).toThrow(message);
  expect(() => tape(() => x.gt(0).sum().backward())).toThrow(message);
  expect(() => tape(() => x.detach().sum().backward())).toThrow(message);
});

test("backward: a loss of several elements without an upstream gradient is a RangeError with its shape", () => {
  const x = leaf([2, 3], 5);
  const act = () => tape(() => x.mul(2).backward());
  expect(act).toThrow(RangeError);
  expect(act).toThrow("backward: expected a loss with one element or an upstream gradient, got [2, 3]");
});

test("backward: an upstream gradient of another shape is a RangeError with both shapes", () => {
  const x = leaf([2, 3], 6);
  const act = () => tape(() => x.mul(2).backward(ones([3, 2])));
  expect(act).toThrow(RangeError);
  expect(act).toThrow("backward: expected an upstream gradient of shape [2, 3], got [3, 2]");
  const freed = ones([2, 3]);
  freed.dispose();
  expect(() => tape(() => x.mul(2).backward(freed))).toThrow(/freed/);
  expect(x.grad).toBe(null);
});

/**
 * Tensors that the backward of each op reads: a write to one of them between forward and backward is an error, a write to others is not.
 */
const NEEDS: { op: string; run: (x: Tensor, y: Tensor) => Tensor; x: boolean; y: boolean; output: boolean }[] = [
  { op: "add", run: (x, y) => x.add(y), x: false, y: false, output: false },
  { op: "sub", run: (x, y) => x.sub(y), x: false, y: false, output: false },
  { op: "mul", run: (x, y) => x.mul(y), x: true, y: true, output: false },
  { op: "div", run: (x, y) => x.div(y), x: false, y: true, output: true },
  { op: "mul by a number", run: (x) => x.mul(3), x: false, y: false, output: false },
  { op: "exp", run: (x) => x.exp(), x: false, y: false, output: true },
  { op: "log", run: (x) => x.log(), x: true, y: false, output: false },
  { op: "sqrt", run: (x) => x.sqrt(), x: false, y: false, output: true },
  { op: "square", run: (x) => x.square(), x: true, y: false, output: false },
  { op: "abs", run: (x) => x.abs(), x: true, y: false, output: false },
  { op: "tanh", run: (x) => x.tanh(), x: false, y: false, output: true },
  { op: "sigmoid", run: (x) => x.sigmoid(), x: false, y: false, output: true },
  { op: "relu", run: (x) => x.relu(), x: false, y: false, output: true },
  { op: "clamp", run: (x) => x.clamp(0.2, 0.8), x: true, y: false, output: false },
  { op: "maximum", run: (x, y) => x.maximum(y), x: true, y: true, output: false },
  { op: "matmul", run: (x, y) => x.matmul(y), x: true, y: true, output: false },
  { op: "linear", run: (x, y) => linear(x, y), x: true, y: true, output: false },
  { op: "softmax", run: (x) => softmax(x), x: false, y: false, output: true },
  { op: "crossEntropy", run: (x) => crossEntropy(x, [0, 1, 2]), x: true, y: false, output: false },
  { op: "sum", run: (x) => x.sum(), x: false, y: false, output: false },
  { op: "mean", run: (x) => x.mean({ axis: 0 }), x: false, y: false, output: false },
  { op: "amax", run: (x) => x.amax(), x: true, y: false, output: true },
  { op: "max", run: (x) => max(x, { axis: 0 }).values, x: false, y: false, output: false },
  { op: "transpose", run: (x) => x.transpose(), x: false, y: false, output: false },
  { op: "select", run: (x) => x.select(1, 0), x: false, y: false, output: false },
  { op: "concat", run: (x, y) => concat([x, y]), x: false, y: false, output: false },
  { op: "stack", run: (x, y) => stack([x, y]), x: false, y: false, output: false },
  { op: "clone", run: (x) => x.clone(), x: false, y: false, output: false },
];

test.each(NEEDS)(
  "versions: $op notices a write into what its backward needs, and no other",
  ({ op, run, ...needs }) => {
    for (const written of ["x", "y", "output"] as const) {
      const x = leaf([3, 3], 7, { low: 0.1, high: 1 });
      const y = leaf([3, 3], 8, { low: 0.1, high: 1 });
      const attempt = () =>
        tape(() => {
          const output = run(x, y);
          const target = { x, y, output }[written];
          target.copyFrom(target.toFloat32Array());
          output.sum().backward();
        });
      if (needs[written]) {
        expect(attempt, `${op}: a write into ${written}`).toThrow(/^backward of .*overwritten after it was recorded/);
      } else {
        attempt();
      }
    }
  },
);

test("versions: the error names the op and the shape", () => {
  const x = leaf([2, 3], 9);
  const act = () =>
    tape(() => {
      const loss = x.square().sum();
      x.copyFrom([0, 0, 0, 0, 0, 0]);
      loss.backward();
    });
  expect(act).toThrow(Error);
  expect(act).toThrow(/^backward of square: a value it needs, of shape \[2, 3\], was overwritten/);
});

test("versions: a write before the record, or after backward, is no concern", () => {
  const x = leaf([2], 10);
  tape(() => {
    x.copyFrom([1, 2]);
    const loss = x.square().sum();
    loss.backward();
    x.copyFrom([3, 4]);
    x.square().sum().backward();
  });
  expect(gradient(x)).toEqual([8, 12]);
});

test("versions: a write through a view is a write into what it looks into, both ways", () => {
  const x = leaf([4], 11);
  const throughView = () =>
    tape(() => {
      const loss = x.square().sum();
      x.detach().reshape([2, 2]).copyFrom([0, 0, 0, 0]);
      loss.backward();
    });
  expect(throughView).toThrow(/overwritten/);
  const throughBase = () =>
    tape(() => {
      const loss = x.reshape([2, 2]).select(0, 1).square().sum();
      x.copyFrom([0, 0, 0, 0]);
      loss.backward();
    });
  expect(throughBase).toThrow(/overwritten/);
});

test("versions: an optimizer step between forward and backward is noticed where the weight is needed", () => {
  const w = parameter(tensor([[1, 2]]));
  const optimizer = new SGD([w], { lr: 0.1 });
  const x = leaf([3, 2], 12);
  tape(() => linear(x, w).sum().backward());
  const needed = () =>
    tape(() => {
      const loss = linear(x, w).sum();
      optimizer.step();
      loss.backward();
    });
  expect(needed).toThrow(/^backward of linear: .*overwritten/);
  tape(() => {
    const loss = x.add(w).sum();
    optimizer.step();
    loss.backward();
  });
});

test("memory: no tensor that the user can hold is changed by backward", () => {
  const model = new Linear(4, 3);
  const x = leaf([5, 4], 13);
  tape(() => {
    const hidden = model.forward(x);
    const active = hidden.relu();
    const scaled = active.mul(2).add(1);
    const probabilities = softmax(scaled);
    const loss = crossEntropy(scaled, [0, 1, 2, 0, 1]).add(probabilities.square().mean());
    const held = [hidden, active, scaled, probabilities, loss];
    const before = held.map(values);
    loss.backward();
    random([100], 14).exp();
    expect(held.map(values)).toEqual(before);
    const [first] = values(argmax(scaled, { axis: 1 }));
    const row = values(scaled).slice(0, 3);
    expect(row.indexOf(Math.max(...row))).toBe(first);
  });
});

test("memory: gradients of intermediates are recycled while backward runs", () => {
  const x = leaf([10_000], 15);
  const depth = 50;
  tape(() => {
    let y: Tensor = x;
    for (let i = 0; i < depth; i++) y = y.mul(1.01);
    const loss = y.sum();
    const { live } = memoryStats();
    loss.backward();
    // Only the gradient of x persists; at most two others live at a time.
    expect(memoryStats().peak - live).toBeLessThan(5 * 40_960);
    expect(memoryStats().live - live).toBeLessThan(2 * 40_960);
  });
});

test("zeroGrad: the gradient is null, its buffer serves the next one", () => {
  const w = parameter(random([1000], 16));
  const step = () => tape(() => w.square().sum().backward());
  step();
  const address = w.grad?.ptr;
  expect(
    bytesKept(() => {
      w.zeroGrad();
      expect(w.grad).toBe(null);
      step();
    }),
  ).toBe(0);
  expect(w.grad?.ptr).toBe(address);
});

test("grad: it is the same live tensor until zeroGrad, and an old one is an error, not another gradient", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const step = () => tape(() => x.square().sum().backward());
  expect(x.grad).toBe(null);
  step();
  const grad = x.grad as Tensor;
  expect(x.grad).toBe(grad);
  step();
  expect(values(grad)).toEqual([4, 8]);
  x.zeroGrad();
  step();
  expect(() => grad.data).toThrow(/freed/);
  const last = x.grad as Tensor;
  x.dispose();
  expect(() => last.data).toThrow(/freed/);
});

test("grad: it may be written, to clip it", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => x.square().sum().backward());
  x.grad?.copyFrom([0.5, 0.5]);
  tape(() => x.sum().backward());
  expect(gradient(x)).toEqual([1.5, 1.5]);
});

test("without a tape: nothing is recorded, nothing but results is left, and backward says what to do", () => {
  const x = leaf([4, 3], 17);
  const kept = bytesKept(() => {
    const y = x.square();
    const loss = y.exp().sum();
    expect([y, loss].map((t) => t.requiresGrad)).toEqual([false, false]);
    for (const t of [loss, x])
      expect(() => t.backward()).toThrow(/^backward: outside of tapes .* inside tape\(\(\) => …\)$/);
    for (const t of [y, loss]) t.dispose();
  });
  // The exponential also belongs to the caller.
  expect(kept).toBe(48);
  expect(x.grad).toBe(null);
});

test("backward: what was disposed of before is an error, whether its values are needed or not", () => {
  tape(() => {
    const x = leaf([2], 18);
    const needed = x.exp();
    const loss = needed.mul(2).square().sum();
    needed.dispose();
    expect(() => loss.backward()).toThrow(/freed/);
    const values = x.mul(2);
    const sum = values.exp().mul(values).sum();
    values.dispose();
    expect(() => sum.backward()).toThrow(/^backward of mul: .*freed/);
    const y = leaf([2], 19);
    const last = y.add(1).sum();
    y.dispose();
    expect(() => last.backward()).toThrow(/freed/);
  });
});

test.each(["max", "min"] as const)("backward: the indices of %s are the caller's, to free or to write", (name) => {
  const gradientsAfter = (act: (indices: Tensor) => void) => {
    const x = tensor([[1, 5, 2, 0]], { requiresGrad: true });
    tape(() => {
      const { values, indices } = x[name]({ axis: 1 });
      const loss = values.sum();
      act(indices);
      full([1], 1e6);
      loss.backward();
    });
    return x.grad?.toArray();
  };
  const expected = [name === "max" ? [0, 1, 0, 0] : [0, 0, 0, 1]];
  for (const act of [() => {}, (t: Tensor) => t.dispose(), (t: Tensor) => t.copyFrom([200])]) {
    expect(gradientsAfter(act)).toEqual(expected);
  }
  const kept = bytesKept(() => {
    const x = zeros([2, 3], { requiresGrad: true });
    const { values, indices } = x[name]({ axis: 1 });
    for (const t of [values, indices]) t.dispose();
    x.dispose();
  });
  expect(kept).toBe(0);
});
