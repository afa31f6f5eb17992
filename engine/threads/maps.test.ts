/** Convolutions, pools, normalisation and RMSprop with threads: the bits of one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  add,
  avgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  bernoulli,
  Conv1d,
  conv2d,
  convTranspose2d,
  full,
  GroupNorm,
  LayerNorm,
  type Module,
  manualSeed,
  maxPool2d,
  mul,
  parameter,
  RMSprop,
  randn,
  sum,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { LIF } from "../../snn/index.ts";
import { ALL } from "../../test/support/threads.ts";
import { start } from "./start.ts";

/** A result, and the leaves that it was computed from, which get gradients. */
interface Run {
  readonly z: Tensor;
  readonly leaves: readonly Tensor[];
}

const module = (layer: Module & { forward(x: Tensor): Tensor }, x: Tensor): Run => ({
  z: layer.forward(x),
  leaves: [x, ...layer.parameters()],
});

const images = (...shape: readonly number[]): Tensor => randn(shape, { requiresGrad: true });
/** Floats, of which a share is not 0. */
const sparse = (share: number, ...shape: readonly number[]): Tensor => mul(bernoulli(full(shape, share)), randn(shape));
/** Spikes in bits. */
const spikes = (rate: number, ...shape: readonly number[]): Tensor => bernoulli(full(shape, rate));

const weight = (...shape: readonly number[]): Tensor => randn(shape, { requiresGrad: true });

/** A convolution of x with weights [filters, channels, 3, 3]. */
const conv = (x: Tensor, w: Tensor, options = {}): Run => {
  const bias = weight(w.shape[0] as number);
  return { z: conv2d(x, w, bias, options), leaves: [x, w, bias] };
};

