/**
 * The slots in shared memory through which the main thread orders work: one a thread, on cache lines of its own.
 *
 *   order     counts orders up; the thread waits for another value
 *   claim     the order that is taken: by the thread, or by the main thread where the thread has no processor
 *   done      the order that is done
 *   failed    1 where a kernel has thrown in it
 *   asleep    1 while the thread sleeps, and has to be woken
 *   waiting   1 while the main thread sleeps until the order is done
 *   numbers   the result of a function, the milliseconds that it took, its number and its arguments, in float64
 *   text      the error of a kernel that has thrown: a length, and as many UTF-16 units
 *
 * The number of a function is the number of its module, times 65 536, and its place in there.
 */

/** Bytes of a slot. */
export const SLOT = 1024;
/** Words of 32 bits from the start of a slot. */
export const ORDER = 0;
export const CLAIM = 16;
export const DONE = 32;
export const FAILED = 33;
export const ASLEEP = 48;
export const WAITING = 64;
export const TEXT = 128;
/** Float64 numbers from the start of a slot; arguments follow the function. */
export const RESULT = 40;
export const TOOK = 41;
export const FUNCTION = 42;
export const ARGUMENTS = 43;
/** The most arguments. */
export const MOST = 12;
/** The most UTF-16 units of an error. */
export const LONGEST = SLOT / 4 - TEXT - 1;

/** In the place of a function: the thread compiles a module, of an address, so many bytes and the number that it gets. */
export const COMPILE = -1;
/** In the place of a function: the thread ends. */
export const END = -2;
