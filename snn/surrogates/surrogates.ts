/**
 * All surrogates: those that kernels compute, those that are compiled into the step of a neuron, and `custom`.
 *
 * @module
 */
export * from "./known.ts";
export * from "./traced.ts";
