/**
 * Values that the backward of an op reads, as flags to add up. They are separate constants, so bundlers can replace
 * each name by its value.
 *
 * @module
 */

/** No values: sizes and attributes suffice. */
export const nothing = 0;
/** The first input. */
export const a = 1;
/** The second input. */
export const b = 2;
/** The third input. */
export const c = 4;
/** The output. */
export const output = 8;
/** The tensors that `more` of the op lists. */
export const more = 16;
