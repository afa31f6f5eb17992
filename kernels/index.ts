// biome-ignore-all assist/source/organizeImports: similar code is adjacent, since gzip looks back only 32 KB
export * from "./encode";
export * from "./masked";
export * from "./elementwise";
export { spike } from "./surrogate";
export { gemm, gemmGathered } from "./matmul";
export * from "./blocks";
export { gather } from "./gather";
export { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits";
export { lifBackward } from "./lif-back";
export { bernoulli, philox, uniform } from "./random";
export * from "./reduce";
export * from "./softmax";
export { adam } from "./optim";
export * from "./math";
export * from "./formula";
export { lifForward } from "./lif";

// Parts of products and their workspace, for kernels of other modules; names with a $ are not public kernels.
export { alignFrom as $alignFrom } from "./bits";
export { panelRows as $panelRows } from "./gather";
export { listFewPlaces as $listFewPlaces, listPlaces as $listPlaces } from "./listed-places";
export { block as $block } from "./matmul";
export { pack as $pack, packWide as $packWide } from "./panels";

/** First byte that the kernels do not use, after constants and the matmul workspace. */
export const heapBase: usize = __heap_base;
