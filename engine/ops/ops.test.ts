/**
 * Every op in the chain of trust: its gradient against central differences, all in float64, then values and gradients of
 * the SIMD kernels against the float64 reference. The table is typed by the registry: an op without a row does not compile.
 */
import { describe, expect, test } from "vitest";
import { elementwise } from "../../test/support/elementwise.ts";
import { numbers } from "../../test/support/sides.ts";
import { bytesKept, expectNear, random } from "../../test/support/tensors.ts";
import { composed } from "../composed.ts";
import { withReference } from "../gradcheck.ts";
import * as engine from "../index.ts";
import {
  adaptiveAvgPool2d,
  add,
  amax,
  amin,
  argmax,
  argmin,
  atan2,
  avgPool2d,
  batchNorm,
  bceWithLogits,
  clamp,
  clone,
  concat,
  conv1d,
  conv2d,
  convTranspose2d,
  cos,
  crossEntropy,
  cumsum,
  detach,
  div,
  dropout,
  elu,
  embedding,
  eq,
  expand,
  flatten,
  flip,
  gather,
  ge,
  gelu,
  gradcheck,
  groupNorm,
  gt,
  hardtanh,
  huberLoss,
  indexSelect,
  klDiv,
  l1Loss,
  layerNorm,
  le,
  leakyRelu,
  linear,
  log1p,
  logSigmoid,
  logSoftmax,
  logsumexp,
  lt,
  maskedFill,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  min,
  minimum,
  mseLoss,
  mul,
  nllLoss,
  norm,
  ones,
  pad,
  permute,
  pow,
  prod,
  reciprocal,
  reshape,
  scatterAdd,
  select,
  silu,
  sin,
  slice,
  smoothL1Loss,
  softmax,
  softplus,
  split,
  squeeze,
  stack,
  std,
  sub,
  sum,
  Tensor,
  tape,
  tensor,
  tile,
  transpose,
  tril,
  unbind,
  unsqueeze,
  variance,
  where,
} from "../index.ts";
import { root } from "../scope.ts";
import { ops } from "./index.ts";

/** How inputs enter, and the output. */
interface Case {
  /** The special property of the case. */
  of: string;
  inputs: readonly (readonly number[])[];
  run: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Shapes of the results. */
  gives: readonly (readonly number[])[];
  /** Range of the input values, by default [−2, 2). */
  range?: readonly [low: number, high: number] | undefined;
  /** false where the op passes no gradient on. */
  differentiable?: boolean;
  /** The case makes further tensors besides the results of the op. */
  chained?: boolean;
}

const unary = (run: (x: Tensor) => Tensor, range: readonly [number, number] = [-2, 2]): Case[] =>
  [[], [7], [2, 3, 4]].map((shape) => ({ of: `[${shape}]`, inputs: [shape], run, gives: [shape], range }));

/** Pairs of shapes, their broadcast shape, and why they are here. */
const BROADCASTS: readonly [of: string, x: number[], y: number[], gives: number[]][] = [
  ["equal shapes", [2, 3], [2, 3], [2, 3]],
  ["scalars", [], [], []],
  ["a bias", [4, 3], [3], [4, 3]],
  ["a missing leading axis on the left", [3], [2, 3], [2, 3]],
  ["a column", [2, 3], [2, 1], [2, 3]],
  ["axes of size 1 on both sides", [2, 1, 3], [4, 1], [2, 4, 3]],
  ["alternating axes", [1, 2, 1, 3], [2, 1, 2, 1], [2, 2, 2, 3]],
  ["a scalar with a matrix", [], [2, 2], [2, 2]],
  ["a middle axis", [2, 1, 3], [2, 4, 3], [2, 4, 3]],
];

type Binary = (x: Tensor, y: Tensor | number) => Tensor;

function binary(run: Binary, options: Pick<Case, "range" | "differentiable"> = {}): Case[] {
  return [
    ...BROADCASTS.map(([of, x, y, gives]) => ({ of, inputs: [x, y], run, gives: [gives], ...options })),
    { of: "a number", inputs: [[2, 3]], run: (x: Tensor) => run(x, 0.75), gives: [[2, 3]], ...options },
    { of: "itself", inputs: [[5]], run: (x: Tensor) => run(x, x), gives: [[5]], ...options },
  ];
}

type Reduce = (x: Tensor, options?: { axis?: number | readonly number[]; keepdim?: boolean }) => Tensor;

const reduction = (run: Reduce): Case[] => [
  { of: "all axes", inputs: [[2, 3, 4]], run: (x) => run(x), gives: [[]] },
  { of: "a scalar", inputs: [[]], run: (x) => run(x), gives: [[]] },
  { of: "one element", inputs: [[1, 1]], run: (x) => run(x), gives: [[]] },
  { of: "the first axis", inputs: [[3, 5]], run: (x) => run(x, { axis: 0 }), gives: [[5]] },
  { of: "the last axis, negative", inputs: [[3, 5]], run: (x) => run(x, { axis: -1 }), gives: [[3]] },
  { of: "a middle axis", inputs: [[2, 3, 4]], run: (x) => run(x, { axis: 1 }), gives: [[2, 4]] },
  { of: "keepdim", inputs: [[2, 3, 4]], run: (x) => run(x, { axis: -2, keepdim: true }), gives: [[2, 1, 4]] },
  { of: "all axes, keepdim", inputs: [[2, 3]], run: (x) => run(x, { keepdim: true }), gives: [[1, 1]] },
  { of: "neighbouring axes", inputs: [[2, 3, 4]], run: (x) => run(x, { axis: [2, 1] }), gives: [[2]] },
  { of: "axes apart", inputs: [[2, 3, 4]], run: (x) => run(x, { axis: [0, -1] }), gives: [[3]] },
  {
    of: "axes apart, keepdim",
    inputs: [[2, 3, 2, 2]],
    run: (x) => run(x, { axis: [0, 2], keepdim: true }),
    gives: [[1, 3, 1, 2]],
  },
  { of: "no axis", inputs: [[2, 3]], run: (x) => run(x, { axis: [] }), gives: [[2, 3]] },
];

type PairLoss = (x: Tensor, y: Tensor, options: { reduction: "mean" | "sum" | "none" }) => Tensor;

const pairLoss = (run: PairLoss, of = "", range?: Case["range"]): Case[] => [
  { of: `the mean${of}`, inputs: PAIR, run: (x, y) => run(x, y, { reduction: "mean" }), gives: [[]], range },
  { of: `the sum${of}`, inputs: PAIR, run: (x, y) => run(x, y, { reduction: "sum" }), gives: [[]], range },
  {
    of: `no reduction, a broadcast target${of}`,
    inputs: [[2, 3], [3]],
    run: (x, y) => run(x, y, { reduction: "none" }),
    gives: [[2, 3]],
    range,
  },
];

const PAIR = [
  [2, 3],
  [2, 3],
];

