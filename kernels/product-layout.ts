/**
 * The words of a product's descriptor, 32-bit addresses and integers, for kernels, their twins, and writers of descriptors. A product reads the
 * common words and its own. Steps are in elements.
 */

/** All products C ← init + A·B: the address of C [m, n], the initial values of its sums (0 for zeros), and the sizes; B is k × n. */
export const c = 0;
export const init = 1;
export const m = 2;
export const n = 3;
export const k = 4;
/** A [m, k], and its steps between rows and between columns. */
export const a = 5;
export const aRow = 6;
export const aCol = 7;
/** B and its steps, unless it is bits. */
export const b = 8;
export const bRow = 9;
export const bCol = 10;
/** The steps of C; only `gemmMasked` allows columns that are not contiguous. */
export const cRow = 11;
export const cCol = 12;

/** `gemmGathered`: B[p, j] = b[rows[p] + cols[j]], of tables of integers. */
export const rows = 13;
export const cols = 14;

/** The bits of `gather` and `gemmMasked`. */
export const bits = 15;
/** `gather`: the number of set bits, and a workspace. */
export const count = 16;
export const work = 17;

/** Number of words. */
export const words = 18;
