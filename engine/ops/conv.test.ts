/** Convolutions against their definition, in random shapes; the order of their sums; bytes that they allocate. */
import { describe, expect, test } from "vitest";
import { numbers } from "../../test/support/sides.ts";
import { bits, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import {
  bernoulli,
  Conv2d,
  concat,
  conv1d,
  conv2d,
  convTranspose2d,
  expand,
  full,
  Generator,
  memoryStats,
  noGrad,
  pad,
  resetPeak,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";

type Two = readonly [number, number];

interface Case {
  images: number;
  channels: number;
  filters: number;
  groups: number;
  size: Two;
  kernel: Two;
  stride: Two;
  padding: Two;
  dilation: Two;
}

/** Calls back for every (image, filter, place, channel, tap) of a convolution that meets a value, with flat indices. */
function eachTerm(c: Case, places: Two, f: (map: number, weight: number, image: number) => void): void {
  const [inGroup, outGroup] = [c.channels / c.groups, c.filters / c.groups];
  for (let n = 0; n < c.images; n++) {
    for (let o = 0; o < c.filters; o++) {
      for (let u = 0; u < places[0]; u++) {
        for (let v = 0; v < places[1]; v++) {
          for (let q = 0; q < inGroup; q++) {
            for (let i = 0; i < c.kernel[0]; i++) {
              for (let j = 0; j < c.kernel[1]; j++) {
                const row = u * c.stride[0] + i * c.dilation[0] - c.padding[0];
                const column = v * c.stride[1] + j * c.dilation[1] - c.padding[1];
                if (row < 0 || row >= c.size[0] || column < 0 || column >= c.size[1]) continue;
                const channel = Math.floor(o / outGroup) * inGroup + q;
                f(
                  ((n * c.filters + o) * places[0] + u) * places[1] + v,
                  ((o * inGroup + q) * c.kernel[0] + i) * c.kernel[1] + j,
                  ((n * c.channels + channel) * c.size[0] + row) * c.size[1] + column,
                );
              }
            }
          }
        }
      }
    }
  }
}

const placesOf = (c: Case): Two =>
  [0, 1].map((a) => {
    const axis = a as 0 | 1;
    const room = c.size[axis] + 2 * c.padding[axis] - c.dilation[axis] * (c.kernel[axis] - 1) - 1;
    return Math.floor(room / c.stride[axis]) + 1;
  }) as unknown as Two;

/** Cases from one stream of numbers, those without a place left out. */
function randomCases(count: number, seed: number): Case[] {
  const stream = numbers(40 * count, seed, 0, 1);
  let at = 0;
  const between = (low: number, high: number) => low + Math.floor((stream[at++] as number) * (high - low + 1));
  const two = (low: number, high: number): Two => [between(low, high), between(low, high)];
  const cases: Case[] = [];
  while (cases.length < count && at < stream.length - 20) {
    const groups = between(0, 2) === 0 ? between(2, 3) : 1;
    const c = {
      images: between(1, 6),
      channels: groups * between(1, 3),
      filters: groups * between(1, 4),
      groups,
      size: two(1, 19),
      kernel: two(1, 4),
      stride: two(1, 3),
      padding: two(0, 3),
      dilation: two(1, 2),
    };
    if (placesOf(c).every((n) => n > 0)) cases.push(c);
  }
  return cases;
}

const CASES = randomCases(60, 7);

const nameOf = (c: Case): string =>
  `${c.images} × [${c.channels}, ${c.size}] by ${c.filters} of [${c.kernel}], groups ${c.groups}, stride [${c.stride}], ` +
  `padding [${c.padding}], dilation [${c.dilation}]`;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** float32 values, so that both sides start from the same ones. */
const floats = (n: number, seed: number): number[] => numbers(n, seed).map(Math.fround);

/** Up to a few hundred terms of up to 4. */
const SUMS = { absolute: 1e-4, relative: 1e-5 };

describe.each(CASES.map((c) => [nameOf(c), c] as const))("%s", (_name, c) => {
  const places = placesOf(c);
  const shapes = {
    image: [c.images, c.channels, ...c.size],
    weight: [c.filters, c.channels / c.groups, ...c.kernel],
    map: [c.images, c.filters, ...places],
  };
  const image = floats(sizeOf(shapes.image), 1);
  const weight = floats(sizeOf(shapes.weight), 2);
  const map = floats(sizeOf(shapes.map), 3);
  const { stride, padding, dilation, groups } = c;
  // Rows and columns that no window reaches.
  const outputPadding = [0, 1].map((a) => {
    const axis = a as 0 | 1;
    const reached = (places[axis] - 1) * stride[axis] + dilation[axis] * (c.kernel[axis] - 1) + 1 - 2 * padding[axis];
    return c.size[axis] - reached;
  }) as unknown as Two;

  test("conv2d is its definition, and so are its gradients", () => {
    const bias = floats(c.filters, 4);
    const z = map.map((_, i) => bias[Math.floor(i / (places[0] * places[1])) % c.filters] as number);
    const dw = weight.map(() => 0);
    const dx = image.map(() => 0);
    const db = bias.map(() => 0);
    map.forEach((d, i) => {
      const o = Math.floor(i / (places[0] * places[1])) % c.filters;
      db[o] = (db[o] as number) + d;
    });
    eachTerm(c, places, (m, w, x) => {
      z[m] = (z[m] as number) + (weight[w] as number) * (image[x] as number);
      dw[w] = (dw[w] as number) + (map[m] as number) * (image[x] as number);
      dx[x] = (dx[x] as number) + (map[m] as number) * (weight[w] as number);
    });
    tape(() => {
      const [x, w, b] = [
        tensor(image, { shape: shapes.image, requiresGrad: true }),
        tensor(weight, { shape: shapes.weight, requiresGrad: true }),
        tensor(bias, { requiresGrad: true }),
      ] as const;
      const got = conv2d(x, w, b, { stride, padding, dilation, groups });
      expect(got.shape).toEqual(shapes.map);
      got.backward(tensor(map, { shape: shapes.map }));
      expectNear(values(got), z, "values", SUMS);
      expectNear(gradient(x), dx, "gradient of x", SUMS);
      expectNear(gradient(w), dw, "gradient of the weight", SUMS);
      expectNear(gradient(b), db, "gradient of the bias", SUMS);
    });
  });

  test("convTranspose2d is the transpose, and so are its gradients", () => {
    const bias = floats(c.channels, 4);
    const z = image.map((_, i) => bias[Math.floor(i / (c.size[0] * c.size[1])) % c.channels] as number);
    const dw = weight.map(() => 0);
    const dx = map.map(() => 0);
    eachTerm(c, places, (m, w, x) => {
      z[x] = (z[x] as number) + (weight[w] as number) * (map[m] as number);
      dw[w] = (dw[w] as number) + (map[m] as number) * (image[x] as number);
      dx[m] = (dx[m] as number) + (image[x] as number) * (weight[w] as number);
    });
    tape(() => {
      const [x, w, b] = [
        tensor(map, { shape: shapes.map, requiresGrad: true }),
        tensor(weight, { shape: shapes.weight, requiresGrad: true }),
        tensor(bias, { requiresGrad: true }),
      ] as const;
      const got = convTranspose2d(x, w, b, { stride, padding, dilation, groups, outputPadding });
      expect(got.shape).toEqual(shapes.image);
      got.backward(tensor(image, { shape: shapes.image }));
      expectNear(values(got), z, "values", SUMS);
      expectNear(gradient(x), dx, "gradient of x", SUMS);
      expectNear(gradient(w), dw, "gradient of the weight", SUMS);
    });
  });

  test("several images have the bits of one at a time", () => {
    const weights = tensor(weight, { shape: shapes.weight });
    const all = tensor(image, { shape: shapes.image });
    const maps = tensor(map, { shape: shapes.map });
    const together = conv2d(all, weights, null, { stride, padding, dilation, groups });
    const spread = convTranspose2d(maps, weights, null, { stride, padding, dilation, groups, outputPadding });
    for (let n = 0; n < c.images; n++) {
      const one = conv2d(all.select(0, n), weights, null, { stride, padding, dilation, groups });
      const back = convTranspose2d(maps.select(0, n), weights, null, {
        stride,
        padding,
        dilation,
        groups,
        outputPadding,
      });
      expect(bits(one)).toEqual(bits(together.select(0, n)));
      expect(bits(back)).toEqual(bits(spread.select(0, n)));
    }
  });
});

test("conv2d: every value and every weight's gradient is one float32 sum in ascending order, bit for bit", () => {
  const c: Case = {
    images: 5,
    channels: 3,
    filters: 5,
    groups: 1,
    size: [9, 11],
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
  };
  const places = placesOf(c);
  const x = random([5, 3, 9, 11], 1, { requiresGrad: true });
  const w = random([5, 3, 3, 3], 2, { requiresGrad: true });
  const b = random([5], 3);
  const dz = random([5, 5, 9, 11], 4);
  const z = Float32Array.from({ length: dz.size }, (_, i) => b.data[Math.floor(i / 99) % 5] as number);
  const dw = new Float32Array(w.size);
  const [xs, ws, ds] = [x, w, dz].map((t) => t.toFloat32Array()) as [Float32Array, Float32Array, Float32Array];
  // Padding adds zeros, which change nothing.
  eachTerm(c, places, (m, wi, xi) => {
    z[m] = (z[m] as number) + Math.fround((ws[wi] as number) * (xs[xi] as number));
    dw[wi] = (dw[wi] as number) + Math.fround((ds[m] as number) * (xs[xi] as number));
  });
  tape(() => {
    const got = conv2d(x, w, b, { padding: 1 });
    got.backward(dz);
    expect(bits(got)).toEqual(bits(z));
  });
  expect(bits(w.grad as Tensor)).toEqual(bits(dw));
});

/** Convolutions of spikes whose windows fit a word a channel, and two whose do not. */
const SPIKE_CASES: readonly Partial<Case>[] = [
  {},
  { stride: [2, 3], padding: [2, 1], images: 3 },
  { groups: 2, channels: 4, filters: 34, kernel: [5, 6] },
  { size: [1, 30], kernel: [1, 7], channels: 1, images: 70 },
  { size: [7, 40], kernel: [3, 3] },
  { dilation: [1, 2] },
];

test("conv2d: spikes of every density give the bits of float32 sums in ascending order, by whatever way", () => {
  for (const options of SPIKE_CASES) {
    const c: Case = {
      images: 9,
      channels: 3,
      filters: 33,
      groups: 1,
      size: [9, 11],
      kernel: [3, 4],
      stride: [1, 1],
      padding: [1, 1],
      dilation: [1, 1],
      ...options,
    };
    const places = placesOf(c);
    const { stride, padding, dilation, groups } = c;
    const w = random([c.filters, c.channels / groups, ...c.kernel], 2, { requiresGrad: true });
    const b = random([c.filters], 3);
    const map = [c.images, c.filters, ...places];
    const dz = random(map, 4);
    const [ws, ds] = [w, dz].map((t) => t.toFloat32Array()) as [Float32Array, Float32Array];
    const plane = places[0] * places[1];
    for (const density of [0, "one", "crowded", 0.02, 0.1, 0.3, 0.6, 1] as const) {
      const rates = full([c.images, c.channels, ...c.size], typeof density === "number" ? density : 0);
      if (density === "one") rates.data[rates.size >> 1] = 1;
      // More spikes in the first images than lists have room for.
      if (density === "crowded") rates.data.fill(0.4, 0, rates.size >> 2);
      const z = Float32Array.from(
        { length: sizeOf(map) },
        (_, i) => b.data[Math.floor(i / plane) % c.filters] as number,
      );
      const dw = new Float32Array(w.size);
      for (const packed of [true, false]) {
        const label = `${nameOf(c)}, density ${density}, ${packed ? "bits" : "floats"}`;
        tape(() => {
          const draw = () => bernoulli(rates, { generator: new Generator(6) });
          const x = packed ? draw() : draw().clone();
          const xs = draw().toFloat32Array();
          if (packed) {
            eachTerm(c, places, (m, wi, xi) => {
              if (xs[xi] === 0) return;
              z[m] = (z[m] as number) + (ws[wi] as number);
              dw[wi] = (dw[wi] as number) + (ds[m] as number);
            });
          }
          const got = conv2d(x, w, b, { stride, padding, dilation, groups });
          got.backward(dz);
          expect(bits(got), label).toEqual(bits(z));
          expect(gradient(w), label).toEqual(Array.from(dw));
        });
        w.zeroGrad();
      }
      rates.dispose();
    }
  }
});

/** Images so small that some taps meet padding alone. */
const SMALL_IMAGES: readonly { size: Two; kernel: Two; padding: Two; stride: Two }[] = [
  { size: [1, 1], kernel: [3, 3], padding: [1, 1], stride: [1, 1] },
  { size: [2, 2], kernel: [3, 3], padding: [1, 1], stride: [2, 2] },
  { size: [1, 6], kernel: [5, 3], padding: [2, 1], stride: [1, 1] },
  { size: [2, 1], kernel: [7, 5], padding: [3, 2], stride: [1, 2] },
];

test("conv2d: taps that meet padding alone are left out, with the bits of images that have zeros in its place", () => {
  for (const { size, kernel, padding, stride } of SMALL_IMAGES) {
    for (const density of [0.05, 0.3, 1]) {
      for (const packed of [false, true]) {
        const w = random([34, 3, ...kernel], 2, { requiresGrad: true });
        const run = (areZeros: boolean) => {
          w.zeroGrad();
          // The second gradient is added to the first one.
          return [6, 7].map((seed) =>
            tape(() => {
              const spikes = bernoulli(full([9, 6, ...size], density), { generator: new Generator(seed) });
              const floats = () => spikes.mul(random(spikes.shape, 8)).toFloat32Array();
              const x = packed ? spikes : tensor(floats(), { shape: spikes.shape, requiresGrad: true });
              const images = areZeros ? pad(x, [padding[1], padding[1], padding[0], padding[0]]) : x;
              const z = conv2d(images, w, null, { padding: areZeros ? 0 : padding, stride, groups: 2 });
              z.backward(random(z.shape, seed));
              return [bits(z), packed ? [] : gradient(x), gradient(w)];
            }),
          );
        };
        expect(run(false), `${size} by ${kernel}, density ${density}, ${packed ? "bits" : "floats"}`).toEqual(
          run(true),
        );
      }
    }
  }
});

test("conv2d: many small images have the gradients of one image at a time", () => {
  for (const { size, kernel, padding, stride } of [
    ...SMALL_IMAGES,
    { size: [2, 2], kernel: [3, 3], padding: [1, 1], stride: [1, 1] },
    { size: [4, 3], kernel: [5, 4], padding: [2, 2], stride: [1, 2] },
  ] as typeof SMALL_IMAGES) {
    const w = random([10, 3, ...kernel], 2);
    const images = random([21, 6, ...size], 3);
    const options = { padding, stride, groups: 2 };
    const gradientOf = (values: Float32Array, shape: readonly number[], dz: Tensor, before: number) =>
      tape(() => {
        const x = tensor(values, { shape: [...shape], requiresGrad: true });
        conv2d(x, w, null, options).backward(dz);
        // A second gradient is added to the first one.
        if (before > 0) conv2d(x, w, null, options).backward(dz);
        return bits((x.grad as Tensor).toFloat32Array());
      });
    const dz = random(conv2d(images, w, null, options).shape, 4);
    for (const before of [0, 1]) {
      const all = gradientOf(images.toFloat32Array(), images.shape, dz, before);
      const alone = Array.from({ length: 21 }, (_, n) => {
        const one = images.select(0, n);
        return gradientOf(one.toFloat32Array(), one.shape, dz.select(0, n), before);
      });
      expect(all, `${size} by ${kernel}`).toEqual(alone.flat());
    }
  }
});

test("conv2d: a bias of −0 is 0 in every map, alone and among others, by whatever way", () => {
  for (const filters of [1, 4, 33]) {
    for (const [low, high] of [
      [-2, -1],
      [-2, 2],
    ] as const) {
      const w = random([filters, 2, 3, 3], 2, { low, high });
      const bias = full([filters], -0);
      for (const density of [0, 0.01, 0.1, 1]) {
        for (const packed of [false, true]) {
          tape(() => {
            const images = bernoulli(full([6, 2, 9, 9], density), { generator: new Generator(6) });
            // The first image is zeros.
            const rates = concat([full([1, 2, 9, 9], 0), images]);
            const x = packed ? bernoulli(rates) : rates;
            const first = conv2d(x, w, bias, { padding: 1 }).select(0, 0);
            expect(bits(first), `${filters} filters, density ${density}`).toEqual(new Array(first.size).fill(0));
          });
        }
      }
      for (const t of [w, bias]) t.dispose();
    }
  }
});

test("conv2d: a constant over time is convolved once, and its gradient is that of the copies", () => {
  const w = random([3, 2, 3, 3], 1, { requiresGrad: true });
  const run = (copied: boolean) => {
    w.zeroGrad();
    return tape(() => {
      const x = random([2, 2, 6, 6], 2, { requiresGrad: true });
      const over = expand(x, [7, 2, 2, 6, 6]);
      if (copied) over.data;
      const z = conv2d(over, w, null, { padding: 1 });
      if (!copied) expect(z.ptr).toBe(0);
      z.square().sum().backward();
      return { z: bits(z), dx: gradient(x), dw: gradient(w) };
    });
  };
  const [once, often] = [run(false), run(true)];
  expect(once.z).toEqual(often.z);
  expectNear(once.dx, often.dx, "gradient of x", SUMS);
  expectNear(once.dw, often.dw, "gradient of the weight", { absolute: 1e-3, relative: 1e-5 });
});

test("conv2d: x as one image, as a batch and over time give the same bits", () => {
  const w = random([4, 3, 2, 3], 1);
  const x = random([2, 3, 3, 5, 6], 2);
  const z = conv2d(x, w);
  expect(z.shape).toEqual([2, 3, 4, 4, 4]);
  const flat = conv2d(x.reshape([6, 3, 5, 6]), w);
  expect(bits(z)).toEqual(bits(flat));
  expect(bits(conv2d(x.select(0, 1).select(0, 2), w))).toEqual(bits(flat.select(0, 5)));
});

test("conv1d: it is conv2d over one row", () => {
  const x = random([3, 4, 50], 1);
  const w = random([6, 2, 3], 2);
  const b = random([6], 3);
  const options = { stride: 2, padding: 2, dilation: 3, groups: 2 };
  const flat = conv2d(x.unsqueeze(2), w.unsqueeze(2), b, {
    stride: [1, 2],
    padding: [0, 2],
    dilation: [1, 3],
    groups: 2,
  });
  expect(bits(conv1d(x, w, b, options))).toEqual(bits(flat));
});

test("conv1d: a kernel as long as the signal costs what the events under it cost", () => {
  const n = 2 ** 18;
  tape(() => {
    const x = full([1, 1, n], 0);
    for (const i of [3, n - 2]) x.data[i] = 2;
    const w = random([1, 1, n], 2, { requiresGrad: true });
    const z = conv1d(x, w);
    expect(values(z)).toEqual([Math.fround(2 * (w.data[3] as number) + 2 * (w.data[n - 2] as number))]);
    z.sum().backward();
    expect([2, 3, 4, n - 2].map((i) => w.grad?.data[i])).toEqual([0, 2, 0, 2]);
  });
});

test("conv2d: patches of a few hundred places exist at a time, not those of the batch", () => {
  const layer = new Conv2d(16, 8, 5, { padding: 2 });
  const bytes = (images: number) => {
    const x = random([images, 16, 20, 20], 1);
    resetPeak();
    const before = memoryStats().live;
    noGrad(() => void layer.forward(x));
    const peak = memoryStats().peak - before - 4 * images * 8 * 400;
    x.dispose();
    return peak;
  };
  // Only the result grows with the batch; other memory does not.
  expect(bytes(32)).toBeLessThan(1.2 * bytes(1) + 65536);
  expect(bytes(32)).toBeLessThan(262144);
});

test("conv2d: spikes in bits are not written out, and their patches neither", () => {
  const w = random([8, 16, 5, 5], 1, { requiresGrad: true });
  const bytes = (images: number) => {
    const rates = full([images, 16, 20, 20], 0.05);
    const peak = noGrad(() => {
      const x = bernoulli(rates);
      resetPeak();
      const before = memoryStats().live;
      conv2d(x, w);
      expect(x.ptr).toBe(0);
      return memoryStats().peak - before - 4 * images * 8 * 256;
    });
    rates.dispose();
    return peak;
  };
  expect(bytes(32)).toBeLessThan(1.1 * bytes(1) + 65536);
  expect(bytes(32)).toBeLessThan(131072);
});

test("conv2d: sparse images that are their own weights get both gradients", () => {
  const values = numbers(16 * 16 * 9, 5, 0, 1).map((u) => (u < 0.04 ? 1 : 0));
  const run = (one: boolean) =>
    tape(() => {
      const [x, w] = [0, 1].map(() => tensor(values, { shape: [16, 16, 3, 3], requiresGrad: true })) as [
        Tensor,
        Tensor,
      ];
      const z = conv2d(x, one ? x : w, null, { padding: 1 });
      z.backward(random(z.shape, 6));
      return one ? gradient(x) : gradient(x).map((d, i) => d + (gradient(w)[i] as number));
    });
  expectNear(run(true), run(false), "gradient", SUMS);
});

test("conv2d: the gradient of weights is the same where an op has written out the spikes since", () => {
  const rates = full([3, 1, 5, 4], 0.1);
  const w = random([11, 1, 3, 3], 1, { requiresGrad: true });
  const gradientOf = (isWrittenOut: boolean) => {
    w.zeroGrad();
    return tape(() => {
      const spikes = bernoulli(rates, { generator: new Generator(3) });
      const z = conv2d(spikes, w, null, { stride: [2, 1], padding: [2, 1] });
      expect(spikes.ptr).toBe(0);
      if (isWrittenOut) expect(spikes.toFloat32Array()).toContain(1);
      z.sum().backward();
      return gradient(w);
    });
  };
  const want = gradientOf(false);
  expect(want.some((d) => d !== 0)).toBe(true);
  expect(gradientOf(true)).toEqual(want);
});
