/** jarvis-snn: the engine and the spiking layers together. */
export * from "./engine/index.ts";
export * from "./snn/index.ts";
