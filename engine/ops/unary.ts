/**
 * Functions of one value with their own kernels. `unary` makes each op from its name and the value that backward reads.
 */
import { INSIDE } from "../../kernels/codes.ts";
import { joined, NUMBER, numberOf, wrongValue } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, SAVES } from "../core/op.ts";
import type { Tensor } from "../core/tensor.ts";

type Name = "exp" | "log" | "sqrt" | "square" | "abs" | "tanh" | "sigmoid" | "relu";

/**
 * Makes z = f(x); `saves` says whether the kernel `fGrad` reads input or output.
 *
 * @__NO_SIDE_EFFECTS__
 */
function unary(name: Name, saves: typeof SAVES.a | typeof SAVES.output): (x: Tensor) => Tensor {
  const gradName = `${name}Grad` as const;
  const op: Op<null> = {
    name,
    saves,
    forward: (z, x) => k[name](z.ptr, x.ptr, z.size),
    backward(z, x) {
      const dx = gradientAt(x);
      if (dx !== 0) k[gradName](dx, z.gradPtr, saves === SAVES.a ? x.ptr : z.ptr, z.size);
    },
  };
  return (x) => applyOp(op, null, x);
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** z = clamp(x, low, high); the gradient passes where low ≤ x ≤ high. */
const clampOp: Op<Bounds> = {
  name: "clamp",
  saves: SAVES.a,
  forward: (z, x, _y, _w, { low, high }) => k.clamp(z.ptr, x.ptr, z.size, low, high),
  backward(z, x, _y, _w, { low, high }) {
    const dx = gradientAt(x);
    if (dx !== 0) k.clampGrad(dx, z.gradPtr, x.ptr, z.size, low, high);
  },
};

/** z = eˣ, elementwise.  ∂L/∂x = ∂L/∂z ⊙ z. */
export const exp = unary("exp", SAVES.output);

/** z = ln x, elementwise; −∞ at 0, NaN below.  ∂L/∂x = ∂L/∂z / x. */
export const log = unary("log", SAVES.a);

/** z = √x, elementwise; NaN below 0.  ∂L/∂x = ∂L/∂z / 2z, so ±∞ at 0. */
export const sqrt = unary("sqrt", SAVES.output);

/** z = x², elementwise.  ∂L/∂x = 2x ⊙ ∂L/∂z. */
export const square = unary("square", SAVES.a);

/** z = |x|, elementwise.  ∂L/∂x = sign x ⊙ ∂L/∂z, 0 at 0. */
export const abs = unary("abs", SAVES.a);

/** z = tanh x, elementwise.  ∂L/∂x = (1 − z²) ⊙ ∂L/∂z. */
export const tanh = unary("tanh", SAVES.output);

/** z = σ(x) = 1 / (1 + e⁻ˣ), elementwise.  ∂L/∂x = z(1 − z) ⊙ ∂L/∂z. */
export const sigmoid = unary("sigmoid", SAVES.output);

/** z = max(x, 0), elementwise; NaN remains NaN.  ∂L/∂x = ∂L/∂z where x > 0, else 0. */
export const relu = unary("relu", SAVES.output);

/**
 * z = min(max(x, low), high), elementwise; NaN remains NaN. A missing or null bound has no effect. ∂L/∂x = ∂L/∂z where low ≤ x ≤ high, else 0, as in
 * PyTorch.
 *
 * @throws RangeError for a bound that is NaN.
 */
export function clamp(x: Tensor, low: number | null = null, high: number | null = null): Tensor {
  const bounds = {
    low: numberOf("clamp", "low", low ?? -Infinity, NUMBER),
    high: numberOf("clamp", "high", high ?? Infinity, NUMBER),
  };
  return applyOp(clampOp, bounds, x);
}

/** `clamp` with gradient 0 at the bounds. */
const hardtanhOp: Op<Bounds> = joined(clampOp, {
  name: "hardtanh",
  backward(z: Tensor, x: Tensor, _y: Tensor, _w: Tensor, { low, high }: Bounds) {
    const dx = gradientAt(x);
    if (dx !== 0) k.formulaGrad(INSIDE, dx, z.gradPtr, x.ptr, 0, z.size, low, high);
  },
});

/**
 * z = min(max(x, low), high), elementwise, by default from −1 to 1.  ∂L/∂x = ∂L/∂z where low < x < high, else 0. As in
 * PyTorch, the gradient at both bounds is 0, unlike that of {@link clamp}.
 *
 * @throws RangeError unless low ≤ high.
 */
export function hardtanh(x: Tensor, low = -1, high = 1): Tensor {
  numberOf("hardtanh", "low", low, NUMBER);
  numberOf("hardtanh", "high", high, NUMBER);
  if (low > high) throw wrongValue("hardtanh", "low ≤ high", `${low} and ${high}`);
  return applyOp(hardtanhOp, { low, high }, x);
}
