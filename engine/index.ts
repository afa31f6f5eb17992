/**
 * Tensors, the tape, ops, modules, optimizers, data.
 *
 * Shapes are written [T, B, N]: time, batch, features; images [B, C, H, W], classes K; [...] stands for any number of
 * axes. Negative axes count from the end. In equations z is the result, L the loss, ⊙ the elementwise product.
 * Elementwise ops broadcast their operands as in NumPy; a repeated operand gets the sum of its gradients.
 *
 * A tensor argument must be a live tensor: a freed one throws an Error, anything else a TypeError. Making a tensor
 * throws a RangeError if memory does not suffice, or for more than 2³⁰ elements. Checks precede all writes.
 *
 * @module jarvis-snn/engine
 */
import "./ops/index.ts"; // gives tensors their methods

// `export *` only from files that are all public.

export type { FileArray, Safetensors, SafetensorsArrays, SkippedArray } from "./checkpoint.ts";
export { loadSafetensors, readSafetensors, saveSafetensors } from "./checkpoint.ts";
export type { MemoryStats } from "./core/memory.ts";
export { keep, memoryStats, noGrad, resetPeak, tape } from "./core/tape.ts";
export { type NestedArray, Tensor } from "./core/tensor.ts";
export * from "./create.ts";
export type { BatchOf, Dataset, Samples, Targets, TensorDatasetOptions } from "./data/dataset.ts";
export { TensorDataset } from "./data/dataset.ts";
export * from "./data/loader.ts";
export * from "./data/pad-sequences.ts";
export { Generator, type GeneratorState, manualSeed } from "./generator.ts";
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
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
export { parameter } from "./outside/persist.ts";
export type { Shape } from "./shape.ts";
export * from "./train.ts";
export { warmup } from "./warmup.ts";
