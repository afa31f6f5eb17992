/**
 * Kernels of the core module (index.ts) that loops over images call: imports of the module of extra kernels, under the name of this file.
 */

export declare function addBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void;
export declare function addTo(z: usize, x: usize, n: i32): void;
export declare function copyBlocks(z: usize, x: usize, rows: i32, n: i32, zStep: i32, xStep: i32): void;
export declare function countBits(bits: usize, words: i32): i32;
export declare function expandAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32): void;
export declare function gather(descriptor: usize): void;
export declare function gemm(descriptor: usize): void;
export declare function gemmGathered(descriptor: usize): void;
export declare function packBits(bits: usize, x: usize, rows: i32, k: i32): i32;
export declare function sumAxis(z: usize, x: usize, outer: i32, n: i32, inner: i32, apart: i32): void;
export declare function transpose(z: usize, x: usize, m: i32, n: i32, apart: i32): void;
export declare function transposeBits(z: usize, bits: usize, rows: i32, k: i32, apart: i32): void;
