/** The products with few non-zeros: the same bits as the dense ones and as a loop in plain JavaScript. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bernoulli,
  concat,
  full,
  Generator,
  linear,
  matmul,
  ones,
  randn,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { bits } from "../support/tensors.ts";
import { holds } from "./support.ts";

const cases = fc.record({
  rows: fc.integer({ min: 1, max: 70 }),
  // Whole words of bits, too.
  inputs: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(32, 64, 96)),
  outputs: fc.integer({ min: 1, max: 40 }),
  density: fc.double({ min: 0, max: 1, noNaN: true }),
  graded: fc.boolean(),
  biased: fc.boolean(),
  seed: fc.nat(),
});

/** x·wᵀ + b with one accumulator an element, which starts from the bias and takes its terms in ascending order. */
function product(x: Tensor, w: Tensor, bias: Tensor | null): Float32Array {
  const [rows, inputs] = x.shape as [number, number];
  const outputs = w.shape[0] as number;
  const [a, b] = [x.toFloat32Array(), w.toFloat32Array()];
  return Float32Array.from({ length: rows * outputs }, (_, i) => {
    const [row, column] = [Math.floor(i / outputs), i % outputs];
    let sum = bias === null ? 0 : (bias.data[column] as number);
    for (let k = 0; k < inputs; k++) {
      sum = Math.fround(sum + Math.fround((a[row * inputs + k] as number) * (b[column * inputs + k] as number)));
    }
    return sum;
  });
}

/** The dense product: the bias is the weight of a first input that is always 1. */
function dense(x: Tensor, w: Tensor, bias: Tensor | null): Tensor {
  if (bias === null) return matmul(x, w.transpose());
  const one = ones([x.shape[0] as number, 1]);
  return matmul(concat([one, x], 1), concat([bias.unsqueeze(1), w], 1).transpose());
}

test("sparse: linear has the bits of the dense product and of its definition at any density and shape", () => {
  holds(cases, ({ rows, inputs, outputs, density, graded, biased, seed }) => {
    const generator = new Generator(seed);
    tape(() => {
      const spikes = bernoulli(full([rows, inputs], density), { generator });
      const values = randn([rows, inputs], { generator });
      const weights = randn([outputs, inputs], { generator });
      const upstream = randn([rows, outputs], { generator });
      const bias = biased ? randn([outputs], { generator }) : null;

      /** The result and the gradients of x and w. */
      const run = (fn: typeof dense, x: Tensor): number[][] => {
        const w = weights.clone();
        w.requiresGrad = true;
        const leaf = x === spikes ? x : x.clone();
        leaf.requiresGrad = x !== spikes;
        const z = fn(leaf, w, bias);
        z.backward(upstream);
        return [z, w.grad as Tensor, ...(leaf.grad === null ? [] : [leaf.grad])].map(bits);
      };

      // As bits first: what reads them otherwise writes them out.
      const packed = graded ? null : run(linear, spikes);
      const x = graded ? spikes.mul(values) : tensor(spikes.toFloat32Array(), { shape: [rows, inputs] });
      const sparse = run(linear, x);
      expect(sparse).toEqual(run(dense, x));
      expect(sparse[0]).toEqual(bits(product(x, weights, bias)));
      if (packed !== null) expect(packed).toEqual(sparse.slice(0, 2));
    });
  });
});
