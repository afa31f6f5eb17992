export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits";
export * from "./blocks";
export * from "./elementwise";
export * from "./encode";
export * from "./formula";
export * from "./gather";
export * from "./leaky";
export * from "./lif";
export * from "./math";
export * from "./matmul";
export * from "./normalize";
export * from "./optim";
export * from "./patches";
export * from "./pool";
export * from "./random";
export * from "./reduce";
export * from "./softmax";
export * from "./surrogate";

/** First byte that the kernels do not use: constants and the matmul workspace lie below it. */
export const heapBase: usize = __heap_base;
