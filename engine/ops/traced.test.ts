/** Products whose ∂L/∂weight uses a different input: all other results and gradients keep their bits. */
import { describe, expect, test } from "vitest";
import { bits, gradient, leaf, random } from "../../test/support/tensors.ts";
import { conv1d, conv2d, linear, maxPool2d, noGrad, type Tensor, tape } from "../index.ts";
import { traceWeights } from "./traced.ts";

type Product = (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor;

interface Case {
  readonly product: Product;
  readonly x: readonly number[];
  readonly weight: readonly number[];
}

const CASES: Readonly<Record<string, Case>> = {
  linear: { product: linear, x: [3, 5], weight: [4, 5] },
  "a linear head with many rows": { product: linear, x: [40, 64], weight: [2, 64] },
  "a wide linear layer": { product: linear, x: [6, 16], weight: [70, 16] },
  conv1d: { product: conv1d, x: [3, 2, 7], weight: [4, 2, 3] },
  conv2d: { product: (x, w, b) => conv2d(x, w, b, { padding: 1, stride: 2 }), x: [3, 2, 5, 6], weight: [4, 2, 3, 3] },
  "conv2d in groups": { product: (x, w, b) => conv2d(x, w, b, { groups: 2 }), x: [2, 4, 5, 5], weight: [6, 2, 2, 2] },
  "conv2d before a pool": {
    product: (x, w, b) => conv2d(x, w, b, { padding: 1 }),
    x: [2, 3, 6, 6],
    weight: [4, 3, 3, 3],
  },
};

/** Spikes or graded values with this density of non-zeros. */
const sparse = (shape: readonly number[], density: number, graded: boolean): Tensor => {
  const places = random(shape, 1, { low: 0, high: 1 }).lt(density);
  return graded ? places.mul(random(shape, 2)) : places;
};

describe.each(Object.entries(CASES))("%s", (name, { product, x: shape, weight: sizes }) => {
  test.each([
    [1, true],
    [0.3, true],
    [0.3, false],
    [0.02, false],
  ])("density %d, graded %s", (density, graded) => {
    const [spikes, trace] = [sparse(shape, density, graded), random(shape, 3)];
    const end = (z: Tensor) => (name.endsWith("pool") ? maxPool2d(z, 2) : z).square().sum();
    const run = (input: Tensor, learn: (z: Tensor) => void) => {
      const source = input.detach().clone();
      source.requiresGrad = true;
      const [weight, bias] = [leaf(sizes, 4), leaf([sizes[0] as number], 5)];
      const z = tape(() => {
        // The input is not a leaf, so that its gradient may take other forms.
        const z = product(source.mul(1), weight, bias);
        learn(z);
        return z;
      });
      return { z, dx: gradient(source), dw: gradient(weight), db: gradient(bias) };
    };
    const plain = run(spikes, (z) => end(z).backward());
    const traced = run(spikes, (z) => {
      traceWeights(z, trace);
      end(z).backward();
    });
    const output = plain.z.detach();
    output.requiresGrad = true;
    tape(() => end(output).backward());
    const ofTrace = run(trace, (z) => z.backward(output.grad as Tensor));
    expect(bits(traced.z)).toEqual(bits(plain.z));
    expect(traced.dx).toEqual(plain.dx);
    expect(traced.db).toEqual(plain.db);
    expect(traced.dw).toEqual(ofTrace.dw);
    expect(traced.dw).not.toEqual(plain.dw);
  });
});

test("traces: what is no product, or not on record, stays as it is, and a trace that is overwritten is an error", () => {
  const [x, weight, trace] = [random([2, 3], 1), leaf([4, 3], 2), random([2, 3], 3)];
  noGrad(() => traceWeights(linear(x, weight), trace));
  tape(() => {
    const z = weight.mul(2);
    const { op } = z;
    traceWeights(z, trace);
    expect(z.op).toBe(op);
  });
  tape(() => {
    const z = linear(x, weight);
    traceWeights(z, trace);
    trace.copyFrom(new Float32Array(6));
    expect(() => z.sum().backward()).toThrow(
      /^backward of linear: a value it needs, of shape \[2, 3\], was overwritten/,
    );
  });
});
