/** The memory rule: results of a tape survive, everything else is freed, and nothing leaks. */
import { expect, test } from "vitest";
import { bytesKept, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  Adam,
  BatchNorm1d,
  concat,
  conv2d,
  crossEntropy,
  keep,
  Linear,
  linear,
  manualSeed,
  memoryStats,
  noGrad,
  ones,
  parameter,
  rand,
  Sequential,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";
import { root } from "./scope.ts";

const FREED = /freed.*tape/;

/** Allocates and overwrites memory, so that a tensor freed by mistake loses its values. */
function scribble(): void {
  tape(() => {
    rand([256]);
  });
}

test("tape: what fn computes comes back, tensors or not", () => {
  expect(tape(() => 7)).toBe(7);
  expect(tape(() => null)).toBe(null);
  expect(tape(() => undefined)).toBe(undefined);
  const y = tape(() => tensor([1, 2]).mul(3));
  expect(values(y)).toEqual([3, 6]);
  y.dispose();
});

test("tape: tensors come back in arrays, in plain objects and in both at any depth", () => {
  const result = tape(() => {
    const x = tensor([1, 2, 3]);
    const bare = Object.assign(Object.create(null) as { z: Tensor }, { z: x.mul(5) });
    return { list: [x.mul(2), 4, x.mul(3)] as const, nested: { deep: [[{ y: x.mul(4) }]] }, bare, text: "kept" };
  });
  expect(values(result.list[0])).toEqual([2, 4, 6]);
  expect(result.list[1]).toBe(4);
  expect(values(result.list[2])).toEqual([3, 6, 9]);
  expect(values(result.nested.deep[0]?.[0]?.y as Tensor)).toEqual([4, 8, 12]);
  expect(values(result.bare.z)).toEqual([5, 10, 15]);
  expect(result.text).toBe("kept");
});

test("tape: objects that lead back into themselves are searched once, at any depth", () => {
  interface Node {
    parent: Node | null;
    children: Node[];
    x: Tensor;
  }
  const grow = (parent: Node | null, depth: number): Node => {
    const node: Node = { parent, children: [], x: tensor([depth]) };
    if (depth > 0) node.children.push(grow(node, depth - 1), grow(node, depth - 1), node);
    return node;
  };
  let node: Node | undefined = tape(() => grow(null, 8));
  expect(node.x.item()).toBe(8);
  while (node?.children[1] !== undefined) node = node.children[1];
  expect(node?.x.item()).toBe(0);
  const deep = tape(() => {
    let list: unknown = tensor([3]);
    for (let i = 0; i < 1000; i++) list = i % 2 === 0 ? [list] : { list };
    return list;
  });
  let found: unknown = deep;
  while (!("item" in (found as Tensor))) found = Object.values(found as object)[0];
  expect((found as Tensor).item()).toBe(3);
});

test("tape: only arrays and plain objects are searched for tensors", () => {
  class Box {
    readonly x: Tensor;
    constructor(x: Tensor) {
      this.x = x;
    }
  }
  const { box, map } = tape(() => {
    const x = tensor([1]);
    return { box: new Box(x), map: new Map([["x", x]]) };
  });
  expect(() => box.x.item()).toThrow(FREED);
  expect(() => map.get("x")?.item()).toThrow(FREED);
});

test("tape: the same tensor may be returned twice, with views of it", () => {
  const kept = bytesKept(() => {
    const [x, again, view] = tape(() => {
      const t = tensor([1, 2, 3, 4]);
      return [t, t, t.reshape([2, 2])];
    });
    expect(again).toBe(x);
    expect(view?.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (const t of [x, view]) t?.dispose();
  });
  expect(kept).toBe(0);
});

test("tape: everything that is not returned is freed, and using it names the rule", () => {
  let lost: Tensor | undefined;
  const kept = bytesKept(() =>
    tape(() => {
      lost = rand([100]).add(1);
    }),
  );
  expect(kept).toBe(0);
  const t = lost as Tensor;
  const uses: Record<string, () => unknown> = {
    data: () => t.data,
    item: () => tensor([1]).mul(t.select(0, 0)),
    toArray: () => t.toArray(),
    toFloat32Array: () => t.toFloat32Array(),
    copyFrom: () => t.copyFrom(new Array(100).fill(0)),
    "an op": () => t.exp(),
    "a second operand": () => tensor([1]).add(t),
    "a view": () => t.reshape([10, 10]),
    detach: () => t.detach(),
    concat: () => concat([tensor([1]), t]),
    linear: () => linear(tensor([1]), t.reshape([100, 1])),
    expand: () => t.expand([2, 100]).add(1),
    backward: () => t.backward(),
    keep: () => keep(t),
    parameter: () => parameter(t),
  };
  for (const [name, use] of Object.entries(uses)) expect(use, name).toThrow(FREED);
  for (const use of Object.values(uses)) expect(use).toThrow(Error);
});

test("tape: a freed tensor can still be printed and disposed of", () => {
  const [t, view] = tape(() => {
    const x = tensor([1, 2]);
    return [{ hidden: () => x }, { hidden: () => x.reshape([2, 1]) }].map(({ hidden }) => {
      const inner = hidden();
      return () => inner;
    });
  });
  expect(String(t?.())).toBe("Tensor([2], freed)");
  expect(String(view?.())).toBe("Tensor([2, 1], freed)");
  t?.().dispose();
  const base = tensor([3, 4]);
  const onBase = base.reshape([2, 1]);
  base.dispose();
  expect(String(onBase)).toBe("Tensor([2, 1], freed)");
});

test("tape: a view of a tensor from outside ends with the tape, unless it is returned", () => {
  const w = parameter(tensor([1, 2, 3, 4]));
  let lost: Tensor | undefined;
  const kept = tape(() => {
    lost = w.reshape([4, 1]);
    return w.reshape([2, 2]);
  });
  expect(() => lost?.data).toThrow(FREED);
  expect(kept.requiresGrad).toBe(false);
  w.copyFrom([0, 0, 0, 0]);
  expect(values(kept)).toEqual([1, 2, 3, 4]);
  w.dispose();
  kept.dispose();
});

test("tape: a returned result is detached and nothing of its graph is left", () => {
  const x = leaf([3], 1);
  const y = tape(() => x.mul(2).sum());
  expect(y.requiresGrad).toBe(false);
  tape(() => {
    expect(() => y.backward()).toThrow(/returned from its tape/);
    expect(() => y.mul(2).backward()).toThrow(/nothing was recorded/);
  });
  expect(x.grad).toBe(null);
});

test("tape: a returned leaf stays a leaf and takes its gradient with it", () => {
  const kept = bytesKept(() => {
    const x = tape(() => {
      const t = tensor([1, 2, 3], { requiresGrad: true });
      t.square().sum().backward();
      return t;
    });
    expect(x.requiresGrad).toBe(true);
    expect(gradient(x)).toEqual([2, 4, 6]);
    tape(() => x.mul(10).sum().backward());
    expect(gradient(x)).toEqual([12, 14, 16]);
    x.dispose();
  });
  expect(kept).toBe(0);
});

test("tape: a leaf and its gradient may be returned together, in either order", () => {
  for (const order of ["leaf first", "gradient first"]) {
    const found = tape(() => {
      const x = tensor([1, 2, 3], { requiresGrad: true });
      x.square().sum().backward();
      const grad = x.grad as Tensor;
      return order === "leaf first" ? { x, grad } : { grad, x };
    });
    scribble();
    expect(values(found.grad), order).toEqual([2, 4, 6]);
    expect(gradient(found.x), order).toEqual([2, 4, 6]);
    if (order === "leaf first") continue;
    // Moved out alone, it belongs to the caller and is independent of the leaf.
    found.x.zeroGrad();
    expect(values(found.grad), order).toEqual([2, 4, 6]);
  }
});

test("tape: outside all tapes a returned tensor is the caller's, who may dispose of it", () => {
  const kept = bytesKept(() => {
    const y = tape(() => rand([1000]));
    expect(memoryStats().live).toBeGreaterThanOrEqual(4000);
    y.dispose();
    y.dispose();
    expect(() => y.data).toThrow(FREED);
  });
  expect(kept).toBe(0);
});

test("tape: of a returned result, what its op saved for backward stays behind", () => {
  const x = parameter(tensor([1, 2, 3]));
  const kept = bytesKept(() => {
    const z = tape(() => x.indexSelect(0, [2, 0]));
    const p = tape(() => parameter(x.indexSelect(0, [1])));
    for (const t of [z, p]) t.dispose();
    const again = x.indexSelect(0, [2, 0]);
    expect(values(again)).toEqual([3, 1]);
    again.dispose();
  });
  expect(kept).toBe(0);
});

test("tape: inside of a tape, what an op saves serves the next one once its record is consumed or disposed of", () => {
  const x = parameter(random([4096], 1));
  const rows = Array.from({ length: 4096 }, (_, i) => i);
  const ways: Record<string, () => void> = {
    consumed: () => x.indexSelect(0, rows).sum().backward(),
    disposed: () => x.indexSelect(0, rows).dispose(),
  };
  for (const [name, run] of Object.entries(ways)) {
    tape(() => {
      run();
      const { live } = memoryStats();
      for (let i = 0; i < 4; i++) run();
      // The values of an output remain until the tape ends.
      expect(memoryStats().live - live, name).toBeLessThanOrEqual(4 * 4 * (4096 + 512));
    });
  }
});

test("tape: inside another tape a returned tensor belongs to that one", () => {
  let lost: Tensor | undefined;
  const kept = bytesKept(() => {
    const y = tape(() => {
      const inner = tape(() => tensor([1, 2]).mul(2));
      lost = inner;
      expect(values(inner)).toEqual([2, 4]);
      return tape(() => tape(() => inner.add(1)));
    });
    expect(values(y)).toEqual([3, 5]);
    expect(() => lost?.data).toThrow(FREED);
    y.dispose();
  });
  expect(kept).toBe(0);
});

test("tape: dispose inside a tape ends a tensor early, whoever it came from", () => {
  const kept = bytesKept(() =>
    tape(() => {
      const mine = tensor([1]);
      const returned = tape(() => tensor([2]));
      mine.dispose();
      returned.dispose();
      expect(() => mine.item()).toThrow(FREED);
      expect(() => returned.item()).toThrow(FREED);
    }),
  );
  expect(kept).toBe(0);
});

test("keep: a tensor outlives its tape and belongs to the enclosing one", () => {
  let fromInner: Tensor | undefined;
  let fromOuter: Tensor | undefined;
  tape(() => {
    tape(() => {
      fromInner = keep(tensor([1, 2]).mul(2));
    });
    expect(values(fromInner as Tensor)).toEqual([2, 4]);
    fromOuter = keep((fromInner as Tensor).mul(2));
  });
  expect(values(fromOuter as Tensor)).toEqual([4, 8]);
  expect(() => fromInner?.data).toThrow(FREED);
  fromOuter?.dispose();
});

test("keep: it returns its tensor, may be repeated, combined with returning and undone by dispose", () => {
  const kept = bytesKept(() => {
    const y = tape(() => {
      const x = tensor([1, 2]);
      expect(keep(x)).toBe(x);
      const gone = keep(tensor([3]));
      gone.dispose();
      return keep(x);
    });
    expect(values(y)).toEqual([1, 2]);
    y.dispose();
  });
  expect(kept).toBe(0);
});

test("keep: a tensor from outside stays where it is", () => {
  const x = tensor([1, 2]);
  const kept = bytesKept(() => {
    expect(keep(x)).toBe(x);
    tape(() => {
      const outer = tensor([5]);
      tape(() => {
        keep(x);
        keep(outer);
      });
      expect(outer.item()).toBe(5);
    });
  });
  expect(kept).toBe(0);
  expect(values(x)).toEqual([1, 2]);
  x.dispose();
});

test("keep: a result is kept without its graph", () => {
  const x = leaf([2], 2);
  let y: Tensor | undefined;
  tape(() => {
    y = keep(x.mul(2));
    expect(y.requiresGrad).toBe(true);
  });
  expect(y?.requiresGrad).toBe(false);
});

test("parameter: made inside a tape it outlives all tapes, with its gradient", () => {
  let w: Tensor | undefined;
  tape(() =>
    tape(() => {
      w = parameter(tensor([1, 2, 3]));
      w.square().sum().backward();
    }),
  );
  scribble();
  expect(values(w as Tensor)).toEqual([1, 2, 3]);
  expect(gradient(w as Tensor)).toEqual([2, 4, 6]);
  expect(w).toMatchObject({ requiresGrad: true, isParameter: true });
  w?.dispose();
});

test("parameter: a leaf that has a gradient already takes it along", () => {
  let w: Tensor | undefined;
  const kept = bytesKept(() => {
    tape(() => {
      w = tensor([1, 2, 3], { requiresGrad: true });
      w.square().sum().backward();
      expect(parameter(w)).toBe(w);
    });
    scribble();
    expect(gradient(w as Tensor)).toEqual([2, 4, 6]);
    w?.dispose();
  });
  expect(kept).toBe(0);
});

test("parameter: a result becomes a leaf, and a view gets values of its own", () => {
  const x = leaf([2], 3);
  const product = parameter(x.mul(2));
  const view = parameter(x.reshape([2, 1]));
  x.copyFrom([7, 7]);
  expect(values(view)).not.toEqual([7, 7]);
  tape(() =>
    product
      .mul(view.reshape([2]))
      .sum()
      .backward(),
  );
  expect(x.grad).toBe(null);
  expect(gradient(product)).toEqual(values(view));
});

test("parameter: made of a gradient it no longer follows it", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => x.square().sum().backward());
  const w = parameter(x.grad as Tensor);
  x.zeroGrad();
  tape(() => x.sum().backward());
  expect(values(w)).toEqual([2, 4]);
  expect(gradient(x)).toEqual([1, 1]);
});

