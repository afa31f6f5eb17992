/** What layers outside the engine need for ops and memory of their own: kernels, records, tensors from inside. */
export {
  allOptions,
  COUNT,
  choiceOf,
  functionOf,
  listOf,
  NOT_NEGATIVE,
  NUMBER,
  numberOf,
  numbersOf,
  objectOf,
  POSITIVE,
  type Range,
  show,
  UNIT,
  WHOLE,
  withDefaults,
  wrongType,
} from "./arguments.ts";
export { inReference, k } from "./backend.ts";
export { checkUnchanged, pass } from "./backward.ts";
export { composed } from "./composed.ts";
export { generatorOf } from "./generator.ts";
export { forwardOf, moduleOf } from "./nn/module.ts";
export {
  accumulates,
  apply,
  canTakeOver,
  freshGradOf,
  gradOf,
  gradOfPart,
  multiplyGradient,
  type Op,
  part,
  passGradient,
  type Recorded,
  ready,
  recorded,
  recycleGradient,
  SAVES_A,
  SAVES_B,
  SAVES_C,
  SAVES_MORE,
  SAVES_NOTHING,
  SAVES_OUTPUT,
  writeOutGradient,
} from "./op.ts";
export { broadcastTo, constantSource } from "./ops/expand.ts";
export { bitBytes, gatherWeightGradient } from "./ops/matmul.ts";
export {
  allOrNothing,
  allocate,
  allocateIn,
  disposed,
  enter,
  leave,
  type Region,
  recordOutside,
  recycle,
  root,
  scope,
} from "./scope.ts";
export { checkShape, checkSize, formatShape, type Shape, sameShape } from "./shape.ts";
export { buffer, persist } from "./tape.ts";
export {
  alive,
  dropRecord,
  empty,
  emptyLike,
  emptySpikes,
  hold,
  peek,
  record,
  rootOf,
  streamBytes,
  touch,
} from "./tensor.ts";
