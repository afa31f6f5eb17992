/**
 * Kernels that many programs do not need: convolutions, pools and normalisation, delays, normal numbers, and RMSprop. They are a separate
 * module, which a page loads only if it uses one of them; its constants lie after those of the other modules.
 */
export * from "./conv";
export { spreadMaps } from "./conv-back";
export { convPlan } from "./conv-plan";
export { spreadTiles } from "./conv-tiles";
export { convTurn, convTurnBack } from "./conv-turn";
export * from "./delay";
export { addEvents, overlaps, windowBits } from "./events";
export * from "./listed";
export * from "./normalize";
export { rmsprop } from "./optim";
export * from "./patches";
export * from "./pool";
export { normal } from "./random";

/** First byte after the memory of these kernels and of the core module. */
export const heapBase: usize = __heap_base;
