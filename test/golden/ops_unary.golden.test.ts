/** Elementwise functions and softmax, against PyTorch, on edge values too. */
import {
  abs,
  atan,
  clamp,
  cumsum,
  exp,
  log,
  logSoftmax,
  logsumexp,
  neg,
  relu,
  sigmoid,
  softmax,
  sqrt,
  square,
  type Tensor,
  tanh,
} from "jarvis-snn";
import { present } from "../support/close.ts";
import { later, numberOf, type OpCase, type OpTolerance, opSuite, reduceOptions } from "./op-suite.ts";

const unary = { neg, exp, log, sqrt, square, abs, tanh, sigmoid, relu, atan };

const along =
  (op: (x: Tensor, axis: number) => Tensor): OpCase =>
  (inputs, attrs) =>
    op(present(inputs, "a"), numberOf(attrs, "dim", -1));

const cases: Record<string, OpCase> = {
  ...Object.fromEntries(
    Object.entries(unary).map(([name, op]): [string, OpCase] => [name, ({ a }) => op(a as Tensor)]),
  ),
  clamp: ({ a }, { min, max }) => clamp(a as Tensor, min as number | null, max as number | null),
  softmax: along(softmax),
  log_softmax: along(logSoftmax),
  cumsum: along((x, axis) => cumsum(x, { axis })),
  logsumexp: ({ a }, attrs) => logsumexp(a as Tensor, reduceOptions(attrs)),
};

/** Below it float32 loses digits, and some platforms flush to zero. */
const SUBNORMAL = 1.2e-38;

/** 1 − tanh² and σ·(1 − σ) cancel where the output is near 1: an ulp of the output is what remains. */
const saturating: OpTolerance = {
  forward: { absolute: SUBNORMAL, relative: 5e-7 },
  gradient: { absolute: 1e-6, relative: 1e-5 },
};

/** Sums over the axis in another order; x − log Σ exp and g − softmax·Σg cancel. */
const summing: OpTolerance = {
  forward: { absolute: 1e-6, relative: 1e-6 },
  gradient: { absolute: 2e-6, relative: 1e-5 },
};

opSuite({
  file: "torch/ops_unary",
  cases,
  leftOut: later(
    "sin",
    "cos",
    "erf",
    "softplus",
    "silu",
    "gelu",
    "gelu_tanh",
    "leaky_relu",
    "elu",
    "logsigmoid",
    "hardtanh",
    "sign",
    "floor",
    "round",
    "rsqrt",
    "log1p",
    "reciprocal",
  ),
  tolerance: {
    // Both sides approximate exp, log and tanh to 1 or 2 ulp.
    forward: { absolute: SUBNORMAL, relative: 5e-7 },
    gradient: { absolute: SUBNORMAL, relative: 1e-6 },
  },
  exceptions: {
    tanh: saturating,
    sigmoid: saturating,
    softmax: summing,
    log_softmax: summing,
    cumsum: summing,
    logsumexp: summing,
  },
});
