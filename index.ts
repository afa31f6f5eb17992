/**
 * The engine and the spiking layers together: all names of {@link jarvis-snn/engine} and {@link jarvis-snn/snn}.
 *
 * @module jarvis-snn
 */
export * from "./engine/index.ts";
export * from "./snn/index.ts";
