/**
 * Layout of 8-bit weights and of lists of their rows, for int8.ts and for writers of the arrays that its kernels read.
 */

/** Columns of a panel. */
export const WIDE = 64;
/** Columns of one of the last panels. */
export const NARROW = 16;
/** Largest number of remaining columns for which narrow panels are used. */
export const MOST_NARROW = 32;
/** Offset of the low one of two integers in 16 bits. */
export const LOW = -128;
/** Bytes after the last list of places that `listChanges` may overwrite. */
export const ROOM = 32;
