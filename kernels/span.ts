/** Bounds of vector loops: the end of whole vectors in a run of n values, and four copies of a single operand. */

/** Four copies of a single operand. */
const fourTimes = memory.data(16, 16);

/** The address after the last full vector of four, if n values begin at address p. */
export function vectorEnd(p: usize, n: i32): usize {
  return p + ((<usize>n >> 2) << 4);
}

/** End of n values from p on. */
export function scalarEnd(p: usize, n: i32): usize {
  return p + ((<usize>n) << 2);
}

/** Address at which the values of y are read: y, or four copies if y is a single value. */
export function spread(y: usize, single: i32): usize {
  if (single == 0) return y;
  v128.store(fourTimes, v128.load32_splat(y));
  return fourTimes;
}

/** Bytes between four values of y and the next four. */
export function stepOf(single: i32): usize {
  return single == 0 ? 16 : 0;
}
