/** The numbers of kinds.ts by their names: layers refuse other numbers, and tests go through all of these. */
import {
  ATAN,
  BOXCAR,
  ERF,
  FAST_SIGMOID,
  NO_RESET,
  SIGMOID,
  STRAIGHT_THROUGH,
  SUBTRACT,
  TRIANGULAR,
  ZERO,
} from "../kinds.ts";

/** Surrogates. */
export const SURROGATES = {
  sigmoid: SIGMOID,
  fastSigmoid: FAST_SIGMOID,
  atan: ATAN,
  erf: ERF,
  triangular: TRIANGULAR,
  boxcar: BOXCAR,
  straightThrough: STRAIGHT_THROUGH,
} as const;

/** Resets, named as the option of neurons has them. */
export const RESETS = { none: NO_RESET, subtract: SUBTRACT, zero: ZERO } as const;
