/** Packed spikes, and gradients that repeat over time, compared with the same values materialised. */
import { describe, expect, test } from "vitest";
import {
  bernoulli,
  full,
  Generator,
  gradcheck,
  keep,
  linear,
  mean,
  memoryStats,
  noGrad,
  parameter,
  rand,
  randn,
  sum,
  type Tensor,
  tape,
} from "../../engine/index.ts";
import { LIF, type LIFOptions, poissonEncode, surrogate } from "../index.ts";

const T = 6;
const generator = () => new Generator(3);
const values = (t: Tensor): number[] => Array.from(t.data);
const uniform = (shape: number[]) => rand(shape, { generator: generator() });
const encode = (shape: number[], rate = 0.4) =>
  poissonEncode(full(shape, rate), { timesteps: T, generator: generator() });

/** Expects that `fn` at the root leaves no live bytes. */
function withoutLeak(fn: () => void): void {
  const before = memoryStats().live;
  fn();
  expect(memoryStats().live).toBe(before);
}

describe("spikes as bits", () => {
  test("read as zeros and ones, by element, array and text", () => {
    tape(() => {
      const z = encode([2, 5]);
      const flat = values(z);
      expect(new Set(flat)).toEqual(new Set([0, 1]));
      expect(values(encode([2, 5]).reshape([T, 10]))).toEqual(flat);
      expect(encode([2, 5]).toArray()).toEqual(z.toArray());
      expect(encode([2, 5]).toString()).toBe(z.toString());
      expect(values(encode([2, 5]).add(1))).toEqual(flat.map((v) => v + 1));
    });
  });

  test("a written value counts from then on", () => {
    tape(() => {
      const z = encode([3]);
      z.data[0] = 5;
      const expected = values(z).reduce((total, v) => total + v);
      expect(sum(z).item()).toBe(expected);
      z.copyFrom(full(z.shape, 0.5));
      expect(values(linear(z, full([2, 3], 1)))).toEqual(Array(2 * T).fill(1.5));
    });
  });

  test("sums and means over any axis are those of the floats", () => {
    tape(() => {
      for (const n of [1, 7, 32, 45]) {
        const floats = encode([2, n]).clone();
        for (const axis of [0, 1, -1, [0, 1], [0, 2], [0, 1, 2]]) {
          expect(values(sum(encode([2, n]), { axis })), `sum ${axis} of ${n}`).toEqual(values(sum(floats, { axis })));
          expect(values(mean(encode([2, n]), { axis })), `mean ${axis}`).toEqual(values(mean(floats, { axis })));
        }
      }
    });
  });

  test("linear has the bits of the product of floats, forward and gradients, at every width and density", () => {
    for (const inputs of [1, 20, 32, 40, 64]) {
      for (const rate of [0, 0.05, 0.5, 1]) {
        const run = (packed: boolean, outputs: number) =>
          tape(() => {
            const x = encode([3, inputs], rate);
            const weight = uniform([outputs, inputs]);
            const bias = uniform([outputs]);
            for (const t of [weight, bias]) t.requiresGrad = true;
            const z = linear(packed ? x : x.clone(), weight, bias);
            z.backward(randn(z.shape, { generator: generator() }));
            return [z, weight.grad as Tensor, bias.grad as Tensor].map(values);
          });
        for (const outputs of [3, 16, 40]) expect(run(true, outputs)).toEqual(run(false, outputs));
      }
    }
  });

  test("are read from bits again in backward, also after the floats were asked for", () => {
    tape(() => {
      const x = encode([3, 32]);
      const weight = uniform([16, 32]);
      weight.requiresGrad = true;
      const z = linear(x, weight);
      const floats = x.toFloat32Array();
      z.sum().backward();
      const expected = Array.from({ length: 32 }, (_, i) => {
        let count = 0;
        for (let row = 0; row < 3 * T; row++) count += floats[row * 32 + i] as number;
        return count;
      });
      expect(values((weight.grad as Tensor).select(0, 5))).toEqual(expected);
    });
  });

  test("outlive their tape when they are returned or kept, and parameters of them can be trained", () => {
    withoutLeak(() => {
      let kept: Tensor | undefined;
      const returned = noGrad(() => {
        kept = keep(encode([4]));
        return encode([4]);
      });
      const probabilities = full([4], 0.5);
      const p = parameter(bernoulli(probabilities));
      tape(() => {
        p.sum().backward();
      });
      expect(values(returned)).toEqual(values(kept as Tensor));
      expect(values(p.grad as Tensor)).toEqual([1, 1, 1, 1]);
      for (const t of [returned, kept as Tensor, p, probabilities]) t.dispose();
    });
  });

  test("stay bits when they leave all tapes, with the values and the memory of bits", () => {
    const rates = full([40], 0.4);
    withoutLeak(() => {
      const { live } = memoryStats();
      const draw = () => poissonEncode(rates, { timesteps: T, generator: generator() });
      const packed = noGrad(draw);
      expect(memoryStats().live - live).toBeLessThan(T * 40);
      const nested = noGrad(() => noGrad(draw));
      const weight = uniform([16, 40]);
      tape(() => {
        const floats = draw().clone();
        expect(values(linear(packed, weight))).toEqual(values(linear(floats, weight)));
        expect(values(sum(packed, { axis: 0 }))).toEqual(values(sum(floats, { axis: 0 })));
        expect(packed.toFloat32Array()).toEqual(floats.toFloat32Array());
        expect(nested.toFloat32Array()).toEqual(floats.toFloat32Array());
      });
      packed.copyFrom(new Float32Array(packed.size).fill(0.5));
      tape(() => {
        expect(values(linear(packed, full([1, 40], 1)))).toEqual(Array(T).fill(20));
      });
      for (const t of [packed, nested, weight]) t.dispose();
    });
    rates.dispose();
  });

  test("are constants for the float64 kernels, which leave them as they are", () => {
    const x = noGrad(() => encode([2, 5]));
    const floats = x.clone().toFloat32Array();
    const packed = noGrad(() => encode([2, 5]));
    const total = floats.reduce((a, b) => a + b);
    gradcheck(
      (w) => {
        const z = linear(packed, w);
        if (w.ptr < 0) expect(sum(z).item()).toBeCloseTo(2 * total, 4);
        return z;
      },
      [full([2, 5], 1)],
    );
    gradcheck((w) => packed.select(0, 1).mul(w), [uniform([2, 5])]);
    expect(packed.toFloat32Array()).toEqual(floats);
  });

  test("at the root belong to the caller, read or not", () => {
    const probabilities = full([9], 0.5);
    withoutLeak(() => {
      bernoulli(probabilities).dispose();
      const read = bernoulli(probabilities);
      read.data;
      read.dispose();
      expect(() => read.data).toThrow(/freed/);
    });
    probabilities.dispose();
  });
});

