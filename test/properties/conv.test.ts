/** Convolutions at every density of images and of gradients: the same bits as a loop in plain JavaScript, on every path. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bernoulli,
  conv1d,
  conv2d,
  convTranspose2d,
  full,
  Generator,
  maxPool2d,
  randn,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { bits } from "../support/tensors.ts";
import { holds } from "./support.ts";

const axis = fc.record({
  size: fc.integer({ min: 1, max: 12 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 2 }),
  dilation: fc.integer({ min: 1, max: 3 }),
});

type Axis = typeof axis extends fc.Arbitrary<infer A> ? A : never;

/** Nothing, a bit here and there, everything. */
const density = fc.oneof(fc.constantFrom(0, 0.02, 0.25, 1), fc.double({ min: 0, max: 1, noNaN: true }));

const placesOf = ({ size, kernel, stride, padding, dilation }: Axis): number =>
  Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

const cases = fc
  .record({
    // More than a block of small ones.
    images: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(70)),
    groups: fc.constantFrom(1, 1, 2, 3),
    channels: fc.integer({ min: 1, max: 4 }),
    filters: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 20)),
    y: axis,
    x: axis,
    density,
    upstream: density,
    graded: fc.boolean(),
    biased: fc.boolean(),
    seed: fc.nat(),
  })
  .filter((c) => placesOf(c.y) > 0 && placesOf(c.x) > 0)
  .filter((c) => c.images * c.groups ** 2 * c.channels * c.filters * placesOf(c.y) * placesOf(c.x) < 20_000);

type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

const shapesOf = ({ images, groups, channels, filters, y, x }: Case) => ({
  image: [images, groups * channels, y.size, x.size],
  weight: [groups * filters, channels, y.kernel, x.kernel],
  map: [images, groups * filters, placesOf(y), placesOf(x)],
});

const optionsOf = ({ groups, y, x }: Case) => ({
  groups,
  stride: [y.stride, x.stride] as const,
  padding: [y.padding, x.padding] as const,
  dilation: [y.dilation, x.dilation] as const,
});

/** Values of which about as many as `density` says are not 0: ones, or any. */
function sparse(shape: number[], density: number, graded: boolean, generator: Generator): Tensor {
  const ones = bernoulli(full(shape, density), { generator });
  const values = graded ? ones.mul(randn(shape, { generator })) : ones;
  return tensor(values.toFloat32Array(), { shape });
}

/**
 * Maps, and the gradients of images and weights, as they are defined: each map value is one sum from the bias on over (channel, row,
 * column), each weight's gradient one over (image, row, column); an image takes, place by place, what the filters sum up to.
 */
function definition(c: Case, image: Float32Array, weight: Float32Array, bias: Float32Array | null, map: Float32Array) {
  const { groups, channels, filters, y, x } = c;
  const [rows, columns] = [placesOf(y), placesOf(x)];
  const z = map.map((_, i) =>
    bias === null ? 0 : (bias[Math.floor(i / (rows * columns)) % (groups * filters)] as number),
  );
  const dw = new Float32Array(weight.length);
  const dx = new Float32Array(image.length);
  for (let n = 0; n < c.images * groups; n++) {
    for (let u = 0; u < rows; u++) {
      for (let v = 0; v < columns; v++) {
        for (let t = 0; t < channels * y.kernel * x.kernel; t++) {
          const [q, i, j] = [Math.floor(t / (y.kernel * x.kernel)), Math.floor(t / x.kernel) % y.kernel, t % x.kernel];
          const row = u * y.stride + i * y.dilation - y.padding;
          const column = v * x.stride + j * x.dilation - x.padding;
          if (row < 0 || row >= y.size || column < 0 || column >= x.size) continue;
          const at = ((n * channels + q) * y.size + row) * x.size + column;
          let sum = 0;
          for (let f = 0; f < filters; f++) {
            const m = ((n * filters + f) * rows + u) * columns + v;
            const w = ((n % groups) * filters + f) * channels * y.kernel * x.kernel + t;
            z[m] = (z[m] as number) + Math.fround((weight[w] as number) * (image[at] as number));
            dw[w] = (dw[w] as number) + Math.fround((map[m] as number) * (image[at] as number));
            sum = Math.fround(sum + Math.fround((map[m] as number) * (weight[w] as number)));
          }
          dx[at] = (dx[at] as number) + sum;
        }
      }
    }
  }
  return { z, dw, dx };
}

