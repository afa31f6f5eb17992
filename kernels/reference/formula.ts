/** The naive twins of formula.ts: one case for each number of codes.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import * as codes from "../codes.ts";
import { accumulate, at, put } from "./memory.ts";

type Formula = (x: number, y: number, q: number) => number;

/** Formulas by the numbers in codes.ts; a missing derivative is 0. */
const FORMULAS: Readonly<Record<number, Formula>> = {
  [codes.SIN]: Math.sin,
  [codes.COS]: Math.cos,
  [codes.COS + 1]: (x) => -Math.sin(x),
  [codes.ERF]: erf,
  [codes.ERF + 1]: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  [codes.GELU]: (x) => x * normal(x),
  [codes.GELU + 1]: (x) => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  [codes.GATED]: (x, y, q) => x * sigmoid(gate(x, y, q)),
  [codes.GATED + 1]: (x, y, q) => {
    const s = sigmoid(gate(x, y, q));
    return s + x * (y + 3 * q * x * x) * s * sigmoid(-gate(x, y, q));
  },
  [codes.SOFTPLUS]: (x, y, q) => (x * y > q ? x : Math.max(x * y, 0) / y + Math.log1p(Math.exp(-Math.abs(x * y))) / y),
  [codes.SOFTPLUS + 1]: (x, y, q) => (x * y > q ? 1 : sigmoid(x * y)),
  [codes.ELU]: (x, y) => (x <= 0 ? y * Math.expm1(x) : x),
  [codes.ELU + 1]: (x, y) => (x <= 0 ? y * Math.exp(x) : 1),
  [codes.LEAKY_RELU]: (x, y) => (x > 0 ? x : y * x),
  [codes.LEAKY_RELU + 1]: (x, y) => (x > 0 ? 1 : y),
  [codes.LOG1P]: Math.log1p,
  [codes.LOG1P + 1]: (x) => 1 / (1 + x),
  [codes.RECIPROCAL]: (x) => 1 / x,
  [codes.RECIPROCAL + 1]: (x) => -1 / (x * x),
  [codes.RSQRT]: (x) => 1 / Math.sqrt(x),
  [codes.RSQRT + 1]: (x) => -0.5 / (x * Math.sqrt(x)),
  [codes.POW]: pow,
  [codes.POW + 1]: (x, y) => (y === 0 ? 0 : y * pow(x, y - 1)),
  [codes.POW + 2]: (x, y) => (x === 0 && y >= 0 ? 0 : pow(x, y) * Math.log(x)),
  [codes.ATAN2]: Math.atan2,
  [codes.ATAN2 + 1]: (x, y) => y / (x * x + y * y),
  [codes.ATAN2 + 2]: (x, y) => -x / (x * x + y * y),
  [codes.FLOOR]: Math.floor,
  [codes.ROUND]: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  [codes.SIGN]: (x) => Number(x > 0) - Number(x < 0),
  [codes.CHOICE]: (x, y, q) => (x === 0 ? q : y),
  [codes.INSIDE]: (x, y, q) => (x <= y || x >= q ? 0 : 1),
};

export const formula: Kernels["formula"] = (f, z, x, y, n, p, q) => {
  const of = FORMULAS[f] ?? (() => 0);
  for (let i = 0; i < n; i++) put(z, i, of(at(x, i), y === 0 ? p : at(y, i), q));
};

export const formulaGrad: Kernels["formulaGrad"] = (f, dx, dz, x, y, n, p, q) => {
  const of = FORMULAS[f] ?? (() => 0);
  for (let i = 0; i < n; i++) {
    const slope = of(at(x, i), y === 0 ? p : at(y, i), q);
    if (slope !== 0) accumulate(dx, i, at(dz, i) * slope);
  }
};

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function gate(x: number, y: number, q: number): number {
  return q === 0 ? x * y : x * (y + q * x * x);
}

function normal(x: number): number {
  return (1 + erf(x * Math.SQRT1_2)) / 2;
}

/** 2/√π·e^−x²·Σ 2ⁿx²ⁿ⁺¹ / (1·3·…·(2n + 1)), whose terms have one sign */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** xʸ as in C: 1 for the base 1, and for ±1 to an infinite power, where ECMAScript has NaN. */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}
