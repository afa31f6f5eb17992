// biome-ignore-all assist/source/organizeImports: like code stands together; gzip looks back 32 KB for it
export * from "./optim";
export * from "./elementwise";
export * from "./surrogate";
export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits";
export * from "./encode";
export { gemm, gemmGathered } from "./matmul";
export { gather } from "./gather";
export * from "./sampled";
export * from "./masked";
export * from "./leaky";
export * from "./blocks";
export { lifBackward } from "./lif-back";
export * from "./random";
export * from "./reduce";
export * from "./softmax";
export { lifForward } from "./lif";
export * from "./formula";
export { recurrentBackward, recurrentForward } from "./recurrent";
export { lifBackwardAny, lifForwardAny, lifState } from "./lif-any";
export * from "./math";

/** First byte that the kernels do not use: constants and the matmul workspace lie below it. */
export const heapBase: usize = __heap_base;