describe("gradients that repeat over time", () => {
  const N = 36;
  /** Gradients of weights before a LIF whose spikes `loss` reads. */
  function gradients(options: LIFOptions, loss: (spikes: Tensor, w: Tensor) => Tensor, constant = false) {
    return tape(() => {
      const weight = randn([N, 8], { generator: generator(), requiresGrad: true });
      const x = uniform(constant ? [2, 8] : [T, 2, 8]);
      const current = linear(constant ? x.expand([T, 2, 8]) : x, weight);
      const lif = new LIF(options);
      loss(lif.forward(current), uniform([2, N])).backward();
      return [values(weight.grad as Tensor), ...lif.parameters().map((p) => values(p.grad as Tensor))];
    });
  }

  const inverse = Math.fround(1 / T);
  const repeated = (s: Tensor, w: Tensor) => s.mean({ axis: 0 }).mul(w).sum();
  const written = (s: Tensor, w: Tensor) => s.mul(w.mul(inverse).expand(s.shape).clone()).sum();

  const CASES: Record<string, LIFOptions> = {
    default: {},
    subtract: { reset: "subtract", surrogate: surrogate.atan() },
    delayed: { reset: "subtract", resetDelay: true, surrogate: surrogate.fastSigmoid() },
    custom: { surrogate: surrogate.custom({ derivative: (x) => x.abs().mul(-1).exp() }) },
    refractory: { refractorySteps: 2 },
    attached: { detachReset: false },
    learned: { learnBeta: true, learnThreshold: true },
  };

  for (const [name, options] of Object.entries(CASES)) {
    test(`give what the written-out gradient gives: ${name}`, () => {
      for (const constant of [false, true]) {
        expect(gradients(options, repeated, constant)).toEqual(gradients(options, written, constant));
      }
    });
  }

  test("add to and are added to other gradients of the spikes", () => {
    const both = (a: typeof repeated, b: typeof repeated) => (s: Tensor, w: Tensor) => a(s, w).add(b(s, w));
    const tail = (s: Tensor, w: Tensor) => s.select(0, -1).mul(w).sum();
    const expected = gradients({}, both(written, tail));
    for (const loss of [both(repeated, tail), both(tail, repeated)]) {
      const got = gradients({}, loss);
      got.forEach((g, i) => {
        g.forEach((v, j) => {
          expect(v).toBeCloseTo((expected[i] as number[])[j] as number, 5);
        });
      });
    }
  });

  test("over more axes than time are written out", () => {
    const all = gradients({}, (s) => s.mean());
    const steps = gradients({}, (s) => s.mean({ axis: [0, 1] }).mean());
    const factor = Math.fround(1 / (T * 2 * N));
    expect(all).toEqual(gradients({}, (s) => s.mul(full(s.shape, factor)).sum()));
    steps.forEach((g, i) => {
      g.forEach((v, j) => {
        expect(v).toBeCloseTo((all[i] as number[])[j] as number, 6);
      });
    });
  });

  test("leave a membrane that can still be read as it was", () => {
    tape(() => {
      const current = randn([T, 2, N], { generator: generator(), requiresGrad: true });
      const record = new LIF().unroll(current);
      record.spikes.mean({ axis: 0 }).sum().backward();
      const fresh = noGrad(() => new LIF().unroll(current).membrane.clone());
      expect(values(record.membrane)).toEqual(values(fresh));
    });
  });

  test("a pass that fails gives its gradients back and leaves the records", () => {
    tape(() => {
      const weight = randn([N, 8], { generator: generator(), requiresGrad: true });
      const x = uniform([T, 2, 8]);
      const loss = new LIF().forward(linear(x, weight)).mean({ axis: 0 }).sum();
      weight.copyFrom(weight.clone());
      const before = memoryStats().live;
      expect(() => loss.backward()).toThrow(/overwritten/);
      expect(memoryStats().live).toBeLessThanOrEqual(before);
    });
  });
});

