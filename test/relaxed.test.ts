/** The promises of the arithmetic hold among results of one machine with fused products too. */
import { setFlagsFromString } from "node:v8";
import type { Module, Sequential, Tensor } from "jarvis-snn";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

/**
 * A module with one function (x, y, z) → x·y + z, by the instruction in question:
 *
 *   (f32x4.extract_lane 0 (f32x4.relaxed_madd (f32x4.splat x) (f32x4.splat y) (f32x4.splat z)))
 */
const INSTRUCTION = Uint8Array.from(
  [
    [0, 97, 115, 109, 1, 0, 0, 0],
    [1, 8, 1, 96, 3, 125, 125, 125, 1, 125],
    [3, 2, 1, 0],
    [7, 5, 1, 1, 102, 0, 0],
    [10, 22, 1, 20, 0, 32, 0, 253, 19, 32, 1, 253, 19, 32, 2, 253, 19, 253, 133, 2, 253, 31, 0, 11],
  ].flat(),
);

// Node 20 has relaxed SIMD behind a flag, which the threads of this process read too.
if (!WebAssembly.validate(INSTRUCTION)) setFlagsFromString("--experimental-wasm-relaxed-simd");
vi.resetModules();
await import("jarvis-snn/relaxed");
const snn = await import("jarvis-snn");
const { arithmetic, alloc, free, kernels, memory, productDescriptor, PRODUCT_DESCRIPTOR_BYTES } = await import(
  "jarvis-snn/kernels"
);
const { start } = await import("../engine/threads/start.ts");
const { measure, measureAll } = await import("./determinism/run.ts");
const { readGolden } = await import("./support/golden.ts");

const madd = new WebAssembly.Instance(new WebAssembly.Module(INSTRUCTION)).exports.f as (
  x: number,
  y: number,
  z: number,
) => number;

/** All work is cut that can be. */
const ALL = { work: 0, columns: 16 };

afterAll(() => start(1));

test("relaxed: the kernels say so", () => {
  expect(arithmetic).toBe("relaxed");
});

test("relaxed: pinned hashes and golden files are for portable kernels", async () => {
  await expect(measureAll()).rejects.toThrow(/^determinism: expected portable kernels, got relaxed ones$/);
  expect(() => readGolden("torch/optim")).toThrow(/^golden: expected portable kernels, got relaxed ones$/);
});

/** Numbers between −1 and 1, of which about `density` are not 0. */
function numbers(n: number, seed: number, density = 1): Float32Array {
  snn.manualSeed(seed);
  return snn.noGrad(() => {
    const kept = snn.rand([n]).lt(density);
    return snn.rand([n]).mul(2).sub(1).mul(kept).toFloat32Array();
  });
}

/** Runs a product over addresses of its operands, and returns C. */
function product(size: number, call: (put: (values: ArrayLike<number>) => number, c: number) => void): number[] {
  const blocks: [number, number][] = [];
  const room = (words: number): number => {
    const at = alloc(4 * words + 64);
    blocks.push([at, 4 * words + 64]);
    return at;
  };
  const c = room(size);
  call((values) => {
    const at = room(values.length);
    const isFloat = values instanceof Float32Array;
    new (isFloat ? Float32Array : Uint32Array)(memory.buffer, at, values.length).set(values);
    return at;
  }, c);
  const result = [...new Float32Array(memory.buffer, c, size)];
  for (const [at, bytes] of blocks) free(at, bytes);
  return result;
}

const describedAt = (put: (values: ArrayLike<number>) => number, descriptor: Parameters<typeof productDescriptor>[1]) =>
  productDescriptor(put(new Uint32Array(PRODUCT_DESCRIPTOR_BYTES / 4)), descriptor);

/** Rows of whole words with a bit for each value that is not 0. */
function bitsOf(values: Float32Array, n: number): Uint32Array {
  const words = Math.ceil(n / 32);
  const bits = new Uint32Array((values.length / n) * words);
  values.forEach((value, i) => {
    const at = words * Math.floor(i / n) + Math.floor((i % n) / 32);
    if (value !== 0) bits[at] = ((bits[at] as number) | (1 << ((i % n) % 32))) >>> 0;
  });
  return bits;
}

const transposed = (x: Float32Array, rows: number): Float32Array => {
  const columns = x.length / rows;
  return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)] as number);
};

describe.each([
  [1, 9, 5],
  [2, 3, 4],
  [5, 37, 70],
  [7, 28, 33],
  [33, 17, 300],
  [64, 75, 515],
])("relaxed: every way to the product [%i, %i], of sums of %i terms, is the instruction", (m, n, k) => {
  const a = numbers(m * k, 1, 0.3);
  const b = numbers(k * n, 2);
  const bias = numbers(n, 3);
  let expected: number[];
  beforeAll(() => {
    expected = Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = bias[j] as number;
      for (let p = 0; p < k; p++) sum = madd(a[i * k + p] as number, b[p * n + j] as number, sum);
      return sum;
    });
  });

  test("dense", () => {
    const z = product(m * n, (put, c) =>
      kernels.gemm(describedAt(put, { c, m, n, k, a: put(a), b: put(b), init: put(bias) })),
    );
    expect(z).toEqual(expected);
  });

  test("dense, columns of B contiguous", () => {
    const z = product(m * n, (put, c) => {
      const strides = { bRow: 1, bCol: k };
      kernels.gemm(describedAt(put, { c, m, n, k, a: put(a), b: put(transposed(b, k)), init: put(bias), ...strides }));
    });
    expect(z).toEqual(expected);
  });

  test.each([
    ["rows", { bRow: n, bCol: 1 }],
    ["columns", { bRow: 1, bCol: k }],
  ])("row by row, %s of B contiguous", (order, strides) => {
    const z = product(m * n, (put, c) => {
      const [at, values] = [put(a), put(order === "rows" ? b : transposed(b, k))];
      const init = put(bias);
      for (let i = 0; i < m; i++) {
        const row = { c: c + 4 * i * n, m: 1, n, k, a: at + 4 * i * k, b: values, init, ...strides };
        kernels.gemm(describedAt(put, row));
      }
    });
    expect(z).toEqual(expected);
  });

  test("sparse", () => {
    const z = product(m * n, (put, c) => {
      const bits = bitsOf(a, k);
      const count = a.filter((x) => x !== 0).length;
      const work = put(new Uint32Array(m + 5 + 2 * count));
      const operands = { a: put(a), b: put(b), init: put(bias) };
      kernels.gather(describedAt(put, { c, m, n, k, ...operands, bits: put(bits), count, work }));
    });
    expect(z).toEqual(expected);
  });
});

