/**
 * Tensors, the tape, ops, modules, optimizers, data.
 *
 * Shapes are written [T, B, N]: time, batch, features; images [B, C, H, W], classes K; [...] stands for any number of axes.
 * Negative axes count from the end. In equations z is the result, L the loss, ⊙ the elementwise product. An elementwise
 * op keeps the shape; several operands are broadcast as in NumPy, and the gradient of one that was repeated is summed.
 *
 * Every name that takes tensors throws an Error for a freed one and a TypeError for anything else; every name that
 * makes one a RangeError where memory does not suffice, as for more than 2³⁰ elements. Nothing is written before the
 * checks.
 *
 * @module jarvis-snn/engine
 */
import "./ops/index.ts"; // gives tensors their methods

// Files are named with a star where all that they export is public.

export type { FileArray, Safetensors, SafetensorsArrays, SkippedArray } from "./checkpoint.ts";
export { loadSafetensors, readSafetensors, saveSafetensors } from "./checkpoint.ts";
export * from "./create.ts";
export type { BatchOf, Dataset, Samples, Targets, TensorDatasetOptions } from "./data/dataset.ts";
export { TensorDataset } from "./data/dataset.ts";
export * from "./data/loader.ts";
export * from "./data/pad-sequences.ts";
export { Generator, type GeneratorState, manualSeed } from "./generator.ts";
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export type { MemoryStats } from "./memory.ts";
export * from "./nn/activation.ts";
export * from "./nn/containers.ts";
export * from "./nn/conv.ts";
export * from "./nn/dropout.ts";
export * from "./nn/embedding.ts";
export { Linear, type LinearOptions } from "./nn/linear.ts";
export {
  type ArrayEntry,
  type LoadOptions,
  type LoadReport,
  Module,
  type NamedArrays,
  type NumberArray,
  type StateDict,
  type StateEntry,
} from "./nn/module.ts";
export type {
  BatchNorm,
  BatchNorm1dOptions,
  BatchNormLayerOptions,
  GroupNormLayerOptions,
  NormLayerOptions,
} from "./nn/normalize.ts";
export { BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm } from "./nn/normalize.ts";
export * from "./nn/pool.ts";
export * from "./nn/summary.ts";
export * from "./ops/public.ts";
export * from "./optim/adagrad.ts";
export * from "./optim/adam.ts";
export * from "./optim/clip.ts";
export * from "./optim/cosine.ts";
export * from "./optim/decays.ts";
export * from "./optim/one-cycle.ts";
export * from "./optim/optimizer.ts";
export * from "./optim/plateau.ts";
export * from "./optim/rmsprop.ts";
export type { Scheduler, SchedulerState } from "./optim/scheduler.ts";
export * from "./optim/sgd.ts";
export type { Shape } from "./shape.ts";
export { keep, memoryStats, noGrad, parameter, resetPeak, tape } from "./tape.ts";
export { type NestedArray, Tensor } from "./tensor.ts";
export * from "./train.ts";
export { warmup } from "./warmup.ts";
