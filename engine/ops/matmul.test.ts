/** Products that follow the non-zeros of their left operand, at every density, against the dense product. */
import { expect, test } from "vitest";
import { bits, leaf, random, values } from "../../test/support/tensors.ts";
import { bernoulli, concat, full, Generator, linear, matmul, noGrad, type Tensor, tape, tensor } from "../index.ts";

/** "one": a single non-zero. */
const DENSITIES = [0, "one", 0.03, 0.2, 0.35, 0.5, 0.7, 1] as const;
type Density = (typeof DENSITIES)[number];

/** The kinds of left operands: values, or bits that were never written out. */
const KINDS: Record<string, (shape: number[], density: Density) => Tensor> = {
  binary: (shape, density) => spikes(shape, density).clone(),
  packed: (shape, density) => spikes(shape, density),
  graded: (shape, density) => random(shape, 3, { low: 0.5, high: 2 }).mul(spikes(shape, density)),
};

function spikes(shape: number[], density: Density): Tensor {
  const rates = full(shape, density === "one" ? 0 : density);
  if (density === "one") rates.data[rates.size >> 1] = 1;
  return bernoulli(rates, { generator: new Generator(5) });
}

type Multiply = (x: Tensor, w: Tensor) => Tensor;

/** w is [in, out]. */
const PRODUCTS: Record<string, Multiply> = {
  matmul,
  linear: (x, w) => linear(x, w.transpose(0, 1)),
  "matmul of a row": (x, w) => (x.shape[0] === 1 ? matmul(x.reshape([-1]), w).unsqueeze(0) : matmul(x, w)),
};

/** Three axes on the right: a batch, which is always dense. */
const dense: Multiply = (x, w) => matmul(x.unsqueeze(0), w.unsqueeze(0)).squeeze(0);

/** The product and the gradients of both operands. */
function run(multiply: Multiply, make: () => Tensor, w: Tensor, upstream: Tensor, times = 1): number[][] {
  return tape(() => {
    const x = make();
    x.requiresGrad = true;
    w.zeroGrad();
    const z = multiply(x, w);
    z.backward(upstream);
    for (let i = 1; i < times; i++) multiply(x, w).backward(upstream);
    return [z, w.grad as Tensor, x.grad as Tensor].map(bits);
  });
}

/** Rows, inputs. */
const SIZES = [
  [1, 20],
  [1, 64],
  [5, 33],
  [70, 40],
] as const;

for (const [kind, make] of Object.entries(KINDS)) {
  for (const [name, multiply] of Object.entries(PRODUCTS)) {
    test(`products: ${name} has the bits of the dense product at every density, ${kind}`, () => {
      for (const [rows, inputs] of SIZES) {
        for (const outputs of [1, 2, 3, 4, 16, 21, 64]) {
          const w = leaf([inputs, outputs], 7);
          const upstream = random([rows, outputs], 8);
          for (const density of DENSITIES) {
            const operand = () => make([rows, inputs], density);
            const where = `${rows} × ${inputs} → ${outputs}, ${density}`;
            const expected = run(dense, () => operand().clone(), w, upstream);
            expect(run(multiply, operand, w, upstream), where).toEqual(expected);
          }
        }
      }
    });
  }

  test(`products: a second gradient goes on where the first has ended, ${kind}`, () => {
    // The sum over twice the rows, and over twice the outputs.
    for (const [rows, inputs, outputs] of [
      [6, 40, 21],
      [20, 40, 3],
    ] as const) {
      const w = leaf([inputs, outputs], 7);
      const upstream = random([rows, outputs], 8);
      const twice = (t: Tensor, axis: number) => concat([t, t], axis).detach();
      for (const density of DENSITIES) {
        const operand = () => make([rows, inputs], density);
        const stacked = () => twice(operand(), 0);
        const [, dw] = run(dense, stacked, w, twice(upstream, 0));
        const wide = twice(w, 1);
        wide.requiresGrad = true;
        const [, , dx] = run(dense, () => operand().clone(), wide, twice(upstream, 1));
        for (const [name, multiply] of Object.entries({ matmul, linear: PRODUCTS.linear as Multiply })) {
          const [, gotW, gotX] = run(multiply, operand, w, upstream, 2);
          const where = `${name}, ${outputs} outputs, ${density}`;
          expect(gotX, where).toEqual(dx);
          if (name === "matmul") expect(gotW, where).toEqual(dw);
        }
        const turned = leaf([outputs, inputs], 9);
        const [, gotTurned] = run((x, v) => linear(x, v), operand, turned, upstream, 2);
        const [, again] = run((x, v) => dense(x, v.transpose(0, 1)), stacked, turned, twice(upstream, 0));
        expect(gotTurned, `linear, ${outputs} outputs, ${density}`).toEqual(again);
      }
    }
  });
}

