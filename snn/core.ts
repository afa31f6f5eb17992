/**
 * Spiking layers that run on hand-written kernels, for small pages: {@link jarvis-snn/core} exports them with the engine. Each entry adds `LIF` and
 * `LeakyIntegrator` with its own reader of their options.
 *
 * @module
 */

// `export *` only from files that are all public.

export * from "./coding/burst.ts";
export * from "./coding/constant.ts";
export * from "./coding/delta.ts";
export { type LatencyOptions, latencyEncode } from "./coding/latency.ts";
export * from "./coding/phase.ts";
export * from "./coding/poisson.ts";
export * from "./coding/population.ts";
export * from "./coding/targets.ts";
export * from "./coding/ttfs.ts";
export type { Fire } from "./layer/checks.ts";
export { observe, type Seen } from "./layer/observe.ts";
export type { Staged } from "./layer/stage.ts";
export type { Temporal, UnrollResult } from "./layer/temporal.ts";
export { type BlockOptions, inBlocks } from "./learning/in-blocks.ts";
export { disposeState, type LayerState, type NetworkState } from "./learning/network.ts";
export { type PieceLoss, type TruncatedOptions, truncatedBackward } from "./learning/truncated.ts";
export * from "./losses/activity.ts";
export * from "./losses/losses.ts";
export * from "./losses/metrics.ts";
export * from "./losses/readout.ts";
export * from "./losses/temporal.ts";
export type { DecayOptions, DecaySource } from "./neuron/decay.ts";
export type {
  LeakyIntegratorOptions,
  LeakyIntegratorParameter,
  LeakyIntegratorRecord,
} from "./neurons/leaky-integrator.ts";
export type { LIFOptions, LIFParameter, LIFRecord, LIFState } from "./neurons/lif.ts";
export type { DiagnoseOptions, Diagnosis, Extent, Finding, LayerDiagnosis, Trouble } from "./probes/diagnose.ts";
export { diagnose } from "./probes/diagnose.ts";
export { type FiringCurve, type FiringCurveOptions, firingCurve } from "./probes/firing-curve.ts";
export type { FiringRate, FiringRateOptions, GradientNorm, GradientNorms, LayerNorms } from "./probes/probes.ts";
export { firingRates, gradientNorms } from "./probes/probes.ts";
export type { LayerGradients, LayerRecording, Recording, RecordOptions } from "./probes/record.ts";
export { record } from "./probes/record.ts";
export { type RasterTextOptions, rasterText, type TraceTextOptions, traceText } from "./probes/text.ts";
export { Stream } from "./stream/stream.ts";
export * as surrogate from "./surrogates/known.ts";
export { type SpikeOptions, spike } from "./surrogates/spike.ts";
export type { Surrogate } from "./surrogates/surrogate.ts";
export * from "./temporal/batch-norm.ts";
export { Delay, type DelayOptions, type DelayState } from "./temporal/delay.ts";
export { DelayedLinear, type DelayedLinearOptions, type DelayedLinearState } from "./temporal/delayed-linear.ts";
export * from "./temporal/noise.ts";