/** Compares all paths that the densities of a case take with its definition. */
function check(c: Case): void {
  const generator = new Generator(c.seed);
  tape(() => {
    const shapes = shapesOf(c);
    const spikes = bernoulli(full(shapes.image, c.density), { generator });
    const image = c.graded
      ? spikes.mul(randn(shapes.image, { generator }))
      : tensor(spikes.clone().toFloat32Array(), { shape: shapes.image });
    const weight = randn(shapes.weight, { generator });
    const bias = c.biased ? randn([c.groups * c.filters], { generator }) : null;
    const dz = sparse(shapes.map, c.upstream, true, generator);
    const expected = definition(
      c,
      image.toFloat32Array(),
      weight.toFloat32Array(),
      bias?.toFloat32Array() ?? null,
      dz.toFloat32Array(),
    );
    const run = (source: Tensor) => {
      const [x, w] = [source, weight.clone()];
      for (const t of [x, w]) t.requiresGrad = true;
      const z = conv2d(x, w, bias, optionsOf(c));
      z.backward(dz);
      return { z: bits(z), dw: bits(w.grad as Tensor), dx: bits(x.grad as Tensor) };
    };
    const wanted = { z: bits(expected.z), dw: bits(expected.dw), dx: bits(expected.dx) };
    expect(run(image.clone())).toEqual(wanted);
    if (c.graded) return;
    const packed = bernoulli(full(shapes.image, c.density), { generator: new Generator(c.seed) });
    expect(packed.ptr).toBe(0);
    expect(run(packed)).toEqual(wanted);
  });
}

test("conv2d: values and gradients have the bits of their definition at any density, floats and spikes in bits", () => {
  holds(cases, check, 300);
});

test("conv2d: so they have over several blocks of places, and of rows of the window", () => {
  const side = (size: number, padding: number): Axis => ({ size, kernel: 3, stride: 1, padding, dilation: 1 });
  const shape = { images: 2, groups: 1 as const, channels: 64, filters: 3, y: side(20, 1), x: side(18, 0) };
  for (const [density, upstream] of [
    [0.1, 0.3],
    [1, 1],
  ] as const) {
    check({ ...shape, density, upstream, graded: false, biased: true, seed: 1 });
  }
});

test("convTranspose2d: values have the bits of the gradient that conv2d has, at any density", () => {
  holds(cases, (c) => {
    const generator = new Generator(c.seed);
    tape(() => {
      const shapes = shapesOf(c);
      const weight = randn(shapes.weight, { generator });
      const x = sparse(shapes.map, c.upstream, c.graded, generator);
      const image = randn(shapes.image, { generator, requiresGrad: true });
      conv2d(image, weight, null, optionsOf(c)).backward(x);
      const beyond = ({ size, kernel, stride, padding, dilation }: Axis, places: number): number =>
        size - ((places - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1);
      const outputPadding = [beyond(c.y, placesOf(c.y)), beyond(c.x, placesOf(c.x))] as const;
      // A convolution knows sizes that its transpose does not.
      const known = (n: number, { stride, dilation }: Axis) => n < Math.max(stride, dilation);
      if (!known(outputPadding[0], c.y) || !known(outputPadding[1], c.x)) return;
      const z = convTranspose2d(x, weight, null, { ...optionsOf(c), outputPadding });
      expect(bits(z)).toEqual(bits(image.grad as Tensor));
    });
  });
});

test("conv2d: a max pool's gradient has the same bits with its places as written out, alone or with others", () => {
  holds(cases, (c) => {
    fc.pre(placesOf(c.y) > 1 && placesOf(c.x) > 1);
    const run = (between: (z: Tensor) => Tensor, also: "nothing" | "before" | "after") =>
      tape(() => {
        const generator = new Generator(c.seed);
        const shapes = shapesOf(c);
        const x = sparse(shapes.image, c.density, c.graded, generator);
        const w = randn(shapes.weight, { generator, requiresGrad: true });
        const bias = randn([c.groups * c.filters], { generator, requiresGrad: true });
        x.requiresGrad = true;
        const z = conv2d(x, w, bias, optionsOf(c));
        const squares = also === "before" ? z.square().sum() : null;
        // Windows that overlap add up in another order where there is something to add to.
        const pooled = maxPool2d(between(z), 2, { stride: also === "nothing" ? 1 + (c.seed % 2) : 2 });
        const sum = pooled.mul(randn(pooled.shape, { generator })).sum();
        const other = squares ?? (also === "after" ? z.square().sum() : null);
        (other === null ? sum : sum.add(other)).backward();
        return [x, w, bias].map((t) => bits(t.grad as Tensor));
      });
    // A product with 1 does not take places.
    for (const also of ["nothing", "before", "after"] as const) {
      expect(run((z) => z, also)).toEqual(run((z) => z.mul(1), also));
    }
  });
});

test.each([0, 0.02, 0.2])(
  "conv1d: a max pool over channels and places, %d of x not 0, passes on what it would from a copy",
  (density) => {
    const run = (between: (z: Tensor) => Tensor) =>
      tape(() => {
        const generator = new Generator(5);
        const x = sparse([4, 3, 99], density, false, generator);
        const w = randn([6, 3, 2], { generator, requiresGrad: true });
        const bias = randn([6], { generator, requiresGrad: true });
        const pooled = maxPool2d(between(conv1d(x, w, bias)), 2);
        pooled.mul(randn(pooled.shape, { generator })).sum().backward();
        return [w, bias].map((t) => bits(t.grad as Tensor));
      });
    expect(run((z) => z)).toEqual(run((z) => z.mul(1)));
  },
);
