/** LIF and LeakyIntegrator with the compiler of steps, for the entries where every option works. */
import "../neuron/compiled.ts";

export type { LeakyIntegratorOptions, LeakyIntegratorParameter, LeakyIntegratorRecord } from "./leaky-integrator.ts";
export { LeakyIntegrator } from "./leaky-integrator.ts";
export { LIF, type LIFOptions, type LIFParameter, type LIFRecord, type LIFState } from "./lif.ts";