test("relaxed: images with few values that are not 0 have the same convolutions and gradients beside others", () => {
  const [few, many] = [snn.tensor(numbers(3 * 2 * 9 * 11, 4, 0.05), { shape: [3, 2, 9, 11] }), snn.ones([3, 2, 9, 11])];
  const [w, b] = [numbers(7 * 2 * 9, 5), numbers(7, 6)];
  const both = (x: Tensor) =>
    snn.tape(() => {
      const weight = snn.tensor(w, { shape: [7, 2, 3, 3], requiresGrad: true });
      const z = snn.conv2d(x, weight, snn.tensor(b), { padding: 1 }).slice(0, 0, 3);
      z.mul(snn.tensor(numbers(3 * 7 * 9 * 11, 7), { shape: [3, 7, 9, 11] }))
        .sum()
        .backward();
      return [...z.toFloat32Array(), ...(weight.grad as Tensor).toFloat32Array()];
    });
  expect(both(few)).toEqual(both(snn.concat([few, many], 0)));
});

/** The equations of LIF as a neuron that is compiled. */
const Compiled = snn.neuron({
  name: "Compiled",
  state: { v: 0 },
  parameters: { beta: 0.95, threshold: 1 },
  step({ current, v, beta, threshold, spike }) {
    const u = v.mul(beta).add(current);
    const s = spike(u.sub(threshold));
    return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)) };
  },
});

const NEURONS: Readonly<Record<string, () => Module>> = {
  plain: () => new snn.LIF({ beta: 0.95, threshold: 1, reset: "subtract" }),
  compiled: () => new Compiled(),
  "fed back": () => new snn.RecurrentLIF({ features: 45 }),
};

/** A network with odd sizes after three steps: losses, parameters, outputs of forward and of a stream. */
function train(make: () => Module) {
  snn.manualSeed(5);
  const net = new snn.Sequential(new snn.Linear(100, 45), make(), new snn.Linear(45, 10), new snn.LIF());
  const optimizer = new snn.Adam(net.parameters(), { lr: 1e-2 });
  const x = snn.poissonEncode(snn.rand([33, 100]).mul(0.4), { timesteps: 7 });
  const targets = Array.from({ length: 33 }, (_, i) => i % 10);
  const learned: number[] = [];
  for (let step = 0; step < 3; step++) {
    snn.tape(() => {
      const loss = snn.crossEntropy(net.forward(x).sum({ axis: 0 }), targets);
      optimizer.zeroGrad();
      loss.backward();
      learned.push(loss.item());
    });
    optimizer.step();
  }
  for (const parameter of net.parameters()) learned.push(...parameter.toFloat32Array());
  const forward = snn.noGrad(() => [...net.forward(x).toFloat32Array()]);
  return { learned, forward, streamed: streamed(net, x) };
}

function streamed(net: Sequential, x: Tensor): number[] {
  const stream = new snn.Stream(net, x.shape.slice(1));
  const inputs = snn.noGrad(() => x.unbind(0).map((each) => each.toFloat32Array()));
  return inputs.flatMap((input) => [...stream.step(input)]);
}

describe.each(Object.keys(NEURONS))("relaxed: a network with %s neurons", (name) => {
  const make = NEURONS[name] as () => Module;
  let alone: ReturnType<typeof train>;
  beforeAll(async () => {
    await start(1);
    alone = train(make);
  });

  test("has the same outputs by forward and by a stream", () => {
    expect(alone.forward.some((x) => x !== 0)).toBe(true);
    expect(alone.streamed).toEqual(alone.forward);
  });

  test.each([2, 3, 7])("trains to the same bits with %i threads", async (n) => {
    await start(n, ALL);
    expect(train(make)).toEqual(alone);
  });
});

test("relaxed: plain and compiled neurons are not fused: a network with either trains to the same bits", async () => {
  await start(1);
  const [plain, compiled] = [NEURONS.plain as () => Module, NEURONS.compiled as () => Module];
  expect(train(compiled)).toEqual(train(plain));
});

test.each(["toy", "recurrent", "conv", "int8"])(
  "relaxed: %s has the same outputs whole, in batches and by steps, on 1 and 3 threads",
  async (name) => {
    await start(1);
    const alone = await measure(name);
    expect([alone.byBatches, alone.bySteps]).toEqual([alone.outputs, alone.outputs]);
    await start(3, ALL);
    expect(await measure(name)).toEqual(alone);
  },
);
