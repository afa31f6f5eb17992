/**
 * The layout of weights of eight bits and of lists of their rows: for int8.ts, and for writers of the arrays that its
 * kernels read.
 */

/** Columns of a panel, */
export const WIDE = 64;
/** of one of the last panels, */
export const NARROW = 16;
/** and most columns that are left for the narrow ones. */
export const MOST_NARROW = 32;
/** The low one of two integers in 16 bits counts from here: as bits, these are all that differs. */
export const LOW = -128;
/** Bytes behind the last list of places, over which `listChanges` writes. */
export const ROOM = 32;
