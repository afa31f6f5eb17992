/**
 * Exports for layers of this package: unchecked versions of extend.ts, short forms, descriptors, sparse products and
 * 8-bit weights.
 */

export { descriptor, floats, integers, wordsAt, writePair } from "./core/backend.ts";
export { canTakeOver, gradientAt, holds, isOutside, wantsGradient } from "./core/gradient.ts";
export { applyOp, recordOp, recordPart, SAVES, saveBlock } from "./core/op.ts";
export { allocateInScope } from "./core/scope.ts";
export { emptyLike, emptyOf, zerosLike } from "./core/tensor.ts";
export { giveGradient, multiplyGradient, writeOutGradient } from "./forms/gradients.ts";
export {
  bitBytes,
  describeProduct,
  describeTransposed,
  gatherWeightGradient,
  timesTransposed,
  transposedTimes,
} from "./forms/products.ts";
export type { Factors, ProductForm, RepeatsForm, ShortOp, ShortRecorded } from "./forms/shortcuts.ts";
export { emptySpikesOf, formOf, liftedOp } from "./forms/values.ts";
export { int8Kernels } from "./int8-kernels.ts";
export { broadcastTo } from "./ops/view.ts";
