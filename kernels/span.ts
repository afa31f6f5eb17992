/** Ends of a run of n consecutive float32 values. */

/** End of the part of n values from p on that fills whole vectors of four. */
export function vectorEnd(p: usize, n: i32): usize {
  return p + ((<usize>n >> 2) << 4);
}

/** End of n values from p on. */
export function scalarEnd(p: usize, n: i32): usize {
  return p + ((<usize>n) << 2);
}
