/**
 * The words of the descriptor that products take: 32 bits each, addresses and integers. For the kernels, their twins, and those who write
 * descriptors. A product reads the words of all and its own; steps count elements.
 */

/** All products C ← init + A·B: the address of C [m, n], what its sums start from, 0 for zeros, and the sizes; B is k × n. */
export const c = 0;
export const init = 1;
export const m = 2;
export const n = 3;
export const k = 4;
/** A [m, k], from row to row and from column to column. */
export const a = 5;
export const aRow = 6;
export const aCol = 7;
/** B, but where it is bits. */
export const b = 8;
export const bRow = 9;
export const bCol = 10;
/** The steps of C; `gemmMasked` alone takes columns that are apart. */
export const cRow = 11;
export const cCol = 12;

/** `gemmGathered`: B[p, j] = b[rows[p] + cols[j]], of tables of integers. */
export const rows = 13;
export const cols = 14;

/** The bits of `gather`, `gemmMasked` and `gemmSampled`. */
export const bits = 15;
/** `gather`: how many bits are set, and memory to work in. */
export const count = 16;
export const work = 17;

/** How many there are. */
export const words = 18;