describe("gradients that are still a product", () => {
  const CASES: Record<string, LIFOptions> = {
    default: {},
    subtract: { reset: "subtract", surrogate: surrogate.atan() },
    delayed: { reset: "subtract", resetDelay: true, surrogate: surrogate.fastSigmoid() },
    box: { surrogate: surrogate.boxcar() },
    custom: { surrogate: surrogate.custom({ derivative: (x) => x.abs().mul(-1).exp() }) },
    refractory: { refractorySteps: 2 },
    attached: { detachReset: false },
    learned: { learnBeta: true, learnThreshold: true },
  };

  /** Gradients of the weights before and after `n` neurons, for two samples, whose spikes a head reads in each step. */
  function gradients(n: number, options: LIFOptions, constant: boolean, head: (s: Tensor, w: Tensor) => Tensor) {
    return tape(() => {
      const [weight, out] = [8, 3].map((size) =>
        randn(size === 8 ? [n, 8] : [3, n], { generator: generator(), requiresGrad: true }),
      ) as [Tensor, Tensor];
      const x = uniform(constant ? [2, 8] : [T, 2, 8]);
      const lif = new LIF(options);
      const z = head(lif.forward(linear(constant ? x.expand([T, 2, 8]) : x, weight)), out);
      z.backward(randn(z.shape, { generator: generator() }));
      return [weight, out, ...lif.parameters()].map((t) => values(t.grad as Tensor));
    });
  }

  /** Passes the gradient through an op that materialises it. */
  const written = (s: Tensor, w: Tensor) => linear(s.mul(1), w);

  for (const [name, options] of Object.entries(CASES)) {
    test(`give what the written-out gradient gives: ${name}`, () => {
      for (const constant of [false, true]) {
        const heads = [linear, (s: Tensor, w: Tensor) => s.matmul(w.transpose(0, 1))];
        for (const head of heads)
          expect(gradients(36, options, constant, head)).toEqual(gradients(36, options, constant, written));
      }
    });
  }

  test("several steps at a time, or one", () => {
    for (const n of [20_000, 70_000]) {
      const box = { surrogate: surrogate.boxcar() };
      for (const constant of [false, true])
        expect(gradients(n, box, constant, linear)).toEqual(gradients(n, box, constant, written));
    }
  });

  test("a single neuron has its time as features, however many", () => {
    const steps = 140_000;
    const run = (head: typeof written) =>
      tape(() => {
        const current = randn([steps], { generator: generator(), requiresGrad: true });
        head(new LIF().forward(current), randn([2, steps], { generator: generator() }))
          .sum()
          .backward();
        return values(current.grad as Tensor);
      });
    const expected = run(written);
    expect(run(linear).findIndex((g, i) => g !== expected[i])).toBe(-1);
  });

  test("add to and are added to other gradients of the spikes", () => {
    const twice = (s: Tensor, w: Tensor) => linear(s, w).add(linear(s, w.mul(2)));
    const mean = (s: Tensor, w: Tensor) => linear(s, w).add(s.mean());
    for (const head of [twice, mean])
      expect(gradients(36, {}, false, head)).toEqual(gradients(36, {}, false, (s, w) => head(s.mul(1), w)));
  });
});
