/** Gradients of convolutions of 3 × 3 in tiles of 2 × 2 (kernels/conv-tiles.ts). */
import { describe, expect, test } from "vitest";
import { bits, values } from "../../test/support/tensors.ts";
import {
  concat,
  conv2d,
  convTranspose2d,
  Generator,
  mul,
  rand,
  randn,
  sum,
  type Tensor,
  tape,
  tensor,
} from "../index.ts";
import { windowOver, windows } from "./windows.ts";

const CHANNELS = 16;
const FILTERS = 32;

interface Size {
  readonly height: number;
  readonly width: number;
  readonly padding: number;
}

/** The gradient of x for gradients dz of its maps, by the definition. */
function expected(dz: readonly number[], w: readonly number[], count: number, { height, width, padding }: Size) {
  const [rows, columns] = [height + 2 * padding - 2, width + 2 * padding - 2];
  const dx = new Array<number>(count * CHANNELS * height * width).fill(0);
  for (let n = 0; n < count; n++)
    for (let f = 0; f < FILTERS; f++)
      for (let u = 0; u < rows; u++)
        for (let v = 0; v < columns; v++) {
          const d = dz[((n * FILTERS + f) * rows + u) * columns + v] as number;
          for (let c = 0; d !== 0 && c < CHANNELS; c++)
            for (let tap = 0; tap < 9; tap++) {
              const [y, x] = [u + Math.floor(tap / 3) - padding, v + (tap % 3) - padding];
              if (y < 0 || y >= height || x < 0 || x >= width) continue;
              const at = ((n * CHANNELS + c) * height + y) * width + x;
              dx[at] = (dx[at] as number) + d * (w[(f * CHANNELS + c) * 9 + tap] as number);
            }
        }
  return dx;
}

/** Whole numbers from −5 to 4. */
const wholes = (shape: readonly number[], generator: Generator): Tensor =>
  tensor(
    values(rand(shape, { generator })).map((value) => Math.floor(10 * value) - 5),
    { shape },
  );

const mapsOf = ({ height, width, padding }: Size): [number, number, number] => [
  FILTERS,
  height + 2 * padding - 2,
  width + 2 * padding - 2,
];

/** The gradient of x, where the maps get the gradient dz; `twice`: x also gets 1 from a sum. */
function gradientOf(x: Tensor, w: Tensor, dz: Tensor, padding: number, twice = false): Tensor {
  x.requiresGrad = true;
  x.grad = null;
  tape(() => {
    const loss = sum(mul(conv2d(x, w, null, { padding }), dz));
    (twice ? loss.add(sum(x)) : loss).backward();
  });
  return x.grad as unknown as Tensor;
}

const SIZES: readonly Size[] = [
  { height: 4, width: 4, padding: 1 },
  { height: 8, width: 7, padding: 0 },
  { height: 7, width: 8, padding: 2 },
  { height: 9, width: 6, padding: 1 },
  { height: 30, width: 28, padding: 1 },
];

const areTiles = ({ height, width, padding }: Size): boolean => {
  const [y, x] = [height, width].map((size, axis) => windowOver("test", axis, size, 3, { padding }));
  return windows([1], 1, 1, [FILTERS, CHANNELS, 3, 3], y as never, x as never).isTiled;
};

describe.each(SIZES)("tiles: images of $height × $width with padding $padding", (size) => {
  const generator = new Generator(3);
  const count = size.height > 20 ? 2 : 11;
  const x = randn([count, CHANNELS, size.height, size.width], { generator });

  test("whole numbers give the gradient of the definition, also added to another one", () => {
    expect(areTiles(size)).toBe(true);
    // Quarters of these weights and their sums are exact in float32.
    const w = mul(wholes([FILTERS, CHANNELS, 3, 3], generator), 4);
    const dz = wholes([count, ...mapsOf(size)], generator);
    const dx = expected(values(dz), values(w), count, size);
    expect(values(gradientOf(x, w, dz, size.padding))).toEqual(dx.map((value) => value + 0));
    expect(values(gradientOf(x, w, dz, size.padding, true))).toEqual(dx.map((value) => value + 1));
  });

  test("other numbers are as near as float32 is", () => {
    const w = randn([FILTERS, CHANNELS, 3, 3], { generator });
    const dz = randn([count, ...mapsOf(size)], { generator });
    const dx = expected(values(dz), values(w), count, size);
    const difference = Math.max(
      ...values(gradientOf(x, w, dz, size.padding)).map((value, i) => Math.abs(value - (dx[i] as number))),
    );
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(1e-4);
  });
});

test("tiles: an image has the bits that it has alone, beside images with rare gradients", () => {
  const generator = new Generator(4);
  const [count, size] = [6, { height: 8, width: 8, padding: 1 }];
  const w = randn([FILTERS, CHANNELS, 3, 3], { generator });
  const shares = [1, 0.05, 0.2, 1, 0, 0.6];
  const dz = Array.from({ length: count }, (_, i) => {
    const all = values(randn(mapsOf(size), { generator }));
    return all.map((value) => (generator.random() < (shares[i] as number) ? value : 0));
  });
  const x = randn([count, CHANNELS, 8, 8], { generator });
  const together = bits(gradientOf(x, w, tensor(dz.flat(), { shape: [count, ...mapsOf(size)] }), 1));
  const alone = dz.flatMap((own) => {
    const image = randn([1, CHANNELS, 8, 8], { generator });
    return [...bits(gradientOf(image, w, tensor(own, { shape: [1, ...mapsOf(size)] }), 1))];
  });
  expect([...together]).toEqual(alone);
});

test("tiles: convTranspose2d, whose forward spreads maps too, has the bits that it has for fewer channels", () => {
  const generator = new Generator(5);
  const w = randn([FILTERS, CHANNELS, 3, 3], { generator });
  const maps = randn([3, FILTERS, 10, 8], { generator });
  const half = CHANNELS / 2;
  const halves = [0, half].map((first) => convTranspose2d(maps, w.slice(1, first, first + half), null, { padding: 1 }));
  const whole = convTranspose2d(maps, w, null, { padding: 1 });
  expect(bits(whole)).toEqual(bits(concat(halves, 1)));
});

test.each([
  ["a stride", { stride: 2 }, CHANNELS],
  ["a dilation", { dilation: 2 }, CHANNELS],
  ["20 channels", {}, 20],
])("tiles: not with %s", (_, options, channels) => {
  const [y, x] = [0, 1].map((axis) => windowOver("test", axis, 12, 3, { padding: 1, ...options }));
  expect(windows([1], 1, 1, [FILTERS, channels, 3, 3], y as never, x as never).isTiled).toBe(false);
});
