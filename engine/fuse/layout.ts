/** Constants of sweeps and their callers, in a separate file: threads need them in programs without the compiler. */

/**
 * What a value depends on: numbers only (0), values that all columns share (1), parameters of each column (2), each
 * element (3).
 */
export type Level = 0 | 1 | 2 | 3;
export const SCALAR = 1;
export const COLUMN = 2;
export const ELEMENT = 3;

/** Descriptor words before the places: the number of elements in a step. */
const HEAD = 1;
/** The descriptor word with the address of a place. */
export const wordOf = (place: number): number => HEAD + 2 * place;

/** Address of an array that was not set: near the highest address, so that reading traps. */
export const NOWHERE = 0xfffffff0;

/** Number of columns that are summed in float32. */
export const STRIP = 512;
