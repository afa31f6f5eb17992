/**
 * Neurons, surrogates, encoders, readouts.
 *
 * @module jarvis-snn/snn
 */

// Files are named with a star where all that they export is public.

export type { Derivative, DerivativeLanguage, Language, Value } from "../engine/fuse/index.ts";
export * from "./batch-norm.ts";
export type { Fire } from "./checks.ts";
export * from "./coding/burst.ts";
export * from "./coding/constant.ts";
export * from "./coding/delta.ts";
export { type LatencyOptions, latencyEncode } from "./coding/latency.ts";
export * from "./coding/phase.ts";
export * from "./coding/poisson.ts";
export * from "./coding/population.ts";
export * from "./coding/targets.ts";
export * from "./coding/ttfs.ts";
export type { DecayOptions } from "./decay.ts";
export { Delay, type DelayOptions, type DelayState } from "./delay.ts";
export { DelayedLinear, type DelayedLinearOptions, type DelayedLinearState } from "./delayed-linear.ts";
export {
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  type Extent,
  type Finding,
  type LayerDiagnosis,
  type Trouble,
} from "./diagnose.ts";
export { type FiringCurve, type FiringCurveOptions, firingCurve } from "./firing-curve.ts";
export {
  LeakyIntegrator,
  type LeakyIntegratorOptions,
  type LeakyIntegratorParameter,
  type LeakyIntegratorRecord,
} from "./leaky-integrator.ts";
export { EProp, type EPropOptions, type EPropState, type EPropStep } from "./learning/eprop.ts";
export { disposeState, type LayerState, type NetworkState } from "./learning/network.ts";
export type { OnlineStep, StepLoss } from "./learning/online.ts";
export { OTTT, type OTTTOptions, SLTT, type SLTTOptions } from "./learning/ottt.ts";
export { Plastic } from "./learning/plastic.ts";
export { PlasticLayer, type PlasticLayerState, type SteppingNeurons } from "./learning/plastic-layer.ts";
export type { PlasticEvent, PlasticOptions, PlasticState, PlasticStepOptions } from "./learning/plastic-options.ts";
export { plasticity, Rule, type RuleClass, type RuleOf } from "./learning/plasticity.ts";
export type {
  Change,
  Order,
  RuleArgument,
  RuleDefinition,
  RuleOptions,
  SynapseDefinition,
  TraceDefinition,
} from "./learning/rule-types.ts";
export { BCM } from "./learning/rules/bcm.ts";
export { Hebbian } from "./learning/rules/hebbian.ts";
export { Oja } from "./learning/rules/oja.ts";
export { RewardSTDP } from "./learning/rules/reward-stdp.ts";
export { STDP } from "./learning/rules/stdp.ts";
export { TripletSTDP } from "./learning/rules/triplet-stdp.ts";
export { type PieceLoss, type TruncatedOptions, truncatedBackward } from "./learning/truncated.ts";
export { LIF, type LIFOptions, type LIFParameter, type LIFRecord, type LIFState } from "./lif.ts";
export * from "./losses.ts";
export * from "./losses-activity.ts";
export * from "./losses-temporal.ts";
export * from "./metrics.ts";
export { neuron } from "./neuron.ts";
export type { StepLanguage } from "./neuron-step.ts";
export type {
  Chosen,
  Known,
  NeuronChoices,
  NeuronClass,
  NeuronDefinition,
  NeuronLayer,
  NeuronOptions,
  NeuronOutputs,
  NeuronRecord,
  NeuronState,
  NeuronStep,
  NoChoices,
} from "./neuron-types.ts";
export { AdaptiveLIF } from "./neurons/adaptive-lif.ts";
export { AdEx } from "./neurons/adex.ts";
export {
  type AdExPattern,
  type AdExPatternOptions,
  type AdExSetting,
  adExPattern,
  adExPatterns,
} from "./neurons/adex-patterns.ts";
export { AdLIF } from "./neurons/adlif.ts";
export { Alpha } from "./neurons/alpha.ts";
export { ConductanceLIF } from "./neurons/conductance-lif.ts";
export { ExponentialIF } from "./neurons/exponential-if.ts";
export { IF } from "./neurons/integrate-and-fire.ts";
export { Izhikevich } from "./neurons/izhikevich.ts";
export {
  type IzhikevichPattern,
  type IzhikevichSetting,
  izhikevichPattern,
  izhikevichPatterns,
} from "./neurons/izhikevich-patterns.ts";
export { KLIF } from "./neurons/klif.ts";
export { Lapicque, type LapicqueOptions } from "./neurons/lapicque.ts";
export { ParametricLIF } from "./neurons/parametric-lif.ts";
export { QuadraticIF } from "./neurons/quadratic-if.ts";
export { ResonateAndFire } from "./neurons/resonate-and-fire.ts";
export { Synaptic } from "./neurons/synaptic.ts";
export { SynapticIntegrator } from "./neurons/synaptic-integrator.ts";
export { TsodyksMarkram } from "./neurons/tsodyks-markram.ts";
export * from "./noise.ts";
export { observe, type Seen } from "./observer.ts";
export {
  type FiringRate,
  type FiringRateOptions,
  firingRates,
  type GradientNorm,
  type GradientNorms,
  gradientNorms,
  type LayerNorms,
} from "./probes.ts";
export { PSN, type PSNKind, type PSNOptions, type PSNRecord, type PSNState } from "./psn.ts";
export { type FromPythonOptions, fromPython, type PythonPackage } from "./python.ts";
export * from "./readout.ts";
export { type LayerGradients, type LayerRecording, type Recording, type RecordOptions, record } from "./record.ts";
export * from "./recurrent.ts";
export * from "./recurrent-lif.ts";
export type { Fired } from "./reset.ts";
export { type SpikeOptions, spike } from "./spike.ts";
export {
  type Gates as LSTMGates,
  SpikingLSTM,
  type SpikingLSTMOptions,
  type SpikingLSTMRecord,
  type SpikingLSTMState,
} from "./spiking-lstm.ts";
export type { Staged } from "./stage.ts";
export { Stream } from "./stream.ts";
export type { CustomSurrogate, Primitive, Surrogate } from "./surrogate.ts";
export * as surrogate from "./surrogates.ts";
export { type RasterTextOptions, rasterText, type TraceTextOptions, traceText } from "./text.ts";