test("parameter: gradients and optimizer state that are made inside a tape outlive it", () => {
  const w = parameter(tensor([1, 2]));
  const optimizer = new Adam([w], { lr: 0.1 });
  tape(() => {
    w.square().sum().backward();
    optimizer.step();
  });
  scribble();
  expect(gradient(w)).toEqual([2, 4]);
  expect(Array.from(optimizer.stateDict().slots[0]?.m as Float32Array)).toEqual([
    Math.fround(2 * Math.fround(1 - 0.9)),
    Math.fround(4 * Math.fround(1 - 0.9)),
  ]);
});

test("noGrad: nothing is recorded, and the memory rule is that of a tape", () => {
  const x = leaf([3], 4);
  let lost: Tensor | undefined;
  const kept = bytesKept(() => {
    const y = noGrad(() => {
      lost = x.mul(2);
      return lost.sum();
    });
    expect(y.requiresGrad).toBe(false);
    expect(() => tape(() => y.backward())).toThrow(/noGrad/);
    expect(() => lost?.data).toThrow(FREED);
    y.dispose();
  });
  expect(kept).toBe(0);
});

test("noGrad: it may stand in the middle of a recorded computation", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const y = x.square();
    const scale = noGrad(() => y.sum());
    y.mul(scale).sum().backward();
  });
  expect(gradient(x)).toEqual([2 * 5, 4 * 5]);
});

