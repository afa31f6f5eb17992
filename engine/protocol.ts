/** Internals of modules, losses, schedules and batches, for the spiking layers and their training. */

export { batchOf, targetCount } from "./data/batch.ts";
export { isDataset, stepsOf } from "./data/dataset.ts";
export { defaultGenerator, watchingDraws } from "./generator.ts";
export { Convolution } from "./nn/convolution.ts";
export { startUniform } from "./nn/linear.ts";
export type { Loading, StoredArray, Traits } from "./nn/module.ts";
export { checkChangeable, locate, moduleOf, traitOf, traitsOf } from "./nn/module.ts";
export type { Statistics } from "./nn/normalize.ts";
export {
  BATCH_DEFAULTS,
  BatchNorm,
  Normalization,
  namedStatistics,
  normalizationOptions,
  normalized,
  statisticsOf,
} from "./nn/normalize.ts";
export { isWeighted, type Reading, type Weighted, weightOf } from "./nn/reading.ts";
export { readBefore, readingAt, setReading } from "./nn/readings.ts";
export { type LayerTap, layerTap, tapped, untapped, type Watcher } from "./nn/tapped.ts";
export { checkReduction, reduced } from "./ops/reduction.ts";
export { shown } from "./ops/shown.ts";
export { traceWeights } from "./ops/traced.ts";
export { type Axis, FLAT, windowOver } from "./ops/windows.ts";
export { cosPi } from "./optim/scheduler.ts";
export { checkOptionalShape, valuesIn } from "./shape.ts";
