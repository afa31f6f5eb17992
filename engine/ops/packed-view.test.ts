/** Packed spikes in a different shape remain packed, and share the values when these are materialised. */
import { expect, test } from "vitest";
import { bits, leaf, random, values } from "../../test/support/tensors.ts";
import { keep } from "../core/tape.ts";
import {
  avgPool2d,
  bernoulli,
  conv2d,
  full,
  Generator,
  linear,
  maxPool2d,
  memoryStats,
  noGrad,
  type Tensor,
  tape,
} from "../index.ts";
import { persist } from "../outside/persist.ts";

function spikes(shape: number[]): Tensor {
  const rates = full(shape, 0.3);
  const drawn = bernoulli(rates, { generator: new Generator(5) });
  rates.dispose();
  return drawn;
}

const isPacked = (t: Tensor): boolean => t.ptr === 0 && t.bits !== 0;

test("packed views: products, pools, convolutions and sums read them as they read their source's floats", () => {
  const w = leaf([6, 45], 1);
  const kernel = leaf([2, 3, 2, 2], 2);
  const uses: Record<string, (x: Tensor) => Tensor> = {
    linear: (x) => linear(x.flatten(1), w),
    matmul: (x) => x.reshape([-1, 45]).matmul(w.transpose(0, 1)),
    "a view of a view": (x) => linear(x.unsqueeze(0).squeeze(0).reshape([4, 1, 45]), w),
    maxPool2d: (x) => maxPool2d(x.reshape([2, 6, 3, 5]), 2),
    "maxPool2d of the view itself": (x) => maxPool2d(x, 2),
    avgPool2d: (x) => avgPool2d(x.reshape([2, 6, 3, 5]), 2),
    conv2d: (x) => conv2d(x.reshape([2, 2, 3, 3, 5]), kernel),
    sum: (x) => x.reshape([2, 90]).sum({ axis: 0 }),
    floats: (x) => x.reshape([90, 2]).exp(),
  };
  for (const [name, use] of Object.entries(uses)) {
    // Never materialised, before the view is made, or afterwards.
    const [packed, floats, late] = [false, true, "late"].map((written) =>
      tape(() => {
        const x = spikes([4, 3, 3, 5]);
        if (written === true) values(x);
        const view = x.reshape([4, 3, 3, 5]);
        if (written === "late") values(x);
        const z = use(view);
        // With this share of spikes a convolution is dense.
        if (written === false) expect(isPacked(x), name).toBe(!["floats", "conv2d"].includes(name));
        if (z.requiresGrad) z.sum().backward();
        const gradients = [w, kernel].map((t) => (t.grad === null ? [] : bits(t.grad)));
        for (const t of [w, kernel]) t.zeroGrad();
        return [bits(z), ...gradients];
      }),
    );
    expect(packed, name).toEqual(floats);
    expect(late, name).toEqual(floats);
  }
});

test("packed views: what is written into one of them shows in all", () => {
  const ones = (n: number) => new Array<number>(n).fill(1);
  tape(() => {
    const x = spikes([2, 6]);
    const [a, b] = [x.reshape([3, 4]), x.reshape([12])];
    expect([x, a, b].map(isPacked)).toEqual([true, true, true]);
    x.copyFrom(ones(12));
    expect(values(a)).toEqual(ones(12));
    expect(bits(linear(b.reshape([2, 6]), random([3, 6], 1)))).toEqual(
      bits(linear(full([2, 6], 1), random([3, 6], 1))),
    );
    b.copyFrom(ones(12).map((_, i) => i));
    expect(values(x)).toEqual(values(a));
    expect(values(x)[11]).toBe(11);
    const y = spikes([2, 6]);
    const view = y.reshape([12]);
    view.data[3] = 7;
    expect(values(y)[3]).toBe(7);
    expect(values(y.reshape([4, 3]))[3]).toBe(7);
  });
});

test("packed views: a write between forward and backward is noticed", () => {
  const w = leaf([2, 6], 1);
  for (const which of [0, 1]) {
    tape(() => {
      const x = spikes([3, 2, 3]);
      const view = x.reshape([3, 6]);
      const z = linear(view, w).sum();
      ([x, view][which] as Tensor).copyFrom(new Float32Array(18));
      expect(() => z.backward()).toThrow("overwritten");
    });
  }
});

test("packed views: they end with what they look into, and leave a tape with values of their own", () => {
  const w = random([2, 40], 1);
  const before = memoryStats().live;
  const x = spikes([5, 8]);
  const expected = values(x.reshape([40]));
  const y = spikes([5, 8]);
  const view = y.reshape([40]);
  y.dispose();
  expect(() => values(view)).toThrow("was freed");
  expect(() => linear(view, w)).toThrow("was freed");
  const [mine, seen] = [spikes([5, 8]), spikes([5, 8])];
  const results = [
    tape(() => spikes([5, 8]).reshape([40])),
    noGrad(() => tape(() => keep(spikes([5, 8]).reshape([40]))).reshape([8, 5])),
    persist(mine.reshape([40])),
    persist(seen.reshape([40])),
  ];
  mine.dispose();
  for (const t of results) {
    expect(values(t)).toEqual(expected);
    t.dispose();
    t.dispose();
  }
  expect(values(seen)).toEqual(expected);
  for (const t of [x, seen]) t.dispose();
  expect(memoryStats().live).toBe(before);
});

test("packed views: detached spikes stay bits, and nothing that is detached passes a gradient on", () => {
  tape(() => {
    const spikes = bernoulli(full([4, 64], 0.5), { generator: new Generator(3) });
    const detached = spikes.detach();
    expect(detached.ptr).toBe(0);
    expect(values(detached)).toEqual(values(spikes));
    const source = leaf([64], 4);
    const weight = leaf([5, 64], 5);
    const detachedOver = () => source.expand([10, 64]).detach();
    expect(values(detachedOver())).toEqual(values(source.expand([10, 64])));
    expect(detachedOver().unsqueeze(0).requiresGrad).toBe(false);
    linear(detachedOver(), weight).sum().backward();
    expect(weight.grad).not.toBeNull();
    expect(source.grad).toBeNull();
  });
});

test("packed views: spikes of all axes are counted", () => {
  const spikes = bernoulli(full([7, 45], 0.4), { generator: new Generator(3) });
  const count = values(spikes.clone()).reduce((sum, s) => sum + s, 0);
  expect(spikes.sum().item()).toBe(count);
  expect(spikes.mean().item()).toBeCloseTo(count / 315, 6);
});
