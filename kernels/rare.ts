/**
 * The kernels that few pages call: products of recurrent neurons, surrogate derivatives outside neurons, and SGD. Like those of extra.ts,
 * they are a separate module.
 */
export { sgd } from "./optim";
export * from "./recurrent";
export { surrogate } from "./surrogate";

/** First byte after the memory of these kernels and of the core module. */
export const heapBase: usize = __heap_base;
