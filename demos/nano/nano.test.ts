import { readFileSync } from "node:fs";
import { Generator, noGrad, rand } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { nanoPage } from "../../scripts/nano.mjs";
import { backward, crossEntropy, gradOf, linear, record, Tensor, toy } from "./nano.ts";
import { toy as toyJs } from "./nano-js.ts";
import { mul } from "./own.ts";
import { equalWeights, packaged } from "./packaged.ts";

const [INPUTS, B] = [32, 128];
const STEPS = process.env.KERNELS === "debug" ? 20 : 200;
const SEED = 3;

const batches = Array.from({ length: 8 }, (_, i) => {
  const x = rand([B, INPUTS], { generator: new Generator(i) }).toFloat32Array();
  const y = Uint8Array.from({ length: B }, (_, b) => {
    let score = 0;
    for (let f = 0; f < INPUTS; f++) score += (x[b * INPUTS + f] as number) * (f - (INPUTS - 1) / 2);
    return score > 0 ? 1 : 0;
  });
  return { x, y };
});
/** Parts of these batches, for plain loops. */
const small = batches.flatMap(({ x, y }) =>
  Array.from({ length: 8 }, (_, i) => ({
    x: x.subarray(16 * INPUTS * i, 16 * INPUTS * (i + 1)),
    y: y.subarray(16 * i, 16 * (i + 1)),
  })),
);
type Batch = (typeof batches)[number];
const first = batches[0] as Batch;
const batchOf = (of: readonly Batch[], step: number) => of[step % of.length] as Batch;

/** The share of a batch whose larger score is that of its class. */
const accuracyOf = (scores: Float32Array, { y }: Batch): number =>
  y.filter((label, b) => label === ((scores[2 * b + 1] as number) > (scores[2 * b] as number) ? 1 : 0)).length /
  y.length;

test(`nano: losses and all weights of ${STEPS} steps have the bits of the package`, () => {
  const [one, other] = [toy(SEED), packaged(SEED)];
  for (let i = 0; i < STEPS; i++) {
    const { x, y } = batchOf(batches, i);
    expect(one.step(x, y)).toBe(other.step(x, y));
  }
  expect(equalWeights(one, other)).toEqual({ equal: 4482, of: 4482 });
});

test("nano: a gradient that is first taken in a step ends with the step, also where its tensor does not", () => {
  const [W, b] = [new Tensor([2, 3]).set([1, 2, 3, 4, 5, 6]), new Tensor([2]).set([0, 0])];
  const gradientOf = () =>
    record(() => {
      const x = new Tensor([2, 3]).set([1, 0, 1, 0, 1, 0]);
      backward(crossEntropy(linear(x, W, b), [0, 1]));
      return [...new Float32Array(W.data.buffer, gradOf(W), W.size)];
    });
  const first = gradientOf();
  expect(W.gradPtr).toBe(0);
  expect(first.some((x) => x !== 0)).toBe(true);
  expect(gradientOf()).toEqual(first);
});

test("nano: an output that nothing reads has a gradient of zeros", () => {
  const [rows, n, inputs] = [8, 512, 64];
  const [W, b] = [new Tensor([n, inputs]), new Tensor([n])];
  W.data.fill(0.5);
  b.data.fill(0);
  const gradient = record(() => {
    const x = new Tensor([rows, inputs]);
    x.data.fill(1);
    linear(x, W, b);
    const [V, c] = [new Tensor([2, inputs]), new Tensor([2])];
    V.data.fill(0);
    c.data.fill(0);
    backward(crossEntropy(linear(x, V, c), new Array(rows).fill(0)));
    return new Float32Array(W.data.buffer, gradOf(W), W.size).slice();
  });
  expect(gradient.every((x) => x === 0)).toBe(true);
});

test("the op of one's own on nano's page: its gradient is that of differences", () => {
  const [x, W, b] = [new Tensor([2, 3]), new Tensor([2, 3]), new Tensor([2])];
  x.set([0.5, -1, 2, 1, 0.25, -0.5]);
  W.set([0.1, 0.4, -0.3, 0.2, -0.6, 0.5]);
  b.set([0.1, -0.2]);
  const lossOf = () => crossEntropy(linear(mul(x, x), W, b), [0, 1]);
  const gradient = record(() => {
    backward(lossOf());
    return new Float32Array(x.data.buffer, gradOf(x), x.size).slice();
  });
  const h = 1e-2;
  const lossAt = (i: number, value: number) => {
    const before = x.data[i] as number;
    x.data[i] = value;
    const loss = record(() => lossOf().data[0] as number);
    x.data[i] = before;
    return loss;
  };
  for (const [i, value] of [...x.data].entries()) {
    expect(gradient[i]).toBeCloseTo((lossAt(i, value + h) - lossAt(i, value - h)) / (2 * h), 3);
  }
});

describe("nano-js", () => {
  test("the spikes of the first step are those of the package, but where a membrane is at the threshold", () => {
    const { spikes } = toyJs(SEED).forward(first.x);
    const [u, expected] = noGrad(() => {
      const { model, encode } = packaged(SEED);
      const { membrane, spikes } = model.lif.unroll(model.fc1.forward(encode(first.x)));
      return [membrane.toFloat32Array(), spikes.toFloat32Array()];
    });
    const differing = [...spikes.data.keys()].filter((i) => spikes.data[i] !== expected[i]);
    expect(differing.filter((i) => Math.abs((u[i] as number) - 1) >= 1e-6)).toEqual([]);
    expect(spikes.data.reduce((sum, s) => sum + s, 0)).toBeGreaterThan(1000);
  });

  test("its first loss is that of the package to 10⁻⁵, and it learns as well", () => {
    const [one, other] = [toyJs(SEED), packaged(SEED)];
    expect(Math.abs(one.step(first.x, first.y) - other.step(first.x, first.y))).toBeLessThan(1e-5);
    for (let i = 1; i < STEPS; i++) {
      const { x, y } = batchOf(small, i);
      one.step(x, y);
      other.step(x, y);
    }
    const mean = (scores: (x: Float32Array) => Float32Array) =>
      batches.reduce((sum, batch) => sum + accuracyOf(scores(batch.x), batch) / batches.length, 0);
    const [ours, theirs] = [
      mean((x) => one.forward(x).scores.data),
      mean((x) => noGrad(() => other.model.forward(other.encode(x)).toFloat32Array())),
    ];
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(0.01);
    expect(theirs).toBeGreaterThan(STEPS > 100 ? 0.85 : 0.5);
  });
});

test("docs/nano.md shows the source of today", () => {
  const page = readFileSync(new URL("../../docs/nano.md", import.meta.url), "utf8");
  expect(nanoPage(page), "npm run charts writes it").toBe(page);
  expect(page.match(/^```ts shown=/gm)).toHaveLength(8);
});
