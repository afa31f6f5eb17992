/**
 * Elementwise functions that are rare in inner loops. One kernel evaluates them all, in float64 lanes. Values and
 * derivatives are the nearest float32 or its neighbour; a derivative that adds terms of both signs may cancel and be
 * less accurate.
 */
import * as codes from "../../kernels/codes.ts";
import { choiceOf, FLOAT, NUMBER, numberOf, type Range, withDefaults } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import { alive, type Tensor } from "../core/tensor.ts";
import { broadcast, type Operand } from "./arithmetic.ts";
import { sqrt, square } from "./unary.ts";

/** The second operand p, if it is a number, and a further constant q. */
interface Numbers {
  readonly p: number;
  readonly q: number;
}

/**
 * z = f(x, y). kernels/codes.ts has the codes of f and its derivatives. Without a tensor y, the number p is the second
 * operand.
 */
const formula = /* @__NO_SIDE_EFFECTS__ */ (name: string, f: number): Op<Numbers> => ({
  name,
  saves: SAVES.a | SAVES.b,
  forward: (z, x, y, _w, { p, q }) => k.formula(f, z.ptr, x.ptr, y ? y.ptr : 0, z.size, p, q),
  backward(z, x, y, _w, { p, q }) {
    const from = y ? y.ptr : 0;
    const dx = gradientAt(x);
    if (dx !== 0) k.formulaGrad(f + 1, dx, z.gradPtr, x.ptr, from, z.size, p, q);
    const dy = y ? gradientAt(y) : 0;
    if (dy !== 0) k.formulaGrad(f + 2, dy, z.gradPtr, x.ptr, from, z.size, p, q);
  },
});

/** f of x and of a tensor or number. */
const binary = (op: Op<Numbers>, x: Tensor, y: Operand): Tensor =>
  typeof y === "number" ? applyOp(op, { p: y, q: 0 }, x) : broadcast(op, x, y, { p: 0, q: 0 });

/** f of x and of a finite number. */
const withNumber = (op: Op<Numbers>, x: Tensor, name: string, p: number): Tensor =>
  applyOp(op, { p: numberOf(op.name, name, p, FLOAT), q: 0 }, x);

/* @__NO_SIDE_EFFECTS__ */
function unary(name: string, f: number, p = 0, q = 0): (x: Tensor) => Tensor {
  const op = formula(name, f);
  const numbers = { p, q };
  return (x) => applyOp(op, numbers, x);
}

/** z = sin x, elementwise, reduced exactly for every float32; NaN at ±∞.  ∂L/∂x = cos x ⊙ ∂L/∂z. */
export const sin = unary("sin", codes.SIN);

/** z = cos x, elementwise, reduced exactly for every float32; NaN at ±∞.  ∂L/∂x = −sin x ⊙ ∂L/∂z. */
export const cos = unary("cos", codes.COS);

/** z = arctan x, elementwise.  ∂L/∂x = ∂L/∂z / (1 + x²). */
export const atan = unary("atan", codes.ATAN2, 1);

/** z = ln(1 + x), elementwise, accurate near 0; −∞ at −1, NaN below.  ∂L/∂x = ∂L/∂z / (1 + x). */
export const log1p = unary("log1p", codes.LOG1P);

/** z = 1 / x, elementwise.  ∂L/∂x = −z² ⊙ ∂L/∂z. */
export const reciprocal = unary("reciprocal", codes.RECIPROCAL);

/** z = 1 / √x, elementwise; ∞ at 0, NaN below.  ∂L/∂x = −z³/2 ⊙ ∂L/∂z. */
export const rsqrt = unary("rsqrt", codes.RSQRT);

/** z = 2/√π·∫₀ˣ e^−t² dt, elementwise.  ∂L/∂x = 2/√π·e^−x² ⊙ ∂L/∂z. */
export const erf = unary("erf", codes.ERF);

/** z = ⌊x⌋, the largest integer ≤ x, elementwise; gradient 0. */
export const floor = unary("floor", codes.FLOOR);

/** z = x rounded to the nearest integer, half to even, elementwise; gradient 0. */
export const round = unary("round", codes.ROUND);

/** z = −1 where x < 0, 1 where x > 0, else 0, elementwise; gradient 0. Also 0 for NaN, as in PyTorch. */
export const sign = unary("sign", codes.SIGN);

/** z = ln(1 / (1 + e⁻ˣ)), elementwise, without overflow.  ∂L/∂x = ∂L/∂z / (1 + eˣ). */
export const logSigmoid = unary("logSigmoid", codes.SOFTPLUS, -1, Infinity);

/**
 * z = x·σ(x) = x / (1 + e⁻ˣ), elementwise.  ∂L/∂x = (σ + x·σ·(1 − σ)) ⊙ ∂L/∂z.
 *
 * @see Elfwing, Uchibe and Doya (2018), Sigmoid-Weighted Linear Units, Neural Networks 107.
 */