const alongAxis = (run: typeof max): Case[] => [
  { of: "the last axis", inputs: [[3, 5]], run: (x) => run(x, { axis: -1 }).values, gives: [[3]], chained: true },
  { of: "the first axis", inputs: [[3, 5]], run: (x) => run(x, { axis: 0 }).values, gives: [[5]], chained: true },
  {
    of: "a middle axis, keepdim",
    inputs: [[2, 3, 4]],
    run: (x) => run(x, { axis: 1, keepdim: true }).values,
    gives: [[2, 1, 4]],
    chained: true,
  },
  {
    of: "the indices",
    inputs: [[2, 3, 4]],
    run: (x) => run(x, { axis: 1 }).indices,
    gives: [[2, 4]],
    chained: true,
    differentiable: false,
  },
];

const indices = (run: typeof argmax): Case[] => [
  { of: "all axes", inputs: [[3, 4]], run: (x) => run(x), gives: [[]], differentiable: false },
  { of: "an axis", inputs: [[3, 4]], run: (x) => run(x, { axis: -1 }), gives: [[3]], differentiable: false },
  {
    of: "keepdim",
    inputs: [[3, 4]],
    run: (x) => run(x, { axis: 0, keepdim: true }),
    gives: [[1, 4]],
    differentiable: false,
  },
  {
    of: "all axes, keepdim",
    inputs: [[3, 4]],
    run: (x) => run(x, { keepdim: true }),
    gives: [[1, 1]],
    differentiable: false,
  },
];

const alongRows = (run: typeof softmax): Case[] => [
  { of: "the last axis", inputs: [[3, 5]], run: (x) => run(x), gives: [[3, 5]] },
  { of: "one axis", inputs: [[6]], run: (x) => run(x), gives: [[6]] },
  { of: "the first axis", inputs: [[3, 5]], run: (x) => run(x, 0), gives: [[3, 5]] },
  { of: "a middle axis", inputs: [[2, 3, 4]], run: (x) => run(x, -2), gives: [[2, 3, 4]] },
  { of: "one class", inputs: [[3, 1]], run: (x) => run(x), gives: [[3, 1]] },
  { of: "large values", inputs: [[3, 5]], run: (x) => run(x.add(80)), gives: [[3, 5]], chained: true },
];

const LABELS = [0, 2, 1, 2];
/** Whole numbers below 3, some of them more than once. */
const picks = (...shape: number[]): Tensor =>
  tensor(
    numbers(
      shape.reduce((product, n) => product * n, 1),
      3,
      0,
      3,
    ).map(Math.floor),
    { shape },
  );
const positive = [0.2, 2] as const;
const CONDITION = tensor([
  [1, 0, 1],
  [0, 0, 2],
]);