const CASES: Readonly<Record<string, () => Run>> = {
  "conv2d, small images side by side": () => conv(images(37, 3, 8, 9), weight(10, 3, 3, 3), { padding: 1 }),
  "conv2d, many images of few pixels": () => conv(images(45, 20, 2, 2), weight(34, 20, 3, 3), { padding: 1 }),
  "conv2d, many images of one pixel": () => conv(images(45, 40, 1, 1), weight(66, 40, 3, 3), { padding: 1 }),
  "conv2d of events in images of few pixels": () =>
    conv(sparse(0.2, 45, 20, 2, 2), weight(70, 20, 3, 3), { padding: 1 }),
  "conv2d, large images": () => conv(images(9, 2, 19, 20), weight(5, 2, 3, 3)),
  "conv2d, one channel, stride and dilation": () =>
    conv(images(11, 1, 17, 16), weight(4, 1, 3, 3), { stride: 2, dilation: 2 }),
  "conv2d in groups": () => conv(images(13, 6, 9, 9), weight(8, 3, 3, 3), { groups: 2, padding: 1 }),
  "conv2d of events": () => conv(sparse(0.05, 15, 9, 10, 11), weight(7, 9, 3, 3), { padding: 1 }),
  "conv2d of events in groups": () => conv(sparse(0.05, 15, 8, 10, 11), weight(6, 4, 3, 3), { groups: 2 }),
  "conv2d with maps of more values than are turned at a time": () =>
    conv(sparse(0.02, 30, 3, 40, 40), weight(32, 3, 3, 3)),
  "conv2d of few spikes": () => conv(spikes(0.02, 4, 5, 9, 12, 13), weight(9, 9, 3, 3)),
  "conv2d of spikes": () => conv(spikes(0.15, 4, 5, 9, 12, 13), weight(24, 9, 3, 3), { padding: 1 }),
  "conv2d of spikes in two channels": () => conv(spikes(0.15, 31, 2, 7, 6), weight(24, 2, 3, 3)),
  "conv2d of spikes in groups": () => conv(spikes(0.1, 4, 5, 8, 12, 13), weight(32, 4, 3, 3), { groups: 2 }),
  "conv2d of spikes that crowd in one image": () => {
    const rates = Array.from({ length: 17 * 6 * 144 }, (_, i) => (i < 6 * 144 ? 0.7 : 0.05));
    return conv(bernoulli(tensor(rates, { shape: [17, 6, 12, 12] })), weight(24, 6, 3, 3));
  },
  "conv2d in tiles, large and small images": () => {
    const [x, w] = [images(5, 16, 23, 10), weight(32, 16, 3, 3)];
    return { z: maxPool2d(conv2d(conv2d(x, w, null, { padding: 1 }), weight(16, 32, 3, 3)), 3), leaves: [x, w] };
  },
  "conv2d of maps with gradients of which some are rare": () => {
    const { z, leaves } = conv(images(21, 16, 8, 8), weight(16, 16, 3, 3), { padding: 1 });
    return { z: mul(z, bernoulli(full([21, 1, 1, 1], 0.5))), leaves };
  },
  conv1d: () => module(new Conv1d(5, 6, 4), images(3, 4, 5, 30)),
  convTranspose2d: () => {
    const [x, w, bias] = [images(14, 4, 6, 7), weight(4, 6, 3, 3), weight(6)];
    return { z: convTranspose2d(x, w, bias, { stride: 2 }), leaves: [x, w, bias] };
  },
  "conv2d of images that already have a gradient": () => {
    const x = images(13, 4, 9, 8);
    const run = conv(x, weight(5, 4, 3, 3), { padding: 1 });
    return { ...run, z: add(sum(run.z, { axis: [1, 2, 3] }), sum(x, { axis: [1, 2, 3] })) };
  },
  "convTranspose2d of maps that already have a gradient": () => {
    const [x, w] = [images(14, 4, 6, 7), weight(4, 6, 3, 3)];
    const z = convTranspose2d(x, w);
    return { z: add(sum(z, { axis: [1, 2, 3] }), sum(x, { axis: [1, 2, 3] })), leaves: [x, w] };
  },
  maxPool2d: () => {
    const x = images(9, 3, 11, 14);
    return { z: maxPool2d(x, 3, { stride: 2, padding: 1 }), leaves: [x] };
  },
  "maxPool2d behind a convolution": () => {
    const { z, leaves } = conv(images(21, 3, 10, 10), weight(8, 3, 3, 3));
    return { z: maxPool2d(z, 2), leaves };
  },
  avgPool2d: () => {
    const x = images(9, 3, 11, 14);
    return { z: avgPool2d(x, 3, { stride: 2, padding: 1 }), leaves: [x] };
  },
  "pools of spikes": () => {
    const x = images(6, 8, 20, 12, 12);
    return { z: avgPool2d(maxPool2d(new LIF().forward(x), 2), 2), leaves: [x] };
  },
  RMSprop: () => {
    const w = parameter(randn([1000]));
    const optimizer = new RMSprop([w], { momentum: 0.9, centered: true });
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      sum(mul(w, randn([1000]))).backward();
      optimizer.step();
    }
    return { z: sum(w), leaves: [w] };
  },
  BatchNorm2d: () => module(new BatchNorm2d(7), images(9, 7, 6, 5)),
  BatchNorm1d: () => module(new BatchNorm1d(9), images(31, 9)),
  GroupNorm: () => module(new GroupNorm(2, 8), images(9, 8, 5, 6)),
  LayerNorm: () => module(new LayerNorm(30), images(17, 30)),
};

/** A result and all gradients, in bits. */
function bitsOf(make: () => Run): Int32Array[] {
  manualSeed(3);
  const found: Int32Array[] = [];
  const keep = (t: Tensor): void => void found.push(new Int32Array(t.toFloat32Array().buffer));
  tape(() => {
    const { z, leaves } = make();
    z.backward(randn(z.shape));
    keep(z);
    for (const leaf of leaves) if (leaf.requiresGrad) keep(leaf.grad as Tensor);
  });
  return found;
}

const all = (): Record<string, Int32Array[]> =>
  Object.fromEntries(Object.entries(CASES).map(([name, make]) => [name, bitsOf(make)]));

let alone: Record<string, Int32Array[]>;

beforeAll(() => {
  alone = all();
});
afterAll(() => start(1));

test.each([2, 3, 7])("threads: maps have the bits of one thread with %i", async (n) => {
  await start(n, ALL);
  for (const [name, bits] of Object.entries(all())) expect(bits, name).toEqual(alone[name]);
});
