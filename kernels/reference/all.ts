/** One function per SIMD kernel, see index.ts. */
export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits.ts";
export * from "./blocks.ts";
export * from "./elementwise.ts";
export * from "./encode.ts";
export * from "./formula.ts";
export * from "./gather.ts";
export * from "./leaky.ts";
export * from "./lif.ts";
export * from "./math.ts";
export * from "./matmul.ts";
export * from "./normalize.ts";
export * from "./optim.ts";
export * from "./patches.ts";
export * from "./pool.ts";
export * from "./random.ts";
export * from "./reduce.ts";
export * from "./softmax.ts";
export { spike, surrogate } from "./surrogate.ts";
