/** Comparisons: 1 if true, else 0; no gradient. */
import { k } from "../core/backend.ts";
import { NO_GRADIENT } from "../core/op.ts";
import type { Tensor } from "../core/tensor.ts";
import { broadcast, isSingle, type Operand, type Pairwise } from "./arithmetic.ts";

type Name = "gt" | "ge" | "lt" | "le" | "eq";

/* @__NO_SIDE_EFFECTS__ */
function comparison(name: Name): (x: Tensor, y: Operand) => Tensor {
  const op: Pairwise<null> = {
    name,
    saves: NO_GRADIENT,
    single: "any",
    forward: (z, x, y) => k[name](z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
    backward() {},
  };
  return (x, y) => broadcast(op, x, y);
}

/**
 * z = 1 where x > y, else 0, broadcast; 0 if either is NaN. There is no gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const gt = comparison("gt");

/**
 * z = 1 where x ≥ y, else 0, broadcast; 0 if either is NaN. There is no gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const ge = comparison("ge");

/**
 * z = 1 where x < y, else 0, broadcast; 0 if either is NaN. There is no gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const lt = comparison("lt");

/**
 * z = 1 where x ≤ y, else 0, broadcast; 0 if either is NaN. There is no gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const le = comparison("le");

/**
 * z = 1 where x = y, else 0, broadcast; 0 if either is NaN. There is no gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const eq = comparison("eq");
