/**
 * Slots in shared memory through which the main thread orders work. Each thread has one slot, on separate cache lines:
 *
 *   order     number of the current order; the thread waits until it changes
 *   claim     number of the last order that was taken: by the thread, or by the main thread if the thread has no processor
 *   done      number of the last order that is done
 *   failed    1 if a kernel threw an error in this order
 *   asleep    1 while the thread sleeps and must be woken
 *   waiting   1 while the main thread sleeps until the order is done
 *   numbers   float64: result of the function, its time in milliseconds, its number and its arguments
 *   text      message of the error: a length, and that many UTF-16 units
 *
 * The number of a function is 65 536 · module number + its index in the module.
 */

/** Bytes of a slot. */
export const SLOT = 1024;
/** Indices of 32-bit words in a slot. */
export const ORDER = 0;
export const CLAIM = 16;
export const DONE = 32;
export const FAILED = 33;
export const ASLEEP = 48;
export const WAITING = 64;
export const TEXT = 128;
/** Indices of float64 numbers in a slot; arguments follow the function's number. */
export const RESULT = 40;
export const TOOK = 41;
export const FUNCTION = 42;
export const ARGUMENTS = 43;
/** Most arguments of a function. */
export const MOST = 12;
/** Most UTF-16 units of an error message. */
export const LONGEST = SLOT / 4 - TEXT - 1;

/** Function number that makes the thread compile a module; arguments: address, bytes, module number. */
export const COMPILE = -1;
/** Function number that ends the thread. */
export const END = -2;
