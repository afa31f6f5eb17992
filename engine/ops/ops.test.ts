/**
 * Every op in the chain of trust: its gradient against central differences, all in float64, then values and gradients of
 * the SIMD kernels against the float64 reference. The table is typed by the registry: an op without a row does not compile.
 */
import { describe, expect, test } from "vitest";
import { elementwise } from "../../test/support/elementwise.ts";
import { LAYERS } from "../../test/support/ops/layers.ts";
import { LAYOUT } from "../../test/support/ops/layout.ts";
import { POINTWISE } from "../../test/support/ops/pointwise.ts";
import { PRODUCTS } from "../../test/support/ops/products.ts";
import { REDUCE } from "../../test/support/ops/reduce.ts";
import { type Case, unary } from "../../test/support/ops/row.ts";
import { numbers } from "../../test/support/sides.ts";
import { bytesKept, expectNear, random } from "../../test/support/tensors.ts";
import { root } from "../core/scope.ts";
import { composed } from "../core/tape.ts";
import { withReference } from "../gradcheck.ts";
import * as engine from "../index.ts";
import {
  amax,
  clamp,
  clone,
  concat,
  cumsum,
  detach,
  dropout,
  expand,
  flatten,
  flip,
  gradcheck,
  mean,
  ones,
  pad,
  permute,
  reshape,
  slice,
  split,
  squeeze,
  sum,
  Tensor,
  tape,
  tensor,
  tile,
  transpose,
} from "../index.ts";
import { ops } from "./index.ts";

const TABLE: Record<keyof typeof ops, Case[]> = {
  ...elementwise((name, range) => unary(ops[name], range)),
  ...POINTWISE,
  ...REDUCE,
  ...LAYOUT,
  ...PRODUCTS,
  ...LAYERS,
};

/** Values and gradients of Σ w·z, on whichever kernels are in use. */
function outcome({ inputs, run, differentiable = true }: Case, data: readonly number[][]) {
  return tape(() => {
    const x = inputs.map((shape, i) =>
      tensor(data[i] as number[], { shape: [...shape], requiresGrad: differentiable }),
    );
    const outputs = [run(...x)].flat() as Tensor[];
    if (differentiable) {
      const parts = outputs.map((z, i) => z.mul(random(z.shape, 50 + i)).sum());
      parts.reduce((total, part) => total.add(part)).backward();
    }
    const plain = (t: Tensor) => Array.from(t.data);
    return {
      shapes: outputs.map((z) => [...z.shape]),
      recorded: outputs.map((z) => z.requiresGrad),
      values: outputs.map(plain),
      gradients: differentiable ? x.map((t) => plain(t.grad as Tensor)) : [],
    };
  });
}

/** Bytes in use and records that the case leaves at the root once its results are disposed of. */
function leftovers(
  { run, chained = false }: Case,
  inputs: readonly Tensor[],
  backwards: boolean,
): [bytes: number, records: number] {
  const records = root.records.length;
  const bytes = bytesKept(() => {
    const call = (): Tensor[] => [run(...inputs)].flat() as Tensor[];
    // All results of a case become one tensor, so that the call frees the other tensors of the case.
    const one = (): Tensor => concat(call().map((z) => z.reshape([-1])));
    const outputs = chained ? [composed(one)] : call();
    for (const z of outputs) if (backwards && z.requiresGrad) tape(() => z.backward(ones(z.shape)));
    for (const z of outputs) z.dispose();
  });
  return [bytes, root.records.length - records];
}

