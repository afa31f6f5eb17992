/**
 * The operations whose bits come from float64: the kernel `formula` evaluates them for whole rows, between two sweeps. Every
 * other operation is computed in float32 lanes inside of a sweep.
 */
import { ATAN2, COS, ERF, LOG1P, POW, RECIPROCAL, RSQRT, SIN, SOFTPLUS } from "../../kernels/codes.ts";
import type { Term } from "./expression.ts";

/** The number of a function in kernels/codes.ts and the two numbers that it takes. */
export interface Formula {
  readonly f: number;
  readonly p: number;
  readonly q: number;
}

const FORMULAS: Readonly<Record<string, readonly [f: number, p?: number, q?: number]>> = {
  sin: [SIN],
  cos: [COS],
  atan: [ATAN2, 1],
  erf: [ERF],
  log1p: [LOG1P],
  rsqrt: [RSQRT],
  reciprocal: [RECIPROCAL],
  softplus: [SOFTPLUS, 1, 20],
  pow: [POW],
};

/** The formula of a term, or of the gradient of one, which is named so with "Grad"; null for another term. */
export function formulaOf({ op, attr }: Term): Formula | null {
  const isGradient = op.endsWith("Grad");
  const found = FORMULAS[isGradient ? op.slice(0, -4) : op];
  if (found === undefined) return null;
  const [f, p = 0, q = 0] = found;
  return { f: isGradient ? f + 1 : f, p: f === POW ? Number(attr) : p, q };
}
