/**
 * Ops as the layers of this package run them, in microseconds: the calls of extend.ts without checks, short forms of values and gradients,
 * descriptors, sparse products, weights of eight bits.
 */

export { descriptor, floats, integers, wordsAt, writePair } from "./backend.ts";
export { liftedOp } from "./composed.ts";
export { int8Kernels } from "./int8-kernels.ts";
export type { Factors } from "./op.ts";
export {
  apply,
  canTakeOver,
  formOf,
  giveGradient,
  gradOf,
  holds,
  isOutside,
  multiplyGradient,
  part,
  record,
  SAVES,
  saveFor,
  takeSaved,
  wantsGradient,
  writeOutGradient,
} from "./op.ts";
export { bitBytes, gatherWeightGradient } from "./ops/matmul.ts";
export { broadcastTo } from "./ops/view.ts";
export { describeProduct, describeTransposed, timesTransposed, transposedTimes } from "./products.ts";
export { allocate } from "./scope.ts";
export { empty, emptyLike, emptySpikes, zerosLike } from "./tensor.ts";