describe.each(Object.entries(TABLE))("%s", (name, cases) => {
  test.each(cases)(`${name}, outside of tapes: $of`, (one) => {
    const { inputs, range: [low, high] = [-2, 2], differentiable = true } = one;
    const hint = ": does it need composed(), or is the case chained?";
    const make = (requiresGrad: boolean) =>
      inputs.map((shape, i) => random(shape, 11 + i, { low, high, requiresGrad }));
    expect(leftovers(one, make(false), false), `without a gradient${hint}`).toEqual([0, 0]);
    if (!differentiable) return;
    const leaves = make(true);
    expect(leftovers(one, leaves, false), `without backward${hint}`).toEqual([0, 0]);
    leftovers(one, leaves, true); // creates the gradients
    expect(leftovers(one, leaves, true), `after backward${hint}`).toEqual([0, 0]);
  });

  test.each(cases)(`${name}: $of`, (one) => {
    const { inputs, run, gives, range: [low, high] = [-2, 2], differentiable = true } = one;
    const data = inputs.map((shape, i) =>
      numbers(
        shape.reduce((product, n) => product * n, 1),
        11 + i,
        low,
        high,
      ).map(Math.fround),
    );
    if (differentiable) {
      tape(() =>
        gradcheck(
          run,
          inputs.map((shape, i) => tensor(data[i] as number[], { shape: [...shape] })),
        ),
      );
    }
    const simd = outcome(one, data);
    const reference = withReference(() => outcome(one, data));
    expect(simd.shapes).toEqual(gives);
    expect(simd.recorded).toEqual(gives.map(() => differentiable));
    simd.values.forEach((values, i) => expectNear(values, reference.values[i] as number[], `result ${i}`));
    simd.gradients.forEach((values, i) => expectNear(values, reference.gradients[i] as number[], `gradient ${i}`));
  });
});

test("ops: a result is a tensor of its own, also where there is nothing to do", () => {
  const scalar = tensor(3);
  const x = random([2, 3], 1);
  const results: Record<string, [Tensor, Tensor]> = {
    sum: [scalar, sum(scalar)],
    mean: [scalar, mean(scalar)],
    amax: [scalar, amax(scalar)],
    "sum over no axis": [x, sum(x, { axis: [] })],
    "cumsum of one element": [scalar, cumsum(scalar)],
    "flip of no axis": [x, flip(x, [])],
    "pad by nothing": [x, pad(x, [0, 0])],
    "tile once": [x, tile(x, [1])],
    "split into one": [x, split(x, 2)[0] as Tensor],
    reshape: [x, reshape(x, [2, 3])],
    flatten: [x, flatten(x, 1)],
    squeeze: [x, squeeze(x)],
    transpose: [x, transpose(x, 0, 0)],
    permute: [x, permute(x, [0, 1])],
    slice: [x, slice(x, 0)],
    expand: [x, expand(x, [2, 3])],
    concat: [x, concat([x])],
    "dropout of nothing": [x, dropout(x, { p: 0 })],
    "dropout in evaluation": [x, dropout(x, { training: false })],
    clone: [x, clone(x)],
    detach: [x, detach(x)],
    clamp: [x, clamp(x)],
  };
  for (const [name, [from, result]] of Object.entries(results)) {
    expect(result, name).not.toBe(from);
    result.dispose();
    expect(() => from.data, name).not.toThrow();
  }
});

test("ops: the package exports each of them, and tensors have those that take a tensor first as methods", () => {
  const functions = new Set([
    "linear",
    "concat",
    "stack",
    "pad",
    "embedding",
    "crossEntropy",
    "nllLoss",
    "mseLoss",
    "l1Loss",
    "smoothL1Loss",
    "huberLoss",
    "bceWithLogits",
    "klDiv",
    "logSigmoid",
    "leakyRelu",
    "elu",
    "silu",
    "gelu",
    "softplus",
    "hardtanh",
    "conv1d",
    "conv2d",
    "convTranspose2d",
    "maxPool2d",
    "avgPool2d",
    "adaptiveAvgPool2d",
    "batchNorm",
    "layerNorm",
    "groupNorm",
    "dropout",
  ]);
  for (const name of Object.keys(ops) as (keyof typeof ops)[]) {
    if (name !== "backward") expect(engine[name], name).toBe(ops[name]);
    expect(typeof (Tensor.prototype as unknown as Record<string, unknown>)[name], name).toBe(
      functions.has(name) ? "undefined" : "function",
    );
  }
});
