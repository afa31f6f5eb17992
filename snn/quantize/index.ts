/**
 * Networks for other hardware: weights of few bits, conversion of trained networks to spiking ones, and the cost of a network.
 *
 * @module jarvis-snn/quantize
 */

import "../neuron/compiled.ts";

export { SpikingReLU } from "./convert/spiking-relu.ts";
export { type ToSpikingOptions, toSpiking } from "./convert/to-spiking.ts";
export * from "./cost.ts";
export { dequantizedState, quantizedState } from "./file.ts";
export type { WeightBits } from "./grid.ts";
export { Int8, type Int8Options } from "./int8.ts";
export type { StateOptions } from "./levels.ts";
export * from "./profile.ts";
export * from "./profile-text.ts";
export * from "./prune.ts";
export { type QuantizeOptions, quantize } from "./quantize.ts";
export * from "./synaptic-cost.ts";
export { type QuantizedWeights, quantizedWeights, type WeightOptions } from "./weights.ts";
