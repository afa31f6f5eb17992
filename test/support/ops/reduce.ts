/** Cases of ops that go along axes: sums, moments, extrema, softmax. */
import {
  amax,
  amin,
  argmax,
  argmin,
  cumsum,
  expand,
  logSoftmax,
  logsumexp,
  max,
  mean,
  min,
  norm,
  pad,
  prod,
  softmax,
  stack,
  std,
  sum,
  type Tensor,
  tril,
  variance,
} from "../../../engine/index.ts";
import { type Case, type Cases, chained, row } from "./row.ts";

type Reduce = (x: Tensor, options?: { axis?: number | readonly number[]; keepdim?: boolean }) => Tensor;

const reduction = (run: Reduce): Case[] => [
  row("all axes", "[2, 3, 4] → []", (x) => run(x)),
  row("a scalar", "[] → []", (x) => run(x)),
  row("one element", "[1, 1] → []", (x) => run(x)),
  row("the first axis", "[3, 5] → [5]", (x) => run(x, { axis: 0 })),
  row("the last axis, negative", "[3, 5] → [3]", (x) => run(x, { axis: -1 })),
  row("a middle axis", "[2, 3, 4] → [2, 4]", (x) => run(x, { axis: 1 })),
  row("keepdim", "[2, 3, 4] → [2, 1, 4]", (x) => run(x, { axis: -2, keepdim: true })),
  row("all axes, keepdim", "[2, 3] → [1, 1]", (x) => run(x, { keepdim: true })),
  row("neighbouring axes", "[2, 3, 4] → [2]", (x) => run(x, { axis: [2, 1] })),
  row("axes apart", "[2, 3, 4] → [3]", (x) => run(x, { axis: [0, -1] })),
  row("axes apart, keepdim", "[2, 3, 2, 2] → [1, 3, 1, 2]", (x) => run(x, { axis: [0, 2], keepdim: true })),
  row("no axis", "[2, 3] → [2, 3]", (x) => run(x, { axis: [] })),
];

const alongAxis = (run: typeof max): Case[] => [
  chained("the last axis", "[3, 5] → [3]", (x) => run(x, { axis: -1 }).values),
  chained("the first axis", "[3, 5] → [5]", (x) => run(x, { axis: 0 }).values),
  chained("a middle axis, keepdim", "[2, 3, 4] → [2, 1, 4]", (x) => run(x, { axis: 1, keepdim: true }).values),
  chained("the indices", "[2, 3, 4] → [2, 4]", (x) => run(x, { axis: 1 }).indices, { differentiable: false }),
];

const indices = (run: typeof argmax): Case[] => [
  row("all axes", "[3, 4] → []", (x) => run(x), { differentiable: false }),
  row("an axis", "[3, 4] → [3]", (x) => run(x, { axis: -1 }), { differentiable: false }),
  row("keepdim", "[3, 4] → [1, 4]", (x) => run(x, { axis: 0, keepdim: true }), { differentiable: false }),
  row("all axes, keepdim", "[3, 4] → [1, 1]", (x) => run(x, { keepdim: true }), { differentiable: false }),
];

const alongRows = (run: typeof softmax): Case[] => [
  row("the last axis", "[3, 5] → [3, 5]", (x) => run(x)),
  row("one axis", "[6] → [6]", (x) => run(x)),
  row("the first axis", "[3, 5] → [3, 5]", (x) => run(x, 0)),
  row("a middle axis", "[2, 3, 4] → [2, 3, 4]", (x) => run(x, -2)),
  row("one class", "[3, 1] → [3, 1]", (x) => run(x)),
  chained("large values", "[3, 5] → [3, 5]", (x) => run(x.add(80))),
];

export const REDUCE = {
  sum: reduction(sum),
  mean: reduction(mean),
  variance: [
    ...reduction((x, options) => variance(x, { ...options, unbiased: false })),
    row("all axes, unbiased", "[2, 3, 4] → []", (x) => variance(x)),
    row("an axis, unbiased", "[3, 5] → [5]", (x) => variance(x, { axis: 0 })),
    chained("far from 0", "[3, 5] → [3]", (x) => variance(x.add(64), { axis: 1 })),
  ],
  std: [
    ...reduction((x, options) => std(x, { ...options, unbiased: false })),
    row("all axes, unbiased", "[2, 3, 4] → []", (x) => std(x)),
    row("axes apart, unbiased, keepdim", "[2, 3, 4] → [1, 3, 1]", (x) => std(x, { axis: [0, 2], keepdim: true })),
    chained("equal values", "[3] → [3]", (x) => std(expand(x, [4, 3]), { axis: 0 })),
  ],
  prod: [
    ...reduction(prod),
    chained("one zero in a row", "[3, 4] → [3]", (x) => prod(tril(x, 2), { axis: 1 })),
    chained("several zeros in a column", "[4, 3] → [3]", (x) => prod(tril(x), { axis: 0 })),
    chained("a square", "[3] → [3]", (x) => prod(stack([x, x]), { axis: 0 })),
  ],
  cumsum: [
    row("the last axis", "[3, 5] → [3, 5]", (x) => cumsum(x, { axis: -1 })),
    row("the first axis", "[3, 5] → [3, 5]", (x) => cumsum(x, { axis: 0 })),
    row("a middle axis", "[2, 3, 4] → [2, 3, 4]", (x) => cumsum(x, { axis: 1 })),
    row("no axis", "[2, 3] → [6]", (x) => cumsum(x)),
    row("one element", "[1] → [1]", (x) => cumsum(x, { axis: 0 })),
    chained("of itself", "[5] → [5]", (x) => cumsum(x).mul(x)),
    chained("a result read twice", "[2, 3] → [2, 3] [2, 3]", (x) => {
      const z = cumsum(x.exp(), { axis: 1 });
      return [z, z.square()];
    }),
  ],
  logsumexp: [
    ...reduction(logsumexp),
    chained("large values", "[3, 5] → [3]", (x) => logsumexp(x.add(80), { axis: 1 })),
  ],
  norm: [
    ...reduction(norm),
    row("p = 1", "[3, 5] → [5]", (x) => norm(x, { p: 1, axis: 0 })),
    row("p = ∞", "[3, 5] → [3, 1]", (x) => norm(x, { p: Infinity, axis: 1, keepdim: true })),
    chained("some rows of zeros", "[3, 2] → [4]", (x) => norm(pad(x, [0, 0, 1, 0]), { axis: 1 })),
  ],
  amax: reduction(amax),
  amin: reduction(amin),
  max: alongAxis(max),
  min: alongAxis(min),
  argmax: indices(argmax),
  argmin: indices(argmin),
  softmax: alongRows(softmax),
  logSoftmax: alongRows(logSoftmax),
} satisfies Cases;
