/** Pools of spikes over time. */
import { expect, test } from "vitest";
import { AvgPool2d, Conv2d, Generator, MaxPool2d, Sequential, type Tensor, tape } from "../../engine/index.ts";
import { bits, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { LIF, Stream } from "../index.ts";

const spikesOf = (current: Tensor): Tensor => new LIF({ threshold: 0.5 }).forward(current);

test("pools: spikes [T, B, C, H, W] are pooled step by step, and their maxima stay bits", () => {
  const current = random([4, 2, 3, 6, 7], 1);
  const all = (window: number, t: number, b: number, c: number, y: number, x: number, of: number[]) =>
    Array.from({ length: window ** 2 }, (_, i) => {
      const [row, column] = [y * window + Math.floor(i / window), x * window + (i % window)];
      return of[(((t * 2 + b) * 3 + c) * 6 + row) * 7 + column] as number;
    });
  tape(() => {
    const fired = values(spikesOf(current));
    for (const [pool, reduce] of [
      [new MaxPool2d(2), (v: number[]) => Math.max(...v)],
      [new AvgPool2d(2), (v: number[]) => v.reduce((sum, s) => sum + s, 0) / v.length],
    ] as const) {
      const spikes = spikesOf(current);
      const z = pool.forward(spikes);
      expect(z.shape).toEqual([4, 2, 3, 3, 3]);
      // The spikes were not written out, and maxima are spikes in bits.
      expect(spikes.ptr).toBe(0);
      if (pool instanceof MaxPool2d) expect([z.ptr, z.bits === 0]).toEqual([0, false]);
      const expected = Array.from({ length: z.size }, (_, i) => {
        const [x, y, c] = [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9) % 3];
        return reduce(all(2, Math.floor(i / 54), Math.floor(i / 27) % 2, c, y, x, fired));
      });
      expect(values(z)).toEqual(expected);
    }
  });
});

test("pools: between neurons and a convolution, bits give the values and gradients of floats", () => {
  const conv = new Conv2d(3, 4, 2, { generator: new Generator(1) });
  for (const pool of [new MaxPool2d(2), new AvgPool2d([2, 3], { stride: 2 })]) {
    const run = (packed: boolean) =>
      tape(() => {
        const current = leaf([4, 2, 3, 6, 7], 2);
        const spikes = spikesOf(current);
        conv.zeroGrad();
        const z = conv.forward(pool.forward(packed ? spikes : spikes.clone()));
        z.mul(random(z.shape, 3)).sum().backward();
        return [bits(z), gradient(current), gradient(conv.weight)];
      });
    expect(run(true)).toEqual(run(false));
  }
});

test("pools: a stream pools the maps of one step", () => {
  const network = new Sequential(
    new LIF({ threshold: 0.5 }),
    new MaxPool2d(2),
    new LIF({ threshold: 1.2 }),
    new AvgPool2d(3),
  );
  const current = random([5, 2, 3, 6, 6], 4, { low: 0 });
  const expected = network.forward(current);
  const stream = new Stream(network, [2, 3, 6, 6]);
  for (let t = 0; t < 5; t++) {
    expect(Array.from(stream.step(current.select(0, t).toFloat32Array()))).toEqual(values(expected.select(0, t)));
  }
  stream.dispose();
});
