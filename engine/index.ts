/**
 * Tensors, the tape, ops, modules, optimizers, data.
 *
 * Shapes are written [T, B, N]: time, batch, features; images [B, C, H, W], classes K; [...] stands for any number of axes.
 * Negative axes count from the end. In equations z is the result, L the loss, ⊙ the elementwise product. What is elementwise
 * keeps the shape; several operands are broadcast as in NumPy, and the gradient of one that was repeated is summed.
 *
 * Every name that takes tensors throws an Error for one that was freed and a TypeError for what is none; every name that
 * makes one a RangeError where memory does not suffice, as for more than 2³⁰ elements. Nothing is written before the checks.
 *
 * @module jarvis-snn/engine
 */
import "./ops/index.ts"; // gives tensors their methods

export { loadSafetensors, type NamedArrays, type Safetensors, saveSafetensors } from "./checkpoint.ts";
export {
  arange,
  bernoulli,
  eye,
  full,
  ones,
  type RandomOptions,
  rand,
  randn,
  type TensorOptions,
  tensor,
  zeros,
} from "./create.ts";
export { type BatchOf, type Targets, TensorDataset, type TensorDatasetOptions } from "./data/dataset.ts";
export { type Batch, DataLoader, type DataLoaderOptions } from "./data/loader.ts";
export { Generator, type GeneratorState, manualSeed } from "./generator.ts";
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export type { MemoryStats } from "./memory.ts";
export { Flatten, Sequential } from "./nn/containers.ts";
export { Conv1d, Conv2d, type ConvLayerOptions } from "./nn/conv.ts";
export { Dropout } from "./nn/dropout.ts";
export { Embedding } from "./nn/embedding.ts";
export { Linear, type LinearOptions } from "./nn/linear.ts";
export { Module, type StateDict, type StateEntry } from "./nn/module.ts";
export {
  BatchNorm1d,
  type BatchNorm1dOptions,
  BatchNorm2d,
  type BatchNormLayerOptions,
  GroupNorm,
  type GroupNormLayerOptions,
  LayerNorm,
  type NormLayerOptions,
} from "./nn/normalize.ts";
export { AvgPool2d, MaxPool2d } from "./nn/pool.ts";
export { summary } from "./nn/summary.ts";
export type { Operand } from "./ops/arithmetic.ts";
export { add, div, maximum, minimum, mul, neg, sub } from "./ops/arithmetic.ts";
export { clone } from "./ops/clone.ts";
export { eq, ge, gt, le, lt } from "./ops/compare.ts";
export type { ConvOptions, ConvTransposeOptions } from "./ops/conv.ts";
export { conv1d, conv2d, convTranspose2d } from "./ops/conv.ts";
export type { DropoutOptions } from "./ops/dropout.ts";
export { dropout } from "./ops/dropout.ts";
export { expand, tile } from "./ops/expand.ts";
export type { GeluOptions, SoftplusOptions } from "./ops/formula.ts";
export {
  atan,
  atan2,
  cos,
  elu,
  erf,
  floor,
  gelu,
  hardtanh,
  leakyRelu,
  log1p,
  logSigmoid,
  pow,
  reciprocal,
  round,
  rsqrt,
  sign,
  silu,
  sin,
  softplus,
} from "./ops/formula.ts";
export type { EmbeddingOptions, Indices } from "./ops/indexing.ts";
export { embedding, gather, indexSelect, scatterAdd } from "./ops/indexing.ts";
export { concat, flip, permute, select, slice, split, stack, transpose, unbind } from "./ops/layout.ts";
export type {
  BceOptions,
  CrossEntropyOptions,
  HuberLossOptions,
  KlDivOptions,
  LossOptions,
  NllLossOptions,
  Reduction,
  SmoothL1LossOptions,
} from "./ops/loss.ts";
export { bceWithLogits, crossEntropy, huberLoss, klDiv, l1Loss, mseLoss, nllLoss, smoothL1Loss } from "./ops/loss.ts";
export { linear, matmul } from "./ops/matmul.ts";
export type { BatchNormOptions, GroupNormOptions, LayerNormOptions } from "./ops/normalize.ts";
export { batchNorm, groupNorm, layerNorm } from "./ops/normalize.ts";
export { pad, tril } from "./ops/pad.ts";
export type { AvgPoolOptions, MaxPoolOptions } from "./ops/pool.ts";
export { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "./ops/pool.ts";
export type { ReduceOptions, SearchOptions, SearchResult } from "./ops/reduce.ts";
export { amax, amin, argmax, argmin, cumsum, max, mean, min, prod, sum } from "./ops/reduce.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export type { NormOptions, VarianceOptions } from "./ops/statistics.ts";
export { logsumexp, norm, std, variance } from "./ops/statistics.ts";
export { abs, clamp, exp, log, relu, sigmoid, sqrt, square, tanh } from "./ops/unary.ts";
export { detach, flatten, reshape, squeeze, unsqueeze } from "./ops/view.ts";
export { maskedFill, where } from "./ops/where.ts";
export type { Pair } from "./ops/windows.ts";
export { Adagrad, type AdagradOptions } from "./optim/adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./optim/adam.ts";
export { clipGradNorm, clipGradValue } from "./optim/clip.ts";
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./optim/cosine.ts";
export {
  ExponentialLR,
  type ExponentialLROptions,
  LambdaLR,
  type LambdaLROptions,
  LinearLR,
  type LinearLROptions,
  MultiStepLR,
  type MultiStepLROptions,
  StepLR,
  type StepLROptions,
} from "./optim/decays.ts";
export { OneCycleLR, type OneCycleLROptions } from "./optim/one-cycle.ts";
export { Optimizer, type OptimizerOptions, type OptimizerState, type Slots } from "./optim/optimizer.ts";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./optim/plateau.ts";
export { RMSprop, type RMSpropOptions } from "./optim/rmsprop.ts";
export type { Scheduler, SchedulerState } from "./optim/scheduler.ts";
export { SGD, type SGDOptions } from "./optim/sgd.ts";
export type { Shape } from "./shape.ts";
export { keep, memoryStats, noGrad, parameter, resetPeak, tape } from "./tape.ts";
export { type NestedArray, Tensor } from "./tensor.ts";
export {
  type AbortSignalLike,
  accuracy,
  type Batches,
  type BatchReport,
  type EpochReport,
  evaluate,
  type FitOptions,
  fit,
} from "./train.ts";
export { warmup } from "./warmup.ts";
