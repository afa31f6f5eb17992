/** Cases of ops that compute each element by itself, with broadcasting. */
import {
  add,
  atan2,
  clamp,
  cos,
  div,
  elu,
  eq,
  ge,
  gelu,
  gt,
  hardtanh,
  le,
  leakyRelu,
  log1p,
  logSigmoid,
  lt,
  maskedFill,
  maximum,
  minimum,
  mul,
  pow,
  reciprocal,
  silu,
  sin,
  softplus,
  sub,
  type Tensor,
  tensor,
  where,
} from "../../../engine/index.ts";
import { type Case, type Cases, chained, row, unary } from "./row.ts";

/** Pairs of shapes and their broadcast shape, and why they are here. */
const BROADCASTS: readonly [of: string, shapes: string][] = [
  ["equal shapes", "[2, 3] [2, 3] → [2, 3]"],
  ["scalars", "[] [] → []"],
  ["a bias", "[4, 3] [3] → [4, 3]"],
  ["a missing leading axis on the left", "[3] [2, 3] → [2, 3]"],
  ["a column", "[2, 3] [2, 1] → [2, 3]"],
  ["axes of size 1 on both sides", "[2, 1, 3] [4, 1] → [2, 4, 3]"],
  ["alternating axes", "[1, 2, 1, 3] [2, 1, 2, 1] → [2, 2, 2, 3]"],
  ["a scalar with a matrix", "[] [2, 2] → [2, 2]"],
  ["a middle axis", "[2, 1, 3] [2, 4, 3] → [2, 4, 3]"],
];

type Binary = (x: Tensor, y: Tensor | number) => Tensor;

const binary = (run: Binary, more: Pick<Case, "range" | "differentiable"> = {}): Case[] => [
  ...BROADCASTS.map(([of, shapes]) => row(of, shapes, run as Case["run"], more)),
  row("a number", "[2, 3] → [2, 3]", (x: Tensor) => run(x, 0.75), more),
  row("itself", "[5] → [5]", (x: Tensor) => run(x, x), more),
];

const positive = [0.2, 2] as const;
const CONDITION = tensor([
  [1, 0, 1],
  [0, 0, 2],
]);

export const POINTWISE = {
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: [...binary(div, { range: positive }), row("negative divisors", "[3] [3] → [3]", div, { range: [-2, -0.2] })],
  pow: [
    ...binary(pow, { range: positive }),
    row("a negative exponent", "[5] → [5]", (x) => pow(x, -1.5), { range: positive }),
    row("negative bases, an odd exponent", "[5] → [5]", (x) => pow(x, 3), { range: [-2, -0.2] }),
    row("negative bases, a negative one", "[5] → [5]", (x) => pow(x, -2), { range: [-2, -0.2] }),
    row("the square", "[5] → [5]", (x) => pow(x, 2)),
    row("the root", "[5] → [5]", (x) => pow(x, 0.5), { range: positive }),
    row("the inverse root", "[5] → [5]", (x) => pow(x, -0.5), { range: positive }),
    row("the exponent 0", "[5] → [5]", (x) => pow(x, 0)),
  ],
  atan2: [
    ...binary(atan2),
    chained("points near the axes", "[2, 4] → [2, 2]", (x) => atan2(x.slice(1, 0, 2), x.slice(1, 2).mul(1e-3))),
  ],
  maximum: binary(maximum),
  minimum: binary(minimum),
  log1p: [...unary(log1p, positive), chained("small values", "[5] → [5]", (x) => log1p(x.mul(1e-3)))],
  reciprocal: [...unary(reciprocal, positive), ...unary(reciprocal, [-2, -0.2])],
  sin: [...unary(sin), chained("large values", "[5] → [5]", (x) => sin(x.mul(50)))],
  cos: [...unary(cos), chained("large values", "[5] → [5]", (x) => cos(x.mul(50)))],
  logSigmoid: [...unary(logSigmoid), ...unary(logSigmoid, [-30, 30])],
  softplus: [
    ...unary((x) => softplus(x)),
    row("a slope", "[9] → [9]", (x) => softplus(x, { beta: 3 })),
    row("a threshold", "[9] → [9]", (x) => softplus(x, { threshold: 0.5 })),
    row("both", "[9] → [9]", (x) => softplus(x, { beta: 0.5, threshold: 0.25 })),
    row("large values", "[9] → [9]", (x) => softplus(x), { range: [-50, 50] }),
  ],
  silu: [...unary(silu), ...unary(silu, [-20, 20])],
  gelu: [
    ...unary((x) => gelu(x)),
    row("tails", "[9] → [9]", (x) => gelu(x), { range: [-8, 8] }),
    row("tanh", "[9] → [9]", (x) => gelu(x, { approximate: "tanh" })),
    row("tanh, tails", "[9] → [9]", (x) => gelu(x, { approximate: "tanh" }), { range: [-8, 8] }),
  ],
  leakyRelu: [
    ...unary((x) => leakyRelu(x)),
    row("a slope", "[9] → [9]", (x) => leakyRelu(x, 0.3)),
    row("a negative slope", "[9] → [9]", (x) => leakyRelu(x, -1)),
  ],
  elu: [
    ...unary((x) => elu(x)),
    row("a scale", "[9] → [9]", (x) => elu(x, 0.5)),
    row("large values", "[9] → [9]", (x) => elu(x), { range: [-30, 30] }),
  ],
  hardtanh: [...unary((x) => hardtanh(x)), row("bounds", "[9] → [9]", (x) => hardtanh(x, -0.25, 1.5))],
  where: [
    row("equal shapes", "[2, 3] [2, 3] → [2, 3]", (x, y) => where(CONDITION, x, y)),
    chained("all three broadcast", "[2, 1, 1] [2, 1] → [2, 2, 3]", (x, y) => where(CONDITION.select(0, 0), x, y)),
    row("a number on the left", "[2, 3] → [2, 3]", (x) => where(CONDITION, 0.5, x)),
    row("a number on the right", "[3] → [2, 3]", (x) => where(CONDITION, x, -2)),
    row("one tensor on both sides", "[2, 3] → [2, 3]", (x) => where(CONDITION, x, x)),
    row("the method", "[2, 3] [3] → [2, 3]", (x, y) => x.where(CONDITION, y)),
  ],
  maskedFill: [
    row("a number", "[2, 3] → [2, 3]", (x) => maskedFill(x, CONDITION, -7)),
    row("a tensor", "[2, 3] [] → [2, 3]", (x, value) => maskedFill(x, CONDITION, value)),
    row("a broadcast mask", "[4, 2, 3] → [4, 2, 3]", (x) => maskedFill(x, CONDITION, 1)),
    row("a broadcast tensor", "[3] → [2, 3]", (x) => maskedFill(x, CONDITION, 1)),
  ],
  clamp: [
    ...unary((x) => clamp(x, -0.5, 0.5)),
    row("only a lower bound", "[9] → [9]", (x) => clamp(x, 0.1)),
    row("only an upper bound", "[9] → [9]", (x) => clamp(x, null, 0.1)),
  ],
  gt: binary(gt, { differentiable: false }),
  ge: binary(ge, { differentiable: false }),
  lt: binary(lt, { differentiable: false }),
  le: binary(le, { differentiable: false }),
  eq: binary(eq, { differentiable: false }),
} satisfies Cases;
