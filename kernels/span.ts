/** The vector loops' bounds: the end of whole vectors in a run of n values, and four copies of a single operand. */

/** Four times that value. */
const fourTimes = memory.data(16, 16);

/** End of the part of n values from p on that fills whole vectors of four. */
export function vectorEnd(p: usize, n: i32): usize {
  return p + ((<usize>n >> 2) << 4);
}

/** End of n values from p on. */
export function scalarEnd(p: usize, n: i32): usize {
  return p + ((<usize>n) << 2);
}

/** Where the values of y are read: where they are, or, if y is a single value, where that stands four times. */
export function spread(y: usize, single: i32): usize {
  if (single == 0) return y;
  v128.store(fourTimes, v128.load32_splat(y));
  return fourTimes;
}

/** Bytes from four values of y to the next four. */
export function stepOf(single: i32): usize {
  return single == 0 ? 16 : 0;
}
