/**
 * Neurons, surrogates, encoders, readouts.
 *
 * @module jarvis-snn/snn
 */

// Files are named with a star where all that they export is public.

export type { Derivative, DerivativeLanguage, Language, Value } from "../engine/fuse/index.ts";
export type { Fire } from "./checks.ts";
export type { DecayOptions } from "./decay.ts";
export * from "./encode.ts";
export { LeakyIntegrator, type LeakyIntegratorOptions, type LeakyIntegratorRecord } from "./leaky-integrator.ts";
export { LIF, type LIFOptions, type LIFRecord, type LIFState } from "./lif.ts";
export {
  type Known,
  type NeuronClass,
  type NeuronDefinition,
  type NeuronLayer,
  type NeuronOptions,
  type NeuronOutputs,
  type NeuronRecord,
  type NeuronState,
  type NeuronStep,
  neuron,
} from "./neuron.ts";
export type { StepLanguage } from "./neuron-step.ts";
export { Synaptic } from "./neurons/synaptic.ts";
export * from "./readout.ts";
export * from "./recurrent.ts";
export * from "./recurrent-lif.ts";
export { type SpikeOptions, spike } from "./spike.ts";
export { Stream } from "./stream.ts";
export type { CustomSurrogate, Primitive, Surrogate } from "./surrogate.ts";
export * as surrogate from "./surrogates.ts";
