/**
 * The kernels that many programs do without: convolutions, pools and normalisation, delays, normal numbers, and RMSprop. A
 * module of its own, which a page that asks for none of them does not load; its constants lie behind the constants of
 * the other modules.
 */
export * from "./conv";
export * from "./delay";
export { addEvents, overlaps, windowBits } from "./events";
export * from "./listed";
export * from "./normalize";
export { rmsprop } from "./optim";
export * from "./patches";
export * from "./pool";
export { normal } from "./random";

/** First byte that neither these kernels nor the others use. */
export const heapBase: usize = __heap_base;
