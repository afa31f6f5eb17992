/** Terms computed from the values of what they are made of. */
import type { Expression } from "./expression.ts";
import { once } from "./remembered.ts";

/** Functions by the names of terms, for those that are no method of the first argument. */
export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

/** A function that computes terms from the values of leaves by their names. */
export function evaluation(
  leaves: Readonly<Record<string, unknown>>,
  functions: Functions,
): (x: Expression) => unknown {
  const known = new Map<Expression, unknown>();
  const resultOf = (x: Expression): unknown =>
    once(known, x, () => (isLeaf(x) ? leaves[x.attr] : evaluated(x, resultOf, functions)));
  return resultOf;
}

/** Whether a term is a parameter, an input or a state. */
export const isLeaf = ({ op }: Expression): boolean => op === "given" || op === "input" || op === "state";

function evaluated(
  { op, args, attr }: Expression,
  resultOf: (x: Expression) => unknown,
  functions: Functions,
): unknown {
  // A number as a further operand stays one.
  const values = args.map((y, i) => (i > 0 && y.op === "constant" ? y.attr : resultOf(y)));
  if (op === "constant" || op === "pow" || op === "spike") values.push(attr);
  const given = functions[op];
  if (given !== undefined) return given(...(values as never[]));
  const [first, ...others] = values;
  return Reflect.get(first as object, op).apply(first, others);
}
