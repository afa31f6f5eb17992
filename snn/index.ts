/**
 * Neurons, surrogates, encoders, readouts.
 *
 * @module jarvis-snn/snn
 */

// `export *` only from files that are all public. Names here override those of core.ts.

export type { Derivative, DerivativeLanguage, Language, Value } from "../engine/fuse/index.ts";
export * from "./core.ts";
export { EProp, type EPropOptions, type EPropState, type EPropStep } from "./learning/eprop.ts";
export type { OnlineStep, StepLoss } from "./learning/online.ts";
export { OTTT, type OTTTOptions, SLTT, type SLTTOptions } from "./learning/ottt.ts";
export { Plastic } from "./learning/plastic.ts";
export type { PlasticLayerRecord, PlasticLayerState, SteppingNeurons } from "./learning/plastic-layer.ts";
export { PlasticLayer } from "./learning/plastic-layer.ts";
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
export type { DefinitionBefore, OptionalParameters, Rewritten, Spellings } from "./neuron/before.ts";
export { neuron } from "./neuron/define.ts";
export type {
  Chosen,
  NeuronChoices,
  NoChoices,
  ParameterEntries,
  ParameterEntry,
  ParameterFields,
  ParameterSource,
  SourceOptions,
  SourceValues,
} from "./neuron/definition.ts";
export type { InputScaleChoices, OptionalSynapseChoices, SynapseChoices } from "./neuron/parts.ts";
export type { Fired, LateResetChoices, ResetChoices, StartChoices } from "./neuron/reset.ts";
export type { StepLanguage } from "./neuron/step.ts";
export type {
  EquationOptions,
  FiringOptions,
  Known,
  LearnOptions,
  NeuronClass,
  NeuronDefinition,
  NeuronLayer,
  NeuronOptions,
  NeuronOutputs,
  NeuronParameters,
  NeuronRecord,
  NeuronState,
  NeuronStep,
  OptionalValues,
} from "./neuron/types.ts";
export { AdaptiveLIF } from "./neurons/adaptive-lif.ts";
export { AdEx } from "./neurons/adex.ts";
export type { AdExPattern, AdExPatternOptions, AdExSetting } from "./neurons/adex-patterns.ts";
export { adExPattern, adExPatterns } from "./neurons/adex-patterns.ts";
export { AdLIF } from "./neurons/adlif.ts";
export { Alpha } from "./neurons/alpha.ts";
export { ConductanceLIF } from "./neurons/conductance-lif.ts";
export { ExponentialIF } from "./neurons/exponential-if.ts";
export { IF } from "./neurons/integrate-and-fire.ts";
export { Izhikevich } from "./neurons/izhikevich.ts";
export type { IzhikevichPattern, IzhikevichSetting } from "./neurons/izhikevich-patterns.ts";
export { izhikevichPattern, izhikevichPatterns } from "./neurons/izhikevich-patterns.ts";
export { KLIF } from "./neurons/klif.ts";
export { Lapicque, type LapicqueOptions } from "./neurons/lapicque.ts";
export { ParametricLIF } from "./neurons/parametric-lif.ts";
export { QuadraticIF } from "./neurons/quadratic-if.ts";
export { ResonateAndFire } from "./neurons/resonate-and-fire.ts";
export { Synaptic } from "./neurons/synaptic.ts";
export { SynapticIntegrator } from "./neurons/synaptic-integrator.ts";
export { TsodyksMarkram } from "./neurons/tsodyks-markram.ts";
export { LeakyIntegrator, LIF } from "./neurons/with-compiler.ts";
export { type FromPythonOptions, fromPython, type PythonPackage } from "./python.ts";
export * from "./recurrent/recurrent.ts";
export * from "./recurrent/recurrent-lif.ts";
export type { CustomSurrogate, Primitive } from "./surrogates/surrogate.ts";
export * as surrogate from "./surrogates/surrogates.ts";
export { PSN, type PSNKind, type PSNOptions, type PSNRecord, type PSNState } from "./temporal/psn.ts";
export {
  type Gates as LSTMGates,
  SpikingLSTM,
  type SpikingLSTMOptions,
  type SpikingLSTMRecord,
  type SpikingLSTMState,
} from "./temporal/spiking-lstm.ts";