test("tape: a promise or a generator is a TypeError, and memory is as before", () => {
  const waiting = Promise.resolve(1);
  for (const [run, name] of [
    [tape, "tape"],
    [noGrad, "noGrad"],
  ] as const) {
    const kept = bytesKept(() => {
      const promise = () => run(() => [rand([100]), waiting][1]);
      expect(promise).toThrow(TypeError);
      expect(promise).toThrow(`${name}: expected a synchronous function, got one that returns a promise`);
      expect(() => run(async () => rand([100]))).toThrow(TypeError);
      const generator = () =>
        run(function* () {
          yield rand([100]);
        });
      expect(generator).toThrow(TypeError);
      expect(generator).toThrow(`${name}: expected a synchronous function, got one that returns a generator`);
      expect(() =>
        run(async function* () {
          yield rand([100]);
        }),
      ).toThrow(TypeError);
    });
    expect(kept).toBe(0);
  }
});

test("exception: memory and records are as before, at every depth", () => {
  const x = leaf([100], 5);
  const failure = new Error("on purpose");
  const kept = bytesKept(() => {
    expect(() =>
      tape(() => {
        const y = x.mul(2);
        keep(y.exp());
        tape(() => {
          y.sum();
          throw failure;
        });
      }),
    ).toThrow(failure);
  });
  expect(kept).toBe(0);
  expect(root.records.length).toBe(0);
  // The engine is at the outermost level again, so this tensor belongs to the caller.
  const y = tensor([1]);
  expect(y.region).toBe(root.region);
});

