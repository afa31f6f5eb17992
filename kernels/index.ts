// biome-ignore-all assist/source/organizeImports: like code stands together; gzip looks back 32 KB for it
export * from "./encode";
export * from "./masked";
export * from "./elementwise";
export * from "./sampled";
export * from "./surrogate";
export { gemm, gemmGathered } from "./matmul";
export * from "./blocks";
export { gather } from "./gather";
export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits";
export { lifBackward } from "./lif-back";
export { bernoulli, philox, uniform } from "./random";
export * from "./reduce";
export * from "./softmax";
export { adam, sgd } from "./optim";
export * from "./math";
export * from "./formula";
export * from "./recurrent";
export { lifForward } from "./lif";

/** First byte that the kernels do not use: constants and the matmul workspace lie below it. */
export const heapBase: usize = __heap_base;