test("products: a row alone has the bits that it has among others", () => {
  for (const inputs of [3, 4, 33, 300]) {
    for (const outputs of [7, 8, 10, 21, 64]) {
      const x = random([5, inputs], 3);
      const w = leaf([inputs, outputs], 7);
      const bias = random([outputs], 4);
      for (const [name, multiply] of Object.entries({
        matmul,
        linear: (a: Tensor, b: Tensor) => linear(a, b.transpose(0, 1), bias),
      })) {
        const all = tape(() => bits(multiply(x, w)));
        const alone = [0, 1, 2, 3, 4].flatMap((row) => tape(() => bits(multiply(x.slice(0, row, row + 1), w))));
        expect(alone, `${name}, ${inputs} → ${outputs}`).toEqual(all);
      }
    }
  }
});

test("products: a bias of −0 is 0 in every output, alone and among others, of weights of any sign", () => {
  for (const inputs of [1, 3, 32, 64, 100]) {
    for (const outputs of [1, 2, 4, 5, 8, 12, 16, 33, 70]) {
      const bias = full([outputs], -0);
      for (const [low, high] of [
        [-2, -1],
        [-2, 2],
        [1, 2],
      ] as const) {
        const w = random([outputs, inputs], 7, { low, high });
        for (const rows of [1, 2, 17, 70]) {
          for (const density of [0, 0.05, 0.3, 1]) {
            const where = `[${rows}, ${inputs}] → ${outputs}, density ${density}, weights in [${low}, ${high})`;
            noGrad(() => {
              // The first row is zeros.
              const rates = concat([full([1, inputs], 0), full([rows - 1 || 1, inputs], density)]).slice(0, 0, rows);
              const packed = bernoulli(rates, { generator: new Generator(5) });
              const values = packed.clone();
              for (const x of [packed, values, values.mul(random([rows, inputs], 3))]) {
                const first = linear(x, w, bias).select(0, 0);
                expect(bits(first), where).toEqual(new Array(outputs).fill(0));
              }
            });
          }
        }
        w.dispose();
      }
      bias.dispose();
    }
  }
});

test("products: without a record too, also of weights that are kept as columns, with a bias and without", () => {
  const bias = random([21], 4);
  for (const [kind, make] of Object.entries(KINDS)) {
    for (const rows of [1, 6, 64, 65]) {
      for (const density of DENSITIES) {
        const w = random([21, 64], 7);
        const operand = () => make([rows, 64], density);
        const plain = noGrad(() => bits(dense(operand().clone(), w.transpose(0, 1))));
        const biased = tape(() => bits(linear(operand().clone(), leaf([21, 64], 7), bias)));
        for (const what of ["first", "second", "third"]) {
          const where = `${kind}, ${rows} rows, ${density}, ${what} use`;
          expect(
            noGrad(() => bits(linear(operand(), w))),
            where,
          ).toEqual(plain);
          expect(
            noGrad(() => bits(linear(operand(), w, bias))),
            where,
          ).toEqual(biased);
        }
        w.dispose();
      }
    }
  }
});

test("products: cost follows what is not zero: a weight that is not a number counts only where it is read", () => {
  const row = (value: number) => Array<number>(16).fill(value);
  const w = tensor([row(2), row(NaN), row(Infinity), ...Array.from({ length: 5 }, () => row(1))]);
  const one = (place: number, value: number) =>
    tensor([Array.from({ length: 8 }, (_, i) => (i === place ? value : 0))]);
  for (const multiply of [matmul, PRODUCTS.linear as Multiply]) {
    expect(values(multiply(one(0, 3), w))).toEqual(row(6));
    expect(values(multiply(one(1, 1), w))).toEqual(row(NaN));
    expect(values(multiply(one(2, -1), w))).toEqual(row(-Infinity));
    expect(values(multiply(one(3, NaN), w))).toEqual(row(NaN));
  }
});

test("products: of what repeats over time one step is computed", () => {
  const w = leaf([4, 3], 2);
  const x = leaf([2, 4], 3);
  const [got, expected] = [(t: Tensor) => t, (t: Tensor) => t.clone()].map((form) =>
    tape(() => {
      const z = matmul(form(x.expand([5, 2, 4])), w);
      z.sum({ axis: 0 }).square().sum().backward();
      const found = [z, w.grad as Tensor, x.grad as Tensor].map(values);
      for (const t of [w, x]) t.zeroGrad();
      return found;
    }),
  ) as [number[][], number[][]];
  expect(got[0]).toEqual(expected[0]);
  got.flat().forEach((v, i) => {
    expect(v).toBeCloseTo(expected.flat()[i] as number, 3);
  });
});
