/** The twins by name; index.ts checks them against the compiled module. */
export * from "./blocks.ts";
export * from "./conv.ts";
export * from "./delay.ts";
export * from "./elementwise.ts";
export * from "./encode.ts";
export * from "./formula.ts";
export * from "./lif.ts";
export * from "./math.ts";
export * from "./matmul.ts";
export * from "./normalize.ts";
export * from "./optim.ts";
export * from "./pool.ts";
export * from "./random.ts";
export * from "./reduce.ts";
export * from "./softmax.ts";
export * from "./surrogate.ts";