test("exception: the enclosing tape goes on with its own records", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  tape(() => {
    const y = x.square();
    expect(() =>
      tape(() => {
        y.mul(3).sum();
        throw new Error("on purpose");
      }),
    ).toThrow("on purpose");
    scribble();
    y.sum().backward();
  });
  expect(gradient(x)).toEqual([2, 4]);
});

test("exception: a backward that fails half-way leaves no gradient behind in the enclosing tape", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const factor = tensor([3, 4], { requiresGrad: true });
  tape(() => {
    const y = x.square();
    const z = y.add(1);
    expect(() =>
      tape(() => {
        const product = factor.square(); // needs factor, which is overwritten: fails after z got its gradient
        const loss = product.add(z.mul(1)).sum();
        const late = z.mul(5).sum().add(loss);
        factor.copyFrom([0, 0]);
        late.backward();
      }),
    ).toThrow(/overwritten/);
    x.zeroGrad();
    scribble();
    z.sum().backward();
  });
  expect(gradient(x)).toEqual([2, 4]);
});

test("exception: accumulated gradients and the random state are not rolled back", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  manualSeed(3);
  const expected = values(rand([8]));
  manualSeed(3);
  expect(() =>
    tape(() => {
      rand([4]);
      x.square().sum().backward();
      throw new Error("on purpose");
    }),
  ).toThrow("on purpose");
  expect(gradient(x)).toEqual([2, 4]);
  expect(values(rand([4]))).toEqual(expected.slice(4));
});

