/** LIF and LeakyIntegrator with the compiler of steps, for the entries where every option works. */
import "../neuron/compiled.ts";
import "../neuron/described.ts"; // declares the members that it adds to layers

export { LeakyIntegrator } from "./leaky-integrator.ts";
export { LIF } from "./lif.ts";
