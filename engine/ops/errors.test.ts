/**
 * Errors of each op: the message contains the op, the expected and the actual values, and no memory leaks.
 */
import { expect, test, vi } from "vitest";
import { shapesIn } from "../../test/support/ops/row.ts";
import { bytesKept, leaf, random, values } from "../../test/support/tensors.ts";
import { show } from "../arguments.ts";
import { memory } from "../core/wasm.ts";
import {
  adaptiveAvgPool2d,
  add,
  amax,
  argmax,
  avgPool2d,
  batchNorm,
  bceWithLogits,
  clamp,
  concat,
  conv1d,
  conv2d,
  convTranspose2d,
  crossEntropy,
  cumsum,
  detach,
  dropout,
  elu,
  embedding,
  eq,
  expand,
  flatten,
  gelu,
  groupNorm,
  hardtanh,
  huberLoss,
  klDiv,
  Linear,
  l1Loss,
  layerNorm,
  leakyRelu,
  linear,
  logsumexp,
  maskedFill,
  matmul,
  max,
  maxPool2d,
  min,
  mseLoss,
  nllLoss,
  norm,
  ones,
  pad,
  parameter,
  permute,
  pow,
  relu,
  reshape,
  select,
  silu,
  slice,
  smoothL1Loss,
  softmax,
  softplus,
  split,
  squeeze,
  stack,
  sub,
  sum,
  type Tensor,
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

type Reduction = "mean";

const ROW = tensor([[0, 1]]);
const WIDE = tensor([[0, 1, 0, 1]]);
const SQUARE = tensor([
  [0, 1],
  [1, 2],
]);
const MANY = 2 ** 24 + 1;

/** An op over tensors of these shapes and the message it ends with. All are RangeErrors. */
const REFUSED: [message: string, shapes: string, run: (...x: Tensor[]) => unknown][] = [
  ["add: shapes do not broadcast, got [2, 3] and [4]", "[2, 3] [4]", (x, y) => x.add(y)],
  ["sub: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.sub(y)],
  ["mul: shapes do not broadcast, got [2, 2] and [3, 2]", "[2, 2] [3, 2]", (x, y) => x.mul(y)],
  ["div: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.div(y)],
  ["maximum: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.maximum(y)],
  ["gt: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.gt(y)],
  ["pow: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.pow(y)],
  ["atan2: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => x.atan2(y)],
  ["where: shapes do not broadcast, got [2] and [3]", "[2] [3]", (c, x) => where(c, x, 1)],
  ["where: shapes do not broadcast, got [2] and [3]", "[1] [2] [3]", (c, x, y) => where(c, x, y)],
  ["maskedFill: shapes do not broadcast, got [2] and [3]", "[3] [2]", (x, mask) => x.maskedFill(mask, 0)],
  ["hardtanh: expected low ≤ high, got 2 and -1", "[2]", (x) => hardtanh(x, 2, -1)],
  ["hardtanh: low must be a number, got NaN", "[2]", (x) => hardtanh(x, NaN)],
  ["clamp: low must be a number, got NaN", "[2]", (x) => x.clamp(NaN, 1)],
  ["clamp: high must be a number, got NaN", "[2]", (x) => x.clamp(null, NaN)],
  ["leakyRelu: negativeSlope must be finite in float32, got 1e+39", "[2]", (x) => leakyRelu(x, 1e39)],
  ["softplus: beta must be finite and not 0, got 1e-50", "[2]", (x) => softplus(x, { beta: 1e-50 })],
  ["leakyRelu: negativeSlope must be finite in float32, got NaN", "[2]", (x) => leakyRelu(x, NaN)],
  ["elu: alpha must be finite in float32, got Infinity", "[2]", (x) => elu(x, Infinity)],
  ["softplus: beta must be finite and not 0, got 0", "[2]", (x) => softplus(x, { beta: 0 })],
  ["softplus: beta must be finite and not 0, got NaN", "[2]", (x) => softplus(x, { beta: NaN })],
  ["softplus: threshold must be a number, got NaN", "[2]", (x) => softplus(x, { threshold: NaN })],
  ['gelu: expected approximate "none" or "tanh", got "erf"', "[2]", (x) => gelu(x, { approximate: "erf" as "none" })],
  ["mseLoss: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => mseLoss(x, y)],
  [
    "mseLoss: shapes do not broadcast, got [4, 3] and [4]; unsqueeze(-1) the shorter one?",
    "[4, 3] [4]",
    (x, y) => mseLoss(x, y),
  ],
  [
    "mseLoss: expected one shape to broadcast to the other, got [4, 1] and [4]; squeeze one of them?",
    "[4, 1] [4]",
    (x, y) => mseLoss(x, y),
  ],
  [
    "matmul: inner sizes differ, got [32, 784] · [10, 784]; transpose the second operand?",
    "[32, 784] [10, 784]",
    (x, y) => matmul(x, y),
  ],
  ["matmul: inner sizes differ, got [3] · [2]", "[3] [2]", (x, y) => matmul(x, y)],
  ["matmul: expected at least one axis, got [] · [2]", "[] [2]", (x, y) => matmul(x, y)],
  ["matmul: shapes do not broadcast, got [2] and [3]", "[2, 2, 2] [3, 2, 2]", (x, y) => matmul(x, y)],
  [
    "linear: expected x [..., in] and weight [out, in], got [2, 3] and [3, 4]; transpose the weight?",
    "[2, 3] [3, 4]",
    (x, w) => linear(x, w),
  ],
  [
    "linear: expected x [..., in] and weight [out, in], got [5, 1, 2, 6] and [3, 12]; flatten(x, 1)?",
    "[5, 1, 2, 6] [3, 12]",
    (x, w) => linear(x, w),
  ],
  ["linear: expected x [..., in] and weight [out, in], got [] and [3, 4]", "[] [3, 4]", (x, w) => linear(x, w)],
  ["linear: expected x [..., in] and weight [out, in], got [4] and [4]", "[4] [4]", (x, w) => linear(x, w)],
  ["linear: expected bias [3], got [4]", "[2, 4] [3, 4] [4]", (x, w, b) => linear(x, w, b)],
  ["linear: expected bias [3], got [1, 3]", "[2, 4] [3, 4] [1, 3]", (x, w, b) => linear(x, w, b)],
  ["sum: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => sum(x, { axis: 2 })],
  ["sum: expected an axis in [-2, 1], got -3", "[2, 3]", (x) => sum(x, { axis: [0, -3] })],
  ["sum: expected distinct axes, got [0, -2]", "[2, 3]", (x) => sum(x, { axis: [0, -2] })],
  ["mean: expected an axis in [-1, 0], got 0.5", "[2]", (x) => x.mean({ axis: 0.5 })],
  ["amax: expected an axis in [-1, 0], got 3", "[2]", (x) => x.amax({ axis: 3 })],
  ["max: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => max(x, { axis: 2 })],
  ["min: expected an axis in [-2, 1], got -3", "[2, 3]", (x) => x.min({ axis: -3 })],
  ["argmax: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => argmax(x, { axis: 2 })],
  ["argmin: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => x.argmin({ axis: 2 })],
  ["max: expected at most 2²⁴ elements, whose indices are exact, got 16777217", "[1]", (x) => argmax(x.expand([MANY]))],
  [
    "min: expected at most 2²⁴ elements, whose indices are exact, got 16777217",
    "[1, 1]",
    (x) => x.expand([MANY, 1]).min({ axis: 0 }),
  ],
  ["softmax: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => softmax(x, 2)],
  ["logSoftmax: expected an axis in [-1, 0], got 1", "[3]", (x) => x.logSoftmax(1)],
  ["reshape: expected a shape of 6 elements, got [4] for [2, 3]", "[2, 3]", (x) => reshape(x, [4])],
  ["reshape: expected a shape of 6 elements, got [4, -1] for [2, 3]", "[2, 3]", (x) => reshape(x, [4, -1])],
  ["reshape: expected a shape of 6 elements, got [-1, -1] for [2, 3]", "[2, 3]", (x) => reshape(x, [-1, -1])],
  ["reshape: expected a shape of 6 elements, got [-2, -3] for [2, 3]", "[2, 3]", (x) => reshape(x, [-2, -3])],
  ["flatten: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => flatten(x, 2)],
  ["flatten: expected an axis in [-1, 0], got 1", "[]", (x) => flatten(x, 1)],
  ["flatten: expected startAxis ≤ endAxis, got 1 and 0", "[2, 3]", (x) => flatten(x, 1, 0)],
  ["squeeze: expected an axis in [-2, 1], got 2", "[2, 1]", (x) => squeeze(x, 2)],
  ["unsqueeze: expected an axis in [-3, 2], got 3", "[2, 1]", (x) => unsqueeze(x, 3)],
  ["transpose: expected an axis in [-1, 0], got -2", "[2]", (x) => transpose(x)],
  ["permute: expected every axis of [2, 3] once, got [0]", "[2, 3]", (x) => permute(x, [0])],
  ["permute: expected every axis of [2, 3] once, got [1, -1]", "[2, 3]", (x) => permute(x, [1, -1])],
  ["permute: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => permute(x, [0, 2])],
  ["expand: shapes do not broadcast, got [2] and [3]", "[2]", (x) => expand(x, [3])],
  ["expand: expected a shape that [3, 1] broadcasts to, got [1, 4]", "[3, 1]", (x) => expand(x, [1, 4])],
  ["expand: expected a shape that [2, 3] broadcasts to, got [3]", "[2, 3]", (x) => expand(x, [3])],
  ["expand: expected positive integer sizes, got shape [-1, 3]", "[3]", (x) => expand(x, [-1, 3])],
  ["slice: expected an axis in [-1, 0], got 1", "[3]", (x) => slice(x, 1)],
  ["slice: expected start < end on axis 0 of [3], got 2 and 2", "[3]", (x) => slice(x, 0, 2, 2)],
  ["slice: expected start < end on axis 1 of [2, 3], got 5 and 9", "[2, 3]", (x) => slice(x, -1, 5, 9)],
  ["slice: expected integer bounds, got 0.5 and 2", "[4, 2]", (x) => slice(x, 0, 0.5, 2)],
  ["slice: expected integer bounds, got 0 and 1.5", "[2, 4]", (x) => slice(x, 1, 0, 1.5)],
  ["slice: expected integer bounds, got NaN and 1", "[4]", (x) => slice(x, 0, Number.NaN, 1)],
  ["select: expected an index in [-3, 2], got 3", "[3]", (x) => select(x, 0, 3)],
  ["select: expected an index in [-3, 2], got 1.5", "[3]", (x) => select(x, 0, 1.5)],
  ["select: expected an axis in [-1, 0], got 1", "[3]", (x) => select(x, 1, 0)],
  ["unbind: expected an axis in [-1, 0], got 1", "[3]", (x) => unbind(x, 1)],
  ["slice: step must be a positive integer, got 0", "[3]", (x) => slice(x, 0, 0, 2, 0)],
  ["slice: step must be a positive integer, got -1", "[3]", (x) => slice(x, 0, 0, 2, -1)],
  ["slice: step must be a positive integer, got 1.5", "[3]", (x) => slice(x, 0, 0, 2, 1.5)],
  ["variance: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => x.variance({ axis: 2 })],
  ["std: expected distinct axes, got [0, -2]", "[2, 3]", (x) => x.std({ axis: [0, -2] })],
  ["prod: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => x.prod({ axis: 2 })],
  ["logsumexp: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => x.logsumexp({ axis: 2 })],
  ["norm: expected an axis in [-2, 1], got -3", "[2, 3]", (x) => x.norm({ axis: -3 })],
  ["norm: expected p to be 1, 2 or Infinity, got 3", "[2]", (x) => x.norm({ p: 3 })],
  ["cumsum: expected an axis in [-2, 1], got 2", "[2, 3]", (x) => x.cumsum({ axis: 2 })],
  ["indexSelect: expected an axis in [-1, 0], got 1", "[3]", (x) => x.indexSelect(1, [0])],
  ["indexSelect: expected indices in [0, 2], got 3 at 1", "[3]", (x) => x.indexSelect(0, [0, 3])],
  ["indexSelect: expected indices in [0, 2], got -1 at 0", "[3]", (x) => x.indexSelect(0, Int32Array.of(-1))],
  ["indexSelect: expected indices in [0, 1], got 0.5 at 2", "[3, 2]", (x) => x.indexSelect(1, [0, 1, 0.5])],
  ["indexSelect: expected positive integer sizes, got shape [0]", "[3]", (x) => x.indexSelect(0, [])],
  ["gather: expected an axis in [-1, 0], got 1", "[3]", (x) => x.gather(1, [0])],
  ["gather: expected indices in [0, 2], got NaN at 0", "[3]", (x) => x.gather(0, [Number.NaN])],
  ["gather: expected an index within [2, 3] but for axis 1, got [2]", "[2, 3]", (x) => x.gather(1, [0, 1])],
  ["embedding: expected indices in [0, 3], got 4 at 0", "[4, 2]", (w) => embedding([4], w)],
  ["embedding: expected positive integer sizes, got shape [0, 2]", "[4, 2]", (w) => embedding([], w)],
  ["embedding: expected a weight [K, N], got [4]", "[4]", (w) => embedding([0], w)],
  ["embedding: expected a weight [K, N], got []", "[]", (w) => embedding([0], w)],
  ["embedding: expected paddingIdx in [-4, 3], got 4", "[4, 2]", (w) => embedding([0], w, { paddingIdx: 4 })],
  ["embedding: expected paddingIdx in [-4, 3], got -5", "[4, 2]", (w) => embedding([0], w, { paddingIdx: -5 })],
  ["embedding: expected paddingIdx in [-4, 3], got 0.5", "[4, 2]", (w) => embedding([0], w, { paddingIdx: 0.5 })],
  ["split: expected an axis in [-1, 0], got 1", "[3]", (x) => x.split(1, 1)],
  ["split: expected positive integer sizes that sum to 3, got [1, 1]", "[3]", (x) => x.split([1, 1])],
  ["split: expected positive integer sizes that sum to 3, got [3, 0]", "[3]", (x) => x.split([3, 0])],
  ["split: expected positive integer sizes that sum to 3, got [1.5, 1.5]", "[3]", (x) => x.split([1.5, 1.5])],
  ["split: expected positive integer sizes that sum to 3, got []", "[3]", (x) => x.split([])],
  ["split: expected positive integer sizes that sum to 3, got [0]", "[3]", (x) => x.split(0)],
  ["flip: expected an axis in [-1, 0], got 1", "[3]", (x) => x.flip(1)],
  ["flip: expected distinct axes, got [0, 0]", "[3]", (x) => x.flip([0, 0])],
  ["tile: expected positive integer sizes, got shape [2, 0]", "[3]", (x) => x.tile([2, 0])],
  ["tile: expected positive integer sizes, got shape [0.5]", "[4]", (x) => x.tile([0.5])],
  ["tile: expected at most 2³⁰ elements, got shape [1048576, 2048]", "[2048]", (x) => x.tile([2 ** 20])],
  ["pad: expected pairs of integers for the last axes of [2, 3], got [1]", "[2, 3]", (x) => pad(x, [1])],
  ["pad: expected pairs of integers for the last axes of [3], got [0, 0, 1, 1]", "[3]", (x) => pad(x, [0, 0, 1, 1])],
  ["pad: expected pairs of integers for the last axes of [3], got [0.5, 1]", "[3]", (x) => pad(x, [0.5, 1])],
  ["pad: expected pairs of integers for the last axes of [3], got [-2, -1]", "[3]", (x) => pad(x, [-2, -1])],
  ["tril: expected two axes or more, got [3]", "[3]", (x) => x.tril()],
  ["tril: diagonal must be an integer, got 0.5", "[3, 3]", (x) => x.tril(0.5)],
  ["gather: expected indices in [0, 1], got 2 at 3", "[2, 2]", (x) => x.gather(0, SQUARE)],
  ["gather: expected an index within [2, 3] but for axis 0, got [1, 4]", "[2, 3]", (x) => x.gather(0, WIDE)],
  ["indexSelect: expected one axis of indices, got [1, 2]", "[2, 3]", (x) => x.indexSelect(0, ROW)],
  [
    "scatterAdd: expected an index within [3] but for axis 0 and within [2], got [3]",
    "[3] [2]",
    (x, source) => x.scatterAdd(0, [0, 1, 2], source),
  ],
  [
    "scatterAdd: expected an index within [2, 1] but for axis 0 and within [2, 3], got [1, 2]",
    "[2, 1] [2, 3]",
    (x, source) => x.scatterAdd(0, ROW, source),
  ],
  [
    "scatterAdd: expected an index within [3] but for axis 0 and within [1, 3], got [3]",
    "[3] [1, 3]",
    (x, source) => x.scatterAdd(0, [0, 1, 2], source),
  ],
  ["scatterAdd: expected indices in [0, 2], got 3 at 0", "[3] [3]", (x, source) => x.scatterAdd(0, [3, 0, 0], source)],
  ["concat: expected at least one tensor, got none", "", () => concat([])],
  ["concat: shapes differ beside axis 0, got [2, 3] and [2, 4]", "[2, 3] [2, 4]", (x, y) => concat([x, y])],
  ["concat: shapes differ beside axis 0, got [3] and [1, 3]", "[3] [1, 3]", (x, y) => concat([x, y])],
  ["concat: expected an axis in [-1, 0], got 1", "[3] [3]", (x, y) => concat([x, y], 1)],
  ["stack: expected at least one tensor, got none", "", () => stack([])],
  ["stack: expected tensors of one shape, got [3] and [4]", "[3] [4]", (x, y) => stack([x, y])],
  ["stack: expected an axis in [-2, 1], got 2", "[3] [3]", (x, y) => stack([x, y], 2)],
  ["crossEntropy: expected an input [..., K], got a scalar", "[]", (x) => crossEntropy(x, [0])],
  ["crossEntropy: expected 2 targets, got 3", "[2, 3]", (x) => crossEntropy(x, [0, 1, 2])],
  ["crossEntropy: expected class indices in [0, 2], got 3 at 1", "[2, 3]", (x) => crossEntropy(x, [0, 3])],
  ["crossEntropy: expected class indices in [0, 2], got -1 at 0", "[2, 3]", (x) => crossEntropy(x, [-1, 0])],
  ["crossEntropy: expected class indices in [0, 2], got 0.5 at 1", "[2, 3]", (x) => crossEntropy(x, [0, 0.5])],
  [
    "crossEntropy: expected class indices in [0, 2], got -1 at 1",
    "[2, 3]",
    (x) => crossEntropy(x, [-2, -1], { ignoreIndex: -2 }),
  ],
  [
    "crossEntropy: labelSmoothing must be in [0, 1], got 1.5",
    "[2, 3]",
    (x) => crossEntropy(x, [0, 1], { labelSmoothing: 1.5 }),
  ],
  [
    "crossEntropy: labelSmoothing must be in [0, 1], got NaN",
    "[2, 3]",
    (x) => crossEntropy(x, [0, 1], { labelSmoothing: Number.NaN }),
  ],
  ["crossEntropy: expected weight [3], got [2]", "[2, 3] [2]", (x, weight) => crossEntropy(x, [0, 1], { weight })],
  [
    'crossEntropy: expected the reduction "mean", "sum" or "none", got "total"',
    "[2, 3]",
    (x) => crossEntropy(x, [0, 1], { reduction: "total" as Reduction }),
  ],
  [
    "crossEntropy: expected 8 targets, got 4; does [2, 4, 3] have a time axis? take a readout over time first, or repeat the targets",
    "[2, 4, 3]",
    (x) => crossEntropy(x, Int32Array.of(0, 1, 2, 0)),
  ],
  [
    "nllLoss: expected 8 targets, got 2; does [2, 4, 3] have a time axis? take a readout over time first, or repeat the targets",
    "[2, 4, 3] [2]",
    (x, targets) => nllLoss(x, targets),
  ],
  ["crossEntropy: expected 8 targets, got 16", "[2, 4, 3]", (x) => crossEntropy(x, new Uint8Array(16))],
  ["crossEntropy: expected 8 targets, got 0", "[2, 4, 3]", (x) => crossEntropy(x, [])],
  [
    "crossEntropy: expected class indices in [0, 2], got 4294967296 at 1",
    "[2, 3]",
    (x) => crossEntropy(x, [0, 2 ** 32]),
  ],
  ["nllLoss: expected an input [..., K], got a scalar", "[]", (x) => nllLoss(x, [0])],
  ["nllLoss: expected 3 targets, got 2", "[3, 3]", (x) => nllLoss(x, [0, 1])],
  ["nllLoss: expected class indices in [0, 2], got 3 at 1", "[2, 3]", (x) => nllLoss(x, [0, 3])],
  ["nllLoss: expected weight [3], got [4]", "[2, 3] [4]", (x, weight) => nllLoss(x, [0, 1], { weight })],
  [
    'nllLoss: expected the reduction "mean", "sum" or "none", got "batchmean"',
    "[2, 3]",
    (x) => nllLoss(x, [0, 1], { reduction: "batchmean" as Reduction }),
  ],
  ["l1Loss: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => l1Loss(x, y)],
  ["smoothL1Loss: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => smoothL1Loss(x, y)],
  ["smoothL1Loss: beta must be ≥ 0, got -1", "[2] [2]", (x, y) => smoothL1Loss(x, y, { beta: -1 })],
  ["smoothL1Loss: beta must be ≥ 0, got NaN", "[2] [2]", (x, y) => smoothL1Loss(x, y, { beta: Number.NaN })],
  ["huberLoss: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => huberLoss(x, y)],
  ["huberLoss: delta must be positive, got 0", "[2] [2]", (x, y) => huberLoss(x, y, { delta: 0 })],
  ["huberLoss: delta must be positive, got NaN", "[2] [2]", (x, y) => huberLoss(x, y, { delta: Number.NaN })],
  ["bceWithLogits: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => bceWithLogits(x, y)],
  [
    "bceWithLogits: shapes do not broadcast, got [2] and [3]",
    "[2] [2] [3]",
    (x, y, weight) => bceWithLogits(x, y, { weight }),
  ],
  [
    "bceWithLogits: shapes do not broadcast, got [2, 3] and [2]; unsqueeze(-1) the shorter one?",
    "[1, 3] [2, 3] [2]",
    (x, y, posWeight) => bceWithLogits(x, y, { posWeight }),
  ],
  [
    "crossEntropy: expected weight [3], got [3, 1]",
    "[3, 3] [3, 1]",
    (x, weight) => crossEntropy(x, [0, 1, 2], { weight }),
  ],
  [
    'bceWithLogits: expected the reduction "mean", "sum" or "none", got "total"',
    "[2] [2]",
    (x, y) => bceWithLogits(x, y, { reduction: "total" as Reduction }),
  ],
  ["klDiv: shapes do not broadcast, got [2] and [3]", "[2] [3]", (x, y) => klDiv(x, y)],
  [
    'klDiv: expected the reduction "mean", "sum", "none" or "batchmean", got "total"',
    "[2] [2]",
    (x, y) => klDiv(x, y, { reduction: "total" as Reduction }),
  ],
  [
    'l1Loss: expected the reduction "mean", "sum" or "none", got ", "',
    "[2] [2]",
    (x, y) => l1Loss(x, y, { reduction: ", " as Reduction }),
  ],
  [
    'mseLoss: expected the reduction "mean", "sum" or "none", got "total"',
    "[2] [2]",
    (x, y) => mseLoss(x, y, { reduction: "total" as Reduction }),
  ],
  [
    "conv1d: expected x [..., C, L] and weight [out, C / groups, k], got [2, 3, 9] and [4, 2, 3] with groups 1",
    "[2, 3, 9] [4, 2, 3]",
    (x, w) => conv1d(x, w),
  ],
  [
    "conv2d: expected x [..., C, H, W] and weight [out, C / groups, kH, kW], got [3, 8, 8] and [4, 2, 3, 3] with groups 1",
    "[3, 8, 8] [4, 2, 3, 3]",
    (x, w) => conv2d(x, w),
  ],
  [
    "conv2d: expected x [..., C, H, W] and weight [out, C / groups, kH, kW], got [1, 4, 8, 8] and [5, 2, 3, 3] with groups 2",
    "[1, 4, 8, 8] [5, 2, 3, 3]",
    (x, w) => conv2d(x, w, null, { groups: 2 }),
  ],
  [
    "conv2d: expected x [..., C, H, W] and weight [out, C / groups, kH, kW], got [5, 8, 8] and [4, 1, 3, 3] with groups 1; add the axis of channels by unsqueeze(x, -3)?",
    "[5, 8, 8] [4, 1, 3, 3]",
    (x, w) => conv2d(x, w),
  ],
  [
    "conv2d: expected stride to be an integer in [1, 2³⁰] or two of them, got 2147483648",
    "[1, 3, 3] [1, 1, 2, 2]",
    (x, w) => conv2d(x, w, null, { stride: 2 ** 31 }),
  ],
  [
    "conv2d: expected x [..., C, H, W] and weight [out, C / groups, kH, kW], got [3, 3] and [3, 3] with groups 1",
    "[3, 3] [3, 3]",
    (x, w) => conv2d(x, w),
  ],
  [
    "conv2d: expected x [..., C, H, W] and weight [out, C / groups, kH, kW], got [1, 3, 3] and [1, 1, 2, 2] with groups 0",
    "[1, 3, 3] [1, 1, 2, 2]",
    (x, w) => conv2d(x, w, null, { groups: 0 }),
  ],
  ["conv2d: expected bias [2], got [3]", "[1, 3, 3] [2, 1, 2, 2] [3]", (x, w, b) => conv2d(x, w, b)],
  [
    "conv2d: expected stride to be an integer in [1, 2³⁰] or two of them, got [1, 0]",
    "[1, 3, 3] [1, 1, 2, 2]",
    (x, w) => conv2d(x, w, null, { stride: [1, 0] }),
  ],
  [
    "conv2d: expected padding to be an integer in [0, 2³⁰] or two of them, got -1",
    "[1, 3, 3] [1, 1, 2, 2]",
    (x, w) => conv2d(x, w, null, { padding: -1 }),
  ],
  [
    "conv2d: expected dilation to be an integer in [1, 2³⁰] or two of them, got 1.5",
    "[1, 3, 3] [1, 1, 2, 2]",
    (x, w) => conv2d(x, w, null, { dilation: 1.5 }),
  ],
  [
    "conv2d: expected at least 5 values under a window, got 3 with padding 0",
    "[1, 9, 3] [1, 1, 3, 3]",
    (x, w) => conv2d(x, w, null, { dilation: [1, 2] }),
  ],
  [
    "convTranspose2d: expected x [..., C, H, W] and weight [C, out / groups, kH, kW], got [2, 3, 3] and [3, 2, 2, 2] with groups 1",
    "[2, 3, 3] [3, 2, 2, 2]",
    (x, w) => convTranspose2d(x, w),
  ],
  [
    "convTranspose2d: expected bias [4], got [2]",
    "[2, 3, 3] [2, 2, 2, 2] [2]",
    (x, w, b) => convTranspose2d(x, w, b, { groups: 2 }),
  ],
  [
    "convTranspose2d: expected outputPadding below stride 2 or dilation 1, got 2",
    "[2, 3, 3] [2, 2, 2, 2]",
    (x, w) => convTranspose2d(x, w, null, { stride: 2, outputPadding: [0, 2] }),
  ],
  [
    "convTranspose2d: expected positive integer sizes, got shape [2, 0, 3]",
    "[2, 1, 2] [2, 2, 2, 2]",
    (x, w) => convTranspose2d(x, w, null, { padding: [1, 0] }),
  ],
  ["maxPool2d: expected x [..., C, H, W], got [4, 4]", "[4, 4]", (x) => maxPool2d(x, 2)],
  [
    "maxPool2d: expected kernel to be an integer in [1, 2³⁰] or two of them, got 0",
    "[1, 4, 4]",
    (x) => maxPool2d(x, 0),
  ],
  [
    "maxPool2d: expected padding of at most half the kernel 2, got 2",
    "[1, 4, 4]",
    (x) => maxPool2d(x, 2, { padding: 2 }),
  ],
  [
    "maxPool2d: expected at least 5 values under a window, got 4 with padding 0",
    "[1, 4, 4]",
    (x) => maxPool2d(x, [2, 5]),
  ],
  [
    "avgPool2d: expected stride to be an integer in [1, 2³⁰] or two of them, got NaN",
    "[1, 4, 4]",
    (x) => avgPool2d(x, 2, { stride: NaN }),
  ],
  ["avgPool2d: expected x [..., C, H, W], got []", "[]", (x) => avgPool2d(x, 2)],
  [
    "adaptiveAvgPool2d: expected outputSize to be an integer in [1, 2³⁰] or two of them, got [0, 1]",
    "[1, 4, 4]",
    (x) => adaptiveAvgPool2d(x, [0, 1]),
  ],
  ["adaptiveAvgPool2d: expected x [..., C, H, W], got [4]", "[4]", (x) => adaptiveAvgPool2d(x, 1)],
  ["batchNorm: expected weight [3], got [2]", "[2, 3] [2]", (x, weight) => batchNorm(x, { weight, training: true })],
  ["batchNorm: expected bias [3], got [3, 1]", "[2, 3] [3, 1]", (x, bias) => batchNorm(x, { bias, training: true })],
  [
    "batchNorm: expected runningVar [3], got [2]",
    "[2, 3] [3] [2]",
    (x, runningMean, runningVar) => batchNorm(x, { runningMean, runningVar }),
  ],
  [
    "batchNorm: expected more than one value per channel in training, got [1, 3]",
    "[1, 3]",
    (x) => batchNorm(x, { training: true }),
  ],
  ["batchNorm: momentum must be in [0, 1], got 1.5", "[2, 3]", (x) => batchNorm(x, { training: true, momentum: 1.5 })],
  ["batchNorm: eps must be finite and ≥ 0, got -1", "[2, 3]", (x) => batchNorm(x, { training: true, eps: -1 })],
  ["batchNorm: expected an axis in [-1, 0], got 1", "[2]", (x) => batchNorm(x, { training: true })],
  ["layerNorm: expected the last axes of x to be [3], got [2, 4]", "[2, 4]", (x) => layerNorm(x, 3)],
  ["layerNorm: expected the last axes of x to be [2, 4, 4], got [2, 4]", "[2, 4]", (x) => layerNorm(x, [2, 4, 4])],
  ["layerNorm: expected the last axes of x to be [], got [2, 4]", "[2, 4]", (x) => layerNorm(x, [])],
  ["layerNorm: expected weight [2, 4], got [4]", "[2, 4] [4]", (x, weight) => layerNorm(x, [2, 4], { weight })],
  ["groupNorm: expected numGroups to divide 4 channels, got 3", "[2, 4]", (x) => groupNorm(x, 3)],
  ["groupNorm: expected numGroups to divide 4 channels, got -2", "[2, 4]", (x) => groupNorm(x, -2)],
  ["groupNorm: expected numGroups to divide 4 channels, got 0.5", "[2, 4]", (x) => groupNorm(x, 0.5)],
  ["groupNorm: expected bias [4], got [2]", "[2, 4] [2]", (x, bias) => groupNorm(x, 2, { bias })],
  ["dropout: p must be in [0, 1], got 1.5", "[2]", (x) => dropout(x, { p: 1.5 })],
  ["dropout: p must be in [0, 1], got NaN", "[2]", (x) => dropout(x, { p: NaN, training: false })],
  // More than 32-bit addresses can reach. Modulo 2³² the first is 2.1 GB, the second 105 MB.
  [
    "out of memory: asked for 6400000000 bytes, the limit is 4294967296",
    "[40000, 1] [1, 40000]",
    (x, y) => matmul(x, y),
  ],
  ["out of memory: asked for 4400000000 bytes, the limit is 4294967296", "[50000, 1] [1, 22000]", (x, y) => x.add(y)],
];

test.each(REFUSED)("%s", (message, shapes, run) => {
  const inputs = shapesIn(shapes).map((shape, i) => leaf(shape, i));
  const kept = bytesKept(() => {
    expect(() => run(...inputs)).toThrow(RangeError);
    expect(() => run(...inputs)).toThrow(new RangeError(message));
    expect(() => tape(() => run(...inputs))).toThrow(message);
  });
  expect(kept).toBe(0);
});

test("ops: what is not a tensor is a TypeError", () => {
  const x = random([2], 1);
  for (const wrong of [undefined, null, "3", [1, 2], Float32Array.of(1, 2), {}, true] as unknown as Tensor[]) {
    const runs: Record<string, () => unknown> = {
      add: () => x.add(wrong),
      div: () => x.div(wrong),
      gt: () => x.gt(wrong),
      pow: () => x.pow(wrong),
      where: () => where(wrong, x, x),
      "where, right": () => where(x, 1, wrong),
      maskedFill: () => x.maskedFill(wrong, 1),
      silu: () => silu(wrong),
      matmul: () => x.matmul(wrong),
      linear: () => linear(x, wrong),
      concat: () => concat([x, wrong]),
      exp: () => x.exp.call(wrong),
      softmax: () => softmax(wrong),
      transpose: () => transpose(wrong),
      flatten: () => flatten(wrong),
      tile: () => x.tile.call(wrong, [2]),
    };
    for (const [name, run] of Object.entries(runs)) expect(run, `${name} of ${wrong}`).toThrow(TypeError);
  }
});

test("operands: what is neither a tensor nor a number is a TypeError that says what came", () => {
  const x = random([2], 1);
  for (const [wrong, got] of [
    [undefined, "undefined"],
    [null, "null"],
    ["3", '"3"'],
    [[1, 2], "[1, 2]"],
  ] as unknown as [Tensor, string][]) {
    const runs: Record<string, () => unknown> = {
      add: () => x.add(wrong),
      maximum: () => x.maximum(wrong),
      gt: () => x.gt(wrong),
      pow: () => x.pow(wrong),
      where: () => where(x, 1, wrong),
      maskedFill: () => x.maskedFill(x, wrong),
    };
    for (const [name, run] of Object.entries(runs)) {
      const kept = bytesKept(() => expect(run).toThrow(TypeError));
      expect(run).toThrow(`${name}: expected a tensor or a number, got ${got}`);
      expect(kept, name).toBe(0);
    }
  }
  expect(() => pad(x, [1, 1], "0" as unknown as number)).toThrow(
    new TypeError('pad: expected a number as value, got "0"'),
  );
});

test("targets: what is neither an array nor a tensor is a TypeError that says what came", () => {
  for (const wrong of [undefined, null, 1] as unknown as Tensor[]) {
    const message = `expected an array or a tensor of targets, got ${wrong}`;
    const x = random([1, 2], 1);
    expect(() => crossEntropy(x, wrong)).toThrow(new TypeError(`crossEntropy: ${message}`));
    expect(() => nllLoss(x, wrong)).toThrow(new TypeError(`nllLoss: ${message}`));
  }
});

test("indices: what is neither an array nor a tensor is a TypeError that says what came", () => {
  const x = random([2, 2], 1);
  for (const wrong of [undefined, null, 1, "01", {}] as unknown as Tensor[]) {
    const runs: Record<string, () => unknown> = {
      indexSelect: () => x.indexSelect(0, wrong),
      gather: () => x.gather(0, wrong),
      scatterAdd: () => x.scatterAdd(0, wrong, x),
      embedding: () => embedding(wrong, x),
    };
    for (const [name, run] of Object.entries(runs)) {
      expect(run).toThrow(TypeError);
      expect(run).toThrow(`${name}: expected an array or a tensor of indices, got ${show(wrong)}`);
    }
  }
});

const NO_AXIS = "expected an axis as a number, got undefined";

/** Calls with an argument of the wrong type, as untyped JavaScript may make them, and the end of their message. All are TypeErrors. */
const MISTAKEN: [message: string, run: (x: never, y: never) => unknown][] = [
  ["add: expected a tensor as the first operand, got 2; tensor(2) is one", (x) => add(2 as never, x)],
  ["sub: expected a tensor as the first operand, got 1; tensor(1) is one", (x) => sub(1 as never, x)],
  ["eq: expected a tensor as the first operand, got 0; tensor(0) is one", (x) => eq(0 as never, x)],
  ["pow: expected a tensor, got undefined", () => pow(undefined as never, 2)],
  ['sum: expected an axis or a list of axes, got "0"', (x) => sum(x, { axis: "0" as never })],
  ["sum: expected an axis or a list of axes, got null", (x) => sum(x, { axis: null as never })],
  ['sum: expected axes[1] as a number, got "1"', (x) => sum(x, { axis: [0, "1"] as never })],
  ["sum: expected the options axis, keepdim, got dim", (x) => sum(x, { dim: 0 } as never)],
  ["sum: expected keepdim of type boolean, got 1", (x) => sum(x, { keepdim: 1 as never })],
  ["max: expected options, got null", (x) => max(x, null as never)],
  [`max: ${NO_AXIS}; the largest of all values is amax()`, (x) => max(x, undefined as never)],
  [`min: ${NO_AXIS}; the smallest of all values is amin()`, (x) => min(x, undefined as never)],
  ["argmax: expected an axis as a number, got Symbol(axis)", (x) => argmax(x, { axis: Symbol("axis") as never })],
  ["cumsum: expected an axis as a number, got [1]", (x) => cumsum(x, { axis: [1] as never })],
  [`max: ${NO_AXIS}; the largest of all values is amax()`, (x) => max(x, {} as never)],
  ["min: expected an axis as a number, got []", (x) => min(x, { axis: [] as never })],
  ["cumsum: expected a tensor, got null", () => cumsum(null as never)],
  ['softmax: expected an axis as a number, got "0"', (x) => softmax(x, "0" as never)],
  ["variance: expected a tensor, got undefined", () => variance(undefined as never)],
  ["norm: expected a tensor, got undefined", () => norm(undefined as never)],
  ["logsumexp: expected a tensor, got undefined", () => logsumexp(undefined as never)],
  ["norm: expected p of type number, got null", (x) => norm(x, { p: null as never })],
  ['clamp: expected low as a number, got "0"', (x) => clamp(x, "0" as never, "1" as never)],
  ["hardtanh: expected high as a number, got 1n", (x) => hardtanh(x, 0, 1n as never)],
  ['elu: expected alpha as a number, got "1"', (x) => elu(x, "1" as never)],
  ["softplus: expected beta of type number, got null", (x) => softplus(x, { beta: null as never })],
  ["gelu: expected approximate of type string, got true", (x) => gelu(x, { approximate: true as never })],
  ["reshape: expected a shape, a list of sizes, got 2", (x) => reshape(x, 2 as never)],
  ["detach: expected a tensor, got null", () => detach(null as never)],
  ["squeeze: expected an axis as a number, got null", (x) => squeeze(x, null as never)],
  ["unsqueeze: expected an axis as a number, got undefined", (x) => unsqueeze(x, undefined as never)],
  ["permute: expected axes as a list of numbers, got undefined", (x) => permute(x, undefined as never)],
  ["transpose: expected an axis as a number, got [1, 0]", (x) => transpose(x, [1, 0] as never)],
  ['slice: expected numbers as bounds, got "1"', (x) => slice(x, 0, "1" as never)],
  ["slice: expected numbers as bounds, got null", (x) => slice(x, 0, 0, null as never)],
  ["select: expected an index as a number, got Symbol(1)", (x) => select(x, 0, Symbol("1") as never)],
  ["split: expected sizes as a list of numbers, got undefined", (x) => split(x, undefined as never)],
  ["concat: expected a list of tensors, got object", (x) => concat({ 0: x, length: 1 } as never)],
  ["stack: expected a list of tensors, got undefined", () => stack(undefined as never)],
  ["pad: expected padding as a list of numbers, got undefined", (x) => pad(x, undefined as never)],
  ['pad: expected padding[0] as a number, got "1"', (x) => pad(x, ["1", 1] as never)],
  ["tril: expected diagonal as a number, got null", (x) => tril(x, null as never)],
  ["tile: expected a shape, a list of sizes, got 2", (x) => tile(x, 2 as never)],
  ['linear: expected bias as a tensor, got "b"', (x) => linear(x, x, "b" as never)],
  [
    "conv2d: expected stride as a number or two of them, got null",
    (_, y) => conv2d(y, y, null, { stride: null as never }),
  ],
  [
    "conv2d: expected stride as a number or two of them, got [1, 1, 1]",
    (_, y) => conv2d(y, y, null, { stride: [1, 1, 1] as never }),
  ],
  ["conv2d: expected bias as a tensor, got object", (_, y) => conv2d(y, y, { stride: 2 } as never)],
  [
    "convTranspose2d: expected outputPadding as a number or two of them, got null",
    (_, y) => convTranspose2d(y, y, null, { outputPadding: null as never }),
  ],
  ["maxPool2d: expected kernel as a number or two of them, got undefined", (_, y) => maxPool2d(y, undefined as never)],
  ["avgPool2d: expected ceilMode of type boolean, got 0", (_, y) => avgPool2d(y, 1, { ceilMode: 0 as never })],
  ['layerNorm: expected a shape, a list of sizes, got "2"', (x) => layerNorm(x, "2" as never)],
  ["layerNorm: expected weight as a tensor, got 1", (x) => layerNorm(x, 2, { weight: 1 as never })],
  ["groupNorm: expected numGroups as a number, got undefined", (x) => groupNorm(x, undefined as never)],
  ['batchNorm: expected eps of type number, got "1"', (x) => batchNorm(x, { eps: "1" as never })],
  [
    "batchNorm: expected runningMean as a tensor, got [0, 0]",
    (x) => batchNorm(x, { runningMean: [0, 0] as never, runningVar: [1, 1] as never }),
  ],
  ['dropout: expected p of type number, got "0.5"', (x) => dropout(x, { p: "0.5" as never })],
  ["dropout: expected a tensor, got undefined", () => dropout(undefined as never, { training: false })],
  [
    "crossEntropy: expected weight as a tensor, got [1, 2]",
    (x) => crossEntropy(x, [0, 1], { weight: [1, 2] as never }),
  ],
  ['crossEntropy: expected an array or a tensor of targets, got "1" at 1', (x) => crossEntropy(x, [0, "1"] as never)],
  [
    "crossEntropy: expected an array or a tensor of targets, got 0n at 1",
    (x) => crossEntropy(x, new BigInt64Array(2) as never),
  ],
  [
    "crossEntropy: expected reduction of type string, got null",
    (x) => crossEntropy(x, [0, 1], { reduction: null as never }),
  ],
  ["bceWithLogits: expected a tensor, got undefined", (x) => bceWithLogits(x, undefined as never)],
  ["bceWithLogits: expected posWeight as a tensor, got 2", (x) => bceWithLogits(x, x, { posWeight: 2 as never })],
  ["klDiv: expected a tensor, got undefined", (x) => klDiv(x, undefined as never)],
  ["mseLoss: expected a tensor, got undefined", (x) => mseLoss(x, undefined as never)],
  ["maskedFill: expected a tensor, got 7", (x) => maskedFill(7 as never, x, 0)],
  ["where: expected a tensor, got true", (x) => where(true as never, x, x)],
];

test.each(MISTAKEN)("%s", (message, run) => {
  const x = leaf([2, 2], 1) as never;
  const y = leaf([1, 1, 2, 2], 2) as never;
  const kept = bytesKept(() => {
    expect(() => run(x, y)).toThrow(new TypeError(message));
    expect(() => tape(() => void run(x, y))).toThrow(new TypeError(message));
  });
  expect(kept).toBe(0);
});

/** An option, or a value of a list, that is `first` on the first read, and `then` afterwards. */
const changing = (into: object, name: string | number, first: unknown, then: unknown): object => {
  let reads = 0;
  return Object.defineProperty(into, name, { enumerable: true, get: () => (reads++ === 0 ? first : then) });
};

test("arguments: a getter is asked once, so no value is used that was not checked", () => {
  const neighbours = Array.from({ length: 8 }, () => ones([64]));
  const x = leaf([2, 4], 1);
  const large = ones([512]);
  tape(() => {
    expect(values(pad(x, changing([0, 0], 0, 1, -100_000) as number[]))).toEqual(values(pad(x, [1, 0])));
    const norm = groupNorm(x, 2, changing({}, "weight", parameter(ones([4])), large));
    norm.sum().backward();
    expect(values(norm)).toEqual(values(groupNorm(x, 2)));
    const labels = changing([0, 1], 0, 3, 1e6) as number[];
    expect(values(crossEntropy(x, labels))).toEqual(values(crossEntropy(x, [3, 1])));
    const last = changing([0, 1], 1, 3, 1e6) as number[];
    expect(values(crossEntropy(x, last))).toEqual(values(crossEntropy(x, [0, 3])));
    expect(values(concat(changing([x, x], 1, x, null) as Tensor[]))).toEqual(values(concat([x, x])));
    expect(split(x, changing([1, 3], 0, 1, -9) as number[], 1).map(({ shape }) => shape[1])).toEqual([1, 3]);
    expect(permute(x, changing([1, 0], 0, 1, 9) as number[]).shape).toEqual([4, 2]);
    expect(layerNorm(x, changing([4], 0, 4, 1e6) as number[]).shape).toEqual([2, 4]);
    expect(sum(x, changing({}, "axis", 1, 9)).shape).toEqual([2]);
    expect(norm.norm(changing({}, "axis", 1, 9)).shape).toEqual([2]);
    expect(x.logsumexp(changing({}, "axis", 1, 9)).shape).toEqual([2]);
  });
  for (const t of neighbours) expect(values(t)).toEqual(new Array(64).fill(1));
});

test("max: indices are given back where the values do not fit into memory", () => {
  // 2³⁰ values that are not materialised until the kernel needs them.
  const x = ones([64]).expand([2 ** 24, 64]);
  const kept = bytesKept(() => expect(() => max(x, { axis: 0 })).toThrow(/^out of memory/));
  expect(kept).toBe(0);
});

test("split, unbind: where the memory ends half-way, the parts so far are given back", () => {
  const x = random([100, 2, 100], 3);
  const refuse = vi.spyOn(memory, "grow").mockImplementation(() => {
    throw new RangeError("refused");
  });
  const hoard: Tensor[] = [];
  try {
    expect(() => {
      for (;;) hoard.push(tensor(new Float32Array(10_000)));
    }).toThrow(/^out of memory/);
    // Room for one part, not for two.
    hoard.pop()?.dispose();
    for (const parts of [() => split(x, 1, 1), () => unbind(x, 1)]) {
      expect(bytesKept(() => expect(parts).toThrow(/^out of memory/))).toBe(0);
    }
  } finally {
    refuse.mockRestore();
    for (const t of hoard) t.dispose();
  }
});

test("batchNorm: running statistics come in pairs, and are needed outside training", () => {
  const x = random([2, 3], 1);
  const one = tensor([1, 1, 1]);
  for (const [options, expected] of [
    [{}, "runningMean and runningVar outside training"],
    [{ runningMean: one }, "runningMean and runningVar outside training"],
    [{ runningVar: one, training: true }, "runningMean and runningVar, or neither"],
  ] as const) {
    expect(() => batchNorm(x, options)).toThrow(new TypeError(`batchNorm: expected ${expected}`));
  }
});

test("tensor: what is neither a number nor an array is a TypeError that says what came", () => {
  for (const [wrong, got] of [
    [undefined, "undefined"],
    [null, "null"],
    ["12", '"12"'],
    [true, "true"],
    [{}, "object"],
    [new DataView(new ArrayBuffer(4)), "object"],
  ] as const) {
    const act = () => tensor(wrong as unknown as number);
    expect(act).toThrow(TypeError);
    expect(act).toThrow(`tensor: expected a number, nested arrays or an array of numbers, got ${got}`);
  }
});

test("errors: arithmetic with numbers has the name that was called", () => {
  const x = random([2], 1);
  x.dispose();
  for (const name of ["add", "sub", "mul"] as const)
    expect(() => x[name](2)).toThrow(`${name}: the tensor [2] was freed`);
  expect(() => x.neg()).toThrow("neg: the tensor [2] was freed");
});

test("losses: of shapes that broadcast both ways, neither is that of the losses", () => {
  for (const [name, loss] of Object.entries({ mseLoss, l1Loss, smoothL1Loss, huberLoss })) {
    const act = () => loss(random([4, 1], 1), random([4], 2));
    expect(act).toThrow(RangeError);
    expect(act).toThrow(`${name}: expected one shape to broadcast to the other, got [4, 1] and [4]`);
    expect(loss(random([4, 1], 1), random([4, 3], 2), { reduction: "none" }).shape).toEqual([4, 3]);
    expect(loss(random([4, 3], 1), random([3], 2), { reduction: "none" }).shape).toEqual([4, 3]);
  }
});

test("errors: what is no tensor is a TypeError that says what came", () => {
  const x = random([2, 2], 1);
  const image = random([1, 4, 4], 2);
  for (const wrong of [undefined, null, 1, "01", {}, [1, 2], new Float32Array(2)] as unknown as Tensor[]) {
    const runs: Record<string, () => unknown> = {
      relu: () => relu(wrong),
      matmul: () => matmul(wrong, x),
      linear: () => new Linear(2, 2).forward(wrong),
      conv2d: () => conv2d(image, wrong),
      maxPool2d: () => maxPool2d(wrong, 2),
      sum: () => sum(wrong),
      amax: () => amax(wrong),
      softmax: () => softmax(wrong),
      reshape: () => reshape(wrong, [2]),
      expand: () => expand(wrong, [2]),
      concat: () => concat([x, wrong]),
      stack: () => stack([x, wrong]),
      where: () => where(wrong, 1, 2),
      mseLoss: () => mseLoss(x, wrong),
      nllLoss: () => nllLoss(wrong, [0]),
      layerNorm: () => layerNorm(wrong, 2),
    };
    for (const [name, run] of Object.entries(runs)) {
      expect(() => tape(() => void run())).toThrow(new TypeError(`${name}: expected a tensor, got ${show(wrong)}`));
    }
  }
});

test("errors: sizes and axes that come one by one are a TypeError", () => {
  const x = random([2, 3], 1) as unknown as Record<string, (...sizes: number[]) => Tensor>;
  for (const name of ["reshape", "expand"]) {
    expect(() => x[name]?.(3, 2)).toThrow(new TypeError(`${name}: expected a shape, a list of sizes, got 3`));
  }
  expect(() => x.permute?.(1, 0)).toThrow(new TypeError("permute: expected axes as a list of numbers, got 1"));
});
