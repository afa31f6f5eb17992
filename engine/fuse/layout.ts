/** Words and numbers that a sweep and those who run it agree on. A file of its own: programs without the compiler start threads too. */

/** The dependence of a value: on numbers alone (0), on values that all columns share, on parameters of each column, on each element. */
export type Level = 0 | 1 | 2 | 3;
export const SCALAR = 1;
export const COLUMN = 2;
export const ELEMENT = 3;

/** The words of a descriptor before those of places: the elements of a step. */
const HEAD = 1;
/** The word of the descriptor with the address of a place. */
export const wordOf = (place: number): number => HEAD + 2 * place;

/** The address of an array that was not noted: near the end of all addresses, where a sweep that reads it traps. */
export const NOWHERE = 0xfffffff0;

/** Columns over which a sum is taken in float32. */
export const STRIP = 512;