export const silu = unary("silu", codes.GATED, 1);

const geluErf = unary("gelu", codes.GELU);
/** 2u = 2·√(2/π)·(x + 0.044715·x³): ½(1 + tanh u) = σ(2u) */
const geluTanh = unary("gelu", codes.GATED, 1.5957691216057308, 0.07135481282553556);

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** "none" (default): Φ is exact; "tanh": ½(1 + tanh(√(2/π)·(x + 0.044715·x³))) approximates it. */
  approximate?: "none" | "tanh";
}

const GELU_OPTIONS: Required<GeluOptions> = { approximate: "none" };

/**
 * z = x·Φ(x), elementwise, with the standard normal distribution Φ.  ∂L/∂x = (Φ(x) + x·Φ′(x)) ⊙ ∂L/∂z.
 *
 * @throws RangeError unless the approximation is "none" or "tanh"; TypeError for an unknown option.
 * @see Hendrycks and Gimpel (2016), Gaussian Error Linear Units, arXiv:1606.08415.
 */
export function gelu(x: Tensor, options: GeluOptions = GELU_OPTIONS): Tensor {
  const { approximate } = withDefaults("gelu", GELU_OPTIONS, options);
  choiceOf("gelu", "approximate", approximate, ["none", "tanh"]);
  return approximate === "tanh" ? geluTanh(x) : geluErf(x);
}

const softplusOp = formula("softplus", codes.SOFTPLUS);

/** Options of {@link softplus}. */
export interface SoftplusOptions {
  /** β, the steepness; finite and not 0, default 1. */
  beta?: number;
  /** Bound of βx above which z = x. Default 20. */
  threshold?: number;
}

const SOFTPLUS_OPTIONS: Required<SoftplusOptions> = { beta: 1, threshold: 20 };

/** Range of divisors. */
const NOT_0: Range = { expected: "finite and not 0", fits: (x) => FLOAT.fits(x) && Math.fround(x) !== 0 };

/**
 * z = ln(1 + e^βx) / β, elementwise, without overflow.  ∂L/∂x = ∂L/∂z / (1 + e^−βx).
 *
 * @throws RangeError for a beta that is 0 or not finite, or a threshold that is NaN; TypeError for an unknown option.
 */
export function softplus(x: Tensor, options: SoftplusOptions = SOFTPLUS_OPTIONS): Tensor {
  const { beta, threshold } = withDefaults("softplus", SOFTPLUS_OPTIONS, options);
  numberOf("softplus", "beta", beta, NOT_0);
  numberOf("softplus", "threshold", threshold, NUMBER);
  return applyOp(softplusOp, { p: beta, q: threshold }, x);
}

const leakyReluOp = formula("leakyRelu", codes.LEAKY_RELU);

/**
 * z = x where x > 0, else a·x, elementwise, with a = negativeSlope, 0.01 by default.  ∂L/∂x = ∂L/∂z, or a·∂L/∂z where x ≤ 0.
 *
 * @throws RangeError unless the slope is finite.
 * @see Maas, Hannun and Ng (2013), Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML.
 */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  withNumber(leakyReluOp, x, "negativeSlope", negativeSlope);

const eluOp = formula("elu", codes.ELU);

/**
 * z = x where x > 0, else α(eˣ − 1), elementwise; α is 1 by default.  ∂L/∂x = ∂L/∂z, or α·eˣ ⊙ ∂L/∂z where x ≤ 0.
 *
 * @throws RangeError unless alpha is finite.
 * @see Clevert, Unterthiner and Hochreiter (2016), Exponential Linear Units, ICLR.
 */
export const elu = (x: Tensor, alpha = 1): Tensor => withNumber(eluOp, x, "alpha", alpha);

const powOp = formula("pow", codes.POW);

/**
 * z = xʸ, broadcast, exact if the power is a float32. 1 for y = 0; NaN for a negative x and a fractional y. ∂z/∂x =
 * y·xʸ⁻¹, 0 for y = 0; ∂z/∂y = xʸ·ln x, 0 at x = 0 for y ≥ 0. The numbers y = 2, ½ and −½ call `square`, `sqrt` and
 * `rsqrt`.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export function pow(x: Tensor, y: Operand): Tensor {
  if (typeof y === "number") alive(x, "pow");
  if (y === 2) return square(x);
  if (y === 0.5) return sqrt(x);
  if (y === -0.5) return rsqrt(x);
  return binary(powOp, x, y);
}

const atan2Op = formula("atan2", codes.ATAN2);

/**
 * z = the angle in [−π, π] radians of the point (y, x), with abscissa y and ordinate x, broadcast. ∂z/∂x = y/(x² +
 * y²),  ∂z/∂y = −x/(x² + y²).
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const atan2 = (x: Tensor, y: Operand): Tensor => binary(atan2Op, x, y);
