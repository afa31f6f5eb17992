/**
 * The engine and the spiking layers without the compiler, for pages that count kilobytes: all names of {@link jarvis-snn} but `neuron` and the
 * neurons besides `LIF` and `LeakyIntegrator`, `Recurrent` and `RecurrentLIF`, `SpikingLSTM`, `PSN`, the rules for synapses, the online
 * learners, `fromPython`, `surrogate.custom` and the traced surrogates. An option that needs the compiler is an error which names
 * `jarvis-snn`.
 *
 * @module jarvis-snn/core
 */
export * from "./engine/index.ts";
export * from "./snn/core.ts";
export { LeakyIntegrator, LIF } from "./snn/neurons/with-kernels.ts";
