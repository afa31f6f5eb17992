/** LIF and LeakyIntegrator with the options that kernels support, for the entry without the compiler. */
import "../neuron/plain-options.ts";

export { LeakyIntegrator } from "./leaky-integrator.ts";
export { LIF } from "./lif.ts";
