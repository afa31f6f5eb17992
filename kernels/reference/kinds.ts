/** The numbers of kinds.ts by name: layers reject other numbers, and tests iterate over all of these. */
import * as kinds from "../kinds.ts";

/** Surrogates. */
export const SURROGATES = {
  sigmoid: kinds.SIGMOID,
  fastSigmoid: kinds.FAST_SIGMOID,
  atan: kinds.ATAN,
  erf: kinds.ERF,
  triangular: kinds.TRIANGULAR,
  boxcar: kinds.BOXCAR,
  straightThrough: kinds.STRAIGHT_THROUGH,
} as const;

/** Resets, with the names of the neurons' option. */
export const RESETS = { none: kinds.NO_RESET, subtract: kinds.SUBTRACT, zero: kinds.ZERO } as const;
