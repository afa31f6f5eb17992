export * from "./elementwise";
export * from "./matmul";

/** First byte that the kernels do not use: constants and the matmul workspace lie below it. */
export const heapBase: usize = __heap_base;
