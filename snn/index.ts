/** Neurons, surrogates, encoders, readouts. */
export type { DecayOptions } from "./decay.ts";
export { constantEncode, poissonEncode, type PoissonOptions, ttfsEncode, type TtfsOptions } from "./encode.ts";
export { LeakyIntegrator, type LeakyIntegratorOptions } from "./leaky-integrator.ts";
export { LIF, type LIFOptions, type LIFRecord, type LIFState } from "./lif.ts";
export { filteredTrace, lastMembrane, maxMembrane, meanOverTime, spikeCount } from "./readout.ts";
export { type Fire, spike, type SpikeOptions } from "./spike.ts";
export { type CustomSurrogate, type Surrogate, surrogate } from "./surrogate.ts";
