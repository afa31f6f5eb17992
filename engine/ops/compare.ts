/** Comparisons: 1 where they hold, 0 elsewhere; no gradient. */
import { k } from "../backend.ts";
import { NO_GRADIENT } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { broadcast, isSingle, type Operand, type Pairwise } from "./arithmetic.ts";

type Name = "gt" | "ge" | "lt" | "le" | "eq";

const comparison = (name: Name): Pairwise<null> => ({
  name,
  saves: NO_GRADIENT,
  single: "any",
  forward: (z, x, y) => k[name](z.ptr, x.ptr, y.ptr, z.size, isSingle(z, y)),
  backward() {},
});

const gtOp = comparison("gt");
const geOp = comparison("ge");
const ltOp = comparison("lt");
const leOp = comparison("le");
const eqOp = comparison("eq");

/**
 * z = 1 where x > y, else 0, broadcast; 0 where one is NaN. No gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const gt = (x: Tensor, y: Operand): Tensor => broadcast(gtOp, x, y);

/**
 * z = 1 where x ≥ y, else 0, broadcast; 0 where one is NaN. No gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const ge = (x: Tensor, y: Operand): Tensor => broadcast(geOp, x, y);

/**
 * z = 1 where x < y, else 0, broadcast; 0 where one is NaN. No gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const lt = (x: Tensor, y: Operand): Tensor => broadcast(ltOp, x, y);

/**
 * z = 1 where x ≤ y, else 0, broadcast; 0 where one is NaN. No gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const le = (x: Tensor, y: Operand): Tensor => broadcast(leOp, x, y);

/**
 * z = 1 where x = y, else 0, broadcast; 0 where one is NaN. No gradient.
 *
 * @throws RangeError if the shapes do not broadcast; TypeError unless y is a tensor or a number.
 */
export const eq = (x: Tensor, y: Operand): Tensor => broadcast(eqOp, x, y);
