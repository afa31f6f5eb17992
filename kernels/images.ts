/**
 * The kernels of images: convolutions, pools and normalisation. A module of its own, which a program that has no images does not
 * load; its constants lie behind those of the others.
 */
export { addEvents, overlaps, windowBits } from "./events";
export * from "./listed";
export * from "./normalize";
export * from "./patches";
export * from "./pool";

/** First byte that neither these kernels nor the others use. */
export const heapBase: usize = __heap_base;
