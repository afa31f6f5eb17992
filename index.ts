/**
 * The engine and the spiking layers together.
 *
 * @module jarvis-snn
 */
export * from "./engine/index.ts";
export * from "./snn/index.ts";
