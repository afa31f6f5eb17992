/**
 * The values that backward of an op reads, as numbers to add up: each a constant of its own, so that bundlers replace
 * the name by its value.
 *
 * @module
 */

/** No values: sizes and attributes are enough. */
export const nothing = 0;
/** The first input. */
export const a = 1;
/** The second input. */
export const b = 2;
/** The third input. */
export const c = 4;
/** The output. */
export const output = 8;
/** The tensors that `reads` of the op lists. */
export const more = 16;
