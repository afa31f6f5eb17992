/** LIF and LeakyIntegrator with the compiler of steps, for the entries where every option works. */
import "../neuron/compiled.ts";

export {
  LeakyIntegrator,
  type LeakyIntegratorOptions,
  type LeakyIntegratorParameter,
  type LeakyIntegratorRecord,
} from "./leaky-integrator.ts";
export { LIF, type LIFOptions, type LIFParameter, type LIFRecord, type LIFState } from "./lif.ts";
