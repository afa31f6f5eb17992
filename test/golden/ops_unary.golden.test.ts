/** Elementwise functions and softmax, against PyTorch, on edge values too. */
import {
  abs,
  atan,
  clamp,
  cos,
  cumsum,
  elu,
  erf,
  exp,
  floor,
  type GeluOptions,
  gelu,
  hardtanh,
  leakyRelu,
  log,
  log1p,
  logSigmoid,
  logSoftmax,
  logsumexp,
  neg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softmax,
  softplus,
  sqrt,
  square,
  type Tensor,
  tanh,
} from "jarvis-snn";
import { present } from "../support/close.ts";
import { numberOf, type OpCase, type OpTolerance, opSuite, reduceOptions } from "./op-suite.ts";

const unary = {
  neg,
  exp,
  log,
  log1p,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  abs,
  sign,
  floor,
  round,
  sin,
  cos,
  atan,
  erf,
  tanh,
  sigmoid,
  logsigmoid: logSigmoid,
  relu,
  silu,
};

const along =
  (op: (x: Tensor, axis: number) => Tensor): OpCase =>
  (inputs, attrs) =>
    op(present(inputs, "a"), numberOf(attrs, "dim", -1));

const cases: Record<string, OpCase> = {
  ...Object.fromEntries(
    Object.entries(unary).map(([name, op]): [string, OpCase] => [name, ({ a }) => op(a as Tensor)]),
  ),
  clamp: ({ a }, { min, max }) => clamp(a as Tensor, min as number | null, max as number | null),
  gelu: ({ a }, { approximate = "none" }) => gelu(a as Tensor, { approximate } as GeluOptions),
  gelu_tanh: ({ a }) => gelu(a as Tensor, { approximate: "tanh" }),
  softplus: ({ a }, attrs) =>
    softplus(a as Tensor, { beta: numberOf(attrs, "beta", 1), threshold: numberOf(attrs, "threshold", 20) }),
  leaky_relu: ({ a }, attrs) => leakyRelu(a as Tensor, numberOf(attrs, "negative_slope", 0.01)),
  elu: ({ a }, attrs) => elu(a as Tensor, numberOf(attrs, "alpha", 1)),
  hardtanh: ({ a }, attrs) => hardtanh(a as Tensor, numberOf(attrs, "min_val", -1), numberOf(attrs, "max_val", 1)),
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

/** PyTorch computes 1 + erf, 1 + tanh, 1 − σ and eˣ − 1 in float32 and fits erf as a whole: an ulp of 1 is lost, times x. */
const cancelling: OpTolerance = {
  forward: { absolute: 1e-6, relative: 5e-7 },
  gradient: { absolute: 2e-6, relative: 1e-5 },
};

/** Sums over the axis in another order; x − log Σ exp and g − softmax·Σg cancel. */
const summing: OpTolerance = {
  forward: { absolute: 1e-6, relative: 1e-6 },
  gradient: { absolute: 2e-6, relative: 1e-5 },
};

opSuite({
  file: "torch/ops_unary",
  cases,
  leftOut: {},
  tolerance: {
    // Both sides approximate exp, log and tanh to 1 or 2 ulp.
    forward: { absolute: SUBNORMAL, relative: 5e-7 },
    gradient: { absolute: SUBNORMAL, relative: 1e-6 },
  },
  exceptions: {
    tanh: saturating,
    sigmoid: saturating,
    silu: cancelling,
    gelu: cancelling,
    gelu_tanh: cancelling,
    elu: cancelling,
    erf: cancelling,
    softmax: summing,
    log_softmax: summing,
    cumsum: summing,
    logsumexp: summing,
  },
});