const TABLE: Record<keyof typeof ops, Case[]> = {
  ...elementwise((name, range) => unary(ops[name], range)),
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: [
    ...binary(div, { range: positive }),
    { of: "negative divisors", inputs: [[3], [3]], run: div, gives: [[3]], range: [-2, -0.2] },
  ],
  pow: [
    ...binary(pow, { range: positive }),
    { of: "a negative exponent", inputs: [[5]], run: (x) => pow(x, -1.5), gives: [[5]], range: positive },
    { of: "negative bases, an odd exponent", inputs: [[5]], run: (x) => pow(x, 3), gives: [[5]], range: [-2, -0.2] },
    { of: "negative bases, a negative one", inputs: [[5]], run: (x) => pow(x, -2), gives: [[5]], range: [-2, -0.2] },
    { of: "the square", inputs: [[5]], run: (x) => pow(x, 2), gives: [[5]] },
    { of: "the root", inputs: [[5]], run: (x) => pow(x, 0.5), gives: [[5]], range: positive },
    { of: "the inverse root", inputs: [[5]], run: (x) => pow(x, -0.5), gives: [[5]], range: positive },
    { of: "the exponent 0", inputs: [[5]], run: (x) => pow(x, 0), gives: [[5]] },
  ],
  atan2: [
    ...binary(atan2),
    {
      of: "points near the axes",
      inputs: [[2, 4]],
      run: (x) => atan2(x.slice(1, 0, 2), x.slice(1, 2).mul(1e-3)),
      gives: [[2, 2]],
      chained: true,
    },
  ],
  maximum: binary(maximum),
  minimum: binary(minimum),
  log1p: [
    ...unary(log1p, positive),
    { of: "small values", inputs: [[5]], run: (x) => log1p(x.mul(1e-3)), gives: [[5]], chained: true },
  ],
  reciprocal: [...unary(reciprocal, positive), ...unary(reciprocal, [-2, -0.2])],
  sin: [...unary(sin), { of: "large values", inputs: [[5]], run: (x) => sin(x.mul(50)), gives: [[5]], chained: true }],
  cos: [...unary(cos), { of: "large values", inputs: [[5]], run: (x) => cos(x.mul(50)), gives: [[5]], chained: true }],
  logSigmoid: [...unary(logSigmoid), ...unary(logSigmoid, [-30, 30])],
  softplus: [
    ...unary((x) => softplus(x)),
    { of: "a slope", inputs: [[9]], run: (x) => softplus(x, { beta: 3 }), gives: [[9]] },
    { of: "a threshold", inputs: [[9]], run: (x) => softplus(x, { threshold: 0.5 }), gives: [[9]] },
    { of: "both", inputs: [[9]], run: (x) => softplus(x, { beta: 0.5, threshold: 0.25 }), gives: [[9]] },
    { of: "large values", inputs: [[9]], run: (x) => softplus(x), gives: [[9]], range: [-50, 50] },
  ],
  silu: [...unary(silu), ...unary(silu, [-20, 20])],
  gelu: [
    ...unary((x) => gelu(x)),
    { of: "tails", inputs: [[9]], run: (x) => gelu(x), gives: [[9]], range: [-8, 8] },
    { of: "tanh", inputs: [[9]], run: (x) => gelu(x, { approximate: "tanh" }), gives: [[9]] },
    { of: "tanh, tails", inputs: [[9]], run: (x) => gelu(x, { approximate: "tanh" }), gives: [[9]], range: [-8, 8] },
  ],
  leakyRelu: [
    ...unary((x) => leakyRelu(x)),
    { of: "a slope", inputs: [[9]], run: (x) => leakyRelu(x, 0.3), gives: [[9]] },
    { of: "a negative slope", inputs: [[9]], run: (x) => leakyRelu(x, -1), gives: [[9]] },
  ],
  elu: [
    ...unary((x) => elu(x)),
    { of: "a scale", inputs: [[9]], run: (x) => elu(x, 0.5), gives: [[9]] },
    { of: "large values", inputs: [[9]], run: (x) => elu(x), gives: [[9]], range: [-30, 30] },
  ],
  hardtanh: [
    ...unary((x) => hardtanh(x)),
    { of: "bounds", inputs: [[9]], run: (x) => hardtanh(x, -0.25, 1.5), gives: [[9]] },
  ],
  where: [
    {
      of: "equal shapes",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      run: (x, y) => where(CONDITION, x, y),
      gives: [[2, 3]],
    },
    {
      of: "all three broadcast",
      inputs: [
        [2, 1, 1],
        [2, 1],
      ],
      run: (x, y) => where(CONDITION.select(0, 0), x, y),
      gives: [[2, 2, 3]],
      chained: true,
    },
    { of: "a number on the left", inputs: [[2, 3]], run: (x) => where(CONDITION, 0.5, x), gives: [[2, 3]] },
    { of: "a number on the right", inputs: [[3]], run: (x) => where(CONDITION, x, -2), gives: [[2, 3]] },
    { of: "one tensor on both sides", inputs: [[2, 3]], run: (x) => where(CONDITION, x, x), gives: [[2, 3]] },
    { of: "the method", inputs: [[2, 3], [3]], run: (x, y) => x.where(CONDITION, y), gives: [[2, 3]] },
  ],
  maskedFill: [
    { of: "a number", inputs: [[2, 3]], run: (x) => maskedFill(x, CONDITION, -7), gives: [[2, 3]] },
    { of: "a tensor", inputs: [[2, 3], []], run: (x, value) => maskedFill(x, CONDITION, value), gives: [[2, 3]] },
    { of: "a broadcast mask", inputs: [[4, 2, 3]], run: (x) => maskedFill(x, CONDITION, 1), gives: [[4, 2, 3]] },
    { of: "a broadcast tensor", inputs: [[3]], run: (x) => maskedFill(x, CONDITION, 1), gives: [[2, 3]] },
  ],
  clamp: [
    ...unary((x) => clamp(x, -0.5, 0.5)),
    { of: "only a lower bound", inputs: [[9]], run: (x) => clamp(x, 0.1), gives: [[9]] },
    { of: "only an upper bound", inputs: [[9]], run: (x) => clamp(x, null, 0.1), gives: [[9]] },
  ],
  gt: binary(gt, { differentiable: false }),
  ge: binary(ge, { differentiable: false }),
  lt: binary(lt, { differentiable: false }),
  le: binary(le, { differentiable: false }),
  eq: binary(eq, { differentiable: false }),
  matmul: [
    {
      of: "matrices",
      inputs: [
        [3, 4],
        [4, 5],
      ],
      run: matmul,
      gives: [[3, 5]],
    },
    {
      of: "one row and one column",
      inputs: [
        [1, 4],
        [4, 1],
      ],
      run: matmul,
      gives: [[1, 1]],
    },
    { of: "1-D and 1-D", inputs: [[5], [5]], run: matmul, gives: [[]] },
    { of: "1-D on the left", inputs: [[4], [4, 3]], run: matmul, gives: [[3]] },
    { of: "1-D on the right", inputs: [[3, 4], [4]], run: matmul, gives: [[3]] },
    { of: "1-D with batches", inputs: [[4], [2, 4, 3]], run: matmul, gives: [[2, 3]] },
    { of: "batches with 1-D", inputs: [[2, 3, 4], [4]], run: matmul, gives: [[2, 3]] },
    {
      of: "batches",
      inputs: [
        [2, 3, 4],
        [2, 4, 2],
      ],
      run: matmul,
      gives: [[2, 3, 2]],
    },
    {
      of: "batches with one matrix",
      inputs: [
        [2, 3, 4],
        [4, 2],
      ],
      run: matmul,
      gives: [[2, 3, 2]],
    },
    {
      of: "one matrix with batches",
      inputs: [
        [3, 4],
        [2, 4, 2],
      ],
      run: matmul,
      gives: [[2, 3, 2]],
    },
    {
      of: "broadcast batches",
      inputs: [
        [2, 1, 2, 3],
        [3, 3, 2],
      ],
      run: matmul,
      gives: [[2, 3, 2, 2]],
    },
    { of: "with itself", inputs: [[3, 3]], run: (x) => matmul(x, x), gives: [[3, 3]] },
    {
      of: "sizes beyond one tile",
      inputs: [
        [5, 7],
        [7, 21],
      ],
      run: matmul,
      gives: [[5, 21]],
    },
  ],
  sum: reduction(sum),
  mean: reduction(mean),
  variance: [
    ...reduction((x, options) => variance(x, { ...options, unbiased: false })),
    { of: "all axes, unbiased", inputs: [[2, 3, 4]], run: (x) => variance(x), gives: [[]] },
    { of: "an axis, unbiased", inputs: [[3, 5]], run: (x) => variance(x, { axis: 0 }), gives: [[5]] },
    { of: "far from 0", inputs: [[3, 5]], run: (x) => variance(x.add(64), { axis: 1 }), gives: [[3]], chained: true },
  ],
  std: [
    ...reduction((x, options) => std(x, { ...options, unbiased: false })),
    { of: "all axes, unbiased", inputs: [[2, 3, 4]], run: (x) => std(x), gives: [[]] },
    {
      of: "axes apart, unbiased, keepdim",
      inputs: [[2, 3, 4]],
      run: (x) => std(x, { axis: [0, 2], keepdim: true }),
      gives: [[1, 3, 1]],
    },
    { of: "equal values", inputs: [[3]], run: (x) => std(expand(x, [4, 3]), { axis: 0 }), gives: [[3]], chained: true },
  ],
  prod: [
    ...reduction(prod),
    {
      of: "one zero in a row",
      inputs: [[3, 4]],
      run: (x) => prod(tril(x, 2), { axis: 1 }),
      gives: [[3]],
      chained: true,
    },
    {
      of: "several zeros in a column",
      inputs: [[4, 3]],
      run: (x) => prod(tril(x), { axis: 0 }),
      gives: [[3]],
      chained: true,
    },
    { of: "a square", inputs: [[3]], run: (x) => prod(stack([x, x]), { axis: 0 }), gives: [[3]], chained: true },
  ],
  cumsum: [
    { of: "the last axis", inputs: [[3, 5]], run: (x) => cumsum(x, { axis: -1 }), gives: [[3, 5]] },
    { of: "the first axis", inputs: [[3, 5]], run: (x) => cumsum(x, { axis: 0 }), gives: [[3, 5]] },
    { of: "a middle axis", inputs: [[2, 3, 4]], run: (x) => cumsum(x, { axis: 1 }), gives: [[2, 3, 4]] },
    { of: "no axis", inputs: [[2, 3]], run: (x) => cumsum(x), gives: [[6]] },
    { of: "one element", inputs: [[1]], run: (x) => cumsum(x, { axis: 0 }), gives: [[1]] },
    { of: "of itself", inputs: [[5]], run: (x) => cumsum(x).mul(x), gives: [[5]], chained: true },
    {
      of: "a result read twice",
      inputs: [[2, 3]],
      run: (x) => {
        const z = cumsum(x.exp(), { axis: 1 });
        return [z, z.square()];
      },
      gives: [
        [2, 3],
        [2, 3],
      ],
      chained: true,
    },
  ],
  logsumexp: [
    ...reduction(logsumexp),
    {
      of: "large values",
      inputs: [[3, 5]],
      run: (x) => logsumexp(x.add(80), { axis: 1 }),
      gives: [[3]],
      chained: true,
    },
  ],
  norm: [
    ...reduction(norm),
    { of: "p = 1", inputs: [[3, 5]], run: (x) => norm(x, { p: 1, axis: 0 }), gives: [[5]] },
    { of: "p = ∞", inputs: [[3, 5]], run: (x) => norm(x, { p: Infinity, axis: 1, keepdim: true }), gives: [[3, 1]] },
    {
      of: "some rows of zeros",
      inputs: [[3, 2]],
      run: (x) => norm(pad(x, [0, 0, 1, 0]), { axis: 1 }),
      gives: [[4]],
      chained: true,
    },
  ],
  amax: reduction(amax),
  amin: reduction(amin),
  max: alongAxis(max),
  min: alongAxis(min),
  argmax: indices(argmax),
  argmin: indices(argmin),
  softmax: alongRows(softmax),
  logSoftmax: alongRows(logSoftmax),
  reshape: [
    { of: "other axes", inputs: [[2, 6]], run: (x) => reshape(x, [3, 4]), gives: [[3, 4]] },
    { of: "an inferred size", inputs: [[2, 6]], run: (x) => reshape(x, [3, -1, 2]), gives: [[3, 2, 2]] },
    {
      of: "to and from a scalar",
      inputs: [[1]],
      run: (x) => reshape(reshape(x, []), [1, 1]),
      gives: [[1, 1]],
      chained: true,
    },
    { of: "one axis", inputs: [[2, 3]], run: (x) => reshape(x, [-1]), gives: [[6]] },
    {
      of: "a constant over time",
      inputs: [[4]],
      run: (x) => reshape(expand(x, [3, 4]), [3, 2, 2]),
      gives: [[3, 2, 2]],
      chained: true,
    },
    {
      of: "a constant across time",
      inputs: [[4]],
      run: (x) => reshape(expand(x, [3, 4]), [6, 2]),
      gives: [[6, 2]],
      chained: true,
    },
  ],
  flatten: [
    { of: "all axes", inputs: [[2, 3, 2]], run: (x) => flatten(x), gives: [[12]] },
    { of: "some axes", inputs: [[2, 3, 2, 2]], run: (x) => flatten(x, 1, -2), gives: [[2, 6, 2]] },
    { of: "a scalar", inputs: [[]], run: (x) => flatten(x), gives: [[1]] },
    { of: "all but the first", inputs: [[2, 3, 2]], run: (x) => flatten(x, 1), gives: [[2, 6]] },
  ],
  squeeze: [
    { of: "all axes", inputs: [[1, 3, 1]], run: (x) => squeeze(x), gives: [[3]] },
    { of: "one axis", inputs: [[1, 3, 1]], run: (x) => squeeze(x, -1), gives: [[1, 3]] },
    { of: "an axis of another size", inputs: [[1, 3]], run: (x) => squeeze(x, 1), gives: [[1, 3]] },
    { of: "to a scalar", inputs: [[1, 1]], run: (x) => squeeze(x), gives: [[]] },
  ],
  unsqueeze: [
    { of: "the first axis", inputs: [[3]], run: (x) => unsqueeze(x, 0), gives: [[1, 3]] },
    { of: "the last axis", inputs: [[2, 3]], run: (x) => unsqueeze(x, -1), gives: [[2, 3, 1]] },
    { of: "a middle axis", inputs: [[2, 3]], run: (x) => unsqueeze(x, 1), gives: [[2, 1, 3]] },
    { of: "a scalar", inputs: [[]], run: (x) => unsqueeze(x, 0), gives: [[1]] },
  ],
  transpose: [
    { of: "a matrix", inputs: [[3, 4]], run: (x) => transpose(x), gives: [[4, 3]] },
    { of: "the outer axes", inputs: [[2, 3, 4]], run: (x) => transpose(x, 0, -1), gives: [[4, 3, 2]] },
    { of: "neighbours", inputs: [[2, 3, 4]], run: (x) => transpose(x, 1, 0), gives: [[3, 2, 4]] },
    { of: "an axis with itself", inputs: [[2, 3]], run: (x) => transpose(x, 1, 1), gives: [[2, 3]] },
  ],
  permute: [
    { of: "a rotation", inputs: [[2, 3, 4]], run: (x) => permute(x, [2, 0, 1]), gives: [[4, 2, 3]] },
    { of: "four axes", inputs: [[2, 3, 2, 3]], run: (x) => permute(x, [3, 1, -2, 0]), gives: [[3, 3, 2, 2]] },
    { of: "nothing", inputs: [[2, 3]], run: (x) => permute(x, [0, 1]), gives: [[2, 3]] },
    { of: "axes of size 1", inputs: [[1, 3, 1, 2]], run: (x) => permute(x, [3, 2, 1, 0]), gives: [[2, 1, 3, 1]] },
    {
      of: "five axes in reverse",
      inputs: [[2, 1, 3, 2, 2, 2]],
      run: (x) => permute(x, [5, 4, 3, 2, 1, 0]),
      gives: [[2, 2, 2, 3, 1, 2]],
    },
  ],
  expand: [
    { of: "over time", inputs: [[2, 3]], run: (x) => expand(x, [4, 2, 3]), gives: [[4, 2, 3]] },
    { of: "an axis inside", inputs: [[2, 1, 3]], run: (x) => expand(x, [2, 4, 3]), gives: [[2, 4, 3]] },
    { of: "a kept size", inputs: [[3, 1]], run: (x) => expand(x, [2, -1, 4]), gives: [[2, 3, 4]] },
    { of: "axes apart", inputs: [[1, 2, 1, 3]], run: (x) => expand(x, [2, 2, 2, 3]), gives: [[2, 2, 2, 3]] },
    { of: "a scalar", inputs: [[]], run: (x) => expand(x, [2, 3]), gives: [[2, 3]] },
    { of: "nothing", inputs: [[2, 3]], run: (x) => expand(x, [2, 3]), gives: [[2, 3]] },
    {
      of: "a constant again",
      inputs: [[3]],
      run: (x) => expand(expand(x, [2, 3]), [4, 2, 3]),
      gives: [[4, 2, 3]],
      chained: true,
    },
  ],
  slice: [
    { of: "rows", inputs: [[5, 2]], run: (x) => slice(x, 0, 1, 4), gives: [[3, 2]] },
    { of: "columns", inputs: [[2, 5]], run: (x) => slice(x, -1, 1, 3), gives: [[2, 2]] },
    { of: "a middle axis", inputs: [[2, 4, 3]], run: (x) => slice(x, 1, 2), gives: [[2, 2, 3]] },
    { of: "negative bounds", inputs: [[6]], run: (x) => slice(x, 0, -4, -1), gives: [[3]] },
    { of: "bounds beyond the ends", inputs: [[2, 3]], run: (x) => slice(x, 1, -9, 9), gives: [[2, 3]] },
    { of: "every second row", inputs: [[5, 2]], run: (x) => slice(x, 0, 0, 5, 2), gives: [[3, 2]] },
    { of: "every third column", inputs: [[2, 8]], run: (x) => slice(x, 1, 1, -1, 3), gives: [[2, 2]] },
    { of: "a step beyond the end", inputs: [[2, 4, 3]], run: (x) => slice(x, 1, 2, 4, 7), gives: [[2, 1, 3]] },
    { of: "wide rows", inputs: [[2, 3, 19]], run: (x) => slice(x, 1, 1), gives: [[2, 2, 19]] },
    {
      of: "overlapping ones",
      inputs: [[4, 2]],
      run: (x) => [slice(x, 0, 0, 3), slice(x, 0, 1)],
      gives: [
        [3, 2],
        [3, 2],
      ],
    },
  ],
  select: [
    { of: "a row", inputs: [[3, 4]], run: (x) => select(x, 0, 1), gives: [[4]] },
    { of: "the last column", inputs: [[3, 4]], run: (x) => select(x, -1, -1), gives: [[3]] },
    { of: "a middle axis", inputs: [[2, 3, 4]], run: (x) => select(x, 1, 0), gives: [[2, 4]] },
    { of: "one value", inputs: [[3]], run: (x) => select(x, 0, 2), gives: [[]] },
  ],
  indexSelect: [
    { of: "rows", inputs: [[4, 3]], run: (x) => indexSelect(x, 0, [3, 1]), gives: [[2, 3]] },
    { of: "repeated columns", inputs: [[2, 3]], run: (x) => indexSelect(x, -1, [2, 0, 2, 2]), gives: [[2, 4]] },
    {
      of: "a middle axis",
      inputs: [[2, 3, 5]],
      run: (x) => indexSelect(x, 1, picks(4)),
      gives: [[2, 4, 5]],
      chained: true,
    },
    { of: "one index", inputs: [[2, 3]], run: (x) => indexSelect(x, 1, tensor(2)), gives: [[2, 1]], chained: true },
    { of: "the largest", inputs: [[4]], run: (x) => indexSelect(x, 0, argmax(x)), gives: [[1]], chained: true },
    { of: "wide rows", inputs: [[3, 19]], run: (x) => indexSelect(x, 0, [1, 1, 0]), gives: [[3, 19]] },
    {
      of: "a constant over time",
      inputs: [[3]],
      run: (x) => indexSelect(expand(x, [4, 3]), 0, [3, 3]),
      gives: [[2, 3]],
      chained: true,
    },
  ],
  gather: [
    { of: "the last axis", inputs: [[2, 3]], run: (x) => gather(x, -1, picks(2, 4)), gives: [[2, 4]], chained: true },
    { of: "the first axis", inputs: [[3, 4]], run: (x) => gather(x, 0, picks(5, 4)), gives: [[5, 4]], chained: true },
    {
      of: "a middle axis",
      inputs: [[2, 3, 4]],
      run: (x) => gather(x, 1, picks(2, 6, 4)),
      gives: [[2, 6, 4]],
      chained: true,
    },
    {
      of: "a part of the others",
      inputs: [[3, 3, 4]],
      run: (x) => gather(x, 1, picks(2, 5, 3)),
      gives: [[2, 5, 3]],
      chained: true,
    },
    { of: "an array", inputs: [[3]], run: (x) => gather(x, 0, [2, 2, 1, 2]), gives: [[4]] },
    {
      of: "the largest of each row",
      inputs: [[3, 4]],
      run: (x) => gather(x, 1, argmax(x, { axis: 1, keepdim: true })),
      gives: [[3, 1]],
      chained: true,
    },
  ],
  scatterAdd: [
    {
      of: "the last axis",
      inputs: [
        [2, 3],
        [2, 5],
      ],
      run: (x, source) => scatterAdd(x, -1, picks(2, 5), source),
      gives: [[2, 3]],
      chained: true,
    },
    {
      of: "a middle axis",
      inputs: [
        [2, 3, 4],
        [2, 6, 4],
      ],
      run: (x, source) => scatterAdd(x, 1, picks(2, 6, 4), source),
      gives: [[2, 3, 4]],
      chained: true,
    },
    {
      of: "a part of the source and of the others",
      inputs: [
        [3, 3, 4],
        [4, 5, 4],
      ],
      run: (x, source) => scatterAdd(x, 1, picks(2, 4, 3), source),
      gives: [[3, 3, 4]],
      chained: true,
    },
    { of: "an array", inputs: [[3], [4]], run: (x, source) => scatterAdd(x, 0, [2, 2, 0, 2], source), gives: [[3]] },
    { of: "to itself", inputs: [[3]], run: (x) => scatterAdd(x, 0, [2, 2, 0], x), gives: [[3]] },
    {
      of: "what is read again",
      inputs: [[3], [3]],
      run: (x, source) => {
        const part = source.exp();
        return [scatterAdd(x.exp(), 0, [1, 1, 0], part), part];
      },
      gives: [[3], [3]],
      chained: true,
    },
  ],
  split: [
    {
      of: "parts of one size and a rest",
      inputs: [[5, 2]],
      run: (x) => split(x, 2),
      gives: [
        [2, 2],
        [2, 2],
        [1, 2],
      ],
    },
    {
      of: "sizes",
      inputs: [[2, 6]],
      run: (x) => split(x, [1, 3, 2], -1),
      gives: [
        [2, 1],
        [2, 3],
        [2, 2],
      ],
    },
    { of: "one part", inputs: [[2, 3]], run: (x) => split(x, 7, 1), gives: [[2, 3]] },
  ],
  flip: [
    { of: "the first axis", inputs: [[3, 2]], run: (x) => flip(x, 0), gives: [[3, 2]] },
    { of: "the last axis", inputs: [[2, 5]], run: (x) => flip(x, [-1]), gives: [[2, 5]] },
    { of: "a middle axis", inputs: [[2, 3, 4]], run: (x) => flip(x, 1), gives: [[2, 3, 4]] },
    { of: "axes apart", inputs: [[2, 3, 4]], run: (x) => flip(x, [2, 0]), gives: [[2, 3, 4]] },
    { of: "all axes", inputs: [[2, 2, 1, 2, 3]], run: (x) => flip(x), gives: [[2, 2, 1, 2, 3]] },
    { of: "no axis", inputs: [[2, 3]], run: (x) => flip(x, []), gives: [[2, 3]] },
  ],
  tile: [
    { of: "both axes", inputs: [[2, 3]], run: (x) => tile(x, [2, 3]), gives: [[4, 9]] },
    { of: "the last axis", inputs: [[2, 3]], run: (x) => tile(x, [2]), gives: [[2, 6]] },
    { of: "new first axes", inputs: [[3]], run: (x) => tile(x, [2, 1, 2]), gives: [[2, 1, 6]] },
    { of: "once", inputs: [[2, 3]], run: (x) => tile(x, [1, 1]), gives: [[2, 3]] },
    { of: "a scalar", inputs: [[]], run: (x) => tile(x, [3]), gives: [[3]] },
  ],
  tril: [
    { of: "a square", inputs: [[3, 3]], run: (x) => tril(x), gives: [[3, 3]] },
    { of: "a wide matrix, below", inputs: [[3, 5]], run: (x) => tril(x, -1), gives: [[3, 5]] },
    { of: "tall matrices, above", inputs: [[2, 4, 3]], run: (x) => tril(x, 1), gives: [[2, 4, 3]] },
    { of: "everything", inputs: [[2, 3]], run: (x) => tril(x, 9), gives: [[2, 3]] },
  ],
  pad: [
    { of: "the last axis", inputs: [[2, 3]], run: (x) => pad(x, [1, 2], 0.5), gives: [[2, 6]] },
    { of: "two axes", inputs: [[2, 3, 2]], run: (x) => pad(x, [0, 1, 2, 0]), gives: [[2, 5, 3]] },
    { of: "the first axis", inputs: [[2, 3]], run: (x) => pad(x, [0, 0, 1, 1]), gives: [[4, 3]] },
    { of: "cutting off", inputs: [[3, 4]], run: (x) => pad(x, [-1, 2, 1, -2]), gives: [[2, 5]] },
    { of: "nothing", inputs: [[2, 3]], run: (x) => pad(x, [0, 0]), gives: [[2, 3]] },
  ],
  embedding: [
    { of: "an array", inputs: [[4, 3]], run: (w) => embedding([1, 3, 1], w), gives: [[3, 3]] },
    {
      of: "time and batch",
      inputs: [[3, 5]],
      run: (w) => embedding(picks(2, 4), w),
      gives: [[2, 4, 5]],
      chained: true,
    },
    { of: "one index", inputs: [[3, 2]], run: (w) => embedding(tensor(2), w), gives: [[2]], chained: true },
    {
      of: "padding that is not named",
      inputs: [[3, 2]],
      run: (w) => embedding([2, 1], w, { paddingIdx: 0 }),
      gives: [[2, 2]],
    },
  ],
  unbind: [
    { of: "the first axis", inputs: [[3, 2]], run: (x) => unbind(x), gives: [[2], [2], [2]] },
    { of: "the last axis", inputs: [[3, 2]], run: (x) => unbind(x, -1), gives: [[3], [3]] },
  ],
  detach: [{ of: "any tensor", inputs: [[3]], run: detach, gives: [[3]], differentiable: false }],
  backward: [
    {
      of: "a square inside, for its gradient",
      inputs: [],
      run: () => {
        const x = tensor([1, 2, 3], { requiresGrad: true });
        tape(() => x.square().sum().backward());
        return (x.grad as Tensor).clone();
      },
      gives: [[3]],
      chained: true,
      differentiable: false,
    },
  ],
  linear: [
    { of: "a bias", inputs: [[4, 3], [5, 3], [5]], run: linear, gives: [[4, 5]] },
    {
      of: "no bias",
      inputs: [
        [4, 3],
        [5, 3],
      ],
      run: (x, w) => linear(x, w),
      gives: [[4, 5]],
    },
    { of: "one row", inputs: [[3], [5, 3], [5]], run: linear, gives: [[5]] },
    { of: "time and batch", inputs: [[2, 3, 4], [2, 4], [2]], run: linear, gives: [[2, 3, 2]] },
    { of: "one output", inputs: [[4, 3], [1, 3], [1]], run: linear, gives: [[4, 1]] },
    { of: "sizes beyond one tile", inputs: [[6, 7], [21, 7], [21]], run: linear, gives: [[6, 21]] },
    {
      of: "a constant over time",
      inputs: [[2, 3], [4, 3], [4]],
      run: (x, w, b) => linear(expand(x, [5, 2, 3]), w, b),
      gives: [[5, 2, 4]],
      chained: true,
    },
    { of: "the input as weight", inputs: [[3, 3]], run: (x) => linear(x, x), gives: [[3, 3]] },
  ],
  concat: [
    {
      of: "the first axis",
      inputs: [
        [2, 3],
        [1, 3],
        [3, 3],
      ],
      run: (...x) => concat(x),
      gives: [[6, 3]],
    },
    {
      of: "the last axis",
      inputs: [
        [2, 3],
        [2, 1],
      ],
      run: (...x) => concat(x, -1),
      gives: [[2, 4]],
    },
    {
      of: "a middle axis",
      inputs: [
        [2, 1, 2],
        [2, 3, 2],
      ],
      run: (...x) => concat(x, 1),
      gives: [[2, 4, 2]],
    },
    { of: "one tensor", inputs: [[2, 2]], run: (x) => concat([x]), gives: [[2, 2]] },
    { of: "the same tensor twice", inputs: [[2, 2]], run: (x) => concat([x, x], 1), gives: [[2, 4]] },
  ],
  stack: [
    {
      of: "a new first axis",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      run: (...x) => stack(x),
      gives: [[2, 2, 3]],
    },
    {
      of: "a new last axis",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      run: (...x) => stack(x, -1),
      gives: [[2, 3, 2]],
    },
    {
      of: "a new middle axis",
      inputs: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      run: (...x) => stack(x, 1),
      gives: [[2, 3, 3]],
    },
    { of: "scalars", inputs: [[], []], run: (...x) => stack(x), gives: [[2]] },
  ],
  conv1d: [
    { of: "a bias", inputs: [[2, 3, 7], [4, 3, 3], [4]], run: (x, w, b) => conv1d(x, w, b), gives: [[2, 4, 5]] },
    {
      of: "no bias, one signal",
      inputs: [
        [3, 7],
        [4, 3, 3],
      ],
      run: (x, w) => conv1d(x, w),
      gives: [[4, 5]],
    },
    {
      of: "every option, time and batch",
      inputs: [[2, 2, 4, 11], [6, 2, 3], [6]],
      run: (x, w, b) => conv1d(x, w, b, { stride: 2, padding: 3, dilation: 2, groups: 2 }),
      gives: [[2, 2, 6, 7]],
    },
    {
      of: "a long signal",
      inputs: [[1, 1, 300], [1, 1, 2], [1]],
      run: (x, w, b) => conv1d(x, w, b),
      gives: [[1, 1, 299]],
    },
  ],
  conv2d: [
    {
      of: "a bias",
      inputs: [[2, 3, 5, 6], [4, 3, 3, 2], [4]],
      run: (x, w, b) => conv2d(x, w, b),
      gives: [[2, 4, 3, 5]],
    },
    {
      of: "no bias, one image",
      inputs: [
        [2, 4, 5],
        [3, 2, 2, 2],
      ],
      run: (x, w) => conv2d(x, w),
      gives: [[3, 3, 4]],
    },
    {
      of: "every option",
      inputs: [[2, 4, 6, 7], [6, 2, 2, 3], [6]],
      run: (x, w, b) => conv2d(x, w, b, { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
      gives: [[2, 6, 4, 7]],
    },
    {
      of: "depthwise",
      inputs: [[2, 3, 4, 4], [3, 1, 3, 3], [3]],
      run: (x, w, b) => conv2d(x, w, b, { padding: 1, groups: 3 }),
      gives: [[2, 3, 4, 4]],
    },
    {
      of: "1 × 1",
      inputs: [[2, 3, 2, 3], [5, 3, 1, 1], [5]],
      run: (x, w, b) => conv2d(x, w, b),
      gives: [[2, 5, 2, 3]],
    },
    {
      of: "one place",
      inputs: [[3, 2, 2, 3], [4, 2, 2, 3], [4]],
      run: (x, w, b) => conv2d(x, w, b),
      gives: [[3, 4, 1, 1]],
    },
    {
      of: "time and batch",
      inputs: [[2, 2, 1, 4, 4], [2, 1, 3, 3], [2]],
      run: (x, w, b) => conv2d(x, w, b, { padding: 1 }),
      gives: [[2, 2, 2, 4, 4]],
    },
    {
      of: "a constant over time",
      inputs: [[2, 1, 4, 4], [2, 1, 3, 3], [2]],
      run: (x, w, b) => conv2d(expand(x, [5, 2, 1, 4, 4]), w, b),
      gives: [[5, 2, 2, 2, 2]],
      chained: true,
    },
    {
      of: "a constant over channels",
      inputs: [[4, 4], [2, 3, 3, 3], [2]],
      run: (x, w, b) => conv2d(expand(x, [3, 4, 4]), w, b),
      gives: [[2, 2, 2]],
      chained: true,
    },
    {
      of: "the input as weight",
      inputs: [[3, 3, 2, 2]],
      run: (x) => conv2d(x, x, null, { padding: 1 }),
      gives: [[3, 3, 3, 3]],
    },
  ],
  convTranspose2d: [
    {
      of: "a bias",
      inputs: [[2, 3, 3, 4], [3, 2, 3, 2], [2]],
      run: (x, w, b) => convTranspose2d(x, w, b),
      gives: [[2, 2, 5, 5]],
    },
    {
      of: "no bias, one image",
      inputs: [
        [2, 3, 3],
        [2, 3, 2, 2],
      ],
      run: (x, w) => convTranspose2d(x, w),
      gives: [[3, 4, 4]],
    },
    {
      of: "every option",
      inputs: [[2, 4, 3, 3], [4, 2, 2, 3], [4]],
      run: (x, w, b) =>
        convTranspose2d(x, w, b, {
          stride: [2, 1],
          padding: [1, 2],
          dilation: [1, 2],
          groups: 2,
          outputPadding: [1, 0],
        }),
      gives: [[2, 4, 5, 3]],
    },
    {
      of: "a constant over time",
      inputs: [[2, 1, 2, 2], [1, 2, 3, 3], [2]],
      run: (x, w, b) => convTranspose2d(expand(x, [3, 2, 1, 2, 2]), w, b, { stride: 2 }),
      gives: [[3, 2, 2, 5, 5]],
      chained: true,
    },
    {
      of: "used beside another",
      inputs: [
        [2, 2, 3, 3],
        [2, 2, 2, 2],
      ],
      run: (x, w) => [convTranspose2d(x, w), conv2d(x, w)],
      gives: [
        [2, 2, 4, 4],
        [2, 2, 2, 2],
      ],
    },
  ],
  maxPool2d: [
    { of: "2 × 2", inputs: [[2, 2, 4, 6]], run: (x) => maxPool2d(x, 2), gives: [[2, 2, 2, 3]] },
    { of: "an odd rest", inputs: [[2, 5, 7]], run: (x) => maxPool2d(x, [2, 3]), gives: [[2, 2, 2]] },
    {
      of: "every option",
      inputs: [[1, 2, 7, 9]],
      run: (x) => maxPool2d(x, 2, { stride: [1, 3], padding: 1, dilation: [2, 1], ceilMode: true }),
      gives: [[1, 2, 7, 4]],
    },
    {
      of: "windows that overlap, time and batch",
      inputs: [[2, 1, 2, 5, 9]],
      run: (x) => maxPool2d(x, 3, { stride: 1 }),
      gives: [[2, 1, 2, 3, 7]],
    },
    {
      of: "a constant over time",
      inputs: [[2, 1, 4, 4]],
      run: (x) => maxPool2d(expand(x, [3, 2, 1, 4, 4]), 2),
      gives: [[3, 2, 1, 2, 2]],
      chained: true,
    },
    { of: "many planes", inputs: [[3, 7, 2, 2]], run: (x) => maxPool2d(x, 2), gives: [[3, 7, 1, 1]] },
  ],
  avgPool2d: [
    { of: "2 × 2", inputs: [[2, 2, 4, 6]], run: (x) => avgPool2d(x, 2), gives: [[2, 2, 2, 3]] },
    {
      of: "padding that counts",
      inputs: [[2, 6, 7]],
      run: (x) => avgPool2d(x, [2, 3], { stride: [2, 1], padding: 1, ceilMode: true }),
      gives: [[2, 4, 7]],
    },
    {
      of: "padding that does not",
      inputs: [[2, 6, 7]],
      run: (x) => avgPool2d(x, [2, 3], { stride: [2, 1], padding: 1, ceilMode: true, countIncludePad: false }),
      gives: [[2, 4, 7]],
    },
    {
      of: "a constant over time",
      inputs: [[2, 1, 4, 4]],
      run: (x) => avgPool2d(expand(x, [3, 2, 1, 4, 4]), 2),
      gives: [[3, 2, 1, 2, 2]],
      chained: true,
    },
  ],
  adaptiveAvgPool2d: [
    { of: "one value", inputs: [[2, 3, 4, 5]], run: (x) => adaptiveAvgPool2d(x, 1), gives: [[2, 3, 1, 1]] },
    { of: "uneven windows", inputs: [[2, 5, 7]], run: (x) => adaptiveAvgPool2d(x, [3, 4]), gives: [[2, 3, 4]] },
    { of: "more than there are", inputs: [[1, 2, 3]], run: (x) => adaptiveAvgPool2d(x, [5, 3]), gives: [[1, 5, 3]] },
  ],
  batchNorm: [
    {
      of: "images in training",
      inputs: [[3, 2, 2, 3], [2], [2]],
      run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
      gives: [[3, 2, 2, 3]],
    },
    {
      of: "vectors in training",
      inputs: [[5, 3], [3], [3]],
      run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true, eps: 0.1 }),
      gives: [[5, 3]],
    },
    {
      of: "neither weight nor bias",
      inputs: [[2, 3, 4]],
      run: (x) => batchNorm(x, { training: true }),
      gives: [[2, 3, 4]],
    },
    {
      of: "a bias alone",
      inputs: [[2, 3, 4], [3]],
      run: (x, bias) => batchNorm(x, { bias, training: true }),
      gives: [[2, 3, 4]],
    },
    {
      of: "running statistics",
      inputs: [[3, 2, 2, 2], [2], [2]],
      run: (x, weight, bias) =>
        batchNorm(x, { weight, bias, runningMean: tensor([0.5, -1]), runningVar: tensor([2, 0.5]) }),
      gives: [[3, 2, 2, 2]],
      chained: true,
    },
    {
      of: "running statistics of vectors",
      inputs: [[4, 2], [2]],
      run: (x, weight) => batchNorm(x, { weight, runningMean: tensor([0.5, -1]), runningVar: tensor([2, 0.5]) }),
      gives: [[4, 2]],
      chained: true,
    },
    {
      of: "images over time",
      inputs: [[2, 2, 3, 1, 2], [3], [3]],
      run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
      gives: [[2, 2, 3, 1, 2]],
    },
    {
      of: "vectors over time",
      inputs: [[2, 3, 4], [4], [4]],
      run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true, axis: -1 }),
      gives: [[2, 3, 4]],
    },
    {
      of: "a constant over time",
      inputs: [[3, 2, 2, 2], [2], [2]],
      run: (x, weight, bias) => batchNorm(expand(x, [4, 3, 2, 2, 2]), { weight, bias, training: true }),
      gives: [[4, 3, 2, 2, 2]],
      chained: true,
    },
  ],
  layerNorm: [
    {
      of: "the last axis",
      inputs: [[2, 3, 5], [5], [5]],
      run: (x, weight, bias) => layerNorm(x, 5, { weight, bias }),
      gives: [[2, 3, 5]],
    },
    {
      of: "several axes",
      inputs: [
        [2, 3, 4],
        [3, 4],
        [3, 4],
      ],
      run: (x, weight, bias) => layerNorm(x, [3, 4], { weight, bias, eps: 0.1 }),
      gives: [[2, 3, 4]],
    },
    { of: "all axes, nothing learned", inputs: [[2, 3]], run: (x) => layerNorm(x, [2, 3]), gives: [[2, 3]] },
    { of: "a weight alone", inputs: [[4, 3], [3]], run: (x, weight) => layerNorm(x, 3, { weight }), gives: [[4, 3]] },
    {
      of: "a constant over time",
      inputs: [[2, 3], [3], [3]],
      run: (x, weight, bias) => layerNorm(expand(x, [4, 2, 3]), 3, { weight, bias }),
      gives: [[4, 2, 3]],
      chained: true,
    },
  ],
  groupNorm: [
    {
      of: "signals",
      inputs: [[2, 4, 3], [4], [4]],
      run: (x, weight, bias) => groupNorm(x, 2, { weight, bias }),
      gives: [[2, 4, 3]],
    },
    {
      of: "one group",
      inputs: [[2, 4, 2, 2], [4]],
      run: (x, weight) => groupNorm(x, 1, { weight }),
      gives: [[2, 4, 2, 2]],
    },
    {
      of: "a group a channel",
      inputs: [[2, 3, 5], [3]],
      run: (x, bias) => groupNorm(x, 3, { bias }),
      gives: [[2, 3, 5]],
    },
    {
      of: "vectors",
      inputs: [[3, 6], [6], [6]],
      run: (x, weight, bias) => groupNorm(x, 2, { weight, bias }),
      gives: [[3, 6]],
    },
    {
      of: "images over time",
      inputs: [[2, 2, 4, 1, 3], [4], [4]],
      run: (x, weight, bias) => groupNorm(x, 2, { weight, bias }),
      gives: [[2, 2, 4, 1, 3]],
    },
    {
      of: "a constant over time",
      inputs: [[2, 4, 1, 2], [4]],
      run: (x, weight) => groupNorm(expand(x, [3, 2, 4, 1, 2]), 2, { weight }),
      gives: [[3, 2, 4, 1, 2]],
      chained: true,
    },
  ],
  dropout: [
    {
      of: "training",
      inputs: [[5, 9]],
      run: (x) => dropout(x, { p: 0.4, generator: new engine.Generator(1) }),
      gives: [[5, 9]],
    },
    {
      of: "training with masks fixed over time",
      inputs: [[3, 2, 9]],
      run: (x) => dropout(x, { p: 0.4, generator: new engine.Generator(1), sharedAxes: 0 }),
      gives: [[3, 2, 9]],
    },
    { of: "everything", inputs: [[7]], run: (x) => dropout(x, { p: 1 }), gives: [[7]] },
    { of: "nothing", inputs: [[7]], run: (x) => dropout(x, { p: 0 }), gives: [[7]] },
    { of: "evaluation", inputs: [[2, 3]], run: (x) => dropout(x, { training: false }), gives: [[2, 3]] },
  ],
  crossEntropy: [
    { of: "class indices", inputs: [[4, 3]], run: (x) => crossEntropy(x, LABELS), gives: [[]] },
    { of: "the sum", inputs: [[4, 3]], run: (x) => crossEntropy(x, LABELS, { reduction: "sum" }), gives: [[]] },
    { of: "no reduction", inputs: [[4, 3]], run: (x) => crossEntropy(x, LABELS, { reduction: "none" }), gives: [[4]] },
    { of: "time and batch", inputs: [[2, 2, 3]], run: (x) => crossEntropy(x, LABELS), gives: [[]] },
    {
      of: "time and batch, no reduction",
      inputs: [[2, 2, 3]],
      run: (x) => crossEntropy(x, LABELS, { reduction: "none" }),
      gives: [[2, 2]],
    },
    { of: "one row", inputs: [[3]], run: (x) => crossEntropy(x, [1]), gives: [[]] },
    {
      of: "labels in a tensor",
      inputs: [[4, 3]],
      run: (x) => crossEntropy(x, tensor(LABELS)),
      gives: [[]],
      chained: true,
    },
    {
      of: "smoothed labels",
      inputs: [[4, 3]],
      run: (x) => crossEntropy(x, LABELS, { labelSmoothing: 0.2 }),
      gives: [[]],
    },
    {
      of: "class weights",
      inputs: [[4, 3]],
      run: (x) => crossEntropy(x, LABELS, { weight: tensor([0.5, 2, 1]), labelSmoothing: 0.1 }),
      gives: [[]],
      chained: true,
    },
    { of: "ignored rows", inputs: [[4, 3]], run: (x) => crossEntropy(x, LABELS, { ignoreIndex: 2 }), gives: [[]] },
    {
      of: "probabilities",
      inputs: [[2, 3]],
      run: (x) =>
        crossEntropy(
          x,
          tensor([
            [0.2, 0.3, 0.5],
            [1, 0, 0],
          ]),
        ),
      gives: [[]],
      chained: true,
    },
    {
      of: "probabilities that want a gradient, weights and smoothing, no reduction",
      inputs: PAIR,
      run: (x, y) => crossEntropy(x, y, { weight: tensor([0.5, 2, 1]), labelSmoothing: 0.2, reduction: "none" }),
      gives: [[2]],
      chained: true,
    },
  ],
  nllLoss: [
    { of: "class indices", inputs: [[4, 3]], run: (x) => nllLoss(x, LABELS), gives: [[]] },
    {
      of: "weights and an ignored class, the sum",
      inputs: [[2, 2, 3]],
      run: (x) => nllLoss(x, LABELS, { weight: tensor([0.5, 2, 1]), ignoreIndex: 2, reduction: "sum" }),
      gives: [[]],
      chained: true,
    },
    {
      of: "time and batch, no reduction",
      inputs: [[2, 2, 3]],
      run: (x) => nllLoss(x, LABELS, { weight: tensor([0.5, 2, 1]), reduction: "none" }),
      gives: [[2, 2]],
      chained: true,
    },
    { of: "one row", inputs: [[3]], run: (x) => nllLoss(x, [1], { reduction: "none" }), gives: [[]] },
  ],
  l1Loss: pairLoss(l1Loss),
  smoothL1Loss: [
    ...pairLoss(smoothL1Loss),
    ...pairLoss((x, y, options) => smoothL1Loss(x, y, { ...options, beta: 0.5 }), ", beta 0.5"),
    ...pairLoss((x, y, options) => smoothL1Loss(x, y, { ...options, beta: 0 }), ", beta 0"),
  ],
  huberLoss: [
    ...pairLoss(huberLoss),
    ...pairLoss((x, y, options) => huberLoss(x, y, { ...options, delta: 0.5 }), ", delta 0.5"),
  ],
  bceWithLogits: [
    ...pairLoss(bceWithLogits),
    {
      of: "weights of elements and of the positive part",
      inputs: [[2, 3], [2, 3], [2, 1], [3]],
      run: (x, y, weight, posWeight) => bceWithLogits(x, y, { weight, posWeight, reduction: "none" }),
      gives: [[2, 3]],
    },
  ],
  klDiv: [
    ...pairLoss(klDiv, ", probabilities", [0.1, 2]),
    ...pairLoss((x, y, options) => klDiv(x, y, { ...options, logTarget: true }), ", logarithms"),
    {
      of: "the mean of the batch",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      run: (x, y) => klDiv(x, y, { logTarget: true, reduction: "batchmean" }),
      gives: [[]],
    },
  ],
  mseLoss: pairLoss(mseLoss),
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
    // All results of a case become one tensor, so that other tensors of the case are freed with the call.
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
    leftovers(one, leaves, true); // makes the gradients
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