test("tape: a thousand training steps leave the memory where it was, and it is held after the third", () => {
  manualSeed(0);
  const model = new Sequential(new Linear(20, 32), new Linear(32, 4));
  const optimizer = new Adam(model.parameters());
  const x = random([16, 20], 6);
  const labels = Int32Array.from({ length: 16 }, (_, i) => i % 4);
  const step = () =>
    tape(() => {
      optimizer.zeroGrad();
      const hidden = model
        .forward(x)
        .relu()
        .add(random([4], 7));
      const loss = crossEntropy(hidden, labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  const losses = [step(), step(), step()];
  const after = memoryStats();
  for (let i = 0; i < 997; i++) losses.push(step());
  expect(memoryStats()).toEqual(after);
  expect(losses[999]).toBeLessThan(losses[0] as number);
});

test("tape: constant inputs that layers write out after all are freed with it", () => {
  const x = random([50], 8);
  const w = parameter(random([50], 9));
  const step = () =>
    tape(() => {
      const current = x.expand([20, 50]);
      current.mul(w).sum().backward();
      w.expand([20, 50]).square().sum().backward();
    });
  step();
  expect(
    bytesKept(() => {
      for (let i = 0; i < 10; i++) step();
    }),
  ).toBe(0);
});

test("exception: layers and parameters that were made inside are freed, those from outside stay", () => {
  const outside = parameter(ones([100]));
  const x = ones([1, 100]);
  const { live } = memoryStats();
  for (const run of [tape, noGrad]) {
    let layer: Linear | undefined;
    expect(() =>
      run(() => {
        parameter(outside);
        layer = new Linear(100, 100);
        new BatchNorm1d(50);
        throw new RangeError("mine");
      }),
    ).toThrow(new RangeError("mine"));
    expect(memoryStats().live).toBe(live);
    expect(() => (layer as Linear).forward(x)).toThrow(/was freed/);
  }
  expect(outside.toArray()).toEqual(new Array(100).fill(1));
});

test("exception: a layer of an inner tape that ended well is freed by an outer one that throws", () => {
  const { live } = memoryStats();
  expect(() =>
    tape(() => {
      tape(() => new Linear(10, 10));
      throw new Error("late");
    }),
  ).toThrow("late");
  expect(memoryStats().live).toBe(live);
});

test("exception: an op that fails outside of tapes gives back what it took", () => {
  const x = ones([1, 1, 1000, 1000]);
  const w = ones([1, 1, 1, 1]);
  const { live } = memoryStats();
  expect(() => conv2d(x, w, null, { padding: 15500, stride: 32 })).toThrow(RangeError);
  expect(memoryStats().live).toBe(live);
  expect(() => tensor({ length: 1e4, 0: 1, 9999: 2n } as never)).toThrow(TypeError);
  expect(memoryStats().live).toBe(live);
});

test("tape: it wants a function", () => {
  expect(() => tape(3 as never)).toThrow(new TypeError("tape: expected fn as a function, got 3"));
  expect(() => noGrad(undefined as never)).toThrow(TypeError);
});

test("backward: adding into a gradient that a record needs is noticed", () => {
  const p = parameter(ones([2]));
  tape(() => p.sum().backward());
  tape(() => {
    const loss = p.mul(p.grad as Tensor).sum();
    p.sum().backward();
    expect(() => loss.backward()).toThrow(/was overwritten/);
  });
});
