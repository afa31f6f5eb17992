/**
 * Networks as files of the Neuromorphic Intermediate Representation, which other simulators and chips read and write. Requires the optional peer
 * dependency `h5wasm`, which the first file loads.
 *
 * @module jarvis-snn/nir
 */

import "../neuron/compiled.ts";

export { type FromNIROptions, fromNIR } from "./from-nir.ts";
export type * from "./graph.ts";
export type { NIRModule, NIRState } from "./module.ts";
export { type ReadNIROptions, readNIR } from "./read-nir.ts";
export { type NIRExport, type NIRLoss, type ToNIROptions, toNIR } from "./to-nir.ts";
export { writeNIR } from "./write-nir.ts";
