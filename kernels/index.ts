// biome-ignore-all assist/source/organizeImports: like code stands together; gzip looks back 32 KB for it
export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits";
export * from "./elementwise";
export * from "./reduce";
export { gather, transpose } from "./gather";
export * from "./surrogate";
export * from "./sampled";
export * from "./optim";
export * from "./leaky";
export * from "./blocks";
export * from "./normalize";
export { lifForward } from "./lif";
export { lifBackwardAny, lifForwardAny, lifState } from "./lif-any";
export { lifBackward, lifReplay } from "./lif-back";
export { recurrentBackward, recurrentForward } from "./recurrent";
export * from "./patches";
export { addEvents, overlaps, windowBits } from "./events";
export * from "./lists";
export { gemm, gemmGathered } from "./matmul";
export * from "./pool";
export * from "./encode";
export * from "./random";
export * from "./softmax";
export * from "./formula";
export * from "./math";

/** First byte that the kernels do not use: constants and the matmul workspace lie below it. */
export const heapBase: usize = __heap_base;
