/** Memory outside of tapes that nobody disposes of: it comes back when its owner is garbage. */
import { Adam, conv2d, LIF, Linear, memoryStats, noGrad, ones, parameter, type Tensor, tape } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { collected } from "./support/garbage.ts";
import { random, values } from "./support/tensors.ts";

/** Live bytes once all that act has made and let go of is collected. */
async function keptAfter(act: () => unknown): Promise<number> {
  await collected();
  const { live } = memoryStats();
  await (async () => void act())();
  await collected();
  return memoryStats().live - live;
}

describe("garbage outside of tapes gives its memory back", () => {
  const x = random([50, 40], 1);
  const layer = new Linear(40, 40);
  const made: Record<string, () => unknown> = {
    "a result": () => x.mul(2),
    "a composed result": () => x.softmax(0).sub(1),
    "what a tape returns": () => tape(() => [x.exp(), tape(() => x.mul(3))]),
    "packed spikes, read and not": () => [new LIF().forward(x), new LIF().forward(x).data],
    "a view of a result": () => x.mul(2).reshape([2000]),
    "an expansion that is written out": () => x.mul(2).expand([3, 50, 40]).data,
    "outputs of unroll": () => new LIF({ refractorySteps: 2 }).unroll(x),
    "a layer with gradients and its optimizer": () => {
      const net = new Linear(40, 30);
      const optimizer = new Adam(net.parameters());
      tape(() => net.forward(x).square().sum().backward());
      optimizer.step();
    },
    "weights with a transposed copy": () => {
      const net = new Linear(40, 30);
      for (let i = 0; i < 3; i++) net.forward(x.slice(0, 0, 1));
    },
  };
  test.each(Object.entries(made))("%s", async (_name, make) => {
    expect(await keptAfter(make)).toBe(0);
  });

  test("what is disposed of is given back once", async () => {
    const kept = await keptAfter(() => {
      for (const t of [x.mul(2), x.exp(), x.softmax()]) t.dispose();
    });
    expect(kept).toBe(0);
    const [a, b] = [ones([50, 40]), ones([50, 40])];
    a.copyFrom(b.mul(3));
    expect([a, b].map((t) => t.sum().item())).toEqual([6000, 2000]);
  });

  test("what an op has made before it fails is given back once", async () => {
    // Images that are their own weights are copied with their padding.
    const image = ones([1, 1, 3, 3]);
    const kept = await keptAfter(() => {
      expect(() => conv2d(image, image, null, { padding: 16000, stride: 2000 })).toThrow(/out of memory/);
    });
    expect(kept).toBe(0);
    const [a, b] = [ones([17, 17]), ones([17, 17])]; // as the result would have been
    a.copyFrom(b.mul(3));
    expect([a, b].map((t) => t.sum().item())).toEqual([867, 289]);
  });

  test("views, gradients and expansions keep what they look into", async () => {
    const view = ((): Tensor => x.mul(2).reshape([2000]))();
    const grad = ((): Tensor => {
      const p = parameter(ones([1000]));
      tape(() => p.mul(7).sum().backward());
      return p.grad as Tensor;
    })();
    const spread = ((): Tensor => x.mul(3).expand([2, 50, 40]))();
    await collected();
    for (let i = 0; i < 20; i++) ones([2000]).dispose();
    expect(values(view)).toEqual(values(x).map((v) => Math.fround(2 * v)));
    expect(values(grad)).toEqual(new Array(1000).fill(7));
    expect(values(spread).slice(2000)).toEqual(values(x).map((v) => Math.fround(3 * v)));
  });

  test("a hundred thousand results that are disposed of leave memory as it is", async () => {
    await collected();
    const row = random([1, 40], 2);
    for (let i = 0; i < 3; i++) layer.forward(row).dispose();
    const { live, reserved } = memoryStats();
    for (let i = 0; i < 100_000; i++) layer.forward(row).dispose();
    expect(memoryStats()).toMatchObject({ live, reserved });
  });

  test("noGrad frees results at once", async () => {
    await collected();
    const { live } = memoryStats();
    for (let i = 0; i < 10; i++) noGrad(() => void x.mul(i));
    expect(memoryStats().live).toBe(live);
  });
});
